"""Volumes: three-dimensional arrays of voxels, from file to numbers and pictures.

What lives here is plain domain code on numpy. It must not know Dramatiq, SQL, Flask or ``workers.context``:
whoever calls it passes a ``progress`` function and gets arrays, frozen dataclasses and bytes back.

An array is always in (z, y, x) order: ``array[z]`` is one axial slice. Shapes in texts, forms and sentences
are written X x Y x Z, as people say them; ``shape.py`` is the one place that turns the one into the other.
"""

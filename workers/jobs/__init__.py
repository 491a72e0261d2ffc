"""The jobs that ship, one module per noun; importing the package announces them all (``JOBS=workers.jobs``).

Actors are shallow: they take what a form gives, call plain functions, and report by way of
``workers.context``.
"""

from workers.jobs import corrections, demo, feeds, measurements, volumes

__all__ = ["corrections", "demo", "feeds", "measurements", "volumes"]

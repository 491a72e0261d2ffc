"""DICOM: from files of any origin to the series that they hold, and from a series to a volume.

Read in this order: ``archive`` (bytes, never trusted), ``headers`` and ``frames`` (what each picture says),
``series`` (which belong together), ``geometry`` (whether they are a volume), ``stack`` (voxels), ``suv``.
Nothing here writes to disk. It is meant to run in a process whose memory is limited.
"""

"""Regions of a volume and their figures, on the volume's own grid: nothing is resampled.

Lengths are mm, volumes ml, values in the measured unit (SUV where the volume has one). Arrays are (z, y, x); points
in the world are (x, y, z) in the scanner's LPS.

SciPy and nibabel are imported where they are used: every worker imports this, few ever measure, and it takes seconds.
"""

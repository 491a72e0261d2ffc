"""Masks as files: one that somebody drew elsewhere, and the parts that were measured, as NIfTI."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workers.jobs.volume.errors import VolumeError
from workers.jobs.volume.measuring.grid import Grid
from workers.jobs.volume.shape import spoken
from workers.jobs.volume.volume import Volume

#: NIfTI counts to the right and to the front, DICOM to the left and to the back.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
#: How far the corners of two grids may be apart, as a part of a voxel, and still be the same grid.
APART = 0.1


@dataclass(eq=False)
class OtherGrid(VolumeError):
    """Raised when a mask does not lie on the grid of the volume that it is for: it is never resampled."""

    name: str
    found: tuple[int, int, int]
    wanted: tuple[int, int, int]
    apart: float | None = None

    def __str__(self) -> str:
        if self.found != self.wanted:
            sizes = f"It has {spoken(self.found)} voxels, the volume has {spoken(self.wanted)}."
        else:
            sizes = f"It has as many voxels, but lies up to {self.apart:,.2f} mm from them."
        return f"{self.name} is not drawn on the grid of this volume. {sizes}"


def on_grid(mask: Volume, name: str, grid: Grid) -> np.ndarray:
    """The voxels of a mask that are not 0, bool (z, y, x). Raises OtherGrid."""
    if mask.array.shape != grid.shape:
        raise OtherGrid(name, mask.array.shape, grid.shape)
    if mask.affine is not None and (apart := _apart(mask.affine, grid)) > APART * grid.spacing.min():
        raise OtherGrid(name, mask.array.shape, grid.shape, apart)
    return mask.array != 0


def _apart(affine: np.ndarray, grid: Grid) -> float:
    """mm between the corners of two grids of one shape, at most."""
    corners = np.array(np.meshgrid(*((0, length - 1) for length in grid.shape[::-1]))).reshape(3, -1)
    points = np.vstack([corners, np.ones(corners.shape[1])])
    return float(np.linalg.norm(((affine - grid.affine) @ points)[:3], axis=0).max())


def write(labels: np.ndarray, grid: Grid, path: Path) -> None:
    """Labels (z, y, x) as ``.nii.gz``."""
    import nibabel

    nibabel.save(nibabel.Nifti1Image(labels.transpose(), LPS_TO_RAS @ grid.affine), path)

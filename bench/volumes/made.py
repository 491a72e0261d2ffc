"""The volumes that are measured: a made-up patient's CT and PET, with the noise that makes packing hard work."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from tests import stored_volumes
from tests.dicoms import header, stack_of, written
from workers.jobs.volume.source import Source

CODECS = {
    "JPEG-LS": (JPEGLSLossless, imagecodecs.jpegls_encode, imagecodecs.jpegls_decode),
    "JPEG 2000": (JPEG2000Lossless, imagecodecs.jpeg2k_encode, imagecodecs.jpeg2k_decode),
    "lossless JPEG": (JPEGLosslessSV1, imagecodecs.ljpeg_encode, imagecodecs.ljpeg_decode),
}
OPTIONS = {"JPEG 2000": {"codecformat": "j2k", "reversible": True, "level": 0}}
#: Of codecs, which are slow, fewer slices are measured.
PACKED_SLICES = 40


@dataclass(frozen=True)
class Patient:
    """``ct_shape`` and ``pet_shape`` are (z, y, x). Files are made in ``folder`` when they are first asked for."""

    folder: Path
    ct_shape: tuple[int, int, int] = (400, 512, 512)
    pet_shape: tuple[int, int, int] = (400, 200, 200)

    @cached_property
    def ct(self) -> np.ndarray:
        """HU as int16."""
        volume = _larger(stored_volumes.ct(_smaller(self.ct_shape)).array, self.ct_shape)
        noise = np.rint(np.random.default_rng(0).normal(0, 12, (8, *self.ct_shape[1:]))).astype(np.int16)
        for first in range(0, len(volume), 8):
            stack = volume[first : first + 8]
            stack += noise[: len(stack)]
        return volume

    @cached_property
    def pet(self) -> np.ndarray:
        """Bq/ml as float32."""
        volume = _larger(stored_volumes.pet(_smaller(self.pet_shape)).array, self.pet_shape)
        volume *= np.random.default_rng(0).normal(1, 0.05, self.pet_shape[1:]).astype(np.float32)
        return volume

    @cached_property
    def raw(self) -> Source:
        return self._saved("ct.raw", self.ct.tobytes())

    @cached_property
    def nifti(self) -> Source:
        path = self.folder / "ct.nii.gz"
        nibabel.save(nibabel.Nifti1Image(self.ct.transpose(), np.diag([-1.0, -1.0, 2.0, 1.0])), path)
        return Source(path, path.name)

    @cached_property
    def dicom(self) -> list[Source]:
        return [self._saved(name, data) for name, data in stack_of(self.ct).items()]

    def packed(self, codec: str) -> tuple[list[Source], list[bytes]]:
        """Slices of the middle as DICOM, and the packed frames in them."""
        syntax, encode, _ = CODECS[codec]
        middle = max(0, len(self.ct) // 2 - PACKED_SLICES // 2)
        slices = self.ct[middle : middle + PACKED_SLICES].view(np.uint16) ^ np.uint16(0x8000)
        frames = [encode(np.ascontiguousarray(each), **OPTIONS.get(codec, {})) for each in slices]
        return [self._packed(syntax, at, slices[at], frame) for at, frame in enumerate(frames)], frames

    def _packed(self, syntax: str, at: int, pixels: np.ndarray, frame: bytes) -> Source:
        dataset = header(pixels, (0, 0, 2.0 * at), RescaleIntercept=-32768)
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].is_undefined_length = True
        return self._saved(f"{syntax}-{at}.dcm", written(dataset, syntax))

    def _saved(self, name: str, data: bytes) -> Source:
        (self.folder / name).write_bytes(data)
        return Source(self.folder / name, name)


def _smaller(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    return tuple(-(-length // 4) for length in shape)


def _larger(volume: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Four times as long along each axis, cut to the shape."""
    for axis, length in enumerate(shape):
        volume = volume.repeat(4, axis).take(range(length), axis)
    return np.ascontiguousarray(volume)

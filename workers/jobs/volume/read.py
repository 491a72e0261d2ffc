"""Any file to a volume: the format is told by the first bytes, and by the name only to say what is wrong."""

from collections.abc import Callable

from workers.jobs.volume import nifti, npy, npz, nrrd, raw
from workers.jobs.volume.dicom import headers, load, zipped
from workers.jobs.volume.errors import DamagedFile, NotRaw
from workers.jobs.volume.payload import Progress
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

#: Bytes of which a text consists. A volume has air around it, or noise.
TEXT = bytes(range(0x20, 0x7F)) + b"\t\r\n"


def volume(source: Source, recipe: Recipe, progress: Progress = lambda done, total: None, series: str = "") -> Volume:
    """The volume in a file: .npy, .npz, NIfTI (.nii, .nii.gz), NRRD, DICOM or a zip of it, or raw by ``recipe``,
    which the others do not need. ``series`` says which one of several DICOM series, by a key of ``series.offered``.

    Raises VolumeError, as one of its kinds, if the file or the recipe is wrong, and whatever ``progress``
    raises.
    """
    head = source.head(nifti.HEAD)
    reader = _reader(source, head)
    if reader:
        return reader(source, progress)
    if _is_dicom(source, head):
        return load.volume([source], progress, series)
    _refuse_if_known(source, head)
    return raw.read(source, recipe, progress)


def _reader(source: Source, head: bytes) -> Callable[[Source, Progress], Volume] | None:
    """Of the formats that hold one volume in one file."""
    if head.startswith(npy.MAGIC):
        return npy.read
    if head.startswith(nrrd.MAGIC):
        return nrrd.read
    if nifti.header_class(head):
        return nifti.read
    return npz.read if npz.is_one(source, head) else None


def refuse_unless_raw(source: Source) -> None:
    """Raises NotRaw for a file that needs no recipe, DamagedFile for one that is something else."""
    head = source.head(nifti.HEAD)
    if _reader(source, head) or _is_dicom(source, head):
        raise NotRaw(source.name)
    _refuse_if_known(source, head)


def _is_dicom(source: Source, head: bytes) -> bool:
    """By its mark, or as an archive. A file that lacks it, as some do, might as well be raw: then its name decides."""
    named = not source.packed and source.name.lower().endswith((".dcm", ".dicom", ".ima"))
    return named or head.startswith(zipped.BEGINS) or headers.is_marked(head)


def _refuse_if_known(source: Source, head: bytes) -> None:
    """What is something else, or claims to be, must not be taken for raw voxels."""
    reason = _why_not_raw(source, head)
    if reason:
        raise DamagedFile(source.name, reason)


def _why_not_raw(source: Source, head: bytes) -> str | None:
    name = source.name.lower()
    if not head:
        return "it is empty"
    if head[344:348] == b"ni1\0":
        return "it is one half of a NIfTI pair; save it as a single .nii, or load the .img as raw"
    if head.startswith((b"ObjectType", b"NDims")):
        return "it is MetaImage, which is not read; save it as NIfTI or NRRD, or load its .raw file as raw"
    if source.packed:
        return "it is gzip, but holds neither NIfTI nor numpy data; unpack it first"
    if len(head) > 64 and not head.translate(None, TEXT):
        return "it is text, not voxels"
    return _why_not_by_name(name)


def _why_not_by_name(name: str) -> str | None:
    if name.endswith((".npy", ".npz")):
        return f"it is named {name[-4:]}, but does not begin like a numpy file"
    if name.endswith((".nrrd", ".nhdr")):
        return "it is named like NRRD, but does not begin like it"
    if name.endswith((".nii", ".nii.gz")):
        return "it is named like NIfTI, but does not begin like it"
    return None

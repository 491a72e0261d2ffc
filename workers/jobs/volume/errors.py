"""What can be wrong with a file or with what was asked of it; each error says its own sentence.

Only what a person can put right stands here. The sentences are shown to them, so they tell what would be
right. The facts are positional arguments: ``BaseException`` keeps those in ``args``, and so the errors
survive pickling.
"""

from dataclasses import dataclass

from workers.jobs.volume import fits
from workers.jobs.volume.shape import Shape, spoken


class VolumeError(Exception):
    """Raised, as one of its kinds, when a file or the parameters are wrong. Trying again cannot help."""


@dataclass(eq=False)
class NotOneSource(VolumeError):
    """Raised when a run was given both an uploaded file and a path, or neither."""

    given: int

    def __str__(self) -> str:
        given = "both were" if self.given else "neither was"
        return f"Give either a file to upload or a path in the files folder: {given} given."


@dataclass(eq=False)
class OutsideFolder(VolumeError):
    """Raised when a path is absolute, contains ``..``, or leaves the files folder by a symbolic link."""

    path: str

    def __str__(self) -> str:
        return f"“{self.path}” lies outside the files folder. Give a path below it, without “..”."


@dataclass(eq=False)
class NoSuchFile(VolumeError):
    """Raised when the files folder holds no readable regular file of that path."""

    path: str

    def __str__(self) -> str:
        return f"There is no readable file “{self.path}” in the files folder."


@dataclass(eq=False)
class BadName(VolumeError):
    """Raised when a file that is to be written has a name with a separator, a leading dot, or none at all."""

    name: str

    def __str__(self) -> str:
        return f"“{self.name}” cannot name a file here. Use a plain name, without folders or a leading dot."


@dataclass(eq=False)
class NameTaken(VolumeError):
    """Raised when a file would replace one with other content, and nobody said that it may."""

    name: str

    def __str__(self) -> str:
        return f"“{self.name}” is there already, with other content. Give another name, or tick “replace”."


@dataclass(eq=False)
class BadValue(VolumeError):
    """Raised when a parameter lies outside its range."""

    parameter: str
    value: object
    wanted: str

    def __str__(self) -> str:
        return f"{self.parameter} is {self.value!r}, but has to be {self.wanted}."


@dataclass(eq=False)
class BadShape(VolumeError):
    """Raised when a text is not three numbers of voxels."""

    text: str

    def __str__(self) -> str:
        return f"“{self.text}” is not a shape. Write the voxels along X, Y and Z, like 110x110x187."


@dataclass(eq=False)
class DamagedFile(VolumeError):
    """Raised when a file is not what its name or its first bytes say, or ends too early."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} cannot be read: {self.what}."


@dataclass(eq=False)
class NotRaw(VolumeError):
    """Raised when someone asks what a file could be whose first bytes tell what it is."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} tells its own format by its first bytes: there is nothing to guess. Load it as it is."


@dataclass(eq=False)
class TooLarge(VolumeError):
    """Raised when voxels need more than ``limit`` bytes, before any memory or disk is taken for them."""

    name: str
    needed: int
    limit: int

    def __str__(self) -> str:
        return f"The voxels of {self.name} take {self.needed:,} bytes; at most {self.limit:,} are allowed."


@dataclass(eq=False)
class NotOneArray(VolumeError):
    """Raised when a file of arrays has not exactly one of three axes. ``held``: names and shapes of them all."""

    name: str
    held: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.held[:10]) + (", …" if len(self.held) > 10 else "")
        return f"{self.name} has to hold exactly one array of three axes, but holds {shown}. Save one by itself."


@dataclass(eq=False)
class NotThreeDimensional(VolumeError):
    """Raised when an array has not exactly three axes. ``stored``: their lengths in the file's own order."""

    name: str
    stored: tuple[int, ...]

    def __str__(self) -> str:
        lengths = " x ".join(f"{length:,}" for length in self.stored) or "no"
        advice = "Save one volume by itself." if len(self.stored) > 3 else "Stack slices to a volume first."
        held = f"{self.name} holds an array of {len(self.stored)} axes ({lengths})"
        return f"{held}; a volume has three. {advice}"


@dataclass(eq=False)
class UnsupportedDtype(VolumeError):
    """Raised when voxels are not bool, integers of up to 64 bits, or float16, float32 or float64."""

    name: str
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} holds voxels of {self.dtype}; only real numbers of up to 64 bits can be shown."


@dataclass(eq=False)
class ShapeMissing(VolumeError):
    """Raised when a headerless file comes without a shape, and its name tells none that fits."""

    name: str
    size: int
    dtype: str
    header_offset: int

    def __str__(self) -> str:
        missing = f"{self.name} is a raw file of {self.size:,} bytes: give its shape, as X x Y x Z."
        likely = fits.by_size(self.size - self.header_offset, self.dtype)
        return " ".join([missing, *fits.by_name(self.name, self.size), *likely])


@dataclass(eq=False)
class SizeMismatch(VolumeError):
    """Raised when a raw file is not exactly as long as header, shape and dtype say: none is cut or padded."""

    name: str
    size: int
    shape: Shape
    dtype: str
    header_offset: int

    def __str__(self) -> str:
        needed = self.header_offset + fits.bytes_of(self.shape, self.dtype)
        header = f" after a header of {self.header_offset:,} bytes" if self.header_offset else ""
        asked = f"{spoken(self.shape)} of {self.dtype}{header}"
        wrong = f"{self.name} holds {self.size:,} bytes, but {asked} needs {needed:,}."
        return " ".join([wrong, *fits.instead(self.size, self.shape, self.dtype, self.name, bool(header))])

"""What can be wrong with DICOM files, or with how they lie in space; each error says its own sentence.

Where a fault lies between two pictures, both are named, with what was expected and what was found.
"""

from dataclasses import dataclass

from workers.jobs.volume.errors import VolumeError


@dataclass(eq=False)
class TooMany(VolumeError):
    """Raised when an archive or folder holds more files, or these more slices, than ``limit``."""

    name: str
    count: int
    limit: int

    def __str__(self) -> str:
        return f"{self.name} holds {self.count:,} files or slices; at most {self.limit:,} are read at once."


@dataclass(eq=False)
class TooMuch(VolumeError):
    """Raised when files would unpack to more than ``limit`` bytes, before they are unpacked."""

    name: str
    size: int
    limit: int

    def __str__(self) -> str:
        return f"{self.name} unpacks to {self.size:,} bytes; at most {self.limit:,} are allowed."


@dataclass(eq=False)
class TooDense(VolumeError):
    """Raised when an archive claims to be packed more tightly than pictures can be."""

    name: str
    size: int
    packed: int

    def __str__(self) -> str:
        times = self.size // max(1, self.packed)
        return f"{self.name} unpacks to {times:,} times its size ({self.size:,} bytes): that is no archive of pictures."


@dataclass(eq=False)
class Encrypted(VolumeError):
    """Raised when an entry of an archive asks for a password."""

    name: str
    entry: str

    def __str__(self) -> str:
        return f"{self.entry} in {self.name} is encrypted. Make an archive without a password."


@dataclass(eq=False)
class NoSeries(VolumeError):
    """Raised when files hold no picture that could be a slice. ``aside`` says in words what they hold."""

    name: str
    aside: str

    def __str__(self) -> str:
        return f"{self.name} holds no DICOM pictures that can be stacked. {self.aside}".strip()


@dataclass(eq=False)
class SeveralSeries(VolumeError):
    """Raised when more than one series could be meant; ``offered`` are (key, description) of each."""

    name: str
    offered: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        each = "; ".join(f"{description} [{key}]" for key, description in self.offered)
        return f"{self.name} holds {len(self.offered)} series. Choose one: {each}."


@dataclass(eq=False)
class NoneStacks(VolumeError):
    """Raised when none of several series is a volume; ``reasons`` are (description, why) of each."""

    name: str
    reasons: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        each = " ".join(f"{description}: {why}" for description, why in self.reasons)
        return f"None of the {len(self.reasons)} series in {self.name} is a volume. {each}"


@dataclass(eq=False)
class UnknownSeries(VolumeError):
    """Raised when the series that was asked for is not among those in the files."""

    name: str
    series: str
    offered: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} holds no series “{self.series}”, but {', '.join(self.offered)}."


@dataclass(eq=False)
class UnreadablePixels(VolumeError):
    """Raised when a picture is stored in a way that is not read here."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"The picture in {self.name} cannot be read: {self.what}."


@dataclass(eq=False)
class NoPlace(VolumeError):
    """Raised when a picture that is one of several does not say where it lies; ``missing`` are keywords."""

    name: str
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} does not say where it lies ({', '.join(self.missing)} missing), so it cannot be stacked."


@dataclass(eq=False)
class BadPlace(VolumeError):
    """Raised when a position, orientation or spacing cannot be: not a number, not at right angles, not above 0."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} cannot be placed: {self.what}."


@dataclass(eq=False)
class SamePlace(VolumeError):
    """Raised when two pictures of a series lie at the same position. ``position`` is in mm, LPS."""

    first: str
    second: str
    position: tuple[float, float, float]

    def __str__(self) -> str:
        place = ", ".join(f"{each:g}" for each in self.position)
        return (
            f"{self.first} and {self.second} lie at the same position ({place}), and nothing in them"
            " tells which belongs to which volume."
        )


@dataclass(eq=False)
class Gap(VolumeError):
    """Raised when two neighbours are not as far apart as the others of the series, in mm."""

    first: str
    second: str
    found: float
    expected: float

    def __str__(self) -> str:
        missing = round(self.found / self.expected) - 1 if self.expected else 0
        slices = f" Perhaps {missing} slice{'s are' if missing > 1 else ' is'} missing." if missing > 0 else ""
        return (
            f"{self.first} and {self.second} are {self.found:.4g} mm apart, but the slices of this series"
            f" {self.expected:.4g} mm.{slices}"
        )


@dataclass(eq=False)
class Tilted(VolumeError):
    """Raised when slices are not stacked at right angles to their planes: the gantry was tilted."""

    first: str
    second: str
    degrees: float
    limit: float

    def __str__(self) -> str:
        return (
            f"From {self.first} to {self.second} the slices lean by {self.degrees:.2f} degrees against their planes"
            f" (tilted gantry); at most {self.limit:g} can be shown without resampling."
        )


@dataclass(eq=False)
class Shifted(VolumeError):
    """Raised when one slice lies beside the line of the others, in mm."""

    first: str
    second: str
    found: float
    limit: float

    def __str__(self) -> str:
        return (
            f"{self.second} lies {self.found:.3g} mm beside the line on which {self.first} and the others are stacked;"
            f" at most {self.limit:.2g} mm are allowed."
        )


@dataclass(eq=False)
class Mixed(VolumeError):
    """Raised when two pictures of a series differ in what has to be the same in a volume."""

    what: str
    first: str
    expected: str
    second: str
    found: str

    def __str__(self) -> str:
        return f"The {self.what} differ: {self.expected} in {self.first}, {self.found} in {self.second}."


@dataclass(eq=False)
class BadScale(VolumeError):
    """Raised when stored numbers cannot be turned to values: a slope of 0, or a look-up table."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"The values of {self.name} cannot be told: {self.what}."

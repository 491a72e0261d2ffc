"""What people say of a raw file beside its voxels: in its name, and in a small text file of nearly the same name."""

import re
from dataclasses import dataclass
from pathlib import Path

from workers.jobs.volume import shape
from workers.jobs.volume.fits import Dtype
from workers.jobs.volume.raw import ByteOrder
from workers.jobs.volume.shape import Shape
from workers.jobs.volume.source import Source

SIDE_FILES = (".txt", ".hdr", ".json", ".info", ".ini", ".log", ".md")
#: Notes are short; what is longer is none.
LONGEST_NOTE = 65536

_KINDS = {"u": "uint", "i": "int", "f": "float"}
_DTYPE = re.compile(r"(?<![a-z0-9])(?:(uint|int|float)(8|16|32|64)|([<>]?)([uif])([1248]))(?![a-z0-9])", re.IGNORECASE)
_WORDS = {
    "unsigned char": "uint8", "uchar": "uint8", "byte": "uint8", "short": "int16", "ushort": "uint16",
    "unsigned short": "uint16", "float": "float32", "double": "float64",
}  # fmt: skip
_WORD = re.compile(rf"(?<![a-z0-9])({'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![a-z0-9])", re.IGNORECASE)
_BIG = re.compile(r"(?<![a-z])(be|msb|big|big[ _-]?endian|bigendian)(?![a-z])", re.IGNORECASE)
_LITTLE = re.compile(r"(?<![a-z])(le|lsb|little|little[ _-]?endian|littleendian)(?![a-z])", re.IGNORECASE)
_IN_A_NOTE = re.compile(
    r"(?<![0-9.])([0-9]{1,6})(?:\s*[x×*,;]\s*|\s+)([0-9]{1,6})(?:\s*[x×*,;]\s*|\s+)([0-9]{1,6})(?![0-9.])"
)


@dataclass(frozen=True)
class Hint:
    """What ``by`` tells, as far as it does."""

    by: str
    shape: Shape | None = None
    dtype: Dtype | None = None
    byte_order: ByteOrder | None = None


def told(source: Source) -> list[Hint]:
    """The hints of the name first, then those of side files. Hints can be wrong: they are only weighed."""
    found = [_read("Its name", Path(source.name).stem, shape.in_name(source.name))]
    found += [_read(f"“{name}”", text, _noted_shape(text)) for name, text in _notes(source)]
    return [hint for hint in found if hint.shape or hint.dtype or hint.byte_order]


def _read(by: str, text: str, lengths: Shape | None) -> Hint:
    text = text.replace("_", " ")
    return Hint(by, lengths, _dtype(text), _byte_order(text))


def _dtype(text: str) -> Dtype | None:
    match = _DTYPE.search(text)
    if match:
        kind, bits, _, letter, size = match.groups()
        found = f"{kind.lower()}{bits}" if kind else f"{_KINDS[letter.lower()]}{8 * int(size)}"
        return None if found == "float8" else found
    word = _WORD.search(text)
    return _WORDS[word[1].lower()] if word else None


def _byte_order(text: str) -> ByteOrder | None:
    signs = {match[3] for match in _DTYPE.finditer(text)}
    if ">" in signs or _BIG.search(text):
        return "big"
    return "little" if "<" in signs or _LITTLE.search(text) else None


def _noted_shape(text: str) -> Shape | None:
    match = _IN_A_NOTE.search(text)
    return shape.parsed("x".join(match.groups())) if match else None


def _notes(source: Source) -> list[tuple[str, str]]:
    """Names and texts of the side files: regular ones only, in the same folder, and short."""
    beside = [Path(source.name).with_suffix(suffix).name for suffix in SIDE_FILES]
    beside += [f"{source.name}{suffix}" for suffix in SIDE_FILES]
    return [(name, text) for name in beside if (text := _text(source, name))]


def _text(source: Source, name: str) -> str:
    path = source.path.with_name(name)
    try:
        usable = path.is_file() and not path.is_symlink() and path.stat().st_size <= LONGEST_NOTE
        return path.read_text() if usable and not path.samefile(source.path) else ""
    except (OSError, UnicodeDecodeError):
        return ""

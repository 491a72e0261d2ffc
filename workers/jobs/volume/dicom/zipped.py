"""The index of a zip archive: which entries it has, and where. What they hold is unpacked elsewhere.

Only what scanners, archives and people's computers write is read: stored and deflated entries.
"""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workers.jobs.volume.dicom.errors import Encrypted, TooMany
from workers.jobs.volume.dicom.streams import Window
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.source import Source

BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 65535
_INDEX_BYTES_AN_ENTRY = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive, by the archive's index: nothing of this is known to be true."""

    name: str
    at: int
    packed: int
    size: int
    checksum: int
    deflated: bool


def is_zip(path: Path) -> bool:
    """By the first bytes: what has others in front of the archive is not one for us."""
    with path.open("rb") as file:
        return file.read(4) in BEGINS


def entries(source: Source, most: int) -> list[Entry]:
    """All files in the archive, in its order. Raises TooMany, Encrypted or DamagedFile."""
    _refuse_large_index(source, most)
    try:
        with zipfile.ZipFile(source.path) as archive:
            found = [_entry(source, each) for each in archive.infolist() if not each.is_dir()]
    # Whatever zipfile raises on an index that makes no sense, the archive is no good.
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError, EOFError) as error:
        raise DamagedFile(source.name, f"its zip index makes no sense ({error})") from error
    if len(found) > most:
        raise TooMany(source.name, len(found), most)
    _refuse_overlaps(source, found)
    return found


def _entry(source: Source, info: zipfile.ZipInfo) -> Entry:
    if info.flag_bits & 0x1:
        raise Encrypted(source.name, info.filename[-80:])
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DamagedFile(source.name, f"{info.filename[-80:]} is packed by method {info.compress_type}; use deflate")
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    return Entry(info.filename, info.header_offset, info.compress_size, info.file_size, info.CRC, deflated)


def _refuse_large_index(source: Source, most: int) -> None:
    """zipfile reads the whole index into memory, so how long it says to be is looked at before."""
    count, size = _index(source)
    if count > most or size > most * _INDEX_BYTES_AN_ENTRY:
        raise TooMany(source.name, max(count, size // 46), most)


def _index(source: Source) -> tuple[int, int]:
    """How many entries the archive's end promises, and how many bytes of index; zipfile checks the rest."""
    with source.path.open("rb") as file:
        file.seek(max(0, source.size - _LONGEST_COMMENT - _END.size - _END_64.size - 20))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise DamagedFile(source.name, "its zip index is missing; it may be cut off")
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, at)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if wide >= 0 and len(tail) - wide >= _END_64.size:
        wide_count, wide_size = _END_64.unpack_from(tail, wide)[7:9]
        return max(wide_count, count if count != 0xFFFF else 0), max(wide_size, size if size != 0xFFFFFFFF else 0)
    return count, size


def _refuse_overlaps(source: Source, found: list[Entry]) -> None:
    if sum(each.packed for each in found) > source.size:
        raise DamagedFile(source.name, "entries of it overlap")


def opened(path: Path, entry: Entry) -> Window:
    """The packed bytes of an entry. Raises DamagedFile if no entry is there."""
    file = open(path, "rb", buffering=0)  # the window closes it
    try:
        return Window(file, _start(file, path.name, entry), entry.packed)
    except BaseException:
        file.close()
        raise


def _start(file: BinaryIO, name: str, entry: Entry) -> int:
    file.seek(max(0, entry.at))
    local = file.read(_LOCAL.size)
    if entry.at < 0 or len(local) < _LOCAL.size or local[:4] != b"PK\x03\x04":
        raise DamagedFile(name, f"{entry.name[-80:]} is not where its zip index says")
    return entry.at + _LOCAL.size + sum(_LOCAL.unpack(local)[-2:])

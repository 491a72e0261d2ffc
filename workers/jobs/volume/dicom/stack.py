"""The voxels of a series: one array, allocated once, filled slice by slice as the files are read.

Packed slices are unpacked by threads, as the codecs leave the interpreter alone meanwhile. Beside the array
only a few slices are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from os import cpu_count

import numpy as np

from workers.jobs.volume.dicom import encapsulated, pixels, streams
from workers.jobs.volume.dicom.frames import Frame
from workers.jobs.volume.dicom.layout import Layout
from workers.jobs.volume.dicom.streams import Stream
from workers.jobs.volume.errors import DamagedFile, TooLarge
from workers.jobs.volume.payload import LARGEST

Progress = Callable[[int, int], None]
"""Called with slices done, and slices in all; may raise, to end the work."""

Filling = Callable[[], None]
"""Fills one slice of the array."""

_INT16 = np.iinfo(np.int16)
MOST_THREADS = 4
PADDING = 64 * 1024


class _Overflow(Exception):
    """Raised when a value does not fit int16, which its header had not shown."""


@dataclass(frozen=True, eq=False)
class Slot:
    """A frame, the slice of the array that it fills, and by what its values are multiplied at the end."""

    frame: Frame
    at: int
    brought: float = 1.0

    @property
    def slope(self) -> float:
        return self.frame.slope * self.brought

    @property
    def intercept(self) -> float:
        return self.frame.intercept * self.brought


def read(frames: Sequence[Frame], brought: Sequence[float] | None, progress: Progress) -> np.ndarray:
    """(slice, row, column): int16 where every value is a whole number that fits, else float32.

    Raises TooLarge before memory is taken, DamagedFile, and whatever ``progress`` raises.
    """
    slots = [Slot(frame, at, 1.0 if brought is None else brought[at]) for at, frame in enumerate(frames)]
    try:
        return _filled(slots, np.dtype(np.int16 if all(map(_is_whole, slots)) else np.float32), progress)
    except _Overflow:
        return _filled(slots, np.dtype(np.float32), progress)


def _is_whole(slot: Slot) -> bool:
    stored = slot.frame.layout.dtype
    return slot.slope == 1 and slot.intercept.is_integer() and stored.kind in "iu" and stored.itemsize <= 2


def _filled(slots: list[Slot], dtype: np.dtype, progress: Progress) -> np.ndarray:
    first = slots[0].frame.layout
    shape = (len(slots), first.rows, first.columns)
    needed = len(slots) * first.rows * first.columns * dtype.itemsize
    if needed > LARGEST:
        raise TooLarge(slots[0].frame.member.name, needed, LARGEST)
    array = np.empty(shape, dtype)
    with closing(_fillings(slots, array)) as fillings:
        for done, _ in enumerate(fillings, start=1):
            progress(done, len(slots))
    return array


def _fillings(slots: list[Slot], array: np.ndarray) -> Iterator[None]:
    """Fills a slice for each time that it is asked: what is to be unpacked by threads, the rest at once."""
    workers = max(1, min(MOST_THREADS, cpu_count() or 1))
    pending: deque[Future] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for filling, is_work in _tasks(slots, array):
            if not is_work:
                yield filling()
                continue
            pending.append(pool.submit(filling))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _tasks(slots: list[Slot], array: np.ndarray) -> Iterator[tuple[Filling, bool]]:
    """One for each slice, and whether it is worth a thread. Of several slices in a file, the file is read here, in
    order, and only unpacking is left to do."""
    for of_file in _by_file(slots):
        frame = of_file[0].frame
        packed = frame.layout.codec is not None
        if len(of_file) == 1:
            deflated = frame.layout.element.deflated or (frame.member.entry is not None and frame.member.entry.deflated)
            yield partial(_whole_file, of_file, array), packed or deflated
        else:
            yield from ((filling, packed) for filling in _of_file(of_file, array))


def _whole_file(slots: list[Slot], array: np.ndarray) -> None:
    for filling in _of_file(slots, array):
        filling()


def _by_file(slots: list[Slot]) -> Iterator[list[Slot]]:
    groups: dict[tuple, list[Slot]] = {}
    for slot in slots:
        member = slot.frame.member
        groups.setdefault((member.path, member.entry and member.entry.at), []).append(slot)
    for group in groups.values():
        yield sorted(group, key=lambda slot: slot.frame.index)


def _of_file(slots: list[Slot], array: np.ndarray) -> Iterator[Filling]:
    frame = slots[0].frame
    with frame.layout.element.opened(frame.member) as stream:
        yield from (_native if frame.layout.codec is None else _packed)(stream, slots, array)
        if not frame.layout.element.deflated:
            streams.read_over(stream, PADDING)  # to the end of an archive's entry, where its checksum is compared


def _native(stream: Stream, slots: list[Slot], array: np.ndarray) -> Iterator[Filling]:
    """Straight into the array where a stored pixel is as wide as a voxel."""
    layout = slots[0].frame.layout
    scratch = None if layout.dtype.itemsize == array.dtype.itemsize else np.empty(array.shape[1:], layout.dtype)
    at = 0
    for slot in slots:
        stream.skip((slot.frame.index - at) * layout.frame_bytes)
        at = slot.frame.index + 1
        stored = array[slot.at].view(layout.dtype) if scratch is None else scratch

        def filling(slot: Slot = slot, stored: np.ndarray = stored) -> None:
            _read_native(stream, stored, slot.frame)
            _place(_to_native(stored, layout), slot, array)

        yield filling


def _read_native(stream: Stream, stored: np.ndarray, frame: Frame) -> None:
    view = memoryview(stored.reshape(-1).view(np.uint8))
    got = streams.fill(stream, view)
    if got < len(view):
        raise DamagedFile(frame.name, f"its pixels end after {got:,} of {len(view):,} bytes")


def _to_native(stored: np.ndarray, layout: Layout) -> np.ndarray:
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    return stored if layout.all_bits else pixels.numbers(stored, layout)


def _packed(stream: Stream, slots: list[Slot], array: np.ndarray) -> Iterator[Filling]:
    layout, name = slots[0].frame.layout, slots[0].frame.member.name
    wanted = {slot.frame.index: slot for slot in slots}
    found = 0
    for index, data in enumerate(encapsulated.frames(stream, layout.frames, layout.frame_bytes, name)):
        if index in wanted:
            found += 1
            yield _unpacking(data, wanted[index], array)
    if found < len(slots):
        raise DamagedFile(name, f"{found:,} packed frames are there, {len(slots):,} are promised")


def _unpacking(data: bytes, slot: Slot, array: np.ndarray) -> Filling:
    return lambda: _place(pixels.unpacked(data, slot.frame.layout, slot.frame.name), slot, array)


def _place(numbers: np.ndarray, slot: Slot, array: np.ndarray) -> None:
    """Numbers become values, in the array; ``numbers`` may be a view of the same slice."""
    target = array[slot.at]
    if array.dtype == np.int16:
        _place_whole(numbers, int(slot.intercept), slot.frame.layout, target)
    elif (slot.slope, slot.intercept) == (1.0, 0.0):
        target[...] = numbers
    else:
        values = np.multiply(numbers, slot.slope, dtype=np.float64)
        values += slot.intercept
        with np.errstate(over="ignore"):
            target[...] = values


def _place_whole(numbers: np.ndarray, intercept: int, layout: Layout, target: np.ndarray) -> None:
    if not _fits(_possible(numbers.dtype, layout.stored), intercept):
        if not _fits((int(numbers.min()), int(numbers.max())), intercept):
            raise _Overflow
    numbers = numbers.view(np.int16) if numbers.dtype.itemsize == 2 else numbers
    # Sums wrap around as the bits do: what fits comes out right.
    np.add(numbers, _wrapped(intercept), out=target, casting="unsafe")


def _possible(dtype: np.dtype, bits: int) -> tuple[int, int]:
    return (0, 2**bits - 1) if dtype.kind == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _fits(span: tuple[int, int], intercept: int) -> bool:
    return _INT16.min <= span[0] + intercept and span[1] + intercept <= _INT16.max


def _wrapped(intercept: int) -> np.int16:
    return np.array(intercept & 0xFFFF, np.uint16).view(np.int16)[()]

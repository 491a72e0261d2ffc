"""How files come to where volumes are kept: written there, or written on this disk and sent to an address."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.files import remove_old_parts
from ledger.settings import settings
from ledger.volume_address import Address

Sending = Callable[[int, int], None]
"""Called with the number of the next file and files in all; what it raises ends the sending and leaves nothing."""


@contextmanager
def of(place: Path | Address, last: str, sending: Sending = lambda number, total: None) -> Iterator[Path]:
    """A folder to make and to write to. Of what is sent, the file ``last`` arrives after all others."""
    if isinstance(place, Path):
        yield place
        return
    here = settings().volumes
    here.mkdir(parents=True, exist_ok=True)
    remove_old_parts(here)  # on this host there may be no scheduler that does
    with tempfile.TemporaryDirectory(".part", f".{place.name}.", here, ignore_cleanup_errors=True) as folder:
        yield Path(folder, place.name)
        place.put(Path(folder, place.name), last, sending)


def clear(place: Path | Address) -> None:
    if isinstance(place, Path):
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.remove()

"""Files that belong to runs the ledger has forgotten: deleted after that is committed, never before.

Nothing outside the two folders is touched, whatever a path in the ledger says. A file that cannot be deleted is
logged and left.
"""

import logging
import os
import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, Select, select

from ledger import clock
from ledger.engine import reading
from ledger.ids import is_id, made_at
from ledger.settings import Settings
from ledger.states import ACTIVE
from ledger.tables import photos, runs, schedules, volumes
from ledger.uploads import PREFIX
from ledger.volume_address import Address, VolumesAway
from ledger.volume_files import MEASUREMENTS

log = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600
FOLDERS_AT_ONCE = 200
_REFERENCE = re.compile(re.escape(PREFIX) + r"([0-9a-f-]{36})")


def remove_artifacts(folder: Path, paths: Iterable[str]) -> None:
    """Deletes the files at ``paths``, relative to ``folder``, and what folders that leaves empty."""
    root = folder.resolve()
    for path in paths:
        file = (root / path).resolve()
        if root in file.parents:
            _remove(file)
            _remove_empty(file.parent, root)
        else:
            log.error("Artifact %r lies outside %s: left alone.", path, root)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("An artifact of a pruned run stays: %s", error)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone already
            return
        folder = folder.parent


def remove_old_uploads(engine: Engine, settings: Settings) -> None:
    """Deletes upload folders that nobody touched for longer than the retention and a day, unless a run or a
    schedule still names them: those count as touched now. Raises LedgerAway.
    """
    old = _untouched_since(settings.uploads, time.time() - (settings.retention_days + 1) * DAY_SECONDS)
    if not old:
        return
    with reading(engine) as connection:
        named = _named_uploads(connection)
    for folder in old:
        if folder.name in named:
            os.utime(folder)
        else:
            shutil.rmtree(folder, onerror=_log_rest)


def remove_volume(place: Path | Address, volume_id: str) -> None:
    """Deletes the folder of a volume that the ledger has forgotten: under another name, so that what a measurement
    writes meanwhile finds no place, and leaves nothing. At an address, where nothing can be renamed, that clears up."""
    if not is_id(volume_id):
        return
    _remove_all(_put_aside(place, volume_id) if isinstance(place, Path) else place / volume_id)


def _put_aside(folder: Path, volume_id: str) -> Path:
    gone = folder / f".{volume_id}.gone.part"
    try:
        return (folder / volume_id).rename(gone)
    except OSError:  # it is not there, or an earlier one lies there half deleted
        return folder / volume_id


def remove_measurement(place: Path | Address, volume_id: str, measurement_id: str) -> None:
    """Deletes the region of a measurement that the ledger has forgotten."""
    if is_id(volume_id) and is_id(measurement_id):
        _remove_all(place / volume_id / MEASUREMENTS / measurement_id)


def _remove_all(place: Path | Address) -> None:
    if isinstance(place, Path):
        shutil.rmtree(place, onerror=_log_rest)
        return
    try:
        place.remove()
    except VolumesAway as error:
        log.warning("What was to be deleted stays: %s", error)


def remove_photo(folder: Path, photo_id: str) -> None:
    """Deletes the folder of a photo that the ledger has forgotten."""
    if is_id(photo_id):
        shutil.rmtree(folder / photo_id, onerror=_log_rest)


def remove_strange_volumes(engine: Engine, settings: Settings) -> None:
    """Deletes volume folders that nobody touched for a day and the ledger does not know: their runs came to no end,
    or their deletion was cut short. Raises LedgerAway."""
    _remove_strange(engine, settings.volumes, select(volumes.c.id), volumes.c.id)
    if isinstance(place := settings.volume_place, Address):
        _remove_strange_at(engine, place)


def _remove_strange_at(engine: Engine, place: Address) -> None:
    """Storage does not tell of a folder when it was touched: here the ledger says whether its run may still write."""
    before = clock.now() - DAY_SECONDS * clock.SECOND
    try:
        old = [name for name in place.listed() if (made := made_at(name)) is not None and made < before]
    except VolumesAway as error:
        log.warning("Volumes that nobody knows are not looked for: %s", error)
        return
    for some in (old[at : at + FOLDERS_AT_ONCE] for at in range(0, len(old), FOLDERS_AT_ONCE)):
        with reading(engine) as connection:
            strange = set(some) - _expected(connection, some)
        for name in strange:
            remove_volume(place, name)


def _expected(connection: Connection, ids: list[str]) -> set[str]:
    """Those of kept volumes, and of runs that have not come to their end."""
    kept = connection.scalars(select(volumes.c.id).where(volumes.c.id.in_(ids)))
    going_on = select(runs.c.id).where(runs.c.id.in_(ids), runs.c.state.in_(sorted(ACTIVE)))
    return {*kept, *connection.scalars(going_on)}


def remove_strange_photos(engine: Engine, settings: Settings) -> None:
    """Likewise the folders of photos. Raises LedgerAway."""
    kept = select(photos.c.id).where(photos.c.deleted_at.is_(None))
    _remove_strange(engine, settings.photos, kept, photos.c.id)


def _remove_strange(engine: Engine, place: Path, kept: Select, key: ColumnElement) -> None:
    old = _untouched_since(place, time.time() - DAY_SECONDS)
    if old:
        with reading(engine) as connection:
            known = set(connection.scalars(kept.where(key.in_([each.name for each in old]))))
        for folder in old:
            if folder.name in known:
                os.utime(folder)
            else:
                shutil.rmtree(folder, onerror=_log_rest)
    remove_old_parts(place)


def remove_old_parts(place: Path) -> None:
    """Deletes the hidden folders of workers that were killed."""
    for part in place.glob(".*.part"):
        if part.stat().st_mtime < time.time() - DAY_SECONDS:
            shutil.rmtree(part, onerror=_log_rest)


def _untouched_since(uploads: Path, before: float) -> list[Path]:
    """Also the hidden folders in which something was being written when its process was killed."""
    if not uploads.is_dir():
        return []
    with os.scandir(uploads) as entries:
        named = (entry for entry in entries if is_id(entry.name.removeprefix(".")))
        found = (entry for entry in named if entry.is_dir(follow_symlinks=False))
        return [Path(entry.path) for entry in found if entry.stat().st_mtime < before][:FOLDERS_AT_ONCE]


def _named_uploads(connection: Connection) -> set[str]:
    named: set[str] = set()
    for column in (schedules.c.args, runs.c.args):
        for text in connection.scalars(select(column).where(column.contains(PREFIX))):
            named.update(_REFERENCE.findall(text))
    return named


def remove_uploads_of(engine: Engine, settings: Settings, run_id: str) -> None:
    """Deletes what was uploaded for this run alone. Raises LedgerAway."""
    with reading(engine) as connection:
        args = connection.scalar(select(runs.c.args).where(runs.c.id == run_id))
        named = filter(is_id, set(_REFERENCE.findall(args or "")))
        alone = [each for each in named if not _is_named_elsewhere(connection, each, run_id)]
    for upload_id in alone:
        shutil.rmtree(settings.uploads / upload_id, onerror=_log_rest)


def _is_named_elsewhere(connection: Connection, upload_id: str, run_id: str) -> bool:
    """Runs are younger than their uploads, and so are their ids."""
    by_runs = select(runs.c.id).where(runs.c.id > upload_id, runs.c.id != run_id, runs.c.args.contains(upload_id))
    by_schedules = select(schedules.c.id).where(schedules.c.args.contains(upload_id))
    return any(connection.scalar(named.limit(1)) is not None for named in (by_runs, by_schedules))


def _log_rest(_function, path, error) -> None:
    log.warning("What was to be deleted stays: %s: %s", path, error[1])

"""Volumes kept at an address instead of a folder: served alike, there whole or not at all, deleted, swept; and whoever
reads messages or settings learns no secret."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from ledger import files, volume_address
from ledger.ids import new_id
from ledger.settings import SettingsError, load, settings
from ledger.volume_address import Address, VolumesAway
from ledger.volume_files import LABELS, MASK, MEASUREMENTS, MIP, PREVIEW, SIDECAR, THUMBNAIL, chunk_name
from tests import stored_volumes, volume_storage
from tests.ledger_steps import dispatch
from tests.ledgers import prepare
from tests.stored_volumes import CT_ID, PET_ID
from tests.test_volume_jobs import Notebook, run  # noqa: F401
from tests.test_volume_jobs import files as _files  # noqa: F401
from tests.volume_site import with_both  # noqa: F401
from tests.web_steps import Site, text
from workers import context
from workers.context import Canceled
from workers.jobs.measurements import measure
from workers.jobs.volume import stored
from workers.jobs.volumes import ingest, make_phantom

STORAGES = {"mounted": volume_storage.mounted, "ftp": volume_storage.ftp}
PARTS = [SIDECAR, PREVIEW, MIP, THUMBNAIL, chunk_name(0), chunk_name(4)]
ALIKE = ("Content-Type", "Content-Length", "Content-Encoding", "Content-Range", "Accept-Ranges")


@pytest.fixture(scope="module", params=STORAGES)
def afar(request, tmp_path_factory, site: Site) -> Iterator[Site]:
    """A site that has the same volumes as ``site``, at an address."""
    place = tmp_path_factory.mktemp("storage")
    shutil.copytree(site.settings.volumes, place / "kept")
    with STORAGES[request.param](place) as address:
        made = Site(tmp_path_factory.mktemp("afar") / "var", waybill_volumes=address)
        prepare(made.engine)
        stored_volumes.note_all(made.engine, place / "kept")
        yield made
        made.close()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("asked", [{}, *({"Range": f"bytes={these}"} for these in ("100-199", "-50", "99999999-"))])
def test_a_part_is_served_as_from_a_folder(site: Site, afar: Site, part: str, asked: dict):
    path = f"/volumes/{CT_ID}/data/{part}"
    wanted, found = (each.client.get(path, headers=asked) for each in (site, afar))
    assert found.status_code == wanted.status_code and found.status_code in (200, 206, 416)
    assert [found.headers.get(name) for name in ALIKE] == [wanted.headers.get(name) for name in ALIKE]
    assert found.data == wanted.data or found.status_code == 416
    assert found.status_code == 416 or set(found.cache_control) == {"private", "immutable", "max-age"}


def test_what_is_known_is_not_sent_again(afar: Site):
    tags = {}
    for volume_id in (CT_ID, PET_ID):
        path = f"/volumes/{volume_id}/data/{PREVIEW}"
        tags[volume_id] = tag = afar.client.get(path).headers["ETag"]
        again = afar.client.get(path, headers={"If-None-Match": tag})
        assert tag.startswith('"') and (again.status_code, again.data) == (304, b"")
        part = {"Range": "bytes=0-9", "If-Range": tag}
        assert afar.client.get(path, headers=part).status_code == 206
        assert afar.client.get(path, headers=part | {"If-Range": '"another"'}).status_code == 200
    assert tags[CT_ID] != tags[PET_ID]


def test_what_is_not_there_is_not_found(afar: Site):
    for path in (f"{CT_ID}/data/full/0005.gz", f"{CT_ID}/data/../x", f"{new_id()}/data/{SIDECAR}"):
        assert afar.client.get(f"/volumes/{path}").status_code == 404


@pytest.mark.parametrize("plane", ["axial/50", "coronal/7", "sagittal/3"])
def test_planes_are_drawn_from_there(site: Site, afar: Site, plane: str):
    path = f"/volumes/{CT_ID}/planes/{plane}.png"
    assert afar.client.get(path).data == site.client.get(path).data


def test_a_connection_that_was_closed_meanwhile_is_made_anew(tmp_path: Path):
    with volume_storage.ftp(tmp_path) as address:
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "a").write_bytes(b"text")
        place = volume_address.parsed(address) / "a"
        assert place.read_bytes() == b"text"
        volume_address._mine.__dict__[place._key].ftp.sock.close()
        assert place.read_bytes() == b"text"


# Through the jobs


@pytest.fixture(params=STORAGES)
def address(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder behind the address where the jobs of this test keep their volumes."""
    with STORAGES[request.param](tmp_path / "storage") as address:
        monkeypatch.setenv("WAYBILL_VOLUMES", address)
        settings.cache_clear()
        yield tmp_path / "storage" / "kept"


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def kept_phantom(run: Notebook) -> dict:  # noqa: F811
    make_phantom(shape="20x24x30", dtype="int16")
    ingest(path="phantom.mpv", shape="20x24x30", dtype="int16")
    return run.volumes[run.run_id]


def test_a_volume_is_kept_measured_and_deleted(run, address: Path):  # noqa: F811
    run.run_id = new_id()
    said = kept_phantom(run)
    place, here = context.volumes_dir(), settings().volumes
    assert isinstance(place, Address) and list(here.iterdir()) == []
    assert {SIDECAR, PREVIEW, chunk_name(1)} < set(below(address / said["id"]))
    assert run.notes[-1][2].startswith("sending, file ")
    voxels = stored.voxels_in(place / said["id"], said)
    assert voxels.tobytes() == np.fromfile(context.files_dir() / "phantom.mpv", "<i2").tobytes()
    assert stored.sidecar_in(place / said["id"]) == said
    volume_id, run.run_id = run.run_id, new_id()
    measure(volume_id)
    assert below(address / volume_id / MEASUREMENTS / run.run_id) == [LABELS, MASK]
    files.remove_measurement(place, volume_id, run.run_id)
    files.remove_volume(place, volume_id)
    assert below(address) == [] and place.listed() == []


def test_the_sidecar_arrives_last_and_a_canceled_run_leaves_nothing(run, address: Path, monkeypatch):  # noqa: F811
    seen = []

    def stopped(done: int, total: int | None = None, note: str = "") -> None:
        if note == "sending, file 6 of 6":
            seen.extend(below(address / run.run_id))
            raise Canceled

    monkeypatch.setattr(context, "progress", stopped)
    with pytest.raises(Canceled):
        kept_phantom(run)
    assert len(seen) == 5 and SIDECAR not in seen
    assert run.volumes == {} and below(address) == [] and list(settings().volumes.iterdir()) == []


def test_a_second_attempt_takes_the_place_of_what_the_first_has_left(run, address: Path):  # noqa: F811
    left = address / run.run_id / "full" / "0099.gz"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    kept_phantom(run)
    assert run.run_id in run.volumes and not left.exists()


def test_a_measured_volume_that_is_gone_is_said(run, address: Path):  # noqa: F811
    volume_id = kept_phantom(run)["id"]
    shutil.rmtree(address / volume_id)
    with pytest.raises(stored.VolumeGone):
        measure(volume_id)


def test_a_storage_that_is_away_is_said_without_its_secrets(run, tmp_path, monkeypatch, caplog):  # noqa: F811
    monkeypatch.setenv("WAYBILL_VOLUMES", "ftp://ana:sesame1@127.0.0.1:1/kept?acct=sesame2")
    settings.cache_clear()
    with pytest.raises(VolumesAway) as away:
        kept_phantom(run)
    said = f"{away.value} {away.value!r} {context.volumes_dir()!r} {settings()!r} {caplog.text}"
    assert "ConnectionRefusedError" in said and "sesame" not in said
    assert away.value.__suppress_context__ and not settings().volumes.exists()


def test_what_a_server_says_is_told_without_the_secrets_in_it():
    place = volume_address.parsed("ftp://ana:se%20same@host/kept")
    assert place._told(OSError("no ana/se same or se%20same here\nat all")) == "OSError: no ana/*** or *** here"


def test_a_storage_that_goes_away_in_the_middle_leaves_the_first_reason(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"text")

    def stopped(done: int, total: int) -> None:
        raise Canceled

    with volume_storage.ftp(tmp_path / "storage") as address:
        gone = volume_address.parsed(address) / "kept"
        with pytest.raises(Canceled):
            gone.put(tmp_path, "a", stopped)
        assert below(tmp_path / "storage") == []
    with pytest.raises(VolumesAway):
        gone.put(tmp_path, "a", stopped)


# Pages


def test_a_site_whose_storage_is_away_says_so(site: Site, tmp_path: Path):
    made = Site(tmp_path / "var", waybill_volumes="ftp://ana:sesame@127.0.0.1:1/kept")
    prepare(made.engine)
    stored_volumes.note_all(made.engine, site.settings.volumes)
    page = made.page(f"/volumes/{CT_ID}/data/{SIDECAR}", 503)
    assert "The storage of volumes is away" in text(page.main) and "sesame" not in str(page)
    made.page(f"/volumes/{CT_ID}")
    assert made.press(made.page(f"/volumes/{CT_ID}/deletion"), "Delete this volume").status_code == 303
    assert "sesame" not in str(made.page("/settings"))
    made.close()


# The sweep


def old_id() -> str:
    """As of a run that was made two days ago."""
    now = UUID(new_id()).int
    return str(UUID(int=now - (2 * 24 * 3600 * 1000 << 80)))


def test_what_no_volume_and_no_run_has_goes_after_a_day(site: Site, tmp_path: Path):
    prepare(site.engine)
    strange, running, fresh = old_id(), old_id(), new_id()
    dispatch(site.engine, id=running)
    with volume_storage.mounted(tmp_path) as address:
        chosen = load(waybill_var=tmp_path / "var", waybill_volumes=address, _env_file=None)
        for name in (strange, running, fresh, CT_ID, "of somebody else"):
            (tmp_path / "kept" / name).mkdir(parents=True)
            (tmp_path / "kept" / name / SIDECAR).write_text("{}")
        files.remove_strange_volumes(site.engine, chosen)
        assert {each.name for each in (tmp_path / "kept").iterdir()} == {running, fresh, CT_ID, "of somebody else"}


def test_a_sweep_that_finds_no_storage_goes_on(site: Site, tmp_path: Path, caplog):
    chosen = load(waybill_var=tmp_path, waybill_volumes="ftp://ana:sesame@127.0.0.1:1/kept", _env_file=None)
    files.remove_strange_volumes(site.engine, chosen)
    assert "not looked for" in caplog.text and "sesame" not in caplog.text


# Settings


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/srv/volumes", "is not an address"),
        ("ftp://[x", "is not an address"),
        ("memory://volumes", "no other process sees"),
        ("nowhere://sesame", "begins with nowhere://, which fsspec does not know"),
        ("smb://ana:sesame@host/volumes", "needs a package that is not installed here: SMB requires"),
    ],
)
def test_an_address_that_cannot_work_is_refused_at_boot(address: str, said: str):
    with pytest.raises(SettingsError) as refused:
        load(waybill_volumes=address, _env_file=None)
    [fault] = refused.value.faults
    assert fault.startswith("WAYBILL_VOLUMES ") and said in fault and "sesame" not in fault


def test_parameters_and_what_stands_before_the_at_are_options():
    found = volume_address.parsed("ftp://ana:a%2Fb@host:2121/kept?timeout=3&acct=x")
    assert found.root == "ftp://host:2121/kept"
    assert found.options == {"username": "ana", "password": "a/b", "timeout": "3", "acct": "x"}


def test_a_folder_needs_no_library_of_addresses():
    assert load(_env_file=None).volume_place == load(_env_file=None).volumes

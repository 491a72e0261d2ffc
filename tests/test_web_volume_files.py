"""A kept volume over HTTP: its parts as they lie on disk, planes drawn by the site, and the page around them."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ledger.volume_files import MIP, PREVIEW, SIDECAR, chunk_name
from tests import stored_volumes
from tests.processes import ROOT
from tests.stored_volumes import CT_ID, PET_ID
from tests.volume_site import with_both  # noqa: F401
from tests.web_steps import Site, text

SCRIPTS = ROOT / "web" / "static" / "volume"


@pytest.fixture(scope="module")
def kept(site: Site) -> Path:
    return site.settings.var / "volumes"


@contextmanager
def another(site: Site, **changes) -> Iterator[str]:
    """The id of a volume like the PET, of which another sidecar says ``changes``."""
    folder = site.settings.volumes / f"{PET_ID[:-2]}aa"
    folder.mkdir()
    (folder / SIDECAR).write_text(json.dumps(sidecar(folder.parent, PET_ID) | changes))
    stored_volumes.note(site.engine, folder)
    yield folder.name
    stored_volumes.forget(site.engine, folder.name)
    shutil.rmtree(folder)


def sidecar(folder: Path, volume_id: str = CT_ID) -> dict:
    return json.loads((folder / volume_id / SIDECAR).read_text())


# Parts


@pytest.mark.parametrize("part", [PREVIEW, MIP, chunk_name(0), chunk_name(4)])
def test_a_part_is_served_packed_as_it_lies_on_disk(site: Site, kept: Path, part: str):
    response = site.client.get(f"/volumes/{CT_ID}/data/{part}")
    assert response.status_code == 200
    assert response.data == (kept / CT_ID / part).read_bytes()
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Type"] == "application/octet-stream"


def test_the_sidecar_is_served_as_json(site: Site, kept: Path):
    response = site.client.get(f"/volumes/{CT_ID}/data/{SIDECAR}")
    assert response.get_json() == sidecar(kept)
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("part", [SIDECAR, PREVIEW, chunk_name(1)])
def test_browsers_keep_a_part_for_good_and_for_this_person_alone(site: Site, part: str):
    caching = site.client.get(f"/volumes/{CT_ID}/data/{part}").cache_control
    assert (caching.private, caching.immutable, caching.max_age) == (True, True, 365 * 24 * 3600)
    assert not caching.public and not caching.no_cache


@pytest.mark.parametrize("part", [SIDECAR, PREVIEW, chunk_name(1)])
def test_what_is_known_is_not_sent_again(site: Site, part: str):
    tag = site.client.get(f"/volumes/{CT_ID}/data/{part}").headers["ETag"]
    assert tag.startswith('"'), "a strong one"
    again = site.client.get(f"/volumes/{CT_ID}/data/{part}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    other = site.client.get(f"/volumes/{PET_ID}/data/{part}", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_ranges_count_the_packed_bytes(site: Site, kept: Path):
    whole = (kept / CT_ID / PREVIEW).read_bytes()
    part = site.client.get(f"/volumes/{CT_ID}/data/{PREVIEW}", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    tag = part.headers["ETag"]
    same = {"Range": "bytes=0-9", "If-Range": tag}
    assert site.client.get(f"/volumes/{CT_ID}/data/{PREVIEW}", headers=same).status_code == 206
    beyond = site.client.get(f"/volumes/{CT_ID}/data/{PREVIEW}", headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize(
    "part",
    ["", "full", "full/0005.gz", "full/5.gz", "full/00000.gz", "full/０００0.gz", "../secret_key", "%2e%2e/ledger.db",
     "full/../volume.json", "etc/passwd", "volume.json/", "preview", "MIP.GZ", "%00", "full/-001.gz"],
)  # fmt: skip
def test_nothing_else_is_ever_opened(site: Site, part: str):
    assert site.client.get(f"/volumes/{CT_ID}/data/{part}").status_code == 404


@pytest.mark.parametrize("volume_id", ["x", "..", "%2e%2e", "01900000-0000-7000-8000-000000000000", CT_ID.upper()])
def test_a_volume_that_is_not_there(site: Site, volume_id: str):
    for path in (f"/volumes/{volume_id}/data/{SIDECAR}", f"/volumes/{volume_id}/planes/axial/0.png"):
        assert site.client.get(path).status_code == 404


def test_the_page_of_a_volume_that_is_not_there_says_so(site: Site):
    page = site.page("/volumes/01900000-0000-7000-8000-000000000000", 404)
    assert "No such volume" in text(page.main)


# Planes


def voxels(folder: Path, volume_id: str = CT_ID) -> np.ndarray:
    told = sidecar(folder, volume_id)
    x, y, _ = told["shape_xyz"]
    parts = [gzip.decompress(each.read_bytes()) for each in sorted((folder / volume_id / "full").iterdir())]
    return np.frombuffer(b"".join(parts), np.dtype(told["dtype"]).newbyteorder("<")).reshape(-1, y, x)


def drawn(site: Site, plane: str, index: int, volume_id: str = CT_ID, **window: float) -> np.ndarray:
    response = site.client.get(f"/volumes/{volume_id}/planes/{plane}/{index}.png", query_string=window)
    assert (response.status_code, response.mimetype) == (200, "image/png")
    return np.asarray(Image.open(BytesIO(response.data)))


@pytest.mark.parametrize(
    ("plane", "index", "cut"),
    [
        ("axial", 50, lambda array: array[50]),
        ("coronal", 20, lambda array: array[::-1, 20]),
        ("sagittal", 40, lambda array: array[::-1, :, 40]),
    ],
)
def test_a_plane_is_that_slice_in_that_window_at_the_proportions_of_the_body(site: Site, kept: Path, plane, index, cut):
    pixels = cut(voxels(kept))
    grey = np.rint(np.clip((pixels - -200.0) / 800.0, 0, 1) * 255).astype(np.uint8)
    found = drawn(site, plane, index, low=-200, high=600)
    height, width = (604.0, 604.0) if plane == "axial" else (935.0, 604.0)
    assert abs(found.shape[0] / found.shape[1] - height / width) < 0.01
    size = found.shape[::-1]
    assert np.array_equal(found, np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)))


def test_without_a_window_a_plane_has_the_first_preset_and_pet_is_black_on_white(site: Site):
    assert np.array_equal(drawn(site, "axial", 37), drawn(site, "axial", 37, low=-160, high=240))
    high = 5 / stored_volumes.FACTOR
    pet = drawn(site, "axial", 25, PET_ID)
    assert np.array_equal(pet, drawn(site, "axial", 25, PET_ID, low=0, high=high))
    assert pet[0, 0] > 200, "air is white"


@pytest.mark.parametrize("path", ["axial/74.png", "coronal/60.png", "sagittal/64.png", "oblique/0.png", "axial/-1.png"])
def test_a_slice_that_is_not_there(site: Site, path: str):
    assert site.client.get(f"/volumes/{CT_ID}/planes/{path}").status_code == 404


@pytest.mark.parametrize("window", ["low=nan&high=1", "low=1", "low=x&high=y", "low=inf&high=1", "low=5&high=5"])
def test_a_window_that_is_none_still_gives_a_picture(site: Site, window: str):
    assert site.client.get(f"/volumes/{CT_ID}/planes/axial/0.png?{window}").status_code == 200


# Scripts


def test_browsers_keep_scripts_for_good_at_the_address_of_their_version(site: Site):
    (page,) = (each["src"] for each in site.page(f"/volumes/{CT_ID}").select("script[src$='/page.js']"))
    response = site.client.get(page)
    assert (response.status_code, response.mimetype) == (200, "text/javascript")
    assert response.data == (SCRIPTS / "page.js").read_bytes()
    assert response.cache_control.immutable and response.cache_control.max_age == 365 * 24 * 3600


def test_a_page_that_is_older_than_the_site_still_gets_scripts_but_keeps_none(site: Site):
    response = site.client.get("/volumes/scripts/000000000000/page.js")
    assert response.status_code == 200 and "no-store" in response.headers["Cache-Control"]
    for name in ("nothing.js", "palettes.json", "../app.js"):
        assert site.client.get(f"/volumes/scripts/000000000000/{name}").status_code == 404


def test_whatever_the_pages_scripts_import_is_fetched_with_the_page(site: Site):
    page = site.page(f"/volumes/{CT_ID}")
    fetched = {each["href"] for each in page.select("link[rel=modulepreload]")}
    wanted, seen = [each["src"] for each in page.select("script[type=module]")], set()
    while wanted:
        address = wanted.pop()
        seen.add(address)
        imported = re.findall(r'^import .* from "\./(\w+\.js)";$', site.client.get(address).text, re.MULTILINE)
        wanted += [there for name in imported if (there := address.rpartition("/")[0] + "/" + name) not in seen]
    assert seen - {each["src"] for each in page.select("script[type=module]")} == fetched


# The page


def test_the_page_says_what_is_known(site: Site):
    page = site.page(f"/volumes/{CT_ID}?over={PET_ID}")
    assert page.title.get_text() == "phantom_pet over phantom_ct · Waybill"
    assert len(page.select("h1")) == len(page.select("main")) == 1
    known = text(page.select_one(".about"))
    for fact in ("phantom-1", "phantom CT", "2010-01-02 11:00:00", "64 × 60 × 74 int16", "dose_bq 368 080 000"):
        assert fact in known.replace("\u2009×\u2009", " × ").replace("\u202f", " ")
    assert "The scan began an hour after the injection." in known
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))


def test_what_scripts_are_told_is_in_the_page(site: Site, kept: Path):
    viewer = site.page(f"/volumes/{CT_ID}?over={PET_ID}").select_one("#viewer")
    base, over = json.loads(viewer["data-layers"])
    assert (base["id"], over["id"]) == (CT_ID, PET_ID)
    assert base["affine"] == sidecar(kept)["affine"] and over["suv"]["factor"] == stored_volumes.FACTOR
    assert over["data"] == f"/volumes/{PET_ID}/data/" and "patient_name" not in over
    assert json.loads(viewer["data-words"])["axial"] == "Axial"


def test_other_volumes_are_offered_to_be_laid_over(site: Site):
    page = site.page(f"/volumes/{CT_ID}")
    assert [each["value"] for each in page.select("select[name=over] option")] == [PET_ID]
    assert "phantom_pet · PT" in text(page.select_one("select[name=over]"))
    assert site.page(f"/volumes/{CT_ID}?over={CT_ID}").title.get_text() == "phantom_ct · Waybill"


def test_without_script_there_are_three_planes_with_links(site: Site):
    page = site.page(f"/volumes/{CT_ID}?x=3&y=59&z=40&window=0,80")
    stills = page.select(".stills figure")
    assert [text(each.b) for each in stills] == ["Axial", "Coronal", "Sagittal"]
    assert stills[0].img["src"] == f"/volumes/{CT_ID}/planes/axial/40.png?low=0&high=80"
    steps = {text(link): link["href"] for link in stills[0].select("a")}
    assert list(steps) == ["−10", "−1", "+1", "+10"]
    assert steps["+10"] == f"/volumes/{CT_ID}?x=3&y=59&z=50&window=0,80"
    assert [text(link) for link in stills[1].select("a")] == ["−10", "−1"], "the last slice has none after it"
    assert text(page.select_one(".presets [aria-current]")) == "Brain"
    for picture in page.select(".stills img"):
        assert site.client.get(picture["src"]).status_code == 200


@pytest.mark.parametrize("query", ["x=-1&y=a&z=99999999999", "x=&y=&z=", "window=1", "window=a,b", "over=x", "x=²"])
def test_an_address_that_makes_no_sense_still_gives_the_page(site: Site, query: str):
    site.page(f"/volumes/{CT_ID}?{query}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame_of_reference_uid": "9.9"}, "different frames of reference"),
        ({"affine_known": False}, "not known where the two lay"),
        ({"affine": [[14, 0, 0, 9e3], [0, 15, 0, 0], [0, 0, 19, 0], [0, 0, 0, 1]]}, "The two do not meet"),
        ({"warnings": ["A slice is missing."]}, "phantom_pet: A slice is missing."),
        ({}, ""),
    ],
)
def test_what_one_should_know_before_one_believes_the_picture(site: Site, kept: Path, changes: dict, words: str):
    with another(site, **changes) as over:
        page = site.page(f"/volumes/{CT_ID}?over={over}")
    said = [text(each) for each in page.select(".alert")]
    assert [words in each for each in said] == ([True] if words else [])


def test_no_suv_is_said_with_its_reason(site: Site, kept: Path):
    with another(site, suv={"not_suv": "The weight is unknown.", "missing": ["PatientWeight"]}) as volume_id:
        page = site.page(f"/volumes/{volume_id}")
    assert "The weight is unknown. Missing: PatientWeight." in text(page.select_one(".panels"))
    assert "SUVbw" not in text(page.main)

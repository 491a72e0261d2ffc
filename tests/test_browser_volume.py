"""The page of a volume in Chromium: its pixels are those that numpy makes, and each gesture, key and field does the
same to them."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ledger.volume_files import MIP_FRAMES, SIDECAR
from tests import stored_volumes
from tests.chromium import CHROMIUM, complaints, launched, serving  # noqa: F401
from tests.dicoms import shared
from tests.ledgers import prepare
from tests.processes import ROOT
from tests.stored_volumes import CT_ID, FACTOR, PET_ID
from tests.volume_oracle import cut, furthest, levels, mixed, sampled, turned
from tests.web_steps import Site
from workers.jobs.volume import store
from workers.jobs.volume.dicom import load

LEANING_ID, LATER_ID = f"{PET_ID[:-2]}f1", f"{PET_ID[:-2]}f2"
BOTH = f"/volumes/{CT_ID}?over={PET_ID}"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PLACE, CUTS = "x=40&y=22&z=50", {"axial": 50, "coronal": 22, "sagittal": 40}
VIEWER = "document.getElementById('viewer').viewer"
OTHER = "document.getElementById('viewer-2').viewer"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a CT, a PET, and the PET once more, turned by 10 degrees."""
    site = Site(tmp_path_factory.mktemp("site") / "var")
    volumes = site.settings.var / "volumes"
    stored_volumes.keep_both(volumes)
    pet = stored_volumes.pet()
    store.write(replace(pet, affine=turned(pet.affine, 10)), volumes / LEANING_ID, LEANING_ID, "leaning_pet")
    prepare(site.engine)
    stored_volumes.note_all(site.engine, volumes)
    with serving(site):
        yield site


@pytest.fixture(scope="module")
def context(browser: Browser, served: Site) -> Iterator[BrowserContext]:  # noqa: F811
    """One cache for all pages: parts of volumes are fetched once."""
    made = browser.new_context(base_url=served.address, viewport=WIDE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Nothing may be said on its console."""
    opened = context.new_page()
    said = complaints(opened)
    yield opened
    opened.close()
    assert said == []


@contextmanager
def visiting(browser: Browser, served: Site, **how) -> Iterator[Page]:  # noqa: F811
    """A page in a browser of its own."""
    context = browser.new_context(base_url=served.address, **({"viewport": WIDE} | how))
    page = context.new_page()
    said = complaints(page)
    yield page
    context.close()
    in_vain = "preloaded" if how.get("java_script_enabled") is False else None  # after seconds, where no script asks
    assert [each for each in said if not in_vain or in_vain not in each] == []


def shown(page: Page, address: str) -> Page:
    """When all has come."""
    page.goto(address)
    expect(page.locator("[data-progress]")).to_have_text("Full resolution")
    settle(page)
    return page


def settle(page: Page) -> None:
    """Until what was asked for is drawn."""
    page.evaluate(
        "() => new Promise((done) => { const { viewer } = document.getElementById('viewer');"
        " const wait = () => (viewer.asked ? setTimeout(wait, 5) : requestAnimationFrame(() => done())); wait(); })"
    )


def told(page: Page, **state) -> None:
    """Sets the state as fields do."""
    page.evaluate(f"(state) => {VIEWER}.set(state)", state)
    settle(page)


def drawn(page: Page, plane: str) -> np.ndarray:
    """The picture of a plane before it is scaled to the screen: (row, column, red green blue)."""
    return pixels(page, f"{VIEWER}.planes.{plane}.backing")


def pixels(page: Page, canvas: str) -> np.ndarray:
    png = page.evaluate(f"{canvas}.toDataURL('image/png')").partition(",")[2]
    return np.asarray(Image.open(BytesIO(b64decode(png))).convert("RGB"))


# Pixels


def test_the_planes_are_the_slices_in_the_window_pixel_by_pixel(page: Page):
    shown(page, f"/volumes/{CT_ID}?{PLACE}")
    for preset, low, high in (("Soft tissue", -160, 240), ("Lung", -1350, 150)):
        page.get_by_label("Window of phantom_ct").select_option(preset)
        settle(page)
        for plane, index in CUTS.items():
            wanted = levels(cut(stored_volumes.ct().array, plane, index), low, high)
            assert furthest(drawn(page, plane), wanted) <= 1, (preset, plane)


@pytest.mark.parametrize("over", [PET_ID, LEANING_ID], ids=["straight", "leaning"])
def test_pet_lies_over_ct_by_the_millimetres_of_both(page: Page, over: str):
    shown(page, f"/volumes/{CT_ID}?over={over}&{PLACE}&overcolours=grey")
    ct, pet = stored_volumes.ct(), stored_volumes.pet()
    pet = replace(pet, affine=turned(pet.affine, 10)) if over == LEANING_ID else pet
    for nearest, opacity in ((False, 0.6), (False, 1.0), (True, 0.6)):
        told(page, opacity=opacity, linear=not nearest)
        on_ct = sampled(pet, ct, nearest)
        for plane, index in CUTS.items():
            below, above = (cut(each, plane, index) for each in (ct.array, on_ct))
            above = np.where(np.isnan(above), np.nan, levels(above, 0, 5 / FACTOR))
            wanted = mixed(levels(below, -160, 240), above, opacity)
            assert furthest(drawn(page, plane), wanted) <= 1, (plane, nearest, opacity)


def test_on_the_screen_a_voxel_is_one_pixel_when_that_is_asked_for(page: Page, served: Site):
    volume_id = f"{CT_ID[:-2]}01"
    square = stored_volumes.ct((20, 64, 64))
    store.write(square, served.settings.volumes / volume_id, volume_id, "square")
    stored_volumes.note(served.engine, served.settings.volumes / volume_id)
    shown(page, f"/volumes/{volume_id}?z=11&between=nearest")
    marks = {"crosshair": False, "letters": False}
    told(page, marks=marks, pixelsPerMm=64 / 604, centre=[31.5, 31.5, 9.5])
    height, width = pixels(page, f"{VIEWER}.planes.axial.canvas").shape[:2]
    told(page, centre=[width / 2 - 10.5, height / 2 - 20.5, 9.5])  # the first voxel is at (10, 20)
    seen = pixels(page, f"{VIEWER}.planes.axial.canvas")
    assert furthest(seen[20:84, 10:74], levels(square.array[11], -160, 240)) <= 1
    assert not seen[:20].any(), "around it is black"


def test_a_slab_shows_the_highest_of_its_slices(page: Page):
    shown(page, f"/volumes/{CT_ID}?{PLACE}")
    array = stored_volumes.ct().array
    page.get_by_label("Thickness of the Axial slab, in mm").fill("60")  # 5 slices of 12.6 mm
    settle(page)
    assert furthest(drawn(page, "axial"), levels(array[48:53].max(axis=0), -160, 240)) <= 1
    page.get_by_label("Thickness of the Coronal slab, in mm").fill("30")  # 3 of 10.1 mm
    settle(page)
    assert furthest(drawn(page, "coronal"), levels(array[::-1, 21:24].max(axis=1), -160, 240)) <= 1


def test_the_projection_turns_and_a_click_on_it_finds_the_hottest_voxel_behind(page: Page):
    shown(page, f"/volumes/{PET_ID}")
    pet = stored_volumes.pet()
    page.get_by_label("Projection turned by, in degrees").fill("0")
    place = np.unravel_index(pet.array.argmax(), pet.array.shape)
    box = page.locator("[data-plane=mip] canvas").bounding_box()
    at = page.evaluate(f"(voxel) => {VIEWER}.mip.toScreen(voxel)", [int(each) for each in place[::-1]])
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    settle(page)
    z, y, x = place
    column = page.evaluate(f"{VIEWER}.mip.column({x}, {y})")
    assert page.evaluate(f"{VIEWER}.mip.column({VIEWER}.state.at[0], {VIEWER}.state.at[1])") == pytest.approx(column)
    found = page.evaluate(f"{VIEWER}.state.at")
    assert pet.array[tuple(found[::-1])] == pet.array.max()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=4)
    page.mouse.up()
    assert int(page.get_by_label("Projection turned by, in degrees").input_value()) > 180, "turned back"
    page.get_by_role("button", name="Turn", exact=True).click()
    page.wait_for_function(f"(frame) => {VIEWER}.mip.frame !== frame", arg=page.evaluate(f"{VIEWER}.mip.frame"))
    page.get_by_role("button", name="Stop").click()
    assert 0 <= page.evaluate(f"{VIEWER}.mip.frame") < MIP_FRAMES


# Values


def test_the_crosshair_on_the_hottest_voxel_reads_its_suv_and_the_hu_there(page: Page):
    ct, pet = stored_volumes.ct(), stored_volumes.pet()
    z, y, x = np.unravel_index(pet.array.argmax(), pet.array.shape)
    shown(page, BOTH)
    world = (pet.affine @ [x, y, z, 1])[:3]
    page.evaluate(f"(mm) => {VIEWER}.moveToWorld(mm)", world.tolist())
    settle(page)
    i, j, k = np.rint(np.linalg.inv(ct.affine) @ [*world, 1])[:3].astype(int)
    here = ct.affine @ [i, j, k, 1]
    px, py, pz = np.rint(np.linalg.inv(pet.affine) @ here)[:3].astype(int)
    assert value(page, CT_ID) == f"{ct.array[k, j, i]} HU".replace("-", "−")
    assert value(page, PET_ID).startswith(f"{pet.array[pz, py, px] * FACTOR:.2f} SUVbw")
    assert value(page, PET_ID).endswith(" Bq/ml")
    assert numbers(page.locator("[data-mm] [data-at=crosshair]").inner_text()) == pytest.approx(here[:3], abs=0.06)
    assert numbers(page.locator("[data-voxel] [data-at=crosshair]").inner_text()) == [i, j, k]
    expect(page.locator("[data-plane=axial] canvas")).to_have_attribute(
        "aria-label", re.compile(rf"Axial, slice {k + 1} of 74. .*HU; .*SUVbw")
    )


def test_of_a_real_patient_the_hottest_voxel_reads_its_suv_and_the_hu_there(page: Page, served: Site):
    ids = [f"{CT_ID[:-2]}{each}" for each in ("41", "42")]
    ct, pet = (load.volume([shared(f"sts_004_{kind}.zip")]) for kind in ("ct", "pet"))
    for volume_id, volume in zip(ids, (ct, pet), strict=True):
        store.write(volume, served.settings.volumes / volume_id, volume_id, volume.about.modality)
        stored_volumes.note(served.engine, served.settings.volumes / volume_id)
    shown(page, f"/volumes/{ids[0]}?over={ids[1]}")
    z, y, x = np.unravel_index(pet.array.argmax(), pet.array.shape)
    page.evaluate(f"(mm) => {VIEWER}.moveToWorld(mm)", (pet.affine @ [x, y, z, 1])[:3].tolist())
    settle(page)
    i, j, k = page.evaluate(f"{VIEWER}.state.at")
    assert value(page, ids[1]) == "5.37 SUVbw"
    assert value(page, ids[0]) == f"{ct.array[k, j, i]} HU".replace("-", "−")
    assert not page.locator(".alert.warn").is_visible(), "both are of one frame of reference"
    page.locator(".stage").screenshot(path=ROOT / "var" / "screenshots" / "sts_004.png")


def value(page: Page, volume_id: str, column: str = "crosshair") -> str:
    return page.locator(f'[data-values="{volume_id}"] [data-at={column}]').inner_text()


def numbers(text: str) -> list[float]:
    return [float(each) for each in text.replace("−", "-").split()]


def test_values_under_the_pointer_are_those_of_that_place(page: Page):
    shown(page, f"/volumes/{CT_ID}?x=5&y=6&z=50")
    box = page.locator("[data-plane=axial] canvas").bounding_box()
    at = page.evaluate(f"{VIEWER}.planes.axial.toScreen([40, 22, 50])")
    page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    assert value(page, CT_ID, "pointer") == f"{stored_volumes.ct().array[50, 22, 40]} HU".replace("-", "−")
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    assert value(page, CT_ID, "pointer") == "–", "beside the volume"


def test_what_is_no_suv_is_never_called_so(page: Page, served: Site):
    folder = served.settings.volumes / f"{PET_ID[:-2]}a0"
    folder.mkdir()
    for part in (served.settings.volumes / PET_ID).iterdir():
        (folder / part.name).symlink_to(part)
    said = json.loads((folder / SIDECAR).read_text())
    why = {"not_suv": "The weight is unknown.", "missing": ["PatientWeight"]}
    windows = [{"name": "Most values", "low": 0, "high": 30000, "suv": False}]
    (folder / SIDECAR).unlink()
    (folder / SIDECAR).write_text(json.dumps(said | {"suv": why, "windows": windows}))
    stored_volumes.note(served.engine, folder)
    shown(page, f"/volumes/{folder.name}")
    assert re.fullmatch(r"[\d\u202f.]+ Bq/ml", value(page, folder.name))
    expect(page.locator(".panels")).to_contain_text("The weight is unknown. Missing: PatientWeight.")
    assert "SUVbw" not in page.locator("main").inner_text()


# Gestures, keys, fields, and the address that keeps what they did


def at(page: Page) -> list[int]:
    settle(page)
    return page.evaluate(f"{VIEWER}.state.at")


def test_a_click_moves_the_crosshair_of_all_planes_and_the_wheel_the_slice(page: Page):
    shown(page, f"/volumes/{CT_ID}")
    assert at(page) == [32, 30, 37]
    box = page.locator("[data-plane=coronal] canvas").bounding_box()
    x, y = page.evaluate(f"{VIEWER}.planes.coronal.toScreen([40, 30, 50])")
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert at(page) == [40, 30, 50]
    page.mouse.wheel(0, -120)
    assert at(page) == [40, 33, 50]
    page.mouse.wheel(0, 40)
    assert at(page) == [40, 32, 50]
    expect(page.get_by_label("Slice of the Axial plane")).to_have_value("51")
    page.get_by_label("Slice of the Sagittal plane").fill("11")
    assert at(page) == [10, 32, 50]


def test_keys_step_slices_change_planes_windows_and_turn_the_projection(page: Page):
    shown(page, BOTH)
    page.locator("[data-plane=axial] canvas").focus()
    page.keyboard.press("ArrowUp")
    assert at(page) == [32, 30, 38]
    page.keyboard.press("Shift+ArrowDown")
    assert at(page) == [32, 30, 28]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert at(page) == [32, 31, 28], "the coronal plane"
    page.keyboard.press("w")
    expect(page.get_by_label("Window of phantom_pet")).to_have_value("1")
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.keyboard.press("m")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    field = page.get_by_label("Slice of the Axial plane")
    field.focus()
    page.keyboard.press("ArrowUp")  # is the field's own there
    expect(field).to_have_value("30")


def test_a_drag_with_shift_or_the_right_button_sets_the_window_of_the_chosen_layer(page: Page):
    shown(page, BOTH)
    page.locator(f'[data-active][value="{CT_ID}"]').check()
    drag(page, "axial", (40, 0), button="right")
    ends = [page.get_by_label(f"{end} value of phantom_ct") for end in ("Lowest", "Highest")]
    assert [float(each.input_value()) for each in ends] == [-200, 280], "wider, with the same middle"
    page.locator(f'[data-active][value="{PET_ID}"]').check()
    page.keyboard.down("Shift")
    drag(page, "axial", (0, -100))
    page.keyboard.up("Shift")
    ends = [page.get_by_label(f"{end} value of phantom_pet") for end in ("Lowest", "Highest")]
    assert [float(each.input_value()) for each in ends] == [0, 7.5], "that of PET begins at nothing"


def drag(page: Page, plane: str, by: tuple[int, int], button: str = "left") -> None:
    box = page.locator(f"[data-plane={plane}] canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + by[0], y + by[1], steps=3)
    page.mouse.up(button=button)
    settle(page)


def test_a_link_shows_what_one_sees(page: Page, served: Site):
    shown(page, BOTH)
    assert page.url == served.address + BOTH, "an address that was only opened stays as it is"
    page.get_by_label("Window of phantom_ct").select_option("Lung")
    page.get_by_label("Highest value of phantom_pet").fill("7.5")
    page.get_by_label("Colours of phantom_pet").select_option("grey")
    page.get_by_label("Opacity, in percent").fill("35")
    page.get_by_label("Slice of the Axial plane").fill("51")
    page.get_by_label("Thickness of the Axial slab, in mm").fill("30")
    page.get_by_label("Between voxels").select_option("nearest")
    page.wait_for_url(re.compile("between=nearest"))
    before = drawn(page, "axial")
    shown(page, page.url)
    assert np.array_equal(drawn(page, "axial"), before)
    expect(page.get_by_label("Highest value of phantom_pet")).to_have_value("7.5")
    expect(page.get_by_label("Opacity, in percent")).to_have_value("35")


def test_what_lies_on_top_can_be_swapped_with_what_lies_below(page: Page):
    shown(page, f"{BOTH}&{PLACE}")
    seen = value(page, CT_ID)
    page.get_by_role("button", name="Swap").click()
    page.wait_for_url(re.compile(rf"/volumes/{PET_ID}\?over={CT_ID}"))
    assert drawn(page, "axial").shape[:2] >= (40, 44)
    expect(page.get_by_label("Slice of the Axial plane")).to_have_attribute("max", "50")
    assert value(page, CT_ID).endswith("HU") and seen.endswith("HU")


def test_zoom_keeps_the_place_under_the_pointer_and_fit_undoes_it(page: Page):
    shown(page, f"/volumes/{CT_ID}")
    box = page.locator("[data-plane=axial] canvas").bounding_box()
    there = f"{VIEWER}.planes.axial.toVoxel(100, 120)"
    before = page.evaluate(there)
    page.mouse.move(box["x"] + 100, box["y"] + 120)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    settle(page)
    assert page.evaluate(f"{VIEWER}.state.zoom") > 2
    assert page.evaluate(there) == pytest.approx(before, abs=0.5)
    expect(page.get_by_label("Zoom")).to_have_value("272")
    page.get_by_role("button", name="Fit").click()
    settle(page)
    assert page.evaluate(f"{VIEWER}.state.zoom") == 1


def test_a_region_is_outlined_on_the_grid_it_was_made_on(page: Page):
    shown(page, f"{BOTH}&{PLACE}")
    told(page, marks={"crosshair": False, "letters": False})
    mask = (stored_volumes.pet().array * FACTOR >= 2.5).astype(np.uint8)
    page.evaluate(
        f"(mask) => {VIEWER}.setOutlines([{{id: '{PET_ID}', colour: '#00ff00', mask: Uint8Array.from(atob(mask),"
        " (each) => each.charCodeAt(0))}])",
        b64encode(mask.tobytes()).decode(),
    )
    settle(page)
    inside = np.nan_to_num(sampled(replace(stored_volumes.pet(), array=mask), stored_volumes.ct(), nearest=True))
    for plane, index in CUTS.items():
        edge = boundary(cut(inside, plane, index))
        assert bool(greens(page, plane)) == bool(edge), plane
    on_mip = pixels(page, f"{VIEWER}.mip.canvas")
    assert (on_mip[..., 1].astype(int) - on_mip[..., 0] > 150).any(), "on the projection, too"
    page.evaluate(f"{VIEWER}.setOutlines([])")
    settle(page)
    assert greens(page, "coronal") == 0


def boundary(plane: np.ndarray) -> int:
    return int((np.diff(plane, axis=0) != 0).sum() + (np.diff(plane, axis=1) != 0).sum())


def greens(page: Page, plane: str) -> int:
    red, green, blue = np.moveaxis(pixels(page, f"{VIEWER}.planes.{plane}.canvas"), 2, 0)
    return int(((green > 180) & (red < 80) & (blue < 80)).sum())


def test_a_plane_is_saved_as_a_picture(page: Page):
    shown(page, f"/volumes/{CT_ID}?z=50")
    with page.expect_download() as download:
        page.locator("[data-plane=axial] [data-picture]").click()
    assert download.value.suggested_filename == "phantom_ct-axial-51.png"
    picture = Image.open(BytesIO(Path(download.value.path()).read_bytes()))
    assert picture.format == "PNG" and min(picture.size) > 400


def test_one_plane_can_be_enlarged(page: Page):
    shown(page, f"/volumes/{CT_ID}")
    coronal = page.locator("[data-plane=coronal]")
    small = coronal.bounding_box()
    coronal.get_by_role("button", name="Enlarge").click()
    assert coronal.bounding_box()["width"] > 1.8 * small["width"]
    expect(page.locator("[data-plane=axial]")).to_be_hidden()
    page.wait_for_url(re.compile("view=coronal"))
    coronal.get_by_role("button", name="Show all").click()
    assert coronal.bounding_box() == small


# Two side by side


def beside(page: Page, other: str) -> Page:
    page.goto(f"/volumes/{PET_ID}/beside/{other}")
    expect(page.locator("[data-progress]")).to_have_text(["Full resolution"] * 2)
    return page


def apart(page: Page, *voxels: list[int] | str) -> list[float]:
    """From the crosshair of the first to that of the second, or between two other voxels of theirs, in mm."""
    for _ in range(2):  # one is drawn, and then the other that follows it
        for viewer in (VIEWER, OTHER):
            page.wait_for_function(f"() => !{viewer}.asked")
    places = voxels or ["v.state.at"] * 2
    asked = zip((VIEWER, OTHER), places, strict=True)
    worlds = [
        page.evaluate(f"(() => {{ const v = {viewer}; return v.base.toWorld({at}); }})()") for viewer, at in asked
    ]
    return [there - here for here, there in zip(*worlds, strict=True)]


def test_side_by_side_what_one_does_the_other_does_too(page: Page):
    beside(page, LEANING_ID)
    page.evaluate(f"{VIEWER}.moveTo([30, 22, 40])")
    assert apart(page) == pytest.approx([0, 0, 0], abs=12), "within a voxel"
    page.get_by_label("The second further by, along z in mm").fill("100")
    assert apart(page) == pytest.approx([0, 0, 100], abs=12)
    page.evaluate(f"{OTHER}.moveTo([20, 20, 30])")
    assert apart(page) == pytest.approx([0, 0, 100], abs=12)
    page.get_by_label("Projection turned by, in degrees").first.fill("90")
    page.wait_for_function(f"() => {OTHER}.mip.frame === 9")
    page.get_by_label("Zoom").first.fill("300")
    assert apart(page, "v.state.centre", "v.state.centre") == pytest.approx([0, 0, 100], abs=1)
    expect(page.get_by_label("Zoom").last).to_have_value("300")
    page.get_by_role("button", name="Coronal").first.click()
    expect(page.locator(".plane:visible")).to_have_count(2)
    page.get_by_label("Linked").uncheck()
    page.evaluate(f"{VIEWER}.moveTo([5, 5, 5])")
    assert apart(page) != pytest.approx([0, 0, 100], abs=12)


def test_side_by_side_one_window_is_that_of_both_until_it_is_unticked(page: Page):
    beside(page, LEANING_ID)
    highest = page.get_by_label("Highest value of leaning_pet")
    page.get_by_label("Window of phantom_pet").select_option("SUV 0–10")
    expect(highest).to_have_value("10")
    page.get_by_label("Same window").uncheck()
    page.get_by_label("Highest value of phantom_pet").fill("7")
    assert apart(page) and highest.input_value() == "10"
    page.get_by_label("Same window").check()
    expect(highest).to_have_value("7")


def test_without_a_frame_in_common_middle_lies_on_middle_until_linked_is_ticked_anew(page: Page, served: Site):
    folder, pet = served.settings.volumes / LATER_ID, stored_volumes.pet((40, 24, 26))
    pet.affine[:3, 3] += 500
    store.write(replace(pet, about=replace(pet.about, frame_of_reference_uid="9.9")), folder, LATER_ID, "later")
    stored_volumes.note(served.engine, folder)
    beside(page, LATER_ID)
    assert apart(page) == pytest.approx([500, 500, 500], abs=20), "within a voxel"
    page.get_by_label("Linked").uncheck()
    page.evaluate(f"({VIEWER}.moveTo([10, 10, 10]), {OTHER}.moveTo([15, 15, 20]))")
    page.get_by_label("Linked").check()
    page.evaluate(f"{VIEWER}.moveTo([20, 18, 25])")
    assert apart(page) == pytest.approx(apart(page, [10, 10, 10], [15, 15, 20]), abs=20)


def test_side_by_side_can_be_used_by_everybody(page: Page):
    beside(page, LEANING_ID)
    assert [each["id"] for each in Axe().run(page).response["violations"]] == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tops = [stage.bounding_box()["y"] for stage in page.locator(".stage").all()]
    assert 0 < tops[1] - tops[0] < PHONE["height"] * 0.7, "both fit on the phone, nothing between them"


# In three dimensions


def test_in_three_dimensions_a_hot_spot_is_where_it_should_be_from_each_side(drawing_page: Page, served: Site):
    page, (z, y, x), volume_id = drawing_page, (38, 9, 31), f"{PET_ID[:-2]}05"
    pet = stored_volumes.pet()
    spot = np.zeros_like(pet.array)
    spot[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2] = 3e4
    store.write(replace(pet, array=spot), served.settings.var / "volumes" / volume_id, volume_id, "spot")
    stored_volumes.note(served.engine, served.settings.volumes / volume_id)
    shown(page, f"/volumes/{volume_id}?view=solid&colours=grey&window=0,40000")
    expect(page.get_by_label("Body turned by, in degrees")).to_have_value("30")
    left, back, up = ((x + 0.5) / 44 - 0.5) * 604, ((y + 0.5) / 40 - 0.5) * 604, ((z + 0.5) / 50 - 0.5) * 935
    for turn, tilt, across, above in ((0, 0, left, up), (90, 0, back, up), (0, 90, left, back)):
        page.get_by_label("Body turned by, in degrees").fill(str(turn))
        page.get_by_label("Body tilted by, in degrees").fill(str(tilt))
        seen = pixels(page, "document.querySelector('[data-plane=solid] canvas')")[..., 0]
        rows, columns = np.nonzero(seen > 180)
        size = seen.shape[0] / (2 * np.hypot(np.hypot(302, 302), 467.5))  # pixels a mm: its longest diagonal fits
        assert abs(columns.mean() - seen.shape[1] / 2 - across * size) < 3, (turn, tilt)
        assert abs(rows.mean() - seen.shape[0] / 2 + above * size) < 3, (turn, tilt)
    page.get_by_label("Kind of picture").select_option("body")
    assert pixels(page, "document.querySelector('[data-plane=solid] canvas')").max() > 100


@pytest.fixture
def drawing_page(browser: Browser, served: Site) -> Iterator[Page]:  # noqa: F811
    """Another browser, that draws by WebGL in software."""
    ways = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    drawing = browser.browser_type.launch(executable_path=CHROMIUM, args=ways)
    yield drawing.new_page(base_url=served.address, viewport={"width": 780, "height": 500})
    drawing.close()


def test_without_webgl_the_page_says_that_it_cannot_draw_three_dimensions(page: Page):
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext ="
        " function (kind, ...how) { return kind === 'webgl2' ? null : get.call(this, kind, ...how); }"
    )
    shown(page, f"/volumes/{CT_ID}")
    page.get_by_role("button", name="3-D").click()
    expect(page.get_by_text("Your browser cannot draw this in three dimensions")).to_be_visible()


# Loading


def test_the_first_picture_is_the_preview_and_says_that_its_values_are_not_exact(page: Page):
    page.route("**/full/*", lambda route: None)  # never answered
    page.goto(f"/volumes/{CT_ID}")
    expect(page.locator("[data-progress]")).to_have_text("Full resolution: 1 of 6 parts")
    settle(page)
    assert drawn(page, "axial").max() > 200
    assert value(page, CT_ID).startswith("≈ ")


def test_a_part_that_cannot_be_loaded_is_named_and_can_be_tried_again(browser: Browser, served: Site):  # noqa: F811
    context = browser.new_context(base_url=served.address, viewport=WIDE)
    page = context.new_page()
    page.route("**/full/0001.gz", lambda route: route.fulfill(status=500, body=""))
    page.goto(f"/volumes/{CT_ID}")
    failed = page.get_by_role("alert")
    expect(failed).to_contain_text("Slices 17 to 32 of phantom_ct could not be loaded: the site answered 500")
    page.unroute("**/full/0001.gz")
    failed.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-progress]")).to_have_text("Full resolution")
    expect(failed).to_be_hidden()
    context.close()


# Phones, and browsers without script


def test_on_a_phone_there_is_one_plane_a_tap_is_the_crosshair_and_a_swipe_the_slice(browser: Browser, served: Site):  # noqa: F811
    with visiting(browser, served, viewport=PHONE, has_touch=True) as page:
        shown(page, BOTH)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        expect(page.locator(".plane:visible")).to_have_count(1)
        page.get_by_role("button", name="Coronal").click()
        canvas = page.locator("[data-plane=coronal] canvas")
        expect(canvas).to_be_visible()
        settle(page)
        box = canvas.bounding_box()
        x, y = page.evaluate(f"{VIEWER}.planes.coronal.toScreen([40, 30, 50])")
        page.touchscreen.tap(box["x"] + x, box["y"] + y)
        assert at(page) == [40, 30, 50]
        swipe(page, box["x"] + 100, box["y"] + 200, -60)
        assert at(page) == [40, 34, 50]
        pinch(page, box["x"] + 150, box["y"] + 200, 40, 80)
        assert page.evaluate(f"{VIEWER}.state.zoom") == pytest.approx(2, abs=0.1)
        assert at(page) == [40, 34, 50], "it is no swipe"


def pinch(page: Page, x: float, y: float, apart: float, to: float) -> None:
    session = page.context.new_cdp_session(page)
    for kind, by in (("touchStart", apart), ("touchMove", (apart + to) / 2), ("touchMove", to), ("touchEnd", 0)):
        points = [{"x": x - by / 2, "y": y, "id": 1}, {"x": x + by / 2, "y": y, "id": 2}] if by else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settle(page)


def swipe(page: Page, x: float, y: float, by: float) -> None:
    session = page.context.new_cdp_session(page)
    points = [y + by * share for share in (0, 0.5, 1)]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": points[0]}]})
    for each in points[1:]:
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": each}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_without_script_the_planes_are_pictures_and_links_move_them(browser: Browser, served: Site):  # noqa: F811
    with visiting(browser, served, java_script_enabled=False) as page:
        page.goto(f"/volumes/{CT_ID}?z=40")
        expect(page.locator(".stills img")).to_have_count(3)
        expect(page.locator(".stage")).to_be_hidden()
        page.get_by_role("link", name="Axial, +10 slices").click()
        page.get_by_role("link", name="Lung").click()
        expect(page.locator(".stills figcaption").first).to_contain_text("slice 51 of 74")


def test_the_page_can_be_used_by_everybody(browser: Browser, served: Site):  # noqa: F811
    with visiting(browser, served) as page:
        shown(page, BOTH)
        for viewport, scheme in ((WIDE, "light"), (WIDE, "dark"), (PHONE, "light")):
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            settle(page)
            assert [each["id"] for each in Axe().run(page).response["violations"]] == [], (viewport, scheme)

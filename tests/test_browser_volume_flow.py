"""The whole way of a volume in Chromium: a file becomes a picture, the picture numbers, with real workers behind."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.dicoms import shared
from tests.stack import Stack
from tests.test_browser import DONE, browser, page  # noqa: F401
from workers.jobs.volume import phantom

VIEWER = "document.getElementById('viewer').viewer"


def test_a_raw_file_without_a_word_is_a_picture_within_three_clicks(
    embedded_stack: Stack, page: Page, tmp_path: Path  # noqa: F811
):
    stack = embedded_stack
    file = tmp_path / "file.mpv"
    file.write_bytes(b"".join(slab.tobytes() for slab in phantom.slabs((187, 110, 110), "uint8", 0.03, 3)))
    stack.processes.environment["JOBS"] = "workers.jobs"
    stack.workers(1, 2)
    site = stack.web()
    page.goto(f"{site.url}/jobs/volumes.ingest")
    page.locator("input[type=file]").set_input_files(file)  # the first click
    expect(page.locator(".sending input[type=hidden]")).to_have_count(1)
    page.reload()
    expect(page.locator(".kept input:checked")).to_have_count(1)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("link", name="Open the volume").click(timeout=DONE)
    expect(page.locator("[data-progress]")).to_have_text("Full resolution", timeout=DONE)
    expect(page.locator("main")).to_contain_text("110 × 110 × 187 int16")
    assert brightest(page, "coronal") > 200
    measure(page)
    expect(page.locator("article.measured h3")).to_contain_text("≥ 41 % of the maximum")
    expect(page.locator("[data-outline]")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(f"{VIEWER}.state.outlines.length") == 1


def brightest(page: Page, plane: str) -> int:  # noqa: F811
    return page.evaluate(
        f"""() => {{ const canvas = {VIEWER}.planes.{plane}.backing;
            const seen = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return seen.reduce((most, level, at) => (at % 4 === 3 ? most : Math.max(most, level)), 0); }}"""
    )


def measure(page: Page) -> None:  # noqa: F811
    page.locator("#measure").get_by_role("button", name="Measure").click()
    expect(page.locator("article.measured")).to_have_count(1, timeout=DONE)


def test_a_tumour_on_real_pet_over_ct_reads_as_published(embedded_stack: Stack, page: Page):  # noqa: F811
    stack = embedded_stack
    stack.processes.environment |= {"JOBS": "workers.jobs", "WAYBILL_FILES": str(shared("sts_004_pet.zip").path.parent)}
    stack.workers(1, 2)
    site = stack.web()
    for name in ("sts_004_ct.zip", "sts_004_pet.zip"):
        page.goto(f"{site.url}/jobs/volumes.ingest")
        page.get_by_label("Path").fill(name)
        page.get_by_role("button", name="Start").click()
        page.get_by_role("link", name="Open the volume").click(timeout=DONE)
    page.goto(f"{site.url}/volumes")
    page.get_by_role("link", name="sts_004_ct").first.click()
    page.get_by_role("button", name="Lay over").click()
    expect(page.locator("[data-progress]")).to_have_text("Full resolution", timeout=DONE)
    measure(page)
    page.locator("article.measured tr[data-at]").first.click()
    readout = page.locator(".readout")
    expect(readout).to_contain_text("5.37 SUVbw")
    expect(readout).to_contain_text("73 HU")
    figures = page.locator("article.measured tbody td")
    assert [figures.nth(column).inner_text() for column in (0, 5, 6)] == ["5.367", "21.705", "57.2"]
    expect(page.locator("[data-outline]")).to_have_attribute("aria-pressed", "true")

"""Two volumes side by side in Chromium: the address keeps what one sees, and what was measured is outlined on both."""

import gzip
import json
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from ledger import clock
from ledger.engine import writing
from ledger.ids import new_id
from ledger.tables import measurements
from ledger.volume_files import LABELS, MEASUREMENTS
from tests import stored_volumes
from tests.chromium import launched, opened, serving  # noqa: F401
from tests.ledgers import prepare
from tests.stored_volumes import CT_ID, PET_ID
from tests.test_web_volume_beside import FIGURES, PERCENT
from tests.web_steps import Site

STATE = """() => ['viewer', 'viewer-2'].map((id) => {
  const { state } = document.getElementById(id).viewer;
  const window = ({ low, high, map }) => [low.toPrecision(6), high.toPrecision(6), map];
  return [state.at, state.layers.map(window), state.slabs, state.outlines.length];
})"""
QUIET = "() => ['viewer', 'viewer-2'].every((id) => !document.getElementById(id).viewer?.asked)"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a CT and a PET that were measured by one rule, and the PET by another, too."""
    site = Site(tmp_path_factory.mktemp("site") / "var")
    stored_volumes.keep_both(site.settings.volumes)
    prepare(site.engine)
    stored_volumes.note_all(site.engine, site.settings.volumes)
    measured(site, CT_ID, (74, 60, 64), PERCENT)
    measured(site, PET_ID, (50, 40, 44), PERCENT)
    measured(site, PET_ID, (50, 40, 44), PERCENT | {"threshold": 50.0})
    with serving(site):
        yield site


def measured(site: Site, volume_id: str, shape: tuple[int, int, int], rule: dict) -> None:
    """A box in the middle."""
    run_id = new_id()
    told = {"unit": "SUVbw", "whole": FIGURES, "parts": [], "number": 1}
    row = {"id": run_id, "volume_id": volume_id, "rule": json.dumps(rule), "figures": json.dumps(told)}
    with writing(site.engine) as connection:
        connection.execute(insert(measurements), [row | {"created_by": "ana", "created_at": clock.now()}])
    folder = site.settings.volumes / volume_id / MEASUREMENTS / run_id
    folder.mkdir(parents=True)
    labels = np.zeros(shape, "<u2")
    labels[tuple(slice(length // 2 - 5, length // 2 + 5) for length in shape)] = 1
    (folder / LABELS).write_bytes(gzip.compress(labels.tobytes()))


def shown(page: Page, address: str = f"/volumes/{PET_ID}/beside/{CT_ID}") -> Page:
    page.goto(address)
    expect(page.locator("[data-progress]")).to_have_text(["Full resolution"] * 2)
    page.wait_for_function("() => document.getElementById('viewer-2').viewer.state.outlines.length > 0")
    page.wait_for_function(QUIET)
    return page


def seen_after_a_reload(page: Page) -> list:
    page.wait_for_function(QUIET)
    before = page.evaluate(STATE)
    shown(page, page.url)
    assert page.evaluate(STATE) == before
    return before


def test_an_address_that_was_only_opened_stays_as_it_was(page: Page):
    assert "?" not in shown(page).url


def test_what_one_sees_of_both_is_in_the_address(page: Page):
    shown(page)
    page.get_by_label("Highest value of phantom_pet").fill("7")
    page.get_by_label("Colours of phantom_ct").select_option("hot-iron")
    page.get_by_label("The second further by, along z in mm").fill("100")
    page.get_by_label("Slice of the Axial plane").first.fill("20")
    page.wait_for_url(lambda url: "z=19" in url and "second-colours=hot-iron" in url and "further=0,0,100" in url)
    assert "second-z" not in page.url, "linked, it is where the first says"
    (at, layers, *_), (_, others, *_) = seen_after_a_reload(page)
    assert at[2] == 19 and layers[0][1] == f"{7 / stored_volumes.FACTOR:.1f}" and others[0][2] == "hot-iron"
    expect(page.get_by_label("The second further by, along z in mm")).to_have_value("100")


def test_two_that_are_not_linked_are_each_where_they_were(page: Page):
    shown(page)
    page.get_by_label("Linked").uncheck()
    page.get_by_label("Slice of the Axial plane").last.fill("9")
    page.get_by_role("button", name="Coronal").first.click()
    page.wait_for_url(lambda url: "linked=no" in url and "second-z=8" in url and "view=coronal" in url)
    _, (at, *_) = seen_after_a_reload(page)
    assert at[2] == 8 and not page.get_by_label("Linked").is_checked()


def test_what_was_measured_by_one_rule_is_outlined_on_both(page: Page):
    shown(page)
    boxes = page.locator(".outlines input")
    assert [box.is_checked() for box in boxes.all()] == [False, True, True], "the newest rule of both"
    assert [each[3] for each in page.evaluate(STATE)] == [1, 1]
    colours = page.evaluate(
        "() => ['viewer', 'viewer-2'].map((id) => document.getElementById(id).viewer.state.outlines[0].colour)"
    )
    assert colours[0] == colours[1]
    boxes.first.check()
    page.wait_for_url(lambda url: "outlines=" in url)
    assert [each[3] for each in seen_after_a_reload(page)] == [2, 1]

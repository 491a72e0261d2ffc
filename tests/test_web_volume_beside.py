"""Two time points side by side: both are there, and what changed is told of rules that both were measured by."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from ledger import clock
from ledger.engine import writing
from ledger.ids import new_id
from ledger.tables import measurements, volumes
from tests import stored_volumes
from tests.stored_volumes import CT_ID, PET_ID
from tests.volume_site import with_both  # noqa: F401
from tests.web_steps import Site, text
from web.volume_change import rule_key
from workers.jobs.volume import store

FIGURES = {"max": 8.0, "peak": 6.0, "peak_at_max": 6.0, "mean": 4.0, "deviation": 1.0, "min": 3.0, "ml": 20.0}
FIGURES |= {"total": 80.0, "voxels": 900, "hottest_mm": [0, 0, 0]}
PERCENT = {"kind": "percent", "threshold": 41.0, "hottest": True, "unit": "SUVbw", "cut": 3.28}
LATER_ID, LATER = f"{PET_ID[:-2]}f2", "2010-04-05T10:30:00"
BOTH = f"/volumes/{PET_ID}/beside/{CT_ID}"


@pytest.fixture(autouse=True)
def unmeasured(site: Site) -> None:
    with writing(site.engine) as connection:
        connection.execute(measurements.delete())


def measured(site: Site, volume_id: str, rule: dict, unit: str = "SUVbw", **whole: float) -> None:
    told = {"unit": unit, "whole": FIGURES | whole, "parts": [], "number": 0}
    row = {"id": new_id(), "volume_id": volume_id, "rule": json.dumps(rule), "figures": json.dumps(told)}
    with writing(site.engine) as connection:
        connection.execute(insert(measurements), [row | {"created_by": "ana", "created_at": clock.now()}])


@pytest.fixture
def later(site: Site):
    """A PET of the same patient, made on a later day in another frame of reference."""
    pet = stored_volumes.pet((10, 12, 14))
    about = replace(pet.about, acquired=LATER, frame_of_reference_uid="9.9")
    folder = site.settings.volumes / LATER_ID
    if not folder.exists():
        store.write(replace(pet, about=about), folder, LATER_ID, "later_pet")
    stored_volumes.note(site.engine, folder)
    yield
    stored_volumes.forget(site.engine, LATER_ID)


def lines(site: Site, address: str = BOTH) -> dict[str, list[str]]:
    """What changed: figure to before, after, difference, percent."""
    rows = site.page(address).select(".figures tbody tr")
    return {text(row.th): [text(cell) for cell in row.select("td")] for row in rows}


def test_both_volumes_are_there_with_ids_of_their_own(site: Site):
    page = site.page(BOTH)
    assert page.title.get_text() == "phantom_pet beside phantom_ct · Waybill"
    assert [json.loads(each["data-layers"])[0]["id"] for each in page.select(".viewer")] == [PET_ID, CT_ID]
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    keys = [tag["aria-keyshortcuts"] for tag in page.select("main [aria-keyshortcuts]")]
    assert len(keys) == len(set(keys))


def test_the_volume_page_leads_there(site: Site):
    form = site.page(f"/volumes/{PET_ID}").select_one("form:has([name=other])")
    there = site.client.get(form["action"], query_string={"other": CT_ID})
    assert (there.status_code, there.headers["Location"]) == (303, BOTH)
    assert site.client.get(form["action"]).status_code == 404
    assert site.client.get(f"/volumes/{PET_ID}/beside/{new_id()}").status_code == 404


def test_two_of_one_name_are_told_apart_by_their_dates(site: Site, later: None):
    of_later = volumes.c.id == LATER_ID
    with writing(site.engine) as connection:
        told = json.loads(connection.scalar(select(volumes.c.sidecar).where(of_later))) | {"name": "phantom_pet"}
        connection.execute(volumes.update().where(of_later).values(sidecar=json.dumps(told)))
    sections = site.page(f"/volumes/{PET_ID}/beside/{LATER_ID}").select(".beside > *")
    dates = ("2010-01-02 11:00:00", "2010-04-05 10:30:00")
    assert [each["aria-label"] for each in sections] == [f"phantom_pet · PT · {date} · phantom-1" for date in dates]


def test_of_pet_over_ct_the_time_points_are_those_of_the_pet(site: Site, later: None):
    form = site.page(f"/volumes/{CT_ID}?over={PET_ID}").select_one("form:has([name=other])")
    assert form["action"] == f"/volumes/{PET_ID}/beside"
    offered = [option["value"] for option in form.select("option")]
    assert offered == [LATER_ID, CT_ID], "of one patient, the same modality first"


def test_millimetres_are_the_same_place_in_one_frame_of_reference_only(site: Site, later: None):
    page = site.page(BOTH)
    assert page.select_one("#linked").has_attr("data-share-frame") and "same millimetres" in text(page.main)
    page = site.page(f"/volumes/{PET_ID}/beside/{LATER_ID}")
    assert not page.select_one("#linked").has_attr("data-share-frame") and "middle lies on middle" in text(page.main)


def test_windows_go_together_where_the_units_are_the_same(site: Site, later: None):
    assert site.page(f"/volumes/{PET_ID}/beside/{LATER_ID}").select_one("[name=windows]")
    page = site.page(BOTH)
    assert not page.select_one("[name=windows]") and "Windows stay apart: SUVbw and HU." in text(page.main)


def test_without_script_there_are_the_middle_slices_of_both(site: Site):
    pictures = [image["src"] for image in site.page(BOTH).select("noscript img")]
    assert [each.split("?")[0].removeprefix("/volumes/") for each in pictures] == [
        f"{volume_id}/planes/{plane}/{middle}.png"
        for volume_id, middles in ((PET_ID, (25, 20, 22)), (CT_ID, (37, 30, 32)))
        for plane, middle in zip(("axial", "coronal", "sagittal"), middles, strict=True)
    ]
    assert site.client.get(pictures[-1]).mimetype == "image/png"


def test_the_change_of_each_figure_is_told(site: Site):
    measured(site, PET_ID, PERCENT)
    measured(site, CT_ID, PERCENT | {"cut": 1.0}, max=6.0, peak=0.0, ml=25.0, total=80.0)
    assert lines(site) == {
        "SUVmax": ["8", "6", "−2", "−25.0 %"],
        "SUVpeak": ["6", "0", "−6", "−100.0 %"],
        "SUVmean": ["4", "4", "0", "0.0 %"],
        "MTV ml": ["20", "25", "+5", "+25.0 %"],
        "TLG": ["80", "80", "0", "0.0 %"],
    }


def test_the_newest_of_either_counts(site: Site):
    measured(site, PET_ID, PERCENT, max=1.0)
    measured(site, PET_ID, PERCENT, max=10.0)
    measured(site, CT_ID, PERCENT, max=3.0)
    measured(site, CT_ID, PERCENT, max=11.0)
    assert lines(site)["SUVmax"] == ["10", "11", "+1", "+10.0 %"]


def test_the_earlier_scan_stands_first_whichever_was_asked_for_first(site: Site, later: None):
    measured(site, PET_ID, PERCENT, max=8.0)
    measured(site, LATER_ID, PERCENT, max=6.0)
    for first, second in ((PET_ID, LATER_ID), (LATER_ID, PET_ID)):
        address = f"/volumes/{first}/beside/{second}"
        assert lines(site, address)["SUVmax"] == ["8", "6", "−2", "−25.0 %"]
        heads = [text(cell) for cell in site.page(address).select(".figures thead th")]
        assert heads == ["Figure", "phantom_pet 2010-01-02", "later_pet 2010-04-05", "Change"]


@pytest.mark.parametrize("other", [{"threshold": 50.0}, {"hottest": False}, {"mask": "liver.nii"}])
def test_what_was_measured_by_another_rule_is_not_compared(site: Site, other: dict):
    measured(site, PET_ID, PERCENT)
    measured(site, CT_ID, PERCENT | other)
    assert lines(site) == {}
    page = site.page(BOTH)
    assert "Nothing was measured in both by the same rule yet" in text(page.main)
    ways = [link["href"] for link in page.select(".changes a")]
    assert ways == [f"/volumes/{each}#measurements" for each in (PET_ID, CT_ID)]


@pytest.mark.parametrize(("unit", "said"), [("Bq/ml", "Bq/ml"), ("SUVlbm", "SUVlbm"), ("", "no unit")])
def test_other_units_are_told_and_not_compared(site: Site, unit: str, said: str):
    measured(site, PET_ID, PERCENT)
    measured(site, CT_ID, PERCENT | {"unit": unit}, unit)
    assert lines(site) == {}
    told = f"Not compared, for the units differ: phantom_pet was measured in SUVbw, phantom_ct in {said}."
    assert told in text(site.page(BOTH).main)


def test_a_rule_is_the_same_wherever_its_spheres_lie_and_whatever_it_came_to():
    here, there = ({"centre": [x, 0.0, 0.0], "radius": 15.0} for x in (0.0, 9.0))
    rule = PERCENT | {"within": here, "smallest_ml": 0.0, "notes": []}
    assert rule_key(rule) == rule_key(PERCENT | {"within": there, "cut": 1.0, "notes": ["so"], "threshold": 41})
    for other in ({"within": None}, {"within": here | {"radius": 20.0}}, {"smallest_ml": 1.0}, {"kind": "absolute"}):
        assert rule_key(rule) != rule_key(rule | other)


def test_from_nothing_there_is_no_change_in_percent(site: Site):
    measured(site, PET_ID, PERCENT, max=0.0)
    measured(site, CT_ID, PERCENT, max=3.0)
    assert lines(site)["SUVmax"] == ["0", "3", "+3", "–"]

"""Two time points side by side: both are there, and what changed is told of rules that both were measured by."""

import json

import pytest
from sqlalchemy import insert

from ledger import clock
from ledger.engine import writing
from ledger.ids import new_id
from ledger.tables import measurements
from tests.stored_volumes import CT_ID, PET_ID
from tests.volume_site import with_both  # noqa: F401
from tests.web_steps import Site, text

FIGURES = {"max": 8.0, "peak": 6.0, "peak_at_max": 6.0, "mean": 4.0, "deviation": 1.0, "min": 3.0, "ml": 20.0}
FIGURES |= {"total": 80.0, "voxels": 900, "hottest_mm": [0, 0, 0]}
PERCENT = {"kind": "percent", "threshold": 41.0, "hottest": True, "unit": "SUVbw", "cut": 3.28}


@pytest.fixture(autouse=True)
def unmeasured(site: Site) -> None:
    with writing(site.engine) as connection:
        connection.execute(measurements.delete())


def measured(site: Site, volume_id: str, rule: dict, unit: str = "SUVbw", **whole: float) -> None:
    told = {"unit": unit, "whole": FIGURES | whole, "parts": [], "number": 0}
    row = {"id": new_id(), "volume_id": volume_id, "rule": json.dumps(rule), "figures": json.dumps(told)}
    with writing(site.engine) as connection:
        connection.execute(insert(measurements), [row | {"created_by": "ana", "created_at": clock.now()}])


def lines(site: Site) -> dict[str, list[str]]:
    """What changed: figure to before, after, change."""
    rows = site.page(f"/volumes/{PET_ID}/beside/{CT_ID}").select(".figures tbody tr")
    return {text(row.th): [text(cell) for cell in row.select("td")] for row in rows}


def test_both_volumes_are_there_with_ids_of_their_own(site: Site):
    page = site.page(f"/volumes/{PET_ID}/beside/{CT_ID}")
    assert page.title.get_text() == "phantom_pet beside phantom_ct · Waybill"
    assert [json.loads(each["data-layers"])[0]["id"] for each in page.select(".viewer")] == [PET_ID, CT_ID]
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    keys = [tag["aria-keyshortcuts"] for tag in page.select("main [aria-keyshortcuts]")]
    assert len(keys) == len(set(keys))


def test_the_volume_page_leads_there(site: Site):
    form = site.page(f"/volumes/{PET_ID}").select_one("button[formaction]")
    there = site.client.get(form["formaction"], query_string={"over": CT_ID})
    assert (there.status_code, there.headers["Location"]) == (303, f"/volumes/{PET_ID}/beside/{CT_ID}")
    assert site.client.get(form["formaction"]).status_code == 404
    assert site.client.get(f"/volumes/{PET_ID}/beside/{new_id()}").status_code == 404


def test_the_change_of_each_figure_is_told(site: Site):
    measured(site, PET_ID, PERCENT)
    measured(site, CT_ID, PERCENT | {"cut": 1.0}, max=6.0, peak=0.0, ml=25.0, total=80.0)
    assert lines(site) == {
        "SUVmax": ["8", "6", "−25.0 %"],
        "SUVpeak": ["6", "0", "−100.0 %"],
        "SUVmean": ["4", "4", "+0.0 %"],
        "MTV ml": ["20", "25", "+25.0 %"],
        "TLG": ["80", "80", "+0.0 %"],
    }


def test_the_newest_of_either_counts(site: Site):
    measured(site, PET_ID, PERCENT, max=1.0)
    measured(site, PET_ID, PERCENT, max=10.0)
    measured(site, CT_ID, PERCENT, max=3.0)
    measured(site, CT_ID, PERCENT, max=11.0)
    assert lines(site)["SUVmax"] == ["10", "11", "+10.0 %"]


@pytest.mark.parametrize(
    ("other", "unit"), [({"threshold": 50.0}, "SUVbw"), ({"hottest": False}, "SUVbw"), ({}, "Bq/ml"), ({}, "")]
)
def test_what_was_measured_otherwise_is_not_compared(site: Site, other: dict, unit: str):
    measured(site, PET_ID, PERCENT)
    measured(site, CT_ID, PERCENT | other, unit)
    assert lines(site) == {}
    assert "Nothing was measured in both by the same rule yet" in text(site.page(f"/volumes/{PET_ID}/beside/{CT_ID}"))


def test_from_nothing_there_is_no_change_in_percent(site: Site):
    measured(site, PET_ID, PERCENT, max=0.0)
    measured(site, CT_ID, PERCENT, max=3.0)
    assert lines(site)["SUVmax"] == ["0", "3", "–"]

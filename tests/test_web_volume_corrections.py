"""An SUV that was corrected by hand: its page tells who, when, why and what, and figures tell that they follow it."""

import csv
import json
from io import StringIO

import pytest
from sqlalchemy import insert

from ledger import clock
from ledger.engine import writing
from ledger.ids import new_id
from ledger.tables import corrections, measurements
from tests.stored_volumes import CT_ID, FACTOR, PET_ID
from tests.test_web_volume_beside import FIGURES, PERCENT
from tests.volume_site import with_both  # noqa: F401
from tests.web_steps import Site, text

INPUTS = {"weight_kg": 70.0, "dose_bq": 368_080_000.0, "half_life_s": 6586.2}
OF_FILE = {"factor": FACTOR, "kind": "BW", "inputs": INPUTS, "notes": []}
BY_HAND = OF_FILE | {"factor": FACTOR * 80 / 70, "inputs": INPUTS | {"weight_kg": 80.0}}
PAGE = f"/volumes/{PET_ID}"


@pytest.fixture(autouse=True)
def as_it_was_read(site: Site) -> None:
    with writing(site.engine) as connection:
        for table in (corrections, measurements):
            connection.execute(table.delete())


def correct(site: Site, suv: dict, reason: str = "", by: str = "ana") -> None:
    noted = {"id": new_id(), "volume_id": PET_ID, "created_by": by, "created_at": clock.now()}
    with writing(site.engine) as connection:
        connection.execute(insert(corrections), [noted | {"suv": json.dumps(suv), "reason": reason}])


def measure(site: Site, suv: dict | None, volume_id: str = PET_ID) -> str:
    """The address of the measurement."""
    told = {"unit": "SUVbw", "suv": suv, "whole": FIGURES, "parts": [], "number": 0}
    noted = {"id": new_id(), "volume_id": volume_id, "created_by": "ben", "created_at": clock.now()}
    with writing(site.engine) as connection:
        row = noted | {"rule": json.dumps(PERCENT), "figures": json.dumps(told)}
        connection.execute(insert(measurements), [row])
    return f"/volumes/{volume_id}/measurements/{noted['id']}"


def measured(site: Site) -> str:
    return text(site.page(f"{PAGE}/measurements").select_one("article.measured"))


def test_a_volume_tells_who_corrected_its_suv_why_and_what(site: Site):
    assert "corrected by hand" not in text(site.page(PAGE).main)
    correct(site, BY_HAND, "the nurse's <note>")
    (told,) = site.page(PAGE).select("section.suv")
    assert text(told.h3).startswith("SUV corrected by hand by ana ") and text(told.blockquote) == "the nurse's <note>"
    changed = {text(name): text(name.find_next("dd")) for name in told.select("dt")}
    assert changed == {"SUV of one stored unit": "2.777781e-04 → 3.174607e-04", "weight_kg": "70 → 80"}


def test_earlier_corrections_stay_to_be_read(site: Site):
    correct(site, BY_HAND)
    correct(site, BY_HAND | {"inputs": INPUTS | {"weight_kg": 81.0}}, by="ben")
    correct(site, OF_FILE, by="eva")
    told = site.page(PAGE)
    heads = [text(each.h3).split()[5] for each in told.select("section.suv")]
    assert heads == ["eva", "ben", "ana"]
    assert "2 earlier corrections" in [text(each) for each in told.select("summary")]
    assert "weight_kg 80 → 81" in text(told.select("section.suv")[1])


def test_figures_tell_the_correction_that_they_follow_and_whether_it_holds(site: Site):
    measure(site, OF_FILE)
    assert "corrected" not in measured(site)
    correct(site, BY_HAND, "typing error")
    assert "was corrected since then" in measured(site) and "by hand" not in measured(site)
    measure(site, BY_HAND)
    assert "SUV corrected by hand by ana" in measured(site) and "“typing error”" in measured(site)
    assert "since then" not in measured(site)
    correct(site, OF_FILE)
    assert "SUV corrected by hand by ana" in measured(site) and "since then" in measured(site)


def test_a_measurement_from_before_there_was_an_suv_is_out_of_date(site: Site):
    correct(site, BY_HAND)
    measure(site, None)
    assert "was corrected since then" in measured(site) and "by hand" not in measured(site)


def test_tables_and_comparisons_tell_it_too(site: Site):
    correct(site, BY_HAND)
    address = measure(site, BY_HAND)
    (row,) = csv.DictReader(StringIO(site.client.get(f"{address}/figures.csv").text))
    assert row["SUV corrected by"] == "ana"
    measure(site, None, CT_ID)
    assert text(site.page(f"{PAGE}/beside/{CT_ID}").select_one(".changes")).count("corrected by hand by ana") == 1

"""The pages about volumes but for the viewer: list, deletion, subjects, measurements, offers, files sent ahead."""

import csv
import gzip
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import numpy as np
import pytest
from sqlalchemy import insert, select

from ledger import clock, fleet, volumes
from ledger.claims import Claims, Wanted
from ledger.engine import reading, writing
from ledger.fleet import NewProcess
from ledger.ids import new_id
from ledger.queries import volumes as queries
from ledger.tables import measurements
from ledger.tables import runs as runs_table
from ledger.volume_files import LABELS, MASK, MEASUREMENTS
from ledger.volumes import NewVolume
from tests import stored_volumes
from tests.ledger_steps import failed, finish, succeeded, written
from tests.ledgers import prepare
from tests.processes import wait_until
from tests.stored_volumes import CT_ID, PET_ID
from tests.web_steps import Site, text
from web import subjects
from workers.catalog import announce
from workers.jobs.measurements import measure
from workers.jobs.volumes import ingest


@pytest.fixture(scope="module", name="served")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a CT and a PET, and workers that serve the jobs on volumes."""
    made = Site(tmp_path_factory.mktemp("site") / "var")
    prepare(made.engine)
    stored_volumes.keep_both(made.settings.volumes)
    stored_volumes.note_all(made.engine, made.settings.volumes)
    serve(made)
    yield made
    made.close()


@pytest.fixture(name="site")
def empty(tmp_path) -> Iterator[Site]:
    """Without a volume."""
    made = Site(tmp_path / "var")
    prepare(made.engine)
    serve(made)
    yield made
    made.close()


def serve(site: Site) -> Claims:
    """A worker that is alive and knows the jobs on volumes."""
    known = [announce(actor) for actor in (ingest, measure)]
    me = NewProcess(kind="worker", queues=["volumes"], jobs=[job.name for job in known])
    fleet.register(site.engine, me, known)
    return Claims(me.id, me.name, me.jobs)


def names(page) -> list[str]:
    return [text(row.select_one("b")) for row in page.select("table.volumes tbody tr")]


def test_the_list_shows_what_is_kept_the_newest_first(served: Site):
    page = served.page("/volumes")
    assert names(page) == ["phantom_pet", "phantom_ct"]
    row = page.select_one("table.volumes tbody tr")
    assert row.img["src"] == f"/volumes/{PET_ID}/data/thumbnail.png"
    assert "PT 44 × 40 × 50" in text(row) and "Bq/ml" in text(row)
    assert served.client.get(row.img["src"]).mimetype == "image/png"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=_ct", ["phantom_ct"]),
        ("modality=PT", ["phantom_pet"]),
        ("since=2010-01-02&until=2010-01-02", ["phantom_pet", "phantom_ct"]),
        ("until=2009-12-31", []),
    ],
)
def test_volumes_are_found_by_what_is_known_of_them(served: Site, query: str, found: list[str]):
    assert names(served.page(f"/volumes?{query}")) == found


def test_a_date_that_is_none_is_told_at_its_field(served: Site):
    page = served.page("/volumes?since=yesterday&q=ct", 422)
    assert text(page.select_one("#since-error")).startswith("This is no date.")
    assert page.select_one("[name=since]")["value"] == "yesterday" and page.select_one("[name=q]")["value"] == "ct"


def test_an_empty_list_says_how_to_fill_it(site: Site):
    page = site.page("/volumes")
    assert "No volumes yet" in text(page.main) and page.select_one("main a.btn.pri")["href"] == "/jobs/volumes.ingest"


def test_a_volume_is_deleted_with_its_folder_after_one_more_question(served: Site):
    volume_id = f"{CT_ID[:-2]}dd"
    folder = served.settings.volumes / volume_id
    stored_volumes.store.write(stored_volumes.ct((4, 6, 6)), folder, volume_id, "small")
    stored_volumes.note(served.engine, folder)
    page = served.page(f"/volumes/{volume_id}/deletion")
    assert "6 × 6 × 4 voxels" in text(page.main)
    answer = served.press(page.main, "Delete this volume")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/volumes")
    assert not folder.exists() and served.client.get(f"/volumes/{volume_id}").status_code == 404
    assert served.press(page.main, "Delete this volume").status_code == 404


@pytest.mark.parametrize("path", ["x", "x/deletion", "x/measurements", f"{CT_ID[1:]}0"])
def test_what_is_no_volume_is_not_there(served: Site, path: str):
    assert "No such volume" in text(served.page(f"/volumes/{path}", 404).main)


# A page per subject


def runs_of(site: Site) -> list:
    with reading(site.engine) as connection:
        return connection.execute(select(runs_table).order_by(runs_table.c.id)).fetchall()


def test_a_subject_with_a_volume_leads_to_the_newest(served: Site):
    answer = served.client.get("/subjects/phantom-1")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/volumes/{PET_ID}")


def test_a_subject_is_loaded_when_its_page_is_opened_first_and_only_once(site: Site):
    for _ in range(2):
        page = site.page("/subjects/17")
        assert "being loaded from 17.mpv" in text(page.main)
    (run,) = runs_of(site)
    assert (run.job, run.queue) == ("volumes.ingest", "volumes")
    assert json.loads(run.args)["kwargs"] == {"path": "17.mpv", "subject": "17", "name": "17"}
    assert page.select_one("#live")["hx-get"] == "/subjects/17"


def test_a_subject_that_cannot_be_loaded_says_why_and_is_loaded_again_when_asked(site: Site):
    site.page("/subjects/17")
    held = held_by_a_worker(site)
    finish(site.engine, failed(held, error="There is no readable file “17.mpv” in the files folder."))
    page = site.page("/subjects/17")
    assert "could not be loaded" in text(page.main) and "no readable file" in text(page.main)
    assert not page.select_one("#live").get("hx-get")
    for _ in range(2):  # a double click
        assert site.press(page.main, "Load it again").headers["Location"] == "/subjects/17"
    assert [run.state for run in runs_of(site)] == ["failed", "queued"]


def held_by_a_worker(site: Site):
    """The only run that waits."""
    (held,) = written(site.engine, serve(site).take, Wanted("volumes", 1))
    return held


def test_a_visitor_waits_a_little_for_the_picture(site: Site):
    """It is there within the second: the page of the volume comes at once."""
    site.page("/subjects/17")
    volume_id = keep_seventeen(site)
    assert site.client.get("/subjects/17").headers["Location"] == f"/volumes/{volume_id}"


def test_a_picture_that_comes_while_a_visitor_waits_is_seen(site: Site, monkeypatch):
    monkeypatch.setattr(subjects, "PATIENCE_SECONDS", 10.0)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(site.client.get, "/subjects/17")
        wait_until(lambda: runs_of(site), 5, "the visit has started its loading")
        volume_id = keep_seventeen(site)
        assert answer.result().headers["Location"] == f"/volumes/{volume_id}"


def keep_seventeen(site: Site) -> str:
    """Does what the run that loads subject 17 would do; the volume's id."""
    held = held_by_a_worker(site)
    said = {"name": "17", "subject": "17", "label": "", "modality": "", "acquired": "", "unit": "", "bytes": 1}
    written(site.engine, volumes.keep, NewVolume(run_id=held.id, claim_token=held.token, sidecar=said))
    finish(site.engine, succeeded(held))
    return held.id


# Measurements


@pytest.fixture
def measured(served: Site) -> Iterator[str]:
    """The id of a measurement of the PET, with two parts."""
    run_id = new_id()
    whole = figures(voxels=5, max=7.5)
    told = {"whole": whole, "parts": [whole, figures(voxels=1, max=2.5)], "number": 2, "unit": "SUVbw"}
    rule = {"kind": "percent", "threshold": 41.0, "hottest": True, "cut": 3.075, "unit": "SUVbw", "notes": []}
    with writing(served.engine) as connection:
        row = {"id": run_id, "volume_id": PET_ID, "rule": json.dumps(rule), "figures": json.dumps(told)}
        row |= {"created_by": "ana", "created_at": clock.now()}
        connection.execute(insert(measurements), [row])
    folder = served.settings.volumes / PET_ID / MEASUREMENTS / run_id
    folder.mkdir(parents=True)
    (folder / LABELS).write_bytes(gzip.compress(np.ones(44 * 40 * 50, "<u2").tobytes()))
    (folder / MASK).write_bytes(b"nifti")
    yield run_id
    volumes.forget_measurement(served.engine, run_id)


def figures(**some) -> dict:
    every = dict.fromkeys(("max", "peak", "peak_at_max", "mean", "deviation", "min", "ml", "total"), 1.0)
    return every | {"voxels": 1, "hottest_xyz": [1, 2, 3], "hottest_mm": [1.0, 2.0, 3.0], "centre_mm": [1, 2, 3]} | some


def test_figures_stand_beside_their_rule(served: Site, measured: str):
    page = served.page(f"/volumes/{PET_ID}/measurements")
    card = page.select_one("article.measured")
    assert text(card.h3) == "≥ 41 % of the maximum (≥ 3.075 SUVbw), connected to the hottest voxel"
    heads = [text(each) for each in card.select("th")[:9]]
    assert heads == ["Part", "SUVmax", "SUVpeak", "SUVpeak at max", "SUVmean", "SD", "MTV ml", "TLG", "Voxels"]
    assert [text(row.select_one("td")) for row in card.select("tbody tr")] == ["7.5", "7.5", "2.5"]


def test_a_measurement_is_exported(served: Site, measured: str):
    address = f"/volumes/{PET_ID}/measurements/{measured}"
    rows = list(csv.DictReader(StringIO(served.client.get(f"{address}/figures.csv").text)))
    assert [(row["part"], row["max"], row["unit"]) for row in rows] == [
        ("whole", "7.5", "SUVbw"), ("1", "7.5", "SUVbw"), ("2", "2.5", "SUVbw"),
    ]  # fmt: skip
    mask = served.client.get(f"{address}/mask.nii.gz")
    assert mask.data == b"nifti" and "phantom_pet-mask.nii.gz" in mask.headers["Content-Disposition"]
    labels = served.client.get(f"{address}/labels.gz")
    assert labels.headers["Content-Encoding"] == "gzip" and len(gzip.decompress(labels.data)) == 2 * 44 * 40 * 50
    assert served.client.get(f"/volumes/{CT_ID}/measurements/{measured}/figures.csv").status_code == 404


def test_a_measurement_is_deleted_with_its_region(served: Site, measured: str):
    page = served.page(f"/volumes/{PET_ID}/measurements")
    served.client.post(page.select_one("article.measured form")["action"], data=token_of(page))
    assert queries.measurement(served.engine, measured) is None
    assert not (served.settings.volumes / PET_ID / MEASUREMENTS / measured).exists()


def token_of(page) -> dict[str, str]:
    return {"csrf_token": page.select_one("[name=csrf_token]")["value"]}


def asked(served: Site, **changes: str):
    """The form of the volume's page, sent."""
    page = served.page(f"/volumes/{PET_ID}")
    form = page.select_one("#measure")
    fields = {field["name"]: field.get("value", "") for field in form.select("input[name]:not([type=file])")}
    fields["arg-rule"] = "percent"
    return served.client.post(form["action"], data=fields | changes)


def test_the_form_on_the_page_of_a_volume_starts_a_run(served: Site):
    answer = asked(served)
    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"/volumes/{PET_ID}/measurements?run=")
    page = served.page(answer.headers["Location"])
    assert "Measuring." in text(page.main) and page.select_one("#live")["hx-get"]
    (run,) = runs_of(served)
    kwargs = json.loads(run.args)["kwargs"]
    assert (kwargs["volume"], kwargs["rule"], kwargs["threshold"], kwargs["hottest"]) == (PET_ID, "percent", 41, True)
    finish_all(served, "No voxel is in that region: nothing there is 99 or more.")
    page = served.page(answer.headers["Location"])
    assert "Nothing was measured. No voxel is in that region" in text(page.main)
    assert not page.select_one("#live").get("hx-get")


def finish_all(site: Site, error: str) -> None:
    finish(site.engine, failed(held_by_a_worker(site), error=error))


def test_a_number_that_is_none_is_told_at_its_field_and_nothing_typed_is_lost(served: Site):
    answer = asked(served, **{"arg-threshold": "much", "arg-centre": "1, 2, 3"})
    assert answer.status_code == 422
    assert "much" in answer.text and 'value="1, 2, 3"' in answer.text and "arg-threshold-error" in answer.text


# What a run offers, and files that are sent ahead


def test_what_a_run_offers_is_started_with_one_press(site: Site):
    site.page("/subjects/17")
    held = held_by_a_worker(site)
    offered = [{"words": f"series {key}", "arguments": {"series": key}} for key in "ab"]
    finish(site.engine, succeeded(held, result=json.dumps({"offered": offered})))
    page = site.page(f"/runs/{held.id}")
    assert [text(each.b) for each in page.select(".offers li")] == ["series a", "series b"]
    forms = page.select(".offers form")
    for _ in range(2):
        answer = site.client.post(forms[1]["action"], data=token_of(page))
        assert answer.status_code == 303
    first, second = runs_of(site)
    assert json.loads(second.args)["kwargs"] == json.loads(first.args)["kwargs"] | {"series": "b"}
    assert second.parent_id == first.id
    assert site.client.post(f"/runs/{held.id}/offers/9/runs", data=token_of(page)).status_code == 404


def test_a_result_that_only_looks_like_an_offer_is_shown_as_it_is(site: Site):
    site.page("/subjects/17")
    held = held_by_a_worker(site)
    finish(site.engine, succeeded(held, result=json.dumps({"offered": ["tea", 3]})))
    page = site.page(f"/runs/{held.id}")
    assert not page.select(".offers") and "tea" in text(page.main)


def test_a_file_that_is_sent_ahead_is_kept_and_named_by_the_form(site: Site):
    page = site.page("/jobs/volumes.ingest")
    assert "At most 2 GB" in text(page.main)
    header = {"X-CSRFToken": token_of(page)["csrf_token"]}
    answer = site.client.put("/uploads?name=../a/file.mpv", data=b"voxels", headers=header)
    assert answer.status_code == 201 and answer.json["name"] == "file.mpv"
    reference = answer.json["reference"]
    assert re.fullmatch(r"upload:[0-9a-f-]{36}/file\.mpv", reference)
    assert next(site.settings.uploads.rglob("file.mpv")).read_bytes() == b"voxels"
    again = site.page(f"/jobs/volumes.ingest?arg-files={reference}")
    assert again.select_one(f'input[value="{reference}"]').has_attr("checked")


def test_nobody_sends_a_file_without_the_token_of_a_page(site: Site):
    assert site.client.put("/uploads?name=a", data=b"x").status_code == 400
    assert not site.settings.uploads.exists()


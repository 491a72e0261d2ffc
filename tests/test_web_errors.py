"""Every error has a page that says what happened and what to do."""

import pytest

from ledger.errors import JobNotFound, ScheduleNotFound
from ledger.ids import new_id
from ledger.presence import Presence
from tests.ledger_steps import dispatch, state
from tests.ledgers import prepare
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)


def test_an_unknown_address(site: Site):
    page = site.page("/nowhere", 404)
    assert text(page.h1) == "Nothing here" and page.select_one("a.btn")["href"] == "/"


def test_an_unknown_job_and_an_unknown_schedule(site: Site):
    assert "unheard" in text(site.page("/jobs/unheard", 404).main)
    assert "schedule" in text(site.page(f"/schedules/{new_id()}", 404).main)


@pytest.mark.parametrize(
    ("error", "to"), [(JobNotFound("x"), "/jobs"), (ScheduleNotFound("x"), "/schedules")]
)
def test_errors_of_the_ledger_lead_back(site: Site, error: Exception, to: str):
    fail_with(site, error)
    assert site.page("/fails", 404).select_one("a.btn")["href"] == to


def fail_with(site: Site, error: Exception) -> None:
    def fail():
        raise error

    site.app.add_url_rule("/fails", view_func=fail)


def test_a_fault_of_ours_shows_nothing_of_its_insides(site: Site, caplog):
    fail_with(site, RuntimeError("secret detail"))
    page = site.page("/fails", 500)
    assert "secret detail" not in str(page)
    assert "secret detail" in caplog.text


def test_a_form_without_its_key_does_nothing(site: Site):
    run_id = dispatch(site.engine)
    response = site.client.post(f"/runs/{run_id}/cancellation")
    assert response.status_code == 400 and "The form was too old" in response.text
    assert state(site.engine, run_id) == "queued"


def test_a_form_with_the_key_of_somebody_else_does_nothing(site: Site):
    run_id = dispatch(site.engine)
    page = site.page(f"/runs/{run_id}")
    site.client = site.app.test_client()
    assert site.press(page, "Cancel").status_code == 400
    assert state(site.engine, run_id) == "queued"


def test_what_is_too_large_is_told_the_cap(tmp_path):
    small = Site(tmp_path / "var", upload_limit_mb=1)
    prepare(small.engine)
    response = small.client.post("/runs/x/reruns", data={"key": "x" * 2_000_000})
    assert response.status_code == 413 and "up to 1 MB" in response.text
    small.close()


def test_a_ledger_without_tables_is_a_clear_503(tmp_path):
    site = Site(tmp_path / "var")
    for path in ("/", "/runs", "/sign-in"):
        page = site.page(path, 503)
        assert "python -m ledger" in text(page.main)
    assert site.client.get("/healthz").status_code == 200
    assert site.client.get("/readyz").json == {"ok": False, "ledger": "not migrated", "scheduler": "unknown"}
    assert site.client.get("/static/app.css").status_code == 200
    site.close()


def test_a_ledger_that_is_away_is_a_503_that_says_where_to_look(tmp_path):
    address = "postgresql+psycopg://ana:secret@127.0.0.1:1/waybill"
    site = Site(tmp_path / "var", database_url=address)
    response = site.client.get("/runs")
    page = site.page("/runs", 503)
    assert response.headers["Retry-After"] == "5"
    assert "The ledger is away" in text(page.h1)
    assert "postgresql+psycopg://ana@127.0.0.1:1/waybill" in text(page.main)
    assert "Does PostgreSQL run" in text(page.main)
    assert "secret" not in str(page)
    ready = site.client.get("/readyz")
    assert (ready.status_code, ready.json["ledger"]) == (503, "away")
    site.close()


def test_a_ledger_that_goes_away_is_noticed_and_the_strip_still_answers(site: Site, monkeypatch):
    dispatch(site.engine)
    site.page("/")
    monkeypatch.setattr("ledger.engine.BUSY_SECONDS", 0.1)
    site.engine.dispose()
    (site.settings.var / "ledger.db").rename(site.settings.var / "moved.db")
    (site.settings.var / "ledger.db").mkdir()
    assert "What to look at" in text(site.page("/", 503).main)
    strip = site.page("/strip", **{"HX-Request": "true"})
    assert "Ledger away" in text(strip)


def test_an_outage_keeps_its_beginning(tmp_path):
    site = Site(tmp_path / "var", database_url="postgresql+psycopg://127.0.0.1:1/waybill")
    first, second = (site.page("/", 503).select_one("time")["datetime"] for _ in range(2))
    assert first == second
    site.close()


def test_the_site_is_ready_while_a_scheduler_beats(tmp_path):
    site = Site(tmp_path / "var")
    prepare(site.engine)
    assert site.client.get("/readyz").json == {"ok": False, "ledger": "ok", "scheduler": "away"}
    presence = Presence(site.engine, "scheduler")
    presence.beat()
    ready = site.client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"ok": True, "ledger": "ok", "scheduler": "ok"})
    presence.sign_off()
    assert site.client.get("/readyz").status_code == 503
    site.close()

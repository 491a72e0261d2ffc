"""Forms that are sent as nobody should: each answer says at its field what is wrong, and keeps what was typed."""

import pytest
from bs4 import BeautifulSoup

from ledger import clock, recurrence, schedules
from ledger.engine import reading, writing
from ledger.ids import new_id
from ledger.tables import schedules as schedules_table
from tests.ledger_steps import dispatch
from tests.ledgers import prepare
from tests.test_web_jobs import announced, build_report, values
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)


def read(answer) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def token(site: Site) -> str:
    return site.page("/").select_one("[name=csrf_token]")["value"]


def nightly(site: Site) -> str:
    announced(site, build_report)
    with writing(site.engine) as connection:
        rule = recurrence.parse("interval", "60", anchor=clock.now())
        new = schedules.NewSchedule(name="nightly", job="build_report", rule=rule, catchup="none", args={"month": "x"})
        schedule_id = schedules.create(connection, new)
        schedules.fire(connection, schedule_id, clock.now() + 300 * clock.SECOND)
    return schedule_id


@pytest.mark.parametrize("typed", ["", "x" * 61, "a\x01b", "two\nlines"])
def test_a_tag_that_is_refused_stays_in_its_field(site: Site, typed: str):
    run_id = dispatch(site.engine)
    answer = site.client.post(f"/runs/{run_id}/tags", data={"tag": typed, "csrf_token": token(site)})
    page = read(answer)
    assert answer.status_code == 422
    assert text(page.select_one("#tag-error")) == "A tag has 1 to 60 characters, on one line."
    field = page.select_one("#tags [aria-describedby=tag-error]")
    assert field["value"].split() == typed.split()


@pytest.mark.parametrize("tick", ["9" * 5_000, str(2**70), "²", "-1", "🙂"])
def test_what_is_no_tick_is_none(site: Site, tick: str):
    path = f"/schedules/{nightly(site)}/missed"
    answer = site.client.post(path, data={"tick": tick, "csrf_token": token(site)})
    assert answer.status_code == 422 and "Choose at least one tick." in answer.text
    assert not read(answer).select("[name=tick][checked]")
    assert site.page(path).select("[name=tick][checked]")


@pytest.mark.parametrize("act", ["pauses", "resumptions"])
def test_nothing_is_done_to_schedules_that_are_not_there(site: Site, act: str):
    for ids in ([], [new_id()], ["nonsense"]):
        sent = {"id": ids, "reason": "why", "length": "60", "csrf_token": token(site)}
        answer = site.client.post(f"/schedules/{act}", data=sent)
        assert answer.status_code == 422 and "Nothing was chosen." in text(read(answer).select_one(".alert"))
        assert act == "resumptions" or read(answer).select_one("[name=reason]")["value"] == "why"


def test_a_measurement_that_somebody_deleted_is_not_there(site: Site):
    path = f"/volumes/{new_id()}/measurements/{new_id()}/deletion"
    answer = site.client.post(path, data={"csrf_token": token(site)})
    assert answer.status_code == 404 and "Somebody may have deleted it." in answer.text


@pytest.mark.parametrize("name", ["a\x00b", "a\x1b[31m", "two\nlines"])
def test_a_schedule_is_not_called_what_nobody_can_see(site: Site, name: str):
    announced(site, build_report)
    form = site.page("/schedules/new?job=build_report").select_one("main form")
    sent = values(form) | {"name": name, "rule": "0 3 * * *", "arg-month": "2026-10"}
    answer = site.client.post(form["action"], data=sent)
    assert answer.status_code == 422
    assert "signs that can be seen" in text(read(answer).select_one("#name-error"))
    with reading(site.engine) as connection:
        assert connection.execute(schedules_table.select()).fetchall() == []


@pytest.mark.parametrize("name", ["x" * 61, "a\x00b", "a\u202eb"])
def test_who_signs_in_has_a_name_that_can_be_read(tmp_path, name: str):
    site = Site(tmp_path / "var", waybill_password="hush-hush")
    prepare(site.engine)
    answer = site.press(site.page("/sign-in"), "Sign in", name=name, password="hush-hush")
    assert answer.status_code == 422
    assert text(read(answer).select_one("#name-error")) == "A name has up to 60 characters, on one line."
    assert read(answer).select_one("#name")["value"] == name
    site.close()


def test_a_form_that_was_too_old_can_be_sent_again_with_what_it_said(site: Site):
    announced(site, build_report)
    sent = {"arg-month": "2026-10 <b>🙂", "arg-regions": ["EU", "US"], "csrf_token": "stale"}
    answer = site.client.post("/jobs/build_report/runs", data=sent, headers={"Origin": "http://localhost"})
    form = read(answer).select_one("main form")
    assert answer.status_code == 400 and "The form was too old" in answer.text
    kept = [(field["name"], field["value"]) for field in form.select("input") if field["name"] != "csrf_token"]
    assert kept == [("arg-month", "2026-10 <b>🙂"), ("arg-regions", "EU"), ("arg-regions", "US")]
    again = site.client.post("/jobs/build_report/runs", data=values(form))
    assert again.status_code in (303, 422) and "too old" not in again.text


@pytest.mark.parametrize("origin", ["http://evil.test", "null", ""])
def test_what_another_site_filled_in_is_not_offered(site: Site, origin: str):
    sent = {"arg-month": "2026-10", "csrf_token": "stale"}
    answer = site.client.post("/jobs/build_report/runs", data=sent, headers={"Origin": origin})
    assert answer.status_code == 400 and "2026-10" not in answer.text


NOWHERE = ("/schedules/%00", "/schedules/a%00b/pause", "/subjects/%00", "/actions/of/%00", "/queues/%00")
ASKED = ("/schedules?q=%00&from=%00", "/volumes?q=%00&modality=%00", "/dead-letters?queue=%00")


def test_a_nul_in_an_address_is_no_error_of_the_site(postgresql_url: str, tmp_path):
    site = Site(tmp_path / "var", database_url=postgresql_url)
    prepare(site.engine)
    assert {site.client.get(path).status_code for path in NOWHERE} == {404}
    for path in ("/queues/%00/resumption", "/schedules/%00/keeping"):
        assert site.client.post(path, data={"csrf_token": token(site)}).status_code == 404
    assert {site.client.get(path).status_code for path in (*ASKED, "/dead-letters/kind?queue=%00")} == {200}
    site.close()


def test_pressing_run_now_with_a_key_that_is_none_starts_a_run(site: Site):
    path = f"/schedules/{nightly(site)}/runs"
    answers = [site.client.post(path, data={"key": key, "csrf_token": token(site)}) for key in ("a\x00", "x" * 99)]
    assert [answer.status_code for answer in answers] == [303, 303]


def test_messages_that_somebody_has_forgotten_are_not_there(site: Site):
    sent = {"queue": "mail", "reason": "it is empty", "up_to": new_id(), "csrf_token": token(site)}
    answer = site.client.post("/dead-letters/kind", data=sent)
    assert answer.status_code == 404 and "There are no such messages any more." in answer.text

"""Declared schedules on pages: where they come from, what was edited and how to go back, what is no longer declared."""

from dataclasses import replace

import pytest

from ledger.declarations import DeclarationError
from ledger.statements import fault
from tests.declared_steps import code, deploy, file, process, row, said
from tests.test_web_jobs import Site, announced, build_report, site
from tests.test_web_schedules import form_of, press, send
from tests.web_steps import text

__all__ = ["site"]

MONTH = {"month": "2026-10"}


def report(name: str = "nightly", **changes):
    return said(name, **{"job": "build_report", "args": MONTH} | changes)


@pytest.fixture(autouse=True)
def jobs(site: Site) -> None:
    announced(site, build_report, queues=("default",))


def page_of(site: Site, name: str = "nightly"):
    return site.page(f"/schedules/{row(site.engine, name).id}")


def edited(site: Site, **typed):
    return send(site, site.page(f"/schedules/{row(site.engine).id}/edit"), 303, **typed)


def made_here(site: Site, name: str) -> None:
    typed = {"name": name, "rule": "@daily", "arg-month": "2026-10"}
    send(site, site.page("/schedules/new?job=build_report"), 303, **typed)


def test_the_list_and_the_page_say_where_a_schedule_comes_from(site):
    process(site.engine, code(report()))
    process(site.engine, file(report("stock", every="15 min")))
    listed = text(site.page("/schedules"))
    assert "nightly In code" in listed and "stock In schedules.toml" in listed
    shown = text(page_of(site))
    assert "In code" in shown and "Declared in shop/tasks.py:7" in shown and "Made by" not in shown
    made_here(site, "mine")
    assert "mine Made here" in text(site.page("/schedules"))


def test_an_edit_shows_what_differs_field_by_field_and_goes_back_to_the_code(site):
    process(site.engine, code(report()))
    page = edited(site, rule="0 5 * * *", overlap="allow", **{"arg-month": "2026-11"})
    cells = [[text(cell) for cell in each.select("td")] for each in page.select("section tbody tr") if each.select("b")]
    assert cells == [
        ["Rule", "0 5 * * *", "0 3 * * *"],
        ["Overlap", "allow overlaps", "skip while running"],
        ["month", "2026-11", "2026-10"],
    ]
    assert "nightly Edited here" in text(site.page("/schedules"))
    page = press(site, page, "Reset to the code")
    assert "It is as declared again" in text(page) and "Edited here" not in text(page)
    assert row(site.engine).rule == "0 3 * * *"


def test_a_form_sent_as_it_stands_edits_nothing(site):
    process(site.engine, code(report(every="15 min", jitter="5 min", keep=7)))
    assert "It is declared in code or a file." in text(site.page(f"/schedules/{row(site.engine).id}/edit"))
    assert "Edited here" not in text(edited(site))


def test_what_is_no_longer_in_the_code_asks_whether_to_keep_it(site):
    deploy(site.engine, process(site.engine, code(report())), code(jobs=("build_report",)))
    said_of_it = text(page_of(site))
    assert "It is no longer in the code. It was declared in shop/tasks.py:7" in said_of_it
    assert "It fires no more until you decide." in said_of_it and "Paused by" not in said_of_it
    listed = text(site.page("/schedules"))
    assert "nightly No longer in the code" in listed and "no longer declared" in listed
    page = press(site, page_of(site), "Keep it here")
    assert "one of this site’s own now" in text(page) and "Made here" in text(page)
    assert row(site.engine).paused_at is None


def test_what_is_no_longer_in_the_file_can_be_deleted(site):
    deploy(site.engine, process(site.engine, file(report())), file())
    assert "No longer in the file" in text(page_of(site))
    question = site.page(f"/schedules/{row(site.engine).id}/deletion")
    assert "Deleted the schedule" in text(press(site, question, "Delete this schedule"))


def test_what_is_declared_is_paused_instead_of_deleted(site):
    process(site.engine, code(report()))
    schedule_id = row(site.engine).id
    question = site.page(f"/schedules/{schedule_id}/deletion")
    assert "deleted here, it would come back" in text(question) and not question.select("main button")
    token = question.select_one('meta[name="csrf-token"]')
    token = token["content"] if token else form_of_token(site)
    response = site.client.post(f"/schedules/{schedule_id}/deletion", data={"csrf_token": token})
    assert response.status_code == 409 and "It is declared in shop/tasks.py:7" in response.text
    assert row(site.engine)


def form_of_token(site: Site) -> str:
    page = site.page("/schedules/new?job=build_report")
    return form_of(page).select_one('input[name="csrf_token"]')["value"]


def test_what_cannot_be_used_is_told_on_the_list_with_its_place(site):
    wrong = DeclarationError("“%(name)s” is not a time zone: did you mean %(like)s?", name="Madird", like="Madrid")
    faults = (fault("schedules.toml, [[schedule]] 1", wrong),)
    process(site.engine, replace(file(report(job="unheard")), faults=faults))
    listed = text(site.page("/schedules"))
    assert "2 declared schedules cannot be used." in listed and "Nothing is scheduled yet" in listed
    assert "schedules.toml, [[schedule]] 1: “Madird” is not a time zone: did you mean Madrid?" in listed
    assert "schedules.toml, “nightly”: No worker ever announced a job called “unheard”." in listed


def test_the_overview_tells_what_nobody_has_decided_about(site):
    deploy(site.engine, process(site.engine, code(report())), code(jobs=("build_report",)))
    press(site, page_of(site), "Run now")
    said_there = text(site.page("/"))
    assert "The schedule “nightly” is no longer in the code." in said_there
    assert "until somebody deletes or keeps it" in said_there


def test_a_name_that_is_taken_meanwhile_is_told_when_going_back(site):
    process(site.engine, code(report()))
    page = edited(site, name="renamed")
    made_here(site, "nightly")
    form = next(each for each in page.select("main form") if each["action"].endswith("/reset"))
    token = form.select_one('input[name="csrf_token"]')["value"]
    assert site.client.post(form["action"], data={"csrf_token": token}).status_code == 409


@pytest.mark.parametrize("act", ["reset", "keeping"])
def test_only_what_is_there_can_be_decided_about_and_with_the_forms_token(site, act):
    assert site.client.post(f"/schedules/nobody/{act}").status_code == 400
    token = form_of_token(site)
    assert site.client.post(f"/schedules/nobody/{act}", data={"csrf_token": token}).status_code == 404

"""Acting on many runs from the list: the page that asks, the one that follows, tags, saved views, export."""

import csv
import io
import json

from ledger import clock
from ledger.actions import JOB
from tests.ledger_steps import brought_to, dispatch, dispatch_many, row, running, state, worker
from tests.test_ledger_actions import work_off
from tests.web_steps import (
    Site,
    button,
    buttons,
    cells,
    text,
    visited,  # noqa: F401
)


def bar(page) -> dict[str, str]:
    """The form around the table, as a browser without JavaScript sends it when nothing is ticked."""
    return {field["name"]: field["value"] for field in page.select("#pick input[type=hidden]")}


def confirm(site: Site, action: str, *ids: str, **more: str):
    fields = bar(site.page("/runs")) | {"action": action} | more
    return site.client.get("/actions/new", query_string=[*fields.items(), *(("id", each) for each in ids)])


def asked(site: Site, path: str):
    return site.page(f"/actions/new?{path}")


def confirmed(site: Site, page, word: str, **changes: str) -> str:
    """The address of the action."""
    response = site.press(page, word, **changes)
    assert response.status_code == 303, response.text
    return response.location


def work(site: Site, location: str) -> None:
    work_off(site.engine, location.rpartition("/")[2])


def test_chosen_runs_are_canceled_after_a_page_that_says_so(site: Site):
    first, second, other = dispatch_many(site.engine, 3)
    worker(site.engine, JOB)
    page = site.page(confirm(site, "cancel", first, second).request.full_path)
    assert text(page.h1) == "Cancel 2 runs?" and "2 chosen runs" in text(page.main)
    assert state(site.engine, first) == "queued"
    location = confirmed(site, page, "Cancel 2 runs")
    assert "0 of 2" in text(site.page(location).main) or "next in line" in text(site.page(location).main)
    work(site, location)
    assert [state(site.engine, each) for each in (first, second, other)] == ["canceled", "canceled", "queued"]
    assert "2 canceled" in text(site.page(location).main)
    history = text(site.page(f"/runs/{first}").aside)
    assert "Canceled by someone with 1 other" in history


def test_what_nobody_serves_says_so(site: Site):
    location = confirmed(site, asked(site, f"action=cancel&id={dispatch(site.engine)}"), "Cancel 1 run")
    page = text(site.page(location).main)
    assert "Why not yet: no worker serves “default”" in page and "Every worker of this version does it" in page


def test_all_that_match_are_those_of_the_page_and_none_that_come_later(site: Site):
    brought_to(site.engine, "failed")
    page = asked(site, "action=rerun&tab=failed&job=add")
    assert "failed runs of add : 1 run, as they are now" in text(page.main)
    later = brought_to(site.engine, "failed").id
    location = confirmed(site, page, "Run 1 run again")
    work(site, location)
    assert "1 started again; they had been found failed" in text(site.page(location).main)
    assert "Belongs to" not in text(site.page(f"/runs/{later}").aside)


def test_many_runs_need_a_word(site: Site):
    dispatch_many(site.engine, 101, queue="mail")
    page = asked(site, "action=cancel&queue=mail")
    answer = site.press(page, "Cancel 101 runs")
    assert answer.status_code == 422 and "Type mail: these are many runs." in answer.text
    assert "Type 101 to go on" in text(asked(site, "action=cancel").main)
    assert site.press(page, "Cancel 101 runs", typed="mail").status_code == 303


def test_a_queue_has_to_be_named_and_the_move_can_be_undone(site: Site):
    run_id = dispatch(site.engine, queue="mail")
    page = asked(site, f"action=move&id={run_id}")
    assert site.press(page, "Move 1 run", target="no queue!").status_code == 422
    location = confirmed(site, page, "Move 1 run", target="slow")
    work(site, location)
    assert row(site.engine, run_id).queue == "slow"
    back = site.press(site.page(location), "Undo").location
    work(site, back)
    assert row(site.engine, run_id).queue == "mail"
    assert "Undo" not in buttons(site.page(location)) and "It was taken back" in text(site.page(location).main)
    assert "Undo" not in buttons(site.page(back))


def test_an_undo_says_what_it_took_back_and_what_was_done(site: Site):
    brought_to(site.engine, "failed")
    location = confirmed(site, asked(site, "action=rerun&tab=failed"), "Run 1 run again")
    work(site, location)
    back = site.press(site.page(location), "Undo").location
    work(site, back)
    page = site.page(back)
    assert text(page.h1).startswith("Undo of “Run 1 run again”")
    assert text(page.select_one(".c7 ul")) == "1 canceled"
    assert "Undo of “Run 1 run again”" in text(site.page("/actions").main)


def test_what_was_at_work_was_asked_to_stop_and_not_canceled(site: Site):
    running(site.engine)
    dispatch_many(site.engine, 2)
    location = confirmed(site, asked(site, "action=cancel"), "Cancel 3 runs")
    work(site, location)
    assert text(site.page(location).select_one(".c7 ul")) == "2 canceled 1 asked to stop"


def test_what_was_tagged_is_one_number_whatever_state_it_had(site: Site):
    brought_to(site.engine, "failed")
    dispatch(site.engine)
    location = confirmed(site, asked(site, "action=tag"), "Tag 2 runs", target="odd")
    work(site, location)
    assert text(site.page(location).select_one(".c7 ul")) == "2 tagged “odd”"


def test_an_action_is_found_again_and_undone_from_the_list_of_all(site: Site):
    assert "No bulk action yet" in text(site.page("/actions").main)
    run_id = dispatch(site.engine, queue="mail")
    location = confirmed(site, asked(site, f"action=move&id={run_id}"), "Move 1 run", target="slow")
    work(site, location)
    doing = site.page(site.page("/runs?job=waybill.bulk").select_one("table.runs b a")["href"])
    link = next(each["href"] for each in doing.main.select("a") if "The bulk action that this run does" in each.text)
    assert site.client.get(link).location == location
    listed = site.page("/actions")
    assert "Move 1 run to “slow”" in text(listed.main) and "Until" in text(site.page(location).main)
    back = site.press(listed, "Undo Move 1 run to “slow”").location
    work(site, back)
    assert row(site.engine, run_id).queue == "mail"
    assert text(site.page(back).h1).startswith("Undo of “Move 1 run to “slow””")
    assert "Undo Move" not in text(site.page("/actions").main)


def test_a_run_that_does_no_action_leads_to_none(site: Site):
    assert site.client.get(f"/actions/of/{dispatch(site.engine)}").status_code == 404


def test_sent_twice_it_is_one_action(site: Site):
    page = asked(site, f"action=cancel&id={dispatch(site.engine)}")
    assert confirmed(site, page, "Cancel 1 run") == confirmed(site, page, "Cancel 1 run")
    assert cells(site.page("/runs?job=waybill.bulk"), 0) == ["Queued"]


def test_nothing_ticked_is_said_and_nothing_matching_too(site: Site):
    run_id = dispatch(site.engine)
    answer = confirm(site, "cancel")
    assert answer.status_code == 303 and "Nothing was chosen" in text(site.page(answer.location).main)
    assert text(site.page(confirm(site, "cancel", all="1").request.full_path).h1) == "Cancel 1 run?"
    assert "There is nothing to do" in text(asked(site, "action=rerun&tab=failed").main)
    site.page("/actions/new?action=nonsense", 404)
    assert state(site.engine, run_id) == "queued"


def test_a_tab_offers_what_can_be_done_there(site: Site):
    brought_to(site.engine, "failed")
    assert [text(each) for each in site.page("/runs?tab=failed").select(".bar button")] == [
        "Run again…", "Discard…", "Tag…", "Untag…",
    ]  # fmt: skip


def test_an_unknown_action_is_not_found(site: Site):
    site.page("/actions/nonsense", 404)
    site.page("/views/nonsense", 405)


# Tags


def test_a_tag_is_added_and_taken_off_on_the_page_of_a_run(site: Site):
    run_id = dispatch(site.engine)
    site.press(site.page(f"/runs/{run_id}"), "Add", tag="urgent")
    assert cells(site.page("/runs?tag=urgent"), 1) == ["add urgent"]
    site.press(site.page(f"/runs/{run_id}"), "×")
    assert "No runs tagged “urgent”" in text(site.page("/runs?tag=urgent").main)
    assert "A tag has 1 to 60 characters" in site.press(site.page(f"/runs/{run_id}"), "Add", tag=" ").text


# Saved views


def test_a_list_is_saved_opened_renamed_and_deleted(site: Site):
    dispatch(site.engine, queue="mail")
    page = site.page("/runs?queue=mail&q=subject%3D42&nonsense=1")
    assert site.press(page, "Save", name="Post").location == "/runs?queue=mail&q=subject%3D42"
    assert site.page("/runs").select_one(".views li a")["href"] == "/runs?queue=mail&q=subject%3D42"
    taken = site.press(site.page("/runs"), "Save", name="Post")
    assert taken.status_code == 422 and "There is a view of this name already" in taken.text
    assert "runs on “mail” where subject = 42" in text(site.page("/views").main)
    site.press(site.page("/views"), "Rename", name="Letters")
    assert "Letters" in text(site.page("/runs").select_one(".views"))
    site.press(site.page("/views"), "Delete")
    assert "No saved views yet" in text(site.page("/views").main)


# Export


def test_an_export_is_harmless_in_a_spreadsheet(site: Site):
    run_id = dispatch(site.engine, created_by="=cmd|' /C calc'!A0", kwargs={"n": -1})
    response = site.client.get("/runs/export.csv?queue=default")
    assert response.is_streamed and "attachment" in response.headers["Content-Disposition"]
    [line] = csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")))
    assert (line["id"], line["created_by"], line["state"]) == (run_id, "'=cmd|' /C calc'!A0", "queued")
    assert json.loads(line["arguments"]) == {"args": [], "kwargs": {"n": -1}}


def test_an_export_as_lines_is_json(site: Site):
    dispatch(site.engine, kwargs={"subject": 42})
    dispatch(site.engine, kwargs={"subject": 43})
    [line] = site.client.get("/runs/export.jsonl?q=subject=42").text.splitlines()
    assert json.loads(line)["arguments"]["kwargs"] == {"subject": 42}
    site.page("/runs/export.xls", 404)


# The list


def test_more_filters_are_open_when_one_is_set_and_stay_in_the_form(site: Site):
    dispatch(site.engine)
    page = site.page("/runs?origin=form&from=2020-01-01T00:00&to=nonsense")
    assert page.select_one("details.more").has_attr("open") and len(page.select("tbody tr")) == 1
    assert page.select_one("input[name=from]")["value"] == "2020-01-01T00:00"
    assert page.select_one("input[name=to]")["value"] == ""
    early = f"{clock.to_datetime(clock.now()).year - 1}-01-01T00:00"
    assert f"No runs, until {early.replace('T', ' ')}" in text(site.page(f"/runs?to={early}").main)


def test_pages_lead_both_ways(site: Site, monkeypatch):
    monkeypatch.setattr("ledger.queries.runs.PAGE", 2)
    made = sorted(dispatch_many(site.engine, 5), reverse=True)
    oldest = link(site.page("/runs"), "Oldest")
    page = site.page(oldest)
    assert [each["id"] for each in page.select("tbody tr")] == [f"run-{each}" for each in made[3:]]
    above = site.page(link(page, "Newer runs"))
    assert [each["id"] for each in above.select("tbody tr")] == [f"run-{each}" for each in made[1:3]]
    assert site.poll(above).status_code in (200, 304) and link(above, "Newest") == "/runs"


def link(page, word: str) -> str:
    return next(each["href"] for each in page.select(".pages a") if text(each) == word)


def test_the_checkboxes_have_names(site: Site):
    dispatch(site.engine)
    page = site.page("/runs")
    assert page.select_one("tbody input[name=id]")["aria-label"].startswith("Choose add")
    assert button(page, "Cancel…").find_parent("form")["action"] == "/actions/new"

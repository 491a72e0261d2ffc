"""The page of a run that belongs to others, and of one that repeats another: tree, difference, history."""

from ledger import clock, fleet, runs
from ledger.fleet import Job, NewProcess
from ledger.queries.reruns import repeat_of
from tests.ledger_steps import HOUR, age, cancel, dispatch, failed, finish, retried, running, state, succeeded
from tests.test_ledger_families import done, group, of_group, of_pipeline
from tests.web_steps import (
    Site,
    button,
    text,
    visited,  # noqa: F401
)


def page_of(site: Site, run_id: str):
    return site.page(f"/runs/{run_id}")


def test_the_tree_is_a_nested_list_that_says_where_one_is(site: Site):
    group(site.engine, 2)
    good, bad = running(site.engine, **of_group("a")), running(site.engine, **of_group("b"))
    finish(site.engine, done(good), failed(bad))
    page = page_of(site, bad.id)
    tree = page.select_one("#family .tree")
    assert "Held up Group of 2 1 of 2 done, 1 failed: it cannot complete until that one is run again" in text(tree)
    assert "then collect, not started yet" in text(tree)
    assert tree.select_one("ul li.here a[aria-current=page]")["href"] == f"/runs/{bad.id}"


def test_the_failed_part_is_run_again_from_any_member_and_only_once(site: Site):
    group(site.engine, 2)
    good, bad = running(site.engine, **of_group("a")), running(site.engine, **of_group("b"))
    finish(site.engine, done(good), failed(bad))
    page = page_of(site, good.id)
    word = "Run the failed part again (1)"
    assert site.press(page, word).status_code == site.press(page, word).status_code == 303
    tree = page_of(site, good.id).select_one("#family")
    assert "run 2 times" in text(tree) and not tree.select("button")


def test_only_runs_of_the_family_are_run_again_by_its_button(site: Site):
    group(site.engine, 1)
    bad, stranger = running(site.engine, **of_group("a")), running(site.engine)
    finish(site.engine, failed(bad), failed(stranger))
    page = page_of(site, bad.id)
    site.press(page, "Run the failed part again (1)", runs=f"{stranger.id},nonsense")
    assert "run 2 times" not in text(page_of(site, bad.id).main)


def test_planned_steps_stand_in_the_tree(site: Site):
    first = running(site.engine, **of_pipeline("p", "resize", "publish"))
    assert "then resize, not started yet then publish, not started yet" in text(page_of(site, first.id).main)


def test_a_run_without_relatives_has_no_tree(site: Site):
    assert not page_of(site, dispatch(site.engine)).select("#family")


def test_a_repetition_says_what_differs_argument_by_argument(site: Site):
    first = running(site.engine, args=(1,), kwargs={"to": "ana", "old": True})
    finish(site.engine, failed(first))
    new = repeat_of(site.engine, first.id, "ana", None)
    same = runs.dispatch(site.engine, new)
    other = dispatch(site.engine, args=(1,), kwargs={"to": "bob", "more": 2}, parent_id=first.id, created_by="ana")
    assert "The same arguments." in text(page_of(site, same).main)
    changed = text(page_of(site, other).select_one(".changes"))
    assert changed == "to was ana is now bob old was true gone more new: is now 2"


def test_the_history_says_who_did_what(site: Site):
    run_id = dispatch(site.engine, created_by="ana")
    cancel(site.engine, run_id)
    again = runs.dispatch(site.engine, repeat_of(site.engine, run_id, "bob", None))
    events = [text(event) for event in page_of(site, run_id).select(".events li")]
    assert events[0].startswith("Created: ana, from the form") and events[1].startswith("Canceled by Ada")
    assert events[2].startswith("Run again by bob: Queued") and again[-8:] in events[2]


def test_editing_a_failed_member_lets_the_new_run_take_its_place(site: Site):
    parameters = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    fleet.register(site.engine, NewProcess(kind="worker"), [Job("add", "default", 0, parameters, "", "", {}, "")])
    group(site.engine, 1)
    bad = running(site.engine, args=(1,), **of_group("a"))
    finish(site.engine, failed(bad))
    form = site.page(f"/jobs/add/start?from={bad.id}")
    assert "It takes the place of that run" in text(form.main)
    answer = site.press(form, "Start")
    new = answer.headers["Location"].rpartition("/")[2]
    assert "run 2 times" in text(page_of(site, new).select_one("#family"))
    assert state(site.engine, new) == "queued"


def test_waits_and_attempts_are_drawn_to_scale_and_the_shortest_can_be_seen(site: Site):
    claim = running(site.engine)
    finish(site.engine, retried(claim, retry_at=clock.now() + HOUR, max_attempts=4))
    age(site.engine, claim.id, created_at=clock.now() - 24 * HOUR)
    pieces = page_of(site, claim.id).select(".line rect")
    assert [piece["class"][0] for piece in pieces] == ["b-line", "b-bad", "b-line"]
    widths = [float(piece["width"]) for piece in pieces]
    assert widths[0] > 980 and 2 < widths[1] < 6 and text(pieces[1].title).startswith("Attempt 1 failed after")
    assert button(page_of(site, claim.id), "Cancel")


def test_a_run_that_is_done_offers_no_failed_part(site: Site):
    sender = running(site.engine)
    child = running(site.engine, caller_id=sender.id)
    finish(site.engine, succeeded(child), succeeded(sender))
    assert not page_of(site, child.id).select("#family button")

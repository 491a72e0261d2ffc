"""The list of runs on both databases: search by argument, tags, paging both ways, export, plans."""

import pytest
from sqlalchemy import Engine

from ledger import clock, fleet, tags
from ledger.engine import is_sqlite, reading
from ledger.fleet import Job, NewProcess
from ledger.queries import arguments, looking, places
from ledger.queries import runs as the_list
from ledger.queries.arguments import parse
from ledger.queries.counting import Count
from ledger.queries.exporting import export_of
from ledger.queries.looking import look
from ledger.queries.marks import marks_of
from ledger.queries.runs import RunsPage, runs_page
from ledger.queries.wanted import Tab, Wanted, by_looking, needed, resolved
from tests.ledger_steps import (
    HOUR,
    brought_to,
    dispatch,
    dispatch_many,
    failed,
    finish,
    migrated,  # noqa: F401
    plan,
    running,
    statements,
)


def announce(engine: Engine, name: str, *parameters: str, **options) -> None:
    properties = {each.strip("*"): {"x-rest": "positional"} if each[0] == "*" else {} for each in parameters}
    job = Job(name, "default", 0, {"type": "object", "properties": properties}, "", "", options, "v2")
    fleet.register(engine, NewProcess(kind="worker", version="v2"), [job])


def page(engine: Engine, search: str = "", **wanted) -> RunsPage:
    text, conditions = parse(search)
    return runs_page(engine, Wanted(text=text, conditions=conditions, **wanted))


def ids(engine: Engine, search: str = "", **wanted) -> list[str]:
    return [line.id for line in page(engine, search, **wanted).lines]


def analyze(engine: Engine) -> None:
    if not is_sqlite(engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE runs")


# Search by argument


@pytest.mark.parametrize(
    ("search", "text", "conditions"),
    [
        ("subject = 42", "", ["subject = 42"]),
        ("subject=42 declined", "declined", ["subject = 42"]),
        ('name="a b" amount>=1.5', "", ['name = "a b"', "amount >= 1.5"]),
        ('"x = 5"', "x = 5", []),
        ("a==b", "a==b", []),
        ("https://example.test/?a=1", "https://example.test/?a=1", []),
        ("options.size != 3", "", ["options.size != 3"]),
        ("ValueError: no = sign here…", "ValueError: no = sign here…", []),
    ],
)
def test_the_search_box_is_read(search: str, text: str, conditions: list[str]):
    found, written = parse(arguments.plainly(search) if search.startswith("ValueError") else search)
    assert (found, [str(each) for each in written]) == (text, conditions)


def test_a_run_is_found_by_a_named_argument_number_or_text(engine: Engine):
    number, text = dispatch(engine, kwargs={"subject": 42}), dispatch(engine, kwargs={"subject": "42"})
    for other in (421, "x42", None, [42], {"subject": 42}):
        dispatch(engine, kwargs={"subject": other, "note": "subject 42"})
    assert ids(engine, "subject = 42") == [text, number]
    assert ids(engine, 'subject = "42"') == [text]
    assert page(engine, "subject=42").counts[Tab.ALL].number == 2


def test_positional_arguments_have_the_names_of_their_job(engine: Engine):
    announce(engine, "add", "subject", "size", "*rest")
    first, named = dispatch(engine, args=(42, 7)), dispatch(engine, kwargs={"subject": 42, "size": 8})
    dispatch(engine, args=(7, 42))
    dispatch(engine, job="other", args=(42, 7))
    assert ids(engine, "subject=42") == [named, first]
    assert ids(engine, "subject=42 size<8") == [first]
    assert ids(engine, "rest=42") == []


ODD = {"emoji": "😀", "nul": "a\x00b", "quote": 'say "no"', "accent": "café", "number": 1.5, "truth": True}


def test_odd_values_are_found_and_disturb_nothing(engine: Engine):
    made = {name: dispatch(engine, kwargs={"it": value}) for name, value in ODD.items()}
    dispatch(engine, kwargs={"it": float("nan"), "half": "\ud800"})
    found = {"emoji": "it=😀", "quote": r'it="say \"no\""', "accent": "it=café", "number": "it=1.5", "truth": "it=true"}
    for name, search in found.items():
        assert ids(engine, search) == [made[name]], name
    assert ids(engine, "it=🎉") == []
    assert len(ids(engine, "it>1")) == 1


def test_a_search_goes_on_where_its_window_ended(engine: Engine, monkeypatch):
    monkeypatch.setattr(places, "WINDOW", 4)
    oldest = dispatch(engine, kwargs={"subject": 42})
    dispatch_many(engine, 5)
    first = page(engine, "subject=42")
    assert (first.lines, first.place.looked_at) == ((), 4) and first.place.looked_to == first.place.older
    assert ids(engine, "subject=42", before=first.place.older) == [oldest]


@pytest.mark.parametrize("window", [3, 7, 100])
def test_one_look_finds_the_page_that_a_search_finds(engine: Engine, monkeypatch, window: int):
    """Whether it is filled from the look, ends at the window, or has to be searched for elsewhere."""
    monkeypatch.setattr(places, "WINDOW", window)
    monkeypatch.setattr(places, "NEAR_BY", 2)
    for state in ("running", "failed", "queued", "succeeded") * 3:
        made = brought_to(engine, state).id
        dispatch(engine, queue="other")
    newest, now = ids(engine), clock.now()
    wanted = [Wanted(queue="default", tab=tab, **place) for tab in Tab for place in ({}, {"up_to": newest[2]})]
    wanted += [Wanted(queue="default", tab=tab, before=made) for tab in Tab]
    with reading(engine) as connection:
        for each in wanted:
            found, searched = (way(connection, each, now, 2) for way in (only_the_place, places.place_of))
            assert (found.ids, bool(found.older)) == (searched.ids, bool(searched.older)), each


def test_states_with_few_runs_are_counted_to_the_last(engine: Engine, monkeypatch):
    """However many newer ones have ended well, and whatever is asked for."""
    monkeypatch.setattr(places, "WINDOW", 4)
    dispatch_many(engine, 2)
    dispatch(engine, due_at=clock.now() + HOUR)
    dispatch(engine, queue="other")
    brought_to(engine, "failed")
    for _ in range(6):
        brought_to(engine, "succeeded")
    counts = page(engine, queue="default").counts
    assert (counts[Tab.WAITING], counts[Tab.SCHEDULED], counts[Tab.FAILED]) == (Count(2), Count(1), Count(1))
    assert (counts[Tab.DONE], counts[Tab.ALL]) == (Count(4, True), Count(8, True))
    monkeypatch.setattr(looking, "FEW", 0)
    assert page(engine, queue="default").counts[Tab.WAITING] == Count(0, True)


def test_a_look_ends_when_it_has_found_enough(engine: Engine, monkeypatch):
    monkeypatch.setattr(looking, "MOST_FOUND", 3)
    for _ in range(5):
        brought_to(engine, "succeeded")
    monkeypatch.setattr(the_list, "PAGE", 2)
    first = page(engine, queue="default")
    second = page(engine, queue="default", before=first.older)
    third = page(engine, queue="default", before=second.older)
    assert [len(each.lines) for each in (first, second, third)] == [2, 2, 1] and third.older is None
    assert first.counts[Tab.DONE] == first.counts[Tab.ALL] == Count(3, True)


def only_the_place(connection, wanted: Wanted, now: int, size: int) -> places.Place:
    return look(connection, wanted, now, size)[0]


# Other filters


def test_a_run_has_its_own_tags_and_those_of_its_job(engine: Engine):
    announce(engine, "charge", tags=["money"])
    urgent, by_job, plain = dispatch(engine), dispatch(engine, job="charge"), dispatch(engine)
    for name in ("urgent", "money"):
        tags.add(engine, urgent, name, "ana")
    assert ids(engine, tag="urgent") == [urgent]
    assert ids(engine, tag="money") == [by_job, urgent] and plain not in ids(engine, tag="money")
    with reading(engine) as connection:
        assert marks_of(connection, by_job, "charge").job_tags == ("money",)
    tags.remove(engine, urgent, "urgent")
    assert ids(engine, tag="urgent") == []


def test_what_no_column_says_finds_nothing_rather_than_everything(engine: Engine):
    dispatch(engine)
    assert ids(engine, fingerprint="0" * 32) == [] and ids(engine, version="v9") == []


@pytest.mark.parametrize("search", ["Größe", "Übel", "übel", "KEINE"])
def test_small_letters_are_as_good_as_capitals_and_others_as_they_stand(engine: Engine, search: str):
    claim = running(engine)
    finish(engine, failed(claim, error="Übel: keine Größe"))
    found = ids(engine, error=search)
    assert found == ([] if is_sqlite(engine) and search.startswith("ü") else [claim.id])  # it knows ASCII alone


def test_origin_error_and_times_choose(engine: Engine):
    dispatch(engine)
    again, lost = dispatch(engine, origin="rerun"), brought_to(engine, "failed").id
    assert ids(engine, origin="rerun") == [again]
    assert ids(engine, error="x", tab=Tab.FAILED) == [lost]
    assert ids(engine, until=clock.now() - 3600 * clock.SECOND) == []


# Paging


def test_pages_lead_both_ways_under_arriving_runs(engine: Engine, monkeypatch):
    monkeypatch.setattr(the_list, "PAGE", 3)
    made = sorted(dispatch_many(engine, 8), reverse=True)
    last = page(engine, last=True)
    assert [line.id for line in last.lines] == made[5:] and last.place.older is None
    dispatch_many(engine, 2)
    above = page(engine, after=last.place.newer)
    assert [line.id for line in above.lines] == made[2:5]
    dispatch(engine)
    again = page(engine, after=last.place.newer, up_to=above.lines[0].id)
    assert [line.id for line in again.lines] == made[2:5] and not again.newer
    assert ids(engine, before=above.place.older) == made[5:]
    newest = page(engine, after=made[0])
    assert len(newest.lines) == 3 and newest.place.newer is None


@pytest.mark.parametrize("wanted", [{"before": True}, {"after": True}, {"last": True}, {"tag": "urgent"}])
def test_a_page_is_read_from_an_index_wherever_it_is(engine: Engine, wanted: dict):
    made = dispatch_many(engine, 2_000)
    analyze(engine)
    wanted = {name: made[1_000] if value is True and name != "last" else value for name, value in wanted.items()}
    with statements(engine) as sent:
        page(engine, **wanted)
    placing = [each for each in sent if "ORDER BY runs.id" in each[0] and "LIMIT" in each[0]]
    plans = [plan(engine, *each) for each in placing]
    assert plans and not [each for each in plans if "SCAN runs\n" in each or "Seq Scan on runs " in each]


def test_the_filter_names_every_column_it_looks_at(engine: Engine):
    wanted = Wanted(text="a", tag="b", version="c", error="d", conditions=parse("e=1")[1], job="f", origin="g")
    with reading(engine) as connection:
        wanted = resolved(connection, wanted)
    columns = {column.name for column in needed(wanted)}
    assert by_looking(the_list.runs.c, wanted, 0)
    assert columns == {"id", "args", "error", "error_type", "worker_id", "origin"}


# Export


def test_an_export_has_every_run_once_in_small_pages(engine: Engine, monkeypatch):
    monkeypatch.setattr("ledger.queries.exporting.PAGE", 3)
    made = sorted(dispatch_many(engine, 7), reverse=True)
    tags.add(engine, made[0], "urgent", "ana")
    pages = list(export_of(engine, Wanted()))
    assert max(map(len, pages)) == 3
    rows = [row for each in pages for row in each]
    assert [row["id"] for row in rows] == made and rows[0]["tags"] == ["urgent"]


def test_an_export_stops_at_its_cap(engine: Engine, monkeypatch):
    monkeypatch.setattr("ledger.queries.exporting.PAGE", 3)
    monkeypatch.setattr("ledger.queries.exporting.MOST_ROWS", 5)
    dispatch_many(engine, 7)
    assert sum(len(each) for each in export_of(engine, Wanted())) == 5

"""What is read of declared schedules: the decorator beside an actor, and schedules.toml; each fault by its place."""

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from ledger import schedules_file
from ledger.statements import in_words
from workers.options import ActorOptions
from workers.schedules import schedule, statement_of

WRONG = [
    ('job = "a"\ncron = "61 * * * *"', "The minute “61” is not possible"),
    ('job = "a"\nevery = "soon"', "“soon” is not an interval"),
    ('job = "a"\nonce = 2026-10-31T03:00:00Z', "is no time"),
    ('job = "a"', "It says 0 rules"),
    ('job = "a"\ncron = "@daily"\nevery = 90', "It says 2 rules"),
    ('cron = "@daily"\nname = "n"', "It says no job"),
    ('cron = "@daily"', "None is no text"),
    ('job = "a"\ncron = "@daily"\ntimezone = "Mars"', "“Mars” is not a time zone"),
    ('job = "a"\ncron = "@daily"\ntimzone = "UTC"', "did you mean timezone?"),
    ('job = "a"\ncron = "@daily"\noverlap = "maybe"', "“maybe” is none of skip, queue, allow, cancel"),
    ('job = "a"\ncron = "@daily"\ncatchup = 1', "1 is none of none, latest, all"),
    ('job = "a"\ncron = "@daily"\nargs = [1]', "[1] are no arguments by name"),
    ('job = "a"\ncron = "@daily"\nqueue = "two words"', "cannot be a queue’s name"),
    ('job = "a"\ncron = "@daily"\npriority = true', "True is no whole number"),
    ('job = "a"\ncron = "@daily"\njitter = "2 d"', "A day is the most"),
    ('job = "a"\ncron = "@daily"\nkeep = 0', "0 is no whole number from 1 to 500"),
    ('job = "a"\ncron = "@daily"\nname = ""', "A name has 1 to 200 characters"),
    ('job = "a"\ncron = "@daily"\nstarts = "2027-01-01 00:00"\nends = 2026-01-01', "The end lies before"),
]


@pytest.mark.parametrize(("entry", "says"), WRONG)
def test_a_wrong_entry_is_told_by_its_place_and_stops_no_other(tmp_path, entry: str, says: str):
    path = tmp_path / "schedules.toml"
    path.write_text(f'[[schedule]]\n{entry}\n[[schedule]]\njob = "b"\ncron = "@daily"\n')
    statement = schedules_file.read(path)
    (fault,) = statement.faults
    assert in_words(fault).startswith("schedules.toml, [[schedule]] 1") and says in in_words(fault)
    assert list(statement.schedules) == ["b"]


@pytest.mark.parametrize("written", ["[[schedule]\n", "schedule = 1", "\x00"])
def test_a_file_that_cannot_be_read_says_nothing_and_what_it_is(tmp_path, written: str):
    path = tmp_path / "schedules.toml"
    path.write_text(written)
    statement = schedules_file.read(path)
    assert statement.is_broken and len(statement.faults) == 1 and statement.schedules == {}


def test_a_file_says_all_that_a_form_can(tmp_path):
    path = tmp_path / "schedules.toml"
    path.write_text(
        '[[schedule]]\nname = "n"\njob = "a"\nonce = 2026-10-31T03:00:00\ntimezone = "Europe/Madrid"\nqueue = "night"\n'
        'priority = -5\noverlap = "cancel"\ncatchup = "all"\njitter = 90\nexpires = "2 h"\nkeep = 7\n'
        'starts = 2026-01-01\nargs = { day = 2026-01-31, deep = { list = [1, 2.5, true] } }\n'
        '[[schedule]]\nname = "n"\njob = "a"\ncron = "@daily"\n[other]\n'
    )
    statement = schedules_file.read(path)
    said = statement.schedules["n"]
    assert (said["kind"], said["rule"], said["priority"], said["keep_runs"]) == ("once", "2026-10-31 03:00", -5, 7)
    assert (said["jitter"], said["expires_after"]) == (90_000_000, 7_200_000_000)
    assert said["args"] == {"day": "2026-01-31", "deep": {"list": [1, 2.5, True]}}
    assert said["starts"] == 1_767_222_000_000_000  # midnight in Madrid
    told = [in_words(each) for each in statement.faults]
    assert "“other” does not belong here" in told[0] and "Another schedule is called “n”" in told[1]


def test_no_file_declares_nothing(tmp_path):
    statement = schedules_file.read(tmp_path / "schedules.toml")
    assert statement.is_absent and not statement.faults


def test_a_decorator_stands_above_or_below_the_actor_of_whatever_kind():
    dramatiq.set_broker(StubBroker(middleware=[ActorOptions()]))

    @schedule("0 1 * * *", args={"month": "2026-01"})
    @schedule("0 2 * * *", name="second", args={"month": "2026-02"})
    @dramatiq.actor
    def above(month: str, copies: int = 1): ...

    @dramatiq.actor
    @schedule(every="15 min")
    async def below(): ...

    class Classy(dramatiq.GenericActor):
        def perform(self): ...

    schedule(every=90, name="classy")(Classy)
    actors = [above, below, Classy]
    statement = statement_of(actors, ["tests"])
    assert {name: said["job"] for name, said in statement.schedules.items()} == {
        "above": "above", "second": "above", "below": "below", "classy": "Classy",
    }  # fmt: skip
    assert statement.schedules["second"]["place"].startswith("tests/test_declarations.py:")
    assert statement.jobs == ("Classy", "above", "below") and "tests" in statement.modules


def test_a_decorator_that_is_wrong_raises_nothing_and_is_told():
    dramatiq.set_broker(StubBroker(middleware=[ActorOptions()]))

    @schedule("@daily", args={"month": 1, "colour": "red"}, name="misfit")
    @schedule("@daily", tz="UTC", name="unknown")
    @schedule("@daily", name="same", args={"month": "x"})
    @schedule("@hourly", name="same", args={"month": "x"})
    @schedule("@hourly", job="other", name="other")
    @dramatiq.actor
    def job(month: str): ...

    @schedule("@daily", name="nobody's")
    def plain(): ...

    statement = statement_of([job], ["tests"])
    told = "\n".join(in_words(each) for each in statement.faults)
    assert "it has no parameter colour" in told and "“tz” is no key" in told
    assert "Another schedule is called “same”" in told and "leave “job” out" in told
    assert "@schedule “nobody's”: It stands beside what is no job" in told
    assert list(statement.schedules) == ["same"] and "misfit" in statement.wrong

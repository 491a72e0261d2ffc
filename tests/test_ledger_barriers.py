"""Groups with callbacks: the count goes down once for each member that succeeds, and the last one calls."""

from sqlalchemy import Engine

from ledger import barriers, clock
from ledger.engine import reading, writing
from ledger.finishing import Ending
from ledger.tables import barriers as barriers_table
from ledger.tables import runs as runs_table
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    failed,
    finish,
    migrated,  # noqa: F401
    new_run,
    number_of,
    rescue,
    row,
    running,
    succeeded,
)

KEY = "group"


def group(engine: Engine, members: int, ttl: int = HOUR) -> bool:
    with writing(engine) as connection:
        return barriers.create(connection, KEY, members, ttl)


def remaining(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(barriers_table.select().with_only_columns(barriers_table.c.remaining))


def member(engine: Engine, ending=succeeded) -> Ending:
    return ending(running(engine), barrier=KEY, barrier_runs=[new_run(job="all done", message_id="callback")])


def callbacks(engine: Engine) -> int:
    with reading(engine) as connection:
        called = runs_table.select().where(runs_table.c.job == "all done")
        return len(connection.execute(called).fetchall())


def test_the_last_member_and_only_it_calls_back(engine: Engine):
    group(engine, 3)
    first, second, last = (member(engine) for _ in range(3))
    finish(engine, first, second)
    assert (remaining(engine), callbacks(engine)) == (1, 0)
    finish(engine, last)
    assert (remaining(engine), callbacks(engine)) == (0, 1)


def test_members_that_end_at_once_call_back_once(engine: Engine):
    group(engine, 6)
    endings = [member(engine) for _ in range(6)]
    assert at_once(6, lambda number: finish(engine, endings[number])) == [[True]] * 6
    assert (remaining(engine), callbacks(engine)) == (0, 1)


def test_a_member_that_failed_does_not_count(engine: Engine):
    group(engine, 2)
    finish(engine, member(engine, failed), member(engine))
    assert (remaining(engine), callbacks(engine)) == (1, 0)


def test_an_ending_counts_once_even_if_it_is_written_again(engine: Engine):
    group(engine, 2)
    ending = member(engine)
    finish(engine, ending)
    finish(engine, ending)
    finish(engine, ending, ending)
    assert (remaining(engine), callbacks(engine)) == (1, 0)


def test_a_late_ending_does_not_count(engine: Engine):
    group(engine, 2)
    late = member(engine)
    rescue(engine, row(engine, late.claim.id).worker_id)
    finish(engine, late)
    assert (remaining(engine), callbacks(engine)) == (2, 0)


def test_a_group_is_made_once(engine: Engine):
    assert group(engine, 2) is True
    assert group(engine, 5) is False
    assert remaining(engine) == 2


def test_a_group_that_nobody_made_or_that_is_done_calls_nobody(engine: Engine):
    finish(engine, member(engine))
    group(engine, 1)
    finish(engine, member(engine))
    finish(engine, member(engine))
    assert (remaining(engine), callbacks(engine)) == (0, 1)


def test_groups_are_forgotten_when_their_time_is_over(engine: Engine):
    group(engine, 2, ttl=-clock.SECOND)
    with writing(engine) as connection:
        barriers.create(connection, "other", 1, HOUR)
        assert barriers.forget_expired(connection) == 1
    assert number_of(engine, barriers_table) == 1

"""What a list of runs is asked for, as conditions on the table."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, or_

from ledger import clock, texts
from ledger.states import State
from ledger.tables import runs


class Tab(StrEnum):
    ALL = "all"
    WAITING = "waiting"
    SCHEDULED = "scheduled"
    RETRYING = "retrying"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELED = "canceled"


STATES: dict[Tab, tuple[State, ...]] = {
    Tab.ALL: (),
    Tab.WAITING: (State.QUEUED,),
    Tab.SCHEDULED: (State.QUEUED,),
    Tab.RETRYING: (State.QUEUED,),
    Tab.RUNNING: (State.RUNNING,),
    Tab.FAILED: (State.FAILED, State.DEAD),
    Tab.DONE: (State.SUCCEEDED,),
    Tab.CANCELED: (State.CANCELED, State.EXPIRED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """``since`` is an instant of creation; ``before`` and ``up_to`` are ids: older than, not newer than."""

    tab: Tab = Tab.ALL
    job: str = ""
    queue: str = ""
    text: str = ""
    since: int | None = None
    before: str = ""
    up_to: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything but the tab and the age chooses among the runs."""
        return bool(self.job or self.queue or self.text)


def by_index(wanted: Wanted, state: State | None) -> list:
    """What an index answers, newest first: the age, and the state or else the job."""
    conditions = in_age(wanted)
    if state is not None:
        conditions.append(runs.c.state == state)
    elif wanted.job:
        conditions.append(runs.c.job == wanted.job)
    return conditions


def in_age(wanted: Wanted) -> list:
    """Ids sort by creation, so an age is a range of ids."""
    conditions = []
    if wanted.since is not None:
        conditions.append(runs.c.id >= first_id_at(wanted.since))
    if wanted.before:
        conditions.append(runs.c.id < wanted.before)
    if wanted.up_to:
        conditions.append(runs.c.id <= wanted.up_to)
    return conditions


def first_id_at(at: int) -> str:
    """The lowest UUIDv7 of the millisecond of ``at``."""
    return str(UUID(int=(at // clock.MILLISECOND) << 80))


def by_looking(column, wanted: Wanted, now: int) -> list:
    """The rest of the filter, on the columns of what ``by_index`` found."""
    conditions = in_tab(column, wanted.tab, now)
    if wanted.job and STATES[wanted.tab]:
        conditions.append(column.job == wanted.job)
    if wanted.queue:
        conditions.append(column.queue == wanted.queue)
    if wanted.text:
        conditions.append(says(column, wanted.text))
    return conditions


def needed(wanted: Wanted) -> list:
    """The columns that ``by_looking`` looks at, and the id."""
    columns = [runs.c.id, runs.c.job, runs.c.queue, runs.c.failures, runs.c.due_at]
    return columns + ([runs.c.args, runs.c.error_type, runs.c.error] if wanted.text else [])


def in_tab(column, tab: Tab, now: int) -> list:
    """What the state alone does not say."""
    return {
        Tab.WAITING: [column.failures == 0, column.due_at <= now],
        Tab.SCHEDULED: [column.failures == 0, column.due_at > now],
        Tab.RETRYING: [column.failures > 0],
    }.get(tab, [])


def says(column, text: str):
    """In arguments (as JSON writes them), error or id. An ellipsis stands for anything, as in causes."""
    escaped = texts.to_json(text)[1:-1]
    places = [(column.args, escaped), (column.error, text), (column.error_type, text), (column.id, text)]
    return or_(*[func.lower(place).like(pattern(part), escape="!") for place, part in places])


def pattern(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text.lower().replace('…', '%').replace(ELLIPSIS_IN_JSON, '%')}%"


ELLIPSIS_IN_JSON = texts.to_json("…")[1:-1]

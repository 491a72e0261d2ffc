"""What a list of runs is asked for, as conditions on the table."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, Column, Connection, bindparam, exists, false, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement

from ledger import clock, texts
from ledger.queries.arguments import Condition, holds, placed
from ledger.states import State
from ledger.tables import jobs, processes, run_tags, runs


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


#: A filter that no index answers looks at so many runs at a time; the page says how far it looked.
WINDOW = 10_000
PART_OF_ID = re.compile(r"[0-9a-fA-F…-]*")
#: What is compared as it stands. A column that this ledger does not have finds nothing.
EXACT = ("job", "queue", "origin", "fingerprint")
#: Sorts after each id.
BEHIND_ALL = "g"
#: For statements that are prepared: ``id_range`` as parameters.
IN_RANGE = (runs.c.id >= bindparam("first"), runs.c.id < bindparam("last"))
MOST_JOBS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """``since`` and ``until`` are instants of creation. ``before``, ``after`` and ``up_to`` are ids: older than,
    newer than, not newer than; ``last`` asks for the oldest page. ``tagged_jobs`` is what ``resolved`` found."""

    tab: Tab = Tab.ALL
    job: str = ""
    queue: str = ""
    origin: str = ""
    fingerprint: str = ""
    tag: str = ""
    version: str = ""
    error: str = ""
    text: str = ""
    conditions: tuple[Condition, ...] = ()
    since: int | None = None
    until: int | None = None
    before: str = ""
    after: str = ""
    last: bool = False
    up_to: str = ""
    tagged_jobs: tuple[str, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether anything but the tab and the age chooses among the runs."""
        others = (self.tag, self.version, self.error, self.text, self.conditions)
        return any(others) or any(getattr(self, name) for name in EXACT)

    @property
    def upwards(self) -> bool:
        """Whether the page is read from its oldest run on."""
        return self.last or bool(self.after)

    @property
    def is_first(self) -> bool:
        return not (self.before or self.upwards)

    def anywhere(self) -> "Wanted":
        """The same filter without a place in the list."""
        return replace(self, before="", after="", last=False, up_to="")


def resolved(connection: Connection, wanted: Wanted) -> Wanted:
    """With what only the ledger knows: which jobs take an argument by position, which ones carry the tag."""
    if not wanted.tag and not wanted.conditions:
        return wanted
    tagged = _tagged_jobs(connection, wanted.tag) if wanted.tag else ()
    return replace(wanted, conditions=placed(connection, wanted.conditions), tagged_jobs=tagged)


def _tagged_jobs(connection: Connection, tag: str) -> tuple[str, ...]:
    announced = select(jobs.c.name, jobs.c.options).where(jobs.c.options.contains('"tags"', autoescape=True))
    rows = connection.execute(announced.order_by(jobs.c.name).limit(MOST_JOBS))
    return tuple(row.name for row in rows if tag in texts.from_json(row.options).get("tags", ()))


def by_index(wanted: Wanted, state: State | None) -> list:
    """What an index answers, newest first: the age, and the rarest of tag, kind of failure, state and job."""
    conditions = in_age(wanted)
    if _by_tag(wanted):
        conditions.append(runs.c.id.in_(_tagged(wanted)))
    elif wanted.fingerprint and "fingerprint" in runs.c:
        conditions.append(runs.c.fingerprint == wanted.fingerprint)
    if state is not None:
        conditions.append(runs.c.state == state)
    elif wanted.job:
        conditions.append(runs.c.job == wanted.job)
    return conditions


def _by_tag(wanted: Wanted) -> bool:
    """Tags of runs have an index; one that a job carries too is looked for run by run."""
    return bool(wanted.tag) and not wanted.tagged_jobs


def _tagged(wanted: Wanted):
    """The runs of this tag that are next in the order of the list, as many as one look may take."""
    ids = run_tags.c.run_id
    mine = select(ids).where(run_tags.c.name == wanted.tag, *in_age(wanted, ids))
    return mine.order_by(in_order(ids, wanted)).limit(WINDOW)


def in_order(column, wanted: Wanted):
    return column.asc() if wanted.upwards else column.desc()


def in_age(wanted: Wanted, ids=runs.c.id) -> list:
    """Ids sort by creation, so an age is a range of ids, and so is a place in the list."""
    first, last = id_range(wanted)
    return ([ids >= first] if first else []) + ([ids < last] if last != BEHIND_ALL else [])


def id_range(wanted: Wanted) -> tuple[str, str]:
    """Age and place as one range of ids, the last one not in it: of several bounds an index might take the worse."""
    firsts = [first_id_at(wanted.since)] if wanted.since is not None else []
    lasts = [first_id_at(wanted.until)] if wanted.until is not None else []
    firsts += [_next(wanted.after)] if wanted.after else []
    lasts += [wanted.before] if wanted.before else []
    lasts += [_next(wanted.up_to)] if wanted.up_to else []
    return max(firsts, default=""), min(lasts, default=BEHIND_ALL)


def _next(run_id: str) -> str:
    return str(UUID(int=UUID(run_id).int + 1))


def first_id_at(at: int) -> str:
    """The lowest UUIDv7 of the millisecond of ``at``."""
    return str(UUID(int=(at // clock.MILLISECOND) << 80))


def instant_of(run_id: str | None) -> int | None:
    """When the run was made, to the millisecond."""
    return (UUID(run_id).int >> 80) * clock.MILLISECOND if run_id else None


def by_looking(column, wanted: Wanted, now: int) -> list:
    """The rest of the filter, on the columns of what ``by_index`` found."""
    conditions = in_tab(column, wanted.tab, now)
    conditions += [_equals(column, name, getattr(wanted, name)) for name in EXACT if _is_looked_for(wanted, name)]
    if wanted.tag:
        conditions.append(_has_tag(column, wanted))
    if wanted.version:
        of_version = select(processes.c.id).where(processes.c.version == wanted.version)
        conditions.append(column.worker_id.in_(of_version))
    if wanted.error:
        conditions.append(_matches(wanted.error, column.error, column.error_type))
    if wanted.text:
        conditions.append(says(column, wanted.text))
    return conditions + [holds(column, condition) for condition in wanted.conditions]


def _is_looked_for(wanted: Wanted, name: str) -> bool:
    """The job is a part of ``by_index`` unless the state is."""
    return bool(getattr(wanted, name)) and (name != "job" or bool(STATES[wanted.tab]))


def _equals(column, name: str, value: str):
    return column[name] == value if name in column else false()


def _has_tag(column, wanted: Wanted):
    own = exists().where(run_tags.c.run_id == column.id, run_tags.c.name == wanted.tag)
    return or_(own, column.job.in_(wanted.tagged_jobs)) if wanted.tagged_jobs else own


def needed(wanted: Wanted) -> list:
    """The columns that ``by_looking`` looks at, and the id. No others: each costs as much as looking at it."""
    parts = (part for condition in by_looking(runs.c, wanted, 0) for part in visitors.iterate(condition))
    looked_at = {part.name for part in parts if isinstance(part, Column) and part.table is runs}
    return [runs.c[name] for name in sorted(looked_at | {"id"})]


def in_tab(column, tab: Tab, now: int) -> list:
    """What the state alone does not say."""
    if tab == Tab.RETRYING:
        return [column.failures > 0]
    if tab in (Tab.WAITING, Tab.SCHEDULED):
        return [column.failures == 0, column.due_at <= now if tab == Tab.WAITING else column.due_at > now]
    return []


def says(column, text: str):
    """In arguments (as JSON writes them), error or id. An ellipsis stands for anything, as in causes."""
    escaped = texts.to_json(text)[1:-1]
    places = [(column.args, escaped), (column.error, text), (column.error_type, text)]
    places += [(column.id, text)] if PART_OF_ID.fullmatch(text) else []
    return or_(*[_matches(part, place) for place, part in places])


def _matches(text: str, *places):
    return or_(*[Like(place, pattern(text)) for place in places])


class Like(FunctionElement):
    """``LIKE`` that takes capital letters for small ones. SQLite's own does so for ASCII, as its ``lower`` does,
    and without writing each text anew: half the time."""

    inherit_cache = True
    type = Boolean()
    name = "like"

    def __init__(self, column, like: str):
        super().__init__(column, literal(like))


@compiles(Like, "sqlite")
def _like(element, compiler, **options) -> str:
    column, like = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} LIKE {like} ESCAPE '!')"


@compiles(Like)
def _lower_like(element, compiler, **options) -> str:
    column, like = (compiler.process(each, **options) for each in element.clauses)
    return f"(lower({column}) LIKE lower({like}) ESCAPE '!')"


def pattern(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text.replace('…', '%').replace(ELLIPSIS_IN_JSON, '%')}%"


ELLIPSIS_IN_JSON = texts.to_json("…")[1:-1]

"""The runs that belong together - sent by one another, steps of a pipeline, members of a group - as one tree.

A place in the tree is what was to be done once; the runs that repeat it stand in the same place. What a pipeline or a
group has not started yet is there too, as planned. How the rows become a tree stands in ``tree``.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger import clock, members, texts
from ledger.queries.tree import Family, Found, tree_of
from ledger.tables import barriers, runs
from ledger.tables import members as places

MOST_UP = 20
MOST_LEVELS = 12
#: Rows per level and in all; of a group, so many members are known by state. The page says when there are more.
MOST_A_LEVEL, MOST_MEMBERS = 200, 1_000

COLUMNS = (
    runs.c.id, runs.c.job, runs.c.state, runs.c.failures, runs.c.due_at, runs.c.cancel_requested_at, runs.c.message_id,
    runs.c.parent_id, runs.c.caller_id, places.c.slot, places.c.step, places.c.group_id,
)  # fmt: skip


def family_of(connection: Connection, run_id: str) -> Family | None:
    """None for a run that has no relatives but its own repetitions."""
    top = _top(connection, run_id)
    if top is None:
        return None
    rows, is_cut = _below(connection, top)
    if not any(row.caller_id or row.slot for row in rows.values()):
        return None
    options = _options(connection, rows.values())
    groups = {row.group_id for row in rows.values() if row.group_id}
    parties = _sizes(options.values()) | _parties(connection, groups)
    found = Found(rows, options, parties, top.id, run_id, clock.now(), is_cut)
    return tree_of(found)


def _rows(connection: Connection, *conditions: Any, most: int = MOST_A_LEVEL) -> list[Row]:
    joined = select(*COLUMNS).select_from(runs.outerjoin(places, places.c.run_id == runs.c.id))
    return connection.execute(joined.where(*conditions).order_by(runs.c.id).limit(most)).fetchall()


def _top(connection: Connection, run_id: str) -> Row | None:
    """Who began it all: a repetition leads to what it repeats, all else to its sender."""
    top, following = None, run_id
    for _ in range(MOST_UP):
        row = next(iter(_rows(connection, runs.c.id == following)), None) if following else None
        if row is None:  # nobody, or it was pruned
            break
        top, following = row, row.parent_id or row.caller_id
    return top


def _below(connection: Connection, top: Row) -> tuple[dict[str, Row], bool]:
    rows, level, is_cut = {top.id: top}, [top], False
    for _ in range(MOST_LEVELS):
        found = {row.id: row for row in _next(connection, level, rows)}
        new = [row for run_id, row in found.items() if run_id not in rows]
        if not new:
            break
        is_cut |= len(new) > MOST_A_LEVEL
        rows |= found
        level = new[:MOST_A_LEVEL]
    return rows, is_cut or bool(new)


def _next(connection: Connection, level: list[Row], known: dict[str, Row]) -> Iterable[Row]:
    """Sent or repeated by these, and whoever shares a pipeline or a group with one of them."""
    ids = [row.id for row in level]
    yield from _rows(connection, runs.c.caller_id.in_(ids), most=MOST_A_LEVEL + 1)
    yield from _rows(connection, runs.c.parent_id.in_(ids), most=MOST_A_LEVEL + 1)
    if slots := {row.slot for row in level if row.slot}:
        yield from _rows(connection, places.c.slot.in_(slots), most=MOST_A_LEVEL + 1)
    if groups := {row.group_id for row in level if row.group_id}:
        yield from _rows(connection, places.c.group_id.in_(groups), most=MOST_MEMBERS)


def _options(connection: Connection, rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Of the newest run of each place in a pipeline or a group, by run id: they say what is planned."""
    newest = {(row.slot, row.step): row.id for row in sorted(rows, key=lambda row: row.id) if row.slot}
    wanted = select(runs.c.id, runs.c.options).where(runs.c.id.in_(list(newest.values())[:MOST_MEMBERS]))
    return {run_id: texts.from_json(options) for run_id, options in connection.execute(wanted)} if newest else {}


def _sizes(options: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Of groups that no callback follows, as their members know it."""
    groups = (members.named_group(each) for each in options)
    return {group.get("id"): group["size"] for group in groups if group}


def _parties(connection: Connection, groups: set[str]) -> dict[str, int]:
    """How many members each group has in all, where that is known."""
    wanted = select(barriers.c.key, barriers.c.parties).where(barriers.c.key.in_(groups), barriers.c.parties > 0)
    return {row.key: row.parties for row in connection.execute(wanted)} if groups else {}

"""From rows of runs that belong together to a bounded tree. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ledger.members import options_of, planned
from ledger.queries.status import AT_WORK, WAITING, Status, status_of
from ledger.states import State

#: Nodes shown below one; those that failed or are at work go before those that are done.
MOST_SHOWN = 30
MOST_AGAIN = 200
DEEPEST = 16
ENDED_BADLY = frozenset({Status.FAILED, Status.DEAD, Status.CANCELED, Status.EXPIRED})


class Kind(StrEnum):
    RUN = "run"
    PIPELINE = "pipeline"
    GROUP = "group"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Tally:
    """Of a group's members, or a pipeline's steps: ``done + failed + waiting + at_work <= number``."""

    number: int
    done: int = 0
    failed: int = 0
    waiting: int = 0
    at_work: int = 0

    @property
    def is_complete(self) -> bool:
        return self.done >= self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``run_id`` and ``status`` are of the newest run of its place, ``tries`` counts them all. ``then`` stands below
    a group: what follows when it is complete. ``more`` nodes below it are not shown."""

    kind: Kind
    job: str = ""
    run_id: str = ""
    status: Status | None = None
    tries: int = 1
    is_here: bool = False
    tally: Tally | None = None
    children: tuple["Node", ...] = ()
    then: tuple["Node", ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """``failed``: the newest runs of the places that ended badly and keep others waiting, or that nobody repeated."""

    root: Node
    failed: tuple[str, ...]
    is_cut: bool


@dataclass(slots=True)
class Found:
    """``rows`` and ``options`` by run id, ``parties`` by group."""

    rows: dict[str, Any]
    options: dict[str, dict[str, Any]]
    parties: dict[str, int]
    top_id: str
    here_id: str
    now: int
    is_cut: bool = False
    sent: dict[str, list] = field(default_factory=lambda: defaultdict(list))
    tries: dict[tuple, list] = field(default_factory=lambda: defaultdict(list))
    slots: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    groups: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    built: set = field(default_factory=set)

    def __post_init__(self):
        for row in sorted(self.rows.values(), key=lambda row: row.id):
            self.tries[self.place(row)].append(row)
            if row.caller_id:
                self.sent[row.caller_id].append(row)
            if row.slot:
                self.slots[row.slot].add(row.step)
            if row.group_id:
                self.groups[row.group_id][row.slot] = None

    def place(self, row) -> tuple:
        """What is the same for a run and those that repeat it."""
        if row.slot:
            return row.slot, row.step
        while row.parent_id in self.rows:
            row = self.rows[row.parent_id]
        return (row.slot, row.step) if row.slot else (row.id,)

    def status(self, row) -> Status:
        return status_of(row, self.now)

    def newest(self, place: tuple):
        return self.tries[place][-1]

    def is_done(self, place: tuple) -> bool:
        return any(row.state == State.SUCCEEDED for row in self.tries.get(place, ()))

    def steps_after(self, slot: str) -> list[dict[str, Any]]:
        """The messages of a pipeline's steps that do not exist yet."""
        last = self.newest((slot, max(self.slots[slot])))
        return planned(self.options.get(last.id, {}))


def tree_of(found: Found) -> Family:
    top = found.rows[found.top_id]
    [root] = _nodes(found, [top], DEEPEST)
    return Family(root, tuple(failed_part(found))[:MOST_AGAIN], found.is_cut)


def failed_part(found: Found) -> Iterable[str]:
    """A plain run that had sent others itself is left to a person: run again, it would send them again."""
    for place, rows in sorted(found.tries.items(), key=lambda each: each[1][0].id):
        newest = rows[-1]
        if found.status(newest) in ENDED_BADLY and not found.is_done(place):
            if newest.slot or not any(found.sent.get(row.id) for row in rows):
                yield newest.id


def _nodes(found: Found, rows: list, depth: int) -> list[Node]:
    """Runs that were sent together: groups and pipelines as one each."""
    nodes = []
    for row in rows:
        key = ("group", row.group_id) if row.group_id else ("slot", row.slot) if row.slot else found.place(row)
        if key not in found.built and depth:
            found.built.add(key)
            nodes.append(_node(found, row, depth))
    return nodes


def _node(found: Found, row, depth: int) -> Node:
    if row.group_id:
        return _group(found, row.group_id, depth)
    return _member(found, row.slot, depth) if row.slot else _run(found, found.place(row), depth)


def _run(found: Found, place: tuple, depth: int) -> Node:
    rows = found.tries[place]
    newest = rows[-1]
    sent = [child for row in rows for child in found.sent.get(row.id, ()) if not _is_elsewhere(found, row, child)]
    children, more = shown(_nodes(found, sent, depth - 1))
    return Node(
        kind=Kind.RUN, job=newest.job, run_id=newest.id, status=found.status(newest), tries=len(rows),
        is_here=any(row.id == found.here_id for row in rows), children=children, more=more,
    )  # fmt: skip


def _is_elsewhere(found: Found, sender, child) -> bool:
    """A next step stands in its pipeline, a group's callback below the group."""
    if child.slot and child.slot == sender.slot:
        return True
    return bool(sender.group_id) and child.message_id in callbacks(found, sender.group_id)


def _member(found: Found, slot: str, depth: int) -> Node:
    """A pipeline, or the one run that it is."""
    steps = sorted(found.slots[slot])
    coming = [_planned(message) for message in found.steps_after(slot)]
    nodes = [_run(found, (slot, step), depth - 1) for step in steps] + coming
    if len(nodes) == 1:
        return nodes[0]
    children, more = shown(nodes)
    return Node(kind=Kind.PIPELINE, children=children, more=more, tally=tally(len(nodes), nodes))


def _planned(message: dict[str, Any]) -> Node:
    return Node(kind=Kind.PLANNED, job=str(message.get("actor_name", "")))


def _group(found: Found, group_id: str, depth: int) -> Node:
    nodes = [_member(found, slot, depth - 1) for slot in found.groups[group_id]]
    number = found.parties.get(group_id, len(nodes))
    children, more = shown(nodes)
    return Node(
        kind=Kind.GROUP, children=children, more=more + max(0, number - len(nodes)), tally=tally(number, nodes),
        then=tuple(_callbacks(found, group_id, depth)),
    )  # fmt: skip


def callbacks(found: Found, group_id: str) -> dict[str, dict[str, Any]]:
    """The messages that follow a group, by their ids."""
    for slot in found.groups[group_id]:
        options = found.options.get(found.newest((slot, max(found.slots[slot]))).id, {})
        last = [options, *map(options_of, planned(options))][-1]
        if messages := last.get("group_completion_callbacks"):
            return {each.get("message_id"): each for each in messages}
    return {}


def _callbacks(found: Found, group_id: str, depth: int) -> Iterable[Node]:
    made = {row.message_id: row for row in found.rows.values() if row.message_id}
    for message_id, message in callbacks(found, group_id).items():
        row = made.get(message_id)
        if row is None:
            yield _planned(message)
        else:
            yield from _nodes(found, [row], depth - 1)


def tally(number: int, nodes: list[Node]) -> Tally:
    kinds = [_fate(node) for node in nodes]
    return Tally(number, *(kinds.count(each) for each in ("done", "failed", "waiting", "at work")))


def _fate(node: Node) -> str:
    if node.tally is not None:
        return "failed" if node.tally.failed else "done" if node.tally.is_complete else "at work"
    if node.status in ENDED_BADLY:
        return "failed"
    if node.status in AT_WORK:
        return "at work"
    return {Status.SUCCEEDED: "done"}.get(node.status, "waiting" if node.status in WAITING else "planned")


def shown(nodes: list[Node]) -> tuple[tuple[Node, ...], int]:
    """The first so many, where the run that is looked at, failed ones and those at work count first; their order
    stays. And how many are left out."""
    if len(nodes) <= MOST_SHOWN:
        return tuple(nodes), 0
    urgency = {"failed": 1, "at work": 2, "waiting": 3, "planned": 4, "done": 5}
    ranked = sorted(range(len(nodes)), key=lambda i: (0 if _has_here(nodes[i]) else urgency[_fate(nodes[i])], i))
    kept = sorted(ranked[:MOST_SHOWN])
    return tuple(nodes[i] for i in kept), len(nodes) - len(kept)


def _has_here(node: Node) -> bool:
    return node.is_here or any(_has_here(child) for child in (*node.children, *node.then))

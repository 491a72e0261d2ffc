"""The page of the processes: workers under their supervisors, others beside them, and those that have ended."""

from collections import Counter
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.queries.workers import Process, WorkerNow, WorkersPage
from web.language import Later as _l
from web.language import together

#: What a process does, in words.
KIND = {"worker": _l("worker process"), "supervisor": _l("supervisor"), "scheduler": _l("scheduler")}


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """``is_other_version``: most of the workers run another version of the job code."""

    now: WorkerNow
    is_other_version: bool

    @property
    def busy(self) -> int:
        return min(len(self.now.running), self.now.process.slots)

    @property
    def can_drain(self) -> bool:
        return self.now.process.state == "alive"


@dataclass(frozen=True, slots=True)
class Group:
    """A supervisor with its workers; None for those whose supervisor is not there any more."""

    supervisor: Process | None
    rows: tuple[WorkerRow, ...]

    @property
    def can_drain(self) -> bool:
        return self.supervisor is not None and self.supervisor.state == "alive"


@dataclass(frozen=True, slots=True)
class WorkersView:
    """``version`` is what most workers run, when not all run the same; else empty. ``counted`` says how many there are,
    and how many of them take runs."""

    groups: tuple[Group, ...]
    others: tuple[Process, ...]
    ended: tuple[Process, ...]
    version: str
    counted: str

    @property
    def has_workers(self) -> bool:
        return any(group.rows for group in self.groups)


def page_of(found: WorkersPage) -> WorkersView:
    version = _usual_version(found.workers)
    supervisors = [each for each in found.others if each.kind == "supervisor"]
    groups = [_group(each, found.workers, version) for each in supervisors]
    known = {each.id for each in supervisors}
    alone = [each for each in found.workers if each.process.supervisor_id not in known]
    if alone:
        groups.append(Group(None, _rows(alone, version)))
    others = tuple(each for each in found.others if each.kind != "supervisor")
    return WorkersView(tuple(groups), others, found.ended, version, _counted(found.workers))


def _counted(workers: tuple[WorkerNow, ...]) -> str:
    taking = [each for each in workers if each.process.takes_runs]
    if len(taking) < len(workers):
        said = ngettext("%(up)s of %(num)s takes runs", "%(up)s of %(num)s take runs", len(workers), up=len(taking))
        return _("%(said)s; whoever drains or does not beat takes none", said=said)
    return ngettext("1 worker", "%(num)s workers", len(workers)) if workers else ""


def row_url(process_id: str) -> str:
    """Where the process stands on the page of the workers."""
    return url_for("workers.index", _anchor=f"process-{process_id}")


def nobody_else(queues: tuple[str, ...]) -> str:
    """What will wait when these queues lose their last workers; nothing when there are none."""
    if not queues:
        return ""
    names = together(queues)
    return _("Nobody else serves %(queues)s: what waits there waits until another worker comes.", queues=names)


def _usual_version(workers: tuple[WorkerNow, ...]) -> str:
    versions = Counter(each.process.version for each in workers)
    return versions.most_common(1)[0][0] if len(versions) > 1 else ""


def _group(supervisor: Process, workers: tuple[WorkerNow, ...], version: str) -> Group:
    return Group(supervisor, _rows([each for each in workers if each.process.supervisor_id == supervisor.id], version))


def _rows(workers: list[WorkerNow], version: str) -> tuple[WorkerRow, ...]:
    return tuple(WorkerRow(each, bool(version) and each.process.version != version) for each in workers)

"""The pages of the queues: what the ledger says, in the words and shapes that the templates show."""

from dataclasses import dataclass

from flask import current_app, url_for
from flask_babel import gettext as _

from ledger import clock
from ledger.queries.counting import Count
from ledger.queries.lines import RunLine
from ledger.queries.queues import Queue, QueuePage, QueuesPage
from ledger.queries.workers import Process
from web import numbers
from web.alert import MOST_ALONE
from web.console import console

#: What waits no longer than this is not worth a guess.
AT_ONCE = 5 * clock.SECOND
MINUTE = 60 * clock.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """``command`` starts a worker where nobody serves the queue; ``empty_in`` is a guess in words; ``lying`` says
    what of others lies in RabbitMQ; ``drawn`` is how many were in the queue in the last hour."""

    queue: Queue
    in_out: str
    empty_in: str
    command: str
    lying: tuple[str, ...]
    hints: int | None
    drawn: tuple[int, ...]
    drawn_words: str
    waiting_url: str

    @property
    def is_stuck(self) -> bool:
        return bool(self.command) and bool(self.queue.waiting) and not self.queue.pause


@dataclass(frozen=True, slots=True)
class QueueList:
    """``broker`` says what is wrong with RabbitMQ, if anything is."""

    rows: tuple[QueueRow, ...]
    rejected: int
    broker: str

    @property
    def stuck(self) -> tuple[QueueRow, ...]:
        return tuple(row for row in self.rows if row.is_stuck)

    @property
    def command(self) -> str:
        """Starts a worker for all that are stuck, when they are many."""
        names = [row.queue.name for row in self.stuck]
        return f"python -m workers --queues {','.join(names)}" if len(names) > MOST_ALONE else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    row: QueueRow
    broker: str
    following: tuple[RunLine, ...]
    more: Count
    workers: tuple[Process, ...]
    jobs: tuple[str, ...]
    failures_url: str


def list_of(page: QueuesPage) -> QueueList:
    rejected = sum(queue.rejected.number for queue in page.queues)
    return QueueList(tuple(_rows(page.queues)), rejected, _broker())


def page_of(page: QueuePage) -> QueueView:
    [row] = _rows((page.queue,))
    return QueueView(
        row=row, broker=_broker(), following=page.following, more=_more(page), workers=page.workers, jobs=page.jobs,
        failures_url=failures_url(),
    )  # fmt: skip


def _more(page: QueuePage) -> Count:
    """How many wait besides those that are listed."""
    waiting = page.queue.waiting
    return Count(max(0, waiting.number - len(page.following)), waiting.capped)


def failures_url() -> str:
    """Failed and crashed runs by cause; as a list where this site has no such page."""
    if "failures.index" in current_app.view_functions:
        return url_for("failures.index")
    return url_for("runs.index", tab="failed")


def _broker() -> str:
    status = console().publisher.status()
    return "" if status.ok else status.detail


def _rows(queues: tuple[Queue, ...]) -> list[QueueRow]:
    depths = console().publisher.depths([queue.name for queue in queues])
    return [_row(queue, depths.of.get(queue.name) if depths else None) for queue in queues]


def _row(queue: Queue, depth) -> QueueRow:
    """``depth`` is what lies in RabbitMQ (workers.depths), None where that is not known."""
    return QueueRow(
        queue=queue,
        in_out=f"{rate(queue.level.came)} / {rate(queue.level.left)}",
        empty_in=empty_in(queue, clock.now()),
        command="" if queue.workers else f"python -m workers --queues {queue.name}",
        lying=tuple(_lying(queue.name, depth)) if depth else (),
        hints=depth.hints if depth else None,
        drawn=queue.level.inside,
        drawn_words=_drawn(queue.level.inside),
        waiting_url=url_for("runs.index", tab="waiting", queue=queue.name),
    )


def rate(per_minute: float) -> str:
    return f"{per_minute:.1f}".removesuffix(".0") if per_minute < 10 else numbers.number(round(per_minute))


def empty_in(queue: Queue, now: int) -> str:
    """When the last of those that wait will have left, if all goes on as in the last minutes."""
    if not queue.waiting:
        return ""
    if queue.pause:
        return _("after the pause")
    if not queue.workers:
        return _("never")
    if queue.oldest_due is None or now - queue.oldest_due < AT_ONCE:
        return _("now")
    return _at_this_rate(queue)


def _at_this_rate(queue: Queue) -> str:
    came, left = queue.level.came, queue.level.left
    if left <= came:
        return _("not at this rate")
    return _("about %(time)s", time=numbers.roughly(round(queue.waiting.number / (left - came) * MINUTE)))


def _drawn(inside: tuple[int, ...]) -> str:
    first, peak, last = (numbers.number(each) for each in (inside[0], max(inside), inside[-1]))
    return _("Not finished: %(first)s then, %(last)s now, %(peak)s at most", first=first, last=last, peak=peak)


def _lying(name: str, depth) -> list[str]:
    """Messages that other producers left in the queues beside ours."""
    said = []
    if depth.delayed:
        said.append(_("%(number)s delayed messages in %(queue)s", number=depth.delayed, queue=f"{name}.DQ"))
    if depth.dead:
        said.append(_("%(number)s dead messages in %(queue)s", number=depth.dead, queue=f"{name}.XQ"))
    return said

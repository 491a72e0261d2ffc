"""The page of one run: what the ledger says, put into the shapes that the templates show."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from ledger import clock
from ledger.queries.failures import pattern_of
from ledger.queries.leavings import Artifact
from ledger.queries.run import RunPage
from ledger.queries.status import AT_WORK, WAITING
from web import arguments, tracebacks
from web.results import Result, result_of
from web.timeline import Timeline, timeline
from web.tracebacks import Block, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """``state_template`` is what differs by state; ``arguments`` is None when they are too long to be taken apart.

    While the run works, ``seconds_running`` makes each second another page, so that its bar moves.
    """

    run: RunPage
    state_template: str
    arguments: tuple[tuple[str, Any], ...] | None
    timeline: Timeline
    blocks: tuple[Block, ...]
    place: Place | None
    result: Result | None
    pictures: tuple[Artifact, ...]
    files: tuple[Artifact, ...]
    can_cancel: bool
    can_run_again: bool
    same_url: str


def page_of(run: RunPage) -> RunView:
    line, text = run.line, run.traceback.text if run.traceback else ""
    return RunView(
        run=run,
        state_template=f"runs/states/_{line.status}.html",
        arguments=_arguments(run),
        timeline=timeline(run, _now_in_steps()),
        blocks=tracebacks.blocks(text),
        place=tracebacks.place(text),
        result=result_of(run.result),
        pictures=tuple(each for each in run.artifacts if each.is_picture),
        files=tuple(each for each in run.artifacts if not each.is_picture),
        can_cancel=line.status in WAITING or line.status == "running",
        can_run_again=line.status not in WAITING | AT_WORK,
        same_url=url_for("runs.index", tab="failed", job=line.job, q=pattern_of(line.error) or line.error_type),
    )


def _arguments(run: RunPage) -> tuple[tuple[str, Any], ...] | None:
    if run.args.is_cut:
        return None
    pairs = arguments.table(run.args.text)
    return None if pairs is None else tuple(pairs)


def _now_in_steps() -> int:
    """Now, to two seconds: the bar of a run in progress moves with every other poll, not with each."""
    return clock.now() // (2 * clock.SECOND) * 2 * clock.SECOND

"""The life of one attempt, on one screen: claim -> body -> finish.

The claim was committed before a run gets here (``intake``). Nothing else may start a body, and no hook of
Dramatiq has a part in this: it swallows exceptions, and a lost exception is a lost run.
"""

from typing import Any

from dramatiq.middleware import CurrentMessage
from dramatiq.middleware.shutdown import Shutdown

from ledger.claims import Claim
from ledger.finishing import Ending
from workers import catalog, context, endings, isolation, messages
from workers.cells import CellGuard
from workers.desk import Desk
from workers.endings import Ended
from workers.interrupts import Guard
from workers.runatwork import RunAtWork

DEFAULT_TIME_LIMIT = 600_000  # milliseconds, Dramatiq's own


def perform(claim: Claim, actor, body, desk: Desk) -> Any:
    """Runs ``body`` for ``claim``, in this thread or in a cell, and hands its ending to the ledger; raises what the
    body raised, for hooks and logs."""
    in_cell = isolation.wants_process(actor.options)
    run = desk.begin(claim, CellGuard() if in_cell else Guard())
    if run is None:
        return None
    try:
        message = messages.original(claim)
        run.time_limit = time_limit(message, actor)
        ended = desk.cells.execute(run, message, actor) if in_cell else execute(run, message, actor, body)
    except BaseException as error:  # without an ending it would be at work for ever
        ended = Ended(endings.impossible(claim, error), error=error)
    desk.finish(ended.ending)
    if ended.error is not None:
        raise ended.error
    return ended.result


def execute(run: RunAtWork, message, actor, body) -> Ended:
    """The body itself, in this thread; in a cell this is all that happens of an attempt."""
    here = context.current.set(run)
    current_message = CurrentMessage._MESSAGE.set(message)
    run.start_clock()
    try:
        result = run.guard.run(body, *arguments(run.claim, message, body))
        return Ended(endings.succeeded(run, message, actor, result), result)
    except BaseException as error:
        stopped = isinstance(error, (context.Canceled, Shutdown))
        return Ended(ending_after(error, run, message, actor), error=None if stopped else error)
    finally:
        CurrentMessage._MESSAGE.reset(current_message)
        context.current.reset(here)


def arguments(claim: Claim, message, body) -> tuple[tuple, dict[str, Any]]:
    """As the message has them; what came from a form is converted to the types of the signature."""
    return catalog.bound(body, message.kwargs) if claim.typed else (message.args, message.kwargs)


def ending_after(error: BaseException, run: RunAtWork, message, actor) -> Ending:
    if isinstance(error, context.Canceled) and run.canceled():
        return endings.canceled(run.claim)
    if isinstance(error, Shutdown):
        return endings.interrupted(run.claim)
    return endings.failed(run.claim, message, actor, error)


def time_limit(message, actor) -> float | None:
    """Seconds, or None for no limit (an infinite one)."""
    limit = message.options.get("time_limit") or actor.options.get("time_limit", DEFAULT_TIME_LIMIT)
    if limit is not None and not isinstance(limit, int | float):
        raise TypeError(f"time_limit is a number of milliseconds, not {limit!r}")
    return None if limit is None or limit == float("inf") else limit / 1000

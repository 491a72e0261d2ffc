"""The life of one attempt, on one screen: claim -> body -> finish.

The claim was committed before a run gets here (``intake``). Nothing else may start a body, and no hook of
Dramatiq has a part in this: it swallows exceptions, and a lost exception is a lost run.
"""

from typing import Any

from dramatiq.middleware import CurrentMessage
from dramatiq.middleware.shutdown import Shutdown

from ledger.claims import Claim, Ending
from workers import catalog, context, endings, messages
from workers.desk import Desk, RunAtWork

DEFAULT_TIME_LIMIT = 600_000  # milliseconds, Dramatiq's own


def perform(claim: Claim, actor, body, desk: Desk) -> Any:
    """Runs ``body`` for ``claim`` and hands its ending to the ledger; raises what the body raised, for hooks and logs."""
    message = messages.original(claim)
    run = desk.begin(claim, time_limit(message, actor))
    if run is None:
        return None
    here = context.current.set(run)
    current_message = CurrentMessage._MESSAGE.set(message)
    try:
        result = run.guard.run(body, *arguments(claim, message, body))
        ending = endings.succeeded(claim, message, actor, result)
    except BaseException as error:
        ending = ending_after(error, run, message, actor)
        if not isinstance(error, (context.Canceled, Shutdown)):
            raise
    else:
        return result
    finally:
        CurrentMessage._MESSAGE.reset(current_message)
        context.current.reset(here)
        desk.finish(ending)


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
    return None if limit is None or limit == float("inf") else limit / 1000

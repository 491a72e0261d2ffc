"""What follows from how a body ended: the next state of its run, and the messages that Dramatiq's options ask for.

Keeps the meaning of ``max_retries``, ``min_backoff``, ``max_backoff``, ``retry_when``, ``throws``, ``Retry(delay=)``,
``on_success``, ``on_failure``, ``on_retry_exhausted``, ``pipe_target``, ``pipe_ignore`` and of group callbacks
(dramatiq 2.2: middleware/retries.py, callbacks.py, pipelines.py, group_callbacks.py), inside the ledger's transaction.
"""

import traceback
from dataclasses import dataclass
from typing import Any

from dramatiq import Message
from dramatiq.common import compute_backoff
from dramatiq.errors import Retry

from ledger import clock, members, texts
from ledger.claims import Claim
from ledger.failures import fingerprint
from ledger.finishing import Ending
from ledger.fleet import state_after_crash
from ledger.runs import NewRun
from ledger.states import Outcome, State
from workers import messages, places
from workers.catalog import ArgumentsDoNotFit
from workers.runatwork import RunAtWork

OWN_MODULES = {"workers.perform", "workers.interrupts", "workers.limits"}
TOO_LARGE = "whole-result.json"  # the artifact that keeps a result which the ledger does not
DEFAULT_MAX_RETRIES = 20
DEFAULT_MIN_BACKOFF = 15_000
DEFAULT_MAX_BACKOFF = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt's ending, and what its body returned or raised, for Dramatiq's hooks."""

    ending: Ending
    result: Any = None
    error: BaseException | None = None


class FailedElsewhere(Exception):
    """Stands in this process for the exception of a body in a cell."""

    def __init__(self, ending: Ending):
        super().__init__(f"{ending.error_type}: {ending.error}")


class ResultNotJson(Exception):
    """Raised when a result has to be handed on, in a pipeline or to ``on_success``, but is not JSON."""

    def __init__(self, value: object):
        kind = type(value).__name__
        super().__init__(f"what follows this run needs JSON, but it returned {kind}: {described(value)}")


def succeeded(run: RunAtWork, message: Message, actor, result: object) -> Ending:
    """Raises ResultTooLarge or ResultNotJson, which then count as the failure of the attempt."""
    return Ending(
        claim=run.claim,
        state=State.SUCCEEDED,
        outcome=Outcome.SUCCEEDED,
        result=_kept(run, result, _is_handed_on(message, actor)),
        next_runs=[
            *_callback(run.claim, message, actor, "on_success", result),
            *_next_in_pipe(run.claim, message, actor, result),
        ],
        barrier=message.options.get("group_completion_uuid"),
        barrier_slot=message.options.get(members.SLOT),
        barrier_runs=[
            _following(run.claim, actor.broker, Message(**fields))
            for fields in message.options.get("group_completion_callbacks") or []
        ],
    )


def _kept(run: RunAtWork, result: object, is_handed_on: bool) -> str | None:
    """The result as the ledger keeps it. The work is done: what cannot be kept as it is becomes a note about itself,
    and the run succeeds - unless something follows that needs the result."""
    if result is None:
        return None
    try:
        return texts.result_to_json(result)
    except texts.ResultTooLarge as error:
        if is_handed_on:
            raise
        run.artifact(TOO_LARGE, texts.to_json(result).encode(), "application/json", "The whole result")
        return texts.to_json({"too large": f"{error.size:,} bytes", "artifact": TOO_LARGE})
    except (TypeError, ValueError, RecursionError):
        if is_handed_on:
            raise ResultNotJson(result) from None
        return texts.to_json({"not JSON": described(result)})


def _is_handed_on(message: Message, actor) -> bool:
    return bool(message.options.get("pipe_target") or _option(message, actor, "on_success", None))


def described(value: object) -> str:
    """Its ``repr``, cut; its type when even that fails."""
    try:
        return texts.clean(repr(value), 500)
    except Exception as error:
        return f"{type(value).__name__}, whose repr raised {type(error).__name__}"


def failed(claim: Claim, message: Message, actor, error: BaseException) -> Ending:
    """Queued again by the job's own retry options, or failed.

    An ending there is in any case, or the run would be at work for ever: when the options themselves fail - a
    ``retry_when`` that raises, a callback that nobody knows - the run has failed, and its error says both.
    """
    try:
        return _by_options(claim, message, actor, error)
    except Exception as fault:
        told = f"{words(error)} (and its own options failed: {type(fault).__name__}: {words(fault)})"
        return _failure(claim, message, actor, error, told, None, [])


def _by_options(claim: Claim, message: Message, actor, error: BaseException) -> Ending:
    delay = retry_delay(claim.failures, message, actor, error)
    exhausted = delay is None and not _is_expected(message, actor, error)
    next_runs = _callback(claim, message, actor, "on_failure", {"type": type(error).__name__, "message": words(error)})
    if exhausted:
        retries = {"retries": claim.failures, "max_retries": max_retries(message, actor)}
        next_runs += _callback(claim, message, actor, "on_retry_exhausted", retries)
    return _failure(claim, message, actor, error, words(error), delay, next_runs)


def _failure(
    claim: Claim, message: Message, actor, error: BaseException, told: str, delay: int | None, next_runs: list[NewRun]
) -> Ending:
    return Ending(
        claim=claim,
        state=State.FAILED if delay is None else State.QUEUED,
        outcome=Outcome.FAILED,
        **(told_apart(claim, error) if delay is None else {}),
        error_type=type(error).__name__,
        error=told,
        traceback=_traceback(error),
        retry_at=None if delay is None else clock.now() + delay * clock.MILLISECOND,
        max_attempts=_max_attempts(message, actor),
        next_runs=next_runs,
    )


def told_apart(claim: Claim, error: BaseException) -> dict[str, str]:
    """The group that a failure for good belongs to, with the place in words."""
    kind, place = type(error).__name__, places.place_of(error)
    return {"fingerprint": fingerprint(claim.job, kind, place.key), "place": place.words}


def impossible(claim: Claim, error: BaseException) -> Ending:
    """The attempt could not even be made, or not be brought to an end: it would be the same again."""
    return Ending(
        claim=claim, state=State.FAILED, outcome=Outcome.FAILED, error_type=type(error).__name__, error=words(error),
        traceback=_traceback(error), **told_apart(claim, error),
    )  # fmt: skip


def crashed(
    claim: Claim, actor, because: str, crash_limit: int, began: bool = True, traceback: str | None = None
) -> Ending:
    """Its process died: the same as a dead worker to its run (``ledger.fleet.rescue``)."""
    on_crash = actor.options.get("on_crash", "retry") if began else "retry"
    state = state_after_crash(claim.crashes, crash_limit, on_crash)
    return Ending(
        claim=claim, state=state, outcome=Outcome.LOST, error_type="ProcessDied", error=because, traceback=traceback,
        retry_at=clock.now() if state == State.QUEUED else None,
        fingerprint=None if state == State.QUEUED else fingerprint(claim.job, "ProcessDied", ""),
    )  # fmt: skip


def words(error: BaseException) -> str:
    """What it says; there are exceptions whose own words raise."""
    try:
        return str(error)
    except Exception as fault:
        return f"it cannot be told: its words raise {type(fault).__name__}"


def canceled(claim: Claim) -> Ending:
    return Ending(claim=claim, state=State.CANCELED, outcome=Outcome.CANCELED)


def interrupted(claim: Claim) -> Ending:
    """The worker shuts down: the run waits again, and has used up no retry."""
    return Ending(claim=claim, state=State.QUEUED, outcome=Outcome.INTERRUPTED, retry_at=clock.now())


def retry_delay(failures: int, message: Message, actor, error: BaseException) -> int | None:
    """Milliseconds until the next attempt after ``failures`` earlier ones and this; None to give up."""
    if _is_expected(message, actor, error) or not _wants_retry(failures, message, actor, error):
        return None
    if isinstance(error, Retry) and error.delay is not None:
        return int(error.delay)
    min_backoff = _option(message, actor, "min_backoff", DEFAULT_MIN_BACKOFF)
    max_backoff = min(_option(message, actor, "max_backoff", DEFAULT_MAX_BACKOFF), DEFAULT_MAX_BACKOFF)
    return compute_backoff(failures, factor=min_backoff, max_backoff=max_backoff)[1]


def _is_expected(message: Message, actor, error: BaseException) -> bool:
    throws = message.options.get("throws") or actor.options.get("throws")
    return bool(throws) and isinstance(error, throws)


def _wants_retry(failures: int, message: Message, actor, error: BaseException) -> bool:
    if isinstance(error, (texts.ResultTooLarge, ResultNotJson, ArgumentsDoNotFit)):
        return False  # it would be the same again
    retry_when = actor.options.get("retry_when")
    if retry_when is not None:
        return bool(retry_when(failures, error))
    most = max_retries(message, actor)
    return most is None or failures < most


def max_retries(message: Message, actor) -> int | None:
    return _option(message, actor, "max_retries", DEFAULT_MAX_RETRIES)


def _max_attempts(message: Message, actor) -> int | None:
    most = max_retries(message, actor)
    return most + 1 if isinstance(most, int) and not actor.options.get("retry_when") else None


def _option(message: Message, actor, name: str, default):
    return message.options.get(name, actor.options.get(name, default))


def _callback(claim: Claim, message: Message, actor, option: str, payload: object) -> list[NewRun]:
    name = message.options.get(option) or actor.options.get(option)
    if not name:
        return []
    target = actor.broker.get_actor(name if isinstance(name, str) else name.actor_name)
    return [_following(claim, actor.broker, target.message(message.asdict(), payload))]


def _next_in_pipe(claim: Claim, message: Message, actor, result: object) -> list[NewRun]:
    fields = message.options.get("pipe_target")
    if fields is None:
        return []
    following = Message(**fields)
    following = following.copy(options=members.following(message.options))
    if not (following.options.get("pipe_ignore") or actor.options.get("pipe_ignore")):
        following = following.copy(args=(*following.args, result))
    return [_following(claim, actor.broker, following)]


def _following(claim: Claim, broker, message: Message) -> NewRun:
    texts.to_json([message.args, message.kwargs])  # what is not JSON fails here, as the attempt's own error
    return messages.new_run(
        message,
        origin="code",
        delay=message.options.get("delay"),
        actor=broker.actors.get(message.actor_name),
        caller_id=claim.id,
        created_by=claim.job,
    )


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, _first_frame_of_job(error)))


def _first_frame_of_job(error: BaseException):
    """The traceback without our own frames at its start; all of it when there is nothing else."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_globals.get("__name__") in OWN_MODULES:
        step = step.tb_next
    return step or error.__traceback__

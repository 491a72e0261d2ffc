"""``@schedule``: a job's schedules stand beside it in the code. Above or below ``@dramatiq.actor``, with any broker.

Nothing here raises for a declaration that is wrong: the worker boots, says so in its log, and the site shows it.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from dramatiq import Actor

from ledger import declarations, declared
from ledger.declarations import DeclarationError
from ledger.engine import Engine
from ledger.errors import N_, LedgerAway
from ledger.schedules_file import TWICE
from ledger.statements import CODE, Statement, fault
from workers import catalog
from workers.signature import ArgumentsDoNotFit, original, signature_of

log = logging.getLogger(__name__)

Job = TypeVar("Job", bound=Callable)


class Declared(NamedTuple):
    target: Callable
    said: dict[str, Any]


_declared: list[Declared] = []


def schedule(cron: str | None = None, **said: Any) -> Callable[[Job], Job]:
    """Declares a schedule of the job below: ``@schedule("0 3 * * *", timezone="Europe/Madrid", args={"days": 30})``.

    Instead of a cron rule, ``every="15 min"`` or ``once="2026-10-31 03:00"``. ``said`` may be ``name`` (else it is the
    job's), ``timezone`` (UTC), ``args``, ``overlap``, ``catchup``, ``queue``, ``priority``, ``starts``, ``ends``,
    ``jitter``, ``expires`` and ``keep``. A job may have several, each with a name of its own.
    """

    def declare(target: Job) -> Job:
        given = said if cron is None else {"cron": cron, **said}
        _declared.append(Declared(target, given))
        return target

    return declare


def announce(engine: Engine, process_id: str, actors: Iterable[Actor], modules: Iterable[str]) -> None:
    """Tells the ledger what these actors' code declares. Raises LedgerAway, and nothing else: runs go before rules."""
    try:
        declared.announce(engine, process_id, statement_of(actors, modules))
    except LedgerAway:
        raise
    except Exception:
        log.exception("What the code declares could not be followed.")


def statement_of(actors: Iterable[Actor], modules: Iterable[str]) -> Statement:
    """What these actors' code declares; it speaks for all that stands in the ``modules``."""
    by_function = {_key(actor): actor for actor in actors}
    reading = _Reading()
    for each in _declared:
        reading.take(each, by_function.get(_key(each.target)))
    names = tuple(sorted(actor.actor_name for actor in by_function.values()))
    own = {*modules, *(_module(actor) for actor in by_function.values())}
    faults, wrong = tuple(reading.faults), tuple(sorted(reading.wrong - reading.schedules.keys()))
    return Statement(CODE, dict(sorted(reading.schedules.items())), wrong, names, tuple(sorted(own)), faults=faults)


def _key(target: Actor | Callable) -> Any:
    """The function below all wrappers, or what a method is bound to: the same for an actor and what it was made of."""
    function = original(target.fn if isinstance(target, Actor) else target)
    return getattr(function, "__func__", function)


def _module(target: Actor | Callable) -> str:
    return getattr(_key(target), "__module__", None) or ""


class _Reading:
    """What stands beside the actors, entry by entry."""

    def __init__(self):
        self.schedules: dict[str, dict[str, Any]] = {}
        self.wrong: set[str] = set()
        self.faults: list[dict[str, Any]] = []

    def take(self, each: Declared, actor: Actor | None) -> None:
        name = each.said.get("name", actor and actor.actor_name)
        place = catalog.source_of(_key(each.target)) or _module(each.target)
        try:
            said = self._read(each, actor)
            self.schedules[said["name"]] = said | {"place": place, "module": _module(each.target)}
        except DeclarationError as error:
            self.faults.append(fault(f"{place}, @schedule “{name or each.said.get('cron', '')}”", error))
            self.wrong |= {name.strip()} if isinstance(name, str) else set()

    def _read(self, each: Declared, actor: Actor | None) -> dict[str, Any]:
        if actor is None:
            raise DeclarationError(N_("It stands beside what is no job: @dramatiq.actor is missing."))
        if "job" in each.said:
            raise DeclarationError(N_("The job is the one below: leave “job” out."))
        said = declarations.read({"name": actor.actor_name, **each.said, "job": actor.actor_name})
        if said["name"] in self.schedules:
            raise DeclarationError(TWICE, name=said["name"])
        try:
            signature_of(actor.fn).typed(said["args"])
        except ArgumentsDoNotFit as error:
            told = N_("The arguments do not fit: %(faults)s.")
            raise DeclarationError(told, faults="; ".join(error.faults)) from error
        return said

"""The Dramatiq broker of Waybill: enqueueing writes a row, consuming yields claimed runs.

Dramatiq's Retries, TimeLimit, AgeLimit, Results, Callbacks and Pipelines act in hooks that swallow errors, so none
of them is here; their options are declared and kept by ``endings``.
"""

import functools
import importlib
import logging
import sys
from typing import Any

import dramatiq
from dramatiq import Actor, Broker, Message
from dramatiq.middleware import AsyncIO

from ledger import runs
from ledger.claims import Claim
from ledger.engine import Glance, open_engine
from ledger.settings import Settings, settings
from ledger.watch import Watch, open_watch
from ledger.writer import Writer
from workers import admission, composition, context, isolation, messages
from workers.desk import Desk
from workers.intake import LedgerConsumer
from workers.options import ActorOptions
from workers.perform import perform
from workers.publisher import make_publisher
from workers.results import LedgerBarriers, LedgerGroupCallbacks, LedgerResultBackend, LedgerResults

log = logging.getLogger(__name__)

DAY = 86_400_000  # milliseconds: a group can be completed for as long as its runs are kept


class WaybillBroker(Broker):
    """One per process. ``desk`` is set in worker processes only; others just enqueue."""

    def __init__(self, settings: Settings, publisher=None, writer=None):
        """A cell gives a publisher and a writer that speak to its worker process; others have their own."""
        super().__init__(middleware=[])
        self.settings = settings
        self.engine = open_engine(settings.ledger_url)
        self.publisher = publisher or make_publisher(settings)
        if writer is not None:
            self.writer = writer
        self.queues: dict[str, None] = {}
        self.desk: Desk | None = None
        backend = LedgerResultBackend(self)
        for middleware in (
            AsyncIO(),
            ActorOptions(),
            LedgerResults(backend=backend),
            LedgerGroupCallbacks(LedgerBarriers(self), barrier_ttl=settings.retention_days * DAY),
        ):
            self.add_middleware(middleware)

    @functools.cached_property
    def writer(self) -> Writer:
        return Writer(self.engine)

    @functools.cached_property
    def glance(self) -> Glance:
        return Glance(self.engine)

    @functools.cached_property
    def watch(self) -> Watch:
        return open_watch(self.engine)

    def declare_actor(self, actor: Actor) -> None:
        """Wraps the actor's function: called with a claim it is the worker speaking, else it is a plain call.

        Raises WrongOption."""
        isolation.check(actor.actor_name, actor.options)
        admission.check(actor.actor_name, actor.options, actor.fn)
        body = actor.fn

        @functools.wraps(body)
        def claimed_or_called(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 1 and isinstance(args[0], Claim):
                return perform(args[0], actor, body, self.desk)
            return body(*args, **kwargs)

        actor.fn = claimed_or_called
        super().declare_actor(actor)

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message, *, delay: int | None = None) -> Message:
        """Writes the run, durably, then hints. ``delay`` in milliseconds. Raises LedgerAway.

        Where the job takes no equal run now, the message that is answered stands for the earlier one."""
        self.emit_before("enqueue", message, delay)
        group = composition.membership()
        member = message.copy(options=group) if group else message
        new = messages.new_run(
            member, origin="code", delay=delay, actor=self.actors.get(message.actor_name), **caller()
        )
        with context.undisturbed():
            [run_id] = self.writer.call(runs.insert_groups, [new])
            if not delay:
                self.publisher.hint(run_id, new.job, new.queue)
        self.emit_after("enqueue", message, delay)
        return message if run_id == new.id else message.copy(message_id=run_id)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000):
        if self.desk is None:
            raise RuntimeError("only a worker process consumes: start one by `python -m workers`")
        if self.settings.embedded:
            return LedgerConsumer(self.glance, self.desk, queue_name, timeout)
        from workers.rabbitmq import HintConsumer

        return HintConsumer(self.engine, self.glance, self.desk, queue_name, timeout, self.actors)

    def close(self) -> None:
        self.publisher.close()
        if "writer" in self.__dict__:
            self.writer.close()
        if "watch" in self.__dict__:
            self.watch.close()
        self.engine.dispose()


def caller() -> dict[str, Any]:
    """Who sends: the run whose body this thread executes, if any."""
    run = context.current.get()
    return {"caller_id": run.run_id, "created_by": run.claim.job} if run else {}


def make_broker(own_settings: Settings | None = None, **speakers: Any) -> WaybillBroker:
    """A broker for this process, which is also made Dramatiq's global one."""
    composition.name_groups()
    broker = WaybillBroker(own_settings or settings(), **speakers)
    dramatiq.set_broker(broker)
    return broker


def load_jobs(broker: WaybillBroker, modules: list[str]) -> None:
    """Imports the job modules; actors that they bound to brokers of their own are taken over, with a notice."""
    for name in modules:
        importlib.import_module(name)
        adopt_foreign_actors(broker, name)
    dramatiq.set_broker(broker)


def adopt_foreign_actors(broker: WaybillBroker, module_name: str) -> None:
    """Tutorial modules call ``dramatiq.set_broker(RabbitmqBroker(...))`` at import; their actors move over to ours."""
    foreign = {actor.actor_name: actor for actor in foreign_actors(broker)}
    for actor in foreign.values():
        move(actor, broker)
    if foreign:
        log.warning(
            "The job module %s has set a broker of its own; its jobs now run here: %s.",
            module_name,
            ", ".join(sorted(foreign)),
        )


def foreign_actors(broker: WaybillBroker) -> list[Actor]:
    """Actors of another global broker, and those in loaded modules that name a broker of their own."""
    other = dramatiq.get_broker()
    found = [] if other is broker else list(other.actors.values())
    for module in list(sys.modules.values()):
        candidates = list(vars(module).values()) if module else []
        found += [each for each in candidates if isinstance(each, Actor) and each.broker is not broker]
    return found


def move(actor: Actor, broker: WaybillBroker) -> None:
    if actor.broker is broker:
        return
    actor.broker = broker
    broker.declare_actor(actor)

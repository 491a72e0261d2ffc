"""Inside a cell: ``python -m workers.cell``, a warm process that executes one body at a time in its main thread.

It imports the job modules with a broker of its own, but neither writes to the ledger nor speaks to RabbitMQ: both
is done by the worker process that leads it, so a cell can be killed at any moment, and its limits are its job's alone.
"""

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from dramatiq.middleware import AsyncIO

from ledger.claims import Claim
from ledger.settings import settings
from workers import isolation, joblog, limits, messages, ties
from workers.broker import load_jobs, make_broker
from workers.channel import Answer, Call, Channel, Done, Hint, Perform, Ready, Started, Stop, Submit
from workers.limits import LimitedGuard
from workers.perform import execute
from workers.runatwork import RunAtWork


def main() -> None:
    parent, channel, faults = map(int, sys.argv[1:])
    ties.die_with(parent)
    for descriptor in (channel, faults):
        os.set_inheritable(descriptor, False)
    faulthandler.enable(open(faults, "w"), all_threads=False)
    limits.no_core_files()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # until a body runs
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    joblog.set_up(settings().log_level)
    try:
        Inside(Channel(Connection(channel))).serve()
    except BaseException:
        logging.getLogger(__name__).critical("A cell cannot go on.", exc_info=True)
    finally:
        os._exit(1)  # whatever threads there are


class Inside:
    """The run of this process, and who speaks for it."""

    def __init__(self, channel: Channel):
        self._channel = channel
        self._writer = DistantWriter(channel)
        self._broker = make_broker(publisher=DistantPublisher(channel), writer=self._writer)
        load_jobs(self._broker, settings().job_modules)
        self._claims: SimpleQueue[Claim] = SimpleQueue()
        self._run: RunAtWork | None = None

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        for middleware in self._broker.middleware:
            if isinstance(middleware, AsyncIO):  # the loop of async actors, which a worker starts otherwise
                middleware.before_worker_boot(self._broker, None)
        self._channel.say(Ready())
        while True:
            self._perform(self._claims.get())

    def _perform(self, claim: Claim) -> None:
        message = messages.original(claim)
        actor = self._broker.get_actor(claim.job)
        guard = LimitedGuard(isolation.limits_of(actor.options), lambda: self._channel.say(Started()))
        self._run = RunAtWork(claim, self._writer, settings().artifacts, guard)
        ended = execute(self._run, message, actor, actor.fn.__wrapped__)
        self._run.report()
        self._channel.say(Done(ended.ending))

    def _listen(self) -> None:
        """Until the worker process is gone; then nothing of this group goes on."""
        try:
            while True:
                self._follow(self._channel.hear())
        finally:
            ties.kill_group(os.getpgrp())

    def _follow(self, order: Perform | Stop | Answer) -> None:
        match order:
            case Perform():
                self._claims.put(order.claim)
            case Answer():
                self._writer.resolve(order)
            case Stop() if self._run is not None:
                if order.error is None:
                    self._run.ask_to_stop()
                else:
                    self._run.guard.interrupt(order.error)


class DistantWriter:
    """What a cell has instead of a ``ledger.writer.Writer``: the one of its worker process."""

    def __init__(self, channel: Channel):
        self._channel = channel
        self._numbers = count()
        self._asked: dict[int, Future] = {}

    def submit(self, act: Callable, request: Any, *, durable: bool = True) -> None:
        """For what nobody waits for: log lines and progress."""
        self._channel.say(Submit(act, request))

    def call(self, act: Callable, request: Any) -> Any:
        """Waits for the commit. Raises what the row raised, or LedgerAway."""
        number = next(self._numbers)
        answer = self._asked[number] = Future()
        self._channel.say(Call(number, act, request))
        return answer.result()

    def resolve(self, answer: Answer) -> None:
        asked = self._asked.pop(answer.number)
        if answer.error is None:
            asked.set_result(answer.value)
        else:
            asked.set_exception(answer.error)


class DistantPublisher:
    """What a cell has instead of a publisher of hints."""

    def __init__(self, channel: Channel):
        self._channel = channel

    def hint(self, run_id: str, job: str, queue: str) -> None:
        self._channel.say(Hint(run_id, job, queue))

    def close(self) -> None:
        pass


if __name__ == "__main__":
    main()

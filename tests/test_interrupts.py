"""Interrupting a body: only the body, only once, and never while our own code inside it holds something."""

import random
import threading
import time

from dramatiq.middleware import TimeLimitExceeded

from workers.interrupts import Guard

WAIT = 10.0


class InThread:
    """Runs a body under a guard in a thread, as a worker does, and keeps what came of it."""

    def __init__(self, guard: Guard, body):
        self.ended: object = None
        self._thread = threading.Thread(target=self._run, args=(guard, body))
        self._thread.start()

    def _run(self, guard: Guard, body) -> None:
        try:
            self.ended = guard.run(body, (), {})
        except BaseException as error:
            self.ended = type(error)

    def wait(self) -> object:
        self._thread.join(WAIT)
        assert not self._thread.is_alive()
        return self.ended


def test_an_interrupt_waits_until_our_own_code_is_through():
    guard, inside, interrupted, through = Guard(), threading.Event(), threading.Event(), []

    def body():
        with guard.undisturbed():
            inside.set()
            interrupted.wait(WAIT)
            through.extend(range(1_000))
        through.append("too far")

    running = InThread(guard, body)
    assert inside.wait(WAIT) and guard.interrupt(TimeLimitExceeded)
    interrupted.set()
    assert running.wait() is TimeLimitExceeded
    assert through == list(range(1_000))


def test_our_own_code_of_another_thread_is_not_waited_for():
    guard, started, go_on = Guard(), threading.Event(), threading.Event()

    def body():
        started.set()
        while not go_on.is_set():
            time.sleep(0.001)

    running = InThread(guard, body)
    assert started.wait(WAIT)
    with guard.undisturbed():
        assert guard.interrupt(TimeLimitExceeded)
        assert running.wait() is TimeLimitExceeded
    go_on.set()


def test_a_body_is_interrupted_once_and_only_while_it_runs():
    guard, started = Guard(), threading.Event()

    def body():
        started.set()
        while True:
            time.sleep(0.001)

    assert not guard.interrupt(TimeLimitExceeded)
    running = InThread(guard, body)
    assert started.wait(WAIT)
    assert guard.interrupt(TimeLimitExceeded) and not guard.interrupt(TimeLimitExceeded)
    assert running.wait() is TimeLimitExceeded
    assert not guard.is_overdue()


def test_a_body_that_catches_its_interrupt_and_goes_on_is_overdue():
    guard, caught, go_on = Guard(), threading.Event(), threading.Event()
    guard.grace = 0.0

    def body():
        try:
            while True:
                time.sleep(0.001)
        except TimeLimitExceeded:
            caught.set()
            go_on.wait(WAIT)

    running = InThread(guard, body)
    while not guard.interrupt(TimeLimitExceeded):
        time.sleep(0.001)
    assert caught.wait(WAIT) and guard.is_overdue() and not guard.kill()
    go_on.set()
    running.wait()


def test_an_interrupt_at_the_very_end_hits_the_body_or_nothing():
    """The thread that ran the body goes on with the next one, five hundred times."""
    chance = random.Random(1)
    guards = [Guard() for _ in range(500)]
    ends: list[str] = []

    def bodies():
        for guard in guards:
            try:
                guard.run(time.sleep, (0.001,), {})
                ends.append("done")
            except TimeLimitExceeded:
                ends.append("interrupted")

    thread = threading.Thread(target=bodies)
    thread.start()
    for guard in guards:
        while len(ends) < guards.index(guard):
            time.sleep(0)
        time.sleep(chance.uniform(0.0005, 0.0015))
        guard.interrupt(TimeLimitExceeded)
    thread.join(WAIT)
    assert len(ends) == 500 and set(ends) == {"done", "interrupted"}

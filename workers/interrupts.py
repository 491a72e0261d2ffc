"""Interrupting Python code: only inside the body, at most once, never its finish.

In a worker thread CPython delivers an asynchronous exception whenever the thread next runs bytecode. Dramatiq's
TimeLimit may hit its own hooks that way; here the exception can only be set while the body runs, what is still on
its way when the body ends is taken back, and our own code that a body calls (progress, log, send) is left alone:
an exception between taking a lock and giving it back would stop the whole process.

In the main thread of a cell a signal does the same, and also ends what blocks, like a sleep or a read.
"""

import contextlib
import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

_set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class Guard:
    """Runs one body in this thread; another thread may ``interrupt`` it."""

    grace = 5.0  # seconds that an interrupted body gets to end

    def __init__(self) -> None:
        self.error: type[BaseException] | None = None  # what the body was interrupted with
        self._interrupted_at = 0.0
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self._undisturbed = 0
        self._waiting = False  # an interrupt came while our own code ran

    def run(self, body: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        try:
            self._thread_id = threading.get_ident()
            try:
                return body(*args, **kwargs)
            finally:
                self._leave()
        finally:
            self._leave()  # an interrupt that landed inside the first one was the only one there is

    def interrupt(self, error: type[BaseException]) -> bool:
        """Raises ``error`` in the body; False when it has ended, not begun, or was interrupted before."""
        with self._lock:
            if self._thread_id is None or self.error is not None:
                return False
            self.error, self._interrupted_at = error, time.monotonic()
            self._waiting = self._undisturbed > 0
            return self._waiting or self._raise(error)

    def is_overdue(self) -> bool:
        """Whether the body goes on though its grace after an interrupt is over."""
        late = self.error is not None and time.monotonic() > self._interrupted_at + self.grace
        return late and self._thread_id is not None

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """For our own code inside a body: an interrupt waits until it is through."""
        if threading.get_ident() != self._thread_id:
            yield
            return
        self._count(+1)
        try:
            yield
        finally:
            self._count(-1)
            if self._waiting and not self._undisturbed:
                self._waiting = False
                raise self.error

    def ask_to_stop(self) -> None:
        """A person canceled the run: its own ``context`` tells the body."""

    def kill(self) -> bool:
        """A thread cannot be killed; False says so."""
        return False

    def _raise(self, error: type[BaseException]) -> bool:
        return _set_async_exception(ctypes.c_ulong(self._thread_id), ctypes.py_object(error)) == 1

    def _count(self, change: int) -> None:
        with self._lock:
            self._undisturbed += change

    def _leave(self) -> None:
        with self._lock:
            self._thread_id = None
        _set_async_exception(ctypes.c_ulong(threading.get_ident()), None)


class SignalGuard(Guard):
    """A guard in the main thread, which SIGTERM interrupts. Signals that nobody gave a reason for change nothing."""

    _is_on_its_way = False

    def run(self, body: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        signal.signal(signal.SIGTERM, lambda *_: self._on_signal())
        return super().run(body, args, kwargs)

    def _raise(self, error: type[BaseException]) -> bool:
        self._is_on_its_way = True
        signal.pthread_kill(self._thread_id, signal.SIGTERM)
        return True

    def _on_signal(self) -> None:
        # Without the lock, which this very thread may hold.
        if not self._is_on_its_way or self._thread_id is None:
            return
        self._is_on_its_way = False
        if self._undisturbed:
            self._waiting = True
        else:
            raise self.error

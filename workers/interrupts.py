"""Interrupting Python code in a worker thread: only inside the body, at most once, never its finish.

CPython delivers an asynchronous exception whenever the thread next runs bytecode. Dramatiq's TimeLimit may hit
its own hooks that way; here the exception can only be set while the body runs, and what is still on its way
when the body ends is taken back.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any

_set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class Guard:
    """Runs one body; another thread may ``interrupt`` it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self._interrupted = False

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
            if self._thread_id is None or self._interrupted:
                return False
            self._interrupted = True
            return _set_async_exception(ctypes.c_ulong(self._thread_id), ctypes.py_object(error)) == 1

    def _leave(self) -> None:
        with self._lock:
            self._thread_id = None
        _set_async_exception(ctypes.c_ulong(threading.get_ident()), None)

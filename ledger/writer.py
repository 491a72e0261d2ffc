"""One thread per process that commits what others ask for, in groups.

Whoever waits joins the next transaction, so the more threads wait, the fewer commits there are. A group that
fails is done again one by one: a bad row fails alone. When the ledger is away, results are kept and tried
again until they are in; a claim is told, for no body may start without one.
"""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ledger.engine import is_sqlite, translated, writing_on
from ledger.errors import LedgerAway

log = logging.getLogger(__name__)

GROUP_LIMIT = 256
AWAY_SECONDS = 0.5

#: Does one kind of request for a whole group: ``(connection, [request, ...]) -> [answer, ...]``, in order.
GroupFunction = Callable[[Connection, list], list]


@dataclass(slots=True, eq=False)
class _Entry:
    act: GroupFunction
    request: Any
    patient: bool  # keeps trying while the ledger is away
    durable: bool  # on disk before the answer
    answer: Future = field(default_factory=Future)


class Writer:
    """Commits requests in groups. ``submit`` leaves a request to the writer's thread, ``call`` waits for its commit.

    Whoever calls while nobody commits does it for all who wait, for two changes of thread cost as much as a commit.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._waiting: deque[_Entry] = deque()
        self._news = threading.Condition()
        self._flushing = 0  # how many wait until nothing waits
        self._closing = False
        self._committing = threading.Lock()  # held by the one who commits
        self._connection: Connection | None = None  # kept as long as the writer serves
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether its thread still serves; without it no ending can be written."""
        return self._thread.is_alive()

    def submit(self, act: GroupFunction, request: Any, *, patient: bool = False, durable: bool = True) -> Future:
        """Asks for ``act`` to be done for ``request``. The future raises what the row raised, or LedgerAway.

        With ``patient``, an unreachable ledger is waited for instead. A group in which nothing is ``durable``
        does not wait for SQLite's disk.
        """
        entry = self._enter(_Entry(act, request, patient, durable))
        with self._news:
            self._news.notify_all()
        return entry.answer

    def call(self, act: GroupFunction, request: Any, *, durable: bool = True) -> Any:
        """The answer to ``request``, after its commit."""
        entry = self._enter(_Entry(act, request, False, durable))
        if self._committing.acquire(blocking=False):
            try:
                self._commit(self._group())
            finally:
                self._committing.release()
        self._tell()
        return entry.answer.result()

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until all that was submitted is committed; False when ``timeout`` seconds were not enough."""
        with self._news:
            self._flushing += 1
            try:
                return self._news.wait_for(lambda: not self._waiting and not self._committing.locked(), timeout)
            finally:
                self._flushing -= 1

    def close(self, timeout: float = 10) -> bool:
        flushed = self.flush(timeout)
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join(timeout=5)
        return flushed

    def _tell(self) -> None:
        """Wakes whom the end of a commit concerns: to wake the thread for nothing would cost more than it does."""
        with self._news:
            if self._waiting or self._flushing:
                self._news.notify_all()

    def _enter(self, entry: _Entry) -> _Entry:
        entry.answer.set_running_or_notify_cancel()  # nobody can take a request back
        with self._news:
            if self._closing:
                raise RuntimeError("the writer is closed")
            self._waiting.append(entry)
        return entry

    def _run(self) -> None:
        while self._await_requests():
            with self._committing:
                away = not self._commit(self._group())
            self._tell()
            if away:
                threading.Event().wait(AWAY_SECONDS)
        with self._committing:
            self._drop_connection()

    def _await_requests(self) -> bool:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closing)
            return bool(self._waiting)

    def _group(self) -> list[_Entry]:
        with self._news:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]

    def _commit(self, group: list[_Entry]) -> bool:
        """False when the ledger is away."""
        try:
            answers = self._transaction(group) if group else []
        except LedgerAway as error:
            self._postpone(group, error)
            return False
        except Exception as error:
            return self._commit_one_by_one(group, error)
        except BaseException as error:  # as Ctrl-C in the thread that commits for all who wait
            for entry in group:
                entry.answer.set_exception(error)
            raise
        for entry, answer in answers:
            entry.answer.set_result(answer)
        return True

    def _transaction(self, group: list[_Entry]) -> list[tuple[_Entry, Any]]:
        """On a connection that was kept, a database that was restarted meanwhile shows only now: then once more, as
        long as nothing was done yet."""
        was_kept, answers = self._connection is not None, []
        try:
            with writing_on(self._kept_connection(), any(entry.durable for entry in group)) as connection:
                for act, entries in by_act(group).items():
                    answers += self._act(connection, act, entries)
            return answers
        except LedgerAway:
            self._drop_connection()
            if answers or not was_kept or is_sqlite(self._engine):
                raise
        except BaseException:
            self._drop_connection()
            raise
        return self._transaction(group)

    def _kept_connection(self) -> Connection:
        if self._connection is None:
            with translated():
                self._connection = self._engine.connect()
        return self._connection

    def _drop_connection(self) -> None:
        """After any failure the next group starts on a connection that is known to be sound."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.close()

    @staticmethod
    def _act(connection: Connection, act: GroupFunction, entries: list[_Entry]) -> list[tuple[_Entry, Any]]:
        return list(zip(entries, act(connection, [entry.request for entry in entries]), strict=True))

    def _commit_one_by_one(self, group: list[_Entry], error: Exception) -> bool:
        if len(group) == 1:
            group[0].answer.set_exception(error)
            return True
        log.warning("A group of %d writes failed (%s); doing them one by one.", len(group), error)
        return all([self._commit([entry]) for entry in group])

    def _postpone(self, group: list[_Entry], error: LedgerAway) -> None:
        """Tells whoever cannot wait; the others come first when it is tried again."""
        for entry in group:
            if not entry.patient:
                entry.answer.set_exception(error)
        patient = [entry for entry in group if entry.patient]
        if patient:
            log.warning("%d results wait for the ledger: %s", len(patient), error)
            with self._news:
                self._waiting.extendleft(reversed(patient))


def by_act(group: list[_Entry]) -> dict[GroupFunction, list[_Entry]]:
    """The group's entries by what is to be done, in the order in which each was first asked for."""
    found: dict[GroupFunction, list[_Entry]] = {}
    for entry in group:
        found.setdefault(entry.act, []).append(entry)
    return found

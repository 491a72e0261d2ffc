"""What a request needs from the rest of Waybill, and the one way in which pages start runs."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask, current_app, g, request, session

from ledger import clock
from ledger.engine import one_moment
from ledger.runs import NewRun, dispatch
from ledger.settings import Settings
from ledger.watch import Watch, open_watch

NAME = "waybill"
NOBODY = "someone"
SEEN = "failures_seen_at"


@dataclass
class Console:
    """Kept at ``app.extensions["waybill"]``: the ledger's engine, and a publisher of workers.publisher."""

    settings: Settings
    engine: Any
    publisher: Any

    @cached_property
    def watch(self) -> Watch:
        """Opened with its first use: on PostgreSQL it costs a thread and a connection."""
        return open_watch(self.engine)

    def close(self) -> None:
        if "watch" in self.__dict__:
            self.watch.close()
        self.publisher.close()
        self.engine.dispose()


def init_app(app: Flask, settings: Settings) -> None:
    app.before_request(begin_moment)
    app.teardown_request(end_moment)


def begin_moment() -> None:
    """A page that is only looked at shows one moment of the ledger."""
    if request.method in ("GET", "HEAD"):
        g.moment = ExitStack()
        g.moment.enter_context(one_moment(console().engine))


def end_moment(_error: BaseException | None) -> None:
    if "moment" in g:
        g.pop("moment").close()


def console() -> Console:
    return current_app.extensions[NAME]


def start(new: NewRun) -> str:
    """Accepts the run, durably, then hints at it; the id of that run, or of an earlier one with its key."""
    run_id = dispatch(console().engine, new)
    console().publisher.hint(run_id, new.job, new.queue)
    return run_id


def failures_seen_at() -> int:
    """When this browser last looked at what failed: the badge counts what failed after that."""
    return session.get(SEEN, 0)


def see_failures() -> None:
    session[SEEN] = clock.now()


def person() -> str:
    """Who is signed in, for "started by"; ``someone`` without sign-in."""
    return session.get("person") or NOBODY

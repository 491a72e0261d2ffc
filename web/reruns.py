"""Running again: a new run with the same arguments, linked to the old one."""

import re
from dataclasses import replace
from secrets import token_urlsafe

from flask_babel import gettext as _

from ledger.ids import is_id
from ledger.queries.reruns import failed_part, repeat_of
from ledger.queries.run import result_of
from ledger.queries.status import Status
from ledger.queries.tree import MOST_AGAIN
from ledger.queries.wanted import Tab
from ledger.runs import dispatch_many
from web.console import console, person, start
from web.offers import offers_of
from web.words import STATUS, TAB

NOT_BEGUN = frozenset({Status.QUEUED, Status.SCHEDULED})
KEY = re.compile(r"[\w-]{1,60}", re.ASCII)


def form_key() -> str:
    """Goes into a form, so that sending it twice starts one run."""
    return token_urlsafe(12)


def start_again(run_id: str, key: str) -> tuple[str, bool]:
    """The new run's id and True; or that of an earlier one, with the same key or equal where its job takes only one.
    The key counts together with the run it repeats. Raises RunNotFound."""
    unique = f"rerun:{run_id}:{key}" if KEY.fullmatch(key) else None
    new = repeat_of(console().engine, run_id, person(), unique)
    started = start(new)
    return started, started == new.id


def start_offer(run_id: str, place: int) -> str | None:
    """The id of the run that does what this one offered at that place, with its other arguments; None if it offered
    nothing there. Accepting twice starts one run. Raises RunNotFound."""
    here = console()
    offered = {offer.place: offer for offer in offers_of(result_of(here.engine, run_id))}
    if place not in offered:
        return None
    new = repeat_of(here.engine, run_id, person(), f"offer:{run_id}:{place}")
    return start(replace(new, kwargs=new.kwargs | offered[place].arguments))


def start_failed_part(run_id: str, ids: str, key: str) -> int:
    """Runs again what failed in the family of ``run_id``, of the runs that the button named; how many."""
    among = [each for each in ids.split(",")[:MOST_AGAIN] if is_id(each)]
    here = console()
    new_runs = failed_part(here.engine, run_id, among, person(), key if KEY.fullmatch(key) else None)
    for new, started in zip(new_runs, dispatch_many(here.engine, new_runs), strict=True):
        here.publisher.hint(started, new.job, new.queue)
    return len(new_runs)


def in_words(status: Status) -> str:
    """What became of the run that repeats another: ``rerun: done``, ``rerun: waiting``."""
    word = TAB[Tab.WAITING] if status in NOT_BEGUN else STATUS[status].word
    return _("rerun: %(status)s", status=str(word).lower())

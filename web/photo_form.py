"""The one field that makes a schedule of a feed's address."""

from dataclasses import dataclass
from hashlib import sha256

from flask_babel import gettext as _

from ledger import recurrence
from ledger.declarations import NAME_LIMIT
from ledger.errors import JobNotFound
from ledger.feed_addresses import LONGEST, AddressRefused, cleaned, is_refused
from ledger.queries.jobs import job_page
from ledger.schedules import NewSchedule
from web.console import console
from web.forms.errors import Refused

JOB = "feeds.save_latest"
OFTEN = "*/15 * * * *"


class RefusedFeed(Refused):
    """What was typed is no address of a feed that may be asked."""


@dataclass(frozen=True, slots=True)
class FeedForm:
    """``is_known``: whether a worker ever announced the job, without which nothing can be scheduled; ``command``
    starts a worker that serves it, where none does."""

    typed: str
    fault: str
    is_known: bool
    command: str = ""


def filled_in(engine, typed: str = "", fault: str = "") -> FeedForm:
    try:
        job = job_page(engine, JOB)
    except JobNotFound:
        return FeedForm(typed[:LONGEST], fault, False)
    return FeedForm(typed[:LONGEST], fault, True, "" if job.workers else f"python -m workers --queues {job.queue}")


def new_schedule(typed: str) -> NewSchedule:
    """Raises RefusedFeed."""
    address = address_of(typed)
    rule = recurrence.parse("cron", OFTEN, console().settings.display_timezone)
    return NewSchedule(name=name_of(address), job=JOB, rule=rule, args={"feed": address})


def address_of(typed: str) -> str:
    """Raises RefusedFeed. Where a name leads is seen by the worker that asks it, each time."""
    if not typed.strip():
        raise RefusedFeed(_("Give the address of a feed."))
    try:
        address = cleaned(typed)
    except AddressRefused as refused:
        raise RefusedFeed(_(refused.sentence)) from refused
    if is_refused(address, console().settings.feed_hosts):
        raise RefusedFeed(_("This host is not on the public net. FEED_HOSTS_ALLOWED can name it."))
    return address


def name_of(address: str) -> str:
    """The same for the same address, so that no feed is scheduled twice by accident."""
    name = f"Photos of {address.partition('://')[2]}"
    if len(name) <= NAME_LIMIT:
        return name
    digest = sha256(address.encode()).hexdigest()[:8]
    return f"{name[: NAME_LIMIT - 10]}… {digest}"

"""In words, why a run that could start now does not: the slots of its workers are busy, and with what."""

from flask_babel import gettext as _

from ledger.queries.slots import Full
from web.numbers import number


def full_words(full: Full, queue: str) -> str:
    """``all 16 slots of the 2 workers that serve “media” are busy, 6 of them with runs of other queues``."""
    said = _busy(full, queue)
    if not full.others:
        return said
    if full.others >= full.slots:
        return _("%(busy)s, with runs of other queues", busy=said)
    return _("%(busy)s, %(number)s of them with runs of other queues", busy=said, number=number(full.others))


def _busy(full: Full, queue: str) -> str:
    if full.slots == 1:
        return _("the one slot of the worker that serves “%(queue)s” is busy", queue=queue)
    slots, workers = number(full.slots), number(full.workers)
    if full.workers == 1:
        return _("all %(slots)s slots of the worker that serves “%(queue)s” are busy", slots=slots, queue=queue)
    return _(
        "all %(slots)s slots of the %(workers)s workers that serve “%(queue)s” are busy",
        slots=slots, workers=workers, queue=queue,
    )  # fmt: skip

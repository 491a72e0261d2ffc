"""A pause in words: “paused by ana until 07:00: DB upgrade”."""

from flask_babel import gettext as _
from markupsafe import Markup

from ledger import clock
from ledger.pauses import Pause
from web import moments


def sentence(pause: Pause) -> Markup:
    """As it stands beside what waits for it."""
    told = Markup(_pattern(pause)).format(person=pause.by, end=end(pause))
    return Markup("{}: {}").format(told, pause.reason) if pause.reason else told


def _pattern(pause: Pause) -> str:
    return _("paused by {person}") if pause.ends_at is None else _("paused by {person} until {end}")


def paused_queue(queue: str, ends_at: int | None) -> Markup:
    """What a pause that was made just now means."""
    if ends_at is None:
        told = _("Paused until somebody resumes it: no run of “{queue}” starts. What runs goes on.")
    else:
        told = _("Paused until {end}: no run of “{queue}” starts before. What runs goes on.")
    return Markup(told).format(queue=queue, end=clock_time(ends_at) if ends_at else "")


def paused_schedule(ends_at: int | None) -> Markup:
    if ends_at is None:
        return Markup(_("Paused: it fires no more until it is resumed."))
    return Markup(_("Paused until {end}: it fires no more before.")).format(end=clock_time(ends_at))


def end(pause: Pause) -> Markup:
    """Empty when it has no end."""
    return Markup("") if pause.ends_at is None else clock_time(pause.ends_at)


def clock_time(ends_at: int) -> Markup:
    """``07:00``, with the day when that is not today."""
    at, now = moments.local(ends_at), moments.local(clock.now())
    text = f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"
    title = {"datetime": f"{at:%Y-%m-%dT%H:%M:%S%z}", "title": moments.exact(ends_at), "text": text}
    return Markup('<time datetime="{datetime}" title="{title}">{text}</time>').format(**title)

"""Why a tick made no run, or made it late: the ledger wrote it down in English, pages say it in their language."""

import re

from flask_babel import gettext as _

from ledger.recurrence import UNITS
from ledger.ticks import REASONS
from web import numbers

_SPAN = re.compile(rf"(\d+) ({'|'.join(UNITS)})\b")


def reason(text: str) -> str:
    """What the ledger did not write stands as it is."""
    if (whole := _sentence(text)) is not None:
        return whole
    first, found, second = text.rpartition("; ")
    return _("%(one)s; %(other)s", one=reason(first), other=reason(second)) if found else text


def _sentence(text: str) -> str | None:
    for template, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            return _(template, **{name: _spelled(value) for name, value in match.groupdict().items()})
    return None


def _spelled(span: str) -> str:
    """``8 h 40 min`` with the units of the page's language."""
    return _SPAN.sub(lambda found: numbers.UNITS[found[2]].format(found[1]), span)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>[^;]+)", re.escape(template)))


_PATTERNS = tuple((template, _pattern(template)) for template in REASONS)

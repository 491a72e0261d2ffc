"""An alert of the overview, and putting those together that say the same of many."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

#: Where the age stands in a sentence: the browser keeps it going, so it is no part of the text.
SINCE = "\ue000"
#: More of a kind than these are told together, and so many of them by name.
MOST_ALONE, MOST_NAMED = 2, 3


@dataclass(frozen=True, slots=True)
class Alert:
    """``bold`` and ``text`` are the sentence; ``SINCE`` in the text is to be the age of ``since``."""

    hue: str
    bold: str
    text: str
    since: int | None
    link: str
    link_word: str

    @property
    def before(self) -> str:
        return self.text.partition(SINCE)[0]

    @property
    def after(self) -> str:
        return self.text.partition(SINCE)[2]


def told(found: Sequence[Any], each: Callable[[Any], Alert], together: Callable[[Sequence[Any]], Alert]) -> list[Alert]:
    """An alert for each, or one for all when there are many."""
    return [together(found)] if len(found) > MOST_ALONE else [each(one) for one in found]


def named(names: Iterable[str]) -> str:
    """``“mail”, “reports”, “imaging” and 4 more``."""
    quoted = [_("“%(name)s”", name=name) for name in names]
    first, more = _(", ").join(quoted[:MOST_NAMED]), len(quoted) - MOST_NAMED
    if more <= 0:
        return first
    return ngettext("%(first)s and %(num)s more", "%(first)s and %(num)s more", more, first=first)

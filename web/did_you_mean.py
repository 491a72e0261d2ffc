"""A search that found nothing and looks as if it asked for an argument: the search that does."""

import re
from dataclasses import dataclass

from ledger.queries.arguments import Condition, argument_names
from web.asked import Asked
from web.console import console

#: ``subject:42``, ``subject: 42``, ``subject 42``.
NAME_AND_VALUE = re.compile(r"([^\W\d]\w*(?:\.\w+)*)(\s*:\s*|\s+)(\S.*)")
PLAIN = re.compile(r'[^\s"=<>!]\S*')


@dataclass(frozen=True, slots=True)
class Meant:
    words: str
    url: str


def meant(asked: Asked) -> Meant | None:
    """Without a colon it may just be two words: then only the name of an argument that some job takes will do."""
    found = NAME_AND_VALUE.fullmatch(asked.wanted.text)
    if not found or ":" not in found[2] and found[1].partition(".")[0] not in argument_names(console().engine):
        return None
    condition = Condition(found[1], "=", found[3], is_text=not PLAIN.fullmatch(found[3]))
    words = " ".join(str(each) for each in (*asked.wanted.conditions, condition))
    return Meant(words, asked.url(q=words))

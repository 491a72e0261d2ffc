"""What the scripts are told by the server: words and patterns in the page's language, of which they have no table."""

import json

from flask import Flask

from ledger.settings import Settings
from web.language import Later as _l
from web.moments import PATTERNS
from web.numbers import UNITS

WORDS = {
    "live": _l("Live"),
    "paused": _l("Paused"),
    "late": _l("Not live for"),
    "copied": _l("Copied"),
    "changed": _l("Changed, was {}."),
    "blank": _l("blank"),
    "yes": _l("yes"),
    "no": _l("no"),
}


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals["script_words"] = script_words


def script_words() -> str:
    """JSON, for an attribute of the body."""
    words = WORDS | PATTERNS | {name: UNITS[name] for name in ("s", "min", "h", "d")}
    return json.dumps({name: str(word) for name, word in words.items()}, ensure_ascii=False)

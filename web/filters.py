"""What templates may say ``| name`` to. They format; lookups and arithmetic are done before."""

import json
from typing import Any

from flask import Flask

from ledger.settings import Settings
from web import arguments, charts, familyview, moments, numbers, pause_words, reruns, words


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["form_key"] = reruns.form_key
    app.jinja_env.filters |= {
        "ago": moments.ago,
        "until": moments.until,
        "since": moments.since,
        "at_clock": moments.at_clock,
        "at_minute": moments.at_minute,
        "at_second": moments.at_second,
        "at_millisecond": moments.at_millisecond,
        "exact": moments.exact,
        "number": numbers.number,
        "count": numbers.count,
        "duration": numbers.duration,
        "size": numbers.size,
        "roughly": numbers.roughly,
        "short_id": short_id,
        "arguments": arguments.line,
        "plain": arguments.plain,
        "pretty": pretty,
        "status": words.STATUS.__getitem__,
        "outcome": words.OUTCOME.__getitem__,
        "rerun_words": reruns.in_words,
        "origin": lambda name: words.ORIGIN.get(name, name),
        "why": words.why,
        "first_line": first_line,
        "sparkline": charts.sparkline,
        "slots": charts.slots,
        "pause_words": pause_words.sentence,
        "family_state": familyview.shown,
        "family_name": familyview.name_of,
        "family_tally": familyview.tally_words,
    }


def short_id(run_id: str) -> str:
    """The random end of the id: its beginning is the time, which neighbours share."""
    return run_id[-8:]


def first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)

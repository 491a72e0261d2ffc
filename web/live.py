"""Pages that keep themselves up to date: each polls its own address and swaps the part called ``live``.

The tag of an answer is taken from the page's dataclass, not from its HTML: it holds instants where the HTML
says "3 min ago" (the browser keeps those going itself), so an unchanged ledger gives an unchanged tag, and a
304 costs neither rendering nor a swap. Tags are for polls only: a visit always gets a fresh page, with fresh
form keys.
"""

import json
from dataclasses import dataclass
from hashlib import blake2b
from secrets import token_hex
from typing import Any

from flask import Flask, Response, make_response, render_template, request

from ledger.settings import Settings
from web.console import person
from web.language import language

#: Tags of another process, which may have other code or templates, never match.
BOOT = token_hex(4)


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask ``url`` again every so many ``seconds``."""

    url: str
    seconds: float
    tag: str

    @property
    def headers(self) -> str:
        return json.dumps({"If-None-Match": self.tag})


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals["is_poll"] = is_poll


def is_poll() -> bool:
    return "HX-Request" in request.headers


def live_page(template: str, page: Any, seconds: float | None, url: str | None = None) -> Response:
    """``page`` rendered, or a 304 to a poll that has it. Without ``seconds`` nothing can change any more."""
    tag = tag_of(page)
    if is_poll() and seconds and request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers={"ETag": tag})
    poll = Poll(url or own_url(), seconds, tag) if seconds else None
    response = make_response(render_template(template, page=page, poll=poll))
    if is_poll():
        response.headers["ETag"] = tag
    return response


def tag_of(page: Any) -> str:
    content = repr((BOOT, person(), language(), page)).encode()
    return f'W/"{blake2b(content, digest_size=12).hexdigest()}"'


def own_url() -> str:
    return request.full_path.rstrip("?")

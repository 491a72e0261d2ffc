"""What every answer carries, and what the site refuses: headers, hosts, CSRF tokens, sizes."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_compress import Compress
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadRequest

from ledger.settings import Settings, is_loopback

MEGABYTE = 1_000_000
TEXT_LIMIT = 16 * MEGABYTE  # of one form without its files
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


#: By which a site without a password may be called.
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class ForeignName(BadRequest):
    """Raised when a site without a password is called by a name that is not this machine's own."""


def init_app(app: Flask, settings: Settings) -> None:
    app.config |= {
        "SECRET_KEY": secret_key(settings),
        "MAX_CONTENT_LENGTH": settings.upload_limit_mb * MEGABYTE,
        "MAX_FORM_MEMORY_SIZE": TEXT_LIMIT,
        "SESSION_COOKIE_NAME": "waybill",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # a form may stay open for as long as its session
        "COMPRESS_ALGORITHM": ["br", "gzip"],
        "COMPRESS_ALGORITHM_STREAMING": ["br"],
    }
    if is_for_this_machine(settings):
        app.before_request(refuse_foreign_names)
    CSRFProtect(app)
    Compress(app)
    app.after_request(add_headers)


def is_for_this_machine(settings: Settings) -> bool:
    return not settings.waybill_password.get_secret_value() and is_loopback(settings.web_host)


def refuse_foreign_names() -> None:
    """Or any web page could reach a site without a password, through a name that it lets point to 127.0.0.1
    (DNS rebinding)."""
    if urlsplit(f"//{request.host}").hostname not in OWN_NAMES:
        raise ForeignName


def add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not response.cache_control:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def secret_key(settings: Settings) -> str:
    """The one that was set, or else the one made at the first start, which only this user may read."""
    return settings.waybill_secret_key.get_secret_value() or _kept_key(settings.var / "secret_key")


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(file, "w") as opened:
        opened.write(secrets.token_hex(32))
    return path.read_text()

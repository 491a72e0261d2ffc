"""A form whose key did not fit any more: sent again at the press of a button, so that nothing typed is lost."""

from urllib.parse import urlsplit

from flask import request

from web.session import is_signed_in, password

MOST_CHARACTERS = 500_000
KEY = "csrf_token"


def fields() -> tuple[tuple[str, str], ...]:
    """What the form said; nothing when it did not come from a page of this site, for then somebody else filled it in,
    or when it cannot be said again: files, a password, or a visitor who has to sign in first."""
    if urlsplit(request.headers.get("Origin", "")).netloc != request.host or request.files:
        return ()
    if password() and not is_signed_in():
        return ()
    said = tuple((name, value) for name, value in request.form.items(multi=True) if name != KEY)
    is_short = sum(len(value) for _, value in said) <= MOST_CHARACTERS
    return said if is_short and "password" not in request.form else ()

"""Addresses that a browser or a stranger names: only those of this site are followed, only those of the web linked."""

from urllib.parse import urlsplit

from flask import url_for


def local_path(target: str | None) -> str:
    """``target`` when it stays on this site, or else the first page."""
    parts = urlsplit((target or "").replace("\\", "/"))
    is_local = (
        not parts.scheme and not parts.netloc and parts.path.startswith("/") and "\\" not in (target or "")
    )
    return target if target and is_local and not target.startswith("//") else url_for("overview.index")


def is_web(address: str) -> bool:
    """Whether a link of a stranger leads to the web, and does nothing else."""
    return address.lower().startswith(("https://", "http://"))

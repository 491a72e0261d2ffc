"""The pages of rejected messages; their bytes as text and as numbers."""

from dataclasses import dataclass

from flask import url_for

from ledger.queries.rejected import Kind, Rejected, RejectedMessage, RejectedPage
from web.queue_view import failures_url

#: More of a message is for a download, not for a page.
TEXT_SHOWN, HEX_SHOWN, WIDTH = 20_000, 2_048, 16
MANY = 100


@dataclass(frozen=True, slots=True)
class KindRow:
    kind: Kind
    forget_url: str


@dataclass(frozen=True, slots=True)
class LetterList:
    found: RejectedPage
    kinds: tuple[KindRow, ...]
    older_url: str | None
    failures_url: str


@dataclass(frozen=True, slots=True)
class KindView:
    """Messages of a kind that are to be forgotten together."""

    queue: str
    reason: str
    up_to: str
    ids: tuple[str, ...]

    @property
    def number(self) -> int:
        return len(self.ids)

    @property
    def is_many(self) -> bool:
        return self.number > MANY


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """``kept`` are the bytes that are still there of its ``size``."""

    line: Rejected
    kept: int
    text: str
    text_is_cut: bool
    hex: str
    hex_is_cut: bool
    hex_shown: int = HEX_SHOWN


def list_of(found: RejectedPage) -> LetterList:
    kinds = tuple(KindRow(kind, _forget_url(kind)) for kind in found.kinds)
    older = url_for("dead_letters.index", queue=found.queue or None, before=found.older) if found.older else None
    return LetterList(found, kinds, older, failures_url())


def _forget_url(kind: Kind) -> str:
    return url_for("dead_letters.confirm_kind", queue=kind.queue, reason=kind.reason, up_to=kind.newest)


def page_of(found: RejectedMessage) -> LetterView:
    body = found.body
    return LetterView(
        line=found.line,
        kept=len(body),
        text=as_text(body[:TEXT_SHOWN]),
        text_is_cut=len(body) > TEXT_SHOWN,
        hex=hex_lines(body[:HEX_SHOWN]),
        hex_is_cut=len(body) > HEX_SHOWN,
    )


def as_text(body: bytes) -> str:
    """What is no text is shown as the sign for it."""
    text = body.decode("utf-8", errors="replace")
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


def hex_lines(body: bytes) -> str:
    """``00000010  7b 22 61 72 …  {"ar…``: place, bytes, and what they would be as letters."""
    return "\n".join(_hex_line(place, body[place : place + WIDTH]) for place in range(0, len(body), WIDTH))


def _hex_line(place: int, part: bytes) -> str:
    letters = "".join(chr(each) if 32 <= each < 127 else "." for each in part)
    return f"{place:08x}  {part.hex(' '):<{3 * WIDTH - 1}}  {letters}"

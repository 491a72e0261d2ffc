"""The page between a wish and a bulk action: which runs, how many, what will happen; and reading it back.

The ids travel in the form itself: what is confirmed is what was seen, and looking changes nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from ledger import tags
from ledger.actions import MOST_RUNS, Kind
from ledger.ids import is_id, new_id
from ledger.queries import actions as queries
from ledger.queries.lines import RunLine
from ledger.queries.reruns import number_rerun
from web import action_words
from web.asked import Asked, asked, in_words
from web.console import console
from web.numbers import number
from web.when import QUEUE, QUEUE_LIMIT

#: From here on a button alone is too easily pressed: a word has to be typed.
MANY = 100
MOST_CHOSEN = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """The runs of an action. ``note`` says what is left out of them."""

    asked: Asked
    ids: list[str]
    is_picked: bool
    note: str = ""

    @property
    def said(self) -> str:
        if self.is_picked:
            return ngettext("%(count)s chosen run", "%(count)s chosen runs", len(self.ids), count=number(len(self.ids)))
        return in_words(self.asked)

    @property
    def word(self) -> str:
        """What has to be typed, when there are many: the queue, when the filter names one, or the count."""
        if len(self.ids) <= MANY:
            return ""
        return self.asked.wanted.queue or str(len(self.ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Everything the page shows. ``target`` is asked for when the kind has one; errors stand at their fields."""

    id: str
    kind: Kind
    title: str
    button: str
    effect: str
    undo: str
    again: str
    chosen: Chosen
    packed: str
    shown: tuple[RunLine, ...]
    target: str
    target_label: str
    targets: tuple[str, ...]
    target_error: str
    word_error: str
    back_url: str

    @property
    def wrong(self) -> bool:
        return bool(self.target_error or self.word_error)


def kind_of(name: str) -> Kind | None:
    return next((kind for kind in Kind if kind == name), None)


def chosen_by(args: MultiDict) -> Chosen:
    """The runs that a list's form or a link means: those that were ticked, or all that match the filter."""
    filter_asked = asked(args)
    ticked = [each for each in args.getlist("id") if is_id(each)][:MOST_CHOSEN]
    if ticked and "all" not in args:
        return Chosen(filter_asked, queries.known(console().engine, ticked), True)
    if "picked" in args and "all" not in args:
        return Chosen(filter_asked, [], True)
    found = queries.frozen(console().engine, filter_asked.wanted.anywhere(), MOST_RUNS)
    return Chosen(filter_asked, found.ids, False, _note(found))


def _note(found: queries.Frozen) -> str:
    if not found.more:
        return ""
    if len(found.ids) >= MOST_RUNS:
        return _("There are more: one action takes the newest %(count)s.", count=number(MOST_RUNS))
    return _("The search stopped after %(count)s runs; there may be older ones.", count=number(queries.MOST_LOOKED_AT))


def read_back(form: MultiDict) -> Chosen:
    """The runs that were on the page that was sent."""
    filter_asked = asked(dict(parse_qsl(form.get("query", ""))))
    return Chosen(filter_asked, unpacked(form.get("runs", "")), form.get("picked") == "1")


def confirmation(kind: Kind, chosen: Chosen, form: MultiDict, checked: bool = False) -> Confirmation:
    """``checked`` when it was sent: then what is missing is said."""
    target = _target(kind, form)
    return Confirmation(
        id=form.get("key", "") if is_id(form.get("key", "")) else new_id(),
        kind=kind,
        title=action_words.button(kind, len(chosen.ids)) + "?",
        button=action_words.button(kind, len(chosen.ids)),
        effect=str(action_words.EFFECT[kind]),
        undo=str(action_words.UNDO[kind]),
        again=_again(kind, chosen.ids),
        chosen=chosen,
        packed=packed(chosen.ids),
        shown=queries.first_of(console().engine, chosen.ids),
        target=target,
        target_label={Kind.MOVE: _("To which queue?"), Kind.TAG: _("Tag"), Kind.UNTAG: _("Tag")}.get(kind, ""),
        targets=queries.all_queues(console().engine) if kind == Kind.MOVE else (),
        target_error=_target_error(kind, target) if checked else "",
        word_error=_word_error(chosen.word, form.get("typed", "")) if checked else "",
        back_url=chosen.asked.url(),
    )


def _again(kind: Kind, ids: list[str]) -> str:
    """How many of those that are to be run again were already; nothing when none was."""
    number_again = number_rerun(console().engine, ids) if kind == Kind.RERUN and ids else 0
    if not number_again:
        return ""
    return ngettext(
        "%(again)s of %(all)s was run again already.",
        "%(again)s of %(all)s were run again already.",
        number_again,
        again=number(number_again),
        all=number(len(ids)),
    )


def _target(kind: Kind, form: MultiDict) -> str:
    if kind == Kind.UNTAG and "target" not in form:
        return form.get("tag", "").strip()
    return form.get("target", "").strip() if kind in (Kind.MOVE, Kind.TAG, Kind.UNTAG) else ""


def _target_error(kind: Kind, target: str) -> str:
    if kind == Kind.MOVE and not (QUEUE.fullmatch(target) and len(target) <= QUEUE_LIMIT):
        return _("Name a queue: letters, digits, dots, dashes and underscores, beginning with a letter.")
    return tag_error(target) if kind in (Kind.TAG, Kind.UNTAG) else ""


def tag_error(name: str) -> str:
    if not name or len(name) > tags.NAME_LIMIT or not name.isprintable():
        return _("A tag has 1 to %(most)s characters, on one line.", most=tags.NAME_LIMIT)
    return ""


def _word_error(word: str, typed: str) -> str:
    bare = "".join(typed.split()).replace(",", "")
    return _("Type %(word)s: these are many runs.", word=word) if word and typed.strip() != word != bare else ""


def packed(ids: list[str]) -> str:
    return urlsafe_b64encode(b"".join(UUID(each).bytes for each in ids)).decode()


def unpacked(text: str) -> list[str]:
    """Nothing for what was tampered with; no more than one action takes."""
    try:
        raw = urlsafe_b64decode(text)
    except ValueError:
        return []
    places = range(0, len(raw) - 15, 16)[:MOST_RUNS]
    return [str(UUID(bytes=raw[place : place + 16])) for place in places]

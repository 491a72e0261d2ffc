"""The family of a run in words: what each group and pipeline waits for, and what can be run again."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.queries.tree import Family, Kind, Node, Tally
from web.numbers import number
from web.words import Shown

#: A group, and a pipeline as one; their shapes are those of runs that are done, failed or at work.
COMPLETE = "ok", "tick"
STUCK = "bad", "cross"
GOING = "run", "ring"


@dataclass(frozen=True, slots=True)
class FamilyView:
    """``ids`` are the runs that the button would run again, ``number`` of them."""

    root: Node
    heading: str
    sentence: str
    number: int
    ids: str
    is_cut: bool


def view_of(family: Family | None) -> FamilyView | None:
    if family is None:
        return None
    here = _nearest(family.root)
    return FamilyView(
        root=family.root,
        heading=_("Belongs together"),
        sentence=tally_words(here) if here else "",
        number=len(family.failed),
        ids=",".join(family.failed),
        is_cut=family.is_cut,
    )


def _nearest(node: Node) -> Node | None:
    """The group, or else the pipeline, that the run which is looked at belongs to."""
    if not _holds_here(node):
        return None
    if node.kind == Kind.GROUP:
        return node
    below = next((found for child in node.children if (found := _nearest(child))), None)
    return below or (node if node.kind == Kind.PIPELINE else None)


def _holds_here(node: Node) -> bool:
    return node.is_here or any(_holds_here(child) for child in node.children)


def name_of(node: Node) -> str:
    count = node.tally.number
    if node.kind == Kind.GROUP:
        return ngettext("Group of %(num)s", "Group of %(num)s", count)
    return ngettext("Pipeline of %(num)s step", "Pipeline of %(num)s steps", count)


def tally_words(node: Node) -> str:
    """``3 of 5 done, 1 failed: it cannot complete until that one is run again``."""
    tally = node.tally
    parts = [_("%(done)s of %(all)s done", done=number(tally.done), all=number(tally.number))]
    parts += [_("%(number)s failed", number=number(tally.failed))] if tally.failed else []
    parts += [_("%(number)s at work", number=number(tally.at_work))] if tally.at_work else []
    parts += [_("%(number)s waiting", number=number(tally.waiting))] if tally.waiting else []
    told = ", ".join(parts)
    if tally.failed:
        why = ngettext(
            "it cannot complete until that one is run again",
            "it cannot complete until they are run again",
            tally.failed,
        )
        return _("%(told)s: %(why)s", told=told, why=why)
    return _("%(told)s: complete", told=told) if tally.is_complete else told


def shown(node: Node) -> Shown:
    """The state of a group or pipeline as a whole."""
    hue, glyph = _look(node.tally)
    word = _("Complete") if node.tally.is_complete else _("Held up") if node.tally.failed else _("Under way")
    return Shown(word, glyph, hue)


def _look(tally: Tally) -> tuple[str, str]:
    if tally.is_complete:
        return COMPLETE
    return STUCK if tally.failed else GOING

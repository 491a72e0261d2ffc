"""What a template shows of one parameter, from what it takes and what stands in its field.

Pure, but for a look at kept files.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from web.forms.errors import Refused
from web.forms.field import Choice, Field, Kept, Typed
from web.forms.hints import help_of, template_of
from web.forms.reading import blank
from web.forms.scalars import READERS, moment
from web.forms.shape import MISSING, Shape, shapes_of
from web.forms.uploads import kept
from web.forms.writing import typed_of

#: How a browser is asked for one line, by kind; anything else is ``text``.
LINES = {
    "integer": {"inputmode": "numeric"},
    "number": {"inputmode": "decimal"},
    "decimal": {"inputmode": "decimal"},
    "date": {"type": "date"},
    "datetime": {"type": "datetime-local"},
    "time": {"type": "time"},
}
FIELD_KINDS = {
    "decimal": "number",
    "uploads": "upload",
    "time": "text",
    "duration": "text",
    "uuid": "text",
    "union": "text",
}
NATIVE_TIME = {"time": 8, "datetime": 19}  # what the browser's own controls can hold, in characters
TALLEST = 16


@dataclass(frozen=True)
class Blueprint:
    """All that is known of a job's form before anybody fills it in."""

    parameters: dict[str, Any]
    zone: ZoneInfo
    uploads: Path

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        return shapes_of(self.parameters)

    def untouched(self, shape: Shape) -> Typed:
        """What stands in a field that nobody filled in."""
        if shape.default is not MISSING:
            return typed_of(shape, shape.default, self.zone)
        if shape.kind == "json" and shape.required:
            return Typed((template_of(shape),))
        return Typed(("",))

    def field(self, name: str, typed: Typed, error: str = "", was: Typed | None = None) -> Field:
        shape, prop = self.shapes[name], self.parameters["properties"][name]
        prop = prop if isinstance(prop, dict) else {}
        plain = Field(
            name=name,
            label=str(prop.get("title") or label_of(name)),
            kind=self._kind(shape, typed),
            required=is_required(shape),
            value=typed.text,
            help=help_of(shape, prop, self.zone),
            error=error,
            as_json=typed.as_json,
            was=None if was is None else words_of(shape, was),
            changed=was is not None and set(was.texts) - {""} != set(typed.texts) - {""},
        )
        return self._with_controls(plain, shape, typed)

    @staticmethod
    def _kind(shape: Shape, typed: Typed) -> str:
        if typed.as_json:
            return "json"
        if shape.kind == "text" and ("\n" in typed.text or shape.schema.get("format") == "multiline"):
            return "textarea"
        return FIELD_KINDS.get(shape.kind, shape.kind)

    def _with_controls(self, field: Field, shape: Shape, typed: Typed) -> Field:
        if field.kind in ("json", "list", "textarea"):
            rows = min(max(field.value.count("\n") + 1, 3), TALLEST)
            return replace(field, attributes={"rows": str(rows)})
        if field.kind in ("choice", "choices"):
            return replace(field, choices=choices_of(shape, typed))
        if field.kind == "upload":
            return self._with_files(field, shape, typed)
        return replace(field, attributes=line_attributes(shape, typed.text))

    def _with_files(self, field: Field, shape: Shape, typed: Typed) -> Field:
        files, error = kept_files(typed, self.uploads)
        several = {"multiple": "multiple"} if shape.kind == "uploads" else {}
        return replace(field, kept=files, error=field.error or error, attributes=several)


def label_of(name: str) -> str:
    """``last_month`` as people read it: a schema has no title where its enumeration's own is the same."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


def is_required(shape: Shape) -> bool:
    """Whether a blank field is refused."""
    try:
        blank(shape)
    except Refused:
        return True
    return False


def choices_of(shape: Shape, typed: Typed) -> tuple[Choice, ...]:
    """The choices, the chosen ones marked; first 'none' where it can be, last what is no choice any more."""
    known = tuple(replace(each, chosen=each.key in typed.texts) for each, _value in shape.choices)
    strange = set(typed.texts) - {each.key for each in known} - {""}
    stale = tuple(Choice(key, _("%(choice)s (no choice any more)", choice=key), True) for key in sorted(strange))
    return (*none_of(shape), *known, *stale)


def none_of(shape: Shape) -> tuple[Choice, ...]:
    if shape.kind == "choices" or not (shape.nullable or shape.default is MISSING):
        return ()
    return (Choice("", _("Choose…") if is_required(shape) else _("Not set")),)


def line_attributes(shape: Shape, text: str) -> dict[str, str]:
    """Attributes of the input; a plain one where the browser's own control would drop what stands there."""
    native = LINES.get(shape.kind, {})
    if "type" in native and not fits_native(shape, text):
        native = {}
    return {"type": "text"} | native


def fits_native(shape: Shape, text: str) -> bool:
    if not text:
        return True
    try:
        read = moment(text, None) if shape.kind == "datetime" else READERS[shape.kind](text)
    except Refused:
        return False
    return len(text) <= NATIVE_TIME.get(shape.kind, 10) and read.startswith(text)


def kept_files(typed: Typed, folder: Path) -> tuple[tuple[Kept, ...], str]:
    """The files that were uploaded before, and what is wrong with those that are not there."""
    found, faults = [], []
    for reference in filter(None, typed.texts):
        try:
            found.append(kept(reference, folder))
        except Refused as refused:
            faults.append(str(refused))
    return tuple(found), " ".join(faults)


def words_of(shape: Shape, typed: Typed) -> str:
    """What stood in a field, for people: 'was …'."""
    labels = {choice.key: str(choice.label) for choice, _value in shape.choices}
    texts = [labels.get(text, text) for text in typed.texts if text]
    if shape.kind == "boolean":
        return _("yes") if typed.text == "true" else _("no")
    if shape.kind in ("upload", "uploads"):
        texts = [text.rpartition("/")[2] for text in texts]
    return ", ".join(texts) or _("blank")

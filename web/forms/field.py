"""What a template knows of a form: fields, what stands in them, what they ask for, what is wrong. Pure."""

from dataclasses import dataclass, field
from typing import Any

#: Before a parameter's name in the names and ids of the page, so that it meets no other field's.
PREFIX = "arg-"
#: Which control shows a kind; one line for all others.
CONTROLS = {
    "textarea": "lines",
    "json": "lines",
    "list": "lines",
    "boolean": "box",
    "choice": "choice",
    "choices": "boxes",
    "upload": "file",
}


@dataclass(frozen=True)
class Choice:
    """One of the values that can be picked; ``key`` is what the browser sends for it."""

    key: str
    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Typed:
    """What a browser sends for one field: texts (several for boxes and files), all of them or one as JSON."""

    texts: tuple[str, ...] = ()
    as_json: bool = False

    @property
    def text(self) -> str:
        """The last one: a ticked box comes after the hidden value that stands for an empty one."""
        return self.texts[-1] if self.texts else ""


@dataclass(frozen=True)
class Kept:
    """A file that was uploaded before; ``reference`` is sent along in place of the file."""

    reference: str
    name: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Field:
    """``kind``: integer, number, text, date, datetime, textarea, json, list, boolean, choice, choices, upload

    ``value`` is as it was typed. ``required``: blank is refused. ``as_json``: this time the field holds JSON,
    because its own way of writing cannot show the value. ``was``: what the original run had there, in words.
    """

    name: str
    label: str
    kind: str
    required: bool
    value: str = ""
    help: str = ""
    error: str = ""
    choices: tuple[Choice, ...] = ()
    kept: tuple[Kept, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    as_json: bool = False
    was: str | None = None
    changed: bool = False
    prefix: str = PREFIX

    @property
    def key(self) -> str:
        """The control's name in the form, and its id on the page."""
        return self.prefix + self.name

    @property
    def says_optional(self) -> bool:
        """Only among a job's own parameters: of the others none is needed."""
        return not self.required and self.prefix == PREFIX

    @property
    def control(self) -> str:
        """The template that shows it, in ``templates/jobs/controls``."""
        return CONTROLS.get(self.kind, "line")

    @property
    def described_by(self) -> str:
        """Ids of the sentences about it, the error first."""
        ids = [f"{self.key}-error" if self.error else "", f"{self.key}-help" if self.help else ""]
        return " ".join(filter(None, ids))


@dataclass(frozen=True, kw_only=True)
class Form:
    """``kwargs`` are ready to be stored once it was read and nothing is wrong; None otherwise.

    ``link`` is the part of an address that fills the form in like this, defaults left out.
    ``digest`` stands for all that was sent, files by their content: the same for a second press of Start.
    """

    fields: tuple[Field, ...]
    kwargs: dict[str, Any] | None = None
    link: tuple[tuple[str, str], ...] = ()
    digest: str = ""

    @property
    def wrong(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.error)

    @property
    def takes_files(self) -> bool:
        return any(each.kind == "upload" for each in self.fields)

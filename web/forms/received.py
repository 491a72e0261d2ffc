"""A form that was sent: every field is read, files are kept, and all faults are told at once."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from web.forms.build import Blueprint, kept_files
from web.forms.errors import Refused
from web.forms.field import PREFIX, Form, Typed
from web.forms.reading import value_of
from web.forms.shape import MISSING, Shape
from web.forms.uploads import save


def as_sent(name: str, texts: MultiDict) -> Typed:
    """What the form or link says about one parameter; no texts when it says nothing."""
    return Typed(tuple(texts.getlist(PREFIX + name)), as_json=f"{PREFIX}{name}.json" in texts)


@dataclass
class Reading:
    """Goes through the fields once; ``form`` is what came out."""

    blueprint: Blueprint
    texts: MultiDict
    files: MultiDict
    was: dict[str, Typed]
    values: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, Typed] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def form(self) -> Form:
        for name, shape in self.blueprint.shapes.items():
            self._read(name, shape)
        return Form(
            fields=tuple(self._field(name) for name in self.blueprint.shapes),
            kwargs=None if self.errors else self.values,
            digest=self._digest(),
        )

    def _read(self, name: str, shape: Shape) -> None:
        self.typed[name] = as_sent(name, self.texts)
        try:
            if shape.kind in ("upload", "uploads"):
                self.typed[name] = self._with_new_files(name, shape)
            value = self._value(shape, self.typed[name])
        except Refused as refused:
            self.errors[name] = str(refused)
        else:
            if value is not MISSING:
                self.values[name] = value

    def _value(self, shape: Shape, typed: Typed) -> Any:
        if shape.default is not MISSING and typed == self.blueprint.untouched(shape):
            return shape.default
        return value_of(shape, typed, self.blueprint.zone)

    def _with_new_files(self, name: str, shape: Shape) -> Typed:
        """The references of files that were kept, and of those that come with this request."""
        before = self.typed[name]
        saved = tuple(self._save(file) for file in self.files.getlist(PREFIX + name) if file.filename)
        several = shape.kind == "uploads"
        self.typed[name] = Typed((*before.texts, *saved) if several or not saved else saved)
        _, fault = kept_files(self.typed[name], self.blueprint.uploads)
        if fault:
            raise Refused(fault)
        return self.typed[name]

    def _save(self, file: FileStorage) -> str:
        saved = save(file, self.blueprint.uploads)
        self.digests[saved.reference] = saved.digest
        return saved.reference

    def _field(self, name: str):
        shown = (
            self.typed[name]
            if self.typed[name].texts
            else self.blueprint.untouched(self.blueprint.shapes[name])
        )
        return self.blueprint.field(name, shown, self.errors.get(name, ""), self.was.get(name))

    def _digest(self) -> str:
        """Files count by their content: they get a new name each time they are sent."""
        sent = {
            name: [[self.digests.get(text, text) for text in typed.texts], typed.as_json]
            for name, typed in self.typed.items()
        }
        return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()[:32]

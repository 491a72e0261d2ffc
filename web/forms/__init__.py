"""A job's form, made from the JSON Schema that its worker announced; this never imports a job's code.

``templates/jobs/_fields.html`` shows ``Form.fields``. Times are read and shown in the settings' time zone.
"""

from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from ledger.settings import Settings
from web.forms.arguments import Named, by_name
from web.forms.build import Blueprint
from web.forms.field import PREFIX, Choice, Field, Form, Kept, Typed
from web.forms.received import Reading, as_sent
from web.forms.writing import typed_of

__all__ = ["PREFIX", "Choice", "Field", "Form", "Kept", "Named", "by_name", "filled_in", "form_of", "read"]

Values = dict[str, Any]


def form_of(parameters: Values, values: Values | None = None, *, settings: Settings | None = None) -> Form:
    """The form with ``values`` in its fields, and the defaults where there are none."""
    blueprint = _blueprint(parameters, settings)
    return _form(blueprint, _written(blueprint, values))


def filled_in(parameters: Values, texts: MultiDict, *, settings: Settings | None = None) -> Form:
    """The form as a link (``?arg-month=2026-10``) fills it in; nothing is judged yet."""
    sent = {name: as_sent(name, texts) for name in parameters.get("properties", {})}
    return _form(_blueprint(parameters, settings), {name: each for name, each in sent.items() if each.texts})


def read(
    parameters: Values,
    texts: MultiDict,
    files: MultiDict,
    original: Values | None = None,
    *,
    settings: Settings | None = None,
) -> Form:
    """What was sent: ``kwargs``, or every fault at its field. Fields that differ from ``original`` say so."""
    blueprint = _blueprint(parameters, settings)
    return Reading(blueprint, texts, files, _written(blueprint, original)).form()


def _blueprint(parameters: Values, settings: Settings | None) -> Blueprint:
    if settings is None:
        from web.console import console

        settings = console().settings
    return Blueprint(parameters, ZoneInfo(settings.display_timezone), settings.uploads)


def _written(blueprint: Blueprint, values: Values | None) -> dict[str, Typed]:
    given = values or {}
    return {
        name: typed_of(shape, given[name], blueprint.zone)
        for name, shape in blueprint.shapes.items()
        if name in given
    }


def _form(blueprint: Blueprint, typed: dict[str, Typed]) -> Form:
    untouched = {name: blueprint.untouched(shape) for name, shape in blueprint.shapes.items()}
    fields = [blueprint.field(name, typed.get(name, plain)) for name, plain in untouched.items()]
    touched = {name: each for name, each in typed.items() if each != untouched[name]}
    return Form(fields=tuple(fields), link=_link(touched))


def _link(typed: dict[str, Typed]) -> tuple[tuple[str, str], ...]:
    texts = [(PREFIX + name, text) for name, each in typed.items() for text in each.texts]
    return (*texts, *((f"{PREFIX}{name}.json", "1") for name, each in typed.items() if each.as_json))

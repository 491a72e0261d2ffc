"""What a browser makes of a form: the texts that it would send for the fields as they stand."""

from werkzeug.datastructures import MultiDict

from web.forms import Field, Form

LINES = ("textarea", "json", "list")


def as_a_browser_sends(form: Form) -> MultiDict:
    return MultiDict([pair for field in form.fields for pair in _sent(field)])


def _sent(field: Field) -> list[tuple[str, str]]:
    mark = [(f"{field.key}.json", "1")] if field.as_json else []
    return mark + [(field.key, text) for text in _texts(field)]


def _texts(field: Field) -> list[str]:
    if field.kind in LINES:
        return ["\r\n".join(field.value.replace("\r\n", "\n").replace("\r", "\n").split("\n"))]
    if field.kind == "boolean":
        return ["false", "true"] if field.value == "true" else ["false"]
    if field.kind == "choice":
        chosen = [each.key for each in field.choices if each.chosen]
        return [chosen[-1] if chosen else field.choices[0].key]
    if field.kind == "choices":
        return ["", *(each.key for each in field.choices if each.chosen)]
    if field.kind == "upload":
        return ["", *(each.reference for each in field.kept)]
    return [field.value.replace("\r", "").replace("\n", "")]

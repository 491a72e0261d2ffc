"""How a file without a header is read, as a form says it: which of its fields, in words, and how long the file is."""

import re

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

PREFIX = "arg-"
#: What is the same for other files of the same kind.
RECIPE = ("shape", "dtype", "byte_order", "header_offset", "axes", "spacing", "unit", "modality", "label")
TEXT_LIMIT = 200
#: As ``workers.jobs.volume.shape`` reads it.
SHAPE = re.compile(r"\s*[x×*,;\s]\s*".join(["([0-9]{1,6})"] * 3), re.IGNORECASE)


def recipe_of(said: MultiDict) -> dict[str, str]:
    """What is not blank of it."""
    found = {name: said.get(f"{PREFIX}{name}", "").strip()[:TEXT_LIMIT] for name in RECIPE}
    return {name: text for name, text in found.items() if text}


def in_words(recipe: dict[str, str]) -> str:
    """``110x110x187 float32 big, 352 bytes before, 2.5x2.5x3.27 mm, HU``."""
    kind = " ".join(_told(recipe, "shape", "dtype", "byte_order", "axes"))
    header = recipe.get("header_offset", "0")
    before = [_("%(bytes)s bytes before", bytes=header)] if header != "0" else []
    spacing = [f"{length} mm" for length in _told(recipe, "spacing")]
    return ", ".join([kind, *before, *spacing, *_told(recipe, "unit", "modality", "label")])


def _told(recipe: dict[str, str], *names: str) -> list[str]:
    return [recipe[name] for name in names if name in recipe]


def size_of(recipe: dict[str, str]) -> int | None:
    """Bytes of the files that it fits; None where it does not tell the shape, or a number is none."""
    shape, bits = SHAPE.fullmatch(recipe.get("shape", "")), re.search("[0-9]+$", recipe.get("dtype", "uint8"))
    header = recipe.get("header_offset", "0")
    if not (shape and bits and re.fullmatch("[0-9]{1,12}", header)):
        return None
    x, y, z = map(int, shape.groups())
    return x * y * z * int(bits[0]) // 8 + int(header)

"""Presets for files without a header: the answer of the form under a name, for later files of the same size."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger import presets
from ledger.errors import PresetNotFound
from ledger.ids import is_id
from ledger.presets import NAME_LIMIT, NameInUse
from ledger.queries import presets as queries
from ledger.queries.presets import Preset
from ledger.uploads import NotAnUpload, UploadGone, path_of
from web.console import console, person
from web.numbers import number
from web.volume_recipes import PREFIX, RECIPE, in_words, recipe_of, size_of

blueprint = Blueprint("volume_presets", __name__, url_prefix="/volumes/presets")

JOB = "volumes.ingest"
FILES, NAME = f"{PREFIX}files", "preset-name"


@dataclass(frozen=True, slots=True)
class Row:
    """``url``: the form, filled in. ``fits`` what was uploaded; None while nothing was."""

    preset: Preset
    words: str
    url: str
    fits: bool | None = None


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    preset_id = (request.view_args or {}).get("preset_id")
    if preset_id is not None and not is_id(preset_id):
        raise PresetNotFound(preset_id)


@blueprint.get("")
def index():
    """With a recipe in the address: also the form that keeps it."""
    return _page(recipe_of(request.args))


@blueprint.post("")
def create():
    """From the form of the job, to which it goes back as it was, or from the page of presets."""
    recipe, name = recipe_of(request.form), " ".join(request.form.get(NAME, "").split())
    if error := _error(name, recipe):
        return _page(recipe, error, name), 422
    flash(_("Saved as “%(name)s”.", name=name))
    return redirect(_form(_answers()) if "key" in request.form else url_for(".index"), 303)


@blueprint.post("/<preset_id>/form")
def fill(preset_id: str):
    """The form of the job with the preset's answer; what it says of this one file stays."""
    preset, answers = queries.preset(console().engine, preset_id), _answers()
    sizes = sizes_of(answers.get(FILES, []))
    if sizes and preset.size not in sizes:
        sizes_told = {"preset": number(preset.size), "file": number(sizes[0])}
        flash(_("“%(name)s” is for files of %(preset)s bytes, this one has %(file)s.", name=preset.name, **sizes_told))
        return redirect(_form(answers), 303)
    own = {name: texts for name, texts in answers.items() if name.removeprefix(PREFIX) not in RECIPE}
    return redirect(_form(own | _prefixed(preset.arguments)), 303)


@blueprint.post("/<preset_id>/deletion")
def delete(preset_id: str):
    presets.remove(console().engine, preset_id)
    return redirect(url_for(".index"), 303)


@blueprint.app_template_global()
def preset_url(arguments: dict[str, Any]) -> str:
    """Where a reading of a raw file is kept as a preset; blank for arguments that are none."""
    said = {name: str(arguments[name]) for name in RECIPE if name in arguments}
    return url_for("volume_presets.index", **_prefixed(said)) if size_of(said) else ""


def rows_of(job: str, said: tuple[tuple[str, str], ...]) -> tuple[Row, ...] | None:
    """For the form of ``job``, which says that now; those that fit first. None: the job knows no presets."""
    if job != JOB:
        return None
    sizes = sizes_of([text for name, text in said if name == FILES])
    rows = [row_of(each, sizes) for each in queries.all_presets(console().engine)]
    return tuple(sorted(rows, key=lambda row: row.fits is False))


def row_of(preset: Preset, sizes: list[int] | None = None) -> Row:
    url = _form(_prefixed(preset.arguments))
    return Row(preset, in_words(preset.arguments), url, preset.size in sizes if sizes else None)


def sizes_of(references: list[str]) -> list[int]:
    """Of uploaded files that are still there."""
    found = []
    for each in references:
        try:
            found.append(path_of(each, console().settings.uploads).stat().st_size)
        except (NotAnUpload, UploadGone, OSError):
            continue
    return found


def _error(name: str, recipe: dict[str, str]) -> str:
    """What is wrong; nothing when it was kept."""
    size = size_of(recipe)
    if not size:
        return _("Tell the shape, like 110x110x187, and the bytes before it: a preset is for files of one size.")
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        return _("A name has 1 to %(most)s characters.", most=NAME_LIMIT)
    try:
        presets.save(console().engine, name, size, recipe, person())
    except NameInUse:
        return _("There is a preset of this name already.")
    return ""


def _answers() -> dict[str, list[str]]:
    """All that the form of the job says, but for blanks."""
    names = [name for name in request.form if name.startswith(PREFIX)]
    said = {name: [text for text in request.form.getlist(name) if text.strip()] for name in names}
    return {name: texts for name, texts in said.items() if texts}


def _prefixed(recipe: dict[str, str]) -> dict[str, list[str]]:
    return {f"{PREFIX}{name}": [text] for name, text in recipe.items()}


def _form(answers: dict[str, list[str]]) -> str:
    return url_for("jobs.show", name=JOB, **answers)


def _page(recipe: dict[str, str], error: str = "", name: str = ""):
    shown = {
        "rows": tuple(row_of(each) for each in queries.all_presets(console().engine)),
        "fields": tuple((f"{PREFIX}{key}", text) for key, text in recipe.items()),
        "words": in_words(recipe),
    }
    return render_template("volumes/presets.html", **shown, error=error, name=name, most=NAME_LIMIT)

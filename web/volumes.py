"""Kept volumes: the list, and deleting one. The page of one volume is in ``volume_page``."""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger import texts, volumes
from ledger.errors import VolumeNotFound
from ledger.files import remove_uploads_of, remove_volume
from ledger.ids import is_id
from ledger.queries import volumes as queries
from ledger.queries.volumes import Page, Volume, Wanted
from ledger.volume_files import THUMBNAIL
from web.console import console

blueprint = Blueprint("volumes", __name__, url_prefix="/volumes")

TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Row:
    volume: Volume
    shape: str
    spacing: str
    thumbnail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """``faults`` by field; ``older_url`` leads to the next page, ``newest_url`` back to the first."""

    rows: tuple[Row, ...]
    modalities: tuple[str, ...]
    wanted: Wanted
    typed: dict[str, str]
    faults: dict[str, str]
    is_filtered: bool
    older_url: str
    newest_url: str


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    volume_id = (request.view_args or {}).get("volume_id")
    if volume_id is not None and not is_id(volume_id):
        raise VolumeNotFound(volume_id)


@blueprint.get("")
def index():
    given = {name: request.args.get(name, "").strip()[:TEXT_LIMIT] for name in ("q", "modality", "since", "until")}
    typed = {name: texts.clean(text) for name, text in given.items()}
    faults = {name: fault for name in ("since", "until") if (fault := date_fault(typed[name]))}
    wanted = Wanted(
        text=typed["q"],
        modality=typed["modality"],
        since="" if "since" in faults else typed["since"],
        until="" if "until" in faults else typed["until"],
        before=request.args.get("before") if is_id(request.args.get("before", "")) else None,
    )
    page = list_page(queries.page(console().engine, wanted), wanted, typed, faults)
    return render_template("volumes/index.html", page=page), 422 if faults else 200


def date_fault(text: str) -> str:
    try:
        date.fromisoformat(text or "2026-01-01")
    except ValueError:
        return _("This is no date. Write it like 2026-10-31.")
    return ""


def list_page(found: Page, wanted: Wanted, typed: dict[str, str], faults: dict[str, str]) -> ListPage:
    said = {name: text for name, text in typed.items() if text}
    return ListPage(
        rows=tuple(row_of(volume) for volume in found.rows),
        modalities=queries.modalities(console().engine),
        wanted=wanted,
        typed=typed,
        faults=faults,
        is_filtered=bool(said),
        older_url=url_for("volumes.index", **said, before=found.older) if found.older else "",
        newest_url=url_for("volumes.index", **said) if wanted.before else "",
    )


def row_of(volume: Volume) -> Row:
    said = volume.sidecar
    spacing = " × ".join(f"{length:.3g}" for length in said["spacing_xyz"]) if said["spacing_known"] else ""
    thumbnail = url_for("volume_files.data", volume_id=volume.id, part=THUMBNAIL)
    return Row(volume, " × ".join(map(str, said["shape_xyz"])), spacing, thumbnail)


@blueprint.get("/<volume_id>/deletion")
def confirm_deletion(volume_id: str):
    engine = console().engine
    volume = queries.volume(engine, volume_id)
    number = len(queries.measurements_of(engine, volume_id))
    return render_template("volumes/deletion.html", page=row_of(volume), number=number)


@blueprint.post("/<volume_id>/deletion")
def delete(volume_id: str):
    name = queries.volume(console().engine, volume_id).name
    volumes.forget(console().engine, volume_id)
    remove_volume(console().settings.volume_place, volume_id)
    remove_uploads_of(console().engine, console().settings, volume_id)
    flash(_("“%(name)s” is deleted.", name=name))
    return redirect(url_for("volumes.index"), 303)

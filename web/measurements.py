"""What was measured in a volume: asked for by a form, computed by a run, shown with its rule, exported."""

import csv
import io
from pathlib import Path

from flask import Blueprint, Response, abort, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _

from ledger import volumes
from ledger.errors import VolumeNotFound
from ledger.files import remove_measurement
from ledger.ids import is_id
from ledger.queries import volumes as queries
from ledger.queries.volumes import Measurement
from ledger.volume_address import Address
from ledger.volume_files import LABELS, MASK, MEASUREMENTS
from web.console import console
from web.jobs import begin
from web.live import live_page
from web.measurement_view import FIGURES, page_of
from web.volume_corrections import corrector
from web.volume_files import for_good
from web.volume_sending import sent

blueprint = Blueprint("measurements", __name__, url_prefix="/volumes/<volume_id>/measurements")

JOB = "volumes.measure"
POLL_SECONDS = 1.0


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    for text in (request.view_args or {}).values():
        if not is_id(text):
            raise VolumeNotFound(text)


@blueprint.get("")
def index(volume_id: str):
    """``?run=``: one that measures, until it has come to an end; the page asks again as long as it has not."""
    page = page_of(volume_id, request.args.get("run", ""))
    return live_page("measurements/index.html", page, POLL_SECONDS if page.is_measuring else None)


@blueprint.post("")
def create(volume_id: str):
    queries.volume(console().engine, volume_id)
    begun = begin(JOB)
    if not isinstance(begun, str):
        return begun
    return redirect(url_for("measurements.index", volume_id=volume_id, run=begun), 303)


@blueprint.post("/<measurement_id>/deletion")
def delete(volume_id: str, measurement_id: str):
    _measured(volume_id, measurement_id)
    volumes.forget_measurement(console().engine, measurement_id)
    remove_measurement(console().settings.volume_place, volume_id, measurement_id)
    flash(_("The measurement is deleted."))
    return redirect(url_for("measurements.index", volume_id=volume_id), 303)


@blueprint.get("/<measurement_id>/labels.gz")
def labels(volume_id: str, measurement_id: str) -> Response:
    """The parts on the grid of the volume: uint16, little-endian, (z, y, x)."""
    place, kind = _file(volume_id, measurement_id, LABELS), "application/octet-stream"
    response = sent(place, kind) if isinstance(place, Address) else send_file(place, mimetype=kind)
    response.headers["Content-Encoding"] = "gzip"
    return for_good(response)


@blueprint.get("/<measurement_id>/mask.nii.gz")
def mask(volume_id: str, measurement_id: str) -> Response:
    place, name = _file(volume_id, measurement_id, MASK), queries.volume(console().engine, volume_id).name
    kind, saved = "application/gzip", f"{name}-mask.nii.gz"
    if isinstance(place, Path):
        return for_good(send_file(place, mimetype=kind, as_attachment=True, download_name=saved))
    response = sent(place, kind)
    response.headers.set("Content-Disposition", "attachment", filename=saved)
    return for_good(response)


def _file(volume_id: str, measurement_id: str, name: str) -> Path | Address:
    _measured(volume_id, measurement_id)
    place = console().settings.volume_place / volume_id / MEASUREMENTS / measurement_id / name
    if isinstance(place, Path) and not place.is_file():
        abort(404, _("The region of this measurement is not on disk any more."))
    return place


def _measured(volume_id: str, measurement_id: str) -> Measurement:
    found = queries.measurement(console().engine, measurement_id)
    if found is None or found.volume_id != volume_id:
        abort(404, _("There is no such measurement. Somebody may have deleted it."))
    return found


@blueprint.get("/<measurement_id>/figures.csv")
def figures(volume_id: str, measurement_id: str) -> Response:
    """One line for the whole, one for each part."""
    measured, name = _measured(volume_id, measurement_id), queries.volume(console().engine, volume_id).name
    told, by = measured.figures, corrector(measured, queries.corrections_of(console().engine, volume_id))
    lines = [("whole", told["whole"]), *((str(place), each) for place, each in enumerate(told["parts"], start=1))]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["volume", "part", "unit", *FIGURES, "hottest x", "hottest y", "hottest z", "SUV corrected by"])
    for part, each in lines:
        if each:
            table.writerow([name, part, told["unit"], *(each[key] for key in FIGURES), *each["hottest_mm"], by])
    response = Response(text.getvalue(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}-figures.csv")
    return response

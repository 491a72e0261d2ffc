"""Kept volumes as files: their parts as they lie on disk, and planes drawn for those whose browser runs no script."""

from pathlib import Path, PurePosixPath

from flask import Blueprint, Response, abort, request, send_file
from flask_babel import gettext as _

from ledger.volume_address import Address
from web.volume_folder import Kept, kept
from web.volume_sending import sent

blueprint = Blueprint("volume_files", __name__, url_prefix="/volumes")

YEAR = 365 * 24 * 3600
#: Each plane and the axis of (x, y, z) that it is cut across.
ACROSS = {"axial": 2, "coronal": 1, "sagittal": 0}
TYPES = {".json": "application/json", ".png": "image/png", ".gz": "application/octet-stream"}


@blueprint.get("/<volume_id>/data/<path:part>")
def data(volume_id: str, part: str) -> Response:
    """A part, for good: it never changes. What is packed stays packed, and ranges count its packed bytes."""
    place, kind = kept(volume_id).file(part), TYPES.get(PurePosixPath(part).suffix)
    if place is None:
        abort(404, _("A volume has no such part."))
    response = sent(place, kind) if isinstance(place, Address) else _from_disk(place, kind, f"{volume_id}-{part}")
    if place.name.endswith(".gz"):
        response.headers["Content-Encoding"] = "gzip"
    return for_good(response)


def _from_disk(path: Path, kind: str, name: str) -> Response:
    facts = path.stat()
    tag = f"{name.replace('/', '-')}-{facts.st_size:x}-{facts.st_mtime_ns:x}"
    return send_file(path, mimetype=kind, conditional=True, etag=tag, max_age=YEAR)


@blueprint.get("/<volume_id>/planes/<plane>/<int:index>.png")
def plane(volume_id: str, plane: str, index: int) -> Response:
    """One slice in the window that the address tells in stored values, or else in the volume's own."""
    volume = kept(volume_id)
    if plane not in ACROSS or index >= volume.shape[ACROSS[plane]]:
        abort(404, _("The volume has no such slice."))
    from web import volume_drawing  # numpy and Pillow cost memory that a site without such visitors saves

    picture = volume_drawing.plane(volume, plane, index, *window(volume))
    return for_good(Response(picture, mimetype="image/png"))


def window(volume: Kept) -> tuple[float, float]:
    asked = [request.args.get(name, type=finite) for name in ("low", "high")]
    return tuple(asked) if None not in asked else own_window(volume)


def finite(text: str) -> float:
    number = float(text)
    if not abs(number) < 1e38:
        raise ValueError(text)
    return number


def own_window(volume: Kept) -> tuple[float, float]:
    """The first that the sidecar names, as stored values."""
    first = next(iter(volume.sidecar.get("windows") or ()), None)
    if first is None:
        return 0.0, 1.0
    factor = (volume.sidecar.get("suv") or {}).get("factor", 1) if first.get("suv") else 1
    return first["low"] / factor, first["high"] / factor


def for_good(response: Response) -> Response:
    response.cache_control.public = response.cache_control.no_cache = None
    response.cache_control.private = response.cache_control.immutable = True
    response.cache_control.max_age = YEAR
    return response

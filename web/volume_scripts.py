"""The scripts of the volume page at addresses that carry a checksum of them all: modules import each other by relative
names, which no ``?v=`` of ``assets`` reaches, and so browsers may keep them for a year, too."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, url_for

from ledger.settings import Settings
from web.assets import YEAR

blueprint = Blueprint("volume_scripts", __name__, url_prefix="/volumes/scripts")

FOLDER = Path(__file__).parent / "static" / "volume"
#: Not what every page with a viewer needs: the pages name these, or they are fetched when they are asked for.
LATER = {"page", "beside", "measuring", "outlines", "solid"}


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals |= {"volume_script": address, "volume_modules": modules}


@blueprint.get("/<checksum>/<name>.js")
def script(checksum: str, name: str) -> Response:
    """Of another version than is there now, it is this one, but kept by nobody: its page is older than the site."""
    source = scripts().get(name)
    if source is None:
        abort(404)
    response = Response(source, mimetype="text/javascript")
    if checksum == version():
        response.cache_control.public = response.cache_control.immutable = True
        response.cache_control.max_age = YEAR
    return response


def address(name: str) -> str:
    return url_for("volume_scripts.script", checksum=version(), name=name)


def modules() -> list[str]:
    """Those that the page imports in the end: fetched at once, not one after the other as they are found."""
    return sorted(scripts().keys() - LATER)


@cache
def scripts() -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.js"))}


@cache
def version() -> str:
    digest = blake2b(digest_size=6)
    for name, source in scripts().items():
        digest.update(f"{name} {len(source)} ".encode() + source)
    return digest.hexdigest()

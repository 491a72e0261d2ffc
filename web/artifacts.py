"""Files that runs made. They are not ours to trust: one may look like a page, and must never act as one."""

from pathlib import Path

from flask import Blueprint, Response, abort, send_file
from flask_babel import gettext as _

from ledger.ids import is_id
from ledger.queries.leavings import PICTURES, Artifact, artifact
from web.console import console

blueprint = Blueprint("artifacts", __name__, url_prefix="/artifacts")

TEXTS = frozenset({"text/plain", "text/csv", "application/json"})
#: No script, no style of others, no forms, an origin of its own: for what a browser opens by itself.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
WEEK = 7 * 24 * 3600


@blueprint.get("/<artifact_id>/<name>")
def show(artifact_id: str, name: str) -> Response:
    found = artifact(console().engine, artifact_id) if is_id(artifact_id) else None
    path = path_of(found, name)
    if path is None:
        abort(404, _("There is no such file: it was never made, or pruned with its run."))
    return safely(send_file(path, **_how(found), conditional=True, max_age=WEEK))


def path_of(found: Artifact | None, name: str) -> Path | None:
    """None unless the file is there, below the artifacts folder, and called ``name``."""
    if found is None or found.name != name:
        return None
    folder = console().settings.artifacts.resolve()
    path = (folder / found.path).resolve()
    return path if path.is_relative_to(folder) and path.is_file() else None


def _how(found: Artifact) -> dict:
    """Pictures and texts are shown, texts always as plain text; anything else is offered for saving."""
    if found.media_type in PICTURES:
        return {"mimetype": found.media_type, "download_name": found.name}
    if found.media_type.partition(";")[0] in TEXTS:
        return {"mimetype": "text/plain", "download_name": found.name}
    return {"mimetype": "application/octet-stream", "as_attachment": True, "download_name": found.name}


def safely(response: Response) -> Response:
    """Whatever the browser makes of it, it acts as no page of ours and stays with this person."""
    response.headers["Content-Security-Policy"] = SANDBOX
    response.cache_control.private = True
    response.cache_control.public = None
    return response

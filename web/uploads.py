"""Files that a form's page sends ahead, one by one, so that people see how far they are and a reload loses none.

Without JavaScript they come with the form (``web.forms``); either way they are kept by the same function.
"""

from flask import Blueprint, Flask, request
from werkzeug.datastructures import FileStorage

from ledger.settings import Settings
from web.console import console
from web.forms.errors import Refused
from web.forms.uploads import save
from web.security import MEGABYTE

blueprint = Blueprint("uploads", __name__, url_prefix="/uploads")


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals["upload_limit"] = lambda: settings.upload_limit_mb * MEGABYTE


@blueprint.put("")
def create():
    """The body is the file, ``?name=`` what it is called. It goes to disk as it comes."""
    try:
        saved = save(FileStorage(request.stream, request.args.get("name", "")), console().settings.uploads)
    except Refused as refused:
        return {"fault": str(refused)}, 507
    return {"reference": saved.reference, "name": saved.reference.rpartition("/")[2]}, 201

"""Photos: the pictures of feeds that were kept, the newest first, each with who made it and where it is from."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from ledger import photos
from ledger.engine import writing
from ledger.errors import PhotoNotFound
from ledger.files import remove_photo
from ledger.ids import is_id
from ledger.photo_files import PICTURES, THUMBNAIL
from ledger.queries import photos as queries
from ledger.queries.photos import Photo, Wanted
from ledger.schedules import NameTaken, create
from web.artifacts import safely
from web.console import console, person
from web.live import live_page
from web.photo_form import FeedForm, RefusedFeed, filled_in, new_schedule
from web.photo_view import index_page, photo_page

blueprint = Blueprint("photos", __name__, url_prefix="/photos")

SECONDS = 5
YEAR = 365 * 24 * 3600


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    photo_id = (request.view_args or {}).get("photo_id")
    if photo_id is not None and not is_id(photo_id):
        raise PhotoNotFound(photo_id)


@blueprint.get("")
def index():
    """``?feed=…`` for those of one; ``before`` begins an older page, ``up_to`` keeps the first one as it was shown."""
    return _index(filled_in(console().engine))


def _index(form: FeedForm) -> Response:
    asked = {name: request.args.get(name, "") for name in ("feed", "before", "up_to")}
    wanted = Wanted(**{name: text for name, text in asked.items() if is_id(text)})
    page = index_page(console().engine, wanted, form)
    return live_page("photos/index.html", page, None if wanted.before or form.fault else SECONDS, page.poll_url)


@blueprint.post("/schedules")
def create_schedule():
    """Every 15 minutes from now on, with nothing else to be said; or the page again, with what is wrong."""
    try:
        new = new_schedule(request.form.get("feed", ""))
        with writing(console().engine) as connection:
            schedule_id = create(connection, new, person())
    except RefusedFeed as refused:
        return _again(str(refused))
    except NameTaken as taken:
        return _again(_("This feed is scheduled already, as “%(name)s”.", name=taken.name))
    flash(_("From now on the feed is asked every 15 minutes. Run it now to see its newest picture at once."))
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


def _again(fault: str):
    return _index(filled_in(console().engine, request.form.get("feed", ""), fault)), 422


@blueprint.get("/<photo_id>")
def show(photo_id: str):
    page = photo_page(console().engine, queries.photo(console().engine, photo_id))
    return render_template("photos/show.html", page=page)


@blueprint.get("/<photo_id>/picture")
def picture(photo_id: str) -> Response:
    photo = queries.photo(console().engine, photo_id)
    return _file(photo, PICTURES[photo.media_type], photo.media_type)


@blueprint.get("/<photo_id>/thumbnail")
def thumbnail(photo_id: str) -> Response:
    return _file(queries.photo(console().engine, photo_id), THUMBNAIL, "image/jpeg")


def _file(photo: Photo, name: str, media_type: str) -> Response:
    """For good: it never changes."""
    path = console().settings.photos / photo.id / name
    if not path.is_file():
        abort(404, _("The files of this photo are gone."))
    return safely(send_file(path, mimetype=media_type, conditional=True, max_age=YEAR))


@blueprint.get("/<photo_id>/deletion")
def confirm_deletion(photo_id: str):
    page = photo_page(console().engine, queries.photo(console().engine, photo_id))
    return render_template("photos/deletion.html", page=page)


@blueprint.post("/<photo_id>/deletion")
def delete(photo_id: str):
    photos.forget(console().engine, photo_id)
    remove_photo(console().settings.photos, photo_id)
    flash(_("The photo is deleted, and does not come back."))
    return redirect(url_for("photos.index"), 303)

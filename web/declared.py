"""What a person decides about a schedule that code or a file declares: back to what it says, or kept without it."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _

from ledger import declared
from ledger.engine import writing
from web.console import console
from web.schedules import refuse_what_is_no_id

blueprint = Blueprint("declared", __name__, url_prefix="/schedules/<schedule_id>")


blueprint.before_request(refuse_what_is_no_id)


@blueprint.post("/reset")
def reset(schedule_id: str):
    with writing(console().engine) as connection:
        declared.reset(connection, schedule_id)
    flash(_("It is as declared again, and follows it."))
    return _to(schedule_id)


@blueprint.post("/keeping")
def keep(schedule_id: str):
    with writing(console().engine) as connection:
        declared.keep(connection, schedule_id)
    flash(_("Kept: it is one of this site’s own now."))
    return _to(schedule_id)


def _to(schedule_id: str):
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)

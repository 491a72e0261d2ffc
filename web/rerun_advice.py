"""Whether a failed run is worth running again as it was, or needs other arguments first."""

from flask_babel import gettext as _

from ledger.queries.lines import RunLine
from ledger.queries.status import Status

#: What Python, and a worker that cannot give a job its arguments, call arguments that are no good.
ABOUT_ARGUMENTS = ("ValueError", "ArgumentsDoNotFit")


def edit_first(line: RunLine) -> str:
    """Why its arguments should be changed before it runs again, in words; empty where nothing speaks for that."""
    if line.status != Status.FAILED:
        return ""
    if line.max_attempts and line.failures < line.max_attempts:
        return _("Its job does not retry this error: the same arguments will most likely fail again. Edit them first.")
    if line.error_type in ABOUT_ARGUMENTS:
        return _("This kind of error is mostly about the arguments: they will most likely fail again. Edit them first.")
    return ""

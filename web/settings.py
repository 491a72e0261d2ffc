"""What this site is set to, what it runs on, whether its parts are well, and what it will forget when."""

import platform
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import SecretStr

from ledger import clock
from ledger.queries.about import About, about
from ledger.settings import Settings
from web.alerts import LITTLE_ROOM, SINCE
from web.console import console
from web.live import live_page
from web.numbers import count, number, size
from web.outage import without_password

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

SECONDS = 10
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
#: What is not counted after so long shows that nobody counts.
LATE_COUNT = 60 * clock.SECOND


@dataclass(frozen=True, slots=True)
class Setting:
    """``value`` is never a secret; ``meaning`` as in the README."""

    name: str
    value: str
    is_default: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Check:
    """A part and how it is, in words; ``since`` ends the sentence where ``SINCE`` stands."""

    part: str
    ok: bool
    said: str
    since: int | None = None

    @property
    def before(self) -> str:
        return self.said.partition(SINCE)[0]

    @property
    def after(self) -> str:
        return self.said.partition(SINCE)[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    checks: tuple[Check, ...]
    versions: tuple[tuple[str, str], ...]
    ledger: tuple[tuple[str, str], ...]
    about: About
    rules: tuple[str, ...]
    settings: tuple[Setting, ...]


@blueprint.get("")
def index():
    settings, broker = console().settings, console().publisher.status()
    found = about(console().engine, settings.retention_days)
    return live_page("settings/index.html", page_of(settings, found, broker), SECONDS)


def page_of(settings: Settings, found: About, broker: Any) -> SettingsPage:
    return SettingsPage(
        checks=tuple(_checks(settings, found, broker)),
        versions=_versions(found, broker),
        ledger=_ledger(settings, found),
        about=found,
        rules=_rules(settings, found),
        settings=tuple(_setting(settings, name) for name in Settings.model_fields),
    )


def _checks(settings: Settings, found: About, broker: Any) -> list[Check]:
    system = [_ledger_check(found), _broker(broker), _scheduler(found), _workers(found)]
    return [*system, _counting(found), _room(settings.var)]


def _ledger_check(found: About) -> Check:
    if found.has_wal_reset_bug:
        said = _("It answers. This SQLite has a rare bug that a newer one does not have (docs/decisions.md).")
        return Check(_("Ledger"), True, said)
    return Check(_("Ledger"), True, _("It answers."))


def _broker(broker: Any) -> Check:
    if broker.kind == "embedded":
        return Check(_("Broker"), True, _("Embedded: workers claim from the ledger directly."))
    if broker.ok:
        return Check(_("Broker"), True, _("RabbitMQ takes hints."))
    since = clock.from_datetime(broker.since) if broker.since else None
    return Check(_("Broker"), False, _("Away for %(since)s. Runs are accepted all the same.", since=SINCE), since)


def _scheduler(found: About) -> Check:
    system = found.system
    if system.scheduler_ok:
        return Check(_("Scheduler"), True, _("It beats."))
    if system.scheduler_beat is None:
        return Check(_("Scheduler"), False, _("None is running: python scheduler.py."))
    return Check(_("Scheduler"), False, _("Its last beat was %(since)s ago.", since=SINCE), system.scheduler_beat)


def _workers(found: About) -> Check:
    workers, slots = found.system.workers, found.system.slots
    if not workers:
        return Check(_("Workers"), False, _("None is running: python -m workers."))
    up = ngettext("1 is up,", "%(num)s are up,", workers)
    return Check(_("Workers"), True, f"{up} " + ngettext("with 1 slot.", "with %(num)s slots.", slots))


def _counting(found: About) -> Check:
    since = found.uncounted_since
    if since is None or since > clock.now() - LATE_COUNT:
        return Check(_("Counting"), True, _("All that finished is counted, or will be in seconds."))
    said = _("What finished is not counted for %(since)s: metrics stand still, nothing is pruned.", since=SINCE)
    return Check(_("Counting"), False, said, since)


def _room(var: Path) -> Check:
    free = shutil.disk_usage(var).free
    return Check(_("Disk"), free > LITTLE_ROOM, _("%(free)s are free.", free=size(free)))


def _versions(found: About, broker: Any) -> tuple[tuple[str, str], ...]:
    schema = found.revision or "–"
    schema += "" if schema == found.newest else " " + _("(this program was made for %(newest)s)", newest=found.newest)
    kind = "" if broker.kind == "embedded" else broker.version or _("not known yet")
    database, number = found.database.split(" ", 1)
    rows = [("Waybill", _waybill()), ("Python", platform.python_version()), (database, number)]
    return (*rows, *([("RabbitMQ", kind)] if kind else []), (_("Schema"), schema))


def _waybill() -> str:
    try:
        return tomllib.loads(PROJECT.read_text())["project"]["version"]
    except (OSError, KeyError, ValueError):
        return _("not known")


def _ledger(settings: Settings, found: About) -> tuple[tuple[str, str], ...]:
    runs = number(found.runs)
    return (
        (_("Place"), place(settings.ledger_url)),
        (_("Size"), size(found.size)),
        (_("Runs"), _("about %(number)s", number=runs) if found.runs_guessed else runs),
    )


def place(url: str) -> str:
    """An address without its password, and without parameters, which may hold one too."""
    return without_password(url.partition("?")[0])


def _rules(settings: Settings, found: About) -> tuple[str, ...]:
    age = ngettext(
        "Finished runs are pruned after 1 day.", "Finished runs are pruned after %(num)s days.", settings.retention_days
    )
    most, keeps = settings.retention_runs_per_job, found.forgetting.keeps
    by_number = (
        _("Of each job the newest %(number)s finished runs are kept.", number=number(most))
        if most
        else _("Their number is not limited (RETENTION_RUNS_PER_JOB).")
    )
    own = [_("%(job)s keeps %(number)s by its own word.", job=job, number=number(keep)) for job, keep in keeps]
    coming = found.forgetting.of_day
    soon = _("None is due in the next 24 hours.") if not coming else ngettext(
        "1 is due in the next 24 hours.", "%(runs)s are due in the next 24 hours.", coming.number, runs=count(coming)
    )  # fmt: skip
    return (age, by_number, *own, soon)


def _setting(settings: Settings, name: str) -> Setting:
    field, value = Settings.model_fields[name], getattr(settings, name)
    return Setting(name.upper(), _shown(name, value), value == field.default, _(field.description).replace("`", ""))


def _shown(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return _("set") if value.get_secret_value() else _("not set")
    if value in ("", None):
        return _("not set")
    if isinstance(value, bool):
        return str(value).lower()
    return place(value) if name.endswith("_url") else str(value)

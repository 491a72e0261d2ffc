"""The site: pages about the ledger, forms that start runs. One blueprint per noun; no job code here."""

from pathlib import Path

from flask import Flask

from ledger.engine import open_engine
from ledger.settings import Settings
from ledger.settings import settings as settings_of_environment
from web import (
    actions,
    artifacts,
    assets,
    console,
    dead_letters,
    declared,
    errors,
    export,
    failures,
    filters,
    glyphs,
    health,
    jobs,
    keyboard,
    language,
    live,
    measurements,
    metrics,
    overview,
    photos,
    places,
    queues,
    runs,
    schedules,
    scripts,
    search,
    security,
    session,
    strip,
    subjects,
    theme,
    uploads,
    views,
    volume_beside,
    volume_files,
    volume_page,
    volume_presets,
    volume_scripts,
    volumes,
    workers,
)
from web import settings as settings_page
from web.console import NAME, Console
from web.url_rules import PatientRule
from workers.publisher import make_publisher

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
ROOMS = (
    overview, export, runs, actions, views, failures, artifacts, jobs, uploads, queues, dead_letters, schedules,
    declared, workers, volumes, volume_page, volume_files, volume_scripts, volume_beside, volume_presets,
    measurements, photos,
    subjects, search, session, language, theme, keyboard, strip, health, metrics, settings_page,
)  # fmt: skip

PARTS = (
    console, security, session, language, theme, keyboard, places, errors, filters, glyphs, assets, scripts, live,
    strip, metrics, uploads, volume_scripts,
)  # fmt: skip


def create_app(settings: Settings | None = None, publisher=None) -> Flask:
    """The site of these settings; without a ``publisher``, the one that the settings ask for."""
    settings = settings or settings_of_environment()
    publisher = publisher or make_publisher(settings)
    app = Flask(__name__, template_folder=TEMPLATES)
    app.url_rule_class = PatientRule
    app.extensions[NAME] = Console(settings, open_engine(settings.ledger_url), publisher)
    for part in PARTS:
        part.init_app(app, settings)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    return app

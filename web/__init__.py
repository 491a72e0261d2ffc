"""The site: pages about the ledger, forms that start runs. One blueprint per noun; no job code here."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from flask import Flask

from ledger.engine import open_engine
from ledger.settings import Settings
from ledger.settings import settings as settings_of_environment
from web import assets, errors, filters, live, security, session, strip
from web.console import NAME, Console

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
BLUEPRINTS = ("overview", "runs", "artifacts", "jobs", "schedules", "workers", "session", "strip", "health")


def create_app(settings: Settings | None = None, publisher=None) -> Flask:
    """The site of these settings; without a ``publisher``, the one that the settings ask for."""
    settings = settings or settings_of_environment()
    app = Flask(__name__, template_folder=TEMPLATES)
    app.extensions[NAME] = Console(
        settings, open_engine(settings.ledger_url), publisher or _publisher(settings)
    )
    for part in (security, session, errors, filters, assets, live, strip):
        part.init_app(app, settings)
    for name in BLUEPRINTS:
        if find_spec(f"web.{name}"):
            app.register_blueprint(import_module(f"web.{name}").blueprint)
    return app


def _publisher(settings: Settings):
    from workers.publisher import make_publisher

    return make_publisher(settings)

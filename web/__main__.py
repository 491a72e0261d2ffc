"""``python -m web``: serves the site with waitress until SIGTERM, SIGQUIT or Ctrl-C."""

import logging
import signal
import sys

from waitress.server import create_server

from ledger.settings import Settings, SettingsError, settings
from web import create_app
from web.console import NAME


def main() -> int:
    try:
        wanted = settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    logging.basicConfig(level=wanted.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        serve(wanted)
    except OSError as error:
        print(f"Cannot serve on {wanted.web_host}:{wanted.port}: {error}", file=sys.stderr)
        return 1
    return 0


def serve(wanted: Settings) -> None:
    """Until SIGTERM, SIGQUIT or Ctrl-C. Raises OSError when the address is taken."""
    app = create_app(wanted)
    server = create_server(
        app,
        host=wanted.web_host,
        port=wanted.port,
        threads=wanted.web_threads,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + 1_000_000,  # the app says no, in words
        trusted_proxy=wanted.trusted_proxy or None,
        trusted_proxy_headers={"x-forwarded-for"} if wanted.trusted_proxy else set(),
        clear_untrusted_proxy_headers=True,
        ident="waybill",
    )
    for number in (signal.SIGTERM, signal.SIGQUIT):  # honcho's file for Supervisor stops with QUIT
        signal.signal(number, _interrupt)
    print(f"Waybill: http://{wanted.web_host}:{wanted.port}", flush=True)
    try:
        server.run()
    finally:
        app.extensions[NAME].close()


def _interrupt(_signal, _frame) -> None:
    raise KeyboardInterrupt  # waitress finishes what it is answering and returns


if __name__ == "__main__":
    sys.exit(main())

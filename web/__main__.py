"""``python -m web``: serves the site with waitress until SIGTERM, SIGQUIT or Ctrl-C."""

import ctypes
import gc
import logging
import signal
import sys

from waitress.server import create_server

from ledger.settings import Settings, SettingsError, settings
from web import create_app
from web.console import NAME

M_ARENA_MAX = -8  # malloc.h


def main() -> int:
    share_memory()
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


def share_memory() -> None:
    """Two heaps for all threads instead of eight a core, as glibc has it: what one thread gives back another one
    uses, which saves a sixth of the memory. Only one thread runs Python at a time anyway."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have no such heaps
    if mallopt:
        mallopt(M_ARENA_MAX, 2)


def serve(wanted: Settings) -> None:
    """Until SIGTERM, SIGQUIT or Ctrl-C. Raises OSError when the address is taken."""
    app = create_app(wanted)
    gc.freeze()  # what is there now stays: looking through it for garbage would hold up a page for 50 ms
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

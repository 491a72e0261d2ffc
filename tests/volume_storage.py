"""Storages of volumes that are no folder of this site: one that is mounted, one that is reached by network."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "waybill", "se/same@1"


@contextmanager
def ftp(folder: Path) -> Iterator[str]:
    """The address of a server on loopback that keeps its files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)

    class Handler(FTPHandler):
        authorizer = DummyAuthorizer()

    Handler.authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    server = FTPServer(("127.0.0.1", 0), Handler, ioloop=IOLoop())
    stopped = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, stopped))
    thread.start()
    try:
        yield f"ftp://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.address[1]}/kept"
    finally:
        stopped.set()
        thread.join()


def _serve(server: FTPServer, stopped: threading.Event) -> None:
    """Its loop is for one thread, also when it ends."""
    while not stopped.is_set():
        server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)
    server.close_all()


@contextmanager
def mounted(folder: Path) -> Iterator[str]:
    yield f"file://{folder}/kept"

"""``python -m workers``: the worker command. Checks the settings, then supervises worker processes."""

import argparse
import fcntl
import logging
import os
import sys
from pathlib import Path

from ledger.engine import open_engine
from ledger.errors import LedgerAway
from ledger.settings import Settings, SettingsError, settings
from workers.supervisor import Supervisor


def main() -> int:
    try:
        chosen = settings()
        options = parse(chosen)
        held = hold_pidfile(options.pidfile)  # noqa: F841 - the lock lasts as long as this name
        logging.basicConfig(level=chosen.log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        engine = open_engine(chosen.ledger_url)
        return Supervisor(chosen, engine, options.processes, options.threads, options.queues).run()
    except (SettingsError, LedgerAway, PidfileTaken) as error:
        print(error, file=sys.stderr)
        return 1


def parse(chosen: Settings) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers", description="Run jobs.")
    parser.add_argument("--processes", type=int, default=chosen.worker_processes, help="worker processes (%(default)s)")
    parser.add_argument("--threads", type=int, default=chosen.worker_threads, help="slots per process (%(default)s)")
    parser.add_argument("--queues", default="", help="serve only these, separated by commas (all)")
    parser.add_argument("--pidfile", type=absolute_path, help="absolute path of a file that holds the pid")
    return parser.parse_args()


def absolute_path(text: str) -> Path:
    if not Path(text).is_absolute():
        raise argparse.ArgumentTypeError(f"{text!r} is not an absolute path, like /run/waybill/workers.pid")
    return Path(text)


class PidfileTaken(Exception):
    """Another live process holds the pidfile; raised at start."""

    def __init__(self, path: Path, pid: str):
        super().__init__(f"workers run already: {path} is held by process {pid or '?'}")


def hold_pidfile(path: Path | None):
    """Writes our pid and locks the file for our lifetime; a file without a lock is stale and taken over."""
    if path is None:
        return None
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise PidfileTaken(path, path.read_text().strip()) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


if __name__ == "__main__":
    sys.exit(main())

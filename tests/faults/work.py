"""The body of every job under test, the same for Waybill, Dramatiq and Celery."""

import os
import secrets
import sqlite3
import time

from tests.faults import witness

LEDGER = "WITNESS_LEDGER"  # where a body looks for its own attempt; unset: it does not look


def work(key: str, run_id: str, attempt: int, seconds: float = 0.0) -> str:
    """Starts, takes its time, ends; answers a word that no other attempt has."""
    witness.note("start", key, run_id, attempt, recorded(run_id, attempt))
    until = time.monotonic() + seconds
    while (rest := until - time.monotonic()) > 0:
        time.sleep(min(rest, 0.01))
    mine = secrets.token_hex(4)
    witness.note("end", key, run_id, attempt, mine)
    return mine


def recorded(run_id: str, attempt: int) -> str:
    """Whether a committed row tells of this start, as seen from a connection of its own."""
    url = os.environ.get(LEDGER)
    if not url:
        return "unasked"
    try:
        return "recorded" if _count(url, run_id, attempt) else "unrecorded"
    except Exception as error:  # the ledger is away just now: nothing can be said
        return f"unknown {type(error).__name__}"


def _count(url: str, run_id: str, attempt: int) -> int:
    asked = "SELECT count(*) FROM attempts WHERE run_id = {} AND number = {}"
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=2)
        try:
            return connection.execute(asked.format("?", "?"), (run_id, attempt)).fetchone()[0]
        finally:
            connection.close()
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2, autocommit=True) as connection:
        return connection.execute(asked.format("%s", "%s"), (run_id, attempt)).fetchone()[0]

"""Running again: a new run with the same arguments, linked to the old one."""

import re
from secrets import token_urlsafe

from ledger.queries.reruns import repeat_of
from web.console import console, person, start

KEY = re.compile(r"[\w-]{1,60}", re.ASCII)


def form_key() -> str:
    """Goes into a form, so that sending it twice starts one run."""
    return token_urlsafe(12)


def start_again(run_id: str, key: str) -> str:
    """The new run's id. The key counts together with the run it repeats. Raises RunNotFound."""
    unique = f"rerun:{run_id}:{key}" if KEY.fullmatch(key) else None
    return start(repeat_of(console().engine, run_id, person(), unique))

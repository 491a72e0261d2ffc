"""How many runs of a job may run at the same time, how often, and which are the same: actor options of ours.

They are announced, and the ledger keeps to them (``ledger.limits``, ``ledger.uniqueness``). A value that cannot be
meant is refused when its module is imported.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from workers.isolation import WrongOption
from workers.signature import original

UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
SPAN = re.compile(rf"([1-9]\d{{0,8}}) ?({'|'.join(UNITS)})")
RATE = re.compile(rf"([1-9]\d{{0,4}}) ?/ ?([1-9]\d{{0,8}})? ?({'|'.join(UNITS)})")
DUPLICATES = ("skip", "replace")
WHILE = ("queued", "active")
OPTIONS = {"max_concurrency", "rate_limit", "unique", "unique_by", "on_duplicate"}


def check(job: str, options: Mapping[str, Any], function: Callable) -> None:
    """Raises WrongOption."""
    most = options.get("max_concurrency")
    if most is not None and (type(most) is not int or not 1 <= most < 2**31):
        raise WrongOption(job, f"max_concurrency={most!r} is no whole number of runs above 0")
    rate = options.get("rate_limit")
    if rate is not None and _rate(rate) is None:
        raise WrongOption(job, f"rate_limit={rate!r} is not like '10/min': runs per s, min, h or d, at most 99,999")
    _check_unique(job, options, function)


def _check_unique(job: str, options: Mapping[str, Any], function: Callable) -> None:
    unique, by, on = (options.get(name) for name in ("unique", "unique_by", "on_duplicate"))
    if unique is not None and unique not in WHILE and _span(unique) is None:
        raise WrongOption(job, f"unique={unique!r} is none of 'queued', 'active', or a time like '15 min'")
    if unique is None and (by is not None or on is not None):
        raise WrongOption(job, "unique_by and on_duplicate say how unique= is meant, which is not given")
    if on is not None and on not in DUPLICATES:
        raise WrongOption(job, f"on_duplicate={on!r} is none of 'skip', 'replace'")
    if by is not None and (not isinstance(by, list | tuple) or not all(isinstance(name, str) for name in by)):
        raise WrongOption(job, f"unique_by={by!r} is no list of parameters")
    if strange := [name for name in by or () if not _has_parameter(function, name)]:
        raise WrongOption(job, f"unique_by names {', '.join(strange)}, which is no parameter of it")


def _has_parameter(function: Callable, name: str) -> bool:
    parameters = inspect.signature(original(function)).parameters
    return name in parameters or any(each.kind == each.VAR_KEYWORD for each in parameters.values())


def announced(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker tells the ledger of them: nothing where there is no limit."""
    found: dict[str, Any] = {}
    if options.get("max_concurrency") is not None:
        found["max_concurrency"] = options["max_concurrency"]
    if options.get("rate_limit") is not None:
        found["rate_limit"] = _rate(options["rate_limit"])
    if options.get("unique") is not None:
        found["unique"] = _unique(options)
    return found


def _unique(options: Mapping[str, Any]) -> dict[str, Any]:
    unique, by = options["unique"], options.get("unique_by")
    return {
        "while": unique if unique in WHILE else "period",
        "seconds": None if unique in WHILE else _span(unique),
        "by": None if by is None else list(by),
        "on_duplicate": options.get("on_duplicate") or "skip",
    }


def _rate(text: Any) -> dict[str, int] | None:
    found = RATE.fullmatch(text) if isinstance(text, str) else None
    return found and {"runs": int(found[1]), "seconds": int(found[2] or 1) * UNITS[found[3]]}


def _span(text: Any) -> int | None:
    """``15 min`` in seconds."""
    found = SPAN.fullmatch(text) if isinstance(text, str) else None
    return found and int(found[1]) * UNITS[found[2]]

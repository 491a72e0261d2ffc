"""What a worker announces about its jobs: an actor -> the row from which the site makes a form.

Any ``@dramatiq.actor`` will do; nothing here raises for an odd one, so none keeps a worker from booting.
"""

import hashlib
import inspect
import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ledger.fleet import Job
from ledger.settings import settings
from workers import admission, docstrings, isolation
from workers.signature import ArgumentsDoNotFit, original, signature_of

__all__ = ["ArgumentsDoNotFit", "announce", "bound", "code_version", "coerce"]

#: Dramatiq's own defaults; times in milliseconds.
DEFAULTS = {
    "max_retries": 20,
    "min_backoff": 15_000,
    "max_backoff": 7 * 86_400_000,
    "time_limit": 600_000,
    "max_age": None,
}
SOURCE_LIMIT = 400


def announce(actor) -> Job:
    """How ``actor`` presents itself: parameters as JSON Schema, what it does, where it stands, options."""
    function = original(actor.fn)
    return Job(
        name=actor.actor_name,
        queue=actor.queue_name,
        priority=actor.priority,
        parameters=signature_of(actor.fn).schema,
        doc=docstrings.read(_documented(function)).text,
        source=source_of(function),
        options=options_of(actor.options),
        version=code_version(),
    )


def coerce(fn: Callable, kwargs: dict[str, Any]) -> dict[str, Any]:
    """A form's JSON arguments as the typed keyword arguments that ``fn`` asks for.

    Left-out parameters stay out: the function's own defaults apply. Raises ArgumentsDoNotFit.
    """
    return signature_of(fn).keywords(kwargs)


def bound(fn: Callable, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """``coerce`` as ``(args, kwargs)`` of a call, which functions with ``*args`` or ``/`` need."""
    return signature_of(fn).bound(kwargs)


def _documented(function: Callable) -> object:
    """The function, or the class whose ``perform`` it is: class-based actors are documented there."""
    own = type(function.__self__) if inspect.ismethod(function) else None
    return own if own and own.__doc__ else function


def options_of(options: dict[str, Any]) -> dict[str, Any]:
    """The actor's options that matter to people, as JSON; None stands for 'no limit'."""
    known = {name: _number(options.get(name, default)) for name, default in DEFAULTS.items()}
    known |= {name: known[name] or DEFAULTS[name] for name in ("min_backoff", "max_backoff")}
    throws = options.get("throws") or ()
    throws = throws if isinstance(throws, tuple | list) else (throws,)
    return known | {
        "throws": [getattr(each, "__name__", str(each)) for each in throws],
        "retry_when": options.get("retry_when") is not None,
        **({"keep": keep} if (keep := _number(options.get("keep")) or 0) > 0 else {}),
        **isolation.announced(options),
        **_tags(options),
        **admission.announced(options),
    }


def _tags(options: dict[str, Any]) -> dict[str, list[str]]:
    """What people find the job's runs by; left out when there is none."""
    tags = options.get("tags") or ()
    found = sorted({str(each).strip() for each in ((tags,) if isinstance(tags, str) else tags)} - {""})
    return {"tags": found} if found else {}


def _number(value: Any) -> int | None:
    """Whole milliseconds, or a count; None for endless, and for what is no number."""
    if isinstance(value, timedelta):
        value = value.total_seconds() * 1000
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else None


def source_of(function: Callable) -> str:
    """Where people find it: ``workers/jobs/volumes.py:24``; blank when there is no file."""
    code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    if code is None:
        return ""
    return f"{_below_root(Path(code.co_filename), function)}:{code.co_firstlineno}"[-SOURCE_LIMIT:]


def _below_root(file: Path, function: Callable) -> str:
    """``file`` as seen from the folder that its module is imported from."""
    depth = (getattr(function, "__module__", None) or "").count(".") + 1 + (file.stem == "__init__")
    return Path(*file.parts[-depth:]).as_posix()


@cache
def code_version() -> str:
    """A short digest of the job modules' source files: equal on all workers that run the same code."""
    digest = hashlib.sha256()
    for name in settings().job_modules:
        for file in _files_of(name):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:10]


def _files_of(module: str) -> Iterator[Path]:
    """The module's file, or all Python files of the package; nothing for a module without files."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        yield from sorted(Path(folder).rglob("*.py"))
    if spec and not folders and spec.origin and Path(spec.origin).is_file():
        yield Path(spec.origin)

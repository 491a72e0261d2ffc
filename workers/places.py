"""Where a body failed: the last frame of the job's own code, not a library's and not ours.

Named by module and function, for two hosts may keep the same code in different folders; without a line number, for an
edit above must not make another failure of it.
"""

import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import PurePath
from types import CodeType, FrameType
from typing import NamedTuple

#: Raised wherever the body happens to be: the function it entered first says more than the one it was in.
ANYWHERE = frozenset({"TimeLimitExceeded", "RecursionError", "MemoryError", "MemoryLimitExceeded"})
OURS = ("workers", "ledger")
JOBS_OF_OURS = "workers.jobs"
PARTS_SHOWN = 2


class Place(NamedTuple):
    """``key`` is what makes two places the same, ``words`` what people read: ``jobs/billing.py, in charge``."""

    key: str
    words: str


NOWHERE = Place("", "")


def place_of(error: BaseException) -> Place:
    own = [frame for frame in frames(error) if is_own(frame)]
    if not own:
        return NOWHERE
    frame = own[0] if type(error).__name__ in ANYWHERE else own[-1]
    code, module = frame.f_code, frame.f_globals.get("__name__") or ""
    return Place(f"{module}:{code.co_qualname}", f"{short(code.co_filename)}, in {code.co_qualname}")


def frames(error: BaseException) -> Iterator[FrameType]:
    """The outermost first."""
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame
        step = step.tb_next


def is_own(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__") or ""
    ours = module.partition(".")[0] in OURS and not f"{module}.".startswith(f"{JOBS_OF_OURS}.")
    return not ours and not is_library(frame.f_code)


def is_library(code: CodeType) -> bool:
    path = code.co_filename
    return path.startswith(("<", *_standard_library())) or "-packages/" in path


@cache
def _standard_library() -> tuple[str, ...]:
    return tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib")})


def short(path: str) -> str:
    return "/".join(PurePath(path).parts[-PARTS_SHOWN:])

"""What a process declares as a whole, and what holds when several say different things. Pure.

A statement is what all workers of the same code say, or all schedulers that read the same file: the schedules, the
entries that are wrong, and for what it speaks. What it speaks for and leaves out, it says is not there any more.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ledger import texts
from ledger.declarations import DeclarationError
from ledger.errors import N_

CODE, FILE, SITE = "code", "file", "site"


@dataclass(frozen=True)
class Statement:
    """``schedules`` are declarations by name, ``wrong`` the names of those that cannot be read. Code speaks for its
    ``jobs`` and for what stands in or below its ``modules``; a file for all that was ever declared in one, unless it
    ``is_absent`` or ``is_broken``."""

    source: str
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    is_absent: bool = False
    is_broken: bool = False
    faults: tuple[dict[str, Any], ...] = ()

    @cached_property
    def said(self) -> str:
        """As JSON; ``of_json`` reads it, and the faults, which are kept beside it."""
        return texts.to_json({name: getattr(self, name) for name in SAID})

    @cached_property
    def id(self) -> str:
        said = f"{self.source} {self.said} {texts.to_json(self.faults)}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def answer(self, name: str, spoken_of: Iterable[tuple[str, str]]) -> "Answer | None":
        """What it says of this name, which belongs to these (job, module) wherever it was declared; None: nothing."""
        if name in self.schedules:
            return Answer(self.source, self.schedules[name])
        if name in self.wrong or self.is_broken:
            return Answer(self.source, None, is_wrong=True)
        speaks = self.source == FILE or any(self._speaks_for(job, module) for job, module in spoken_of)
        return Answer(self.source, None) if speaks else None

    def _speaks_for(self, job: str, module: str) -> bool:
        return job in self.jobs or any(f"{module}.".startswith(f"{each}.") for each in self.modules)


SAID = ("schedules", "wrong", "jobs", "modules", "is_absent", "is_broken")


def of_json(source: str, said: str, faults: str) -> Statement:
    """With the id that it had before: its lists are tuples no more, which JSON does not tell apart."""
    return Statement(source, **texts.from_json(said), faults=texts.from_json(faults))


class Answer(NamedTuple):
    """``declared`` is None when the name is not declared any more, or ``is_wrong``."""

    source: str
    declared: dict[str, Any] | None
    is_wrong: bool = False


def fault(place: str, error: DeclarationError) -> dict[str, Any]:
    """As it is kept, and translated when it is shown."""
    return {"place": place, "template": error.template, "values": error.values}


def in_words(kept: Mapping[str, Any]) -> str:
    return f"{kept['place']}: {kept['template'] % kept['values']}"


@dataclass(frozen=True, slots=True)
class Held:
    """A schedule that was declared before: from which source, for which job, in which module."""

    source: str
    job: str
    module: str


def resolve(voices: list[Statement], held: Mapping[str, Held]) -> dict[str, Answer]:
    """What holds for each name that is or was declared; of names that nobody speaks for, nothing.

    ``voices`` are those of living processes, the newest first: the newest that speaks for a name is right. So old and
    new code side by side do not undo each other's word, and older code is right again when the newer has gone.
    """
    code = [each for each in voices if each.source == CODE]
    files = sorted((each for each in voices if each.source == FILE), key=lambda each: each.is_absent)
    names = dict.fromkeys([name for each in voices for name in (*each.schedules, *each.wrong)] + list(held))
    found = {}
    for name in names:
        spoken_of = _spoken_of(name, voices, held.get(name))
        answers = [_first(name, spoken_of, each) for each in (code, files)]
        answer = _agreed([each for each in answers if each], held.get(name))
        if answer is not None:
            found[name] = answer
    return found


def _spoken_of(name: str, voices: list[Statement], held: Held | None) -> set[tuple[str, str]]:
    said = [each.schedules[name] for each in voices if each.source == CODE and name in each.schedules]
    found = {(each["job"], each["module"]) for each in said}
    return found | ({(held.job, held.module)} if held and held.source == CODE else set())


def _first(name: str, spoken_of: set[tuple[str, str]], voices: list[Statement]) -> Answer | None:
    return next(filter(None, (each.answer(name, spoken_of) for each in voices)), None)


def _agreed(answers: list[Answer], held: Held | None) -> Answer | None:
    """Code goes before the file. What is not declared any more, or wrong, counts only where it came from."""
    if declared := [each for each in answers if each.declared is not None]:
        return declared[0]
    return next((each for each in answers if held and each.source == held.source), None)


def twice(voices: list[Statement]) -> list[tuple[Statement, dict[str, Any]]]:
    """Statements of files, with a fault for each name that code declares too."""
    in_code = {name: said for each in voices if each.source == CODE for name, said in each.schedules.items()}
    told = N_("It is declared in the code too, in %(place)s, which holds.")
    return [
        (each, fault(each.schedules[name]["place"], DeclarationError(told, place=in_code[name]["place"])))
        for each in voices if each.source == FILE
        for name in each.schedules if name in in_code
    ]  # fmt: skip

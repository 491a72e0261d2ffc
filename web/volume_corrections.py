"""SUVs that somebody corrected by hand, for pages: who, when, why and what; and which figures follow a correction."""

from dataclasses import dataclass

from ledger.queries.volumes import Correction, Measurement, corrections_of
from web.console import console
from web.volume_facts import suv_facts

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Corrected:
    """``changes`` are the numbers that are others than before, as (what, before, now)."""

    by: str
    at: int
    reason: str
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """The SUV in which something was measured: the correction that made it, if any did, and whether it still holds."""

    correction: Correction | None
    holds: bool


def corrected(volume_id: str) -> tuple[Corrected, ...]:
    """The newest, which holds, first."""
    found = corrections_of(console().engine, volume_id)
    return tuple(Corrected(each.created_by, each.created_at, each.reason, _changes(each)) for each in found)


def _changes(correction: Correction) -> tuple[tuple[str, str, str], ...]:
    before, now = (dict(suv_facts(suv or {})) for suv in (correction.before, correction.suv))
    found = ((name, before.get(name, NOTHING), now.get(name, NOTHING)) for name in dict.fromkeys((*now, *before)))
    return tuple(each for each in found if each[1] != each[2])


def basis(measured: Measurement, corrections: tuple[Correction, ...]) -> Basis:
    """By all ``corrections`` of its volume, the newest first."""
    suv = measured.figures.get("suv")
    made = next((each for each in corrections if each.suv == suv), None)
    return Basis(made, not corrections or corrections[0].suv == suv)


def corrector(measured: Measurement, corrections: tuple[Correction, ...]) -> str:
    """Who corrected the SUV in which it was measured; blank if nobody did."""
    made = basis(measured, corrections).correction
    return made.created_by if made else ""

"""What a run offers instead of, or beside, what it made: series to choose from, other readings of a raw file.

A job says so in its result: ``{"offered": [{"words": ..., "arguments": {...}}, ...]}``; each is the same job again with
those arguments. ``picture`` names an artifact of the run that shows it, ``why`` speaks for it.
"""

import json
from dataclasses import dataclass
from typing import Any

from ledger.queries.leavings import Artifact

MOST = 50


@dataclass(frozen=True, slots=True)
class Offer:
    """``place`` counts from 1."""

    place: int
    words: str
    why: str
    picture: Artifact | None
    arguments: dict[str, Any]


def offers_of(result: str | None, artifacts: tuple[Artifact, ...] = ()) -> tuple[Offer, ...]:
    """From a result as JSON; none from any other result: jobs may return what they like."""
    said = json.loads(result or "null")
    offered = said.get("offered") if isinstance(said, dict) else None
    if not isinstance(offered, list) or not all(map(is_offer, offered)):
        return ()
    pictures = {each.name: each for each in artifacts if each.is_picture}
    return tuple(_offer(place, each, pictures) for place, each in enumerate(offered[:MOST], start=1))


def is_offer(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("words"), str) and isinstance(said.get("arguments"), dict)


def _offer(place: int, said: dict[str, Any], pictures: dict[str, Artifact]) -> Offer:
    return Offer(place, said["words"], str(said.get("why", "")), pictures.get(said.get("picture")), said["arguments"])


def is_shown_by(offers: tuple[Offer, ...], picture: Artifact) -> bool:
    return any(offer.picture == picture for offer in offers)

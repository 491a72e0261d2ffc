"""The three planes as pictures with links, for browsers that run no script: the whole state is in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from web.language import Later as _l
from web.volume_files import ACROSS, finite, own_window
from web.volume_folder import Kept
from web.volume_words import window_word

WORDS = {"axial": _l("Axial"), "coronal": _l("Coronal"), "sagittal": _l("Sagittal")}
STEPS = (-10, -1, 1, 10)


@dataclass(frozen=True, slots=True)
class Still:
    """A plane: its picture, and links to slices beside it as (words, address)."""

    plane: str
    word: str
    picture: str
    where: str
    steps: tuple[tuple[str, str], ...]


def stills(volume: Kept, args: Mapping[str, str]) -> tuple[Still, ...]:
    at, low_high = place(volume, args), asked_window(volume, args)
    return tuple(_still(volume, plane, at, low_high) for plane in ACROSS)


def place(volume: Kept, args: Mapping[str, str]) -> list[int]:
    """The voxel of the address; the middle where it names none."""
    return [_within(args.get(axis, ""), length) for axis, length in zip("xyz", volume.shape, strict=True)]


def _within(text: str, length: int) -> int:
    return min(int(text), length - 1) if text.isascii() and text.isdecimal() and len(text) < 7 else length // 2


def asked_window(volume: Kept, args: Mapping[str, str]) -> tuple[float, float]:
    try:
        low, high = map(finite, args.get("window", "").split(","))
    except ValueError:
        return own_window(volume)
    return low, high


def _still(volume: Kept, plane: str, at: list[int], low_high: tuple[float, float]) -> Still:
    axis = ACROSS[plane]
    index, length = at[axis], volume.shape[axis]
    low, high = map(_written, low_high)
    there = {f"{step:+d}".replace("-", "−"): min(max(index + step, 0), length - 1) for step in STEPS}
    return Still(
        plane=plane,
        word=WORDS[plane],
        picture=url_for("volume_files.plane", volume_id=volume.id, plane=plane, index=index, low=low, high=high),
        where=_("slice %(slice)s of %(count)s", slice=index + 1, count=length),
        steps=tuple((word, moved(volume, {"xyz"[axis]: to})) for word, to in there.items() if to != index),
    )


def moved(volume: Kept, changes: dict[str, Any]) -> str:
    """The address of this page with ``changes``."""
    kept = {name: request.args[name] for name in ("over", "x", "y", "z", "window") if name in request.args}
    return url_for("volume_page.show", volume_id=volume.id, **kept | changes)


def presets(volume: Kept, args: Mapping[str, str]) -> tuple[tuple[str, str, bool], ...]:
    """Each preset's name, the address that shows it, and whether it is shown."""
    now = ",".join(map(_written, asked_window(volume, args)))
    factor = (volume.sidecar.get("suv") or {}).get("factor", 1)
    found = []
    for each in volume.sidecar.get("windows") or ():
        window = ",".join(_written(each[end] / (factor if each.get("suv") else 1)) for end in ("low", "high"))
        found.append((window_word(each["name"]), moved(volume, {"window": window}), window == now))
    return tuple(found)


def _written(value: float) -> str:
    return f"{value:.9g}"

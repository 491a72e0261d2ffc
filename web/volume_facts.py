"""What is known about a kept volume, in words. Pure but for the language of the page."""

from itertools import product
from typing import Any

from flask_babel import gettext as _

from web.numbers import number, size
from web.volume_folder import Kept

TIMES = "\u2009×\u2009"


def title(volume: Kept) -> str:
    """``512 × 512 × 400 int16 · 1 × 1 × 1.5 mm · HU``."""
    parts = [f"{TIMES.join(map(str, volume.shape))} {volume.sidecar['dtype']}", _spacing(volume)]
    return " · ".join([*parts, *filter(None, [unit_words(volume.sidecar)])])


def in_a_list(volume: Kept) -> str:
    """Enough to tell it from others: ``phantom_pet · PT · 2010-01-02 11:00 · phantom-1``."""
    told = volume.sidecar
    known = (volume.name, told.get("modality"), (told.get("acquired") or "").replace("T", " "), told.get("subject"))
    return " · ".join(filter(None, known))


def _spacing(volume: Kept) -> str:
    if not volume.sidecar.get("spacing_known"):
        return _("size of a voxel unknown")
    return f"{TIMES.join(f'{length:.4g}' for length in volume.spacing)} mm"


def unit_words(sidecar: dict[str, Any]) -> str:
    """The unit as people say it: ``SUVbw`` where the values are SUV, or can be turned into it."""
    suv = sidecar.get("suv") or {}
    return suv_name(suv) if "factor" in suv else sidecar.get("unit") or ""


def suv_name(suv: dict[str, Any]) -> str:
    return f"SUV{str(suv.get('kind') or 'BW').lower()}"


def facts(volume: Kept) -> tuple[tuple[str, str], ...]:
    """Label and text of all that is known; what is not known is left out."""
    told = volume.sidecar
    low, high = ("?" if value is None else f"{value:.5g}" for value in told["range"])
    known = [
        (_("Subject"), told.get("subject")),
        (_("Patient name"), told.get("patient_name")),
        (_("Label"), told.get("label")),
        (_("Modality"), told.get("modality")),
        (_("Acquired"), (told.get("acquired") or "").replace("T", " ")),
        (_("Scanner"), told.get("scanner")),
        (_("Voxels"), f"{TIMES.join(map(str, volume.shape))} {told['dtype']}"),
        (_("Size of a voxel"), _spacing(volume)),
        (_("Orientation"), _orientation(told)),
        (_("Stored values"), f"{low} … {high} {told.get('unit') or ''}".strip()),
        (_("Not numbers"), number(told["nonfinite"]) if told.get("nonfinite") else ""),
        (_("Read from"), told.get("source")),
        (_("On disk"), size(told["bytes"]) if told.get("bytes") else ""),
        (_("Series"), told.get("series_uid")),
    ]
    return tuple((label, text) for label, text in known if text)


def _orientation(told: dict[str, Any]) -> str:
    if not told.get("orientation"):
        return _("unknown: shown as stored, the last slice on top")
    if not told.get("affine_known"):
        return _("known, but not its place in the scanner")
    return _("known, with its place in the scanner")


def suv_facts(suv: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What went into the SUV, each number by name."""
    if "factor" not in suv:
        return ()
    inputs = ((name, _told(value)) for name, value in (suv.get("inputs") or {}).items())
    return ((_("SUV of one stored unit"), f"{suv['factor']:.6e}"), *inputs)


def _told(value: Any) -> str:
    return f"{value:,.10g}".replace(",", "\u202f") if isinstance(value, int | float) else str(value)


def warnings(shown: list[Kept]) -> tuple[str, ...]:
    """What one should know before one believes the picture."""
    several = len(shown) > 1
    said = [
        f"{each.name}: {text}" if several else text for each in shown for text in each.sidecar.get("warnings") or ()
    ]
    return (*said, *(_of_both(*shown) if several else ()))


def _of_both(base: Kept, over: Kept) -> list[str]:
    if not all(each.sidecar.get("affine_known") for each in (base, over)):
        return [_("It is not known where the two lay in the scanner: the overlay is placed by its own millimetres.")]
    if not _meet(base, over):
        return [_("The two do not meet: by their places in the scanner, one lies wholly beside the other.")]
    frames = {each.sidecar.get("frame_of_reference_uid") or "" for each in (base, over)}
    if len(frames) > 1 and "" not in frames:
        return [_("The two were made in different frames of reference: the overlay may not sit right.")]
    return []


def _meet(one: Kept, other: Kept) -> bool:
    """Whether the boxes around both, along the scanner's axes, have room in common."""
    mine, theirs = (list(zip(*_corners(each), strict=True)) for each in (one, other))
    return all(max(here) > min(there) and max(there) > min(here) for here, there in zip(mine, theirs, strict=True))


def _corners(volume: Kept) -> list[list[float]]:
    """In mm."""
    rows = volume.sidecar["affine"][:3]
    ends = product(*((-0.5, length - 0.5) for length in volume.shape))
    return [[a * x + b * y + c * z + t for a, b, c, t in rows] for x, y, z in ends]

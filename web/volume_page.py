"""The page of a volume: a quick look at it, alone or with another laid over it, and what is known about both."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from ledger.ids import is_id
from web.measurement_view import RULES, MeasurementsPage
from web.measurement_view import page_of as measurements_page
from web.volume_corrections import Corrected, corrected
from web.volume_facts import facts, in_a_list, suv_facts, title, unit_words, warnings
from web.volume_folder import Kept, kept, others, time_points
from web.volume_stills import WORDS as STILL_WORDS
from web.volume_stills import Still, presets, stills
from web.volume_words import WORDS, volume_words, window_word

blueprint = Blueprint("volume_page", __name__, url_prefix="/volumes")

#: What the scripts need to know of a sidecar; the rest stays here.
TOLD = (
    "id", "name", "modality", "shape_xyz", "dtype", "spacing_xyz", "spacing_known", "orientation", "affine", "unit",
    "range", "suv", "windows", "colour_map", "chunks", "preview", "mip",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """One volume as the page shows it. ``told`` goes to the scripts."""

    id: str
    name: str
    short: str
    title: str
    acquired: str
    unit: str
    told: dict[str, Any]
    facts: tuple[tuple[str, str], ...]
    suv: tuple[tuple[str, str], ...]
    not_suv: str
    notes: tuple[str, ...]
    run_id: str
    correct_url: str
    corrected: tuple[Corrected, ...]

    @property
    def has_two_values(self) -> bool:
        """Whether a value is read both as SUV and as it is stored."""
        factor = (self.told["suv"] or {}).get("factor")
        return factor is not None and not (factor == 1 and self.told["unit"] == "g/ml")


@dataclass(frozen=True, slots=True)
class Other:
    """A volume that may be laid over this one, or stand beside it."""

    id: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a viewer needs; ``root`` is the id of its element."""

    layers: tuple[Layer, ...]
    told: str
    words: str
    root: str = "viewer"
    planes: tuple[tuple[str, Any], ...] = (*STILL_WORDS.items(), ("mip", WORDS["mip"]))

    @property
    def base(self) -> Layer:
        return self.layers[0]

    @property
    def over(self) -> Layer | None:
        return self.layers[1] if len(self.layers) > 1 else None

    @property
    def length(self) -> str:
        """The unit of places."""
        return "mm" if self.base.told["spacing_known"] else _("voxels")


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePage(View):
    warnings: tuple[str, ...]
    others: tuple[Other, ...]
    stills: tuple[Still, ...]
    target: Layer
    time_points: tuple[Other, ...]
    measured: MeasurementsPage
    presets: tuple[tuple[str, str, bool], ...]
    rules: tuple[tuple[str, Any], ...] = tuple(RULES.items())

    @property
    def title(self) -> str:
        if self.over is None:
            return self.base.name
        return _("%(over)s over %(base)s", over=self.over.name, base=self.base.name)


@blueprint.get("/<volume_id>")
def show(volume_id: str) -> str:
    base, over = kept(volume_id), request.args.get("over", "")
    shown = [base, kept(over)] if is_id(over) and over != volume_id else [base]
    return render_template("volumes/show.html", page=page_of(shown))


def page_of(shown: list[Kept]) -> VolumePage:
    layers = layers_of(shown)
    target = target_of(layers)
    return VolumePage(
        **viewer(layers),
        warnings=warnings(shown),
        others=offered(others(shown[0])),
        stills=stills(shown[0], request.args),
        target=target,
        time_points=offered(time_points(shown[layers.index(target)])),
        measured=measurements_page(target.id),
        presets=presets(shown[0], request.args),
    )


def offered(found: list[Kept]) -> tuple[Other, ...]:
    return tuple(Other(each.id, in_a_list(each)) for each in found)


def layers_of(shown: list[Kept]) -> tuple[Layer, ...]:
    return tuple(layer(each, short) for each, short in zip(shown, short_names(shown), strict=True))


def viewer(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """The fields of a ``View``."""
    told = json.dumps([each.told for each in layers], ensure_ascii=False)
    return {"layers": layers, "told": told, "words": volume_words()}


def target_of(layers: tuple[Layer, ...]) -> Layer:
    """What is measured: the upper volume, unless only the lower one has an SUV."""
    upper = layers[-1]
    return upper if "factor" in (upper.told["suv"] or {}) else layers[0]


def short_names(shown: list[Kept]) -> list[str]:
    """CT and PT where that tells them apart, else their names."""
    modalities = [each.sidecar.get("modality") or "" for each in shown]
    return modalities if all(modalities) and len(set(modalities)) == len(shown) else [each.name for each in shown]


def layer(volume: Kept, short: str) -> Layer:
    suv = volume.sidecar.get("suv") or {}
    told = {name: volume.sidecar.get(name) for name in TOLD} | {"unitWords": unit_words(volume.sidecar)}
    told["windows"] = [each | {"name": window_word(each["name"])} for each in told["windows"] or ()]
    return Layer(
        id=volume.id,
        name=volume.name,
        short=short,
        title=title(volume),
        acquired=(volume.sidecar.get("acquired") or "").replace("T", " "),
        unit=unit_words(volume.sidecar),
        told=told | {"data": url_for("volume_files.data", volume_id=volume.id, part="")},
        facts=facts(volume),
        suv=suv_facts(suv),
        not_suv=not_suv(suv),
        notes=tuple(suv.get("notes") or ()),
        run_id=volume.run_id,
        correct_url=correct_url(volume),
        corrected=corrected(volume.id),
    )


def correct_url(volume: Kept) -> str:
    """Where somebody can tell the dose and the weight; blank where no dose makes an SUV of the values."""
    is_activity = volume.sidecar.get("modality") == "PT" and volume.sidecar["unit"] in ("Bq/ml", "")
    return url_for("jobs.show", name="volumes.correct_suv", **{"arg-volume": volume.id}) if is_activity else ""


def not_suv(suv: dict[str, Any]) -> str:
    """Why there is no SUV, and what is missing; blank where there is one, or nobody would ask for it."""
    if "not_suv" not in suv:
        return ""
    reason = suv["not_suv"].removesuffix(".")
    missing = ", ".join(tag for tag in suv.get("missing") or () if tag not in reason)
    said = f"{reason[:1].upper()}{reason[1:]}."
    more = _("Missing: %(tags)s.", tags=missing)
    return f"{said} {more}" if missing else said

"""Standardised uptake values: by which factor a PET series' values become SUV, or why they do not.

SUV = activity [Bq/ml] * body weight [g] / dose at the moment to which the activity is corrected [Bq]. Which
moment that is, is where programs differ; the rules are in docs/volumes.md, and are those by which all digital
reference objects come out right. Nothing is guessed: what is missing is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

import numpy as np
from pydicom.dataset import Dataset

from workers.jobs.volume.dicom import body, decay, elements, mapping, times
from workers.jobs.volume.dicom.frames import Frame
from workers.jobs.volume.errors import BadValue
from workers.jobs.volume.volume import NotSuv, Suv

GE, PHILIPS = "GEMS_PETD_01", "Philips PET Private Group"
HEAVIEST_KG, LEAST_BQ = 1000.0, 1e5
# Nobody scans when a thousandth is left: a day was changed, by an anonymiser perhaps, and the other was not. A
# dynamic scan may begin before the injection.
MOST_HALF_LIVES, LONGEST_BEFORE_S = 10, 3600
_CORRECTIONS = ("START", "ADMIN", "NONE")


@dataclass(frozen=True, eq=False)
class Uptake:
    """``suv`` of the values once each slice was multiplied by its ``brought``: 1 unless the scanner corrected
    nothing for decay, and slices were measured at different times."""

    suv: Suv | NotSuv
    brought: tuple[float, ...] | None = None


def corrected(
    weight_kg: float,
    dose_bq: float,
    half_life_s: float = 0.0,
    injected: datetime | None = None,
    reference: datetime | None = None,
    correction: str = "START",
    frame_s: float = 0.0,
) -> Suv:
    """From plain numbers, as a person corrects them: values in Bq/ml times the factor are SUV.

    ``reference`` is the moment to which the values are corrected for decay (START), or at which the frame of
    ``frame_s`` seconds began (NONE); with ADMIN no times are needed. Raises BadValue, by the parameter's name.
    """
    for name, value in {"weight_kg": weight_kg, "dose_bq": dose_bq}.items():
        if not (isfinite(value) and value > 0):
            raise BadValue(name, value, "a number above 0")
    if correction not in _CORRECTIONS:
        raise BadValue("correction", correction, f"one of {', '.join(_CORRECTIONS)}")
    share = 1.0 if correction == "ADMIN" else _share(half_life_s, injected, reference)
    once_more = decay.over_frame(frame_s, half_life_s) if correction == "NONE" else 1.0
    inputs = {
        "weight (kg)": weight_kg,
        "dose (Bq)": dose_bq,
        "half-life (s)": half_life_s,
        "injected": times.spoken(injected),
        "corrected to" if correction != "NONE" else "frame began": times.spoken(reference),
        "decay correction": correction,
    }
    dose_then = dose_bq * share
    inputs["dose then (Bq)"] = dose_then
    return Suv(once_more * weight_kg * 1000 / dose_then, "BW", {name: each for name, each in inputs.items() if each})


def _share(half_life_s: float, injected: datetime | None, reference: datetime | None) -> float:
    """What is left of the dose at ``reference``."""
    if not (isfinite(half_life_s) and half_life_s > 0):
        raise BadValue("half_life_s", half_life_s, "a number of seconds above 0")
    for name, value in {"injected": injected, "reference": reference}.items():
        if value is None:
            raise BadValue(name, value, "a date and time")
    seconds = (reference - injected).total_seconds()
    if not -LONGEST_BEFORE_S <= seconds <= MOST_HALF_LIVES * half_life_s:
        wanted = f"less than {MOST_HALF_LIVES} half-lives before {times.spoken(reference)}"
        raise BadValue("injected", times.spoken(injected), wanted)
    return decay.left(seconds, half_life_s)


def of(dataset: Dataset, frames: Sequence[Frame]) -> Uptake:
    """The uptake of a PET series, by the whole header of one of its files and its frames in order."""
    header = _Header.of(dataset, frames)
    found = _by_units(header)
    return found if isinstance(found.suv, Suv) else _mapped(header, frames) or found


def _mapped(header: "_Header", frames: Sequence[Frame]) -> Uptake | None:
    """By the real world values that are told: of enhanced files, they are all that tells the unit."""
    kind, factor = mapping.suv(frames) or ("", 0.0)
    if kind == "BW":
        return Uptake(Suv(factor, "BW", {"real world values": "SUV by body weight"}, header.notes))
    if kind != "BSA" and kind not in body.MASSES:
        return None
    found = _by_body(header, kind)
    if isinstance(found.suv, NotSuv):
        return found
    return Uptake(Suv(found.suv.factor * factor, "BW", found.suv.inputs | {"real world values": kind}, found.suv.notes))


def _by_units(header: "_Header") -> Uptake:
    rule = {"BQML": _activity, "GML": _per_mass, "CM2ML": _per_surface, "CNTS": _counts}.get(header.units)
    if rule is not None:
        return rule(header)
    if not header.units:
        missing = ("Units", *_missing(header))
        return Uptake(NotSuv(f"not SUV: the files do not tell {', '.join(missing)}", missing))
    return Uptake(NotSuv(f"not SUV: values in {header.units} cannot be turned to SUV"))


@dataclass(frozen=True, eq=False)
class _Header:
    """What the header tells, in kg, m, Bq and s; None is missing, and so is 0 of what cannot be 0."""

    units: str
    suv_type: str
    weight: float | None
    height: float | None
    sex: str
    dose: float | None
    half_life: float | None
    correction: str
    injected: datetime | None
    series_at: datetime | None
    ge_at: datetime | None
    frame_reference: float | None
    philips_suv: float | None
    philips_activity: float | None
    began: tuple[datetime | None, ...]
    lasted: tuple[float | None, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset, frames: Sequence[Frame]) -> "_Header":
        notes: list[str] = []
        drug = _drug(dataset, notes)
        began = tuple(times.moment(frame.acquired) for frame in frames)
        earliest = min((each for each in began if each), default=None)
        series_at = _at(dataset, "Series")
        return cls(
            units=elements.text(dataset, "Units"),
            suv_type=elements.text(dataset, "SUVType") or "BW",
            weight=_weight(dataset, notes),
            height=_above_zero(dataset, "PatientSize"),
            sex=elements.text(dataset, "PatientSex"),
            dose=_dose(drug, notes),
            half_life=_above_zero(drug, "RadionuclideHalfLife"),
            correction=elements.text(dataset, "DecayCorrection"),
            injected=_injected(dataset, drug, earliest or series_at, notes),
            series_at=series_at,
            ge_at=times.moment(elements.private(dataset, 0x0009, GE, 0x0D)),
            frame_reference=elements.number(dataset, "FrameReferenceTime"),
            philips_suv=_private_number(dataset, 0x00),
            philips_activity=_private_number(dataset, 0x09),
            began=began,
            lasted=tuple(frame.seconds for frame in frames),
            notes=(*notes, *attenuation(dataset)),
        )

    @property
    def earliest(self) -> datetime | None:
        """When the first slice began to be measured."""
        return min((each for each in self.began if each), default=None)


def attenuation(dataset: Dataset) -> tuple[str, ...]:
    """A sentence if the values are not corrected for attenuation, as far as the header tells."""
    done = elements.text(dataset, "CorrectedImage").split("\\")
    return () if "ATTN" in done else ("Not attenuation corrected: ATTN is missing in CorrectedImage.",)


def _drug(dataset: Dataset, notes: list[str]) -> Dataset:
    found = elements.items(dataset, "RadiopharmaceuticalInformationSequence")
    if len(found) > 1:
        notes.append(f"{len(found)} injections are listed; the first was taken.")
    return found[0] if found else Dataset()


def _above_zero(dataset: Dataset, keyword: str) -> float | None:
    found = elements.number(dataset, keyword)
    return found if found and found > 0 else None


def _weight(dataset: Dataset, notes: list[str]) -> float | None:
    found = _above_zero(dataset, "PatientWeight")
    if found is None or found <= HEAVIEST_KG:
        return found
    notes.append(f"A weight of {found:g} was taken as grams.")
    return found / 1000


def _dose(drug: Dataset, notes: list[str]) -> float | None:
    found = _above_zero(drug, "RadionuclideTotalDose")
    if found is None or found >= LEAST_BQ:
        return found
    notes.append(f"A dose of {found:g} was taken as MBq.")
    return found * 1e6


def _at(dataset: Dataset, of: str) -> datetime | None:
    return times.joined(elements.text(dataset, f"{of}Date"), elements.text(dataset, f"{of}Time"))


def _injected(dataset: Dataset, drug: Dataset, scan: datetime | None, notes: list[str]) -> datetime | None:
    """(0018,1078), else the time (0018,1072) on the day of the series, or a day before if that is after the scan."""
    whole = times.moment(elements.text(drug, "RadiopharmaceuticalStartDateTime"))
    date, time = elements.text(dataset, "SeriesDate"), elements.text(drug, "RadiopharmaceuticalStartTime")
    at = whole or times.joined(date, time)
    if whole or at is None or scan is None or at <= scan:
        return at
    notes.append("The injection was taken to be on the day before: its time of day lies after the scan.")
    return at - timedelta(days=1)


def _private_number(dataset: Dataset, element: int) -> float | None:
    try:
        found = float(elements.private(dataset, 0x7053, PHILIPS, element))
    except ValueError:
        return None
    return found if isfinite(found) and found > 0 else None


def _missing(header: _Header) -> tuple[str, ...]:
    """DICOM keywords without which Bq/ml cannot be turned to SUV."""
    wanted = {"PatientWeight": header.weight, "RadionuclideTotalDose": header.dose}
    wanted["DecayCorrection"] = header.correction
    if header.correction != "ADMIN":
        wanted |= {"RadionuclideHalfLife": header.half_life, "RadiopharmaceuticalStartDateTime": header.injected}
        if header.correction != "START" or not header.ge_at:
            wanted["AcquisitionTime"] = header.earliest
    if header.correction == "NONE":
        wanted["ActualFrameDuration"] = None not in header.lasted
    return tuple(keyword for keyword, found in wanted.items() if not found)


def _activity(header: _Header, scale: float = 1.0) -> Uptake:
    """Values that are Bq/ml once they are multiplied by ``scale``."""
    if missing := _missing(header):
        return Uptake(NotSuv(f"not SUV: the files do not tell {', '.join(missing)}", missing))
    if header.correction not in _CORRECTIONS:
        return Uptake(NotSuv(f"not SUV: the decay correction is {header.correction!r}"))
    try:
        if header.correction == "NONE":
            return _uncorrected(header, scale)
        suv = corrected(header.weight, header.dose, header.half_life or 0.0, header.injected, _reference(header),
                        header.correction)  # fmt: skip
    except BadValue as error:
        return Uptake(NotSuv(f"not SUV: {error}"))
    return Uptake(_noted(suv, scale, header))


def _noted(suv: Suv, scale: float, header: _Header) -> Suv:
    inputs = suv.inputs | ({"counts to Bq/ml": scale} if scale != 1 else {})
    return Suv(suv.factor * scale, suv.kind, inputs, header.notes)


def _reference(header: _Header) -> datetime | None:
    """The moment to which the scanner corrected, for START."""
    if header.ge_at:
        return header.ge_at
    if header.series_at and header.earliest and header.series_at <= header.earliest:
        return header.series_at
    lasted, reference = header.lasted[0], header.frame_reference
    if not reference or not lasted or header.began[0] is None:
        return header.earliest
    mean = decay.mean_moment(lasted, header.half_life)
    return header.began[0] + timedelta(seconds=mean - reference / 1000)


def _uncorrected(header: _Header, scale: float) -> Uptake:
    """Each slice by its own times: brought to the first one's, so that one factor holds for all."""
    each = [
        corrected(header.weight, header.dose, header.half_life, header.injected, began, "NONE", lasted)
        for began, lasted in zip(header.began, header.lasted, strict=True)
    ]
    brought = np.array([suv.factor for suv in each]) / each[0].factor
    if np.allclose(brought, 1, rtol=1e-9, atol=0):
        return Uptake(_noted(each[0], scale, header))
    note = "The slices were measured at different times and not corrected for decay: each was brought to the first's."
    suv = _noted(each[0], scale, header)
    return Uptake(Suv(suv.factor, suv.kind, suv.inputs, (*suv.notes, note)), tuple(map(float, brought)))


def _per_mass(header: _Header) -> Uptake:
    """Values that are SUV already, by weight or by another mass of which the weight makes SUV by weight."""
    if header.suv_type == "BW":
        return Uptake(Suv(1.0, "BW", {"units": "GML, SUV by body weight as stored"}, header.notes))
    if header.suv_type not in body.MASSES:
        return Uptake(NotSuv(f"not SUV: the SUV type {header.suv_type} is not known"))
    return _by_body(header, header.suv_type)


def _per_surface(header: _Header) -> Uptake:
    return _by_body(header, "BSA")


def _by_body(header: _Header, kind: str) -> Uptake:
    wanted = {"PatientWeight": header.weight, "PatientSize": header.height}
    if missing := tuple(keyword for keyword, found in wanted.items() if not found):
        return Uptake(NotSuv(f"not SUV by weight: the files do not tell {', '.join(missing)}", missing))
    if kind == "BSA":
        divisor = body.surface(header.weight, header.height) * 1e4 / 1000
        inputs = {"body surface (m2)": divisor / 10}
    else:
        divisor = body.mass(kind, header.weight, header.height, header.sex)
        inputs = {f"{kind} (kg)": divisor}
    if divisor <= 0:
        return Uptake(NotSuv(f"not SUV by weight: {kind} cannot be told of {header.weight:g} kg, {header.height:g} m"))
    known = {"weight (kg)": header.weight, "height (m)": header.height, "sex": header.sex or "not told"}
    return Uptake(Suv(header.weight / divisor, "BW", {"stored as": f"SUV {kind}"} | known | inputs, header.notes))


def _counts(header: _Header) -> Uptake:
    """Philips says by which factor its counts become SUV, or Bq/ml."""
    if header.philips_suv:
        inputs = {"SUV scale factor (7053,1000)": header.philips_suv}
        return Uptake(Suv(header.philips_suv, "BW", inputs, header.notes))
    if header.philips_activity:
        return _activity(header, header.philips_activity)
    return Uptake(NotSuv("not SUV: the values are counts, and no factor to SUV or Bq/ml is given"))

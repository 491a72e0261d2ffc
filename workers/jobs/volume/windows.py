"""The windows that a volume is offered in, the first of them from the start, and the colours it begins with."""

from dataclasses import dataclass

from workers.jobs.volume.pictures import Window
from workers.jobs.volume.tally import Tally
from workers.jobs.volume.volume import Suv, Volume

GREY, INVERTED = "grey", "grey-inverted"


@dataclass(frozen=True)
class Preset:
    """A window with its name; ``suv`` says that its ends are SUV, not the values as they are kept."""

    name: str
    low: float
    high: float
    suv: bool = False

    def plain(self) -> dict:
        """JSON-serialisable."""
        return {"name": self.name, "low": self.low, "high": self.high, "suv": self.suv}


#: As radiologists set them, from level and width.
CT = (
    Preset("Soft tissue", -160.0, 240.0),
    Preset("Lung", -1350.0, 150.0),
    Preset("Bone", -500.0, 1300.0),
    Preset("Brain", 0.0, 80.0),
)
SUV = (Preset("SUV 0–5", 0.0, 5.0, True), Preset("SUV 0–10", 0.0, 10.0, True))


def presets(volume: Volume, tally: Tally) -> tuple[Preset, ...]:
    """What suits the kind of volume, and its whole range at last."""
    whole = _wide(Preset("Whole range", tally.low or 0.0, tally.high or 0.0))
    if isinstance(volume.suv, Suv):
        return (*SUV, whole)
    if volume.unit == "HU":
        return (*CT, whole)
    return (_robust(volume, tally), whole)


def _robust(volume: Volume, tally: Tally) -> Preset:
    """All but the extremes; a PET begins at nothing, and its few hottest voxels are what is looked for."""
    found = tally.percentiles()
    if not found:
        return Preset("Most values", 0.0, 1.0)
    low, high = (0.0, found["99.9"]) if is_pet(volume) else (found["1"], found["99.5"])
    chosen = Preset("Most values", low, high)
    return chosen if low < high else _wide(Preset("Most values", tally.low, tally.high))


def _wide(preset: Preset) -> Preset:
    """No window is without width: a volume of one value is black in its own."""
    return preset if preset.low < preset.high else Preset(preset.name, preset.low, preset.low + 1.0, preset.suv)


def is_pet(volume: Volume) -> bool:
    return volume.about.modality == "PT" or isinstance(volume.suv, Suv)


def colour_map(volume: Volume) -> str:
    """PET is read in black on white, everything else in white on black."""
    return INVERTED if is_pet(volume) else GREY


def in_values(preset: Preset, volume: Volume) -> Window:
    """The preset's window in the values that are kept."""
    factor = volume.suv.factor if preset.suv else 1.0
    return Window(preset.low / factor, preset.high / factor)


def of_mip(volume: Volume, offered: tuple[Preset, ...], tally: Tally) -> Window:
    """What the rotating projection tells apart in its 256 steps: up to the widest preset or the highest value."""
    first, last = in_values(offered[0], volume), in_values(offered[-1], volume)
    if volume.unit == "HU":
        return Window(CT[0].low, CT[2].high)
    if isinstance(volume.suv, Suv):
        return in_values(SUV[-1], volume)
    return Window(first.low, last.high) if first.low < last.high else last

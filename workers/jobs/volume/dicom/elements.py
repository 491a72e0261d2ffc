"""Values of a pydicom data set as plain Python, and None for what is missing, empty or no number.

Headers in the wild break the rules for values; one bad element must not cost the series.
"""

from functools import cache
from math import isfinite

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

# Ours to judge: pydicom would else warn on every value that breaks a rule, or refuse it.
config.settings.reading_validation_mode = config.IGNORE

_PLAIN = {"CS", "DS", "IS", "UI", "DA", "TM", "DT"}


def value(dataset: Dataset, keyword: str) -> object:
    """As pydicom converts it; None where it is missing or cannot be converted."""
    try:
        return dataset.get(keyword)
    # Conversion runs all of pydicom's parsers on bytes that anybody may have written.
    except Exception:
        return None


def text(dataset: Dataset, keyword: str) -> str:
    """One line of text, several values joined as DICOM writes them; "" where it is missing."""
    found = _quick(dataset, keyword)
    if not isinstance(found, str):
        found = value(dataset, keyword)
    if found is None:
        return ""
    if isinstance(found, str) and found.isprintable() and "  " not in found:  # nearly all of them
        return found.strip()
    joined = found if isinstance(found, str) else "\\".join(map(str, found)) if _several(found) else str(found)
    return " ".join("".join(each if each.isprintable() else " " for each in joined).split())


def _quick(dataset: Dataset, keyword: str) -> str | int | None:
    """What needs no more than reading, without pydicom's objects: thousands of files have dozens of elements each.

    Text as it stands, an unsigned short, and "" for what is missing; None for all that pydicom has to convert.
    """
    tag = _tag(keyword)
    raw = dataset.get_item(tag, keep_deferred=True)
    if raw is None:
        return ""
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes):
        return None
    kind = raw.VR or _usual_kind(tag)
    if kind in _PLAIN and raw.value.isascii():
        return raw.value.decode("ascii").rstrip("\0 ")
    if kind == "US" and len(raw.value) == 2:
        return int.from_bytes(raw.value, "little" if raw.is_little_endian else "big")
    return None


@cache
def _tag(keyword: str) -> BaseTag:
    return BaseTag(tag_for_keyword(keyword))


@cache
def _usual_kind(tag: BaseTag) -> str:
    return dictionary_VR(tag)


def numbers(dataset: Dataset, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
    """Finite numbers, exactly ``count`` of them if that is given, or None."""
    found = _quick(dataset, keyword)
    if found == "":
        return None
    found = value(dataset, keyword) if found is None else found.split("\\") if isinstance(found, str) else found
    try:
        read = tuple(float(each) for each in (found if _several(found) else [found]))
    except (TypeError, ValueError, OverflowError):
        return None
    fitting = count is None or len(read) == count
    return read if fitting and all(map(isfinite, read)) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """One finite number, or None."""
    found = numbers(dataset, keyword, 1)
    return found[0] if found else None


def whole(dataset: Dataset, keyword: str, default: int = 0) -> int:
    """A whole number, ``default`` where there is none."""
    found = number(dataset, keyword)
    return default if found is None else int(found)


def private(dataset: Dataset, group: int, creator: str, element: int) -> str:
    """A private value as text, "" where it is missing.

    Files without the creator's name, as anonymisers leave them, keep it in the first block.
    """
    try:
        named = dataset.get((group, 0x0010)) is not None
        if named:
            return str(dataset.private_block(group, creator)[element].value).strip()
        found = dataset.get((group, 0x1000 + element))
        return "" if found is None else str(found.value).strip()
    # As with any value; and a block of somebody else is no block of this creator.
    except Exception:
        return ""


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence, [] where there are none."""
    found = value(dataset, keyword)
    return [each for each in found if isinstance(each, Dataset)] if _several(found) else []


def first(dataset: Dataset, keyword: str) -> Dataset:
    """The first item of a sequence, an empty data set where there is none."""
    return next(iter(items(dataset, keyword)), Dataset())


def _several(found: object) -> bool:
    return hasattr(found, "__iter__") and not isinstance(found, str | bytes) and type(found).__name__ != "PersonName"

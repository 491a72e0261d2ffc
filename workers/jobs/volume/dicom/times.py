"""Dates and times as DICOM writes them (PS3.5, DA, TM, DT): local time of the scanner, time zones left out."""

import re
from datetime import datetime, timedelta

_DAY = r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})"
_TIME = r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6})\d*)?"
_MOMENT = re.compile(rf"{_DAY}(?:{_TIME})?(?:[+-]\d{{4}})?")


def moment(text: str) -> datetime | None:
    """A DT, or a DA and a TM joined, or None. "20250101110000.5" is eleven o'clock and a half second."""
    match = _MOMENT.fullmatch(text.replace(" ", ""))
    if not match:
        return None
    *whole, fraction = match.groups()
    try:
        at = datetime(*(int(each or 0) for each in whole[:5]))
    except ValueError:
        return None
    return at + timedelta(seconds=int(whole[5] or 0), microseconds=int((fraction or "0").ljust(6, "0")))


def joined(date: str, time: str) -> datetime | None:
    """A DA and a TM; None if one of them is missing."""
    return moment(date + time) if date and time else None


def spoken(at: datetime | None) -> str:
    """ISO 8601 to the second, or to the microsecond where there is one; "" for None."""
    return at.isoformat() if at else ""

"""HL7 v2's TS and DTM -> FHIR's date and dateTime, as exact as they were written."""

import re
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from app.domain.errors import InvalidElementError
from app.hl7v2.messages import Element

_STAMP = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)"
    r"(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?",
    re.ASCII,
)
_DEGREES = {"Y": 4, "L": 7, "D": 10}
"""The deprecated second part of a TS: year, month, day; as characters of a date."""
_MINUTES_AN_HOUR = 60


def date_of(element: Element, *, at: str) -> str | None:
    """Return a FHIR date; the time of day is left out. None where nothing stands."""
    stamp = date_time_of(element, time_zone=None, at=at)
    return None if stamp is None else stamp[:10]


def date_time_of(element: Element, *, time_zone: str | None, at: str) -> str | None:
    """
    Return a FHIR dateTime; None where nothing stands.

    FHIR has no time without an offset and none without its minutes: a time that has no
    offset gets that of *time_zone*, and without either, or with hours alone, the day is
    kept. Seconds that were not stated are zero (R4, datatypes.html#dateTime).

    Raises:
        InvalidElementError: it can't be read.
    """
    text = element.text()
    if not text:
        return None
    match = _STAMP.fullmatch(text)
    if match is None:
        raise _unreadable(at)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        on = date(int(year), int(month or 1), int(day or 1))
        if hour is not None:
            moment = datetime(
                on.year,
                on.month,
                on.day,
                int(hour),
                int(minute or 0),
                int(second or 0),
                int((fraction or "0").ljust(6, "0")),
                tzinfo=_offset(offset, time_zone),
            )
            moment.utcoffset()  # the last days of the calendar have none everywhere
    except (ValueError, OverflowError):
        raise _unreadable(at) from None
    written = "-".join(part for part in (year, month, day) if part)
    degree = _DEGREES.get(element.text(2).upper())
    if degree is not None or minute is None or moment.tzinfo is None:
        return written[:degree]
    return moment.isoformat()


def instant_of(element: Element, *, time_zone: str | None) -> str | None:
    """Return a FHIR instant; None where the element does not tell one."""
    try:
        stamp = date_time_of(element, time_zone=time_zone, at="")
    except InvalidElementError:
        return None
    return stamp if stamp is not None and "T" in stamp else None


def _offset(stated: str | None, time_zone: str | None) -> timezone | ZoneInfo | None:
    """Return the zone of a time; FHIR's offsets have whole minutes below 15 hours."""
    if stated is None:
        return None if time_zone is None else ZoneInfo(time_zone)
    hours, minutes = int(stated[1:3]), int(stated[3:])
    if minutes >= _MINUTES_AN_HOUR:
        raise ValueError
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if stated[0] == "-" else size)


def _unreadable(at: str) -> InvalidElementError:
    return InvalidElementError("The time can't be read", expression=at)

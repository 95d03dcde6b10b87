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
_MOST_OFFSET = timedelta(hours=14)


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
    year, month, day, *time, offset = match.groups()
    written = "-".join(part for part in (year, month, day) if part)
    try:
        on = date(int(year), int(month or 1), int(day or 1))
        moment = _moment(on, time, _offset(offset, time_zone))
    except (ValueError, OverflowError):
        raise _unreadable(at) from None
    degree = _DEGREES.get(element.text(2).upper())
    if degree is not None or moment is None:
        return written[:degree]
    return moment.isoformat()


def instant_of(element: Element, *, time_zone: str | None) -> str | None:
    """Return a FHIR instant; None where the element does not tell one."""
    try:
        stamp = date_time_of(element, time_zone=time_zone, at="")
    except InvalidElementError:
        return None
    return stamp if stamp is not None and "T" in stamp else None


def _moment(
    on: date, time: list[str | None], zone: timezone | ZoneInfo | None
) -> datetime | None:
    """Return a time of that day; None where FHIR can't say it."""
    hour, minute, second, fraction = time
    within = datetime(
        on.year,
        on.month,
        on.day,
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")),
        tzinfo=zone,
    )
    # The first and last days of the calendar have no offset everywhere, and long ago
    # offsets had seconds.
    offset = within.utcoffset()
    is_sayable = offset is not None and not offset % timedelta(minutes=1)
    return within if is_sayable and minute is not None else None


def _offset(stated: str | None, time_zone: str | None) -> timezone | ZoneInfo | None:
    """Return the zone of a time; FHIR's offsets go to 14 hours."""
    if stated is None:
        return None if time_zone is None else ZoneInfo(time_zone)
    hours, minutes = int(stated[1:3]), int(stated[3:])
    size = timedelta(hours=hours, minutes=minutes)
    if minutes >= _MINUTES_AN_HOUR or size > _MOST_OFFSET:
        raise ValueError
    return timezone(-size if stated[0] == "-" else size)


def _unreadable(at: str) -> InvalidElementError:
    return InvalidElementError("The time can't be read", expression=at)

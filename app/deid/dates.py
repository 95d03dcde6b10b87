"""Dates as sent -> dates as kept: the local day, never a time of day."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from app.domain.calendar import FIRST_YEAR, LAST_YEAR, day_number, month_of_day
from app.domain.clinics import Source
from app.domain.errors import InvalidElementError
from app.domain.identified import StatedDate
from app.domain.records import PartialDate, Precision

_TIME = r"((?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?)"
_OFFSET = r"(Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
_DATE = re.compile(
    rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d)(?:T{_TIME}{_OFFSET})?)?)?", re.ASCII
)
_AT_UTC = frozenset({"Z", "+00:00", "-00:00"})


def kept_date(stated: StatedDate | None, *, source: Source) -> PartialDate | None:
    """
    Return *stated* cut to its local day, or to the month or year that it gives.

    An instant with an offset is local already: its written day is kept. One in UTC is
    converted to the zone of *source* first, unless the source pads dates to midnight
    UTC and it is midnight.

    Raises:
        InvalidElementError: It can't be read, or its year is beyond 1900-2100.
    """
    if stated is None:
        return None
    match = _DATE.fullmatch(stated.text)
    if match is None:
        raise _unreadable(stated)
    year, month, day, time, offset = match.groups()
    try:
        on = date(int(year), int(month or 1), int(day or 1))
        if offset in _AT_UTC and not (source.padded_dates and _is_midnight(time)):
            on = _local_day(on, time, source.time_zone)
    except (ValueError, OverflowError):
        raise _unreadable(stated) from None
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        msg = f"The year is not within {FIRST_YEAR}-{LAST_YEAR}"
        raise InvalidElementError(msg, expression=stated.element)
    return PartialDate(day_number(on), _precision(month, day))


def kept_month(stated: StatedDate | None, *, source: Source) -> int | None:
    """Return the month number of *stated*; None where only its year is given."""
    kept = kept_date(stated, source=source)
    if kept is None or kept.precision is Precision.YEAR:
        return None
    return month_of_day(kept.day)


def local_date(epoch_ms: int, *, source: Source) -> date:
    """Return the date at *source* at a moment, epoch milliseconds."""
    zone = ZoneInfo(source.time_zone)
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone(zone).date()


def _local_day(on: date, time: str, time_zone: str) -> date:
    """Return the day in *time_zone* when it is *time* on the day *on* in UTC."""
    instant = datetime(
        on.year, on.month, on.day, int(time[:2]), int(time[3:5]), tzinfo=UTC
    )
    return instant.astimezone(ZoneInfo(time_zone)).date()


def _is_midnight(time: str) -> bool:
    """Return whether every digit of a time of day is zero."""
    return not time.strip("0:.")


def _precision(month: str | None, day: str | None) -> Precision:
    """Return how much of a date was given."""
    if month is None:
        return Precision.YEAR
    return Precision.MONTH if day is None else Precision.DAY


def _unreadable(stated: StatedDate) -> InvalidElementError:
    """Return the refusal of a date that is none."""
    return InvalidElementError("The date can't be read", expression=stated.element)

"""
Dates as sent -> dates as kept: the local day, never a time of day.

A policy may keep less: the month or the year in which that local day is.
"""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.domain.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    day_number,
    month_number,
    month_of_day,
)
from app.domain.clinics import Source
from app.domain.errors import InvalidElementError
from app.domain.identified import StatedDate
from app.domain.keeping import EVERYTHING, Keeping, cut, cut_month
from app.domain.records import PartialDate, Precision

_TIME = r"((?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?)"
_OFFSET = r"(Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
_DATE = re.compile(
    rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d)(?:T{_TIME}{_OFFSET})?)?)?", re.ASCII
)
_AT_UTC = frozenset({"Z", "+00:00", "-00:00"})
DAY_MS = 24 * 3600 * 1000
_FIRST_DAY = day_number(date(FIRST_YEAR, 1, 1))
_LAST_DAY = day_number(date(LAST_YEAR, 12, 31))
CACHE_SIZE = 4096


def kept_date(
    stated: StatedDate | None, *, source: Source, keeping: Keeping
) -> PartialDate | None:
    """
    Return *stated* cut to its local day, or to the month or year that it gives.

    It is cut further to what the policy keeps, once it is known which day it is.

    An instant with an offset is local already: its written day is kept. One in UTC is
    converted to the zone of *source* first, unless the source pads dates to midnight
    UTC and it is midnight.

    Raises:
        InvalidElementError: It can't be read, or its year is beyond 1900-2100.
    """
    if stated is None:
        return None
    try:
        known = _local_date(
            stated.text, time_zone=source.time_zone, is_padded=source.padded_dates
        )
    except (ValueError, OverflowError):
        msg = "The date can't be read"
        raise InvalidElementError(msg, expression=stated.element) from None
    if not _FIRST_DAY <= known.day <= _LAST_DAY:
        msg = f"The year is not within {FIRST_YEAR}-{LAST_YEAR}"
        raise InvalidElementError(msg, expression=stated.element)
    return cut(known, keeping.dates)


def kept_month(
    stated: StatedDate | None, *, source: Source, keeping: Keeping
) -> int | None:
    """
    Return the month number of *stated*; None where only its year is given.

    Where years are kept it is the January of that year.
    """
    kept = kept_date(stated, source=source, keeping=EVERYTHING)
    if kept is None:
        return None
    if kept.precision is Precision.YEAR and keeping.dates is not Precision.YEAR:
        return None
    return cut_month(month_of_day(kept.day), keeping.dates)


def kept_birth(
    stated: StatedDate | None, *, source: Source, keeping: Keeping
) -> int | None:
    """Return likewise when someone was born; the oldest are all of one year."""
    month = kept_month(stated, source=source, keeping=keeping)
    if month is None:
        return None
    return max(month, month_number(keeping.oldest_birth_year, 1))


def kept_moment(epoch_ms: int, *, keeping: Keeping) -> int:
    """
    Return a moment of the hub's own, epoch milliseconds, no finer than dates are kept.

    When a record came tells nearly when the visit was. Where days are kept that adds
    nothing; else it is the first moment, in UTC, of the month or year.
    """
    if keeping.dates is Precision.DAY:
        return epoch_ms
    on = datetime.fromtimestamp(epoch_ms / 1000, UTC).date()
    first = cut(PartialDate(day_number(on), Precision.DAY), keeping.dates).day
    return first * DAY_MS


def local_date(epoch_ms: int, *, source: Source) -> date:
    """Return the date at *source* at a moment, epoch milliseconds."""
    zone = ZoneInfo(source.time_zone)
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone(zone).date()


@lru_cache(maxsize=CACHE_SIZE)
def _local_date(text: str, *, time_zone: str, is_padded: bool) -> PartialDate:
    """
    Return what a date as sent is where it was written, or in *time_zone* if in UTC.

    All that is done at a visit has its time; it is read once.

    Raises:
        ValueError, OverflowError: It is no date, or no calendar has it.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError
    year, month, day, time, offset = match.groups()
    on = date(int(year), int(month or 1), int(day or 1))
    if offset in _AT_UTC and not (is_padded and _is_midnight(time)):
        on = _local_day(on, time, time_zone)
    return PartialDate(day_number(on), _precision(month, day))


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

"""Days and months as integers: the only clock the pure rooms know."""

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FIRST_YEAR = 1900
LAST_YEAR = 2100
MONTHS_A_YEAR = 12
FOREVER = 99_999
"""A month after all others; a span that ends there has no end."""


def day_number(day: date) -> int:
    """Return *day* as days since 1970-01-01."""
    return day.toordinal() - EPOCH_ORDINAL


def date_of_day(day: int) -> date:
    """Return the date of a day number."""
    return date.fromordinal(day + EPOCH_ORDINAL)


def month_number(year: int, month: int) -> int:
    """Return months since January of year 0; *month* is 1-12."""
    return MONTHS_A_YEAR * year + month - 1


def month_of_text(text: str) -> int:
    """Return the month number of a text that begins as ``2026-03`` does."""
    year, month, *_ = text.split("-")
    return month_number(int(year), int(month))


def month_of_day(day: int) -> int:
    """Return the month number in which a day number falls."""
    on = date_of_day(day)
    return month_number(on.year, on.month)


def first_day(month: int) -> date:
    """Return the first day of a month number."""
    year, index = divmod(month, MONTHS_A_YEAR)
    return date(year, index + 1, 1)


def epoch_ms_of(instant: str) -> int:
    """
    Return a FHIR instant in epoch milliseconds; what is finer is left out.

    Raises:
        ValueError: it is no instant, or says no time zone.
    """
    moment = datetime.fromisoformat(instant)
    if moment.tzinfo is None:
        msg = "An instant has a time zone"
        raise ValueError(msg)
    return (moment - _EPOCH) // _MILLISECOND


def instant_of(epoch_ms: int) -> str:
    """Return epoch milliseconds as FHIR writes an instant, in UTC."""
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds")

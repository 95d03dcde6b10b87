"""From one event to the next: the days between, or what could have gone wrong."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from app.domain.counts import Dated
from app.measures.summaries import ONE


class Unknown(StrEnum):
    """Why a gap is null."""

    EVENT_WITHOUT_DAY = "event-without-day"
    EXPOSURE_WITHOUT_DAY = "exposure-without-day"
    EXPOSURE_MISSING = "exposure-missing"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """
    An event, and what lay between the one before and it.

    ``value`` counts days, or opportunities; it is None where ``unknown`` says why.
    """

    day: int
    since: int
    value: int | None
    unknown: Unknown | None = None


def days_between(events: Iterable[Dated]) -> list[Gap]:
    """
    Return the days between consecutive *events*; 0 between two of one day.

    Events of one day stay separate points. A gap in whose months an event without a
    day lies, first and last month included, is null.
    """
    return [
        _gap(since, day, value=day - since, unknown=unknown)
        for since, day, unknown in _pairs(list(events))
    ]


def opportunities_between(
    events: Iterable[Dated], exposure: Iterable[Dated]
) -> list[Gap]:
    """
    Return the exposure between consecutive *events*, in whole numbers.

    What is exposed on a day comes before the events of that day, so that a gap holds
    the days after the one event up to that of the other, and none between two of one
    day. A gap in whose months exposure without a day lies is null, and so is one in
    which no exposure was sent at all: a sent 0 is 0.
    """
    found, exposed = list(events), list(exposure)
    months = _months(found)

    def gap(since: int, day: int, unknown: Unknown | None) -> Gap:
        between = [e for e in exposed if e.day is not None and since < e.day <= day]
        hidden = any(
            e.day is None and months[since] <= e.month <= months[day] for e in exposed
        )
        if unknown is None and hidden and since != day:
            unknown = Unknown.EXPOSURE_WITHOUT_DAY
        elif unknown is None and not between and since != day:
            unknown = Unknown.EXPOSURE_MISSING
        value = sum(each.value for each in between) // ONE
        return _gap(since, day, value=value, unknown=unknown)

    return [gap(*pair) for pair in _pairs(found)]


def _pairs(events: Sequence[Dated]) -> Iterator[tuple[int, int, Unknown | None]]:
    """Yield the days of consecutive events, and why what is between is not known."""
    months = _months(events)
    undated = [e.month for e in events if e.day is None and e.value]
    for since, day in pairwise(sorted(_days(events))):
        is_hidden = any(months[since] <= month <= months[day] for month in undated)
        is_hidden = is_hidden and since != day
        yield since, day, Unknown.EVENT_WITHOUT_DAY if is_hidden else None


def _days(events: Iterable[Dated]) -> Iterator[int]:
    """Yield the day of each single event, as often as it had any."""
    for event in events:
        if event.day is not None:
            yield from [event.day] * (event.value // ONE)


def _months(events: Iterable[Dated]) -> dict[int, int]:
    return {event.day: event.month for event in events if event.day is not None}


def _gap(since: int, day: int, *, value: int, unknown: Unknown | None) -> Gap:
    known = None if unknown else value
    return Gap(day=day, since=since, value=known, unknown=unknown)

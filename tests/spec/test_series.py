"""Difference events to cells; every number is worked by hand."""

from typing import Any, NamedTuple

import pytest

from app.domain.calendar import month_number
from app.domain.counts import Interval
from app.measures.series import cells
from tests.reference.library import LIBRARY

JANUARY = month_number(2024, 1)


class Event(NamedTuple):
    """An event as the store gives it."""

    clinic_id: int
    grain: int
    stratum: int
    month: int
    population: int
    scored: int
    denominator: int
    numerator: int
    bin: int = 0

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the counts in their order; nobody is excluded, and nothing summed."""
        people = (self.population, 0, 0, self.scored, self.denominator, self.numerator)
        return (*people, 0, 0)


def counted(events: list[Event], **options: Any) -> list[tuple[int, ...]]:
    """Return cells as tuples: clinic, stratum, months since January, four counts."""
    asked: dict[str, Any] = {
        "measure": LIBRARY["uc-remission"],
        "interval": Interval.MONTH,
        "first_month": JANUARY,
        "last_month": JANUARY + 2,
        "strata": False,
    }
    return [
        (
            cell.clinic_id,
            cell.stratum,
            cell.interval_start - JANUARY,
            cell.population,
            cell.scored,
            cell.denominator,
            cell.numerator,
        )
        for cell in cells(events, **(asked | options))
    ]


STATUS = [
    Event(1, 1, 1, JANUARY + 2, -1, -1, -1, 0),
    Event(1, 1, 0, JANUARY - 9, 3, 2, 2, 1),
    Event(1, 1, 1, JANUARY + 1, 2, 2, 2, 1),
]


def test_a_month_is_the_sum_of_all_events_up_to_it():
    """3 people since last spring, 2 more in February, 1 gone in March."""
    assert counted(STATUS) == [
        (1, 0, 0, 3, 2, 2, 1),
        (1, 0, 1, 5, 4, 4, 2),
        (1, 0, 2, 4, 3, 3, 2),
    ]


def test_a_quarter_of_latest_status_is_its_last_month():
    """Nobody is added up over months."""
    found = counted(STATUS, interval=Interval.QUARTER)

    assert found == [(1, 0, 0, 4, 3, 3, 2)]


def test_a_quarter_of_visits_has_events_of_its_own():
    """Two people in January and one of them again in March are two in the quarter."""
    events = [
        Event(1, 1, 0, JANUARY, 2, 2, 2, 2),
        Event(1, 1, 0, JANUARY + 1, -2, -2, -2, -2),
        Event(1, 1, 0, JANUARY + 2, 1, 1, 1, 0),
        Event(1, 3, 0, JANUARY, 2, 2, 2, 1),
        Event(1, 3, 0, JANUARY + 3, -2, -2, -2, -1),
    ]
    visits = {"measure": LIBRARY["uc-remission-visits"], "last_month": JANUARY + 5}

    found = counted(events, interval=Interval.QUARTER, **visits)

    assert found == [(1, 0, 0, 2, 2, 2, 1), (1, 0, 3, 0, 0, 0, 0)]


def test_strata_add_up_to_the_total():
    """The first band has 3 people throughout, the second 0, 2 and 1."""
    found = counted(STATUS, strata=True)

    assert [row[:4] for row in found] == [
        (1, 1, 0, 3),
        (1, 1, 1, 3),
        (1, 1, 2, 3),
        (1, 2, 0, 0),
        (1, 2, 1, 2),
        (1, 2, 2, 1),
    ]


def test_every_clinic_has_a_cell_for_every_stratum_that_any_has():
    """A line that one clinic lacks would tell that it has nobody there."""
    found = counted([*STATUS, Event(2, 1, 0, JANUARY, 1, 1, 1, 1)], strata=True)

    assert {row[:2] for row in found} == {(1, 1), (1, 2), (2, 1), (2, 2)}


@pytest.mark.parametrize(
    ("interval", "first", "last", "starts"),
    [
        (Interval.MONTH, JANUARY, JANUARY - 1, []),
        (Interval.QUARTER, JANUARY + 1, JANUARY + 5, [0, 3]),
        (Interval.QUARTER, JANUARY, JANUARY + 4, [0]),
        (Interval.YEAR, JANUARY + 11, JANUARY + 23, [0, 12]),
    ],
)
def test_intervals_begin_with_the_first_months_and_end_in_time(
    interval, first, last, starts
):
    """An interval that is not over by the last month is not there yet."""
    found = counted(STATUS, interval=interval, first_month=first, last_month=last)

    assert [row[2] for row in found] == starts

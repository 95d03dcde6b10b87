"""A clinic's interval is fixed beforehand, by its size and the network's rate."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.disclosure.intervals import publishing_intervals
from app.domain.counts import Cell, Interval

START = 12 * 2023
CLOSED_BEFORE = START + 24


def history(
    sizes: Mapping[int, Mapping[Interval, int]], *, passing: float = 0.5
) -> list[Cell]:
    """Return two years of cells in which a clinic's denominator never changes."""
    return [
        Cell(
            clinic_id=clinic,
            interval=interval,
            interval_start=start,
            population=size,
            scored=size,
            denominator=size,
            numerator=round(size * passing),
        )
        for clinic, widths in sizes.items()
        for interval, size in widths.items()
        for start in range(START, CLOSED_BEFORE, interval.months)
    ]


def visits(month: int, quarter: int, year: int) -> dict[Interval, int]:
    return {Interval.MONTH: month, Interval.QUARTER: quarter, Interval.YEAR: year}


def intervals(cells: list[Cell], **changed) -> dict[int, Interval | None]:
    arguments: dict[str, Any] = {
        "k": 5,
        "has_numerator": True,
        "closed_before": CLOSED_BEFORE,
        "earlier": {},
    } | changed
    return publishing_intervals(cells, **arguments)


def test_the_finest_width_with_twice_k_in_the_rarer_outcome_is_chosen():
    """At p = 0.5 and k = 5 a denominator of 20 is the least."""
    cells = history(
        {
            1: visits(20, 60, 200),
            2: visits(18, 54, 180),
            3: visits(6, 18, 60),
            4: visits(20, 60, 200),
        }
    )

    assert intervals(cells) == {
        1: Interval.MONTH,
        2: Interval.QUARTER,
        3: Interval.YEAR,
        4: Interval.MONTH,
    }


def test_a_rate_near_one_asks_for_more_people():
    """At p = 0.9 it takes 100: a tenth of them is twice k."""
    cells = history({1: visits(90, 270, 900), 2: visits(100, 300, 1000)}, passing=0.9)

    assert intervals(cells) == {1: Interval.QUARTER, 2: Interval.MONTH}


def test_a_clinic_too_small_for_a_year_has_no_interval():
    """Three of 12, 14 and 16: without the largest 26 are left, and 20 suffice."""
    small = {clinic: visits(1, 3, 10 + 2 * clinic) for clinic in (1, 2, 3)}

    chosen = intervals(history(small | {4: visits(50, 150, 500)}))

    assert chosen == {1: None, 2: None, 3: None, 4: Interval.MONTH}


def test_clinics_that_are_never_shown_are_not_alone():
    """
    One clinic of 10 would be the total less all others.

    The smallest two keep it company: without the largest of the three 210 are left.
    """
    chosen = intervals(
        history(
            {
                1: visits(1, 3, 10),
                2: visits(20, 60, 200),
                3: visits(25, 75, 250),
                4: visits(40, 120, 400),
                5: visits(50, 150, 500),
            }
        )
    )

    assert [clinic for clinic in chosen if chosen[clinic] is None] == [1, 2, 3]


def test_one_large_clinic_is_no_company_for_two_tiny_ones():
    """Of 17, 3 and 2 the first would know the others' five; 30 more make it 35."""
    sizes = {1: 17, 2: 3, 3: 2, 4: 30, 5: 500}

    chosen = intervals(
        history({i: visits(size // 10, size // 3, size) for i, size in sizes.items()})
    )

    assert [clinic for clinic in chosen if chosen[clinic] is None] == [1, 2, 3, 4]


def test_an_interval_once_chosen_stays_and_none_is_looked_at_again():
    """Clinic 1 would be monthly now, clinic 2 has grown into it."""
    cells = history({1: visits(20, 60, 200), 2: visits(20, 60, 200)})

    chosen = intervals(cells, earlier={1: Interval.YEAR, 2: None, 9: Interval.MONTH})

    assert chosen == {1: Interval.YEAR, 2: Interval.MONTH, 9: Interval.MONTH}


@pytest.mark.parametrize("passing", [0.5, 0.8, 1.0])
def test_a_clinics_own_outcome_has_no_say(passing: float):
    """Whether 2 of 200 clinics' worth of people do well or badly, 30 a month is 30."""
    others = history({2: visits(1000, 3000, 9000), 3: visits(1000, 3000, 9000)})
    cells = history({1: visits(30, 90, 300)}, passing=passing) + others

    assert intervals(cells)[1] is Interval.MONTH


def test_only_closed_history_counts():
    """What is not locked yet fixes nothing."""
    cells = history({1: visits(20, 60, 200)})
    late = history({2: visits(900, 900, 900)})

    assert intervals(cells, closed_before=START) == {}
    assert 2 not in intervals(
        [*cells, *[c for c in late if c.interval_start > START]],
        closed_before=START + 1,
    )


def test_the_median_is_of_the_last_24_months():
    """Three years ago the clinic was large; since then it has 4 people a month."""
    before = [
        Cell(
            clinic_id=1,
            interval=Interval.MONTH,
            interval_start=start,
            population=500,
            scored=500,
            denominator=500,
            numerator=250,
        )
        for start in range(START - 36, START)
    ]
    cells = before + history({1: visits(4, 12, 48), 2: visits(90, 270, 990)})

    assert intervals(cells)[1] is Interval.YEAR

"""The gross-change rule, part by part: what can be read, and what follows from it."""

import pytest

from app.disclosure.groups import judgement_of
from app.disclosure.restatements import (
    Readable,
    block_of,
    differences,
    may_be_restated,
    nested,
)
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld
from tests.released import OUTCOMES

JANUARY = 12 * 2024
K = 3
MEAN = judgement_of(has_numerator=False, has_exceptions=False, counts_unscored=False)
Q, M, Y = Interval.QUARTER, Interval.MONTH, Interval.YEAR


def told(
    clinic: int | None = None,
    *,
    interval: Interval = Q,
    stratum: int = 0,
    shown: bool = True,
    value_sum: int | None = None,
) -> ReleasedCell:
    """Return a published cell; how large its numbers are does not matter."""
    cell = ReleasedCell(
        clinic_id=clinic,
        interval=interval,
        interval_start=JANUARY,
        stratum=stratum,
        population=90,
        scored=60,
        denominator=60,
        numerator=30,
        value_sum=value_sum,
        value_squares=value_sum,
    )
    return cell if shown else cell.blank(Withheld.SUPPRESSED)


def change(
    clinic: int,
    people: int,
    *,
    interval: Interval = Q,
    strata: tuple[int, ...] = (0,),
    value_sum: int = 0,
) -> tuple[int, list[Cell]]:
    """Return how one subject, or a clinic's erased ones, meet the measure no more."""
    return clinic, [
        Cell(
            clinic_id=clinic,
            interval=interval,
            interval_start=JANUARY,
            stratum=stratum,
            population=-people,
            scored=-people,
            denominator=-people,
            numerator=-people,
            value_sum=value_sum,
        )
        for stratum in strata
    ]


def is_allowed(
    cells: list[ReleasedCell],
    *changes: tuple[int, list[Cell]],
    **parts: object,
) -> bool:
    usual = {"basis": Basis.VISITS, "judgement": OUTCOMES, "blocks": ()}
    readable = Readable(cells=cells, **(usual | parts))  # type: ignore[arg-type]
    return may_be_restated(
        [(c, *move) for c, deltas in changes for move in readable.moves(c, deltas)], k=K
    )


NETWORK = [told(), told(1), told(2), *(told(c, shown=False) for c in (3, 4, 5))]
"""A total, two clinics that are shown and three that hide behind one another."""


@pytest.mark.parametrize(
    ("gone", "allowed"),
    [
        ({}, True),
        ({1: 3}, True),
        ({1: 2}, False),
        ({1: 2, 2: 2}, False),
        ({1: 3, 2: 3}, True),
        ({1: 3, 3: 1}, False),
        ({3: 1, 4: 1, 5: 1}, False),
        ({3: 2, 4: 2, 5: 1}, True),
        ({3: 3, 4: 1}, False),
        ({3: 3}, True),
    ],
)
def test_what_goes_is_nobody_or_enough(gone: dict[int, int], *, allowed: bool):
    """Of each clinic shown, and of the hidden ones together, less any one of them."""
    assert is_allowed(NETWORK, *(change(c, n) for c, n in gone.items())) is allowed


def test_where_no_total_is_told_hidden_clinics_tell_nothing():
    """Then there is nothing to subtract from."""
    cells = [told(shown=False), *NETWORK[1:]]

    assert is_allowed(cells, change(3, 1))
    assert not is_allowed(cells, change(1, 1))


def test_months_that_are_told_are_known_in_their_quarter():
    """A clinic that is told by the month is not one of those who hide in a quarter."""
    months = [told(1, interval=M), *(told(c, shown=False) for c in (3, 4, 5))]

    assert not is_allowed([told(), *months], change(1, 1), change(3, 2))


@pytest.mark.parametrize(
    ("gone", "allowed"), [({1: 3}, True), ({1: 3, 2: 1}, False), ({1: 3, 2: 3}, True)]
)
def test_strata_that_hide_are_what_the_others_leave(
    gone: dict[int, int], *, allowed: bool
):
    """The total less the stratum that is shown is those of the two that are not."""
    cells = [told(), told(stratum=1), *(told(stratum=s, shown=False) for s in (2, 3))]
    changes = [change(3, n, strata=(0, stratum)) for stratum, n in gone.items()]

    assert is_allowed(cells, *changes, blocks=[range(1, 4)]) is allowed


@pytest.mark.parametrize(("people", "allowed"), [(1, False), (2, False), (3, True)])
def test_a_value_that_changes_came_and_went(people: int, *, allowed: bool):
    """Two sums differ by what it was and what it is."""
    cells = [told(value_sum=1000)]
    changes = [change(clinic, 0, value_sum=5) for clinic in range(people + 1)]

    assert is_allowed(cells, *changes[:-1], judgement=MEAN) is False
    same_clinic = [change(1, 0, value_sum=5)] * people
    assert is_allowed(cells, *same_clinic, judgement=MEAN) is allowed


def test_what_lies_between_nested_measures_is_a_number_too():
    """Four meet the outer one no more, three of them the inner one: one is between."""
    parts = {"basis": Basis.VISITS, "judgement": OUTCOMES, "blocks": ()}
    each = Readable(cells=[told(), told(1)], **parts)  # type: ignore[arg-type]
    both = nested(each, each)

    def is_fine(inner: int, outer: int) -> bool:
        deltas = differences(change(1, inner)[1], change(1, outer)[1])
        return may_be_restated([(1, *move) for move in both.moves(1, deltas)], k=K)

    assert is_fine(3, 3)
    assert is_fine(3, 6)
    assert not is_fine(3, 4)


@pytest.mark.parametrize(
    ("months", "interval", "start", "block"),
    [
        (12, M, JANUARY + 11, JANUARY),
        (12, Y, JANUARY, JANUARY),
        (3, M, JANUARY + 3, JANUARY + 3),
        (3, Q, JANUARY + 9, JANUARY + 9),
        (3, Y, JANUARY, JANUARY + 9),
    ],
)
def test_an_interval_belongs_to_the_block_of_its_last_month(
    months: int, interval: Interval, start: int, block: int
):
    """A latest status of the year is December's, so it is told with that quarter."""
    assert block_of(interval, start, months=months) == block

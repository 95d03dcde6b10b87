"""A measure that says it is part of another is held to it; numbers by hand."""

import msgspec
import pytest

from app.domain.calendar import month_number
from app.domain.counts import Cell, Interval
from app.measures.relations import breaches
from tests.reference.library import LIBRARY

JANUARY = month_number(2024, 1)
WHOLE, PART, REST = (
    msgspec.structs.replace(LIBRARY["uc-remission"], id=name)
    for name in ("whole", "part", "rest")
)


def cells(*numerators: int) -> list[Cell]:
    """Return the months of a clinic from January, with so many who meet the measure."""
    return [
        Cell(
            clinic_id=7,
            interval=Interval.MONTH,
            interval_start=JANUARY + month,
            population=50,
            scored=40,
            denominator=40,
            numerator=numerator,
        )
        for month, numerator in enumerate(numerators)
    ]


@pytest.mark.parametrize(
    ("own", "months"), [((10, 20), []), ((11, 20), [0]), ((0, 21), [1])]
)
def test_a_subset_meets_the_measure_in_no_more_people(own, months):
    """Disclosure control subtracts one from the other; below zero it would lie."""
    part = msgspec.structs.replace(PART, subset_of=("whole",))

    found = list(breaches([WHOLE, part], {"whole": cells(10, 20), "part": cells(*own)}))

    assert [each.interval_start - JANUARY for each in found] == months
    assert {(each.measure_id, each.others) for each in found} <= {("part", ("whole",))}


@pytest.mark.parametrize(
    ("own", "months"), [((10, 7), []), ((11, 7), [0]), ((10, 6), [1])]
)
def test_a_sum_is_exactly_its_parts(own, months):
    """4 + 6 are 10, and 7 + 0 (a month that the second never had) are 7."""
    whole = msgspec.structs.replace(WHOLE, sum_of=("part", "rest"))
    counted = {"whole": cells(*own), "part": cells(4, 7), "rest": cells(6)}

    found = list(breaches([whole, PART, REST], counted))

    assert [each.interval_start - JANUARY for each in found] == months

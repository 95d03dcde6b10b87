"""A cohort says no more than its clinics do, whatever is published of them."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.cohorts import cohort_cells, common_width
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld
from tests.released import START, cell

CLINICS = (1, 2, 3)
OUTSIDE = 4
MONTHS = range(START, START + 4)
REASONS = (Withheld.SUPPRESSED, Withheld.NO_DATA, Withheld.NOT_PUBLISHED)
NUMBERS = ("numerator", "denominator", "population", "scored")


@st.composite
def releases(draw: st.DrawFn) -> list[ReleasedCell]:
    """Draw months of four clinics, each told, told in part, withheld, or not there."""
    found = []
    for clinic_id in (*CLINICS, OUTSIDE):
        for start in MONTHS:
            kind = draw(st.sampled_from(["told", "in part", "absent", *REASONS]))
            if kind == "absent":
                continue
            if isinstance(kind, Withheld):
                made = cell(None, None, start=start, clinic_id=clinic_id, withheld=kind)
            else:
                n, rest = draw(st.integers(5, 50)), draw(st.integers(5, 50))
                made = cell(n, n + rest, start=start, clinic_id=clinic_id)
            if kind == "in part":
                made = msgspec.structs.replace(made, population=None, scored=None)
            found.append(made)
    return found


def slow_sum(cells: Sequence[ReleasedCell], name: str) -> int | None:
    """Return the sum that a reader of the clinics' cells can make; the reference."""
    total = 0
    for each in cells:
        number = getattr(each, name)
        if number is None:
            return None
        total += number
    return total


@given(releases())
def test_a_cohorts_numbers_are_sums_of_numbers_that_are_published(
    cells: list[ReleasedCell],
):
    """Whoever reads them could have added them up: nobody is given away."""
    found = cohort_cells(cells, CLINICS, interval=Interval.MONTH, basis=Basis.VISITS)

    for each in found:
        start = each.cell.interval_start
        behind = [
            c for c in cells if c.clinic_id in CLINICS and c.interval_start == start
        ]
        told = [c for c in behind if c.withheld is None]
        if each.cell.withheld is None:
            assert each.clinics == len(told) > 0
            for name in NUMBERS:
                assert getattr(each.cell, name) == slow_sum(told, name)
        else:
            assert {getattr(each.cell, name) for name in NUMBERS} == {None}


@given(releases())
def test_a_cohort_is_never_shown_where_one_of_its_clinics_is_withheld(
    cells: list[ReleasedCell],
):
    """Else the others' sum would stand where the whole is said to."""
    found = {
        each.cell.interval_start: each.cell
        for each in cohort_cells(
            cells, CLINICS, interval=Interval.MONTH, basis=Basis.VISITS
        )
    }

    for start in MONTHS:
        reasons = {
            c.withheld
            for c in cells
            if c.clinic_id in CLINICS and c.interval_start == start
        }
        if Withheld.SUPPRESSED in reasons:
            assert found[start].withheld is Withheld.SUPPRESSED
        elif Withheld.NOT_PUBLISHED in reasons:
            assert found[start].withheld is Withheld.NOT_PUBLISHED
        elif reasons == {Withheld.NO_DATA}:
            assert found[start].withheld is Withheld.NO_DATA


@given(releases())
def test_clinics_outside_of_a_cohort_change_nothing_in_it(cells: list[ReleasedCell]):
    """It is a function of its own clinics' cells."""
    alone = [c for c in cells if c.clinic_id != OUTSIDE]
    month, visits = Interval.MONTH, Basis.VISITS

    assert cohort_cells(cells, CLINICS, interval=month, basis=visits) == cohort_cells(
        alone, CLINICS, interval=month, basis=visits
    )


def wide(clinic_id: int, interval: Interval, start: int = START) -> ReleasedCell:
    made = cell(10, 20, start=start, clinic_id=clinic_id)
    return msgspec.structs.replace(made, interval=interval)


def test_the_width_is_the_finest_that_all_its_clinics_publish():
    """Of a status the coarsest of theirs; of people who came only one and the same."""
    month, quarter, year = Interval.MONTH, Interval.QUARTER, Interval.YEAR
    mixed = [wide(1, month), wide(2, quarter), wide(OUTSIDE, year)]
    same = [wide(1, quarter), wide(2, quarter)]
    hidden = msgspec.structs.replace(wide(3, year), withheld=Withheld.NOT_PUBLISHED)

    assert common_width(mixed, CLINICS, basis=Basis.LATEST_STATUS) is quarter
    assert common_width(mixed, CLINICS, basis=Basis.VISITS) is None
    assert common_width(same, CLINICS, basis=Basis.VISITS) is quarter
    assert common_width([*same, hidden], CLINICS, basis=Basis.LATEST_STATUS) is None
    assert common_width([], CLINICS, basis=Basis.VISITS) is None


def test_means_add_up_by_their_sums_and_squares():
    """10 people of mean 2 and 30 of mean 4 are 40 of mean 3.5; no percentile."""
    blank = cell(None, 10, clinic_id=1)
    two = msgspec.structs.replace(
        blank, value_sum=20_000, value_squares=40_000_000, quantiles=(1, 2, 3, 4, 5)
    )
    four = msgspec.structs.replace(
        blank, clinic_id=2, denominator=30, value_sum=120_000, value_squares=480_000_000
    )

    (found,) = cohort_cells(
        [two, four], CLINICS, interval=Interval.MONTH, basis=Basis.VISITS
    )

    assert (found.cell.denominator, found.cell.numerator) == (40, None)
    assert found.cell.mean == 3.5
    assert found.cell.value_squares == 520_000_000
    assert found.cell.quantile(50) is None

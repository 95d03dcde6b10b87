"""What a clinic sees of itself."""

import msgspec

from app.disclosure.own_views import own_cells
from app.domain.counts import Cell, Interval, Withheld

JANUARY = 12 * 2024


def cell(clinic: int, month: int, denominator: int, stratum: int = 0) -> Cell:
    return Cell(
        clinic_id=clinic,
        interval=Interval.MONTH,
        interval_start=month,
        stratum=stratum,
        population=denominator + 1,
        scored=denominator,
        denominator=denominator,
        numerator=denominator,
    )


def test_a_clinic_sees_its_own_small_numbers_and_nobody_elses():
    """Two patients are the clinic's own two patients."""
    (own,) = own_cells(
        [cell(1, JANUARY, 2), cell(2, JANUARY, 40)],
        clinic_id=1,
        has_numerator=True,
        closed_before=JANUARY,
    )

    assert (own.clinic_id, own.denominator, own.numerator) == (1, 2, 2)
    assert own.population == 3
    assert own.withheld is None


def test_where_nobody_could_be_scored_there_is_no_data_but_a_population():
    """0 of 0 is no rate, and not 0 either; that nobody was measured is the finding."""
    (own,) = own_cells(
        [cell(1, JANUARY, 0)],
        clinic_id=1,
        has_numerator=True,
        closed_before=JANUARY,
    )

    assert own.withheld is Withheld.NO_DATA
    assert own.proportion is None
    assert (own.population, own.denominator, own.numerator) == (1, 0, 0)


def test_where_nobody_was_there_is_nothing_to_tell():
    """A month before the first patient is not a month in which nobody was measured."""
    empty = msgspec.structs.replace(cell(1, JANUARY, 0), population=0)

    (own,) = own_cells([empty], clinic_id=1, has_numerator=True, closed_before=JANUARY)

    assert own.withheld is Withheld.NO_DATA
    assert own.population is own.denominator is own.numerator is None


def test_what_is_not_locked_is_provisional():
    """January is closed, February may still change."""
    months = [cell(1, JANUARY + 1, 9), cell(1, JANUARY, 9)]

    own = own_cells(months, clinic_id=1, has_numerator=True, closed_before=JANUARY + 1)

    assert [each.interval_start for each in own] == [JANUARY, JANUARY + 1]
    assert [each.provisional for each in own] == [False, True]


def test_strata_follow_their_totals():
    """Totals first, then each stratum in time order."""
    cells = [cell(1, JANUARY, 9, stratum=1), cell(1, JANUARY, 20)]

    own = own_cells(cells, clinic_id=1, has_numerator=True, closed_before=JANUARY)

    assert [each.stratum for each in own] == [0, 1]

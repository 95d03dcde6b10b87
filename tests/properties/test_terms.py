"""Who takes part in which line, and that lines of one time are never of others."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.releases import release_measure
from app.disclosure.terms import Term, Terms, in_terms, new_term
from app.domain.calendar import FOREVER
from app.domain.counts import Basis, Cell, Interval, ReleasedCell
from tests.released import OUTCOMES

JANUARY = 12 * 2024
YEARS = 2
MEMBERS = AudienceRules(k=3, min_clinics=3, clinics=ClinicsShown.NAMED)
PATIENTLY = settings(deadline=None, max_examples=60)

months = st.integers(JANUARY, JANUARY + 12 * YEARS)
terms = st.builds(
    lambda begins, length: Term(begins, begins + length), months, st.integers(0, 30)
)


def people_in(clinic: int) -> int:
    """Return how many people meet the measure at a clinic: each power of 8 once."""
    return 8 ** (clinic + 1)


def cells() -> list[Cell]:
    """Return clinics in each of which the same number meet the measure and fail it."""
    return [
        Cell(
            clinic_id=clinic,
            interval=interval,
            interval_start=start,
            population=3 * people_in(clinic),
            scored=2 * people_in(clinic),
            denominator=2 * people_in(clinic),
            numerator=people_in(clinic),
        )
        for clinic in range(6)
        for interval in Interval
        for start in range(JANUARY, JANUARY + 12 * YEARS, interval.months)
    ]


def released(
    basis: Basis, clinics: Mapping[int, Term], *, since: int = 0
) -> list[ReleasedCell]:
    known = Terms(since=since, clinics=clinics)
    return release_measure(
        in_terms(cells(), known, basis=basis),
        rules=MEMBERS,
        basis=basis,
        judgement=OUTCOMES,
        blocks=[],
        intervals=dict.fromkeys(range(6), Interval.MONTH),
        earlier=[],
        within=[],
        closed_before=JANUARY + 12 * YEARS,
        terms=known,
    )


def behind(cell: ReleasedCell) -> set[int]:
    """Return the clinics whose people a total has: its digits to base 8."""
    assert cell.numerator is not None
    return {c for c in range(6) if cell.numerator // people_in(c) % 8}


@PATIENTLY
@given(st.dictionaries(st.integers(0, 5), terms))
def test_totals_of_one_time_are_of_the_same_clinics(clinics):
    """So no month, taken from its quarter or its year, tells of who came or left."""
    totals = [
        cell
        for cell in released(Basis.VISITS, clinics)
        if cell.clinic_id is None and cell.numerator is not None
    ]

    for wide in totals:
        end = wide.interval_start + wide.interval.months
        for fine in totals:
            if wide.interval_start <= fine.interval_start < end:
                is_finer = fine.interval.months < wide.interval.months
                assert not is_finer or behind(fine) == behind(wide)


@PATIENTLY
@given(st.sampled_from(Basis), st.dictionaries(st.integers(0, 5), terms))
def test_no_cell_has_a_clinic_before_it_begins_or_after_it_leaves(basis, clinics):
    """Its own cells are no more there than its share of a total."""
    for cell in released(basis, clinics):
        end = cell.interval_start + cell.interval.months
        start = end - 1 if basis is Basis.LATEST_STATUS else cell.interval_start
        outside = {c for c, term in clinics.items() if start < term[0] or end > term[1]}
        assert cell.clinic_id not in outside
        if cell.clinic_id is None and cell.numerator is not None:
            assert not behind(cell) & outside


@PATIENTLY
@given(st.sampled_from(Basis), months)
def test_a_new_definition_begins_where_the_old_one_ended(basis, since):
    """No interval that reaches back into what was published is published by it."""
    found = released(basis, {}, since=since)

    for cell in found:
        end = cell.interval_start + cell.interval.months
        start = end - 1 if basis is Basis.LATEST_STATUS else cell.interval_start
        assert start >= since


def test_a_year_in_which_a_clinic_begins_shows_clinics_and_no_total():
    """
    Who has the months with the clinic and the year without it could subtract.

    From April on clinic 5 takes part: its months are there, the year's total is not.
    """
    found = released(Basis.VISITS, {5: Term(JANUARY + 3, FOREVER)})

    totals = {
        (cell.interval, cell.interval_start): cell
        for cell in found
        if cell.clinic_id is None
    }
    assert totals[Interval.YEAR, JANUARY].numerator is None
    assert behind(totals[Interval.YEAR, JANUARY + 12]) == set(range(6))
    assert behind(totals[Interval.QUARTER, JANUARY]) == set(range(5))
    assert behind(totals[Interval.QUARTER, JANUARY + 3]) == set(range(6))


def test_a_new_clinic_begins_with_a_quarter_of_which_nothing_is_published():
    """Published up to the end of April: July; up to the end of March: April."""
    assert new_term(JANUARY + 4) == (JANUARY + 6, FOREVER)
    assert new_term(JANUARY + 3) == (JANUARY + 3, FOREVER)
    assert new_term(0) == (0, FOREVER)

"""What an audience sees of a measure, on tables small enough to check by hand."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.bounds import bound_of
from app.disclosure.releases import release_measure
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld
from tests.released import OUTCOMES

JANUARY = 12 * 2024
MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=11, min_clinics=3, clinics=ClinicsShown.NONE)
MONTHLY = dict.fromkeys(range(1, 6), Interval.MONTH)

Counts = tuple[int, int, int]


def cell(clinic: int, counts: Counts, **changed) -> Cell:
    population, denominator, numerator = counts
    arguments: dict[str, Any] = {
        "interval": Interval.MONTH,
        "interval_start": JANUARY,
    } | changed
    return Cell(
        clinic_id=clinic,
        population=population,
        scored=denominator,
        denominator=denominator,
        numerator=numerator,
        **arguments,
    )


def month(*counts: Counts, start: int = JANUARY) -> list[Cell]:
    """Return one month of clinics 1, 2, 3 and so on."""
    return [cell(i, own, interval_start=start) for i, own in enumerate(counts, 1)]


def release(cells: list[Cell], **changed) -> list[ReleasedCell]:
    arguments: dict[str, Any] = {
        "rules": MEMBERS,
        "basis": Basis.VISITS,
        "judgement": OUTCOMES,
        "blocks": [range(1, 10)],
        "intervals": MONTHLY,
        "earlier": (),
        "within": (),
        "closed_before": JANUARY + 1,
    }
    return release_measure(cells, **(arguments | changed))


def numbers(cells: Iterable[ReleasedCell]) -> dict[int | None, tuple]:
    """Return population, denominator and numerator by clinic; None is the network."""
    return {
        cell.clinic_id: (cell.population, cell.denominator, cell.numerator)
        for cell in cells
    }


def suppressed(cells: Iterable[ReleasedCell]) -> set[int | None]:
    return {cell.clinic_id for cell in cells if cell.withheld is Withheld.SUPPRESSED}


LARGE = (60, 50, 30)
NOTHING = (None, None, None)


def test_what_is_large_is_shown_whole():
    """Three clinics of 60 people: 30 meet it, 20 do not, 10 could not be scored."""
    assert numbers(release(month(LARGE, LARGE, LARGE))) == {
        None: (180, 150, 90),
        1: LARGE,
        2: LARGE,
        3: LARGE,
    }


@pytest.mark.parametrize(
    "small",
    [
        (60, 50, 4),
        (60, 50, 0),
        (60, 50, 46),
        (60, 50, 50),
        (60, 9, 5),
        (60, 0, 0),
        (4, 4, 2),
        (0, 0, 0),
    ],
)
def test_a_small_group_hides_the_cell_in_company(small: Counts):
    """The small one takes the two smallest others with it, so that all three hide."""
    before = [cell(5, LARGE, interval_start=JANUARY - 1)]

    cells = release(
        [*before, *month(LARGE, (80, 70, 35), (90, 80, 40), (99, 90, 45), small)]
    )

    january = [cell for cell in cells if cell.interval_start == JANUARY]
    hidden = suppressed(january)
    assert 5 in hidden
    assert None not in hidden
    assert hidden >= {1, 2, 5}


@pytest.mark.parametrize(
    ("scored", "populations_withheld"), [(60, 4), (59, 3), (56, 3)]
)
def test_complete_scoring_costs_the_population_and_not_the_rate(
    scored: int, populations_withheld: int
):
    """
    0, 1 or 4 people without a score: numerator and denominator stay.

    Two other populations go with it, or three where it has nobody to hide among.
    """
    counts = (60, scored, 30)

    shown = numbers(release(month(counts, LARGE, LARGE, LARGE, LARGE)))

    assert shown[1] == (None, scored, 30)
    assert shown[None] == (300, scored + 200, 150)
    assert sum(population is None for population, _, _ in shown.values()) == (
        populations_withheld
    )


def test_a_pooled_cell_needs_three_clinics():
    """Two clinics are shown by name; their sum would say nothing more, or too much."""
    assert suppressed(release(month(LARGE, LARGE))) == {None}
    assert suppressed(release(month(LARGE, LARGE), rules=PUBLIC)) == {None}


def test_the_public_sees_the_network_alone():
    """Nine people a clinic are too few one by one, and 45 together."""
    cells = release(month(*[(20, 9, 4)] * 5), rules=PUBLIC)

    assert numbers(cells) == {None: (100, 45, 20)}


def test_the_public_total_stands_without_its_largest_clinic():
    """Clinic 1 would subtract its own 90 and find 8 people who meet the measure."""
    cells = release(month((200, 150, 90), (40, 30, 4), (40, 30, 4)), rules=PUBLIC)

    assert suppressed(cells) == {None}


def test_the_public_sees_no_total_that_members_do_not():
    """
    Members are shown clinics 1 and 2, so to them the total would give 3 away.

    It passes the public's own rules: without its largest clinic 17 and 15 people are
    left. But members read what the public reads.
    """
    cells = month((200, 150, 90), (40, 30, 15), (10, 7, 2))
    two = {1: Interval.MONTH, 2: Interval.MONTH}
    members = [
        msgspec.structs.replace(each, population=None, denominator=None, numerator=None)
        if each.clinic_id is None
        else each
        for each in release(cells, intervals=two)
    ]

    assert numbers(release(cells, rules=PUBLIC)) == {None: (250, 187, 107)}
    assert suppressed(release(cells, rules=PUBLIC, within=[bound_of(members)])) == {
        None
    }


def test_a_clinic_without_an_interval_says_so_once_a_year():
    """It is neither missing nor suppressed for what it achieved."""
    cells = [
        cell(i, LARGE, interval=interval) for interval in Interval for i in range(1, 5)
    ]

    shown = release(cells, intervals={}, closed_before=JANUARY + 12)

    notes = [cell for cell in shown if cell.withheld is Withheld.NOT_PUBLISHED]
    assert {(cell.clinic_id, cell.interval) for cell in notes} == {
        (clinic, Interval.YEAR) for clinic in range(1, 5)
    }
    assert numbers(notes)[1] == NOTHING


def test_a_month_without_data_is_marked_and_not_missing():
    """February has no cell at all; it is in the release, with nothing in it."""
    cells = month(LARGE, LARGE, LARGE) + month(LARGE, LARGE, LARGE, start=JANUARY + 2)

    shown = release(cells, closed_before=JANUARY + 3)

    february = [
        cell
        for cell in shown
        if (cell.interval, cell.interval_start) == (Interval.MONTH, JANUARY + 1)
    ]
    assert numbers(february) == dict.fromkeys((None, 1, 2, 3), NOTHING)


def test_a_clinic_is_in_no_interval_before_its_first():
    """A clinic of another disease, or of next year, is not a hidden zero."""
    cells = [*month(LARGE, LARGE, LARGE), cell(4, LARGE, interval_start=JANUARY + 1)]

    assert suppressed(release(cells)) == set()
    assert 4 not in numbers(release(cells))


def test_nothing_is_released_before_its_lock():
    """The quarter of a closed January is still open."""
    quarter = [cell(i, LARGE, interval=Interval.QUARTER) for i in (1, 2, 3)]

    shown = release([*month(LARGE, LARGE, LARGE), *quarter])

    assert {cell.interval for cell in shown} == {Interval.MONTH}
    assert not any(cell.provisional for cell in shown)


def test_a_published_interval_is_repeated_and_not_revised():
    """Three late records in January stay out: 43 - 40 would be three people."""
    first = release(month(*[(60, 40, 20)] * 3))
    late = month(*[(63, 43, 20)] * 3) + month(LARGE, LARGE, LARGE, start=JANUARY + 1)

    second = release(late, earlier=first, closed_before=JANUARY + 2)

    assert [cell for cell in second if cell in first] == first
    assert len(second) == 2 * len(first)


def quarter_ends(*counts: Counts, interval: Interval) -> list[Cell]:
    start = JANUARY + 3 - interval.months
    return [
        cell(i, own, interval=interval, interval_start=start)
        for i, own in enumerate(counts, 1)
    ]


def test_a_latest_status_is_one_number_at_every_width():
    """
    March and the first quarter end on the same day.

    Clinics 1 to 3 are monthly, 4 and 5 quarterly, and 5 is small. In a line of months
    alone clinics 4 and 5 would be the only two hidden; known by the quarter, 4 gives
    no shelter, so the two smallest others are hidden at both widths.
    """
    counts = [(90, 80, 40), (80, 70, 35), LARGE, LARGE, (30, 20, 2)]
    cells = [
        *quarter_ends(*counts, interval=Interval.MONTH),
        *quarter_ends(*counts, interval=Interval.QUARTER),
    ]
    widths = {4: Interval.QUARTER, 5: Interval.QUARTER}

    shown = release(
        cells,
        basis=Basis.LATEST_STATUS,
        intervals=MONTHLY | widths,
        closed_before=JANUARY + 3,
    )

    totals = [cell for cell in shown if cell.clinic_id is None]
    assert [cell.interval for cell in totals] == [Interval.MONTH, Interval.QUARTER]
    assert {cell.denominator for cell in totals} == {80 + 70 + 50 + 50 + 20}
    assert suppressed(shown) == {3, 4, 5}


def test_a_clinic_known_by_its_months_gives_no_shelter_in_the_quarter():
    """
    Few people come twice, so a quarter is nearly the sum of its months.

    Clinics 1 to 3 are shown monthly; 4 is quarterly and small. Were the others counted
    as hidden in the quarter, clinic 4 would be the total less three sums. The strata go
    with the total, since that is what they add up to.
    """
    cells = [
        cell(i, LARGE, interval_start=JANUARY + m) for m in range(3) for i in (1, 2, 3)
    ]
    cells += [cell(i, (180, 150, 90), interval=Interval.QUARTER) for i in (1, 2, 3)]
    cells += [cell(4, (9, 9, 2), interval=Interval.QUARTER)]
    cells += [
        cell(i, (90, 75, 45), interval=Interval.QUARTER, stratum=stratum)
        for i in (1, 2, 3)
        for stratum in (1, 2)
    ]
    cells += [cell(4, (9, 9, 2), interval=Interval.QUARTER, stratum=1)]

    shown = release(
        cells, intervals=MONTHLY | {4: Interval.QUARTER}, closed_before=JANUARY + 3
    )

    quarter = [cell for cell in shown if cell.interval is Interval.QUARTER]
    assert suppressed(quarter) == {None, 4}
    assert all(cell.withheld is Withheld.SUPPRESSED for cell in quarter)


def strata_of_a_quarter(*strata: Counts) -> list[Cell]:
    """Return four equal clinics, each with these strata, and their totals."""
    total = tuple(sum(column) for column in zip(*strata, strict=True))
    parts = [total, *strata]
    return [
        cell(clinic, counts, interval=Interval.QUARTER, stratum=stratum)
        for clinic in range(1, 5)
        for stratum, counts in enumerate(parts)
    ]


def strata_shown(cells: list[Cell], **changed) -> dict[int, tuple]:
    quarterly = dict.fromkeys(range(1, 5), Interval.QUARTER)
    shown = release(
        cells, **({"intervals": quarterly, "closed_before": JANUARY + 3} | changed)
    )
    return {
        cell.stratum: (cell.population, cell.denominator, cell.numerator)
        for cell in shown
        if cell.clinic_id is None
    }


def test_strata_are_the_networks_and_a_quarters():
    """Four clinics of two strata: 4 x 60 and 4 x 30 people."""
    shown = strata_shown(strata_of_a_quarter(LARGE, (30, 25, 15)))

    assert shown == {0: (360, 300, 180), 1: (240, 200, 120), 2: (120, 100, 60)}


def test_a_small_stratum_does_not_stand_alone():
    """4 of the third meet it, one a clinic; the second is hidden so that two are."""
    shown = strata_shown(strata_of_a_quarter(LARGE, (30, 25, 15), (20, 10, 1)))

    assert shown[1][1:] == (200, 120)
    assert shown[2] == NOTHING
    assert shown[3] == NOTHING


def test_people_in_no_stratum_are_a_part_that_is_never_shown():
    """Sex is missing of 6 people a clinic; totals less strata would count them."""
    cells = strata_of_a_quarter(LARGE, (40, 30, 15), (6, 5, 2))
    cells = [cell for cell in cells if cell.stratum != 3]

    shown = strata_shown(cells)

    assert shown[0] == (424, 340, 188)
    assert shown[1] == (240, 200, 120)
    assert shown[2] == NOTHING


def test_no_stratum_is_shown_where_the_total_is_not():
    """All of them together would be the total."""
    cells = [c for c in strata_of_a_quarter(LARGE, LARGE) if c.clinic_id < 3]

    assert strata_shown(cells) == dict.fromkeys(range(3), NOTHING)


def test_the_public_sees_no_stratum_that_members_do_not():
    """Here members have lost stratum 1, though it passes the public's own rules."""
    cells = strata_of_a_quarter(LARGE, LARGE, LARGE)
    quarterly = dict.fromkeys(range(1, 5), Interval.QUARTER)
    members = [
        msgspec.structs.replace(each, population=None, denominator=None, numerator=None)
        if each.stratum == 1
        else each
        for each in release(cells, intervals=quarterly, closed_before=JANUARY + 3)
    ]

    shown = strata_shown(cells, rules=PUBLIC, within=[bound_of(members)])

    assert shown[1] == NOTHING
    assert strata_shown(cells, rules=PUBLIC)[1] == (240, 200, 120)

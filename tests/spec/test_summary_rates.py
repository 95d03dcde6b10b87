"""What an audience may see of numbers that clinics count themselves, by hand."""

import pytest

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.summary_rates import (
    NETWORK_WIDTH,
    PROPORTION,
    RATE,
    is_small_summary,
    own_summary_cells,
    release_summaries,
    summary_intervals,
)
from app.domain.calendar import month_number
from app.domain.counts import Cell, Interval, ReleasedCell, SummaryCell, Withheld

JANUARY = month_number(2024, 1)
MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=11, min_clinics=3, clinics=ClinicsShown.NONE)
MONTHLY = Interval.MONTH


def cells(*counts: tuple[int, int], start: int = JANUARY) -> list[Cell]:
    """Return one month of clinics 1, 2, ...: events and exposure, at every width."""
    return [
        Cell(
            clinic_id=clinic,
            interval=interval,
            interval_start=start - start % interval.months,
            population=exposure,
            scored=exposure,
            denominator=exposure,
            numerator=events,
        )
        for interval in Interval
        for clinic, (events, exposure) in enumerate(counts, 1)
        if exposure or events
    ]


def released(
    true: list[Cell],
    *,
    rules: AudienceRules = MEMBERS,
    months: int = 1,
    groups=RATE,
    earlier=(),
    within=None,
    **widths: Interval | None,
) -> dict[tuple, ReleasedCell]:
    """Return the release of January on, by clinic, width and start."""
    clinics = {cell.clinic_id for cell in true}
    intervals: dict[int, Interval | None] = dict.fromkeys(clinics, MONTHLY)
    intervals[NETWORK_WIDTH] = MONTHLY
    intervals |= {int(name[1:]): width for name, width in widths.items()}
    found = release_summaries(
        true,
        rules=rules,
        groups=groups,
        intervals=intervals,
        earlier=earlier,
        within=within,
        closed_before=JANUARY + months,
    )
    return {(c.clinic_id, c.interval, c.interval_start - JANUARY): c for c in found}


def told(cell: ReleasedCell) -> tuple | Withheld:
    return cell.withheld or (cell.numerator, cell.denominator)


def in_january(found: dict[tuple, ReleasedCell]) -> dict:
    return {
        clinic: told(cell)
        for (clinic, interval, start), cell in found.items()
        if (interval, start) == (MONTHLY, 0)
    }


def test_clinics_with_enough_or_no_events_are_shown_with_their_total():
    """Of 5 and 0 events in 50 units and more nothing is small."""
    found = released(cells((5, 900), (0, 50), (9, 700), (6, 800)))

    assert in_january(found) == {
        None: (20, 2450),
        1: (5, 900),
        2: (0, 50),
        3: (9, 700),
        4: (6, 800),
    }


def test_a_hidden_clinic_is_not_found_by_subtraction():
    """Clinic 1 has 4 events: without 2 and 3 beside it 29 less 25 would be them."""
    found = released(cells((4, 900), (6, 300), (7, 700), (12, 800)))

    assert in_january(found) == {
        None: (29, 2700),
        1: Withheld.SUPPRESSED,
        2: Withheld.SUPPRESSED,
        3: Withheld.SUPPRESSED,
        4: (12, 800),
    }


def test_small_exposure_is_small_whatever_the_events():
    """49 line days are below ten for each of k = 5: few people, however many events."""
    found = released(cells((0, 49), (6, 300), (7, 700), (12, 800)))

    assert in_january(found)[1] is Withheld.SUPPRESSED


def test_a_total_stands_without_any_one_clinic():
    """Whoever has 20 of 23 events knows that the others have 3."""
    found = released(cells((20, 900), (1, 800), (1, 700), (1, 800)))

    assert in_january(found)[None] is Withheld.SUPPRESSED


def test_two_clinics_are_no_network():
    found = released(cells((20, 900), (20, 800)))

    assert in_january(found)[None] is Withheld.SUPPRESSED


def test_nobody_s_event_may_be_told_to_everybody():
    """None in 2,400 line days of four clinics singles nobody out."""
    found = released(cells((0, 600), (0, 600), (0, 600), (0, 600)), rules=PUBLIC)

    assert in_january(found) == {None: (0, 2400)}


def test_of_a_proportion_both_parts_are_people():
    """None of 60 tells the status of all 60, as for any measure of people."""
    found = released(
        cells((0, 60), (9, 60), (9, 60), (9, 60), (9, 60)), groups=PROPORTION
    )

    assert in_january(found)[1] is Withheld.SUPPRESSED
    assert in_january(found)[5] == (9, 60)


def test_a_month_that_nobody_sent_is_no_data():
    """It is said so: a gap hides nobody."""
    found = released(
        cells((6, 900), (7, 900), (8, 900), (9, 900))
        + cells((6, 900), start=JANUARY + 1)
        + cells((6, 900), (7, 900), (8, 900), (9, 900), start=JANUARY + 2),
        months=3,
    )

    assert told(found[2, MONTHLY, 1]) is Withheld.NO_DATA
    assert told(found[1, MONTHLY, 1]) == (6, 900)
    assert told(found[None, MONTHLY, 1]) is Withheld.SUPPRESSED


def test_a_wider_total_is_shown_only_if_all_its_parts_are():
    """Else the hidden month is the quarter less the other two: months add up."""
    loud = ((6, 900), (7, 900), (8, 900), (9, 900))
    quiet = ((1, 900), (1, 900), (0, 900), (0, 900))
    three = [
        cell
        for month, counts in enumerate((loud, quiet, loud))
        for cell in cells(*counts, start=JANUARY + month)
        if cell.interval is MONTHLY
    ]
    quarter = [
        cell
        for cell in cells((13, 2700), (15, 2700), (16, 2700), (18, 2700))
        if cell.interval is Interval.QUARTER
    ]

    found = released(three + quarter, months=3)

    assert told(found[None, MONTHLY, 1]) is Withheld.SUPPRESSED
    assert told(found[None, Interval.QUARTER, 0]) is Withheld.SUPPRESSED


def test_a_clinic_hidden_in_the_quarter_hides_in_company_there_too():
    """The network's three months are told, so its quarter is, whatever is hidden."""
    month = ((6, 900), (7, 900), (8, 900), (9, 900), (1, 900))
    true = [
        cell
        for number in range(3)
        for cell in cells(*month, start=JANUARY + number)
        if cell.interval is MONTHLY
    ]
    true += [
        cell
        for cell in cells((18, 2700), (21, 2700), (24, 2700), (27, 2700), (3, 2700))
        if cell.interval is Interval.QUARTER
    ]

    found = released(
        true,
        months=3,
        _1=Interval.QUARTER,
        _2=Interval.QUARTER,
        _3=Interval.QUARTER,
        _4=Interval.QUARTER,
        _5=Interval.QUARTER,
    )

    quarter = {c: told(found[c, Interval.QUARTER, 0]) for c in (None, 1, 2, 3, 4, 5)}
    assert quarter == {
        None: (93, 13500),
        1: Withheld.SUPPRESSED,
        2: Withheld.SUPPRESSED,
        3: (24, 2700),
        4: (27, 2700),
        5: Withheld.SUPPRESSED,
    }


def test_a_quarter_that_lies_in_one_month_is_not_taken_from_that_month():
    """Of March's 120 days, clinic 3's 50 and its own 20 leave clinic 1 the 50 of 2."""
    march = cells((0, 20), (0, 50), (0, 50), start=JANUARY + 2)
    february = cells((0, 20), start=JANUARY + 1)
    months = [cell for cell in february + march if cell.interval is MONTHLY]
    quarter = [
        cell
        for cell in cells((0, 40), (0, 50), (0, 50))
        if cell.interval is Interval.QUARTER
    ]

    found = released(months + quarter, months=3, _1=None, _2=None, _3=Interval.QUARTER)

    assert told(found[None, MONTHLY, 2]) == (0, 120)
    assert told(found[3, Interval.QUARTER, 0]) is Withheld.SUPPRESSED


def test_quarters_of_all_clinics_do_not_make_up_for_a_hidden_month():
    """Quarters of 18, 21 and 16, less 42 in two months, are February's 13."""
    loud = ((6, 900), (7, 900), (8, 900))
    quiet = ((6, 900), (7, 900), (0, 900))
    months = [
        cell
        for number, counts in enumerate((loud, quiet, loud))
        for cell in cells(*counts, start=JANUARY + number)
        if cell.interval is MONTHLY
    ]
    quarter = [
        cell
        for cell in cells((18, 2700), (21, 2700), (16, 2700))
        if cell.interval is Interval.QUARTER
    ]
    by_quarter = dict.fromkeys(("_1", "_2", "_3"), Interval.QUARTER)
    hidden = AudienceRules(k=8, min_clinics=3, clinics=ClinicsShown.NAMED)

    found = released(months + quarter, months=3, rules=hidden, **by_quarter)

    assert told(found[None, MONTHLY, 0]) == (21, 2700)
    assert told(found[None, MONTHLY, 1]) is Withheld.SUPPRESSED
    shown = [
        found[clinic, Interval.QUARTER, 0].withheld is None for clinic in (1, 2, 3)
    ]
    assert not all(shown)


def test_what_members_do_not_see_the_public_does_not_see():
    """Reading both says no more than reading one; and zero is told to either."""
    true = cells((20, 900), (19, 800), (18, 700), (17, 800))
    hidden = list(released(true, _0=None).values())

    found = released(true, rules=PUBLIC, within=hidden)

    assert in_january(found) == {None: Withheld.SUPPRESSED}
    assert in_january(released(true, rules=PUBLIC))[None] == (74, 3200)


def test_an_interval_is_published_once():
    """A late correction does not tell by its difference what one clinic added."""
    first = list(released(cells((5, 900), (6, 50), (9, 700), (6, 800))).values())

    found = released(cells((6, 900), (6, 50), (9, 700), (6, 800)), earlier=first)

    assert told(found[1, MONTHLY, 0]) == (5, 900)


def history(*monthly: tuple[int, int]) -> list[Cell]:
    """Return two years in which each clinic counts the same every month."""
    return [
        Cell(
            clinic_id=clinic,
            interval=interval,
            interval_start=start,
            population=exposure * interval.months,
            scored=exposure * interval.months,
            denominator=exposure * interval.months,
            numerator=events * interval.months,
        )
        for interval in Interval
        for start in range(JANUARY, JANUARY + 24, interval.months)
        for clinic, (events, exposure) in enumerate(monthly, 1)
    ]


def test_widths_follow_from_exposure_and_the_network_s_rate():
    """
    At 1 event in 100 units and k = 5 a month needs 1,000 units, a quarter 334.

    The network without its largest clinic has 1,600 a month. Clinic 4, of 100, would
    need ten months, so it is published by the year.
    """
    found = summary_intervals(
        history((20, 2000), (10, 1000), (5, 500), (1, 100)),
        k=5,
        closed_before=JANUARY + 24,
        earlier={},
    )

    assert found == {
        NETWORK_WIDTH: Interval.MONTH,
        1: Interval.MONTH,
        2: Interval.MONTH,
        3: Interval.QUARTER,
        4: Interval.YEAR,
    }


def test_no_clinic_is_published_by_a_finer_interval_than_the_network():
    """The largest clinic of all would be seen where the network's rest is too few."""
    found = summary_intervals(
        history((20, 2000), (1, 100), (1, 100), (1, 100)),
        k=5,
        closed_before=JANUARY + 24,
        earlier={},
    )

    assert found[NETWORK_WIDTH] is Interval.YEAR
    assert found[1] is Interval.YEAR


def test_a_record_of_a_release_tells_small_cells_by_this_rule():
    """None in 600 units is not small here; 4 are."""
    shown = next(iter(released(cells((4, 600))).values()))
    for events, small in ((0, False), (4, True), (5, False)):
        (true,) = (c for c in cells((events, 600)) if c.interval is MONTHLY)
        cell = ReleasedCell(
            clinic_id=1,
            interval=MONTHLY,
            interval_start=JANUARY,
            population=None,
            scored=None,
            denominator=None,
            numerator=None,
            withheld=Withheld.SUPPRESSED,
        )
        assert is_small_summary(cell, [true], MEMBERS, groups=RATE) is small
    assert shown.withheld is Withheld.SUPPRESSED


@pytest.mark.parametrize(("until", "provisional"), [(2, True), (1, False)])
def test_a_clinic_sees_its_own_gaps_and_what_may_still_change(
    until: int, *, provisional: bool
):
    """Nothing sent is no data, and no zero."""
    own = [
        SummaryCell(
            clinic_id=1,
            interval=MONTHLY,
            interval_start=JANUARY,
            events=0,
            exposure=10,
            exact=(0, 10_000),
        ),
        SummaryCell(
            clinic_id=1,
            interval=MONTHLY,
            interval_start=JANUARY + 2,
            missing=Withheld.EVENTS_MISSING,
        ),
    ]

    found = own_summary_cells(
        own, until=JANUARY + 3, closed_before=JANUARY + (0 if provisional else until)
    )

    assert [told(cell) for cell in found] == [
        (0, 10),
        Withheld.NO_DATA,
        Withheld.EVENTS_MISSING,
    ]
    assert found[0].provisional is provisional

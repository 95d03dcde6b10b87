"""Definitions by summaries, and what is made of the numbers, by hand."""

from decimal import Decimal

import pytest

from app.domain.counts import Amount, Dated, Interval, SummaryCell, Withheld
from app.domain.records import PartialDate, Precision, Quantity, Summary, SummaryReport
from app.domain.terminology import NETWORK, Coding
from app.measures.definitions import MeasureDefinitionError
from app.measures.facts import CanonicalUnit
from app.measures.gaps import Unknown, days_between, opportunities_between
from app.measures.libraries import parse_measures
from app.measures.summaries import (
    Counted,
    Role,
    counted_concepts,
    months,
    summary_facts,
    widened,
)
from app.measures.summary_checks import summary_units

RATE = """
id: falls
version: 1.0.0
title: Falls
description: Falls per 1,000 patient days.
basis: summaries
scoring: {scoring}
improvement_notation: decrease
value_sets:
  falls: [network|fall]
  patient-days: [network|patient-day]
  families: [icd-10-cm|W0*]
summary: {summary}
sources: [A made-up one]
"""
USUAL = "{events: falls, exposure: patient-days, unit: d, per: 1000}"


def measure(summary: str = USUAL, *, scoring: str = "ratio"):
    """Return the one measure of a definition."""
    text = RATE.replace("{scoring}", scoring).replace("{summary}", summary)
    (found,) = parse_measures(text, origin="falls.yaml", shared={})
    return found


@pytest.mark.parametrize(
    ("summary", "scoring", "problem"),
    [
        (
            "{events: trips, exposure: patient-days}",
            "ratio",
            "unknown value set `trips`",
        ),
        ("{events: falls}", "ratio", "say what events are counted against: exposure"),
        (
            "{events: falls, exposure: patient-days, between: days}",
            "ratio",
            "days between events need no exposure",
        ),
        (
            "{events: falls, exposure: patient-days, per: 100}",
            "proportion",
            "a proportion has no `between` and no `per`",
        ),
        (
            "{events: falls, between: days, per: 100}",
            "ratio",
            "`per` has no meaning between events",
        ),
        ("{events: falls, exposure: falls}", "ratio", "is an event and an exposure"),
        (
            "{events: families, exposure: patient-days}",
            "ratio",
            "list the codes of summaries one by one",
        ),
        (
            "{events: falls, exposure: patient-days, unit: beds}",
            "ratio",
            "`beds` is no UCUM unit",
        ),
        (USUAL, "continuous-variable", "say ratio or proportion"),
    ],
)
def test_a_definition_by_summaries_is_refused_with_what_to_do(
    summary: str, scoring: str, problem: str
):
    """Each fault names its place and says what to do about it."""
    with pytest.raises(MeasureDefinitionError) as refusal:
        measure(summary, scoring=scoring)

    assert problem in str(refusal.value)


def test_two_definitions_may_not_want_one_code_in_two_units():
    """The same number would be two: nothing says which is meant."""
    by_hour = measure(USUAL.replace("unit: d", "unit: h"))

    with pytest.raises(MeasureDefinitionError, match="make them the same"):
        summary_units([measure(), by_hour])


FALL, DAYS = Coding(NETWORK, "fall"), Coding(NETWORK, "patient-day")
UNITS = {FALL: CanonicalUnit(unit="1"), DAYS: CanonicalUnit(unit="d")}
JUNE = PartialDate(19875, Precision.MONTH)
"""The first day of June 2024."""


@pytest.mark.parametrize(
    ("quantity", "thousandths"),
    [
        (None, 1000),
        (Quantity("30"), 30_000),
        (Quantity("30.25", "d"), 30_250),
        (Quantity("2", "wk"), 14_000),
        (Quantity("36", "h"), 1500),
        (Quantity("3", "kg"), None),
        (Quantity("0"), 0),
    ],
)
def test_numbers_are_kept_in_thousandths_of_the_definition_s_unit(
    quantity: Quantity | None, thousandths: int | None
):
    """A bare number is in that unit; one that does not convert is nothing at all."""
    sent = Summary(
        status="final", code=(DAYS,), effective=JUNE, quantity=quantity, ward="W"
    )

    found = summary_facts(sent, UNITS)

    assert [fact.value for fact in found] == (
        [] if thousandths is None else [thousandths]
    )
    assert all(fact.day is None for fact in found)


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "registered"])
def test_what_is_not_final_does_not_count(status: str):
    """As for any Observation; nor does a report that is pending."""
    sent = Summary(status=status, code=(FALL,), effective=JUNE, ward="W")
    pending = SummaryReport(
        status="pending", measure="falls", month=1, numerator=1, denominator=2
    )

    assert summary_facts(sent, UNITS) == ()
    assert summary_facts(pending, UNITS) == ()


EVENTS, EXPOSURE = 1, 2
COUNTED = {
    EVENTS: Counted(Role.EVENTS, is_reported=False),
    EXPOSURE: Counted(Role.EXPOSURE, is_reported=False),
}


def test_sums_are_exact_before_they_are_whole():
    """Three times 0.3 and 0.1 line days are 1: rounded each, they would be 0."""
    amounts = [Amount(1, 5, ward, EXPOSURE, 300) for ward in "abc"]
    amounts += [Amount(1, 5, "d", EXPOSURE, 100), Amount(1, 5, "d", EVENTS, 2000)]

    (cell,) = months(measure(), amounts, COUNTED)

    assert (cell.events, cell.exposure, cell.missing) == (2, 1, None)
    assert sum(Decimal(a.value) for a in amounts if a.concept_id == EXPOSURE) == 1000


def test_no_events_are_zero_only_where_the_definition_says_so():
    """Nobody knows, else, whether none happened or none was told."""
    amounts = [Amount(1, 5, "a", EXPOSURE, 9000)]
    told = USUAL.replace("per: 1000", "per: 1000, no_events_means_zero: true")

    (null,) = months(measure(), amounts, COUNTED)
    (zero,) = months(measure(told), amounts, COUNTED)

    assert null.missing is Withheld.EVENTS_MISSING
    assert (zero.events, zero.exposure, zero.missing) == (0, 9, None)


def test_a_part_larger_than_its_whole_lacks_exposure():
    """5 of 4 births is no proportion; as a rate 5 falls in 4 days are one."""
    amounts = [Amount(1, 5, "a", EVENTS, 5000), Amount(1, 5, "a", EXPOSURE, 4000)]
    share = measure("{events: falls, exposure: patient-days}", scoring="proportion")

    (of_people,) = months(share, amounts, COUNTED)
    (rate,) = months(measure(), amounts, COUNTED)

    assert of_people.missing is Withheld.EXPOSURE_MISSING
    assert (rate.events, rate.exposure) == (5, 4)


def test_an_interval_without_a_whole_month_says_what_its_first_lacks():
    """Events of May and exposure of June make no rate of the quarter."""
    sent = [
        SummaryCell(
            clinic_id=1, interval=Interval.MONTH, interval_start=start, missing=missing
        )
        for start, missing in (
            (12, Withheld.EXPOSURE_MISSING),
            (13, Withheld.EVENTS_MISSING),
        )
    ]

    (quarter,) = widened(sent, Interval.QUARTER)

    assert quarter.missing is Withheld.EXPOSURE_MISSING
    assert (quarter.interval, quarter.interval_start) == (Interval.QUARTER, 12)


def test_a_measure_s_concepts_are_those_of_its_sets_and_of_its_reports():
    """A report of another measure says nothing of this one."""
    concepts = {
        FALL: 1,
        DAYS: 2,
        Coding("urn:catchment:reported-numerator", "falls"): 3,
        Coding("urn:catchment:reported-denominator", "falls"): 4,
        Coding("urn:catchment:reported-numerator", "trips"): 5,
    }

    assert counted_concepts(measure(), concepts) == {
        1: Counted(Role.EVENTS, is_reported=False),
        2: Counted(Role.EXPOSURE, is_reported=False),
        3: Counted(Role.EVENTS, is_reported=True),
        4: Counted(Role.EXPOSURE, is_reported=True),
    }


def event(day: int | None, *, month: int = 0, number: int = 1) -> Dated:
    return Dated(month=month, concept_id=EVENTS, day=day, value=1000 * number)


def exposed(day: int | None, number: int, *, month: int = 0) -> Dated:
    return Dated(month=month, concept_id=EXPOSURE, day=day, value=1000 * number)


def test_a_number_of_events_on_one_day_is_so_many_points():
    """Three on day 4 after one on day 1: 3, 0 and 0 days."""
    gaps = days_between([event(4, number=3), event(1)])

    assert [(gap.since, gap.day, gap.value) for gap in gaps] == [
        (1, 4, 3),
        (4, 4, 0),
        (4, 4, 0),
    ]


def test_no_event_at_all_hides_nothing():
    """That June had 0 events, without a day, is no event without a day."""
    none = event(None, month=1, number=0)

    assert [
        gap.value for gap in days_between([event(1), none, event(40, month=2)])
    ] == [39]


def test_nothing_lies_between_two_events_of_one_day():
    """Whatever else of the month has no day: 0 is 0, and the gap after it is null."""
    gaps = days_between([event(4, number=2), event(None), event(6)])

    assert [(gap.value, gap.unknown) for gap in gaps] == [
        (0, None),
        (None, Unknown.EVENT_WITHOUT_DAY),
    ]


def test_opportunities_are_those_after_one_event_up_to_the_next():
    """Births on days 1 to 4, events on 1 and 4: those of days 2 to 4 lie between."""
    births = [exposed(day, 10 * day) for day in (1, 2, 3, 4)]

    gaps = opportunities_between([event(1), event(4, number=2)], births)

    assert [gap.value for gap in gaps] == [90, 0]


def test_a_gap_of_which_no_opportunity_was_sent_is_not_zero():
    """Births were sent of day 2, 0 of them of day 5, and of days 6 to 9 nothing."""
    births = [exposed(2, 8), exposed(5, 0)]

    gaps = opportunities_between(
        [event(1), event(4), event(5), event(9, number=2)], births
    )

    assert [(gap.value, gap.unknown) for gap in gaps] == [
        (8, None),
        (0, None),
        (None, Unknown.EXPOSURE_MISSING),
        (0, None),
    ]


def test_opportunities_by_the_month_do_not_tell_a_gap():
    """300 births of June lie somewhere around the events of it; July's are told."""
    births = [exposed(None, 300), exposed(33, 8, month=1)]
    events = [event(1), event(4), event(32, month=1), event(35, month=1)]

    gaps = opportunities_between(events, births)

    assert [(gap.value, gap.unknown) for gap in gaps] == [
        (None, Unknown.EXPOSURE_WITHOUT_DAY),
        (None, Unknown.EXPOSURE_WITHOUT_DAY),
        (8, None),
    ]

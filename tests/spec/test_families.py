"""Measures that contain one another, side by side: worked by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.families import Member, family_intervals, release_family
from app.disclosure.lines import is_hidden_safely
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld
from tests.released import OUTCOMES

JANUARY = 12 * 2024
MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)
CLINICS = range(1, 7)

Counts = tuple[int, int, int]
"""Population, denominator, numerator."""
LOW: Counts = (90, 80, 60)
INACTIVE: Counts = (90, 80, 40)


def cells(counts: Sequence[Counts], **changed: Any) -> list[Cell]:
    """Return one interval of clinics 1, 2, 3 and so on."""
    place: dict[str, Any] = {"interval": Interval.MONTH, "interval_start": JANUARY}
    return [
        Cell(
            clinic_id=clinic,
            population=population,
            scored=denominator,
            denominator=denominator,
            numerator=numerator,
            **(place | changed),
        )
        for clinic, (population, denominator, numerator) in enumerate(counts, 1)
    ]


def member(own: Sequence[Cell], **changed: Any) -> Member:
    arguments: dict[str, Any] = {
        "cells": own,
        "active": {cell.clinic_id for cell in own},
        "basis": Basis.VISITS,
        "judgement": OUTCOMES,
        "blocks": {},
        "chosen": {},
        "earlier": (),
        "narrower": None,
    }
    return Member(**(arguments | changed))


def part_of(wider: str, own: Sequence[Cell], **changed: Any) -> Member:
    return member(own, subset_of=frozenset({wider}), **changed)


def release(
    family: Mapping[str, Member],
    *,
    rules: AudienceRules = MEMBERS,
    width: Interval = Interval.MONTH,
) -> dict[str, list[ReleasedCell]]:
    """Return what is told of one interval, by which each clinic is published."""
    return release_family(
        family,
        intervals=dict.fromkeys(family, dict.fromkeys(CLINICS, width)),
        rules=rules,
        closed_before=JANUARY + width.months,
    )


def hidden(made: Sequence[ReleasedCell]) -> set[int | None]:
    return {cell.clinic_id for cell in made if cell.withheld is not None}


def test_few_between_two_measures_hide_the_narrower():
    """
    58 of clinic 1's 60 in low activity are inactive: 60 - 58 would tell of two.

    Low activity stays. With clinics 2 and 3 hidden beside it, clinic 2 could take its
    own 20 between the two out of 42 and ask about clinic 3: at most two of the other 22
    are clinic 1's. So a fourth is hidden.
    """
    inactive = [(90, 80, 58), *[INACTIVE] * 5]

    made = release(
        {"low": member(cells([LOW] * 6)), "inactive": part_of("low", cells(inactive))}
    )

    assert hidden(made["low"]) == set()
    assert hidden(made["inactive"]) == {1, 2, 3, 4}


def test_a_month_in_which_a_clinic_saw_nobody_is_one_of_a_family_too():
    """No cell of either measure: nobody is in it, and nobody between."""
    family = {
        "low": member([*cells([LOW] * 6), *later(cells([LOW] * 5))]),
        "inactive": part_of(
            "low", [*cells([INACTIVE] * 6), *later(cells([INACTIVE] * 5))]
        ),
    }

    made = release_family(
        family,
        intervals=dict.fromkeys(family, dict.fromkeys(CLINICS, Interval.MONTH)),
        rules=MEMBERS,
        closed_before=JANUARY + 2,
    )

    assert {cell.clinic_id for cell in made["low"]} == {None, *CLINICS}


def later(own: Sequence[Cell]) -> list[Cell]:
    """Return the same of the next month."""
    return [
        msgspec.structs.replace(cell, interval_start=cell.interval_start + 1)
        for cell in own
    ]


def test_as_many_who_meet_both_hide_the_narrower_too():
    """60 and 60: the difference is nobody, which tells of all in low activity."""
    inactive = [LOW, *[INACTIVE] * 5]

    made = release(
        {"low": member(cells([LOW] * 6)), "inactive": part_of("low", cells(inactive))}
    )

    assert 1 in hidden(made["inactive"])


def test_the_narrower_is_not_shown_where_the_wider_is_not():
    """Three of clinic 1 are not in low activity; 40 would bound the hidden 77."""
    low = [(90, 80, 77), *[LOW] * 5]

    made = release(
        {"low": member(cells(low)), "inactive": part_of("low", cells([INACTIVE] * 6))}
    )

    assert 1 in hidden(made["low"])
    assert hidden(made["low"]) <= hidden(made["inactive"])


def test_totals_of_two_measures_are_far_apart_without_any_clinic():
    """Of 12 between the totals clinic 1 has 10: it would know of the other two."""
    low = [(90, 80, 50), *[(90, 80, 41)] * 2, *[(90, 80, 40)] * 3]
    inactive = [(90, 80, 40)] * 6

    made = release(
        {"low": member(cells(low)), "inactive": part_of("low", cells(inactive))}
    )

    assert None not in hidden(made["low"])
    assert None in hidden(made["inactive"])


@pytest.mark.parametrize(("scored", "is_shown"), [(80, True), (78, False), (70, True)])
def test_few_in_one_denominator_alone_hide_the_narrower(scored: int, *, is_shown: bool):
    """All 80 of the wider count, or 70 of them; but 78 would tell of two unscored."""
    others = [(90, 70, 40)] * 5 if scored < 80 else [INACTIVE] * 5
    inactive = [(90, scored, 40), *others]

    made = release(
        {"low": member(cells([LOW] * 6)), "inactive": part_of("low", cells(inactive))}
    )

    assert (1 not in hidden(made["inactive"])) is is_shown


@pytest.mark.parametrize(
    ("cross", "is_safe"), [((20, 20, 20), True), ((20, 20, 3), False)]
)
def test_what_is_capped_hides_without_the_one_asked_about(
    cross: tuple[int, int, int], *, is_safe: bool
):
    """
    Three clinics' people in inactive disease, at k = 5.

    Clinic 1 takes its own out and asks about clinic 2: of 23 at most 3 are clinic 3's,
    if that is all it has in low activity, so that 20 must be clinic 2's. Without caps
    the 23 could be anybody's.
    """
    parts = [{clinic: (people,)} for clinic, people in enumerate(cross)]

    assert is_hidden_safely(parts, k=5, is_capped=False)
    assert is_hidden_safely(parts, k=5, is_capped=True) is is_safe


def test_a_sum_is_shown_with_all_of_its_parts_or_without_any():
    """Three people of clinic 1 are in the first part; the sum less the second is 3."""
    first = [(90, 80, 3), *[(90, 80, 20)] * 5]
    second = [(90, 80, 30)] * 6
    whole = [(90, 80, 33), *[(90, 80, 50)] * 5]

    made = release(
        {
            "first": member(cells(first)),
            "second": member(cells(second)),
            "whole": member(cells(whole), parts=frozenset({"first", "second"})),
        }
    )

    assert hidden(made["whole"]) == set()
    assert 1 in hidden(made["second"])
    assert hidden(made["first"]) == hidden(made["second"])


def test_strata_are_bound_where_both_measures_have_the_stratifier():
    """
    Girls are stratum 1 of one measure and stratum 3 of the other.

    14 of a clinic's 16 girls in low activity are inactive, twelve between them in all.
    Of boys nobody is between, so they are hidden, and girls beside them. Ages are told:
    the wider measure has none.
    """

    def quarter(numerator: int, stratum: int) -> list[Cell]:
        counts = (45, 40, numerator) if stratum else (90, 80, numerator)
        return cells([counts] * 6, interval=Interval.QUARTER, stratum=stratum)

    low = [
        *quarter(40, 0),
        *quarter(16, 3),
        *quarter(24, 4),
    ]
    inactive = [
        *quarter(38, 0),
        *quarter(14, 1),
        *quarter(24, 2),
        *quarter(20, 3),
        *quarter(18, 4),
    ]
    made = release(
        {
            "low": member(low, blocks={"sex": range(3, 5)}),
            "inactive": part_of(
                "low",
                inactive,
                blocks={"sex": range(1, 3), "age": range(3, 5)},
            ),
        },
        width=Interval.QUARTER,
    )

    shown = {
        cell.stratum
        for cell in made["inactive"]
        if cell.clinic_id is None and cell.withheld is None
    }
    assert shown == {0, 3, 4}


def test_the_order_of_definitions_does_not_matter():
    """The wider measure comes first, wherever it stands in the library."""
    family = {
        "b-low": member(cells([(90, 80, 77), *[LOW] * 5])),
        "a-inactive": part_of("b-low", cells([INACTIVE] * 6)),
        "c-sustained": part_of("a-inactive", cells([(90, 80, 20)] * 6)),
    }

    assert release(family) == release(dict(reversed(family.items())))
    assert 1 in hidden(release(family)["c-sustained"])


def test_what_was_published_before_its_relation_stays():
    """The 58 stand beside a low activity that is yet to be shown: which then is not."""
    inactive = cells([(90, 80, 58), *[INACTIVE] * 5])
    before = release({"inactive": member(inactive)})["inactive"]

    made = release(
        {
            "low": member(cells([LOW] * 6)),
            "inactive": part_of("low", inactive, earlier=before),
        }
    )

    assert made["inactive"] == before
    assert 1 in hidden(made["low"])


def test_late_records_are_judged_by_what_was_published():
    """60 of clinic 1 were published, and are 66 now: 66 - 58 is many, 60 - 58 not."""
    low = release({"low": member(cells([LOW] * 6))})["low"]
    late = cells([(96, 86, 66), *[LOW] * 5])
    inactive = cells([(90, 80, 58), *[INACTIVE] * 5])

    made = release(
        {"low": member(late, earlier=low), "inactive": part_of("low", inactive)}
    )

    assert made["low"] == low
    assert 1 in hidden(made["inactive"])


def test_a_narrower_audience_binds_each_member():
    """What members do not see of the narrower measure, nobody else does."""
    public = msgspec.structs.replace(MEMBERS, clinics=ClinicsShown.NONE)
    blank = [
        each.blank(Withheld.SUPPRESSED)
        for each in release({"inactive": member(cells([INACTIVE] * 6))})["inactive"]
    ]

    made = release(
        {
            "low": member(cells([LOW] * 6)),
            "inactive": part_of("low", cells([INACTIVE] * 6), narrower=blank),
        },
        rules=public,
    )

    assert hidden(made["low"]) == set()
    assert hidden(made["inactive"]) == {None}


def year(
    sizes: Mapping[Interval, int], *, passing: float, clinics: Sequence[int] = CLINICS
) -> list[Cell]:
    """Return a year at every width in which a share of so many people pass."""
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
        for clinic in clinics
        for interval, size in sizes.items()
        for start in range(JANUARY, JANUARY + 12, interval.months)
    ]


VISITS = {Interval.MONTH: 30, Interval.QUARTER: 90, Interval.YEAR: 360}


def widths(family: Mapping[str, Member]) -> dict[str, set[Interval | None]]:
    found = family_intervals(family, k=5, closed_before=JANUARY + 12)
    return {name: set(intervals.values()) for name, intervals in found.items()}


def test_a_family_publishes_a_clinic_by_its_coarsest_interval():
    """
    Of 30 a month 15 are in low activity: the month will do, since 10 are asked for.

    But 6 are inactive, and by the quarter 18: so both are published by the quarter. A
    month of one would tell of a hidden month of the other.
    """
    low, inactive = year(VISITS, passing=0.5), year(VISITS, passing=0.2)

    assert widths({"low": member(low)}) == {"low": {Interval.MONTH}}
    assert widths({"low": member(low), "inactive": part_of("low", inactive)}) == {
        "low": {Interval.QUARTER},
        "inactive": {Interval.QUARTER},
    }


def test_none_is_the_coarsest_interval():
    """Four of 360 a year are sustained: no clinic is shown by itself."""
    low, sustained = year(VISITS, passing=0.5), year(VISITS, passing=0.01)

    found = widths({"low": member(low), "sustained": part_of("low", sustained)})

    assert found == {"low": {None}, "sustained": {None}}


def test_few_between_two_measures_leave_the_narrower_without_an_interval():
    """
    Of 90 a month 45 are in low activity and 40 inactive: 5 are between, and 10 asked.

    The month suits each by itself. But clinics would be seen inactive where chance
    puts more between; so nobody is, and of low activity each is seen as before.
    """
    busy = {Interval.MONTH: 90, Interval.QUARTER: 270, Interval.YEAR: 1080}
    low, inactive = year(busy, passing=0.5), year(busy, passing=4 / 9)
    fewer = year(busy, passing=3.5 / 9)

    found = widths({"low": member(low), "inactive": part_of("low", inactive)})
    apart = widths({"low": member(low), "inactive": part_of("low", fewer)})

    assert found == {"low": {Interval.MONTH}, "inactive": {None}}
    assert apart == {"low": {Interval.MONTH}, "inactive": {Interval.MONTH}}


def test_what_is_part_of_an_unpublished_measure_is_not_published():
    """Its number would bound the hidden one from below."""
    busy = {Interval.MONTH: 90, Interval.QUARTER: 270, Interval.YEAR: 1080}
    low, inactive = year(busy, passing=0.5), year(busy, passing=4 / 9)
    sustained = part_of("inactive", year(busy, passing=2 / 9))

    found = widths(
        {
            "low": member(low),
            "inactive": part_of("low", inactive),
            "sustained": sustained,
        }
    )

    assert (found["inactive"], found["sustained"]) == ({None}, {None})


def test_an_interval_of_a_family_stays_once_it_is_chosen():
    """Low activity was published by the month before anybody counted the inactive."""
    low = member(year(VISITS, passing=0.5), chosen={1: Interval.MONTH, 2: None})
    inactive = part_of("low", year(VISITS, passing=0.2))

    found = family_intervals(
        {"low": low, "inactive": inactive}, k=5, closed_before=JANUARY + 12
    )

    assert (found["low"][1], found["inactive"][1]) == (Interval.MONTH, Interval.QUARTER)
    assert (found["low"][2], found["inactive"][2]) == (Interval.QUARTER,) * 2

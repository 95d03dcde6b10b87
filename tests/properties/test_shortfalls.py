"""What is counted from months or years is what whole days would have given."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.calendar import (
    day_number,
    first_day,
    month_number,
    month_of_day,
)
from app.domain.counts import Basis
from app.domain.keeping import Keeping, cut, cut_month
from app.domain.records import Condition, PartialDate, Precision
from app.domain.terminology import ACT_CODE, Coding
from app.measures.compilation import compile_measure
from app.measures.definitions import (
    Index,
    Measure,
    Predicate,
    Sex,
    Window,
    coding_of,
)
from app.measures.facts import condition_facts
from app.measures.shortfalls import first_month, shortfalls
from tests.reference import counting
from tests.reference.counting import World, expected_states
from tests.reference.databases import sqlite_database, states
from tests.reference.histories import MONTHS, worlds
from tests.reference.library import LIBRARY

DATABASE = sqlite_database()
OF_MONTHS = Keeping(dates=Precision.MONTH)
OF_YEARS = Keeping(dates=Precision.YEAR, oldest_birth_year=1958)
"""Old enough for someone who is 65 in 2023 to be in the group of the oldest."""
UVEITIS = LIBRARY["jia-uveitis-screening"]
JIA = "juvenile-idiopathic-arthritis"


def changed(measure: Measure = UVEITIS, **fields: Any) -> Measure:
    return msgspec.structs.replace(measure, **fields)


def within(**ends: int) -> dict[str, Any]:
    """Return the fields of a measure whose events have a window in months."""
    return {
        "basis": Basis.INDEX_EVENTS,
        "look_back_months": None,
        "window": Window(from_months=0, **ends),
        "initial_population": Predicate(condition=JIA),
    }


ANSWERED = {
    "uveitis": UVEITIS,
    "weight": LIBRARY["child-weight-assessment"],
    "two-years": changed(
        look_back_months=24,
        initial_population=Predicate(
            all=(Predicate(condition=JIA), Predicate(seen_within_months=24))
        ),
        denominator_exclusion=Predicate(sex=Sex.MALE),
    ),
}
ANSWERED_BY_MONTH = ANSWERED | {
    "onset": changed(index=Index(condition=JIA), **within(to_months=5)),
    "first-visit": changed(
        index=Index(visit="yes", first_in_months=3), **within(to_months=2)
    ),
    "first-measured": changed(
        index=Index(measured="eye-examination"), **within(to_months=1)
    ),
    "month-visits": changed(
        basis=Basis.VISITS,
        look_back_months=None,
        initial_population=Predicate(condition=JIA),
        scorable=Predicate(condition=JIA),
        numerator=Predicate(condition="polyarticular-arthritis"),
    ),
}


def plausible(world: World) -> World:
    """
    Return *world* without what no fact is made of, or would be if it were not a fault.

    Conditions that end as they begin, and what is dated before birth.
    """
    born = {s.id: s.birth_month or 0 for s in world.subjects}
    return World(
        subjects=world.subjects,
        observations=tuple(
            o for o in world.observations if o.month >= born[o.subject_id]
        ),
        conditions=tuple(
            c
            for c in world.conditions
            if c.abatement_month is None or c.onset_month < c.abatement_month
        ),
        visits=tuple(v for v in world.visits if v.month >= born[v.subject_id]),
        concepts=world.concepts,
    )


def kept_of(world: World, keeping: Keeping) -> World:
    """Return the facts that are made of *world* where so much is kept."""
    dates = keeping.dates
    oldest = month_number(keeping.oldest_birth_year, 1)
    return World(
        subjects=tuple(
            s._replace(
                birth_month=None
                if s.birth_month is None
                else max(oldest, cut_month(s.birth_month, dates)),
                death_month=None
                if s.death_month is None
                else cut_month(s.death_month, dates),
            )
            for s in world.subjects
        ),
        observations=tuple(dated(o, dates) for o in world.observations),
        conditions=tuple(c for row in world.conditions for c in known(row, keeping)),
        visits=tuple(dated(v, dates) for v in world.visits),
        concepts=world.concepts,
    )


def dated(row: Any, dates: Precision) -> Any:
    """Return a row of the first day of its month or year."""
    day = cut(PartialDate(row.day, Precision.DAY), dates).day
    return row._replace(day=day, month=month_of_day(day))


def known(row: counting.Condition, keeping: Keeping) -> list[counting.Condition]:
    """Return the facts of a condition whose days were cut."""

    def end(month: int | None) -> PartialDate | None:
        if not month:
            return None
        day = day_number(first_day(month).replace(day=15))
        return cut(PartialDate(day, Precision.DAY), keeping.dates)

    stated = Condition(
        code=(Coding(ACT_CODE, "any"),),
        onset=end(row.onset_month),
        abatement=end(row.abatement_month),
    )
    return [
        row._replace(onset_month=f.onset_month, abatement_month=f.abatement_month)
        for f in condition_facts(stated, keeping)
    ]


def told(found: dict, keeping: Keeping, since: int) -> dict:
    """Return the states that are told: of years, those of December."""
    step = keeping.finest.months
    return {
        key: state
        for key, state in found.items()
        if key[-1] >= since and (key[-1] + 1) % step == 0
    }


def check_same(measure: Measure, world: World, keeping: Keeping):
    """Assert that what is kept gives the numbers that days give."""
    assert not shortfalls(measure, keeping)
    since = first_month(measure, keeping)
    whole = plausible(world)
    DATABASE.fill(kept_of(whole, keeping))

    events = DATABASE.events(compile_measure(measure, world.concepts))

    expected = told(expected_states(measure, whole, MONTHS), keeping, since)
    assert told(states(events, MONTHS), keeping, since) == expected


@pytest.mark.parametrize("measure", ANSWERED_BY_MONTH.values(), ids=ANSWERED_BY_MONTH)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_what_months_answer_they_answer_as_days_would(measure, data):
    """An expert's policy of months gives exact numbers, or none."""
    check_same(measure, data.draw(worlds(measure)), OF_MONTHS)


@pytest.mark.parametrize("measure", ANSWERED.values(), ids=ANSWERED)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_what_years_answer_they_answer_as_days_would_at_a_years_end(measure, data):
    """Safe Harbor's years give exact numbers of whole years, or none."""
    check_same(measure, data.draw(worlds(measure)), OF_YEARS)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_the_oldest_are_told_apart_from_the_year_on_in_which_all_reached_the_age(data):
    """Of those born in 1958 or before, all have been 65 from 2023 on; not in 2022."""
    weight = ANSWERED["weight"]
    stated = msgspec.to_builtins(weight.initial_population)
    stated["all"][0]["age"] = {"from": 18, "below": 65}
    aged = changed(weight, initial_population=msgspec.convert(stated, Predicate))

    assert first_month(aged, OF_YEARS) == month_number(2023, 1)
    check_same(aged, data.draw(worlds(aged)), OF_YEARS)


def test_two_values_of_one_month_have_no_order():
    """Why the latest value is refused: 8 % and then 10 % would count as 8 %."""
    measure = changed(
        LIBRARY["hba1c-poor-control"],
        initial_population=Predicate(condition="diabetes"),
    )
    hba1c, diabetes = (
        coding_of(measure.value_sets[name][0].rstrip("*"))
        for name in ("hba1c", "diabetes")
    )
    start = day_number(first_day(MONTHS[6]))
    rows = [
        counting.Observation(1, 1, start + day, n, 0, MONTHS[6], 1000 * value, None, 0)
        for n, (day, value) in enumerate([(2, 8), (20, 10)], 1)
    ]
    world = World(
        subjects=(counting.Subject(1),),
        observations=tuple(rows),
        conditions=(counting.Condition(1, 2, 9, MONTHS[0], None),),
        visits=(),
        concepts={hba1c: 1, diabetes: 2},
    )
    numerators = []
    for kept in (world, kept_of(world, OF_MONTHS)):
        DATABASE.fill(kept)
        events = DATABASE.events(compile_measure(measure, world.concepts))
        found = states(events, range(MONTHS[6], MONTHS[7])).values()
        numerators.append(sum(state[5] for state in found))

    assert numerators == [1, 0]
    assert shortfalls(measure, Keeping()) == ()
    assert shortfalls(measure, OF_MONTHS)

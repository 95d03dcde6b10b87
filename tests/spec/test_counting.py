"""What a definition counts, rule by rule; every number is worked by hand."""

from datetime import date

import pytest

from app.domain.calendar import day_number, month_number, month_of_day
from app.measures.compilation import compile_measure
from app.measures.definitions import Measure, coding_of
from app.measures.libraries import parse_measures
from tests.reference.counting import (
    Condition,
    Observation,
    State,
    Subject,
    Visit,
    World,
)
from tests.reference.databases import sqlite_database, states
from tests.reference.histories import concepts_of
from tests.reference.library import LIBRARY

CONCEPTS = {
    coding_of(code): number
    for number, code in enumerate(
        [
            "act-code|AMB",
            "act-code|IMP",
            "loinc|1-1",
            "loinc|1-2",
            "loinc|2-2",
            "icd-10-cm|A00",
            "icd-10-cm|B00",
        ],
        1,
    )
}
AMBULATORY, INPATIENT, X, ALSO_X, Y, A, B = range(1, 8)
NONE, POPULATION, DENOMINATOR, NUMERATOR = (
    (0, 0, 0, 0),
    (1, 0, 0, 0),
    (1, 1, 1, 0),
    (1, 1, 1, 1),
)
"""population, scored, denominator, numerator."""
DEFINITION = """
id: tried
version: 1.0.0
title: Tried
description: Tried
basis: {basis}
{look_back}
scoring: proportion
improvement_notation: increase
value_sets:
  qualifying-visit: [act-code|AMB]
  x-codes: [loinc|1-1, loinc|1-2]
  y-codes: [loinc|2-2]
  a: [icd-10-cm|A00]
  b: [icd-10-cm|B00]
observables:
  x: {{codes: x-codes, unit: "1", tie: {tie}}}
  y: {{codes: y-codes, unit: "1", tie: highest}}
  z: {{codes: x-codes, unit: "1", tie: highest}}
composites:
  yz: {{components: {{y: {{cap: 10}}, z: {{}}}}}}
initial_population: {initial_population}
scorable: {{measured: {measured}}}
denominator: {denominator}
numerator: {numerator}
sources: [tried]
examples: [{{title: none, expect: {{"2024": none}}}}]
"""


def tried(
    numerator: str,
    *,
    measured: str = "x",
    basis: str = "latest-status",
    tie: str = "highest",
    denominator: str = "scorable",
    initial_population: str = "{not: {sex: other}}",
) -> Measure:
    """Return a definition of which only what matters is said."""
    look_back = "look_back_months: 12" if basis == "latest-status" else ""
    text = DEFINITION.format(
        basis=basis,
        look_back=look_back,
        numerator=numerator,
        measured=measured,
        tie=tie,
        denominator=denominator,
        initial_population=initial_population,
    )
    (measure,) = parse_measures(text, origin="tried", shared={})
    return measure


def found(
    concept: int, day: str, value: float, *, record: int, encounter: int = 0
) -> Observation:
    """Return a fact; *value* in units, not in thousandths."""
    on = day_number(date.fromisoformat(day))
    when = (on, record, 0, month_of_day(on))
    return Observation(1, concept, *when, int(value * 1000), None, encounter)


def visit(day: str, *, record: int, of_class: int = AMBULATORY) -> Visit:
    """Return a visit of the subject."""
    on = day_number(date.fromisoformat(day))
    return Visit(1, on, record, month_of_day(on), of_class)


def state(
    measure: Measure,
    interval: str,
    *rows: Observation | Visit | Condition,
    grain: int = 1,
    subject: Subject | None = None,
) -> State:
    """Return in which populations the subject is, in the interval of a month."""
    world = World(
        subjects=(subject or Subject(1),),
        observations=tuple(row for row in rows if isinstance(row, Observation)),
        visits=tuple(row for row in rows if isinstance(row, Visit)),
        conditions=tuple(row for row in rows if isinstance(row, Condition)),
        concepts=CONCEPTS,
    )
    database = sqlite_database()
    database.fill(world)
    year, month = map(int, interval.split("-"))
    months = range(month_number(year, month), month_number(year, month) + 1)
    events = database.events(compile_measure(measure, CONCEPTS))
    for (_, of_grain, *_), counts in states(events, months).items():
        if of_grain == grain:
            return counts[0], *counts[3:6]
    return NONE


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("at_most: 4.5", NUMERATOR),
        ("below: 4.5", DENOMINATOR),
        ("above: 4.499", NUMERATOR),
    ],
)
def test_the_mean_of_a_day_is_exact(comparison, expected):
    """4 and 5 are 4.5 on average, and no division rounds it."""
    measure = tried(f"{{value: {{of: x, {comparison}}}}}", tie="mean")
    rows = found(X, "2024-01-10", 4, record=1), found(X, "2024-01-10", 5, record=2)

    assert state(measure, "2024-01", *rows) == expected


def test_a_record_under_two_codes_counts_once_in_a_mean():
    """4 (sent under two codes) and 7 are 5.5 on average, not 5."""
    measure = tried("{value: {of: x, exactly: 5.5}}", tie="mean")
    rows = (
        found(X, "2024-01-10", 4, record=1),
        found(ALSO_X, "2024-01-10", 4, record=1),
        found(X, "2024-01-10", 7, record=2),
    )

    assert state(measure, "2024-01", *rows) == NUMERATOR


def test_two_records_of_one_value_count_twice_in_a_mean():
    """4, 4 and 7 are 5 on average, not 5.5."""
    measure = tried("{value: {of: x, exactly: 5}}", tie="mean")
    rows = [
        found(X, "2024-01-10", value, record=n) for n, value in enumerate((4, 4, 7), 1)
    ]

    assert state(measure, "2024-01", *rows) == NUMERATOR


@pytest.mark.parametrize(("of", "number"), [("yz", 12), ("yz.y", 14), ("yz.z", 2)])
def test_a_component_is_capped_in_the_sum_and_nowhere_else(of, number):
    """14 joints add 10 to a score, and are still 14 joints."""
    measure = tried(f"{{value: {{of: {of}, exactly: {number}}}}}", measured="yz")
    rows = found(Y, "2024-01-10", 14, record=1), found(X, "2024-01-10", 2, record=2)

    assert state(measure, "2024-01", *rows) == NUMERATOR


def test_the_later_day_of_a_month_counts():
    """Both days lie in one month; what holds on its last day is the later value."""
    measure = tried("{value: {of: x, below: 5}}")
    rows = found(X, "2024-01-30", 9, record=1), found(X, "2024-01-10", 1, record=2)

    assert state(measure, "2024-01", *rows) == DENOMINATOR


def test_a_value_is_in_force_for_the_months_of_the_look_back():
    """From 31 January 2024 to 31 December, and not in January 2025."""
    measure = tried("{measured: x}")
    row = found(X, "2024-01-31", 1, record=1)

    assert state(measure, "2023-12", row) == POPULATION
    assert state(measure, "2024-01", row) == NUMERATOR
    assert state(measure, "2024-12", row) == NUMERATOR
    assert state(measure, "2025-01", row) == POPULATION


def test_a_value_takes_over_in_the_month_in_which_the_one_before_expires():
    """Measured every January: there is no month without a value, and no month twice."""
    measure = tried("{value: {of: x, below: 5}}")
    rows = found(X, "2023-01-10", 1, record=1), found(X, "2024-01-10", 1, record=2)

    months = ("2023-12", "2024-01", "2024-12")
    assert [state(measure, month, *rows) for month in months] == [NUMERATOR] * 3
    assert state(measure, "2025-01", *rows) == POPULATION


def test_a_person_counts_from_the_month_of_birth_until_the_month_of_death():
    """Nothing is asked about the months before and after."""
    measure = tried("{measured: x}")
    person = Subject(
        1, birth_month=month_number(2024, 2), death_month=month_number(2024, 4)
    )
    months = ("2024-01", "2024-02", "2024-03", "2024-04")

    assert [state(measure, month, subject=person) for month in months] == [
        NONE,
        POPULATION,
        POPULATION,
        NONE,
    ]


@pytest.mark.parametrize(
    ("initial_population", "codes", "expected"),
    [
        ("{condition: a}", [A], POPULATION),
        ("{condition: a}", [B], NONE),
        ("{all: [{condition: a}, {condition: b}]}", [A], NONE),
        ("{all: [{age: {from: 1}}, {condition: a}]}", [A], POPULATION),
        ("{any: [{condition: a}, {condition: b}]}", [B], POPULATION),
        ("{any: [{condition: a}, {age: {from: 1}}]}", [], POPULATION),
        ("{all: [{age: {from: 1}}, {not: {condition: a}}]}", [], POPULATION),
        ("{all: [{any: [{condition: a}, {age: {from: 1}}]}]}", [B], POPULATION),
    ],
)
def test_a_condition_is_asked_for_only_where_there_is_no_other_way(
    initial_population, codes, expected
):
    """Only of who cannot be in the population may the facts be left unread."""
    measure = tried("{measured: x}", initial_population=initial_population)
    conditions = [Condition(1, code, code, 0, None) for code in codes]
    person = Subject(1, birth_month=month_number(2000, 1))

    assert state(measure, "2024-05", *conditions, subject=person) == expected


@pytest.mark.parametrize("basis", ["visits", "latest-status"])
def test_parts_of_one_visit_make_a_composite_though_their_days_differ(basis):
    """A questionnaire filled in the day before belongs to the visit it names."""
    measure = tried("{measured: yz}", measured="yz", basis=basis)
    rows = (
        visit("2024-02-01", record=7),
        found(Y, "2024-01-31", 1, record=1, encounter=7),
        found(X, "2024-02-01", 1, record=2),
    )

    assert state(measure, "2024-02", *rows) == NUMERATOR


def test_parts_of_different_days_without_a_visit_make_no_composite():
    """A score is taken at one visit, or it is none."""
    measure = tried("{measured: yz}", measured="yz")
    rows = found(Y, "2024-01-31", 1, record=1), found(X, "2024-02-01", 1, record=2)

    assert state(measure, "2024-02", *rows) == POPULATION


@pytest.mark.parametrize(
    ("born", "january", "february"),
    [("2024-01", POPULATION, POPULATION), ("2024-02", NONE, NUMERATOR)],
)
def test_a_visit_dated_before_birth_gives_its_day_to_no_value(born, january, february):
    """
    Its values keep their own day, on which the other part of the score was found.

    Of who was born in the visit's month, one part is of the visit, a month before the
    other, and there is no score. Of who was born after it both are of 10 February.
    """
    measure = tried("{measured: yz}", measured="yz")
    year, month = map(int, born.split("-"))
    person = Subject(1, birth_month=month_number(year, month))
    rows = (
        visit("2024-01-10", record=7),
        found(Y, "2024-02-10", 1, record=1, encounter=7),
        found(X, "2024-02-10", 1, record=2),
    )

    assert state(measure, "2024-01", *rows, subject=person) == january
    assert state(measure, "2024-02", *rows, subject=person) == february


def test_an_inactive_disease_is_seen_though_a_joint_count_names_a_visit_before_birth():
    """
    Three parts of 0 on 1 February 2023 are a cJADAS10 of 0, in force for a year.

    Born in February; the joint count names a visit of 1 January, which is none. With
    M08.30 the disease is polyarticular: by 0.7 and less it is inactive.
    """
    measure = LIBRARY["jia-inactive-disease-backstrom-2019"]
    concepts = concepts_of(measure)
    part = {coding.code: number for coding, number in concepts.items()}
    codes = (part["75846-6"], part["75894-6"], part["active-joint-count"])
    seen, named = visit("2023-02-01", record=1), visit("2023-01-01", record=3)
    world = World(
        subjects=(Subject(1, birth_month=month_number(2023, 2)),),
        observations=tuple(
            found(code, "2023-02-01", 0, record=500 + n, encounter=3 if n == 2 else 0)
            for n, code in enumerate(codes)
        ),
        conditions=(Condition(1, part["M08.30"], 200, 0, None),),
        visits=tuple(v._replace(class_concept_id=part["AMB"]) for v in (seen, named)),
        concepts=concepts,
    )
    database = sqlite_database()
    database.fill(world)
    months = range(month_number(2023, 1), month_number(2024, 4))

    events = database.events(compile_measure(measure, concepts))

    # The strata: below 6 years is the first, and so is the polyarticular course.
    inactive = (1, 0, 0, 1, 1, 1, 0, 0)
    year = range(month_number(2023, 2), month_number(2024, 2))
    assert states(events, months) == {(1, 1, 0, 0, m): inactive for m in year}


@pytest.mark.parametrize(
    ("encounter", "expected"),
    [(0, NUMERATOR), (7, NUMERATOR), (8, POPULATION), (9, POPULATION)],
)
def test_a_visit_is_scored_by_its_own_values_and_by_those_of_no_encounter(
    encounter, expected
):
    """8 is a stay in hospital on that day, 9 an encounter that never came."""
    measure = tried("{measured: x}", basis="visits")
    rows = (
        visit("2024-01-10", record=7),
        visit("2024-01-10", record=8, of_class=INPATIENT),
        found(X, "2024-01-10", 1, record=1, encounter=encounter),
    )

    assert state(measure, "2024-01", *rows) == expected


@pytest.mark.parametrize(
    ("grain", "interval", "expected"),
    [
        (1, "2024-01", NUMERATOR),
        (1, "2024-02", DENOMINATOR),
        (1, "2024-03", POPULATION),
        (3, "2024-01", DENOMINATOR),
        (3, "2024-03", DENOMINATOR),
        (12, "2024-01", DENOMINATOR),
        (12, "2025-01", NONE),
    ],
)
def test_an_interval_counts_a_person_once_by_the_last_scored_visit(
    grain, interval, expected
):
    """Three visits of a quarter: met, not met, not scored; so not met."""
    measure = tried("{value: {of: x, below: 5}}", basis="visits")
    rows = (
        visit("2024-01-10", record=7),
        visit("2024-02-10", record=8),
        visit("2024-03-10", record=9),
        found(X, "2024-01-10", 1, record=1),
        found(X, "2024-02-10", 6, record=2, encounter=8),
    )

    assert state(measure, interval, *rows, grain=grain) == expected


def test_where_everybody_is_in_the_denominator_the_last_visit_decides():
    """Met on 10 January, not measured on 20 January: not met, though scored."""
    measure = tried(
        "{value: {of: x, below: 5}}", basis="visits", denominator="population"
    )
    rows = (
        visit("2024-01-10", record=7),
        visit("2024-01-20", record=8),
        found(X, "2024-01-10", 1, record=1),
    )

    assert state(measure, "2024-01", *rows) == DENOMINATOR

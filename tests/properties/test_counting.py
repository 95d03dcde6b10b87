"""The compiled text counts what the reference counts, whatever happened."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.counts import Basis
from app.measures.compilation import compile_measure
from app.measures.definitions import Measure, Predicate, Scoring
from tests.reference.counting import World, expected_states
from tests.reference.databases import Database, sqlite_database, states
from tests.reference.histories import (
    KINDS,
    MONTHS,
    measures,
    measures_with_worlds,
    newborn_worlds,
    worlds,
)
from tests.reference.library import LIBRARY

DATABASE = sqlite_database()
SCORES = {
    "library": st.sampled_from([m for m in LIBRARY.values() if m.composites]),
    "any": measures().map(lambda m: replace(m, scorable=Predicate(measured="xy"))),
}
"""Measures to which it matters of which day a value is: another part is of it too."""


def check_same(database: Database, measure, world):
    """Assert that the compiled text and the reference agree on every month."""
    database.fill(world)

    events = database.events(compile_measure(measure, world.concepts))

    assert states(events, MONTHS) == expected_states(measure, world, MONTHS)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_kind_of_measure_counts_any_history_as_the_reference_does(kind, data):
    """One text for a whole algebra: this is what it means."""
    measure = data.draw(measures(kind))
    check_same(DATABASE, measure, data.draw(worlds(measure)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_histories_drawn_have_somebody_to_count_in_every_kind(kind):
    """Nothing equals nothing: a kind that counts nobody would be tested in vain."""

    def counts_somebody(drawn: tuple[Measure, World]) -> bool:
        counts = expected_states(*drawn, MONTHS).values()
        _, met = KINDS[kind]
        return any(count[6 if met is None else 5] for count in counts)

    pairs = measures(kind).flatmap(lambda m: st.tuples(st.just(m), worlds(m)))
    found = settings(max_examples=2000, deadline=None, phases=[Phase.generate])

    assert find(pairs, counts_somebody, settings=found)


def test_no_scoring_and_basis_is_without_a_kind_of_measure_that_is_drawn():
    """A new type of measure needs its reference before it can be here."""
    drawn = {(basis, met is None) for basis, met in KINDS.values()}

    assert drawn == {
        (basis, scoring is Scoring.CONTINUOUS_VARIABLE)
        for basis in set(Basis) - {Basis.SUMMARIES}
        for scoring in set(Scoring) - {Scoring.RATIO}
    }


@pytest.mark.parametrize("measure", LIBRARY.values(), ids=LIBRARY.keys())
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_each_measure_of_the_library_counts_as_the_reference_does(measure, data):
    """The shipped definitions are counted right, not only those drawn."""
    check_same(DATABASE, measure, data.draw(worlds(measure)))


@pytest.mark.parametrize("scores", SCORES)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_what_is_dated_before_birth_is_named_in_vain(scores, data):
    """An encounter of an impossible date must not take a possible value with it."""
    measure = data.draw(SCORES[scores])
    check_same(DATABASE, measure, data.draw(newborn_worlds(measure)))


@given(measures_with_worlds())
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_postgresql_counts_as_the_reference_does(postgresql, drawn):
    """The same text, unchanged, on the database of production."""
    measure, (world,) = drawn
    check_same(postgresql, measure, world)


@given(measures_with_worlds(2))
@settings(max_examples=60, deadline=None)
def test_counting_only_the_touched_subjects_equals_counting_all_again(drawn):
    """Old events out, new ones in: corrections, withdrawals and late data included."""
    measure, (before, after) = drawn
    sql = compile_measure(measure, before.concepts)
    DATABASE.fill(before)
    kept = Counter({row[:5]: row[5:] for row in DATABASE.events(sql)})
    ids = {s.id for s in (*before.subjects, *after.subjects)}
    touched = {n for n in ids if before.of(n) != after.of(n)}

    DATABASE.fill(after)
    DATABASE.scope(touched)
    untouched = {key: value for key, value in kept.items() if key[0] not in touched}
    recounted = untouched | {row[:5]: row[5:] for row in DATABASE.events(sql)}

    DATABASE.scope(ids)
    assert recounted == {row[:5]: row[5:] for row in DATABASE.events(sql)}

"""The compiled text counts what the reference counts, whatever happened."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.measures.compilation import compile_measure
from tests.reference.counting import expected_states
from tests.reference.databases import Database, sqlite_database, states
from tests.reference.histories import MONTHS, measures_with_worlds, worlds
from tests.reference.library import LIBRARY

DATABASE = sqlite_database()


def check_same(database: Database, measure, world):
    """Assert that the compiled text and the reference agree on every month."""
    database.fill(world)

    events = database.events(compile_measure(measure, world.concepts))

    assert states(events, MONTHS) == expected_states(measure, world, MONTHS)


@given(measures_with_worlds())
@settings(max_examples=120, deadline=None)
def test_any_definition_counts_any_history_as_the_reference_does(drawn):
    """One text for a whole algebra: this is what it means."""
    measure, (world,) = drawn
    check_same(DATABASE, measure, world)


@pytest.mark.parametrize("measure", LIBRARY.values(), ids=LIBRARY.keys())
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_each_measure_of_the_library_counts_as_the_reference_does(measure, data):
    """The shipped definitions are counted right, not only those drawn."""
    check_same(DATABASE, measure, data.draw(worlds(measure)))


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
    kept = Counter({row[:4]: row[4:] for row in DATABASE.events(sql)})
    ids = {s.id for s in (*before.subjects, *after.subjects)}
    touched = {n for n in ids if before.of(n) != after.of(n)}

    DATABASE.fill(after)
    DATABASE.scope(touched)
    untouched = {key: value for key, value in kept.items() if key[0] not in touched}
    recounted = untouched | {row[:4]: row[4:] for row in DATABASE.events(sql)}

    DATABASE.scope(ids)
    assert recounted == {row[:4]: row[4:] for row in DATABASE.events(sql)}

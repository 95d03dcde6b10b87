"""The library's measures: each says what it means by examples, and keeps its word."""

import pytest

from app.measures.compilation import compile_measure
from app.measures.examples import disagreements, example_rows
from tests.reference.counting import Condition, Observation, Subject, Visit, World
from tests.reference.databases import sqlite_database
from tests.reference.library import LIBRARY


@pytest.mark.parametrize("measure", LIBRARY.values(), ids=LIBRARY.keys())
def test_every_worked_example_of_the_library_holds(measure):
    """A definition is only as good as the patients it is tried on."""
    rows = example_rows(measure)
    database = sqlite_database()
    database.fill(world_of(rows))

    events = database.events(compile_measure(measure, rows.concepts))

    assert list(disagreements(measure, events)) == []


def world_of(rows):
    """Return an example's rows as a world."""
    return World(
        subjects=tuple(Subject(*row) for row in rows.subject),
        observations=tuple(Observation(*row) for row in rows.observation),
        conditions=tuple(Condition(*row) for row in rows.condition),
        visits=tuple(Visit(*row) for row in rows.visit),
        concepts=rows.concepts,
    )

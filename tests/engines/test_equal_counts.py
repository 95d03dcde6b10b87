"""One SQL text, four engines, the same counts."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from sqlalchemy import text

from app.measures.compilation import compile_measure
from app.store.engines import EngineName, Run, opened
from app.store.exports import export_facts
from app.store.sessions import open_engine, read_session
from tests.engines.crowds import Case, Crowd, drawn_crowd, fill
from tests.hubs import Databases
from tests.reference.counting import expected_states
from tests.reference.databases import duckdb_database, states
from tests.reference.histories import MONTHS, measures_with_worlds

pytestmark = pytest.mark.thorough

DUCKDB = duckdb_database()
ON_SPARK = 5
"""Measures that Spark counts: each plan takes it a second or two."""


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return drawn_crowd()


@pytest.fixture
def run(
    dialect: str, crowd: Crowd, databases: Databases, tmp_path: Path
) -> Iterator[Run]:
    """What runs an SQL text over the facts of all cases on an engine."""
    is_engine = dialect in set(EngineName)
    engine = open_engine(databases.fresh("sqlite" if is_engine else dialect))
    fill(engine, crowd.world)
    if is_engine:
        with read_session(engine) as session:
            export_facts(session, tmp_path)
        with opened(EngineName(dialect), tmp_path, master="local[2]") as over_files:
            yield over_files
    else:
        with engine.connect() as connection:
            connection.exec_driver_sql(
                "CREATE TEMPORARY TABLE scope AS SELECT id AS subject_id FROM subject"
            )
            yield lambda sql: list(map(tuple, connection.execute(text(sql))))
    engine.dispose()


def check(run: Run, crowd: Crowd, cases: Iterable[Case]) -> None:
    """Assert that each measure counts its own subjects as the reference does."""
    for case in cases:
        wanted = expected_states(case.measure, case.world, MONTHS)
        first, last = case.subjects
        all_ = compile_measure(case.measure, crowd.world.concepts)
        own = f"SELECT * FROM ({all_}) e WHERE subject_id BETWEEN {first} AND {last}"
        assert states(run(own), MONTHS) == wanted, case


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "duckdb"])
def test_every_engine_counts_as_the_reference_does(run: Run, crowd: Crowd):
    """A network may outgrow its database without changing a measure."""
    check(run, crowd, crowd.cases)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("dialect", ["spark"])
def test_spark_counts_as_the_reference_does(run: Run, crowd: Crowd):
    """A cluster gives the numbers that the laptop gave; others in each run."""
    check(run, crowd, random.sample(crowd.cases, ON_SPARK))


@given(measures_with_worlds())
@settings(max_examples=60, deadline=None)
def test_duckdb_counts_any_history_as_the_reference_does(drawn):
    """As on the hub's own databases: any definition, any history."""
    measure, (world,) = drawn
    DUCKDB.fill(world)

    events = DUCKDB.events(compile_measure(measure, world.concepts))

    assert states(events, MONTHS) == expected_states(measure, world, MONTHS)

"""The chapters of the specification hold, on every engine and in the reference."""

import re
from collections.abc import Callable, Mapping

import pytest

from app.measures.compilation import compile_measure
from app.measures.definitions import Measure
from tests.reference.counting import World, expected_states
from tests.reference.databases import (
    Database,
    duckdb_database,
    sqlite_database,
    states,
)
from tests.reference.manual import (
    FOLDER,
    PREAMBLE,
    Rule,
    chapters,
    measures_of,
    world_of,
)
from tests.reference.standings import months_of, told

CHAPTERS = chapters()
RULES = [
    pytest.param(rule, id=f"{name}: {rule.title}")
    for name, rules in CHAPTERS.items()
    for rule in rules
]
SQLITE, DUCKDB = sqlite_database(), duckdb_database()
Count = Callable[[Measure, World, range], Mapping]

every_rule = pytest.mark.parametrize("rule", RULES)


def counted_on(database: Database) -> Count:
    """Return what counts by the compiled text."""

    def count(measure: Measure, world: World, months: range) -> Mapping:
        database.fill(world)
        return states(database.events(compile_measure(measure, world.concepts)), months)

    return count


def check(rule: Rule, count: Count, *, backwards: bool = False) -> None:
    """Assert that every table of a rule says what is counted."""
    assert rule.facts
    assert rule.tables
    counted = {}
    for name, measure in measures_of(rule).items():
        world = world_of(rule, measure, backwards=backwards)
        counted[name] = measure, world, count(measure, world, months_of(rule))
    for table in rule.tables:
        assert told(rule, table, counted) == table


@every_rule
def test_the_specification_holds_on_sqlite(rule):
    """The manual is what is counted, and not what was meant once."""
    check(rule, counted_on(SQLITE))


@every_rule
def test_the_specification_holds_in_whatever_order_the_facts_came(rule):
    """The last fact of each table first: deliveries have no order to rely on."""
    check(rule, counted_on(SQLITE), backwards=True)


@every_rule
def test_the_specification_holds_on_duckdb(rule):
    """The same text over the tables of the engine that reads Parquet."""
    check(rule, counted_on(DUCKDB))


@every_rule
def test_the_specification_holds_on_postgresql(rule, postgresql):
    """The same text on the database of production."""
    check(rule, counted_on(postgresql))


@every_rule
def test_the_specification_holds_in_the_reference(rule):
    """What the properties compare the compiled text with means the same."""
    check(rule, expected_states)


def test_the_table_of_contents_lists_every_chapter():
    """A chapter that nobody finds is none."""
    listed = re.findall(r"\((\d\d-.*\.md)\)", (FOLDER / PREAMBLE).read_text("utf-8"))

    assert listed == list(CHAPTERS)

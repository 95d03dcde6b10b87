"""Kept content into the integer rows that measures count."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from app.domain.records import Condition, Content, Encounter, Observation
from app.domain.terminology import Coding
from app.measures.facts import (
    CanonicalUnit,
    condition_facts,
    observation_facts,
    visit_facts,
)
from app.store import tables
from app.store.records import StoredRecord

Rows = dict[type[Any], list[tuple[Any, ...]]]


def fact_rows(
    written: Sequence[tuple[StoredRecord, Content]],
    *,
    counted: Callable[[int], int],
    units: Mapping[Coding, CanonicalUnit],
    concept_ids: Callable[[Collection[Coding]], Mapping[Coding, int]],
) -> Rows:
    """
    Return the rows of each fact table, in the order of its columns.

    *counted* gives the subject that counts for a record's subject.
    """
    facts = [(record, _facts(content, units)) for record, content in written]
    ids = concept_ids({c for _, each in facts for fact in each for c in fact.codings})
    rows: Rows = {tables.Observation: [], tables.Condition: [], tables.Visit: []}
    return rows

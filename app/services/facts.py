"""Kept content into the integer rows that measures count."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from app.domain.keeping import Keeping
from app.domain.records import (
    NOBODY,
    Condition,
    Content,
    Encounter,
    Observation,
    Summary,
    SummaryReport,
)
from app.domain.terminology import Coding
from app.measures.facts import (
    CanonicalUnit,
    ConditionFact,
    ObservationFact,
    VisitFact,
    condition_facts,
    observation_facts,
    visit_facts,
)
from app.measures.summaries import SummaryFact, summary_facts
from app.store import tables
from app.store.records import StoredRecord

Fact = ObservationFact | ConditionFact | VisitFact | SummaryFact
Rows = dict[type[Any], list[tuple[Any, ...]]]


def fact_rows(
    written: Sequence[tuple[StoredRecord, Content]],
    *,
    counted: Callable[[int], int],
    units: Mapping[Coding, CanonicalUnit],
    keeping: Keeping,
    concept_ids: Callable[[Collection[Coding]], Mapping[Coding, int]],
) -> Rows:
    """
    Return the rows of each fact table, in the order of its columns.

    *counted* gives the subject that counts for a record's subject, *concept_ids* the
    ids of codings.
    """
    facts = [
        (record, _counted(record, counted), fact)
        for record, content in written
        for fact in _facts(content, units, keeping)
    ]
    ids = concept_ids({coding for _, _, fact in facts for coding in _codings(fact)})
    rows: Rows = {
        tables.Observation: [],
        tables.Condition: [],
        tables.Visit: [],
        tables.SummaryFact: [],
    }
    for record, subject_id, fact in facts:
        table, row = _row(record, subject_id, fact, ids)
        rows[table].append(row)
    return rows


def _counted(record: StoredRecord, counted: Callable[[int], int]) -> int:
    """Return who counts for a record's subject, if it is about anybody."""
    return counted(record.subject_id) if record.subject_id != NOBODY else NOBODY


def _facts(
    content: Content, units: Mapping[Coding, CanonicalUnit], keeping: Keeping
) -> Sequence[Fact]:
    """Return what of *content* counts; a Patient is no fact."""
    if isinstance(content, Observation):
        return observation_facts(content, units, keeping)
    if isinstance(content, Condition):
        return condition_facts(content, keeping)
    if isinstance(content, Encounter):
        return visit_facts(content, keeping)
    if isinstance(content, Summary | SummaryReport):
        return summary_facts(content, units)
    return ()


def _codings(fact: Fact) -> Iterator[Coding]:
    """Return the codings that a fact's row refers to."""
    if isinstance(fact, VisitFact):
        yield fact.class_coding
        return
    yield fact.concept
    if isinstance(fact, ObservationFact) and fact.value_coding is not None:
        yield fact.value_coding


def _row(
    record: StoredRecord, subject_id: int, fact: Fact, ids: Mapping[Coding, int]
) -> tuple[type[Any], tuple[Any, ...]]:
    """Return a fact's table and its row."""
    if isinstance(fact, VisitFact):
        where = (subject_id, fact.day, record.id, fact.month)
        return tables.Visit, (*where, ids[fact.class_coding])
    concept_id = ids[fact.concept]
    if isinstance(fact, SummaryFact):
        where = (record.clinic_id, concept_id, fact.month, record.id)
        return tables.SummaryFact, (*where, fact.ward, fact.day, fact.value)
    if isinstance(fact, ConditionFact):
        span = (fact.onset_month, fact.abatement_month)
        return tables.Condition, (subject_id, concept_id, record.id, *span)
    answer = None if fact.value_coding is None else ids[fact.value_coding]
    return tables.Observation, (
        subject_id,
        concept_id,
        fact.day,
        record.id,
        fact.part,
        fact.month,
        fact.value,
        answer,
        record.encounter_id,
    )

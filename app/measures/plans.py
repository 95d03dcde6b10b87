"""A definition on its way to SQL: its leaves numbered, its codes expanded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.checks import assessment_of, leaves
from app.measures.definitions import (
    Component,
    Measure,
    Predicate,
    Sex,
    Stratifier,
)
from app.measures.value_sets import expanded

_Thing = TypeVar("_Thing")
SEX_NUMBERS = {Sex.MALE: 1, Sex.FEMALE: 2, Sex.OTHER: 3}
_IN_SCOPE = "IN (SELECT subject_id FROM scope)"
IN_QUESTION = "IN (SELECT subject_id FROM candidate)"
"""IN, not JOIN: joined to a temporary table, SQLite reads all of the other one."""
BY_DAY = "OVER (PARTITION BY subject_id ORDER BY day)"


def since_birth(table: str) -> str:
    """Return the join that leaves out of *table* what is dated before birth."""
    return f"JOIN subject b ON b.id = {table}.subject_id AND {is_since_birth(table)}"


def is_since_birth(table: str) -> str:
    """Return the condition that a row of *table* is not dated before ``b`` was born."""
    return f"{table}.month >= COALESCE(b.birth_month, 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    A measure and its leaves, each once, numbered from 1.

    ``spans`` are the leaves about the person and the months: leaf n has a column
    ``leaf_n`` that is above 0 where it holds. ``assessments`` are the observables and
    composites whose days are looked at; those of them that are ``asked`` of have a
    column ``found_n`` whose bit 0 says that there is a value, and bit i that the ith of
    their ``questions`` is answered yes. ``components`` are the observables without
    which nobody can be scored; ``strata`` the columns of stratifiers that have one.
    """

    measure: Measure
    concepts: Mapping[Coding, int]
    spans: dict[Predicate, int]
    assessments: dict[str, int]
    asked: tuple[str, ...]
    questions: dict[str, tuple[Predicate, ...]]
    components: tuple[str, ...]
    strata: dict[str, str]

    @property
    def of_visits(self) -> bool:
        """Return whether one unit is a visit."""
        return self.measure.basis is Basis.VISITS

    @property
    def of_status(self) -> bool:
        """Return whether one unit is a person at a month's end."""
        return self.measure.basis is Basis.LATEST_STATUS

    @property
    def visit_classes(self) -> str:
        """Return the classes of qualifying visits as an SQL list."""
        return self.codes(self.measure.visit_classes)

    @property
    def observed(self) -> str | None:
        """Return the assessment whose number is observed, if any is."""
        return next(_observed(self.measure), None)

    @property
    def found(self) -> list[str]:
        """Return the columns of what was found in each assessment that is asked of."""
        return [f"found_{self.assessments[name]}" for name in self.asked]

    @property
    def values(self) -> list[str]:
        """Return the column of the number that is observed, if any is."""
        return [] if self.observed is None else ["observed"]

    def found_of(self, table: str, *, occasion: str, day: str) -> tuple[str, str]:
        """
        Return columns of what was found on an *occasion*, and the joins they are from.

        Each assessment that is asked of has a *table* of its number, and *day* there.
        """
        columns, joins = "", ""
        for name in self.asked:
            number = self.assessments[name]
            columns += f", COALESCE(f_{number}.found, 0) AS found_{number}"
            joins += f"""
  LEFT JOIN {table}_{number} f_{number} ON f_{number}.subject_id = {occasion}.subject_id
    AND f_{number}.{day} = {occasion}.day"""
        if self.observed is not None:
            number = self.assessments[self.observed]
            columns += f", COALESCE(f_{number}.observed, 0) AS observed"
        return columns, joins

    def codes(self, value_set: str) -> str:
        """Return the concept ids of a value set as an SQL list."""
        return listed(expanded(self.measure.value_sets[value_set], self.concepts))

    def parts(self, assessment: str) -> dict[str, Component]:
        """Return an assessment's observables; a single one is its own only part."""
        if assessment in self.measure.composites:
            return self.measure.composites[assessment].components
        return {assessment: Component()}

    def conditions_of(self, stratifier: Stratifier) -> list[Predicate]:
        """Return the leaf of each condition that a stratifier tells people apart by."""
        return [
            Predicate(condition=name) for name in (stratifier.condition or {}).values()
        ]

    def holds(self, field: str) -> str:
        """Return one of the definition's predicates as an SQL condition."""
        return self.condition(self.measure.predicates[field])

    def flag(self, field: str) -> str:
        """Return 1 where one of the definition's predicates holds; 0 without it."""
        if field not in self.measure.predicates:
            return "0"
        return f"CASE WHEN {self.holds(field)} THEN 1 ELSE 0 END"

    def condition(self, predicate: Predicate) -> str:
        """Return *predicate* as an SQL condition over the leaves' columns."""
        if predicate.not_ is not None:
            return f"NOT {self.condition(predicate.not_)}"
        if not predicate.parts:
            return f"({self._leaf(predicate)})"
        word = " AND " if predicate.all is not None else " OR "
        return "(" + word.join(self.condition(part) for part in predicate.parts) + ")"

    def answered(self, name: str, question: Predicate, *, column: str) -> str:
        """Return the SQL condition that *column* has *question* answered yes."""
        if question.measured is not None:
            return f"{column} > 0"
        bit = 2 ** (1 + self.questions[name].index(question))
        return f"{column} % {2 * bit} >= {bit}"

    def _leaf(self, leaf: Predicate) -> str:
        """Return one leaf as an SQL condition."""
        name = assessment_of(leaf)
        if name is None:
            return f"leaf_{self.spans[leaf]} > 0"
        return self.answered(name, leaf, column=f"found_{self.assessments[name]}")


def planned(measure: Measure, concepts: Mapping[Coding, int]) -> Plan:
    """Return the plan of *measure* for the *concepts* that the database knows."""
    predicates = measure.predicates
    stated = [leaf for each in predicates.values() for leaf in leaves(each)]
    stated += _strata_conditions(measure)
    found = list(dict.fromkeys(stated))
    components = tuple(dict.fromkeys(_components(measure)))
    asked = [name for leaf in found if (name := assessment_of(leaf)) is not None]
    asked += [*components, *_observed(measure)]
    asked = list(dict.fromkeys(asked))
    questions: dict[str, list[Predicate]] = {name: [] for name in asked}
    for question in dict.fromkeys([*found, *_statuses(measure, found)]):
        name = assessment_of(question)
        if name is not None:
            of = questions.setdefault(name, [])
            of += [] if question.measured is not None else [question]
    return Plan(
        measure=measure,
        concepts=concepts,
        spans=_numbered(leaf for leaf in found if assessment_of(leaf) is None),
        assessments=_numbered(questions),
        asked=tuple(asked),
        questions={name: tuple(of) for name, of in questions.items()},
        components=components,
        strata={
            name: f"stratum_{number}"
            for number, (name, each) in enumerate(measure.stratifiers.items(), 1)
            if each.condition is None
        },
    )


def candidates(plan: Plan) -> str:
    """
    Return the CTE ``candidate``: who in scope can be in the initial population at all.

    Whatever else it asks, who never had its condition is never in it: of the facts of
    all others nothing need be read.
    """
    value_sets = _one_needed(plan.measure.predicates["initial_population"])
    if value_sets is None:
        return "candidate AS (SELECT subject_id FROM scope)"
    stated = plan.measure.value_sets
    codes = {code for name in value_sets for code in stated[name]}
    concepts = listed(expanded(codes, plan.concepts))
    return f"""candidate AS (
  SELECT DISTINCT subject_id
  FROM condition
  WHERE subject_id {_IN_SCOPE} AND concept_id IN {concepts}
)"""


def _one_needed(predicate: Predicate) -> tuple[str, ...] | None:
    """Return value sets of conditions without any of which *predicate* cannot hold."""
    if predicate.condition is not None:
        return (predicate.condition,)
    needed = [_one_needed(part) for part in predicate.parts]
    if predicate.all is not None:
        return next((each for each in needed if each is not None), None)
    if predicate.any is not None and None not in needed:
        return tuple(name for each in needed for name in each or ())
    return None


def listed(numbers: Iterable[int]) -> str:
    """Return an SQL list; SQL has no empty one, and no id is negative."""
    return "(" + (", ".join(map(str, numbers)) or "-1") + ")"


def _strata_conditions(measure: Measure) -> Iterator[Predicate]:
    """Yield a leaf for each condition that tells people apart."""
    for stratifier in measure.stratifiers.values():
        for value_set in (stratifier.condition or {}).values():
            yield Predicate(condition=value_set)


def _statuses(measure: Measure, found: Iterable[Predicate]) -> Iterator[Predicate]:
    """Yield what single days are asked, for a status over months or an index event."""
    for leaf in found:
        if leaf.sustained is not None:
            yield leaf.sustained.status
    if measure.index is not None and measure.index.status is not None:
        yield measure.index.status


def _observed(measure: Measure) -> Iterator[str]:
    """Yield the assessment whose number is observed, if any is."""
    if measure.measure_observation is not None:
        yield measure.measure_observation.of.partition(".")[0]


def _components(measure: Measure) -> Iterator[str]:
    """Yield the observables that scoring asks about, composites taken apart."""
    for leaf in leaves(measure.predicates["scorable"]):
        name = assessment_of(leaf)
        if name in measure.composites:
            yield from measure.composites[name].components
        elif name is not None:
            yield name


def _numbered(things: Iterable[_Thing]) -> dict[_Thing, int]:
    """Return *things* with their positions from 1."""
    return {thing: number for number, thing in enumerate(things, 1)}

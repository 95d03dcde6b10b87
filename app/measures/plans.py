"""A definition on its way to SQL: its leaves numbered, its codes expanded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.checks import assessment_of, leaves
from app.measures.definitions import Component, Measure, Predicate, coding_of

_Thing = TypeVar("_Thing")
IN_SCOPE = "IN (SELECT subject_id FROM scope)"
"""IN, not JOIN: joined to a temporary table, SQLite reads all of the other one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    A measure and its leaves, each once, numbered from 1.

    ``spans`` are the leaves about the person and the months: leaf n has a column
    ``leaf_n`` that is above 0 where it holds. ``assessments`` are the observables and
    composites that the others ask about: assessment n has a column ``found_n`` whose
    bit 0 says that there is a value, and bit i that its ith question is answered yes.
    """

    measure: Measure
    concepts: Mapping[Coding, int]
    spans: dict[Predicate, int]
    assessments: dict[str, int]
    questions: dict[str, tuple[Predicate, ...]]

    @property
    def of_visits(self) -> bool:
        """Return whether one unit is a visit."""
        return self.measure.basis is Basis.VISITS

    @property
    def visit_classes(self) -> str:
        """Return the classes of qualifying visits as an SQL list."""
        return self.codes(self.measure.visit_classes)

    def codes(self, value_set: str) -> str:
        """Return the concept ids of a value set as an SQL list."""
        return listed(expanded(self.measure.value_sets[value_set], self.concepts))

    def parts(self, assessment: str) -> dict[str, Component]:
        """Return an assessment's observables; a single one is its own only part."""
        if assessment in self.measure.composites:
            return self.measure.composites[assessment].components
        return {assessment: Component()}

    def condition(self, predicate: Predicate) -> str:
        """Return *predicate* as an SQL condition over the leaves' columns."""
        if predicate.not_ is not None:
            return f"NOT {self.condition(predicate.not_)}"
        if not predicate.parts:
            return f"({self._leaf(predicate)})"
        word = " AND " if predicate.all is not None else " OR "
        return "(" + word.join(self.condition(part) for part in predicate.parts) + ")"

    def _leaf(self, leaf: Predicate) -> str:
        """Return one leaf as an SQL condition."""
        name = assessment_of(leaf)
        if name is None:
            return f"leaf_{self.spans[leaf]} > 0"
        column = f"found_{self.assessments[name]}"
        if leaf.measured is not None:
            return f"{column} > 0"
        bit = 2 ** (1 + self.questions[name].index(leaf))
        return f"{column} % {2 * bit} >= {bit}"


def planned(measure: Measure, concepts: Mapping[Coding, int]) -> Plan:
    """Return the plan of *measure* for the *concepts* that the database knows."""
    stated = (leaf for predicate in measure.predicates for leaf in leaves(predicate))
    found = list(dict.fromkeys(stated))
    asked = [(assessment_of(leaf), leaf) for leaf in found]
    names = dict.fromkeys(name for name, _ in asked if name is not None)
    return Plan(
        measure=measure,
        concepts=concepts,
        spans=_numbered(leaf for name, leaf in asked if name is None),
        assessments=_numbered(names),
        questions={
            name: tuple(
                leaf for of, leaf in asked if of == name and leaf.measured is None
            )
            for name in names
        },
    )


def expanded(codes: Iterable[str], concepts: Mapping[Coding, int]) -> list[int]:
    """Return the ids of the known concepts that *codes* name; ``*`` ends a prefix."""
    ids: set[int] = set()
    for code in codes:
        wanted = coding_of(code.removesuffix("*"))
        if code.endswith("*"):
            ids |= {
                number
                for known, number in concepts.items()
                if known.system == wanted.system and known.code.startswith(wanted.code)
            }
        elif wanted in concepts:
            ids.add(concepts[wanted])
    return sorted(ids)


def listed(numbers: Iterable[int]) -> str:
    """Return an SQL list; SQL has no empty one, and no id is negative."""
    return "(" + (", ".join(map(str, numbers)) or "-1") + ")"


def _numbered(things: Iterable[_Thing]) -> dict[_Thing, int]:
    """Return *things* with their positions from 1."""
    return {thing: number for number, thing in enumerate(things, 1)}

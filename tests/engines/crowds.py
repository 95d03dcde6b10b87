"""Many measures, each with histories of its own, in one set of facts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.domain.terminology import Coding
from app.measures.definitions import Measure
from app.store.tables import metadata
from tests.reference.counting import World
from tests.reference.histories import measures, worlds
from tests.reference.library import LIBRARY

WORLDS_EACH = 4
MEASURES_DRAWN = 12
CONCEPTS = ("concept_id", "value_concept_id", "class_concept_id")
CLINICS = range(1, 3)
_Drawn = TypeVar("_Drawn")


class Case(NamedTuple):
    """A measure, and histories in which its subjects have numbers of their own."""

    measure: Measure
    world: World

    @property
    def subjects(self) -> tuple[int, int]:
        """Return the first and the last of them."""
        ids = [subject.id for subject in self.world.subjects]
        return min(ids), max(ids)


@dataclass(frozen=True)
class Crowd:
    """The cases, and all their facts together."""

    cases: tuple[Case, ...]
    world: World


def drawn_crowd(
    more: int = MEASURES_DRAWN,
    *,
    of: Iterable[Measure] = tuple(LIBRARY.values()),
    worlds_each: int = WORLDS_EACH,
) -> Crowd:
    """Draw histories for each measure of the library, and for some drawn ones."""
    chosen = [*of, *(drawn(measures(), more) if more else ())]
    apart = [(m, w) for m in chosen for w in drawn(worlds(m), worlds_each)]
    codings = sorted({coding for _, world in apart for coding in world.concepts})
    concepts = {coding: number for number, coding in enumerate(codings, 1)}
    numbered = _numbered([world for _, world in apart], concepts)
    by_measure = zip(*[iter(numbered)] * worlds_each, strict=True)
    cases = tuple(
        Case(measure, together(histories))
        for measure, histories in zip(chosen, by_measure, strict=True)
    )
    return Crowd(cases, together(case.world for case in cases))


def drawn(strategy: st.SearchStrategy[_Drawn], count: int) -> list[_Drawn]:
    """Return *count* examples, not only the simplest; none is made simpler later."""
    found: list[_Drawn] = []

    @given(strategy)
    @settings(
        max_examples=5 * count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def keep(example: _Drawn) -> None:
        found.append(example)

    keep()
    return found[-count:]


def together(histories: Iterable[World]) -> World:
    """Return several histories as one."""
    all_of = list(histories)
    rows = [field.name for field in fields(World) if field.name != "concepts"]
    return World(
        **{
            name: tuple(chain.from_iterable(getattr(w, name) for w in all_of))
            for name in rows
        },
        concepts=all_of[0].concepts,
    )


def fill(engine: Engine, world: World) -> None:
    """Store the facts of *world* in a hub's empty database."""
    rows = {
        "concept": [
            {"id": number, "system": coding.system, "code": coding.code}
            for coding, number in world.concepts.items()
        ],
        "clinic": [
            {"id": n, "code": f"clinic-{n}", "name": f"{n}", "status": "active"}
            for n in CLINICS
        ],
        "subject": [row._asdict() for row in world.subjects],
        "observation": [row._asdict() for row in world.observations],
        "condition": [row._asdict() for row in world.conditions],
        "visit": [row._asdict() for row in world.visits],
    }
    with engine.begin() as connection:
        for table, values in rows.items():
            if values:
                connection.execute(metadata.tables[table].insert(), values)


def _numbered(apart: list[World], concepts: dict[Coding, int]) -> Iterator[World]:
    """Yield the histories with subjects and concepts numbered through all of them."""
    before = 0
    for world in apart:
        known = {number: concepts[coding] for coding, number in world.concepts.items()}

        def through(row, known=known, before=before):
            names = [name for name in CONCEPTS if name in row._fields]
            of = {name: known.get(getattr(row, name)) for name in names}
            if "subject_id" in row._fields:
                return row._replace(subject_id=row.subject_id + before, **of)
            return row._replace(id=row.id + before, clinic_id=row.id % len(CLINICS) + 1)

        rows = {
            field.name: tuple(map(through, getattr(world, field.name)))
            for field in fields(World)
            if field.name != "concepts"
        }
        yield replace(world, **rows, concepts=concepts)
        before += len(world.subjects)

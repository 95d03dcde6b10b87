"""People of several clinics count as if each were one patient, whatever happened."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, inspect

from app.disclosure.people import People
from app.domain.counts import Basis, Interval
from app.measures.definitions import Measure
from app.measures.facts import canonical_units
from app.services import recounts
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.network_people import network_people
from app.store.sessions import write_session
from app.store.tables import metadata
from tests.engines.crowds import CLINICS, drawn_crowd, fill
from tests.reference.counting import Subject, World, expected_states
from tests.reference.histories import MONTHS
from tests.reference.library import LIBRARY

FROM_LIBRARY = ("jia-clinical-inactive-disease", "jia-inactive-disease-visits")
MEASURES_DRAWN = 5
BEFORE = MONTHS[-1]
Place = frozenset[int]
Key = tuple[Place, Interval, int]


class Told(NamedTuple):
    """A measure, histories to count, and what of linked people is to be told."""

    measure: Measure
    world: World
    wanted: dict[tuple[Key, int], int]


@pytest.fixture(scope="module")
def cases() -> list[Told]:
    """Histories of the library's measures and of others, some persons of each."""
    library = [LIBRARY[name] for name in FROM_LIBRARY]
    crowd = drawn_crowd(MEASURES_DRAWN, of=library, worlds_each=3)
    stored = [(case.measure, of_one_store(case.world)) for case in crowd.cases]
    return [Told(m, world, expected(m, world)) for m, world in stored]


def of_one_store(world: World) -> World:
    """
    Return *world* with a number of its own for each record, as a store gives them.

    Everybody's birth is known: who is there since ever has a cell for each month since.
    """

    def numbered(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            row._replace(
                **{
                    name: getattr(row, name) + 10_000 * row.subject_id
                    for name in ("record_id", "encounter_id")
                    if getattr(row, name, 0)
                }
            )
            for row in rows
        )

    return dataclasses.replace(
        world,
        subjects=tuple(
            subject._replace(birth_month=subject.birth_month or MONTHS[0])
            for subject in world.subjects
        ),
        observations=numbered(world.observations),
        conditions=numbered(world.conditions),
        visits=numbered(world.visits),
    )


def linked_in(world: World) -> dict[int, int]:
    """Return who is whom: of three neighbours the first two, who are at two clinics."""
    ids = {subject.id for subject in world.subjects}
    return {i + 1: i for i in sorted(ids) if i % 3 == 1 and i + 1 in ids}


def merged(world: World) -> World:
    """Return *world* with linked subjects as one, the slow and obvious way."""
    same = linked_in(world)
    groups: dict[int, list[Subject]] = defaultdict(list)
    for subject in world.subjects:
        groups[same.get(subject.id, subject.id)].append(subject)

    def moved(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            row._replace(subject_id=same.get(row.subject_id, row.subject_id))
            for row in rows
        )

    return dataclasses.replace(
        world,
        subjects=tuple(
            Subject(
                id=number,
                birth_month=least("birth_month", group),
                sex=least("sex", group),
                death_month=least("death_month", group),
            )
            for number, group in groups.items()
        ),
        observations=moved(world.observations),
        conditions=moved(world.conditions),
        visits=moved(world.visits),
    )


def least(name: str, group: list[Subject]) -> int | None:
    known = [getattr(subject, name) for subject in group]
    return min((value for value in known if value is not None), default=None)


def expected(measure: Measure, world: World) -> dict[tuple[Key, int], int]:
    """Return the counts by place and interval that the reference finds; no zeros."""
    found = Counter[tuple[Key, int]]()
    places = places_in(world)
    by_status = measure.basis is Basis.LATEST_STATUS
    states = expected_states(measure, merged(world), MONTHS)
    for (subject, grain, _, _, month), counts in states.items():
        for interval in Interval:
            start = month - (interval.months - 1 if by_status else 0)
            own_grain = 1 if by_status else interval.months
            is_told = start in MONTHS and start + interval.months <= BEFORE
            if start % interval.months == 0 and grain == own_grain and is_told:
                key = (places[subject], interval, start)
                found.update({(key, n): count for n, count in enumerate(counts)})
    return {key: count for key, count in found.items() if count}


def places_in(world: World) -> dict[int, Place]:
    """Return the clinics where each subject of the merged *world* is."""
    found = {subject.id: frozenset({subject.clinic_id}) for subject in world.subjects}
    for other, subject in linked_in(world).items():
        found[subject] |= found[other]
    return found


def shown(people: People) -> dict[tuple[Key, int], int]:
    """Return the same of what is to be released."""
    found: Counter[tuple[Key, int]] = Counter()
    for cell in people.cells:
        if cell.stratum or cell.interval_start not in MONTHS:
            continue
        place = people.at[cell.clinic_id]
        counts = (
            cell.population,
            cell.excluded,
            cell.excepted,
            cell.scored,
            cell.denominator,
            cell.numerator,
            cell.value_sum,
            cell.value_squares,
        )
        key = (place, cell.interval, cell.interval_start)
        found.update({(key, n): count for n, count in enumerate(counts)})
    return {key: count for key, count in found.items() if count}


def test_linked_people_count_as_one_patient_would(hub: Hub, cases: list[Told]):
    """The very text that counts a measure counts them, over what all clinics know."""
    linked = 0
    for measure, world, wanted in cases:
        same = linked_in(world)
        linked += len(same)
        store(hub.engine, world, same)
        units = canonical_units([measure])
        counting = dataclasses.replace(hub, measures=(measure,), units=units)
        recounts.register_measures(counting)
        recounts.count_from_nothing(counting)

        with write_session(hub.engine) as session:
            row = measure_rows(session, counting)[measure.id]
            people = network_people(
                session,
                counting,
                [(measure, row)],
                clinics=set(CLINICS),
                before_month=BEFORE,
            )[row.id]
            left = inspect(session.connection()).get_temp_table_names()

        assert shown(people) == wanted
        assert not SHADOWED & set(left)
    assert linked


SHADOWED = {"subject", "observation", "condition", "visit", "linked"}


def store(engine: Engine, world: World, same: Mapping[int, int]) -> None:
    """Let *world* be all that is stored, and *same* who is whom."""
    with engine.begin() as connection:
        for name in (*SHADOWED - {"linked"}, "linkage_cluster", "concept", "clinic"):
            connection.execute(metadata.tables[name].delete())
    fill(engine, world)
    rows = [
        {"subject_id": member, "cluster_id": cluster}
        for other, cluster in same.items()
        for member in (other, cluster)
    ]
    if rows:
        with engine.begin() as connection:
            connection.execute(metadata.tables["linkage_cluster"].insert(), rows)

"""A map before the data or after them: the same counts, and none once it is gone."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.services import concept_maps
from app.services.hub import Hub
from tests import make
from tests.concept_maps import LAB, LOINC, concept_map, element, group, target
from tests.hubs import Network

pytestmark = pytest.mark.anyio

NUMBERS = itertools.count()
BOTH = {
    "coding": [*make.concept(LAB, "A")["coding"], *make.concept(LAB, "B")["coding"]]
}
ANSWER = {"valueCodeableConcept": make.concept(LAB, "B")}
RESOURCES = [
    make.lab(7.0, id="a", code=make.concept(LAB, "A")),
    make.lab(7.1, id="a", code=make.concept(LAB, "A")),
    make.lab(8.0, id="b", code=BOTH),
    make.lab(9.0, id="c", code=make.concept(LAB, "C")),
    make.observation(id="d", effectiveDateTime="2024-03-01", **ANSWER),
    make.lab(6.0, id="e", status="entered-in-error", code=make.concept(LAB, "A")),
    make.condition(id="f", code=BOTH),
    make.lab(7.2, id="g"),
]
MAP = concept_map(
    group(LAB, LOINC, element("A", target("4548-4")), element("B", target("8480-6")))
)
OTHER_MAP = concept_map(
    group(LAB, LOINC, element("A", target("8462-4"), target("8480-6", "wider")))
)
LOAD, LOAD_OTHER, REMOVE = "load", "load another", "remove"


def facts(hub: Hub, clinic: str) -> list[tuple]:
    """Return what measures see of a clinic; digests, each source's own, as LOCAL."""
    code = "CASE WHEN {0}.code LIKE '%-%' THEN {0}.code ELSE 'LOCAL' END"
    of_observations = (
        f"SELECT 1, f.day, f.value, {code.format('c')}, {code.format('v')} "
        "FROM observation f JOIN concept c ON c.id = f.concept_id "
        "LEFT JOIN concept v ON v.id = f.value_concept_id"
    )
    of_conditions = (
        f"SELECT 2, f.onset_month, {code.format('c')} "
        "FROM condition f JOIN concept c ON c.id = f.concept_id"
    )
    of = (
        " JOIN subject s ON s.id = f.subject_id JOIN clinic k ON k.id = s.clinic_id "
        "WHERE k.code = :clinic"
    )
    with hub.engine.connect() as connection:
        rows = [
            tuple(row)
            for query in (of_observations, of_conditions)
            for row in connection.execute(text(query + of), {"clinic": clinic})
        ]
    return sorted(rows, key=str)


async def after(network: Network, steps: Sequence[int | str]) -> list[tuple]:
    """Return what is counted of a new clinic after *steps*."""
    clinic = f"c{next(NUMBERS)}"
    ehr, hub = network.ehr(f"{clinic}-ehr"), network.hub
    place: dict[str, Any] = {"clinic": clinic, "source": "ehr"}
    has_map = False
    for step in steps:
        if isinstance(step, int):
            assert (await ehr.put(RESOURCES[step])).status_code in {200, 201}
        elif step == REMOVE and has_map:
            concept_maps.remove(hub, **place)
        elif step != REMOVE:
            concept_maps.load(hub, MAP if step == LOAD else OTHER_MAP, **place)
        if isinstance(step, str):
            has_map = step != REMOVE
    return facts(hub, clinic)


IN_ORDER: list[int | str] = list(range(len(RESOURCES)))


@st.composite
def histories(draw: Any) -> list[int | str]:
    """Deliveries in their order, with maps loaded and taken away anywhere."""
    steps = list(IN_ORDER)
    changes = st.sampled_from([LOAD, LOAD_OTHER, REMOVE])
    for change in draw(st.lists(changes, max_size=4)):
        steps.insert(draw(st.integers(0, len(steps))), change)
    return steps


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
async def test_what_counts_depends_on_the_last_map_alone(
    network: Network, history: list[int | str]
):
    """Not on when it came, nor on the maps before it."""
    maps = [step for step in history if isinstance(step, str)]
    in_force = [] if not maps or maps[-1] == REMOVE else [maps[-1]]

    expected = await after(network, [*in_force, *IN_ORDER])

    assert await after(network, history) == expected


async def test_what_counts_by_hand(network: Network):
    """7.1 and 8.0 are HbA1c; 8 % is no pressure, so it has no value; B is an answer."""
    found = await after(network, [LOAD, *IN_ORDER])

    values = [(row[2], row[3]) for row in found if row[0] == 1]
    assert sorted(values, key=str) == [
        (7100, "4548-4"),
        (7200, "4548-4"),
        (8000, "4548-4"),
        (9000, "LOCAL"),
        (None, "8480-6"),
        (None, "8480-6"),
    ]
    assert [row[2] for row in found if row[0] == 2] == ["4548-4", "8480-6"]
    assert {row[4] for row in found if row[0] == 1} == {"LOCAL", "8480-6"}

"""What comes at one time comes to the same as one by one, answers and all."""

import itertools
import json
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.hub import Hub
from tests import make
from tests.hubs import Caller, Network
from tests.properties.test_any_order import at, facts, found, visit
from tests.waiting import together

pytestmark = pytest.mark.anyio

NUMBERS = itertools.count()
BY_A1 = {"If_None_Exist": f"identifier={make.MRN}|A1"}

LETTERS: list[tuple[str, dict, dict[str, str]]] = [
    ("PUT", make.lab(7.1, id="o1"), {}),
    ("PUT", make.lab(7.1, id="o1"), {}),
    ("PUT", make.lab(7.3, id="o3", subject=make.reference("Patient/p2")), {}),
    ("PUT", make.lab(7.4, id="o4"), {"If_Match": 'W/"7"'}),
    ("PUT", make.lab(7.5, id="o5"), {"If_None_Match": "*"}),
    ("PUT", make.lab(7.6, id="o6", encounter=make.reference("Encounter/e1")), {}),
    ("PUT", make.lab(7.7, id="o7", meta=at(1)), {}),
    ("PUT", make.lab(7.7, id="o7", meta=at(2), status="entered-in-error"), {}),
    ("POST", make.lab(8.1), {}),
    ("POST", make.lab(8.1), {}),
    ("POST", make.lab(8.2, identifier=[make.identifier("A2")]), {}),
    ("POST", make.lab(8.3, status="corrected"), {}),
    ("POST", make.lab(8.4, status="nonsense"), {}),
    ("POST", make.lab(8.5), BY_A1),
    ("POST", make.lab(8.5), BY_A1),
    ("PUT", make.patient(id="p1", birthDate="2010-01-05"), {}),
    ("PUT", make.patient(id="p2", birthDate="2011-03-05", gender="male"), {}),
    ("POST", make.patient(birthDate="1980-07-01"), {}),
    ("POST", make.patient(birthDate="1980-07-01"), {}),
    ("PUT", visit("e1", "2024-01-10", "p1"), {}),
    ("PUT", make.condition(id="c1", onsetDateTime="2020-02"), {}),
]
"""Requests that nothing but their own twin is anything to."""
NAMES = [
    f"{body['resourceType']}/{body['id']}" for _, body, _ in LETTERS if "id" in body
]
RACING = "o7"
"""Which of its two versions is first decides the answers, and not what is kept."""


async def sent(ehr: Caller, index: int) -> httpx.Response:
    method, body, headers = LETTERS[index]
    answer = await (ehr.put if method == "PUT" else ehr.post)(body, **headers)
    assert answer.status_code < 500, answer.text
    return answer


def content(answer: httpx.Response) -> dict[str, Any]:
    """Return what is answered, less what the hub numbers by itself."""
    document = answer.json()
    of_the_hub = {"meta", "subject", "encounter"}
    if LETTERS and document.get("id", "").startswith("hub-"):
        of_the_hub.add("id")
    return {name: v for name, v in document.items() if name not in of_the_hub}


def answers_of(indices: list[int], answers: list[httpx.Response]) -> Counter:
    """Return each answer with what it answers; twins are not told apart."""
    return Counter(
        (
            json.dumps(LETTERS[index]),
            answer.status_code,
            answer.headers.get("ETag"),
            json.dumps(content(answer), sort_keys=True),
        )
        for index, answer in zip(indices, answers, strict=True)
        if LETTERS[index][1].get("id") != RACING
    )


async def state(ehr: Caller, hub: Hub) -> dict[str, Any]:
    assert ehr.clinic is not None
    kept = {name: await found(ehr, name) for name in NAMES}
    return kept | {"facts": facts(hub, ehr.clinic)}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    indices=st.lists(
        st.integers(0, len(LETTERS) - 1), min_size=2, max_size=14, unique=True
    )
)
async def test_at_one_time_is_as_one_by_one(
    network: Network, app: FastAPI, hub: Hub, indices: list[int]
):
    """Good, bad, twice and on conditions: the same answers and the same store."""
    number = next(NUMBERS)
    patient = network.ehr(f"patient{number}-ehr")
    hasty = network.ehr(f"hasty{number}-ehr")
    await hasty.read("Patient/none")

    one_by_one = [await sent(patient, index) for index in indices]
    at_one_time = await together(
        app, hub.engine, [sent(hasty, index) for index in indices]
    )

    assert answers_of(indices, at_one_time) == answers_of(indices, one_by_one)
    assert await state(hasty, hub) == await state(patient, hub)

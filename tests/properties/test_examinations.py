"""What the hub says it would do with a resource is what it then does."""

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.services.hub import Hub
from tests import make
from tests.hubs import Network, rows_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

HL7 = "http://terminology.hl7.org/CodeSystem"
NUMBERS = itertools.count()
SEEDS = [
    make.lab(7.1, id="o1", note=[{"text": "Ann"}]),
    make.lab(7.2, status="corrected", identifier=[make.identifier("A1")]),
    make.lab(7.3, encounter=make.reference("Encounter/e1"), meta={"versionId": "7"}),
    make.observation(
        effectivePeriod={"start": "2024-03-01T23:30:00-05:00"},
        component=[
            {
                "code": make.concept("http://loinc.org", "8480-6"),
                "valueQuantity": {"value": 120, "unit": "mmHg"},
            },
            {"code": {"text": "Ann"}, "valueString": "Ann"},
        ],
    ),
    make.condition(
        id="c1",
        clinicalStatus=make.concept(f"{HL7}/condition-clinical", "active"),
        verificationStatus=make.concept(f"{HL7}/condition-ver-status", "confirmed"),
        onsetDateTime="2020-05-06T01:02:03Z",
    ),
    make.lab(7.4, subject=make.reference("Patient/hub-999")),
    make.lab(7.5, encounter=make.reference("Encounter/hub-999")),
    make.encounter(id="e1", period={"start": "2024-01-10"}),
    make.patient(
        id="p1",
        name=[{"family": "Ann"}],
        gender="female",
        birthDate="1931-03-04",
        deceasedDateTime="2024-02-29T10:00:00Z",
        address=[{"state": "MA", "postalCode": "02139", "city": "Ann"}],
    ),
]
JUNK: list[Any] = [
    None,
    "",
    "Ann",
    "2024-02-30",
    "2024-03",
    "entered-in-error",
    "corrected",
    "hub-9",
    -1,
    1e300,
    [],
    {},
    make.reference("Patient/hub-1"),
    make.reference("Patient/hub-999"),
    make.reference("Group/g1"),
    make.reference("urn:uuid:00000000-0000-4000-8000-0000000000a1"),
    [{"url": "urn:x", "valueString": "Ann"}],
]
NAMES = ("status", "subject", "encounter", "modifierExtension", "implicitRules", "x")


def nodes_of(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each object or array in *node* with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from nodes_of(node[key])


@st.composite
def resources(draw: st.DrawFn) -> dict:
    """Return a resource that may be damaged in up to three places."""
    resource: dict = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 3))):
        places = [(n, k) for n, k in nodes_of(resource) if k != "resourceType"]
        parent, key = places[draw(st.integers(0, len(places) - 1))]
        change = draw(st.sampled_from(["delete", "replace", "add"]))
        if change == "delete":
            del parent[key]
        elif change == "replace":
            parent[key] = copy.deepcopy(draw(st.sampled_from(JUNK)))
        else:
            name = draw(st.sampled_from(NAMES))
            resource[name] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return resource


def canonical(resource: dict) -> dict:
    """Return *resource* without what only a stored one has."""
    apart = {"id", "meta", "subject", "encounter"}
    return {name: value for name, value in resource.items() if name not in apart}


def first_issue(outcome: dict) -> tuple[str, list[str]]:
    issue = outcome["issue"][0]
    return issue["code"], issue.get("expression", [])


OF_NOBODY_HERE = make.lab(
    7,
    subject=make.reference("Patient/hub-998"),
    encounter=make.reference("Encounter/hub-999"),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(resource=resources())
@example(resource=OF_NOBODY_HERE)
async def test_the_verdict_is_that_of_a_create_and_nothing_is_stored(
    network: Network, hub: Hub, resource: dict
):
    """$validate says error exactly when a create refuses, $de-identify what stays."""
    ehr = network.ehr(f"c{next(NUMBERS)}-ehr")
    type_ = resource["resourceType"]
    before = rows_of(hub.engine)

    verdict = await ehr.call("POST", f"/{type_}/$validate", resource)
    shown = await ehr.call("POST", "/$de-identify", resource)
    after = rows_of(hub.engine)
    created = await ehr.post(resource)

    assert verdict.status_code == 200
    assert after == before
    refused = created.status_code in {400, 422}
    severities = {issue["severity"] for issue in verdict.json()["issue"]}
    assert severities == ({"error"} if refused else {"information"})
    if refused:
        assert shown.status_code == created.status_code
        assert first_issue(verdict.json()) == first_issue(created.json())
        assert first_issue(shown.json()) == first_issue(created.json())
        return
    assert created.status_code in {200, 201, 412}
    assert shown.status_code == 200
    kept = shown.json()["parameter"][0]["resource"]
    read = await ehr.read(f"{type_}/{created.json().get('id', 'none')}")
    if read.status_code == 200:
        assert canonical(read.json()) == canonical(kept)

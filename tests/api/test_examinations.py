"""$de-identify and $validate: asked beforehand, and nothing is stored."""

import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import Caller, Network, rows_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

CANARY = "Zq9canary7x"
NAMED = make.lab(7.1, id="o1", note=[{"text": CANARY}], performer=[{"display": CANARY}])


def parameters(*parts: tuple[str, str, object]) -> dict:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, kind: value} for name, kind, value in parts],
    }


def of(answer: dict, name: str) -> list:
    """Return the values of a parameter."""
    return [
        next(value for key, value in part.items() if key != "name")
        for part in answer["parameter"]
        if part["name"] == name
    ]


@pytest.mark.parametrize(
    "body",
    [NAMED, parameters(("resource", "resource", NAMED))],
    ids=["alone", "within Parameters"],
)
async def test_what_would_be_kept_and_dropped_is_shown(
    ehr: Caller, hub: Hub, body: dict
):
    """As FHIR, by path, and under which policy; the store is as it was."""
    before = rows_of(hub.engine)

    response = await ehr.call("POST", "/$de-identify", body)

    answer = response.json()
    (kept,) = of(answer, "return")
    assert kept["valueQuantity"]["value"] == 7.1
    assert of(answer, "dropped") == ["Observation.note", "Observation.performer"]
    assert of(answer, "policy") == [hub.policy.terms.id]
    assert of(answer, "policyDigest") == [hub.policy.digest]
    assert CANARY not in response.text
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize("path", ["/$de-identify", "/Observation/$validate"])
@pytest.mark.parametrize(
    "body",
    [
        parameters(),
        parameters(("resource", "resource", NAMED), ("resource", "resource", NAMED)),
        parameters(("profile", "valueUri", CANARY), ("resource", "resource", NAMED)),
        parameters(("resource", "valueString", CANARY)),
        parameters(("mode", "valueCode", "delete"), ("resource", "resource", NAMED)),
        parameters(("mode", "valueCode", CANARY), ("resource", "resource", NAMED)),
        {"resourceType": "Parameters", "parameter": [CANARY]},
        {"resourceType": "Parameters", "parameter": CANARY},
    ],
    ids=["none", "two", "profile", "no resource", "delete", "mode", "text", "no list"],
)
async def test_parameters_that_are_not_understood_are_refused(
    ehr: Caller, path: str, body: dict
):
    """A profile that was passed over would look as if it had been checked."""
    response = await ehr.call("POST", path, body)

    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == ["Parameters.parameter"]
    assert CANARY not in response.text


@pytest.mark.parametrize("by", ["body", "url"])
async def test_the_mode_update_demands_an_id(ehr: Caller, by: str):
    """As PUT would; without a mode it is a create, which needs none."""
    nameless = make.lab(7.1)
    body = parameters(
        ("mode", "valueCode", "update"), ("resource", "resource", nameless)
    )
    path = "/Observation/$validate"

    if by == "body":
        update = await ehr.call("POST", path, body)
    else:
        update = await ehr.call("POST", f"{path}?mode=update", nameless)
    create = await ehr.call("POST", path, nameless)

    assert update.json()["issue"][0]["code"] == "required"
    assert update.json()["issue"][0]["expression"] == ["Observation.id"]
    assert create.json()["issue"][0]["severity"] == "information"


@pytest.mark.parametrize("path", ["/$de-identify", "/Observation/$validate"])
@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("system/Observation.c", 200),
        ("system/Observation.u", 200),
        ("system/Observation.rds", 403),
        ("system/Condition.cu", 403),
    ],
)
async def test_who_may_not_write_may_not_try(
    network: Network, path: str, scope: str, status: int
):
    """The hub reads what is sent: it must be from someone who may send it."""
    ehr = network.ehr(scopes=(scope,))

    response = await ehr.call("POST", path, NAMED)

    assert response.status_code == status


async def test_a_partner_may_not_try_either(network: Network):
    """A partner has no source whose ids and zones would apply."""
    response = await network.partner().call("POST", "/$de-identify", NAMED)

    assert response.status_code == 403


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        (make.lab(1, subject=make.reference("Patient/hub-999")), "subject"),
        (make.lab(1, encounter=make.reference("Encounter/hub-999")), "encounter"),
        (make.lab(1, status="corrected"), "status"),
    ],
)
@pytest.mark.conforms("R2", mutation="valid FHIR that breaks a rule of the hub")
async def test_the_verdict_knows_what_only_the_store_knows(
    ehr: Caller, resource: dict, expression: str
):
    """A green answer and a refused create would cost an engineer a day."""
    verdict = await ehr.call("POST", "/Observation/$validate", resource)
    shown = await ehr.call("POST", "/$de-identify", resource)
    created = await ehr.post(resource)

    assert [shown.status_code, created.status_code] == [422, 422]
    for answer in (verdict, shown, created):
        issue = answer.json()["issue"][0]
        assert issue["expression"] == [f"Observation.{expression}"]
        assert issue["code"] == "business-rule"


async def test_a_reference_that_holds_is_no_fault(ehr: Caller):
    """What the hub called a patient may be referred to."""
    own = (await ehr.post(make.patient(gender="male"))).json()["id"]
    lab = make.lab(1, subject=make.reference(f"Patient/{own}"))

    verdict = await ehr.call("POST", "/Observation/$validate", lab)

    assert verdict.json()["issue"][0]["severity"] == "information"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/Claim/$validate", {"resourceType": "Claim"}, 404),
        ("/$de-identify", {"resourceType": "Claim"}, 404),
        ("/$de-identify", {"resourceType": "Bundle", "type": "batch"}, 404),
        ("/Observation/$validate", make.patient(), 200),
    ],
)
async def test_of_a_type_that_is_not_kept_there_is_nothing_to_show(
    ehr: Caller, path: str, body: dict, status: int
):
    """As for a create of it; $validate answers that the body is of another type."""
    response = await ehr.call("POST", path, body)

    assert response.status_code == status
    assert response.json()["issue"][0]["severity"] == "error"

"""`fhir-kit-client` for Node: a bearer token, Bundles to the base with a slash."""

from typing import Any

import pytest

from app.services.hub import Hub
from tests import make
from tests.clients.conftest import Kept
from tests.clients.drivers import Call, drive, statuses
from tests.hubs import Caller

A1 = [make.identifier("a1")]
IF_A1 = {"headers": {"If-None-Exist": f"identifier={make.MRN}|a1"}}


async def called(hub: Hub, ehr: Caller, *calls: Call) -> list[dict[str, Any]]:
    """Return what became of *calls* of a client that was given a token."""
    settings = {"fhirBase": hub.fhir_base, "token": await ehr.fresh_token()}
    return drive("fhir_kit.mjs", settings, *calls)


def create(resource: dict, **more: Any) -> Call:
    named = {"resourceType": resource["resourceType"], "body": resource}
    return ("create", named | more)


def update(resource: dict, **more: Any) -> Call:
    named = {"resourceType": resource["resourceType"], "id": resource["id"]}
    return ("update", named | {"body": resource} | more)


@pytest.mark.conforms("R13")
async def test_it_learns_where_to_get_a_token(served_hub: Hub, ehr: Caller):
    """It asks three places at once, and takes the first that answers."""
    (found,) = await called(served_hub, ehr, ("smartAuthMetadata", {}))

    assert found["answer"]["tokenUrl"] == served_hub.token_endpoint


async def test_what_it_creates_is_kept_once_however_often_it_is_sent(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """A retry after a lost answer is the same Observation."""
    lab = create(make.lab(7.1))
    first, second = await called(served_hub, ehr, lab, lab)

    assert kept() == {"Observation": 1}
    assert first["answer"]["id"] == second["answer"]["id"]
    read = (await ehr.read(f"Observation/{first['answer']['id']}")).json()
    assert read["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("R4")
async def test_what_it_creates_on_a_condition_is_created_once(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """The second answer is what is there, and the value sent with it is not."""
    first, second = await called(
        served_hub,
        ehr,
        create(make.lab(7.1, identifier=A1), options=IF_A1),
        create(make.lab(8.2, identifier=A1), options=IF_A1),
    )

    assert kept() == {"Observation": 1}
    assert second["answer"] == first["answer"]
    assert second["answer"]["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("R7")
@pytest.mark.conforms("R7", mutation="If-Match of a version that was replaced")
async def test_what_it_updates_by_an_old_version_is_refused(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """Two who correct at once are told; the first of them stands."""
    of_the_first = {"headers": {"If-Match": 'W/"1"'}}
    made, right, late = await called(
        served_hub,
        ehr,
        update(make.lab(7.1, id="o1")),
        update(make.lab(8.2, id="o1"), options=of_the_first),
        update(make.lab(9.3, id="o1"), options=of_the_first),
    )

    assert "answer" in made
    assert right["answer"]["meta"]["versionId"] == "2"
    assert late["refusal"]["status"] == 412
    assert late["refusal"]["outcome"]["resourceType"] == "OperationOutcome"
    assert kept() == {"Observation": 1}
    read = (await ehr.read("Observation/o1")).json()
    assert read["valueQuantity"]["value"] == 8.2


@pytest.mark.conforms("R10")
@pytest.mark.conforms("R15")
async def test_its_batch_keeps_what_is_good_and_says_what_is_not(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """It posts to the base and a slash; each entry is answered in its place."""
    bundle = make.batch(
        make.put(make.lab(7.1, id="o1")),
        make.put(make.lab(7.2, id="o2", status="?")),
        make.put(make.patient(id="p1")),
    )
    first, second = await called(served_hub, ehr, *[("batch", {"body": bundle})] * 2)

    assert statuses(first) == ["201", "400", "201"]
    assert statuses(second) == ["200", "400", "200"]
    assert kept() == {"Observation": 1, "Patient": 1}
    refused = first["answer"]["entry"][1]["response"]["outcome"]["issue"][0]
    assert refused["expression"] == ["Bundle.entry[1].resource.status"]


@pytest.mark.conforms("R11")
@pytest.mark.conforms("R15")
async def test_its_transaction_is_all_there_or_not_at_all(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """Entries refer to each other by `urn:uuid`; a second sending adds nothing."""
    urn = "urn:uuid:5c1ff2b7-6f0f-4ee3-8b6e-c3c3c3c3c3c3"
    patient = make.post(make.patient(identifier=A1), fullUrl=urn)
    good = make.lab(7.1, subject=make.reference(urn))
    bad = good | {"status": "?"}
    first, second, refused = await called(
        served_hub,
        ehr,
        ("transaction", {"body": make.transaction(make.post(good), patient)}),
        ("transaction", {"body": make.transaction(make.post(good), patient)}),
        ("transaction", {"body": make.transaction(patient, make.post(bad))}),
    )

    assert statuses(first) == ["201", "201"]
    assert statuses(second) == ["200", "200"]
    assert refused["refusal"]["status"] == 400
    assert kept() == {"Observation": 1, "Patient": 1}


async def test_its_operation_shows_what_would_be_kept(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """`$de-identify` at the base, of a whole resource; nothing is stored."""
    patient = make.patient(id="p1", name=[{"family": "Nobody"}])
    (shown,) = await called(
        served_hub, ehr, ("operation", {"name": "de-identify", "input": patient})
    )

    assert shown["answer"]["resourceType"] == "Parameters"
    assert "Nobody" not in str(shown)
    assert kept() == {}

"""SMART's own client for Python, `fhirclient`: models that save themselves."""

import pytest
import requests
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient

from app.services.hub import Hub
from tests import make
from tests.clients.conftest import Kept
from tests.hubs import Caller


@pytest.fixture
def smart(served_hub: Hub, ehr: Caller) -> FHIRClient:
    """The client as its guide says to make it for a backend service."""
    client = FHIRClient(
        settings={
            "app_id": ehr.client_id,
            "api_base": served_hub.fhir_base,
            "jwt_token": ehr.assertion(),
            "scope": "system/Observation.crud system/Patient.crud",
        }
    )
    client.prepare()
    client.authorize()
    return client


@pytest.mark.conforms("R13")
@pytest.mark.conforms("A16")
async def test_it_finds_the_token_endpoint_and_asks_for_a_launch_scope_too(
    smart: FHIRClient,
):
    """It looks only in `oauth-uris`, and wants `launch/patient` whatever it is told."""
    assert smart.ready
    assert smart.desired_scope.startswith("launch/patient ")
    assert smart.launch_context["scope"] == (
        "system/Observation.crud system/Patient.crud"
    )


@pytest.mark.conforms("R1")
async def test_what_it_creates_is_kept_once_however_often_it_is_sent(
    smart: FHIRClient, ehr: Caller, kept: Kept
):
    """A retry after a lost answer is the same Observation."""
    first, second = (Observation(make.lab(7.1)).create(smart.server) for _ in range(2))

    assert kept() == {"Observation": 1}
    assert first["id"] == second["id"]
    read = (await ehr.read(f"Observation/{first['id']}")).json()
    assert read["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("R3")
async def test_what_it_updates_has_one_row_and_its_newest_value(
    smart: FHIRClient, ehr: Caller, kept: Kept
):
    """Its own id stays; a correction takes the place of what it corrects."""
    for value, status in ((7.1, "final"), (7.1, "final"), (8.2, "corrected")):
        Observation(make.lab(value, id="o1", status=status)).update(smart.server)

    assert kept() == {"Observation": 1}
    read = (await ehr.read("Observation/o1")).json()
    assert read["valueQuantity"]["value"] == 8.2
    assert read["meta"]["versionId"] == "2"


async def test_it_reads_back_what_is_kept_of_a_patient(smart: FHIRClient):
    """Its models are strict, and take what the hub gives."""
    Patient(make.patient(id="p1")).update(smart.server)

    patient = Patient.read("p1", smart.server)

    assert patient.id == "p1"
    assert patient.name is None


async def test_its_transaction_is_all_there_or_not_at_all(
    smart: FHIRClient, kept: Kept
):
    """It has no method for Bundles; its guide posts them to the base."""
    good = make.transaction(
        make.put(make.patient(id="p1")), make.put(make.lab(7.1, id="o1"))
    )
    bad = make.transaction(
        make.put(make.lab(7.2, id="o2")), make.put(make.lab(7.3, id="o3", status="?"))
    )

    answers = [smart.server.post_json("", Bundle(good).as_json()) for _ in range(2)]
    with pytest.raises(requests.HTTPError) as refusal:
        smart.server.post_json("", bad)

    statuses = [
        [entry["response"]["status"] for entry in answer.json()["entry"]]
        for answer in answers
    ]
    assert statuses == [["201", "201"], ["200", "200"]]
    assert kept() == {"Patient": 1, "Observation": 1}
    assert refusal.value.response is not None
    (issue,) = refusal.value.response.json()["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource.status"]


async def test_what_it_deletes_counts_no_more(
    smart: FHIRClient, ehr: Caller, kept: Kept
):
    """Withdrawn: gone for its readers, and out of every count."""
    Observation(make.lab(7.1, id="o1")).update(smart.server)

    Observation(make.lab(7.1, id="o1")).delete(smart.server)

    assert kept() == {}
    assert (await ehr.read("Observation/o1")).status_code == 410

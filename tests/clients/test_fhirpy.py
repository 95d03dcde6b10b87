"""`fhirpy`: a bearer token, `application/json`, conditions in the URL of a POST."""

import pytest
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from fhirpy.lib import AsyncFHIRClient, SyncFHIRClient

from app.services.hub import Hub
from tests import make
from tests.clients.conftest import Kept
from tests.hubs import Caller

SEEN_AS = f"{make.MRN}|a1"


@pytest.fixture
async def clinic(served_hub: Hub, ehr: Caller) -> AsyncFHIRClient:
    """The client for async programs, with a token that it did not get itself."""
    token = await ehr.fresh_token()
    return AsyncFHIRClient(served_hub.fhir_base, authorization=f"Bearer {token}")


@pytest.fixture
async def patiently(served_hub: Hub, ehr: Caller) -> SyncFHIRClient:
    """The same for programs that wait."""
    token = await ehr.fresh_token()
    return SyncFHIRClient(served_hub.fhir_base, authorization=f"Bearer {token}")


@pytest.mark.conforms("R14")
async def test_what_it_saves_is_kept_once_however_often_it_is_saved(
    clinic: AsyncFHIRClient, ehr: Caller, kept: Kept
):
    """It posts `application/json`, to a URL that ends in a question mark."""
    saved = [clinic.resource("Observation", **make.lab(7.1)) for _ in range(2)]
    for resource in saved:
        await resource.save()

    assert kept() == {"Observation": 1}
    assert saved[0].id == saved[1].id
    read = (await ehr.read(f"Observation/{saved[0].id}")).json()
    assert read["valueQuantity"]["value"] == 7.1


async def test_what_it_saves_under_an_id_is_one_row(
    clinic: AsyncFHIRClient, patiently: SyncFHIRClient, ehr: Caller, kept: Kept
):
    """Async or not, the same id is the same record; the newest value stands."""
    await clinic.resource("Observation", **make.lab(7.1, id="o1")).save()
    patiently.resource("Observation", **make.lab(8.2, id="o1")).save()

    assert kept() == {"Observation": 1}
    read = (await ehr.read("Observation/o1")).json()
    assert read["valueQuantity"]["value"] == 8.2


@pytest.mark.conforms("R4")
async def test_what_it_gets_or_creates_is_created_once(
    clinic: AsyncFHIRClient, patiently: SyncFHIRClient, ehr: Caller, kept: Kept
):
    """Its condition comes in the URL; the header's rules hold for it."""
    first = make.lab(7.1, identifier=[make.identifier("a1")])
    other = make.lab(8.2, identifier=[make.identifier("a1")])

    made, created = (
        await clinic.resources("Observation")
        .search(identifier=SEEN_AS)
        .get_or_create(clinic.resource("Observation", **first))
    )
    found, created_again = (
        patiently.resources("Observation")
        .search(identifier=SEEN_AS)
        .get_or_create(patiently.resource("Observation", **other))
    )

    assert (created, created_again) == (True, False)
    assert made["id"] == found["id"]
    assert kept() == {"Observation": 1}
    read = (await ehr.read(f"Observation/{made['id']}")).json()
    assert read["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("R5")
async def test_what_it_updates_by_an_identifier_is_one_row(
    clinic: AsyncFHIRClient, ehr: Caller, kept: Kept
):
    """Clinics do not know the hub's ids, so they update by their own numbers."""
    known = clinic.resources("Observation").search(identifier=SEEN_AS)
    resources = [
        clinic.resource(
            "Observation", **make.lab(value, identifier=[make.identifier("a1")])
        )
        for value in (7.1, 8.2)
    ]

    answers = [await known.update(resource) for resource in resources]

    assert [created for _, created in answers] == [True, False]
    assert kept() == {"Observation": 1}
    read = (await ehr.read(f"Observation/{answers[0][0]['id']}")).json()
    assert read["valueQuantity"]["value"] == 8.2


async def test_what_it_read_it_cannot_save_as_new(clinic: AsyncFHIRClient, ehr: Caller):
    """Read, change, save would make coarsened dates the clinic's own."""
    await clinic.resource("Observation", **make.lab(7.1, id="o1")).save()
    read = clinic.resource("Observation", **await clinic.get("Observation", "o1"))
    read["valueQuantity"]["value"] = 9.9

    with pytest.raises(OperationOutcome) as refusal:
        await read.save()

    assert refusal.value.resource["issue"][0]["expression"] == ["Observation.meta.tag"]
    again = (await ehr.read("Observation/o1")).json()
    assert again["valueQuantity"]["value"] == 7.1


async def test_what_it_deletes_it_finds_no_more(patiently: SyncFHIRClient, kept: Kept):
    """It tells a withdrawn record from other errors by its status."""
    patiently.resource("Patient", **make.patient(id="p1")).save()

    patiently.delete("Patient/p1")

    assert kept() == {}
    with pytest.raises(ResourceNotFound):
        patiently.get("Patient", "p1")

"""One patient by all the URLs that a source may use, and one name for all of them."""

import pytest
from sqlalchemy import text

from app.services.hub import Hub
from tests import make
from tests.hubs import Caller, Network, people_of

pytestmark = pytest.mark.anyio

BASE = "https://ehr.example/fhir"
SAME = [
    "Patient/1",
    "Patient/1/_history/2",
    f"{BASE}/Patient/1",
    f"{BASE}/Patient/1/",
    f"{BASE}//Patient/1",
    f"{BASE}/Patient/1/_history/3",
    "https://EHR.Example/fhir/Patient/1",
    "HTTPS://ehr.example/fhir/Patient/1",
    "https://ehr.example:443/fhir/Patient/1",
    "urn:uuid:1",
]
OTHERS = [
    "Patient/2",
    f"{BASE}/Patient/01",
    "Patient/1.",
    f"{BASE}/Patient/1-",
]
STRANGE = [
    "http://ehr.example/fhir/Patient/1",
    "https://ehr.example:8443/fhir/Patient/1",
    "https://ehr.example/FHIR/Patient/1",
    "https://ehr.example/Patient/1",
    "https://ehr.example.evil/fhir/Patient/1",
    "https://ehr.example/fhir?tenant=2/Patient/1",
    "https://[ehr.example/fhir/Patient/1",
]
AT_ANOTHER = "https://lab.example/fhir"


def about(url: str, own_id: str) -> dict:
    return make.lab(7.0, id=own_id, subject=make.reference(url))


async def test_every_form_of_one_url_is_one_patient(hub: Hub, ehr: Caller):
    """References, whatever their base's case, slashes, port or version."""
    answers = [await ehr.put(about(url, f"o{n}")) for n, url in enumerate(SAME)]

    assert [answer.status_code for answer in answers] == [201] * len(SAME)
    assert people_of(hub.engine) == 1
    assert names_of_patients(hub) == 1


def names_of_patients(hub: Hub) -> int:
    """Return how many names Patients have."""
    query = (
        "SELECT COUNT(*) FROM alias a JOIN record r ON r.id = a.record_id "
        "WHERE r.type = 1"
    )
    with hub.engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


@pytest.mark.parametrize("url", [url for url in SAME if url.startswith(("h", "H"))])
async def test_a_full_url_names_the_patient_as_a_reference_does(
    hub: Hub, ehr: Caller, url: str
):
    """A Patient that is created under its fullUrl is the one that is referred to."""
    await ehr.put(about("Patient/1", "o"))

    entry = make.post(make.patient(gender="male"), fullUrl=url)
    statuses = await ehr.send(make.batch(entry))

    assert statuses == ["201"]
    assert (await ehr.read("Patient/1")).json()["gender"] == "male"
    assert names_of_patients(hub) == 1


async def test_a_relative_reference_with_a_slash_at_its_end_is_refused(ehr: Caller):
    """FHIR knows no such form; to be refused is not to be somebody else."""
    answer = await ehr.put(about("Patient/1/", "o"))

    assert answer.status_code == 400


async def test_another_id_is_another_patient(hub: Hub, ehr: Caller):
    """However much alike: an id is compared letter by letter."""
    urls = ["Patient/1", *OTHERS]
    results = [make.put(about(url, f"o{n}")) for n, url in enumerate(urls)]

    await ehr.send(make.batch(*results))

    assert people_of(hub.engine) == len(urls)


@pytest.mark.parametrize("url", STRANGE)
async def test_a_base_that_is_not_the_sources_is_refused(ehr: Caller, url: str):
    """Another server's Patient/1 is somebody else."""
    answer = await ehr.put(about(url, "o"))

    assert answer.status_code == 422
    (issue,) = answer.json()["issue"]
    assert issue["expression"] == ["Observation.subject.reference"]


async def test_another_sources_same_id_is_another_patient(hub: Hub, network: Network):
    """A lab's numbers have nothing to do with an EHR's."""
    ehr = network.ehr()
    lab = network.ehr(
        "alpha-lab", clinic="alpha", source="lab", base_urls=(AT_ANOTHER,)
    )
    other = network.ehr("beta-ehr")

    await ehr.put(about("Patient/1", "o"))
    await lab.put(about("Patient/1", "o"))
    await lab.put(about(f"{AT_ANOTHER}/Patient/1/_history/9", "o2"))
    await other.put(about(f"{BASE}/Patient/1", "o"))

    assert people_of(hub.engine) == 3
    assert names_of_patients(hub) == 3

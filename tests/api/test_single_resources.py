"""One resource at a time: create, update, read, withdraw, and their conditions."""

import pytest

from tests import make
from tests.hubs import Network

pytestmark = pytest.mark.anyio


async def test_a_create_tells_where_the_record_is(network: Network):
    """201 with Location and ETag (R1), and the de-identified record as the body."""
    ehr = network.ehr()

    response = await ehr.post(make.lab(7.1))

    assert response.status_code == 201
    assert response.headers["ETag"] == 'W/"1"'
    own = response.json()["id"]
    assert own.startswith("hub-")
    location = f"https://hub.example/fhir/Observation/{own}/_history/1"
    assert response.headers["Location"] == location
    assert response.headers["Content-Type"] == "application/fhir+json"
    again = await ehr.read(f"Observation/{own}")
    assert again.status_code == 200
    assert again.json() == response.json()
    assert again.headers["ETag"] == 'W/"1"'


async def test_an_update_of_a_new_id_creates_it(network: Network):
    """Update-as-create: 201 the first time, 200 and the next version after (R3)."""
    ehr = network.ehr()

    first = await ehr.put(make.lab(7.1, id="o1"))
    second = await ehr.put(make.lab(7.4, id="o1"))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["ETag"] == 'W/"1"'
    assert second.headers["ETag"] == 'W/"2"'
    base = "https://hub.example/fhir/Observation/o1"
    assert first.headers["Location"] == f"{base}/_history/1"
    kept = (await ehr.read("Observation/o1")).json()
    assert kept["id"] == "o1"
    assert kept["valueQuantity"]["value"] == 7.4


async def test_the_same_update_twice_makes_no_version(network: Network):
    """An EHR that sends all it has each night changes nothing (R18)."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))

    again = await ehr.put(make.lab(7.1, id="o1"))

    assert again.status_code == 200
    assert again.headers["ETag"] == 'W/"1"'


async def test_a_decimal_comes_back_as_it_was_written(network: Network):
    """FHIR's 7.10 is not 7.1: precision is part of a decimal."""
    ehr = network.ehr()
    body = b'{"resourceType":"Observation","id":"o1","status":"final",'
    body += b'"code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},'
    body += b'"subject":{"reference":"Patient/p1"},"valueQuantity":{"value":7.10}}'

    response = await ehr.call("PUT", "/Observation/o1", body)

    assert '"value":7.10' in response.text


async def test_a_withdrawn_record_is_gone_and_may_come_back(network: Network):
    """204, then 410 (R16); a new delivery creates it again, one version on."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))

    withdrawn = await ehr.delete("Observation/o1")
    gone = await ehr.read("Observation/o1")
    again = await ehr.delete("Observation/o1")
    back = await ehr.put(make.lab(7.1, id="o1"))

    assert [withdrawn.status_code, gone.status_code] == [204, 410]
    assert gone.json()["issue"][0]["code"] == "deleted"
    assert again.status_code == 204
    assert back.status_code == 201
    assert back.headers["ETag"] == 'W/"3"'


async def test_what_was_never_there_can_be_deleted(network: Network):
    """DELETE asks for an end state, and that is there already."""
    ehr = network.ehr()

    response = await ehr.delete("Observation/never")

    assert response.status_code == 204
    assert (await ehr.read("Observation/never")).status_code == 404


async def test_a_conditional_create_writes_once(network: Network):
    """If-None-Exist: no match creates; one answers 200 and writes nothing (R4)."""
    ehr = network.ehr()
    lab = make.lab(7.1, identifier=[make.identifier("A1")])
    condition = f"identifier={make.MRN}|A1"

    first = await ehr.post(lab, If_None_Exist=condition)
    second = await ehr.post(
        make.lab(9.9, identifier=[make.identifier("A1")]), If_None_Exist=f"?{condition}"
    )

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["ETag"] == 'W/"1"'
    assert second.json()["valueQuantity"]["value"] == 7.1


async def test_a_condition_in_the_url_of_a_create_is_the_headers(network: Network):
    """Some clients (fhirpy) write it there; it is meant, so it is not ignored (R4)."""
    ehr = network.ehr()
    condition = f"identifier={make.MRN}|A1"
    path = f"/Observation?{condition}"

    first = await ehr.call("POST", path, make.lab(7.1))
    second = await ehr.call("POST", path, make.lab(8.2))
    both = await ehr.call("POST", path, make.lab(8.2), If_None_Exist=condition)

    assert [first.status_code, second.status_code] == [201, 200]
    assert second.json() == first.json()
    assert both.status_code == 400
    assert both.json()["issue"][0]["code"] == "not-supported"


async def test_a_condition_names_what_it_creates(network: Network):
    """A body without the identifier is still the record of the condition."""
    ehr = network.ehr()
    condition = f"identifier={make.MRN}|A1"

    first = await ehr.post(make.lab(7.1), If_None_Exist=condition)
    second = await ehr.post(make.lab(8.2), If_None_Exist=condition)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


async def test_a_conditional_update_creates_then_updates(network: Network):
    """PUT Type?identifier= : 201 where nothing matches, then 200 (R5)."""
    ehr = network.ehr()
    path = f"/Observation?identifier={make.MRN}|A1"

    first = await ehr.call("PUT", path, make.lab(7.1))
    second = await ehr.call("PUT", path, make.lab(7.2))

    assert [first.status_code, second.status_code] == [201, 200]
    assert (
        first.headers["Location"].rpartition("/_history")[0]
        == (second.headers["Location"].rpartition("/_history")[0])
    )
    assert second.headers["ETag"] == 'W/"2"'
    assert second.json()["valueQuantity"]["value"] == 7.2


async def test_a_version_that_was_overtaken_is_not_overwritten(network: Network):
    """If-Match with another version is 412, and nothing is stored (R7)."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))

    wrong = await ehr.put(make.lab(7.2, id="o1"), If_Match='W/"2"')
    right = await ehr.put(make.lab(7.3, id="o1"), If_Match='W/"1"')
    absent = await ehr.put(make.lab(7.3, id="o2"), If_Match='W/"1"')

    assert [r.status_code for r in (wrong, right, absent)] == [412, 200, 412]
    assert wrong.json()["issue"][0]["code"] == "precondition"
    assert (await ehr.read("Observation/o2")).status_code == 404
    assert (await ehr.read("Patient/p1")).status_code == 404


async def test_if_none_match_creates_only(network: Network):
    """If-None-Match: * on PUT refuses to replace (R8)."""
    ehr = network.ehr()

    first = await ehr.put(make.lab(7.1, id="o1"), If_None_Match="*")
    second = await ehr.put(make.lab(7.2, id="o1"), If_None_Match="*")

    assert [first.status_code, second.status_code] == [201, 412]


@pytest.mark.parametrize(
    ("wanted", "type_", "length"),
    [
        ("return=minimal", None, 0),
        ("return=representation", "Observation", None),
        ("return=OperationOutcome", "OperationOutcome", None),
        ("respond-async, return=minimal", None, 0),
        ("handling=strict; return=minimal", None, 0),
    ],
)
async def test_the_caller_chooses_what_comes_back(
    network: Network, wanted: str, type_: str | None, length: int | None
):
    """Prefer: return= (R9)."""
    ehr = network.ehr()

    response = await ehr.post(make.lab(7.1), Prefer=wanted)

    assert response.status_code == 201
    if length is None:
        assert response.json()["resourceType"] == type_
    else:
        assert len(response.content) == length


async def test_a_hub_id_is_a_name_like_any_other(network: Network):
    """What a reply calls a record is taken in URLs, and means that record."""
    ehr = network.ehr()
    created = await ehr.put(make.lab(7.1, id="o1"))
    hub_id = (await ehr.post(make.lab(7.1, id="o1"))).json()["id"]

    updated = await ehr.put(make.lab(7.7, id=hub_id))
    deleted = await ehr.delete(f"Observation/{hub_id}")

    assert created.status_code == 201
    assert updated.status_code == 200
    assert updated.headers["ETag"] == 'W/"2"'
    assert deleted.status_code == 204
    assert (await ehr.read("Observation/o1")).status_code == 410


async def test_a_hub_id_that_names_nothing_creates_nothing(network: Network):
    """The hub gives its ids itself."""
    ehr = network.ehr()

    response = await ehr.put(make.lab(7.7, id="hub-999"))

    assert response.status_code == 404


async def test_both_spellings_of_the_base_take_bundles(network: Network):
    """Clients post Bundles to the base with and without a slash (R15)."""
    ehr = network.ehr()
    bundle = make.batch(make.put(make.lab(7.1, id="o1")))

    answers = [await ehr.call("POST", path, bundle) for path in ("", "/")]

    assert [a.status_code for a in answers] == [200, 200]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "application/json",
        "text/json",
        "application/fhir+json; charset=utf-8",
        "application/fhir+json;charset=UTF-8; fhirVersion=4.0",
    ],
)
async def test_json_by_any_of_its_names_is_taken(network: Network, content_type: str):
    """R14; fhirpy posts application/json."""
    ehr = network.ehr()

    response = await ehr.post(make.lab(7.1), Content_Type=content_type)

    assert response.status_code == 201


@pytest.mark.parametrize(
    "accept", ["application/xml", "application/fhir+xml", "text/html"]
)
async def test_the_format_in_the_url_overrides_accept(network: Network, accept: str):
    """_format=json wins; without it XML is not to be had: 406 (R14)."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))

    refused = await ehr.read("Observation/o1", Accept=accept)
    taken = await ehr.read("Observation/o1?_format=json", Accept=accept)

    assert [refused.status_code, taken.status_code] == [406, 200]
    assert refused.json()["issue"][0]["code"] == "not-acceptable"


async def test_the_capability_statement_is_open_and_names_the_token_url(client):
    """A client finds its way in without a token (R13)."""
    response = await client.get("/fhir/metadata")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/fhir+json"
    statement = response.json()
    assert statement["fhirVersion"] == "4.0.1"
    assert "https://hub.example/oauth/token" in response.text


@pytest.mark.parametrize("at", ["", "/fhir"])
async def test_discovery_is_json_whatever_is_asked_for(client, at: str):
    """SMART: application/json whatever Accept says, absolute URLs only."""
    response = await client.get(
        f"{at}/.well-known/smart-configuration", headers={"Accept": "text/html"}
    )

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    found = response.json()
    assert found["token_endpoint"] == "https://hub.example/oauth/token"
    assert "client_credentials" in found["grant_types_supported"]
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]

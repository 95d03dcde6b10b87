"""One resource at a time: create, update, read, withdraw, and their conditions."""

import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import Clock, Network, current_of, rows_of

pytestmark = pytest.mark.anyio


@pytest.mark.conforms("R1")
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


@pytest.mark.conforms("R1")
async def test_the_hub_says_which_version_it_is_and_of_when(
    network: Network, clock: Clock
):
    """A sender's versionId and lastUpdated are not the record's (R1)."""
    ehr = network.ehr()
    stated = {"versionId": "77", "lastUpdated": "2020-01-01T00:00:00Z"}
    first = await ehr.put(make.lab(7.1, id="o1", meta=stated))
    clock.pass_seconds(60)
    second = await ehr.put(make.lab(7.2, id="o1"))

    read = await ehr.read("Observation/o1")
    assert first.json()["meta"]["versionId"] == "1"
    assert first.json()["meta"]["lastUpdated"] == "2027-01-15T08:00:00.000+00:00"
    assert first.headers["Last-Modified"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert second.headers["Last-Modified"] == "Fri, 15 Jan 2027 08:01:00 GMT"
    assert read.headers["Last-Modified"] == second.headers["Last-Modified"]
    assert read.json()["meta"]["versionId"] == "2"


@pytest.mark.conforms("R1", mutation="the body brings an id")
async def test_the_id_of_a_created_body_names_the_record_and_not_its_url(
    network: Network, hub: Hub
):
    """The reply calls it by the hub's id; the sender's own id finds it too."""
    ehr = network.ehr()

    created = await ehr.post(make.lab(7.1, id="mine"))
    again = await ehr.put(make.lab(7.1, id="mine"))

    assert created.json()["id"].startswith("hub-")
    assert (await ehr.read("Observation/mine")).status_code == 200
    assert again.status_code == 200
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.conforms("R3")
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


@pytest.mark.parametrize(
    ("own_id", "status"),
    [
        pytest.param(
            {}, 400, marks=pytest.mark.conforms("R3", mutation="the body has no id")
        ),
        pytest.param(
            {"id": "o2"},
            400,
            marks=pytest.mark.conforms("R3", mutation="the body has another id"),
        ),
        pytest.param(
            {"id": "O1"},
            400,
            marks=pytest.mark.conforms("R3", mutation="the id in other letters"),
        ),
    ],
)
async def test_an_update_says_twice_what_it_updates(
    network: Network, hub: Hub, own_id: dict, status: int
):
    """In the URL and in the body, as FHIR demands; at each door."""
    ehr = network.ehr()
    lab = make.lab(7.1, **own_id)
    entry = make.post(lab, request={"method": "PUT", "url": "Observation/o1"})

    single = await ehr.call("PUT", "/Observation/o1", lab)
    whole = await ehr.call("POST", "", make.transaction(entry))

    assert [single.status_code, whole.status_code] == [status, status]
    assert single.json()["issue"][0]["expression"] == ["Observation.id"]
    assert not current_of(hub.engine)


@pytest.mark.conforms("R18")
@pytest.mark.parametrize("door", ["POST", "PUT", "batch", "transaction"])
async def test_the_same_delivery_twice_is_one_record_of_one_version(
    network: Network, hub: Hub, door: str
):
    """By its identifier, whatever the door and verb."""
    ehr = network.ehr()
    lab = make.lab(7.1, id="o1", identifier=[make.identifier("A1")])
    await ehr.post(lab)
    before = rows_of(hub.engine)

    if door in {"batch", "transaction"}:
        statuses = await ehr.send(make.bundle(door, make.post(lab)))
    else:
        answer = await (ehr.post(lab) if door == "POST" else ehr.put(lab))
        assert answer.headers["ETag"] == 'W/"1"'
        statuses = [str(answer.status_code)]

    assert statuses == ["200"]
    assert rows_of(hub.engine) == before


@pytest.mark.conforms("R18")
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


@pytest.mark.conforms("R16")
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


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param(
            "Claim/o1",
            404,
            marks=pytest.mark.conforms("R16", mutation="a type that is not kept"),
        ),
        pytest.param(
            f"Observation?identifier={make.MRN}|A1",
            400,
            marks=pytest.mark.conforms("R16", mutation="a condition in place of an id"),
        ),
        pytest.param(
            "Condition/o1",
            204,
            marks=pytest.mark.conforms("R16", mutation="the id of another type"),
        ),
    ],
)
async def test_a_deletion_takes_what_it_names_and_nothing_else(
    network: Network, hub: Hub, path: str, status: int
):
    """The Observation is there before and after."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1", identifier=[make.identifier("A1")]))

    response = await ehr.delete(path)

    assert response.status_code == status
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.conforms("R16")
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


@pytest.mark.conforms("R5")
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


@pytest.mark.conforms("R7")
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
@pytest.mark.conforms("R9")
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


@pytest.mark.conforms("R15")
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
@pytest.mark.conforms("R14")
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


@pytest.mark.conforms("R13")
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

"""What is refused, how, and that nothing of it stays or is repeated."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import Network, count_of

pytestmark = pytest.mark.anyio

CANARY = "Zq9canary7x"
LONELY = "00000000-0000-4000-8000-000000000000"


def without(resource: dict, *names: str) -> dict:
    return {name: value for name, value in resource.items() if name not in names}


def quantity(value: Any, unit: str) -> dict:
    return {"value": value, "unit": unit, "system": make.UCUM, "code": unit}


RESOURCES = [
    # resource, status, issue code, expression
    ({}, 400, "structure", "resourceType"),
    (make.condition(), 400, "structure", "resourceType"),
    (without(make.lab(7.1), "status"), 400, "required", "Observation.status"),
    (without(make.lab(7.1), "code"), 400, "required", "Observation.code"),
    (make.lab(7.1, status=CANARY), 400, "code-invalid", "Observation.status"),
    (make.lab(7.1, status="final "), 400, None, "Observation.status"),
    (make.lab(7.1, **{CANARY: 1}), 400, "structure", "Observation"),
    (
        make.lab(7.1, context={"reference": CANARY}),
        400,
        "structure",
        "Observation.context",
    ),
    (make.lab(7.1, comment=CANARY), 400, "structure", "Observation.comment"),
    (make.lab(7.1, component=[]), 400, "structure", "Observation.component"),
    (make.lab(7.1, note=[{"text": None}]), 400, "structure", "Observation.note[0]"),
    (make.lab(7.1, id=CANARY * 7), 400, None, "Observation.id"),
    (make.lab(7.1, effectiveDateTime=CANARY), 400, None, "Observation.effective"),
    (make.lab(7.1, effectiveDateTime="2024-02-30"), 400, None, "Observation.effective"),
    (make.lab(7.1, day="0001-01-01"), 422, "value", "Observation.effective"),
    (make.lab(7.1, day="2200-06-01"), 422, "value", "Observation.effective"),
    (make.lab(7.1, valueString=CANARY), 400, None, "Observation"),
    (
        make.lab(7.1, valueQuantity=quantity(7.1, CANARY)),
        422,
        "code-invalid",
        "Observation.value.ofType(Quantity).code",
    ),
    (make.lab(1e308), 400, "value", "Observation.value.ofType(Quantity).value"),
    (
        make.lab(7.1, valueQuantity=quantity(CANARY, "%")),
        400,
        "structure",
        "Observation.value",
    ),
    (without(make.lab(7.1), "subject"), 422, "required", "Observation.subject"),
    (
        make.lab(7.1, subject=make.reference(f"Device/{CANARY}")),
        422,
        "business-rule",
        "Observation.subject",
    ),
    (
        make.lab(7.1, subject=make.reference(CANARY + "!")),
        400,
        "value",
        "Observation.subject.reference",
    ),
    (
        make.lab(
            7.1, subject=make.reference(f"https://other.example/Patient/{CANARY}")
        ),
        422,
        "business-rule",
        "Observation.subject.reference",
    ),
    (
        make.lab(7.1, subject={"identifier": make.identifier(CANARY, "urn:other")}),
        422,
        "business-rule",
        "Observation.subject.identifier",
    ),
    (
        make.lab(7.1, subject=make.reference("Patient/hub-999")),
        422,
        "business-rule",
        "Observation.subject",
    ),
    (
        make.lab(7.1, encounter=make.reference(f"EpisodeOfCare/{CANARY}")),
        400,
        "value",
        "Observation.encounter",
    ),
    (make.lab(7.1, status="corrected"), 422, "business-rule", "Observation.status"),
    (make.lab(7.1, status="amended"), 422, "business-rule", "Observation.status"),
    (
        make.lab(7.1, status="entered-in-error"),
        422,
        "business-rule",
        "Observation.status",
    ),
    (
        make.lab(
            7.1,
            meta={
                "tag": [
                    {
                        "system": "https://catchment.example/fhir/tag",
                        "code": "deidentified",
                    }
                ]
            },
        ),
        422,
        "business-rule",
        "Observation.meta.tag",
    ),
    (make.lab(7.1, id="hub-7"), 422, "business-rule", "Observation.id"),
    (
        make.lab(7.1, modifierExtension=[{"url": "urn:x", "valueString": CANARY}]),
        422,
        "business-rule",
        "Observation.modifierExtension",
    ),
]


@pytest.mark.parametrize(
    "row", RESOURCES, ids=[f"{i}-{row[3]}" for i, row in enumerate(RESOURCES)]
)
@pytest.mark.conforms("R2", mutation="one element of a valid Observation")
async def test_a_resource_that_cannot_be_taken_is_refused_by_every_door(
    network: Network, hub: Hub, row: tuple
):
    """One verdict whatever the door: status, issue, place; nothing kept or echoed."""
    resource, status, code, expression = row
    ehr = network.ehr()
    before = count_of(hub.engine)
    entry = {"resource": resource, "request": {"method": "POST", "url": "Observation"}}

    alone = await ehr.call("POST", "/Observation", resource)
    batch = await ehr.call("POST", "", make.batch(entry))
    transaction = await ehr.call("POST", "", make.transaction(entry))

    answer = batch.json()["entry"][0]["response"]
    statuses = [alone.status_code, int(answer["status"]), transaction.status_code]
    assert statuses == [status] * 3, alone.text
    in_a_bundle = expression.replace("Observation", "Bundle.entry[0].resource", 1)
    for outcome, place in (
        (alone.json(), expression),
        (answer["outcome"], in_a_bundle),
        (transaction.json(), in_a_bundle),
    ):
        assert outcome["resourceType"] == "OperationOutcome"
        issue = outcome["issue"][0]
        assert code in {None, issue["code"]}
        if "resourceType" not in expression:
            assert issue["expression"][0].startswith(place)
    assert CANARY not in f"{alone.text} {batch.text} {transaction.text}"
    assert count_of(hub.engine) == before


KNOWN_ONLY_TO_THE_STORE = ("hub-999", "corrected", "amended", "entered-in-error")


@pytest.mark.parametrize(
    "row",
    [r for r in RESOURCES if not any(w in str(r[0]) for w in KNOWN_ONLY_TO_THE_STORE)],
    ids=lambda row: row[3],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_validate_finds_what_a_create_would_refuse(network: Network, row: tuple):
    """$validate answers 200 with the issue that a create would give."""
    resource, _, code, expression = row
    ehr = network.ehr()

    response = await ehr.call("POST", "/Observation/$validate", resource)

    assert response.status_code == 200
    issue = response.json()["issue"][0]
    assert code in {None, issue["code"]}
    assert issue["expression"][0].startswith(expression)
    assert CANARY not in response.text


BODIES = [
    # body, status, issue code
    (b"", 400, "structure"),
    (
        b'{"resourceType": "Observation", "status": "' + CANARY.encode(),
        400,
        "structure",
    ),
    (b"\xef\xbb\xbf" + json.dumps(make.lab(7.1)).encode(), 400, "structure"),
    (b'{"resourceType":"Observation","status":"final","status":"x"}', 400, "structure"),
    (b"[" * 1000 + b"]" * 1000, 400, "structure"),
    (b'{"a":' * 1000 + b"1" + b"}" * 1000, 400, "structure"),
    (b'{"resourceType":"Observation","x":"\xff"}', 400, "structure"),
    (b'{"resourceType":"Observation","x":NaN}', 400, "structure"),
    (b'{"resourceType":"Observation","x":1e999}', 400, "structure"),
    (b'{"resourceType":"Observation","x":' + b"9" * 5000 + b"}", 400, "structure"),
    (b'"' + CANARY.encode() + b'"', 400, "structure"),
    (b"null", 400, "structure"),
]


@pytest.mark.parametrize("row", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.conforms("R2", mutation="the body is no JSON object")
async def test_a_body_that_is_no_json_object_is_refused(
    network: Network, hub: Hub, row: tuple
):
    """400 with an OperationOutcome that quotes nothing of the body, at every door."""
    body, status, code = row
    ehr = network.ehr()
    before = count_of(hub.engine)

    for path in ("/Observation", "", "/$de-identify", "/Observation/$validate"):
        response = await ehr.call("POST", path, body)

        assert response.status_code == status
        assert response.json()["issue"][0]["code"] == code
        assert CANARY not in response.text
    assert count_of(hub.engine) == before


REQUESTS = [
    # method, path, headers, status, issue code
    ("POST", "/Claim", {}, 404, "not-found"),
    ("POST", f"/{CANARY}", {}, 404, "not-found"),
    ("PUT", "/Claim/c1", {}, 404, "not-found"),
    ("GET", "/Claim/c1", {}, 404, "not-found"),
    ("DELETE", "/Claim/c1", {}, 404, "not-found"),
    ("GET", f"/Observation/{CANARY}", {}, 404, "not-found"),
    ("GET", f"/Observation?code={CANARY}", {}, 400, "not-supported"),
    ("GET", f"/Observation/o1/_history/{CANARY}", {}, 404, "not-found"),
    ("PATCH", "/Observation/o1", {}, 405, "not-supported"),
    ("DELETE", f"/Observation?identifier={CANARY}", {}, 400, "not-supported"),
    ("POST", "/Observation/o1", {}, 405, "not-supported"),
    ("POST", f"/Observation?x={CANARY}", {}, 400, "not-supported"),
    (
        "POST",
        "/Observation",
        {"Content-Type": "application/xml"},
        415,
        "unsupported-media",
    ),
    ("POST", "/Observation", {"Content-Type": "text/plain"}, 415, "unsupported-media"),
    (
        "POST",
        "/Observation",
        {"Content-Type": "application/fhir+json; charset=latin-1"},
        415,
        "unsupported-media",
    ),
    (
        "POST",
        "/Observation",
        {"Content-Type": "application/fhir+json; fhirVersion=3.0"},
        415,
        "unsupported-media",
    ),
    ("POST", "/Observation", {"Content-Encoding": "br"}, 415, "unsupported-media"),
    ("POST", "/Observation", {"Content-Encoding": "gzip"}, 415, "unsupported-media"),
    ("POST", "/Observation", {"Accept": "application/fhir+xml"}, 406, "not-acceptable"),
    ("POST", "/Observation", {"If-None-Exist": f"code={CANARY}"}, 400, "not-supported"),
    (
        "POST",
        "/Observation",
        {"If-None-Exist": f"identifier={CANARY}"},
        400,
        "not-supported",
    ),
    (
        "POST",
        "/Observation",
        {"If-None-Exist": f"identifier=urn:x|{CANARY}"},
        422,
        "business-rule",
    ),
    ("PUT", f"/Observation/{CANARY}", {}, 400, "structure"),
    ("PUT", f"/Observation?code={CANARY}", {}, 400, "not-supported"),
    ("PUT", "/Observation", {}, 400, "structure"),
    ("PUT", "/Observation/o1", {"If-Match": CANARY}, 400, "structure"),
    ("PUT", "/Observation/o1", {"If-None-Match": 'W/"1"'}, 400, "not-supported"),
]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("row", REQUESTS, ids=[f"{r[0]} {r[1]}" for r in REQUESTS])
@pytest.mark.conforms("R2", mutation="a request that is not supported")
@pytest.mark.conforms("R6", mutation="a condition that is not supported")
async def test_a_request_that_is_not_supported_is_refused(
    network: Network, hub: Hub, row: tuple
):
    """Never ignored in silence (R6), always as an OperationOutcome."""
    method, path, headers, status, code = row
    ehr = network.ehr()
    before = count_of(hub.engine)
    has_body = method not in {"GET", "DELETE"}
    own_id = {"id": "o1"} if method == "PUT" else {}

    response = await ehr.call(
        method,
        path,
        make.lab(7.1, **own_id) if has_body else None,
        **{name.replace("-", "_"): value for name, value in headers.items()},
    )

    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/fhir+json"
    assert response.json()["issue"][0]["code"] == code
    assert CANARY not in response.text
    assert count_of(hub.engine) == before


BUNDLES = [
    # Bundle, status, issue code, expression
    (make.bundle("collection"), 422, "business-rule", "Bundle.type"),
    (make.bundle("searchset"), 422, "business-rule", "Bundle.type"),
    (make.bundle(CANARY), 400, None, "Bundle.type"),
    ({"resourceType": "Bundle"}, 400, "required", "Bundle.type"),
    (
        {"resourceType": "Bundle", "type": "batch", "entry": {}},
        400,
        "structure",
        "entry",
    ),
    (make.transaction(CANARY), 400, "structure", "Bundle.entry[0]"),
    (make.transaction({"resource": make.lab(1)}), 400, "structure", "entry[0].request"),
    (
        make.transaction({"resource": make.lab(1), "request": {"method": "POST"}}),
        400,
        "structure",
        "entry[0].request.url",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"method": ["POST"]})),
        400,
        "structure",
        "entry[0].request.method",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"method": "PATCH"})),
        400,
        "not-supported",
        "entry[0].request.method",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"url": "Condition"})),
        400,
        "structure",
        "entry[0].request.url",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"url": f"/x/{CANARY}"})),
        400,
        "structure",
        "entry[0].request.url",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"ifNoneExist": 5})),
        400,
        "structure",
        "entry[0].request.ifNoneExist",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"ifNoneExist": CANARY})),
        400,
        "not-supported",
        "entry[0].request",
    ),
    (
        make.transaction(make.post(make.lab(1), request={"url": "Observation?x=1"})),
        400,
        "not-supported",
        "entry[0].request.url",
    ),
    (
        make.transaction(
            make.put(make.lab(1, id="o1"), request={"ifMatch": 'W/"1"'}),
        ),
        412,
        "precondition",
        "Bundle.entry[0].resource",
    ),
    (
        make.transaction(make.put(make.lab(1, id="a")), make.put(make.lab(2, id="a"))),
        422,
        "value",
        "Bundle.entry[1].resource",
    ),
    (
        make.transaction(
            make.put(make.lab(1, id="a")),
            make.post(make.lab(1, subject=make.reference(f"urn:uuid:{LONELY}x!"))),
        ),
        422,
        "value",
        "Bundle.entry[1].resource.subject.reference",
    ),
    (
        make.transaction(
            make.post(make.lab(1), fullUrl=f"urn:uuid:{LONELY}"),
            make.post(make.lab(2, subject=make.reference(f"urn:uuid:{LONELY}"))),
        ),
        422,
        "business-rule",
        "Bundle.entry[1].resource.subject",
    ),
    (
        make.bundle("transaction", *[make.post(make.lab(1))] * 5001),
        413,
        "too-long",
        "Bundle.entry",
    ),
]


@pytest.mark.parametrize("row", BUNDLES, ids=range(len(BUNDLES)))
@pytest.mark.conforms("R11", mutation="one thing about an entry")
async def test_a_transaction_is_refused_whole_and_says_where(
    network: Network, hub: Hub, row: tuple
):
    """One OperationOutcome that names the entry (R11); no entry is stored."""
    bundle, status, code, expression = row
    ehr = network.ehr()
    before = count_of(hub.engine)

    response = await ehr.call("POST", "", bundle)

    assert response.status_code == status, response.text
    issue = response.json()["issue"][0]
    assert code in {None, issue["code"]}
    assert expression in issue["expression"][0]
    assert CANARY not in response.text
    assert count_of(hub.engine) == before


async def endless(read: list[int]) -> AsyncIterator[bytes]:
    """Yield 100 MB in pieces of 1 MB; *read* counts those that were asked for."""
    for number in range(100):
        read.append(number)
        yield b" " * 1_000_000


@pytest.mark.parametrize("path", ["/fhir", "/fhir/Observation", "/oauth/token"])
@pytest.mark.conforms("R17", mutation="a body over the limit")
async def test_a_body_over_the_limit_is_not_read_to_its_end(network, client, path: str):
    """413 at 32 MB, though no Content-Length announced more."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    read: list[int] = []

    response = await client.post(
        path,
        content=endless(read),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        },
    )

    assert response.status_code == 413
    assert len(read) < 40


@pytest.mark.conforms("R17", mutation="a body announced over the limit")
async def test_a_body_announced_over_the_limit_is_not_read_at_all(network, client):
    """413 by Content-Length alone."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    read: list[int] = []

    response = await client.post(
        "/fhir/Observation",
        content=endless(read),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Length": "100000000",
        },
    )

    assert response.status_code == 413
    assert len(read) <= 1


@pytest.mark.conforms("R2")
async def test_each_fault_is_named_by_its_place(network: Network):
    """Several at once, as FHIRPath; in a Bundle from the Bundle down."""
    ehr = network.ehr()
    bad = without(make.lab(7.1, status=CANARY), "code")

    alone = await ehr.post(bad)
    whole = await ehr.call(
        "POST", "", make.batch(make.post(make.lab(1)), make.post(bad))
    )

    issues = {tuple(i["expression"]) for i in alone.json()["issue"]}
    assert issues == {("Observation.status",), ("Observation.code",)}
    inner = whole.json()["entry"][1]["response"]["outcome"]["issue"]
    assert {tuple(i["expression"]) for i in inner} == {
        ("Bundle.entry[1].resource.status",),
        ("Bundle.entry[1].resource.code",),
    }


@pytest.mark.conforms("R17", mutation="a gzip over the limit")
async def test_a_bomb_of_gzip_is_not_unpacked_to_its_end(network: Network):
    """A hundred megabytes of blanks are a hundred kilobytes of gzip."""
    ehr = network.ehr()
    bomb = gzip.compress(b" " * 100_000_000, compresslevel=1)

    response = await ehr.call("POST", "/Observation", bomb, Content_Encoding="gzip")

    assert response.status_code == 413


async def test_half_a_gzip_is_refused(network: Network):
    """What ends too early is not taken for whole."""
    ehr = network.ehr()
    whole = gzip.compress(json.dumps(make.lab(7.1)).encode())

    cut = await ehr.call("POST", "/Observation", whole[:-9], Content_Encoding="gzip")
    fine = await ehr.call("POST", "/Observation", whole, Content_Encoding="gzip")

    assert [cut.status_code, fine.status_code] == [415, 201]

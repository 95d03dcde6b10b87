"""The CapabilityStatement says all that the FHIR routes do, and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationdefinition import OperationDefinition
from starlette.routing import Match

from app.domain.records import RecordType
from app.routers import bulk_submit, fhir, fhir_measures, imports, operations
from app.routers.fhir_interactions import EXAMPLES
from app.routers.job_answers import NDJSON
from app.services.bundles import MAX_ENTRIES
from app.services.hub import Hub
from app.services.registry import CLINIC_SCOPES
from app.settings import Settings
from tests import make
from tests.api.test_counting import count, diabetic
from tests.conftest import ROOT
from tests.hubs import BASE_URL, Caller, Network

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

FHIR = f"{BASE_URL}/fhir"
A1 = f"identifier={make.MRN}|A1"
MADE: dict[str, Callable[[int], dict]] = {
    "Observation": make.lab,
    "Condition": lambda n: make.condition(onsetDateTime=f"200{n}"),
    "Patient": lambda n: make.patient(birthDate=f"200{n}"),
    "Encounter": lambda n: make.encounter(period={"start": f"200{n}"}),
    "MeasureReport": lambda n: make.summary_report(n, 100, year=2010 + n),
}
"""Resources of each type, as different as their numbers."""
SERVED = {"Measure": "hba1c-poor-control", "OperationDefinition": "validate"}
"""What can be read of the types that the hub gives out and never takes."""
JANUARY = "periodStart=2026-01&periodEnd=2026-01&reporter=Organization/alpha"
ASKED = {
    "evaluate-measure": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "periodStart", "valueDate": "2026-01"},
            {"name": "periodEnd", "valueDate": "2026-01"},
            {"name": "reporter", "valueString": "Organization/alpha"},
        ],
    },
    "patient-status": {
        "resourceType": "Parameters",
        "parameter": [{"name": "patient", "valueString": "Patient/a"}],
    },
}
ONLY_REFUSE = {"search", "withdraw_conditionally", "read_version"}
"""Routes that are there to say why not; there is nothing to declare of them."""

OF_JOBS = {
    *("ask_for_offset", "read_status", "read_outcomes", "cancel"),
    *("read_submission", "dismiss_submission", "read_submission_outcomes"),
    *("read_submission_output", "read_submission_deletions"),
    "read_submission_measures",
}
"""Routes about a delivery in bulk, which the operation that takes it tells of."""

OF_ONE_RECORD = {"purge"}
OF_NAMES = {"trace"}
IN_BULK = {"import"}
SUBMITTED: dict[str, tuple[Any, int]] = {
    "bulk-submit": (EXAMPLES["SubmissionParameters"], 200),
    "bulk-submit-status": (EXAMPLES["SubmissionStatusParameters"], 202),
}
"""Operations on a record's path, those that take no resource, and those for NDJSON."""
ROUTES = [
    route
    for router in (
        operations.router,
        imports.router,
        bulk_submit.router,
        fhir_measures.router,
        fhir.router,
    )
    for route in router.routes
    if isinstance(route, APIRoute)
]

Call = tuple[str, str, dict | None, dict[str, str], int]
"""Method, path under the base, body, headers, and the status that shows it works."""


async def statement_of(http: httpx.AsyncClient) -> dict[str, Any]:
    response = await http.get("/fhir/metadata")
    assert response.status_code == 200
    statement: dict[str, Any] = response.json()
    return statement


def conditionals(name: str, declared: dict) -> Iterator[Call]:
    """Yield the call that shows each conditional interaction a type declares."""
    body = MADE[name](3)
    if declared.get("conditionalCreate"):
        yield "POST", f"/{name}", body, {"If_None_Exist": A1}, 201
        yield "POST", f"/{name}?{A1}", body, {}, 200
    if declared.get("conditionalUpdate"):
        yield "PUT", f"/{name}?{A1}", body, {}, 200
    # A version may be demanded, and need not be: that would be "versioned-update".
    assert declared["versioning"] == "versioned"
    named = MADE[name](2) | {"id": "x1"}
    yield "PUT", f"/{name}/x1", named, {"If_Match": 'W/"9"'}, 412
    yield "PUT", f"/{name}/x1", named, {}, 200
    refused = declared.get("conditionalDelete", "not-supported") == "not-supported"
    if refused:
        yield "DELETE", f"/{name}?{A1}", None, {}, 400


def interactions(name: str, declared: dict) -> Iterator[Call]:
    """Yield the call that shows each interaction a type declares."""
    codes = {each["code"] for each in declared["interaction"]}
    driven = {"create", "update", "read", "delete", "search-type"}
    assert codes <= driven, "not driven below"
    if "create" in codes:
        yield "POST", f"/{name}", MADE[name](1), {}, 201
    if "update" in codes:
        created = 201 if declared["updateCreate"] else 405
        yield "PUT", f"/{name}/x1", MADE[name](2) | {"id": "x1"}, {}, created
    if "read" in codes:
        yield "GET", f"/{name}/x1", None, {}, 200
        if declared["conditionalRead"] == "not-match":
            yield "GET", f"/{name}/x1", None, {"If_None_Match": 'W/"1"'}, 304
    yield from conditionals(name, declared)
    for operation in declared.get("operation", ()):
        at = "/x9" if operation["name"] in OF_ONE_RECORD else ""
        yield "POST", f"/{name}{at}/${operation['name']}", MADE[name](4), {}, 200
    if "delete" in codes:
        yield "DELETE", f"/{name}/x1", None, {}, 204
    # Known to FHIR, and not declared: refused, never half done.
    for code, path in (
        ("search-type", f"/{name}?code=x"),
        ("vread", f"/{name}/x1/_history/1"),
        ("history-instance", f"/{name}/x1/_history"),
    ):
        if code not in codes:
            yield "GET", path, None, {}, 404 if "history" in path else 400


def declared_calls(statement: dict, *, report: str = "r1") -> Iterator[Call]:
    """Yield a call for everything that the statement declares; *report* can be read."""
    read = SERVED | {"MeasureReport": report}
    rest = statement["rest"][0]
    yield "GET", "/metadata", None, {}, 200
    for interaction in rest["interaction"]:
        yield "POST", "", make.bundle(interaction["code"]), {}, 200
    for operation in rest["operation"]:
        asks = {"resourceType": "Parameters"}
        body = asks if operation["name"] in OF_NAMES else make.lab(7.1)
        is_bulk = operation["name"] in IN_BULK
        if operation["name"] in SUBMITTED:
            stated, status = SUBMITTED[operation["name"]]
            yield "POST", f"/${operation['name']}", stated, {}, status
            continue
        headers = {"Content_Type": NDJSON} if is_bulk else {}
        yield "POST", f"/${operation['name']}", body, headers, 202 if is_bulk else 200
    for declared in rest["resource"]:
        if declared["type"] in MADE:
            yield from interactions(declared["type"], declared)
        if declared["type"] in read:
            at = f"/{declared['type']}/{read[declared['type']]}"
            yield from given_out(declared["type"], declared, at=at)


def given_out(name: str, declared: dict, *, at: str) -> Iterator[Call]:
    """Yield the call that shows each interaction with a type that the hub makes."""
    codes = {each["code"] for each in declared["interaction"]}
    assert name in MADE or codes <= {"read", "search-type"}, "not driven below"
    if "read" in codes:
        yield "GET", at, None, {}, 200
    if "search-type" in codes:
        yield "GET", f"/{name}", None, {}, 200
        yield "GET", f"/{name}?unheard-of=x", None, {}, 400
    for parameter in declared.get("searchParam", ()):
        yield "GET", f"/{name}?{parameter['name']}=2024", None, {}, 200
    for operation in declared.get("operation", ()):
        if name in MADE:
            continue  # driven with what is taken of the type
        path = f"{at}/${operation['name']}"
        yield "POST", path, ASKED[operation["name"]], {}, 200
        if operation["name"] == "evaluate-measure":
            yield "GET", f"{path}?{JANUARY}", None, {}, 200


def route_of(method: str, path: str) -> str:
    """Return the name of the route that takes a call."""
    scope = {
        "type": "http",
        "method": method,
        "path": f"/fhir{path.partition('?')[0]}",
        "root_path": "",
        "headers": [],
    }
    return next(route.name for route in ROUTES if route.matches(scope)[0] is Match.FULL)


@pytest.mark.conforms("R13")
async def test_everything_that_is_declared_answers(hub: Hub, network: Network):
    """Each interaction, condition and operation is driven over HTTP."""
    ehr = network.ehr(scopes=(*CLINIC_SCOPES, "system/purge"))
    await ehr.send(make.batch(*diabetic("a")))
    count(hub)
    statement = await statement_of(ehr.http)
    evaluated = f"Measure/{SERVED['Measure']}/$evaluate-measure?{JANUARY}"
    report = (await ehr.read(evaluated)).json()["id"]
    calls = declared_calls(statement, report=report)

    wrong = [
        (method, path, response.status_code, response.text)
        for method, path, body, headers, status in calls
        if (response := await ehr.call(method, path, body, **headers)).status_code
        != status
    ]

    assert not wrong
    assert {r["type"] for r in statement["rest"][0]["resource"]} == {
        *(type_.fhir_name for type_ in RecordType),
        *SERVED,
        "MeasureReport",
    }


@pytest.mark.conforms("R13", mutation="a route that nothing declares")
async def test_every_route_is_declared(network: Network):
    """A route that is added and not declared makes this red."""
    statement = await statement_of(network.ehr().http)

    shown = {route_of(method, path) for method, path, *_ in declared_calls(statement)}

    routes = {route.name for route in ROUTES}
    assert routes - shown - ONLY_REFUSE - OF_JOBS == set()
    assert shown <= routes


async def test_a_route_that_nobody_declares_is_found(network: Network):
    """The search can fail: an operation of which the statement says nothing."""
    statement = await statement_of(network.ehr().http)
    statement["rest"][0]["operation"] = []

    shown = {route_of(method, path) for method, path, *_ in declared_calls(statement)}

    assert "deidentify" not in shown


@pytest.mark.conforms("R13")
async def test_it_is_valid_fhir_of_the_right_version(client: httpx.AsyncClient):
    """4.0.1 and JSON, open to all, with the way to a token."""
    statement = await statement_of(client)

    CapabilityStatement.model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["format"] == ["json", "application/fhir+json"]
    (extension,) = statement["rest"][0]["security"]["extension"]
    assert extension["url"].endswith("oauth-uris")
    assert {e["url"]: e["valueUri"] for e in extension["extension"]} == {
        "token": f"{BASE_URL}/oauth/token",
        "register": f"{BASE_URL}/oauth/register",
    }


@pytest.mark.conforms("R13")
async def test_who_has_it_already_is_not_sent_it_again(client: httpx.AsyncClient):
    """Its ETag changes with what it says, and with nothing else."""
    first = await client.get("/fhir/metadata")
    etag = first.headers["ETag"]

    same = await client.get("/fhir/metadata", headers={"If-None-Match": etag})
    other = await client.get("/fhir/metadata", headers={"If-None-Match": 'W/"x"'})

    assert [same.status_code, other.status_code] == [304, 200]
    assert other.headers["ETag"] == etag


async def test_each_operation_has_a_definition_that_is_served(network: Network):
    """Whoever follows the link of an operation learns what it takes and gives."""
    http = network.ehr().http
    rest = (await statement_of(http))["rest"][0]
    at_types = {
        (each["name"], each["definition"], declared["type"])
        for declared in rest["resource"]
        for each in declared.get("operation", ())
    }
    at_base = {(each["name"], each["definition"], None) for each in rest["operation"]}

    for name, url, type_ in at_types | at_base:
        assert url.startswith(f"{FHIR}/")
        response = await http.get(url)
        assert response.status_code == 200
        definition = response.json()
        OperationDefinition.model_validate(definition)
        assert (definition["url"], definition["code"]) == (url, name)
        assert definition["system"] == (type_ is None)
        assert type_ is None or type_ in definition["resource"]
    assert (await http.get(f"{FHIR}/OperationDefinition/x")).status_code == 404


@pytest.mark.conforms("R17")
async def test_the_limits_are_stated_and_hold(
    client: httpx.AsyncClient, settings: Settings, network: Network
):
    """In the statement and on the page for engineers; and beyond them 413."""
    text = (await statement_of(client))["rest"][0]["documentation"]
    ehr: Caller = network.ehr()
    entry = make.post({"resourceType": "Claim"})

    most = await ehr.call("POST", "", make.batch(*[entry] * MAX_ENTRIES))
    over = await ehr.call("POST", "", make.batch(*[entry] * (MAX_ENTRIES + 1)))

    page = (ROOT / "docs/fhir-interface.md").read_text()
    for limit in (
        settings.max_body_bytes,
        MAX_ENTRIES,
        settings.client_burst_resources,
    ):
        assert f"{limit:,}" in page
    assert f"{settings.max_body_bytes} bytes" in text
    assert f"{MAX_ENTRIES} entries" in text
    assert [most.status_code, over.status_code] == [200, 413]
    assert over.json()["issue"][0]["expression"] == ["Bundle.entry"]

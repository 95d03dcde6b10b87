"""The published OpenAPI document is the real one, and fit to generate clients from."""

import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.routers import bodies, fhir, imports, webhooks
from app.routers.fhir_interactions import INTERACTIONS
from openapi import freeze
from tests.conftest import ROOT
from tests.hubs import Network

DOCUMENT = json.loads(freeze.DOCUMENT.read_text())
FHIR = json.loads(freeze.FHIR_DOCUMENT.read_text())
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def operations(prefix: str = "/") -> list[tuple[str, dict]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if path.startswith(prefix)
    ]


def responses(prefix: str = "/") -> Iterator[tuple[str, str, dict]]:
    for name, operation in operations(prefix):
        for status, response in operation["responses"].items():
            yield name, status, response


def test_the_published_document_is_the_real_one():
    """What partners generate clients from is what is served (``make openapi``)."""
    assert freeze.document() == freeze.DOCUMENT.read_text()


def test_the_published_document_of_fhir_is_the_real_one():
    """It is written from the routes; the file shows a change of them in a review."""
    assert freeze.document_of_fhir() == freeze.FHIR_DOCUMENT.read_text()


def test_the_document_has_the_version_of_the_project():
    """A client can be told from another by the hub it was made for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    client = tomllib.loads((freeze.CLIENT.parent / "pyproject.toml").read_text())

    assert DOCUMENT["info"]["version"] == project["version"]
    assert FHIR["info"]["version"] == project["version"]
    assert client["project"]["version"] == project["version"]


def test_every_operation_has_a_name_a_tag_and_a_summary():
    """Functions, modules and docstrings of a generated client are made of them."""
    for name, operation in operations():
        assert operation["operationId"].isidentifier(), name
        assert operation["tags"], name
        assert operation["summary"], name


def test_no_two_operations_have_one_name():
    """One of them would be lost from a generated client."""
    names = [operation["operationId"] for _, operation in operations()]

    assert len(set(names)) == len(names)


def test_every_response_has_one_media_type():
    """Generators lose the model of a response that comes in two."""
    for name, status, response in responses():
        assert len(response["content"]) == 1, (name, status)


def test_every_refusal_is_a_problem():
    """So a client reads errors by one model; those of parameters among them."""
    refusal = {"application/problem+json": {"schema": PROBLEM}}

    for name, status, response in responses("/v1"):
        is_answer = status in {"200", "201"}
        assert (response["content"] == refusal) != is_answer, (name, status)


def test_the_422_of_the_framework_is_not_announced():
    """Invalid parameters are answered with 400; 422 is of an element of a body."""
    bodies = {name for name, operation in operations() if "requestBody" in operation}
    unfit = {name for name, status, _ in responses() if status == "422"}

    assert unfit <= bodies
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


def test_fhir_has_a_document_of_its_own():
    """FHIR describes itself in its CapabilityStatement; here it would explode."""
    assert not [path for path in DOCUMENT["paths"] if path.startswith("/fhir")]


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_fhir_is_described_to_whoever_asks(client: httpx.AsyncClient):
    """Without a token, as the CapabilityStatement is."""
    answer = await client.get("/fhir/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == FHIR


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/fhir"),
        ("post", "/fhir/$de-identify"),
        ("post", "/fhir/{type_name}"),
        ("put", "/fhir/{type_name}/{own_id}"),
        ("post", "/fhir/{type_name}/$validate"),
    ],
)
async def test_what_the_document_shows_can_be_sent(
    network: Network, method: str, path: str
):
    """An example is the first thing that a reader tries."""
    ehr = network.ehr()
    operation = FHIR["paths"][path][method]
    values = {
        parameter["name"]: parameter["schema"]["examples"][0]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path"
    }
    for media_type, sent in operation["requestBody"]["content"].items():
        answer = await ehr.call(
            method,
            path.removeprefix("/fhir").format(**values),
            sent["example"],
            Content_Type=media_type,
        )

        assert answer.status_code in {200, 201}, answer.text
        assert '"error"' not in answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_route_of_fhir_is_in_its_document(app: FastAPI):
    """Whoever adds a route describes it, if only by what it asks for."""
    served = {
        (context.path_format, method.lower())
        for context in iter_route_contexts(app.routes)
        if f"{context.path}/".startswith("/fhir/")
        for method in context.methods or ()
    }

    described = {
        (path, method) for path, methods in FHIR["paths"].items() for method in methods
    }
    assert served == described
    assert len(served) >= 13


def test_every_route_of_fhir_that_is_told_of_by_name_is_there():
    """A route that was renamed would be described as any other."""
    names = {
        operation["operationId"]
        for methods in FHIR["paths"].values()
        for operation in methods.values()
    }

    assert names >= set(INTERACTIONS)


def test_no_two_operations_of_fhir_have_one_name():
    """One route may have several methods and paths, each an operation of its own."""
    names = [
        operation["operationId"]
        for methods in FHIR["paths"].values()
        for operation in methods.values()
    ]

    assert len(set(names)) == len(names)


def test_what_a_fhir_route_reads_of_the_headers_is_described():
    """A header that nobody knows of is of no use; HTTP's own need no word."""
    of_http = {
        "Accept",
        "Authorization",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
    }
    read = {
        name
        for module in (bodies, fhir, imports, webhooks)
        for name in re.findall(
            r'(?:headers\.get\(|header_of\(request,)\s*"([\w-]+)"',
            inspect.getsource(module),
        )
    }

    described = {
        parameter["name"]
        for methods in FHIR["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert read - of_http == described


def test_fhir_needs_a_token_but_for_what_describes_it_or_is_signed():
    """The document says of each operation whether one is asked for; so does the hub."""
    open_paths = {
        path
        for path, methods in FHIR["paths"].items()
        for operation in methods.values()
        if not operation.get("security")
    }

    assert open_paths == {
        "/fhir/.well-known/smart-configuration",
        "/fhir/OperationDefinition/{code}",
        "/fhir/metadata",
        "/fhir/openapi.json",
        "/fhir/webhooks/{webhook_name}",
    }


def test_everything_under_v1_needs_a_token():
    """Generated clients then ask for one."""
    for name, operation in operations():
        needs_token = operation.get("security") == [{"token": []}]
        assert needs_token == ("/v1/" in name), name


def test_the_client_is_generated_from_the_document(tmp_path: Path):
    """No one edited it, and no change of the interface was left out."""
    fresh = tmp_path / "catchment_client"
    freeze.write_client(freeze.DOCUMENT, fresh)

    assert texts(fresh) == texts(freeze.CLIENT)


def texts(package: Path) -> dict[str, str]:
    return {
        path.relative_to(package).as_posix(): path.read_text()
        for path in package.rglob("*.py")
    }

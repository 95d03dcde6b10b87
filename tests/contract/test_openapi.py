"""The published OpenAPI document is the real one, and fit to generate clients from."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from openapi import freeze
from tests.conftest import ROOT

DOCUMENT = json.loads(freeze.DOCUMENT.read_text())
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


def test_the_document_has_the_version_of_the_project():
    """A client can be told from another by the hub it was made for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    client = tomllib.loads((freeze.CLIENT.parent / "pyproject.toml").read_text())

    assert DOCUMENT["info"]["version"] == project["version"]
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
        assert (response["content"] == refusal) == (status != "200"), (name, status)


def test_the_422_of_the_framework_is_not_announced():
    """Invalid parameters are answered with 400, and never quoted."""
    assert "422" not in {status for _, status, _ in responses()}
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


def test_fhir_has_a_document_of_its_own():
    """FHIR describes itself in its CapabilityStatement; here it would explode."""
    assert not [path for path in DOCUMENT["paths"] if path.startswith("/fhir")]


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

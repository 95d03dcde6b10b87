"""The interface for programs, told to people, from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from app.routers.templates import page

JSON = "application/json"

router = APIRouter(include_in_schema=False)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter, or a member of an answer."""

    name: str
    kind: str
    required: bool
    words: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the interface."""

    method: str
    path: str
    name: str
    words: str
    parameters: tuple[Field, ...]
    answer: tuple[Field, ...]
    statuses: tuple[str, ...]


@router.get("/docs")
def show_interface(request: Request) -> Response:
    """Show every call of the REST interface."""
    document = request.app.openapi()
    return page(
        "interface.html",
        version=document["info"]["version"],
        rooms=_by_tag(document),
    )


def _by_tag(document: Mapping[str, Any]) -> dict[str, list[Operation]]:
    """Return the calls of each part of the interface."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, stated in methods.items():
            made = _operation(document, method, path, stated)
            found.setdefault(stated["tags"][0], []).append(made)
    return found


def _operation(
    document: Mapping[str, Any], method: str, path: str, stated: Mapping[str, Any]
) -> Operation:
    statuses = tuple(stated["responses"])
    return Operation(
        method=method.upper(),
        path=path,
        name=stated["operationId"],
        words=stated.get("description", ""),
        parameters=tuple(
            _field(each["name"], each["schema"], each) for each in _parameters(stated)
        ),
        answer=tuple(_members(document, stated["responses"][statuses[0]])),
        statuses=statuses,
    )


def _parameters(stated: Mapping[str, Any]) -> list[Any]:
    return list(stated.get("parameters", ()))


def _members(
    document: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[Field]:
    """Yield the members of an answer that has a name."""
    schema = response.get("content", {}).get(JSON, {}).get("schema", {})
    named = schema.get("$ref")
    if named is None:
        return
    stated = document["components"]["schemas"][_name_of(named)]
    required = stated.get("required", ())
    for name, member in stated.get("properties", {}).items():
        yield _field(name, member, member | {"required": name in required})


def _field(name: str, schema: Mapping[str, Any], stated: Mapping[str, Any]) -> Field:
    return Field(
        name=name,
        kind=_kind(schema),
        required=bool(stated.get("required")),
        words=stated.get("description", ""),
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """Return what a value is, as people say it."""
    if "$ref" in schema:
        return _name_of(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def _name_of(reference: str) -> str:
    return reference.rpartition("/")[2]

"""The FHIR interface as an OpenAPI document of its own, written from its routes."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts

from app.fhir.outcomes import HTTP_STATUS
from app.routers.bodies import ACCEPTED, read_fhir_body
from app.routers.dependencies import (
    BEARER,
    find_caller,
    find_paying_caller,
    find_waiting_room,
    new_write_session,
)
from app.routers.fhir import find_kept_type
from app.routers.fhir_interactions import (
    ANSWERED,
    EXAMPLES,
    INTERACTIONS,
    JSON,
    PARAMETERS,
    SCHEMAS,
    TEXT,
    Interaction,
    Json,
    parameter,
)
from app.routers.outcomes import FHIR_JSON

DOCUMENT_PATH = "/fhir/openapi.json"

router = APIRouter(tags=["description"], include_in_schema=False)


@router.get(DOCUMENT_PATH)
def describe_fhir(request: Request) -> Json:
    """Return this document."""
    return fhir_document(request.app)


BY_DEPENDENCY: dict[Callable[..., Any], tuple[int, ...]] = {
    find_caller: (401, 403, 429),
    find_paying_caller: (401, 403, 429),
    find_kept_type: (404,),
    new_write_session: (409, 412, 503),
    find_waiting_room: (409, 412, 503),
    read_fhir_body: (400, 406, 413, 415, 422),
}
"""With what a route refuses, by what it asks for."""


def fhir_document(app: FastAPI) -> Json:
    """Return the OpenAPI document of every route of *app* under ``/fhir``."""
    paths: dict[str, Json] = {}
    for route in fhir_routes(app):
        for method in sorted(route.methods or ()):
            operations = paths.setdefault(route.path_format, {})
            operations[method.lower()] = _operation(route, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{app.title}: FHIR",
            "summary": "What clinics send, and what was kept of it.",
            "description": "Resources are in outline here. FHIR R4 defines them, and "
            "`GET /fhir/metadata` says what of it this server does.",
            "version": app.version,
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                BEARER.scheme_name: BEARER.model.model_dump(
                    by_alias=True, exclude_none=True, mode="json"
                )
            },
        },
    }


def fhir_routes(app: FastAPI) -> Iterator[APIRoute]:
    """Yield the routes of *app* under ``/fhir``."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and f"{route.path}/".startswith("/fhir/"):
            yield route


def _operation(route: APIRoute, method: str) -> Json:
    """Describe a route by what it asks for, and by the table of interactions."""
    asked = set(_dependencies(route.dependant))
    known = INTERACTIONS.get(route.name, Interaction(answers={200: "Resource"}))
    names = [*route.param_convertors, *known.parameters]
    summary, _, _ = (route.description or route.name).partition("\n")
    operation: Json = {
        "operationId": _operation_id(route, method),
        "tags": route.tags,
        "summary": summary,
        "responses": _responses(route, known, asked),
    }
    if read_fhir_body in asked:
        names.append("_format")
    if media_types := ACCEPTED if read_fhir_body in asked else known.streams:
        sent = {
            "schema": {"$ref": _schema(known.body)},
            "example": EXAMPLES[known.body],
        }
        content = dict.fromkeys(sorted(media_types), sent)
        operation["requestBody"] = {"required": True, "content": content}
    if asked & {find_caller, find_paying_caller}:
        operation["security"] = [{BEARER.scheme_name: []}]
    if method == "HEAD":
        for answer in operation["responses"].values():
            answer.pop("content", None)
    if names:
        operation["parameters"] = [
            PARAMETERS.get(name) or parameter(name, "path", "") for name in names
        ]
    return operation


def _operation_id(route: APIRoute, method: str) -> str:
    """Return the route's name, and what tells apart its methods and paths."""
    head = "head_" if method == "HEAD" and "GET" in (route.methods or ()) else ""
    slash = "_at_slash" if route.path.endswith("/") else ""
    history = "_history" if route.path.endswith("/_history") else ""
    return f"{head}{route.name}{history}{slash}"


def _responses(route: APIRoute, known: Interaction, asked: set[Any]) -> Json:
    if "fhir" not in route.tags:  # it speaks of FHIR, and in plain JSON
        content = {JSON: {"schema": {"type": "object"}}}
        return {"200": {"description": HTTPStatus.OK.phrase, "content": content}}
    refusals = {status for call in asked for status in BY_DEPENDENCY.get(call, ())}
    refusals |= {*known.refusals, 500}
    answers = {str(status): _answer(status, known) for status in known.answers}
    return answers | {str(status): _refusal(status) for status in sorted(refusals)}


def _answer(status: int, known: Interaction) -> Json:
    schema = known.answers[status]
    answer: Json = {"description": HTTPStatus(status).phrase}
    if named := known.headers.get(status):
        answer["headers"] = {
            name: {"description": ANSWERED[name], "schema": TEXT} for name in named
        }
    if schema is not None:
        answer["content"] = {known.gives: {"schema": {"$ref": _schema(schema)}}}
    return answer


def _refusal(status: int) -> Json:
    codes = [type_.value for type_, own in HTTP_STATUS.items() if own == status]
    return {
        "description": f"{HTTPStatus(status).phrase} ({', '.join(codes)})",
        "content": {FHIR_JSON: {"schema": {"$ref": _schema("OperationOutcome")}}},
    }


def _dependencies(dependant: Any) -> Iterator[Any]:  # noqa: ANN401  (FastAPI's own type)
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _dependencies(dependency)


def _schema(name: str) -> str:
    return f"#/components/schemas/{name}"

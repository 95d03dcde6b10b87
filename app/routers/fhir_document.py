"""The FHIR interface as an OpenAPI document of its own, written from its routes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts

from app.domain.records import RecordType
from app.fhir.measures import SEARCHED_BY
from app.fhir.outcomes import HTTP_STATUS
from app.fhir.report_questions import EVALUATED_BY, REPORT_TYPES, REPORTS_SEARCHED_BY
from app.fhir.searchsets import PAGED_BY
from app.routers.bodies import ACCEPTED, RETURNS, read_fhir_body
from app.routers.dependencies import (
    BEARER,
    find_caller,
    find_paying_caller,
    find_waiting_room,
    new_write_session,
)
from app.routers.fhir import find_kept_type
from app.routers.outcomes import FHIR_JSON

Json = dict[str, Any]

DOCUMENT_PATH = "/fhir/openapi.json"
JSON = "application/json"

router = APIRouter(tags=["description"], include_in_schema=False)


@router.get(DOCUMENT_PATH)
def describe_fhir(request: Request) -> Json:
    """Return this document."""
    return fhir_document(request.app)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """
    What the parameters of a route do not say of it.

    ``parameters`` are names of ``PARAMETERS``, ``body`` is the schema of what is sent,
    if anything is; ``answers`` are the statuses of success, each with the schema of
    its body, and ``refusals`` statuses of its own.
    """

    parameters: tuple[str, ...] = ()
    body: str = "Resource"
    answers: dict[int, str | None]
    refusals: tuple[int, ...] = ()


SEEN: dict[int, str | None] = {200: "Resource", 304: None}
FOUND: dict[int, str | None] = {200: "Bundle", 304: None}
WRITTEN: dict[int, str | None] = {200: "Resource", 201: "Resource"}
INTERACTIONS = {
    "metadata": Interaction(
        parameters=("_format", "If-None-Match"), answers=SEEN, refusals=(400, 406)
    ),
    "define_operation": Interaction(
        parameters=("_format", "If-None-Match"), answers=SEEN, refusals=(400, 404, 406)
    ),
    "receive_bundle": Interaction(body="Bundle", answers={200: "Bundle"}),
    "deidentify": Interaction(answers={200: "Parameters"}, refusals=(404,)),
    "validate": Interaction(answers={200: "OperationOutcome"}),
    "create": Interaction(
        parameters=("If-None-Exist", "Prefer"), body="KeptResource", answers=WRITTEN
    ),
    "update": Interaction(
        parameters=("If-Match", "If-None-Match", "Prefer"),
        body="KeptResource",
        answers=WRITTEN,
    ),
    "update_conditionally": Interaction(
        parameters=("identifier", "If-Match", "If-None-Match", "Prefer"),
        body="KeptResource",
        answers=WRITTEN,
    ),
    "read": Interaction(
        parameters=("_format", "If-None-Match"),
        answers=SEEN,
        refusals=(400, 406, 410),
    ),
    "read_version": Interaction(answers={}),
    "withdraw": Interaction(answers={204: None}, refusals=(400,)),
    "purge": Interaction(answers={200: "Parameters"}, refusals=(400, 404, 406)),
    "trace": Interaction(body="Parameters", answers={200: "Parameters"}),
    "search_measures": Interaction(
        parameters=(*SEARCHED_BY, *PAGED_BY, "_format", "If-None-Match"),
        answers=FOUND,
        refusals=(400, 406),
    ),
    "read_measure": Interaction(
        parameters=("_format", "If-None-Match"), answers=SEEN, refusals=(400, 404, 406)
    ),
    "evaluate_measure": Interaction(
        parameters=(*EVALUATED_BY, "_format", "If-None-Match"),
        answers=SEEN,
        refusals=(400, 404, 406),
    ),
    "evaluate_stated_measure": Interaction(
        body="ReportParameters", answers={200: "Resource"}, refusals=(404,)
    ),
    "tell_patient_status": Interaction(
        body="StatusParameters", answers={200: "Parameters"}, refusals=(404,)
    ),
    "search_reports": Interaction(
        parameters=(*REPORTS_SEARCHED_BY, *PAGED_BY, "_format", "If-None-Match"),
        answers=FOUND,
        refusals=(400, 406),
    ),
    "read_report": Interaction(
        parameters=("_format", "If-None-Match"), answers=SEEN, refusals=(400, 404, 406)
    ),
    "withdraw_conditionally": Interaction(answers={}, refusals=(400,)),
    "search": Interaction(answers=FOUND, refusals=(400,)),
}
"""By the name of the route; one that is not here answers 200 with a resource."""

BY_DEPENDENCY: dict[Callable[..., Any], tuple[int, ...]] = {
    find_caller: (401, 403, 429),
    find_paying_caller: (401, 403, 429),
    find_kept_type: (404,),
    new_write_session: (409, 412, 503),
    find_waiting_room: (409, 412, 503),
    read_fhir_body: (400, 406, 413, 415, 422),
}
"""With what a route refuses, by what it asks for."""


def _header(name: str, description: str, **schema: Any) -> Json:  # noqa: ANN401
    return _parameter(name, "header", description, **schema)


def _parameter(name: str, where: str, description: str, **schema: Any) -> Json:  # noqa: ANN401
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"} | schema,
    }


PARAMETERS = {
    "type_name": _parameter(
        "type_name",
        "path",
        "A resource type that is kept.",
        enum=[type_.fhir_name for type_ in RecordType],
        examples=["Observation"],
    ),
    "own_id": _parameter(
        "own_id",
        "path",
        "The sender's own id of the resource, or the hub's.",
        pattern="^[A-Za-z0-9.-]{1,64}$",
        examples=["a1c-1"],
    ),
    "measure_id": _parameter(
        "measure_id",
        "path",
        "The id of a measure.",
        pattern="^[a-z0-9-]{1,64}$",
        examples=["hba1c-poor-control"],
    ),
    "report_id": _parameter(
        "report_id",
        "path",
        "The id of a report, as a search told it.",
        pattern="^[A-Za-z0-9-]{1,64}$",
    ),
    **{
        name: _parameter(name, "query", f"FHIR's search parameter, a {type_}.")
        for name, type_ in (SEARCHED_BY | REPORTS_SEARCHED_BY).items()
    },
    "replaced_version": _parameter(
        "replaced_version", "path", "A version of a record.", pattern="^[0-9]{1,9}$"
    ),
    "_count": _parameter(
        "_count", "query", "How many at most.", type="integer", minimum=0
    ),
    "_offset": _parameter(
        "_offset", "query", "After how many others.", type="integer", minimum=0
    ),
    "periodStart": _parameter("periodStart", "query", "A date, month or year.")
    | {"required": True},
    "periodEnd": _parameter("periodEnd", "query", "A date, month or year.")
    | {"required": True},
    "reportType": _parameter(
        "reportType", "query", "Which report.", enum=sorted(REPORT_TYPES)
    ),
    "reporter": _parameter(
        "reporter", "query", "Organization/{code} of a clinic, or of the network."
    ),
    "subject": _parameter("subject", "query", "The same as reporter."),
    "identifier": _parameter(
        "identifier", "query", "The identifier of the resource: system|value."
    )
    | {"required": True},
    "_format": _parameter(
        "_format", "query", "Goes before Accept.", enum=["json", *sorted(ACCEPTED)]
    ),
    "If-None-Exist": _header(
        "If-None-Exist", "Create only where none is: identifier=system|value."
    ),
    "If-Match": _header(
        "If-Match", "The version to be replaced.", pattern='^W/"[0-9]{1,9}"$'
    ),
    "If-None-Match": _header(
        "If-None-Match", "To write: * creates only. To read: the version at hand."
    ),
    "Prefer": _header(
        "Prefer", "What to answer.", enum=[f"return={value}" for value in RETURNS]
    ),
}

OBSERVATION: Json = {
    "resourceType": "Observation",
    "id": "a1c-1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
    "subject": {"reference": "Patient/123"},
    "effectiveDateTime": "2024-02-10",
    "valueQuantity": {
        "value": 7.1,
        "unit": "%",
        "system": "http://unitsofmeasure.org",
        "code": "%",
    },
}
ENTRY = {"method": "PUT", "url": "Observation/a1c-1"}
EXAMPLES: dict[str, Json] = {
    "Resource": OBSERVATION,
    "KeptResource": OBSERVATION,
    "Bundle": {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": OBSERVATION, "request": ENTRY}],
    },
    "Parameters": {
        "resourceType": "Parameters",
        "parameter": [{"name": "reference", "valueString": "Observation/123"}],
    },
    "ReportParameters": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "periodStart", "valueDate": "2024-01-01"},
            {"name": "periodEnd", "valueDate": "2024-03-31"},
        ],
    },
    "StatusParameters": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueString": "Patient/123"},
            {"name": "asOf", "valueDate": "2024-03"},
        ],
    },
}
"""What may be sent, by its schema."""

TEXT = {"type": "string"}
OBJECTS = {"type": "array", "items": {"type": "object"}}


def _resource(*types: str, required: tuple[str, ...] = (), **elements: Json) -> Json:
    """Return the outline of a resource: FHIR's own definitions say the rest."""
    named = {"enum": list(types)} if types else {"pattern": "^[A-Z][A-Za-z]{0,63}$"}
    return {
        "type": "object",
        "required": ["resourceType", *required],
        "properties": {"resourceType": TEXT | named} | elements,
    }


SCHEMAS = {
    "Resource": _resource(id=TEXT, meta={"type": "object"}),
    "KeptResource": _resource(*(type_.fhir_name for type_ in RecordType), id=TEXT),
    "Parameters": _resource("Parameters", parameter=OBJECTS),
    "ReportParameters": _resource("Parameters", parameter=OBJECTS),
    "StatusParameters": _resource("Parameters", parameter=OBJECTS),
    "Bundle": _resource("Bundle", type=TEXT, entry=OBJECTS, required=("type",)),
    "OperationOutcome": _resource(
        "OperationOutcome",
        required=("issue",),
        issue={
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code"],
                "properties": {
                    "severity": {"enum": ["fatal", "error", "warning", "information"]},
                    "code": TEXT,
                    "diagnostics": TEXT,
                    "expression": {"type": "array", "items": TEXT},
                },
            },
        },
    ),
}


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
        sent = {
            "schema": {"$ref": _schema(known.body)},
            "example": EXAMPLES[known.body],
        }
        content = dict.fromkeys(sorted(ACCEPTED), sent)
        operation["requestBody"] = {"required": True, "content": content}
    if asked & {find_caller, find_paying_caller}:
        operation["security"] = [{BEARER.scheme_name: []}]
    if method == "HEAD":
        for answer in operation["responses"].values():
            answer.pop("content", None)
    if names:
        operation["parameters"] = [
            PARAMETERS.get(name) or _parameter(name, "path", "") for name in names
        ]
    return operation


def _operation_id(route: APIRoute, method: str) -> str:
    """Return the route's name, and what tells apart its methods and paths."""
    head = "head_" if method == "HEAD" else ""
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
    if known.answers is WRITTEN:
        answer["headers"] = {
            "ETag": {"description": "Its version.", "schema": TEXT},
            "Location": {"description": "Where it is read.", "schema": TEXT},
        }
    if schema is not None:
        answer["content"] = {FHIR_JSON: {"schema": {"$ref": _schema(schema)}}}
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

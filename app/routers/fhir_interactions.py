"""What the routes of the FHIR interface take and answer, as OpenAPI says it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.deliveries import LineOutcome
from app.domain.records import RecordType
from app.fhir.measures import SEARCHED_BY
from app.fhir.report_questions import EVALUATED_BY, REPORT_TYPES, REPORTS_SEARCHED_BY
from app.fhir.searchsets import PAGED_BY
from app.routers.bodies import ACCEPTED, RETURNS
from app.routers.imports import NDJSON_TYPES
from app.routers.job_answers import NDJSON
from app.routers.outcomes import FHIR_JSON

Json = dict[str, Any]
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """
    What the parameters of a route do not say of it.

    ``parameters`` are names of ``PARAMETERS``, ``body`` is the schema of what is sent,
    if anything is; ``answers`` are the statuses of success, each with the schema of
    its body, and ``refusals`` statuses of its own. ``gives`` is the media type of what
    is answered, and ``streams`` those of a body that is read as it comes.
    """

    parameters: tuple[str, ...] = ()
    body: str = "Resource"
    answers: dict[int, str | None]
    gives: str = FHIR_JSON
    streams: frozenset[str] = frozenset()
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()


SEEN: dict[int, str | None] = {200: "Resource", 304: None}
FOUND: dict[int, str | None] = {200: "Bundle", 304: None}
WRITTEN: dict[int, str | None] = {200: "Resource", 201: "Resource"}
OF_A_VERSION = dict.fromkeys(WRITTEN, ("ETag", "Location"))
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
        parameters=("If-None-Exist", "Prefer"),
        body="KeptResource",
        answers=WRITTEN,
        headers=OF_A_VERSION,
    ),
    "update": Interaction(
        parameters=("If-Match", "If-None-Match", "Prefer"),
        body="KeptResource",
        answers=WRITTEN,
        headers=OF_A_VERSION,
    ),
    "update_conditionally": Interaction(
        parameters=("identifier", "If-Match", "If-None-Match", "Prefer"),
        body="KeptResource",
        answers=WRITTEN,
        headers=OF_A_VERSION,
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
    "receive_ndjson": Interaction(
        parameters=("Idempotency-Key", "Upload-Offset"),
        body="Lines",
        streams=NDJSON_TYPES,
        answers={202: None},
        headers={202: ("Content-Location",)},
        refusals=(400, 409, 413, 415, 422, 503),
    ),
    "ask_for_offset": Interaction(
        parameters=("Idempotency-Key",),
        answers={200: None},
        headers={200: ("Upload-Offset", "Upload-Complete", "Content-Location")},
        refusals=(400,),
    ),
    "read_status": Interaction(
        answers={200: "ImportManifest", 202: None},
        gives=JSON,
        headers={202: ("X-Progress", "Retry-After")},
        parameters=("_format",),
        refusals=(400, 404, 406, 409),
    ),
    "read_outcomes": Interaction(
        parameters=("_format",),
        answers={200: "Lines"},
        gives=NDJSON,
        refusals=(400, 404, 406),
    ),
    "cancel": Interaction(answers={202: None}, refusals=(400, 404)),
    "submit_bulk": Interaction(
        body="SubmissionParameters",
        answers={200: "OperationOutcome"},
        refusals=(404, 409),
    ),
    "ask_bulk_status": Interaction(
        body="SubmissionStatusParameters",
        answers={202: None},
        headers={202: ("Content-Location",)},
        refusals=(404,),
    ),
    "read_submission": Interaction(
        answers={200: "SubmissionManifest", 202: "SubmissionManifest"},
        gives=JSON,
        headers={202: ("X-Progress", "Retry-After")},
        refusals=(400, 404, 409),
    ),
    "dismiss_submission": Interaction(answers={202: None}, refusals=(400, 404)),
    **dict.fromkeys(
        (
            "read_submission_outcomes",
            "read_submission_output",
            "read_submission_deletions",
            "read_submission_measures",
        ),
        Interaction(answers={200: "Lines"}, gives=NDJSON, refusals=(400, 404)),
    ),
    "receive_notification": Interaction(
        parameters=("X-Hub-Signature", "X-Hub-Signature-256"),
        body="Notification",
        streams=frozenset({FHIR_JSON, JSON}),
        answers={200: None},
        refusals=(400, 401, 403, 404, 413, 422, 503),
    ),
    "withdraw_conditionally": Interaction(answers={}, refusals=(400,)),
    "search": Interaction(answers=FOUND, refusals=(400,)),
}
"""By the name of the route; one that is not here answers 200 with a resource."""


def _header(name: str, description: str, **schema: Any) -> Json:  # noqa: ANN401
    return parameter(name, "header", description, **schema)


def parameter(name: str, where: str, description: str, **schema: Any) -> Json:  # noqa: ANN401
    """Return a parameter of an operation; one in the path is required."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"} | schema,
    }


PARAMETERS = {
    "type_name": parameter(
        "type_name",
        "path",
        "A resource type that is kept.",
        enum=[type_.fhir_name for type_ in RecordType],
        examples=["Observation"],
    ),
    "own_id": parameter(
        "own_id",
        "path",
        "The sender's own id of the resource, or the hub's.",
        pattern="^[A-Za-z0-9.-]{1,64}$",
        examples=["a1c-1"],
    ),
    "measure_id": parameter(
        "measure_id",
        "path",
        "The id of a measure.",
        pattern="^[a-z0-9-]{1,64}$",
        examples=["hba1c-poor-control"],
    ),
    "webhook_name": parameter(
        "webhook_name",
        "path",
        "What `catchment webhook add` gave the URL for its end.",
        pattern="^[A-Za-z0-9_-]{1,43}$",
    ),
    **{
        name: parameter(
            name,
            "header",
            "The HMAC of the body's bytes under the shared secret, as WebSub has it; "
            "one of the two headers is needed.",
            pattern="^sha(256|384|512)=[0-9A-Fa-f]+$",
        )
        for name in ("X-Hub-Signature", "X-Hub-Signature-256")
    },
    "report_id": parameter(
        "report_id",
        "path",
        "The id of a report, as a search told it.",
        pattern="^[A-Za-z0-9-]{1,64}$",
    ),
    **{
        name: parameter(name, "query", f"FHIR's search parameter, a {type_}.")
        for name, type_ in (SEARCHED_BY | REPORTS_SEARCHED_BY).items()
    },
    "replaced_version": parameter(
        "replaced_version", "path", "A version of a record.", pattern="^[0-9]{1,9}$"
    ),
    "_count": parameter(
        "_count", "query", "How many at most.", type="integer", minimum=0
    ),
    "_offset": parameter(
        "_offset", "query", "After how many others.", type="integer", minimum=0
    ),
    "periodStart": parameter("periodStart", "query", "A date, month or year.")
    | {"required": True},
    "periodEnd": parameter("periodEnd", "query", "A date, month or year.")
    | {"required": True},
    "reportType": parameter(
        "reportType", "query", "Which report.", enum=sorted(REPORT_TYPES)
    ),
    "reporter": parameter(
        "reporter", "query", "Organization/{code} of a clinic, or of the network."
    ),
    "subject": parameter("subject", "query", "The same as reporter."),
    "identifier": parameter(
        "identifier", "query", "The identifier of the resource: system|value."
    )
    | {"required": True},
    "_format": parameter(
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
    "job_id": parameter(
        "job_id", "path", "The number of a job, in its status URL.", pattern="^[0-9]+$"
    ),
    "part": parameter(
        "part",
        "path",
        "The number of a part of a submission, in a URL of its status.",
        pattern="^[0-9]+$",
    ),
    "Idempotency-Key": _header(
        "Idempotency-Key",
        "What the sender calls an upload, to go on with it where it is cut off.",
    ),
    "Upload-Offset": _header(
        "Upload-Offset",
        "How many lines of the upload were sent before.",
        pattern="^[0-9]+$",
    ),
    "Prefer": _header(
        "Prefer", "What to answer.", enum=[f"return={value}" for value in RETURNS]
    ),
}

ANSWERED = {
    "ETag": "Its version.",
    "Location": "Where it is read.",
    "Content-Location": "Where its status is read.",
    "X-Progress": "How far it is, in words.",
    "Retry-After": "In how many seconds to ask again.",
    "Upload-Offset": "How many lines of it are here.",
    "Upload-Complete": "?1 where it is here whole, ?0 where it is not.",
}
"""What the headers of answers say."""

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
SUBMISSION = [
    {
        "name": "submitter",
        "valueIdentifier": {"system": "urn:example:submitters", "value": "alpha"},
    },
    {"name": "submissionId", "valueString": "2026-11"},
]
EXAMPLES: dict[str, Json | str] = {
    "Lines": json.dumps(OBSERVATION) + "\n",
    "Resource": OBSERVATION,
    "KeptResource": OBSERVATION,
    "Bundle": {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": OBSERVATION, "request": ENTRY}],
    },
    "Notification": {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [
            {
                "resource": {
                    "resourceType": "SubscriptionStatus",
                    "type": "event-notification",
                    "subscription": {"reference": "Subscription/1"},
                    "notificationEvent": [
                        {
                            "eventNumber": "1",
                            "focus": {"reference": "Observation/a1c-1"},
                        }
                    ],
                }
            }
        ],
    },
    "Parameters": {
        "resourceType": "Parameters",
        "parameter": [{"name": "reference", "valueString": "Observation/123"}],
    },
    "SubmissionParameters": {
        "resourceType": "Parameters",
        "parameter": [
            *SUBMISSION,
            {"name": "manifestUrl", "valueUrl": "https://files.example/manifest.json"},
            {"name": "fhirBaseUrl", "valueUrl": "https://ehr.example/fhir"},
        ],
    },
    "SubmissionStatusParameters": {
        "resourceType": "Parameters",
        "parameter": SUBMISSION,
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


MANY: Json = {"type": "integer", "minimum": 0}
SCHEMAS = {
    "Lines": TEXT | {"description": "NDJSON: a resource in each line."},
    "ImportManifest": {
        "type": "object",
        "description": "What a delivery came to, in the form of a Bulk Data manifest.",
        "required": ["transactionTime", "request", "output", "error", "extension"],
        "properties": {
            "transactionTime": TEXT,
            "request": TEXT,
            "requiresAccessToken": {"const": True},
            "output": OBJECTS | {"maxItems": 0},
            "error": {
                "type": "array",
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "url", "count"],
                    "properties": {
                        "type": {"const": "OperationOutcome"},
                        "url": TEXT,
                        "count": MANY,
                    },
                },
            },
            "extension": {
                "type": "object",
                "required": ["lines", "counts"],
                "properties": {
                    "lines": MANY,
                    "counts": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["type", "outcome", "count"],
                            "properties": {
                                "type": {"type": ["string", "null"]},
                                "outcome": {
                                    "enum": [each.value for each in LineOutcome]
                                },
                                "count": MANY,
                            },
                        },
                    },
                },
            },
        },
    },
    "SubmissionManifest": {
        "type": "object",
        "description": "What becomes of a submission; outputs are there at its end.",
        "required": [
            *("submissionId", "transactionTime", "requiresAccessToken", "output"),
            *("outcome", "error", "deleted", "extension"),
        ],
        "properties": {
            "submissionId": TEXT,
            "manifestType": TEXT,
            "transactionTime": TEXT,
            "requiresAccessToken": {"const": True},
            **dict.fromkeys(("output", "outcome", "error", "deleted"), OBJECTS),
            "extension": {"type": "object"},
        },
    },
    "Resource": _resource(id=TEXT, meta={"type": "object"}),
    "KeptResource": _resource(*(type_.fhir_name for type_ in RecordType), id=TEXT),
    "Parameters": _resource("Parameters", parameter=OBJECTS),
    "ReportParameters": _resource("Parameters", parameter=OBJECTS),
    "StatusParameters": _resource("Parameters", parameter=OBJECTS),
    "SubmissionParameters": _resource("Parameters", parameter=OBJECTS),
    "SubmissionStatusParameters": _resource("Parameters", parameter=OBJECTS),
    "Bundle": _resource("Bundle", type=TEXT, entry=OBJECTS, required=("type",)),
    "Notification": _resource(
        "Bundle", type=TEXT, entry=OBJECTS, required=("type", "entry")
    ),
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

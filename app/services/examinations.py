"""What the hub would do with a resource, and what it can do at all."""

from typing import Any

from app.domain.clinics import Source
from app.domain.errors import ServiceError
from app.domain.records import RecordType
from app.fhir.capabilities import capability_statement as statement
from app.fhir.outcomes import operation_outcome
from app.fhir.rendering import render_record
from app.fhir.validation import validate
from app.services.hub import Hub
from app.services.labels import label_of
from app.services.reception import deidentified
from app.services.resources import check_type

Json = dict[str, Any]


def capability_statement(hub: Hub) -> Json:
    """Return what this server can do."""
    return statement(base_url=hub.fhir_base, token_endpoint=hub.token_endpoint)


def deidentified_parameters(hub: Hub, source: Source, resource: Json) -> Json:
    """
    Return what would be kept of *resource*, and what would not, as Parameters.

    Nothing is stored; references are shown as masked, since no record is behind them.
    """
    record = deidentified(inner_resource(resource), hub=hub, source=source)
    kept = render_record(
        record.content,
        resource_id=None,
        version=None,
        subject_reference=None,
        encounter_reference=None,
        label=label_of,
    )
    dropped = [{"name": "dropped", "valueString": path} for path in record.dropped]
    policy = hub.policy
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "return", "resource": kept},
            {"name": "policy", "valueString": policy.terms.id},
            {"name": "policyVersion", "valueString": policy.terms.version},
            {"name": "policyDigest", "valueString": policy.digest},
            *dropped,
        ],
    }


def validation_outcome(hub: Hub, source: Source, type_: RecordType, body: Json) -> Json:
    """Return every fault of a resource, or its first reason not to be taken."""
    resource = inner_resource(body)
    try:
        check_type(resource, type_)
        if issues := validate(resource):
            return operation_outcome(issues)
        deidentified(resource, hub=hub, source=source)
    except ServiceError as error:
        return operation_outcome(error)
    return operation_outcome(())


def inner_resource(body: Json) -> Json:
    """Return the resource of an operation, which may come within Parameters."""
    if body.get("resourceType") != "Parameters":
        return body
    parts = body.get("parameter")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and part.get("name") == "resource":
            inner = part.get("resource")
            return inner if isinstance(inner, dict) else body
    return body

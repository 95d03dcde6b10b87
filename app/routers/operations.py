"""Operations on what a clinic sent: erase a person, ask what became of a resource."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response

from app.domain.calendar import instant_of
from app.fhir.references import hub_id
from app.routers.bodies import (
    FhirBody,
    fhir_reply,
    refuse_conditions,
    refuse_parameters,
    require_fhir_reply,
)
from app.routers.dependencies import (
    Caller,
    HubDependency,
    ReadSession,
    WriteSession,
    committed,
)
from app.services import erasures, traces
from app.services.authorization import check_operation, required_source
from app.services.traces import Trace

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)

PURGE = "system/purge"


@router.post("/Patient/{own_id}/$purge")
@committed
def purge(
    own_id: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Erase a person, and refuse what is sent about them from now on."""
    require_fhir_reply(request)
    refuse_parameters(request)
    refuse_conditions(request)
    check_operation(caller, PURGE)
    source = required_source(caller)
    name = erasures.patient_name(own_id, hub=hub, source=source)
    erased = erasures.erase(session, hub, source, name)
    return fhir_reply(
        _parameters(
            {
                "name": "erased",
                "part": [
                    {"name": "type", "valueCode": type_.fhir_name},
                    {"name": "count", "valueInteger": count},
                ],
            }
            for type_, count in erased.items()
        )
    )


@router.post("/$trace")
def trace(
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Say what became of each of the caller's own resources, in the order asked."""
    refuse_parameters(request)
    found = traces.trace(session, hub, caller, body)
    return fhir_reply(
        _parameters(
            {"name": "resource", "part": list(_parts(index, each))}
            for index, each in enumerate(found)
        )
    )


def _parameters(parameters: Iterator[dict[str, Any]]) -> dict[str, Any]:
    listed = list(parameters)
    return {"resourceType": "Parameters"} | ({"parameter": listed} if listed else {})


def _parts(index: int, found: Trace) -> Iterator[dict[str, Any]]:
    """Yield what is told of one resource; it is named by its place alone."""
    yield {"name": "index", "valueInteger": index}
    yield {"name": "fate", "valueCode": found.fate.value}
    record, refusal = found.record, found.refusal
    if record is not None:
        place = f"{record.type.fhir_name}/{hub_id(record.id)}"
        yield {"name": "hub", "valueReference": {"reference": place}}
    if record is not None and record.version:
        yield {"name": "version", "valueInteger": record.version}
        yield {"name": "received", "valueInstant": instant_of(record.received_at)}
    if refusal is not None:
        yield {"name": "issueType", "valueCode": refusal.issue_type}
        if refusal.expression is not None:
            yield {"name": "expression", "valueString": refusal.expression}
        yield {"name": "refused", "valueInstant": instant_of(refusal.refused_at)}

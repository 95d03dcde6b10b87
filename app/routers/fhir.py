"""The FHIR interface: what clinics send, and what was kept of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.domain.errors import NotSupportedError, ServiceError
from app.domain.records import RecordType
from app.fhir.criteria import Criterion, parse_criterion
from app.fhir.outcomes import HTTP_STATUS, operation_outcome
from app.fhir.references import hub_id
from app.routers.bodies import (
    FhirBody,
    fhir_reply,
    preferred_return,
    require_fhir_reply,
    search_parameters,
)
from app.routers.dependencies import (
    Caller,
    HubDependency,
    ReadSession,
    WriteSession,
    committed,
)
from app.services import bundles, examinations, resources
from app.services.authorization import (
    allowed_by,
    allowed_stored,
    check_reach,
    check_scope,
    required_source,
)
from app.services.bundles import BundleReply, Discarded, Entry, EntryOutcome, Withdrawn
from app.services.intake import Effect, Receipt
from app.services.resources import Wish

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)


async def find_kept_type(type_name: str) -> RecordType:
    """Return the record type of the URL's resource type, or 404 before all else."""
    return resources.kept_type(type_name)


KeptType = Annotated[RecordType, Depends(find_kept_type)]


@router.get("/metadata")
def metadata(request: Request, hub: HubDependency) -> Response:
    """Say what this server can do."""
    require_fhir_reply(request)
    return fhir_reply(
        examinations.capability_statement(hub),
        headers={"ETag": f'W/"{request.app.version}"'},
    )


@router.post("")
@router.post("/")
@committed
def receive_bundle(
    caller: Caller, body: FhirBody, hub: HubDependency, session: WriteSession
) -> Response:
    """Store a batch or transaction Bundle."""
    reply = bundles.receive_bundle(
        session,
        hub,
        required_source(caller),
        body,
        allowed=allowed_by(caller),
        allowed_stored=allowed_stored(caller),
    )
    return fhir_reply(bundle_response(reply))


@router.post("/$de-identify")
def deidentify(caller: Caller, body: FhirBody, hub: HubDependency) -> Response:
    """Return what would be kept of a resource; nothing is stored."""
    return fhir_reply(
        examinations.deidentified_parameters(hub, required_source(caller), body)
    )


@router.post("/{type_name}/$validate")
def validate(
    type_: KeptType, caller: Caller, body: FhirBody, hub: HubDependency
) -> Response:
    """Return every fault of a resource; nothing is stored."""
    source = required_source(caller)
    return fhir_reply(examinations.validation_outcome(hub, source, type_, body))


@router.post("/{type_name}")
@committed
def create(
    type_: KeptType,
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Store one resource; only its de-identified form is kept."""
    check_scope(caller, type_.fhir_name, "c", body)
    resources.check_type(body, type_)
    criterion = _criterion(_condition_of_create(request))
    wish = Wish(
        criterion=criterion,
        create_only=criterion is not None,
        interaction="c",
        allowed_stored=allowed_stored(caller),
    )
    receipt = resources.save(session, hub, required_source(caller), body, wish)
    return _written(request, receipt, own_id=hub_id(receipt.record_id))


@router.put("/{type_name}/{own_id}")
@committed
def update(
    type_: KeptType,
    own_id: str,
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Store one resource under the sender's id, or a new version of it."""
    check_scope(caller, type_.fhir_name, "u", body)
    resources.check_type(body, type_)
    bundles.check_own_id(body, own_id, criterion=None)
    wish = Wish(
        own_id=own_id,
        if_match=bundles.version_of(request.headers.get("If-Match")),
        if_none_match=bundles.create_only(request.headers.get("If-None-Match")),
        allowed_stored=allowed_stored(caller),
    )
    receipt = resources.save(session, hub, required_source(caller), body, wish)
    return _written(request, receipt, own_id=own_id)


@router.put("/{type_name}")
@committed
def update_conditionally(
    type_: KeptType,
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Store one resource under an identifier, or a new version of it."""
    check_scope(caller, type_.fhir_name, "u", body)
    resources.check_type(body, type_)
    criterion = _criterion(search_parameters(request))
    bundles.check_own_id(body, None, criterion=criterion)
    wish = Wish(
        criterion=criterion,
        if_match=bundles.version_of(request.headers.get("If-Match")),
        allowed_stored=allowed_stored(caller),
    )
    receipt = resources.save(session, hub, required_source(caller), body, wish)
    return _written(request, receipt, own_id=hub_id(receipt.record_id))


@router.get("/{type_name}/{own_id}")
def read(
    type_: KeptType,
    own_id: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return the de-identified record, to its own clinic."""
    require_fhir_reply(request)
    check_reach(caller, type_.fhir_name, "r")
    source = required_source(caller)
    resource, version = resources.read(session, hub, source, type_, own_id)
    check_scope(caller, type_.fhir_name, "r", resource)
    return fhir_reply(resource, headers={"ETag": f'W/"{version}"'})


@router.delete("/{type_name}/{own_id}")
@committed
def withdraw(
    type_: KeptType,
    own_id: str,
    caller: Caller,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Take a record out of every count; a later delivery of it brings it back."""
    check_scope(caller, type_.fhir_name, "d")
    resources.withdraw(session, hub, required_source(caller), type_, own_id)
    return Response(status_code=204)


@router.get("/{type_name}")
def search(type_: KeptType, caller: Caller) -> Response:
    """Refuse: there is no search here."""
    check_scope(caller, type_.fhir_name, "s")
    msg = "This hub has no search"
    raise NotSupportedError(msg)


def _condition_of_create(request: Request) -> str | None:
    """Return If-None-Exist, or what some clients write into the URL in its place."""
    header, query = request.headers.get("If-None-Exist"), search_parameters(request)
    if query and (header or not query.startswith("identifier=")):
        msg = "A create has one condition, in If-None-Exist: identifier=system|value"
        raise NotSupportedError(msg)
    return header or query


def _criterion(criteria: str | None) -> Criterion | None:
    return None if not criteria else parse_criterion(criteria)


def _written(request: Request, receipt: Receipt, *, own_id: str) -> Response:
    """Return the answer to a write, as the caller prefers it."""
    headers = {
        "ETag": f'W/"{receipt.version}"',
        "Location": _location(request, receipt, own_id),
    }
    status = 201 if receipt.effect is Effect.CREATED else 200
    wanted = preferred_return(request)
    if wanted == "minimal":
        return fhir_reply(None, status=status, headers=headers)
    if wanted == "OperationOutcome":
        return fhir_reply(_done(receipt.effect), status=status, headers=headers)
    resource = resources.render(receipt.stored, resource_id=own_id)
    return fhir_reply(resource, status=status, headers=headers)


def _location(request: Request, receipt: Receipt, own_id: str) -> str:
    base = request.app.state.hub.fhir_base
    return f"{base}/{receipt.type.fhir_name}/{own_id}/_history/{receipt.version}"


def _done(effect: str) -> dict[str, Any]:
    issue = {"severity": "information", "code": "informational", "diagnostics": effect}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def bundle_response(reply: BundleReply) -> dict[str, Any]:
    """Return the Bundle that answers *reply*'s Bundle, entry by entry."""
    entries = [
        {"response": _entry_response(entry, outcome)}
        for entry, outcome in zip(reply.entries, reply.outcomes, strict=True)
    ]
    bundle = {"resourceType": "Bundle", "type": f"{reply.type}-response"}
    return bundle | ({"entry": entries} if entries else {})


def _entry_response(entry: Entry | None, outcome: EntryOutcome) -> dict[str, Any]:
    if isinstance(outcome, ServiceError):
        status = HTTP_STATUS[outcome.issue_type]
        return {"status": str(status), "outcome": operation_outcome(outcome)}
    if isinstance(outcome, Withdrawn):
        return {"status": "204"}
    if isinstance(outcome, Discarded):
        return {"status": "200", "outcome": _discarded()}
    own_id = hub_id(outcome.record_id)
    if entry is not None and entry.own_id is not None:
        own_id = entry.own_id
    location = f"{outcome.type.fhir_name}/{own_id}/_history/{outcome.version}"
    status = 201 if outcome.effect is Effect.CREATED else 200
    return {
        "status": str(status),
        "location": location,
        "etag": f'W/"{outcome.version}"',
    }


def _discarded() -> dict[str, Any]:
    issue = {
        "severity": "information",
        "code": "not-supported",
        "diagnostics": "This type is not kept; the entry was discarded",
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}

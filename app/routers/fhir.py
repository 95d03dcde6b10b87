"""The FHIR interface: what clinics send, and what was kept of it."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.domain.clinics import Principal
from app.domain.errors import (
    ForbiddenError,
    NotSupportedError,
    ServiceError,
    UnknownTypeError,
)
from app.domain.records import RecordType
from app.fhir.criteria import parse_if_match, parse_if_none_match
from app.fhir.outcomes import HTTP_STATUS, operation_outcome
from app.fhir.references import hub_id
from app.routers.bodies import (
    IF_NONE_EXIST,
    IF_VERSION,
    FhirBody,
    criteria_of,
    document_reply,
    fhir_reply,
    header_of,
    preferred_return,
    read_reply,
    refuse_conditions,
    refuse_parameters,
    require_fhir_reply,
    soon,
    version_headers,
)
from app.routers.dependencies import (
    BundleCaller,
    Caller,
    HubDependency,
    ReadSession,
    Waiting,
    WriteSession,
    committed,
)
from app.routers.direct_routes import DirectRoute
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
from app.services.refusals import refusals_of, remember
from app.services.resources import Wish
from app.services.waiting import WaitingRoom

READ = ["GET", "HEAD"]

router = APIRouter(
    prefix="/fhir", tags=["fhir"], include_in_schema=False, route_class=DirectRoute
)


async def find_kept_type(request: Request) -> RecordType:
    """Return the record type of the URL's resource type, or 404 before all else."""
    return resources.kept_type(request.path_params["type_name"])


KeptType = Annotated[RecordType, Depends(find_kept_type)]


# A request is held against one route after the other, so those that are asked most
# come first; of two that a path fits, the one that spells it out.


@router.post("/$de-identify")
def deidentify(
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return what would be kept of a resource; nothing is stored."""
    refuse_parameters(request)
    source = required_source(caller)
    resource = examinations.examinee(body).resource
    _check_writer(caller, resource)
    return fhir_reply(
        examinations.deidentified_parameters(session, hub, source, resource)
    )


@router.post("/{type_name}/")
@router.post("/{type_name}")
async def create(
    type_: KeptType,
    request: Request,
    caller: Caller,
    body: FhirBody,
    waiting: Waiting,
) -> Response:
    """Store one resource; only its de-identified form is kept."""
    check_scope(caller, type_.fhir_name, "c", body)
    refuse_conditions(request, but=IF_NONE_EXIST)
    resources.check_type(body, type_)
    criterion = bundles.only_criterion(
        criteria_of(request),
        header_of(request, "If-None-Exist"),
        type_name=type_.fhir_name,
    )
    wish = Wish(
        criterion=criterion,
        create_only=criterion is not None,
        interaction="c",
        allowed_stored=allowed_stored(caller),
    )
    return await _saved(request, waiting, caller, body, wish)


@router.put("/{type_name}/{own_id}")
async def update(
    type_: KeptType,
    own_id: str,
    request: Request,
    caller: Caller,
    body: FhirBody,
    waiting: Waiting,
) -> Response:
    """Store one resource under the sender's id, or a new version of it."""
    check_scope(caller, type_.fhir_name, "u", body)
    refuse_parameters(request)
    refuse_conditions(request, but=IF_VERSION)
    resources.check_type(body, type_)
    bundles.check_own_id(body, own_id, criterion=None)
    wish = Wish(
        own_id=own_id,
        if_match=parse_if_match(header_of(request, "If-Match")),
        if_none_match=parse_if_none_match(header_of(request, "If-None-Match")),
        allowed_stored=allowed_stored(caller),
    )
    return await _saved(request, waiting, caller, body, wish)


@router.put("/{type_name}/")
@router.put("/{type_name}")
async def update_conditionally(
    type_: KeptType,
    request: Request,
    caller: Caller,
    body: FhirBody,
    waiting: Waiting,
) -> Response:
    """Store one resource under an identifier, or a new version of it."""
    check_scope(caller, type_.fhir_name, "u", body)
    refuse_conditions(request, but=IF_VERSION)
    resources.check_type(body, type_)
    criterion = bundles.only_criterion(
        criteria_of(request), None, type_name=type_.fhir_name
    )
    bundles.check_own_id(body, None, criterion=criterion)
    wish = Wish(
        criterion=criterion,
        if_match=parse_if_match(header_of(request, "If-Match")),
        if_none_match=parse_if_none_match(header_of(request, "If-None-Match")),
        allowed_stored=allowed_stored(caller),
    )
    return await _saved(request, waiting, caller, body, wish)


@router.api_route("/metadata", methods=READ)
def metadata(request: Request, hub: HubDependency) -> Response:
    """Say what this server can do."""
    require_fhir_reply(request)
    refuse_parameters(request, but="mode")
    settings = request.app.state.settings
    statement = examinations.capability_statement(
        hub, version=request.app.version, body_bytes=settings.max_body_bytes
    )
    return document_reply(request, statement)


@router.api_route("/OperationDefinition/{code}", methods=READ)
def define_operation(code: str, request: Request, hub: HubDependency) -> Response:
    """Say what an operation takes and gives."""
    require_fhir_reply(request)
    refuse_parameters(request)
    return document_reply(request, examinations.operation_definition(hub, code))


@router.post("")
@router.post("/")
@committed
def receive_bundle(
    request: Request,
    caller: BundleCaller,
    body: FhirBody,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Store a batch or transaction Bundle."""
    refuse_parameters(request)
    refuse_conditions(request)
    reply = bundles.receive_bundle(
        session,
        hub,
        required_source(caller),
        body,
        client_id=caller.client_id,
        allowed=allowed_by(caller),
        allowed_stored=allowed_stored(caller),
    )
    wanted = preferred_return(request, usual="minimal")
    response = bundle_response(reply, wanted=wanted)
    if reply.retry_after_seconds is None:
        return fhir_reply(response)
    wait = {"Retry-After": str(reply.retry_after_seconds)}
    return fhir_reply(response, status=429, headers=wait)


@router.post("/{type_name}/$validate")
def validate(
    type_: KeptType,
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return every fault of a resource; nothing is stored."""
    refuse_parameters(request, but="mode")
    source = required_source(caller)
    given = examinations.examinee(body, mode=request.query_params.get("mode"))
    _check_writer(caller, given.resource | {"resourceType": type_.fhir_name})
    return fhir_reply(
        examinations.validation_outcome(session, hub, source, type_, given)
    )


@router.api_route("/{type_name}/{own_id}", methods=READ)
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
    refuse_parameters(request)
    check_reach(caller, type_.fhir_name, "r")
    source = required_source(caller)
    resource, stored = resources.read(session, hub, source, type_, own_id)
    check_scope(caller, type_.fhir_name, "r", resource)
    headers = version_headers(stored.version, stored.received_at)
    return read_reply(request, resource, version=str(stored.version), headers=headers)


@router.delete("/{type_name}/{own_id}")
@committed
def withdraw(
    type_: KeptType,
    own_id: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Take a record out of every count; a later delivery of it brings it back."""
    refuse_parameters(request)
    refuse_conditions(request)
    check_scope(caller, type_.fhir_name, "d")
    resources.withdraw(session, hub, required_source(caller), type_, own_id)
    return Response(status_code=204)


@router.get("/{type_name}/")
@router.get("/{type_name}")
def search(type_: KeptType, caller: Caller) -> Response:
    """Refuse: there is no search here."""
    check_scope(caller, type_.fhir_name, "s")
    msg = "This hub has no search"
    raise NotSupportedError(msg)


@router.delete("/{type_name}/")
@router.delete("/{type_name}")
def withdraw_conditionally(type_: KeptType, caller: Caller) -> Response:
    """Refuse: a condition may name more than was meant."""
    check_scope(caller, type_.fhir_name, "d")
    msg = "DELETE names one resource, by its id"
    raise NotSupportedError(msg)


@router.api_route("/{type_name}/{own_id}/_history", methods=READ)
@router.api_route("/{type_name}/{own_id}/_history/{replaced_version}", methods=READ)
def read_version(type_: KeptType, caller: Caller) -> Response:
    """Refuse: of what was replaced nothing is kept."""
    check_reach(caller, type_.fhir_name, "r")
    msg = "This hub keeps no history; read the record by its id alone"
    raise UnknownTypeError(msg)


def _check_writer(caller: Principal, resource: Mapping[str, Any]) -> None:
    """Refuse who may neither create nor update such a resource."""
    type_name = resource.get("resourceType")
    if not isinstance(type_name, str) or RecordType.of(type_name) is None:
        return  # which is another fault, and told as such
    try:
        check_scope(caller, type_name, "c", resource)
    except ForbiddenError:
        check_scope(caller, type_name, "u", resource)


async def _saved(
    request: Request,
    waiting: WaitingRoom,
    caller: Principal,
    body: dict[str, Any],
    wish: Wish,
) -> Response:
    """Store a resource, together with others that come now; return the answer."""
    hub, source = waiting.hub, required_source(caller)
    try:
        read = partial(resources.submission_of, body, wish, hub=hub, source=source)
        submission = await soon(request, read)
        return await waiting.save(
            caller, submission, partial(_written, request, wish.own_id)
        )
    except ServiceError as error:
        refusals = refusals_of(hub, source, body, error)
        await run_in_threadpool(remember, refusals, hub.engine)
        raise


def _written(request: Request, url_id: str | None, receipt: Receipt) -> Response:
    """Return the answer to a write, as the caller prefers it."""
    own_id = url_id or hub_id(receipt.record_id)
    headers = version_headers(receipt.version, receipt.stored.received_at)
    headers["Location"] = _location(request, receipt, own_id)
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


def bundle_response(reply: BundleReply, *, wanted: str) -> dict[str, Any]:
    """Return the Bundle that answers *reply*'s Bundle, entry by entry."""
    entries = [
        _entry_answer(entry, outcome, wanted=wanted)
        for entry, outcome in zip(reply.entries, reply.outcomes, strict=True)
    ]
    bundle = {"resourceType": "Bundle", "type": f"{reply.type}-response"}
    return bundle | ({"entry": entries} if entries else {})


def _entry_answer(
    entry: Entry | None, outcome: EntryOutcome, *, wanted: str
) -> dict[str, Any]:
    if isinstance(outcome, ServiceError):
        status = HTTP_STATUS[outcome.issue_type]
        return _response(status, outcome=operation_outcome(outcome))
    if isinstance(outcome, Withdrawn):
        return _response(204)
    if isinstance(outcome, Discarded):
        return _response(200, outcome=_discarded())
    own_id = hub_id(outcome.record_id)
    if entry is not None and entry.own_id is not None:
        own_id = entry.own_id
    answer = _response(
        201 if outcome.effect is Effect.CREATED else 200,
        location=f"{outcome.type.fhir_name}/{own_id}/_history/{outcome.version}",
        etag=f'W/"{outcome.version}"',
    )
    if wanted == "OperationOutcome":
        answer["response"]["outcome"] = _done(outcome.effect)
    if wanted == "representation" and outcome.stored.content is not None:
        answer["resource"] = resources.render(outcome.stored, resource_id=own_id)
    return answer


def _response(status: int, **elements: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
    return {"response": {"status": str(status), **elements}}


def _discarded() -> dict[str, Any]:
    issue = {
        "severity": "information",
        "code": "not-supported",
        "diagnostics": "This type is not kept; the entry was discarded",
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}

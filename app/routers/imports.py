"""Bulk push: NDJSON that streams in, and the status of the job that stores it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.domain.calendar import instant_of
from app.domain.errors import (
    InvalidElementError,
    NotSupportedError,
    UnsupportedMediaError,
)
from app.fhir.job_documents import ndjson, outcome_of_lines
from app.routers.bodies import (
    ACCEPTED,
    check_media_type,
    header_of,
    is_document,
    read_fhir_body,
    refuse_conditions,
    refuse_parameters,
    require_reply,
)
from app.routers.bulk_submit import submit_import
from app.routers.dependencies import BundleCaller, Caller, HubDependency
from app.routers.job_answers import NDJSON, accepted, counted, under_way
from app.routers.uploads import Uploads
from app.services.authorization import required_source
from app.services.bulk import imports, job_status, jobs
from app.services.bulk.imports import Upload
from app.services.bulk.job_status import JobStatus
from app.store.jobs import Job, JobState

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)

NDJSON_TYPES = frozenset({NDJSON, "application/ndjson", "application/x-ndjson"})
GZIP = {"gzip": True, "identity": False}


@router.post("/$import")
async def receive_ndjson(
    request: Request, caller: BundleCaller, hub: HubDependency
) -> Response:
    """Take NDJSON of any size; what may be kept of it is staged when this answers."""
    refuse_parameters(request)
    refuse_conditions(request)
    if is_document(request):  # which names the files
        manifest = await read_fhir_body(request)
        return await run_in_threadpool(submit_import, hub, caller, manifest)
    check_media_type(request, NDJSON_TYPES)
    upload = Upload(
        is_gzip=_is_gzip(request),
        name=header_of(request, "Idempotency-Key"),
        after_line=_after_line(request),
    )
    job = await anyio.to_thread.run_sync(
        partial(
            imports.receive,
            hub,
            caller,
            upload,
            _pieces(request),
            max_line_bytes=request.app.state.settings.max_body_bytes,
        ),
        limiter=request.app.state.uploads.limiter,
    )
    return accepted(_status_url(request, job))


@router.head("/$import")
def ask_for_offset(request: Request, caller: Caller, hub: HubDependency) -> Response:
    """Say after which line an upload that was cut off goes on."""
    name = header_of(request, "Idempotency-Key")
    if name is None:
        msg = "An upload is asked for by its Idempotency-Key"
        raise NotSupportedError(msg)
    job = imports.upload_called(hub, caller, name)
    if job is None:
        return Response(headers={"Upload-Offset": "0", "Upload-Complete": "?0"})
    is_whole = job.state is not JobState.RECEIVING
    headers = {
        "Upload-Offset": str(job.received),
        "Upload-Complete": f"?{int(is_whole)}",
        "Content-Location": _status_url(request, job),
    }
    return Response(headers=headers)


@router.get("/jobs/{job_id}")
def read_status(
    job_id: int, request: Request, caller: Caller, hub: HubDependency
) -> Response:
    """Say how far a job is: 202 while it is under way, its manifest at the end."""
    require_reply(request, ACCEPTED)
    status = job_status.job_status(
        hub, job_id, clinic_id=required_source(caller).clinic_id
    )
    if not status.job.is_ended:
        return under_way(status.progress)
    manifest = _manifest(request, status)
    return Response(msgspec.json.encode(manifest), media_type="application/json")


@router.delete("/jobs/{job_id}")
def cancel(job_id: int, caller: Caller, hub: HubDependency) -> Response:
    """Stop a job, or forget what it came to; what was stored stays."""
    clinic_id = required_source(caller).clinic_id
    job = jobs.required_job(hub, job_id, clinic_id=clinic_id)
    jobs.dismiss(hub, job)
    return Response(status_code=202)


@router.get("/jobs/{job_id}/outcome.ndjson")
def read_outcomes(
    job_id: int, request: Request, caller: Caller, hub: HubDependency
) -> Response:
    """Return what was found wrong, an OperationOutcome in each line."""
    require_reply(request, NDJSON_TYPES | ACCEPTED)
    clinic_id = required_source(caller).clinic_id
    issues = job_status.job_issues(hub, job_id, clinic_id=clinic_id)
    body = b"".join(ndjson(outcome_of_lines(row.issue) for row in issues))
    return Response(body, media_type=NDJSON)


def _manifest(request: Request, status: JobStatus) -> dict[str, Any]:
    """Return what the job came to, in the form of a Bulk Data manifest."""
    where = _status_url(request, status.job)
    outcome = {
        "type": "OperationOutcome",
        "url": f"{where}/outcome.ndjson",
        "count": len(status.issues),
    }
    return {
        "transactionTime": instant_of(status.job.created_at),
        "request": f"{request.app.state.hub.fhir_base}/$import",
        "requiresAccessToken": True,
        "output": [],
        "error": [outcome] if status.issues else [],
        "extension": {
            "lines": status.job.received,
            "counts": counted(status.counts),
        },
    }


def _status_url(request: Request, job: Job) -> str:
    return f"{request.app.state.hub.fhir_base}/jobs/{job.id}"


def _is_gzip(request: Request) -> bool:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in GZIP:
        msg = "A body may be compressed by gzip only"
        raise UnsupportedMediaError(msg)
    return GZIP[encoding]


def _after_line(request: Request) -> int:
    """Return how many lines of the upload were sent before (``Upload-Offset``)."""
    stated = header_of(request, "Upload-Offset") or "0"
    if not (stated.isascii() and stated.isdecimal()):
        msg = "Upload-Offset is the number of lines that were sent before"
        raise InvalidElementError(msg, expression="Upload-Offset")
    return int(stated)


def _pieces(request: Request) -> Iterator[bytes]:
    """Yield the body as it comes; for a thread, while the event loop receives it."""
    uploads: Uploads = request.app.state.uploads
    stream = request.stream()
    while True:
        piece = anyio.from_thread.run(uploads.next_piece, stream)
        if piece is None:
            return
        yield piece

"""Bulk submissions: manifests that the hub fetches, and what it gives back of them."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from app.domain.calendar import instant_of
from app.domain.gzips import WINDOW
from app.fhir.bulk_submissions import parse_bulk_submission, parse_status_question
from app.fhir.import_manifests import parse_import_manifest
from app.fhir.job_documents import ndjson, outcome_of_lines
from app.routers.bodies import (
    FhirBody,
    fhir_reply,
    header_of,
    refuse_conditions,
    refuse_parameters,
)
from app.routers.dependencies import Caller, HubDependency
from app.routers.job_answers import NDJSON, accepted, counted, under_way
from app.services.bulk import submission_imports, submissions
from app.services.bulk import submission_outputs as outputs
from app.services.bulk import submission_status as statuses
from app.services.bulk.submission_status import (
    ManifestOutcome,
    OutputFile,
    PartIssue,
    SubmissionStanding,
)
from app.services.hub import Hub
from app.services.resources import kept_type

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)

Json = dict[str, Any]

TAKEN = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "information",
            "code": "informational",
            "diagnostics": "Taken; $bulk-submit-status says what becomes of it",
        }
    ],
}
MANIFEST_TYPE = (
    "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/BulkSubmitStatusManifest"
)


@router.post("/$bulk-submit")
def submit_bulk(
    request: Request, caller: Caller, body: FhirBody, hub: HubDependency
) -> Response:
    """Take a manifest of a submission, or that it is completed or stopped."""
    refuse_parameters(request)
    refuse_conditions(request)
    submissions.submit(hub, caller, parse_bulk_submission(body))
    return fhir_reply(TAKEN)


@router.post("/$bulk-submit-status")
def ask_bulk_status(
    request: Request, caller: Caller, body: FhirBody, hub: HubDependency
) -> Response:
    """Say where the status of a submission is."""
    refuse_parameters(request)
    refuse_conditions(request)
    job_id = statuses.ask_status(hub, caller, parse_status_question(body))
    return accepted(_status_url(hub, job_id))


def submit_import(hub: Hub, caller: Caller, body: Json) -> Response:
    """Take an import manifest, whose files are a whole submission."""
    job = submission_imports.submit_files(hub, caller, parse_import_manifest(body))
    return accepted(_status_url(hub, job.id))


@router.get("/submissions/{job_id}")
def read_submission(job_id: int, caller: Caller, hub: HubDependency) -> Response:
    """Return the status manifest: in part while it is under way, whole at the end."""
    status = statuses.submission_status(hub, caller, job_id)
    body = msgspec.json.encode(_manifest(hub, status))
    if status.job.is_ended:
        return Response(body, media_type="application/json")
    return under_way(status.progress, body)


@router.delete("/submissions/{job_id}")
def dismiss_submission(job_id: int, caller: Caller, hub: HubDependency) -> Response:
    """Tell no more of a submission, which goes on."""
    statuses.dismiss(hub, caller, job_id)
    return Response(status_code=202)


@router.get("/submissions/{job_id}/outcomes/{part}.ndjson")
def read_submission_outcomes(
    job_id: int, part: int, request: Request, caller: Caller, hub: HubDependency
) -> Response:
    """Return what was found wrong with a manifest, an OperationOutcome in each line."""
    issues = statuses.outcome_issues(hub, caller, job_id, part)
    return _streamed(request, iter([[_outcome(each) for each in issues]]))


@router.get("/submissions/{job_id}/outputs/{part}/{type_name}.ndjson")
def read_submission_output(
    job_id: int,
    part: int,
    type_name: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
) -> Response:
    """Return de-identified records of one type that a part of a manifest held."""
    type_ = kept_type(type_name)
    return _streamed(request, outputs.held_resources(hub, caller, job_id, part, type_))


@router.get("/submissions/{job_id}/deleted.ndjson")
def read_submission_deletions(
    job_id: int, request: Request, caller: Caller, hub: HubDependency
) -> Response:
    """Return transaction Bundles of what was withdrawn, as replaced or deleted."""
    return _streamed(request, outputs.deleted_bundles(hub, caller, job_id))


@router.get("/submissions/{job_id}/measures.ndjson")
def read_submission_measures(
    job_id: int, request: Request, caller: Caller, hub: HubDependency
) -> Response:
    """Return the MeasureReports of the submitter's own clinic, live."""
    return _streamed(request, outputs.own_reports(hub, caller, job_id))


def _manifest(hub: Hub, status: SubmissionStanding) -> Json:
    """
    Return the status manifest.

    The ballot calls the files of issues ``outcome``; what became of it, ``error``, as
    all other manifests do. They are told by both names.
    """
    where = _status_url(hub, status.job.id)
    outcomes = [_outcome_entry(where, each) for each in status.outcomes]
    manifest: Json = {
        "submissionId": status.submission_id,
        "manifestType": MANIFEST_TYPE,
        "transactionTime": instant_of(status.job.created_at),
        "requiresAccessToken": True,
        "output": [_output_entry(where, each) for each in status.outputs],
        "outcome": outcomes,
        "error": outcomes,
        "deleted": [],
        "extension": {"counts": counted(status.counts)},
    }
    if status.job.is_ended:
        reports = {"type": "MeasureReport", "url": f"{where}/measures.ndjson"}
        manifest["output"].append(reports)
    if status.has_deleted:
        bundles = {"type": "Bundle", "url": f"{where}/deleted.ndjson"}
        manifest["deleted"].append(bundles)
    return manifest


def _outcome_entry(where: str, outcome: ManifestOutcome) -> Json:
    return _with_manifest(
        {
            "type": "OperationOutcome",
            "url": f"{where}/outcomes/{outcome.part}.ndjson",
            "count": sum(outcome.severities.values()),
            "countSeverity": [
                {"code": code, "count": count}
                for code, count in sorted(outcome.severities.items())
            ],
        },
        outcome.url,
    )


def _output_entry(where: str, output: OutputFile) -> Json:
    name = output.type.fhir_name
    return _with_manifest(
        {
            "type": name,
            "url": f"{where}/outputs/{output.part}/{name}.ndjson",
            "count": output.count,
        },
        output.manifest_url,
    )


def _with_manifest(entry: Json, url: str | None) -> Json:
    return entry if url is None else {**entry, "manifestUrl": url}


def _outcome(found: PartIssue) -> Json:
    """Return an issue as an OperationOutcome that says of which file it is."""
    stated = outcome_of_lines(found.issue)
    if found.place:
        details = stated["issue"][0]["details"]
        listed = "the manifest's deleted" if found.is_of_deleted else "the manifest"
        details["text"] = f"File {found.place} of {listed}. {details['text']}"
    return stated


def _status_url(hub: Hub, job_id: int) -> str:
    return f"{hub.fhir_base}/submissions/{job_id}"


def _streamed(request: Request, pages: Iterator[list[Json]]) -> Response:
    """Return pages of resources as NDJSON as it is made, gzipped if that is wanted."""
    body = (b"".join(ndjson(page)) for page in pages)
    accepted_codings = header_of(request, "Accept-Encoding") or ""
    if "gzip" not in accepted_codings:
        return StreamingResponse(body, media_type=NDJSON)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return StreamingResponse(_gzipped(body), media_type=NDJSON, headers=headers)


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    deflater = zlib.compressobj(wbits=WINDOW)
    for piece in pieces:
        if packed := deflater.compress(piece):
            yield packed
    yield deflater.flush()

"""What a submitter is told of a submission: how far it is, and what is wrong."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from app.domain.clinics import Principal
from app.domain.deliveries import FoldedIssue
from app.domain.errors import ConflictError, NotFoundError
from app.domain.records import RecordType
from app.fhir.bulk_submissions import SubmissionName
from app.services.authorization import check_operation, required_source
from app.services.bulk.jobs import required_job
from app.services.bulk.submission_files import manifest_place
from app.services.bulk.submission_filing import SCOPE
from app.services.bulk.submissions import submission_keys
from app.services.hub import Hub
from app.services.sealing import unseal
from app.store import bulk_submissions as rows
from app.store.bulk_submissions import FILES, PartKind, PartRow, PartState
from app.store.job_outcomes import CountRow, IssueRow, counts_of, issues_of
from app.store.jobs import SUBMIT, Job, JobState, is_kept_waiting
from app.store.sessions import ReadSession, read_session, write_session


class ManifestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of a manifest: how many issues of each severity."""

    part: int
    url: str | None
    severities: dict[str, int]


class OutputFile(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one type that a part of a manifest held."""

    part: int
    type: RecordType
    count: int
    manifest_url: str | None


class PartIssue(msgspec.Struct, frozen=True, kw_only=True):
    """
    An issue of a manifest, or of the file at a ``place`` in it (from 1).

    Or among the files of what the manifest says was deleted.
    """

    place: int
    is_of_deleted: bool
    issue: FoldedIssue


class SubmissionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as its submitter sees it; outputs are of one that is done."""

    job: Job
    submission_id: str
    progress: str
    outcomes: tuple[ManifestOutcome, ...]
    outputs: tuple[OutputFile, ...]
    has_deleted: bool
    counts: tuple[CountRow, ...]


def ask_status(hub: Hub, principal: Principal, name: SubmissionName) -> int:
    """
    Return the number of a submission whose status is asked for.

    Raises:
        ForbiddenError: the scope is missing.
        NotFoundError: the caller's clinic has no such submission.
    """
    check_operation(principal, SCOPE)
    source = required_source(principal)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        found = rows.find_submission(session, submission_keys(hub, name))
        if found is not None:
            job = required_job(hub, found.job_id)
            if job.clinic_id == source.clinic_id:
                rows.change_submission(session, job.id, is_dismissed=False)
                return job.id
    msg = "There is no such submission"
    raise NotFoundError(msg)


def submission_status(
    hub: Hub, principal: Principal, job_id: int
) -> SubmissionStanding:
    """
    Return how a submission of the caller's clinic stands.

    Raises:
        NotFoundError: there is none, it was stopped, or its status dismissed.
        ConflictError: it failed; the message says why.
    """
    job = own_job(hub, principal, job_id)
    if job.state is JobState.CANCELLED:
        raise NotFoundError(job.failure or "The submission was stopped")
    if job.state is JobState.FAILED:
        raise ConflictError(job.failure or "The submission failed")
    with read_session(hub.engine) as session:
        submission = rows.submission_of(session, job_id)
        if submission is None or submission.sealed is None:
            msg = "What became of a submission is told for 30 days"
            raise NotFoundError(msg)
        parts = {each.part: each for each in rows.parts_of(session, job_id)}
        urls = {n: _url(hub, part) for n, part in parts.items() if _is_one(part)}
        counts = tuple(counts_of(session, job_id))
        return SubmissionStanding(
            job=job,
            submission_id=_submission_id(hub, submission.sealed),
            progress=_progress(session, job, list(parts.values()), counts),
            outcomes=tuple(_outcomes(issues_of(session, job_id), parts, urls)),
            outputs=tuple(_outputs(session, job, parts, urls)),
            has_deleted=bool(rows.taken_back_after(session, job_id, after=0, limit=1)),
            counts=counts,
        )


def dismiss(hub: Hub, principal: Principal, job_id: int) -> None:
    """Tell no more of a submission until it is asked for again."""
    own_job(hub, principal, job_id)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        rows.change_submission(session, job_id, is_dismissed=True)


def own_job(hub: Hub, principal: Principal, job_id: int) -> Job:
    """
    Return the job of a submission that the caller may be told of.

    Raises:
        NotFoundError: there is none, or its status was dismissed.
    """
    check_operation(principal, SCOPE)
    clinic_id = required_source(principal).clinic_id
    job = required_job(hub, job_id, clinic_id=clinic_id)
    with read_session(hub.engine) as session:
        submission = rows.submission_of(session, job_id)
    if job.kind != SUBMIT or submission is None or submission.is_dismissed:
        msg = "There is no such submission"
        raise NotFoundError(msg)
    return job


def _is_one(part: PartRow) -> bool:
    return part.kind is PartKind.MANIFEST


def _url(hub: Hub, part: PartRow) -> str | None:
    """Return a manifest's URL, as long as it is remembered."""
    return None if part.sealed is None else manifest_place(hub, part).url


def _submission_id(hub: Hub, sealed: bytes) -> str:
    name = unseal(hub.keys, sealed)
    return msgspec.json.decode(name, type=SubmissionName).submission_id


def _progress(
    session: ReadSession, job: Job, parts: list[PartRow], counts: tuple[CountRow, ...]
) -> str:
    """Return how far a submission is, in a few words."""
    files = [part for part in parts if part.kind in FILES]
    here = sum(part.state is not PartState.WAITING for part in files)
    if job.state is JobState.RECEIVING:
        return f"in progress: {here:,} of {len(files):,} files read"
    if is_kept_waiting(session, job):
        return "completed: waiting for an earlier submission of this source"
    if any(part.state is PartState.WAITING for part in parts):
        return f"completed: {here:,} of {len(files):,} files read"
    lines = {part.part: part.lines for part in files if part.kind is PartKind.FILE}
    done = sum(row.count for row in counts if row.part in lines)
    return f"storing: {done:,} of {sum(lines.values()):,} lines stored or refused"


def _outcomes(
    issues: list[IssueRow], parts: dict[int, PartRow], urls: dict[int, str | None]
) -> Iterator[ManifestOutcome]:
    """Yield what there is to say of each manifest that there is something to say of."""
    found: dict[int, Counter[str]] = {}
    for row in issues:
        severities = found.setdefault(parts[row.part].manifest, Counter())
        severities[row.issue.severity] += 1
    for manifest, severities in sorted(found.items()):
        yield ManifestOutcome(
            part=manifest, url=urls[manifest], severities=dict(severities)
        )


def _outputs(
    session: ReadSession,
    job: Job,
    parts: dict[int, PartRow],
    urls: dict[int, str | None],
) -> Iterator[OutputFile]:
    """Yield the files of what became current; before the end there are none."""
    if job.state is not JobState.DONE:
        return
    for part, type_, count in rows.held_by_parts(session, job.id):
        yield OutputFile(
            part=part,
            type=RecordType(type_),
            count=count,
            manifest_url=urls[parts[part].manifest],
        )


def outcome_issues(
    hub: Hub, principal: Principal, job_id: int, manifest: int
) -> list[PartIssue]:
    """Return all that there is to say of a manifest and its files."""
    own_job(hub, principal, job_id)
    with read_session(hub.engine) as session:
        parts = {
            each.part: each
            for each in rows.parts_of(session, job_id)
            if each.manifest == manifest
        }
        return [
            PartIssue(
                place=parts[row.part].place,
                is_of_deleted=parts[row.part].kind is PartKind.DELETED,
                issue=row.issue,
            )
            for row in issues_of(session, job_id)
            if row.part in parts
        ]

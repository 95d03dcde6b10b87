"""
NDJSON that is pushed: read as it comes, staged, stored by a worker behind it.

What is staged is de-identified already; of the lines themselves nothing is kept. A
sender may give an upload a name, and go on with it where it was cut off.
"""

import time
from collections.abc import Iterable

import msgspec

from app.deid.pseudonyms import job_name_key
from app.domain.clinics import Audience, Principal, Source
from app.domain.deliveries import PackedLines, unpacked
from app.domain.errors import ConflictError, ForbiddenError, MalformedError
from app.domain.records import RecordType
from app.fhir.ndjson import batches, inflated
from app.services.authorization import (
    allowed_stored,
    check_reach,
    required_source,
)
from app.services.deliveries import store_lines
from app.services.hub import Hub
from app.services.jobs import Again, Finished, Run, StepEnd
from app.services.policies import check_in_force
from app.services.resources import Wish
from app.services.submissions import MayReplace
from app.store import jobs
from app.store.jobs import Job, JobState
from app.store.sessions import read_session, write_session
from app.store.staging import next_staged, remove_staged, stage

IMPORT = "import"
CONTINUED_WITHIN_MS = 24 * 3600 * 1000
LOOK_AGAIN_MS = 200
CUT_OFF = "The upload was cut off after line {}; send it again"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a body of NDJSON comes.

    ``name`` is what its sender calls it; ``after_line`` is how many lines were sent
    before, where it goes on with an upload that was cut off.
    """

    is_gzip: bool
    name: str | None = None
    after_line: int = 0


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf lines are stored."""

    scopes: tuple[str, ...]


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines are stored, or refused."""

    lines: int = 0


def receive(
    hub: Hub,
    principal: Principal,
    upload: Upload,
    pieces: Iterable[bytes],
    *,
    max_line_bytes: int,
) -> Job:
    """
    Stage what comes in *pieces*; return the job that stores it.

    Raises:
        ForbiddenError: no scope of the caller's is for anything that is kept.
        ConflictError: it goes on with an upload that is not at that line.
        MalformedError: there is no line in it, or it is no gzip.
        IntakeStoppedError: the policy has expired.
    """
    source = required_source(principal)
    for_something(principal)
    check_in_force(hub)
    job = _job_of(hub, principal, source, upload)
    if job.state is not JobState.RECEIVING:
        return job  # the same upload, which is here already
    try:
        received = _staged(hub, job, principal, upload, pieces, max_line_bytes)
    except BaseException:
        _note_cut(hub, job, upload)
        raise
    if not received:
        _note_cut(hub, job, upload)
        msg = "The body has no line"
        raise MalformedError(msg)
    with write_session(hub.engine) as session:
        jobs.change_job(
            session, job, state=JobState.WAITING.value, updated_at=hub.clock()
        )
    return job


def for_something(principal: Principal) -> None:
    """Refuse whose scopes cover no type that is kept."""
    for type_ in RecordType:
        try:
            check_reach(principal, type_.fhir_name, "c", "u")
        except ForbiddenError:
            continue
        return
    check_reach(principal, RecordType.OBSERVATION.fhir_name, "c", "u")


def received_lines(hub: Hub, principal: Principal, name: str) -> tuple[int, bool]:
    """
    Return how many lines of a named upload are here, and whether it is whole.

    Nothing is here of a name that was never heard.
    """
    source = required_source(principal)
    with read_session(hub.engine) as session:
        job = jobs.find_job_called(session, _name_key(hub, source, name))
    if job is None or job.state in {JobState.CANCELLED, JobState.FAILED}:
        return 0, False
    return job.received, job.state is not JobState.RECEIVING


def _name_key(hub: Hub, source: Source, name: str) -> bytes:
    return job_name_key(f"upload {name}", keys=hub.keys, source=source)


def _job_of(hub: Hub, principal: Principal, source: Source, upload: Upload) -> Job:
    """Return the job of an upload: the one it goes on with, or a new one."""
    name_key = None if upload.name is None else _name_key(hub, source, upload.name)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        known = None if name_key is None else jobs.find_job_called(session, name_key)
        if known is not None and known.state in {JobState.WAITING, JobState.DONE}:
            return known
        if upload.after_line:
            return _continued(known, upload)
        if known is not None and known.state is JobState.RECEIVING:
            failure = CUT_OFF.format(known.received)  # it begins anew
            jobs.change_job(session, known, name_key=None, failure=failure)
        job_id = jobs.add_job(
            session,
            kind=IMPORT,
            source_id=source.source_id,
            clinic_id=source.clinic_id,
            client_id=principal.client_id,
            name_key=name_key,
            state=JobState.RECEIVING,
            request=msgspec.json.encode(
                ImportRequest(scopes=principal.scopes)
            ).decode(),
            now=hub.clock(),
        )
        job = jobs.find_job(session, job_id)
        assert job is not None
        return job


def _continued(known: Job | None, upload: Upload) -> Job:
    if known is None or known.state is not JobState.RECEIVING:
        msg = "There is no such upload to go on with; send it from its first line"
        raise ConflictError(msg)
    if known.received != upload.after_line:
        msg = f"The upload goes on after line {known.received}"
        raise ConflictError(msg)
    return known


def _staged(
    hub: Hub,
    job: Job,
    principal: Principal,
    upload: Upload,
    pieces: Iterable[bytes],
    max_line_bytes: int,
) -> int:
    """Stage what comes; return the number of its last line."""
    plain = inflated(pieces) if upload.is_gzip else pieces
    read = hub.readers.read(
        hub,
        required_source(principal),
        batches(plain, max_line_bytes=max_line_bytes, after=upload.after_line),
        scopes=principal.scopes,
        max_line_bytes=max_line_bytes,
    )
    last = upload.after_line
    for lines in read:
        _pace(hub, principal.client_id, lines)
        with write_session(hub.engine) as session:
            stage(session, job.id, part=0, number=lines.first, payload=lines.payload)
            is_ours = jobs.note_received(
                session, job, before=last, received=lines.last, now=hub.clock()
            )
            if not is_ours:
                msg = "The upload was cancelled, or is sent twice at once"
                raise ConflictError(msg)
        last = lines.last
    return last


def _pace(hub: Hub, client_id: str, lines: PackedLines) -> None:
    """Let who has spent their budget wait: the body comes no faster than that."""
    grant = hub.budgets.take(
        client_id, lines.last - lines.first + 1, now=hub.clock(), whole=False
    )
    if grant.retry_after_seconds is not None:
        time.sleep(grant.retry_after_seconds)


def _note_cut(hub: Hub, job: Job, upload: Upload) -> None:
    """Note that an upload was cut off; one with a name may be gone on with."""
    if upload.name is not None:
        return
    with write_session(hub.engine) as session:
        found = jobs.find_job(session, job.id)
        if found is not None:
            failure = CUT_OFF.format(found.received)
            jobs.change_job(session, found, failure=failure)


def store_staged(run: Run) -> StepEnd:
    """Store the next lines that are staged, with how far that is."""
    run.refresh()
    with read_session(run.hub.engine) as session:
        staged = next_staged(session, run.job.id)
    if staged is None:
        return _without_lines(run)
    read = unpacked(staged.payload)
    asked = run.request(ImportRequest)
    with write_session(run.hub.engine, client_id=run.job.client_id) as session:
        store_lines(
            session,
            run.hub,
            run.source,
            read,
            job_id=run.job.id,
            may_replace=_may_replace(run, asked.scopes),
        )
        remove_staged(session, run.job.id, staged)
        run.advance(session, progress=ImportProgress(lines=read.last))
    return Again()


def _may_replace(run: Run, scopes: tuple[str, ...]) -> MayReplace | None:
    """Return the check of what lines would replace; None where all may be."""
    principal = Principal(
        client_id=run.job.client_id,
        audience=Audience.MEMBERS,
        scopes=scopes,
        source=run.source,
    )
    allowed = allowed_stored(principal)
    return None if allowed is None else Wish(allowed_stored=allowed).check_stored


def _without_lines(run: Run) -> StepEnd:
    """Return what is next of a job of which nothing is staged."""
    job = run.job
    if job.state is JobState.WAITING:
        return Finished()
    is_late = run.hub.clock() - job.updated_at > CONTINUED_WITHIN_MS
    if job.failure is not None or is_late:
        raise ConflictError(job.failure or CUT_OFF.format(job.received))
    return Again(LOOK_AGAIN_MS)

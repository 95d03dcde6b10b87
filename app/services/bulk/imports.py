"""
NDJSON that is pushed: read as it comes, staged for a worker (``import_steps``).

What is staged is de-identified already; of the lines themselves nothing is kept. A
sender may give an upload a name, and go on with it where it was cut off.
"""

import time
from collections.abc import Iterable
from functools import partial

import msgspec

from app.deid.pseudonyms import job_name_key
from app.domain.clinics import Principal, Source
from app.domain.deliveries import PackedLines
from app.domain.errors import ConflictError, ForbiddenError, MalformedError
from app.domain.records import RecordType
from app.fhir.ndjson import batches, inflated, uncompressed
from app.services.authorization import (
    active_client,
    check_reach,
    required_source,
)
from app.services.bulk.heartbeats import beating
from app.services.hub import Hub
from app.services.policies import check_in_force
from app.store import jobs
from app.store.jobs import IMPORT, Job, JobState
from app.store.sessions import WriteSession, read_session, write_session
from app.store.staging import stage

ALIVE_SECONDS = 5.0
"""So often who receives an upload says that it is still coming."""
NOT_OURS = "The upload was cancelled, or sent from its first line again"
WHOLE = frozenset({JobState.WAITING, JobState.DONE})
GIVEN_UP = frozenset({JobState.CANCELLED, JobState.FAILED})


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
    """
    On whose behalf lines are stored.

    ``cut_after`` is the last line that came of an upload that was cut off for good.
    """

    scopes: tuple[str, ...]
    cut_after: int | None = None


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

    What came before a failure is staged too: an upload with a name goes on from there,
    one without is stored as far as it came.

    Raises:
        ForbiddenError: no scope of the caller's is for anything that is kept.
        NotAuthenticatedError: the client was revoked meanwhile.
        ConflictError: it goes on with an upload that is not at that line.
        MalformedError: there is no line in it, it is no gzip, or it was cut off.
        TooLargeError: it inflates to far more than FHIR does.
        IntakeStoppedError: the policy has expired.
    """
    source = required_source(principal)
    check_any_reach(principal)
    check_in_force(hub)
    job = _job_of(hub, principal, source, upload)
    if job.state is not JobState.RECEIVING:
        return job  # the same upload, which is here already
    try:
        with beating(partial(_is_coming, hub, job), seconds=ALIVE_SECONDS, job=job.id):
            _stage(hub, job, principal, upload, pieces, max_line_bytes)
    except BaseException:
        _cut_off(hub, job, upload)
        raise
    with write_session(hub.engine) as session:
        is_ours = jobs.change_job(
            session, job, state=JobState.WAITING.value, updated_at=hub.clock()
        )
    if not is_ours:
        raise ConflictError(NOT_OURS)
    return job


def _is_coming(hub: Hub, job: Job) -> bool:
    """Say that an upload is still coming; return whether anybody waits for it."""
    with write_session(hub.engine) as session:
        return jobs.note_alive(session, job, now=hub.clock())


def check_any_reach(principal: Principal) -> None:
    """Refuse whose scopes cover no type that is kept."""
    for type_ in RecordType:
        try:
            check_reach(principal, type_.fhir_name, "c", "u")
        except ForbiddenError:
            continue
        return
    check_reach(principal, RecordType.OBSERVATION.fhir_name, "c", "u")


def upload_called(hub: Hub, principal: Principal, name: str) -> Job | None:
    """Return the job of an upload that its sender calls so, if any of it is here."""
    source = required_source(principal)
    with read_session(hub.engine) as session:
        job = jobs.find_job_called(session, _name_key(hub, principal, source, name))
    return None if job is None or job.state in GIVEN_UP else job


def _name_key(hub: Hub, principal: Principal, source: Source, name: str) -> bytes:
    """Return what an upload of one client is known by; others have their own names."""
    return job_name_key(
        f"upload {principal.client_id} {name}", keys=hub.keys, source=source
    )


def _job_of(hub: Hub, principal: Principal, source: Source, upload: Upload) -> Job:
    """Return the job of an upload: the one it goes on with, or a new one."""
    name_key = None
    if upload.name is not None:
        name_key = _name_key(hub, principal, source, upload.name)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        known = None if name_key is None else jobs.find_job_called(session, name_key)
        if known is not None and known.state in WHOLE:
            return known
        if upload.after_line:
            return _continued(known, upload)
        if known is not None and known.state is JobState.RECEIVING:
            set_aside(session, known, now=hub.clock())  # it begins anew
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
    if known is None or known.state in GIVEN_UP:
        msg = "There is no such upload to go on with; send it from its first line"
        raise ConflictError(msg)
    if known.received != upload.after_line:
        msg = f"The upload goes on after line {known.received}"
        raise ConflictError(msg)
    return known


def _stage(
    hub: Hub,
    job: Job,
    principal: Principal,
    upload: Upload,
    pieces: Iterable[bytes],
    max_line_bytes: int,
) -> None:
    """Stage what comes, as it comes."""
    plain = inflated(pieces) if upload.is_gzip else uncompressed(pieces)
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
            active_client(session, principal.client_id)
            is_ours = jobs.note_received(
                session, job, before=last, received=lines.last, now=hub.clock()
            )
            if not is_ours:
                raise ConflictError(NOT_OURS)
            stage(session, job.id, part=0, number=lines.first, payload=lines.payload)
        last = lines.last
    if not last:
        msg = "The body has no line"
        raise MalformedError(msg)


def _pace(hub: Hub, client_id: str, lines: PackedLines) -> None:
    """Let who has spent their budget wait: the body comes no faster than that."""
    wanted = lines.last - lines.first + 1
    while True:
        grant = hub.budgets.take(client_id, wanted, now=hub.clock(), whole=True)
        if grant.retry_after_seconds is None:
            return
        time.sleep(grant.retry_after_seconds)


def _cut_off(hub: Hub, job: Job, upload: Upload) -> None:
    """Let an upload that was cut off wait to be gone on with, where it has a name."""
    with write_session(hub.engine) as session:
        found = jobs.find_job(session, job.id)
        if found is None or found.state is not JobState.RECEIVING:
            return
        if upload.name is None or not found.received:
            set_aside(session, found, now=hub.clock())


def set_aside(session: WriteSession, job: Job, *, now: int) -> None:
    """Let an upload be stored as far as it came; forget one of which nothing did."""
    if not job.received:
        jobs.forget_job(session, job.id)
        return
    asked = msgspec.json.decode(job.request, type=ImportRequest)
    cut = msgspec.structs.replace(asked, cut_after=job.received)
    jobs.change_job(
        session,
        job,
        state=JobState.WAITING.value,
        name_key=None,
        request=msgspec.json.encode(cut).decode(),
        updated_at=now,
    )

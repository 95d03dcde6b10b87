"""
The work of a bulk submission, step by step: fetch, stage, store, withdraw.

While its submitter may say more, its parts are fetched and staged. Once completed they
are stored in their order, what a manifest says was deleted before what it says is
there; then what replaced manifests held and nothing else does is withdrawn. A file
that can't be had is told of, and nothing of it is stored.
"""

import logging

import msgspec
from msgspec.structs import replace

from app.domain.deliveries import PackedLines, unpacked, unpacked_deletions
from app.domain.errors import PASSING, ConflictError, IssueType, ServiceError, Severity
from app.fhir.bulk_submissions import ManifestPlace
from app.services.bulk import submission_files as files
from app.services.bulk.deliveries import store_lines
from app.services.bulk.jobs import (
    MOST_ATTEMPTS,
    Again,
    Finished,
    LeaseLostError,
    Run,
    StepEnd,
)
from app.services.bulk.submission_filing import SubmissionProgress
from app.services.bulk.submission_manifests import read_manifest
from app.services.bulk.submission_withdrawals import withdraw_replaced
from app.services.bulk.withdrawals import withdraw_read
from app.services.sealing import seal
from app.smart.bulk_errors import ServerError, UnreadableAnswerError
from app.smart.errors import TokenRefusedError
from app.store import bulk_submissions as rows
from app.store.bulk_submissions import FILES, PartKind, PartRow, PartState
from app.store.job_outcomes import add_remark, counts_of, forget_outcomes
from app.store.jobs import JobState
from app.store.sessions import WriteSession, read_session, write_session
from app.store.staging import (
    StagedLines,
    drop_staged,
    next_staged,
    remove_staged,
    stage,
)

log = logging.getLogger(__name__)

LOOK_AGAIN_MS = 1_000
OPEN_MS = 30 * 24 * 3600 * 1000
"""So long a submission may be silent before it is given up."""
MOST_RESTARTS = 5
"""So often a file may be another one when it is gone on with."""


def submission_step(run: Run) -> StepEnd:
    """Do the next of what a submission needs."""
    try:
        run.refresh()
        return _next_of(run)
    except LeaseLostError:
        run.hub.servers.close_of(run.job.id)
        raise


def _next_of(run: Run) -> StepEnd:
    with read_session(run.hub.engine) as session:
        part = rows.next_part(session, run.job.id)
    if part is not None:
        return _fetch(run, part)
    if not run.progress(SubmissionProgress).is_completed:
        return _wait(run)
    if _store(run) or withdraw_replaced(run):
        return Again()
    _conclude(run)
    return Finished()


def _wait(run: Run) -> StepEnd:
    """Wait for what the submitter says next."""
    if run.hub.clock() - run.job.updated_at > OPEN_MS:
        msg = "The submission was neither completed nor stopped"
        raise ConflictError(msg)
    if run.job.state is not JobState.RECEIVING:  # it failed, and an operator retried it
        with write_session(run.hub.engine) as session:
            run.change(session, state=JobState.RECEIVING.value)
    return Again(LOOK_AGAIN_MS)


def _fetch(run: Run, part: PartRow) -> StepEnd:
    """Fetch a part, or go on with it; give up what is not to be had."""
    try:
        read = _read_file if part.kind in FILES else read_manifest
        read(run, part)
    except (ServerError, TokenRefusedError) as error:
        run.hub.servers.close_of(run.job.id)
        if error.issue_type in PASSING and run.job.attempts + 1 < MOST_ATTEMPTS:
            raise
        _give_up(run, part, error)
    return Again()


def _read_file(run: Run, part: PartRow) -> None:
    """Stage the next lines of a file, with how far it is."""
    home = files.home_of(run, part)
    reading = files.opened_file(run, home, files.file_place(run.hub, part), part)
    with run.hub.servers.next_of(run.job.id, reading) as read:
        if part.mark not in {None, reading.file.mark}:
            part = _begun_again(run, part)
        if read is None:
            _end_file(run, part)
        else:
            assert isinstance(read, PackedLines)
            _stage(run, part, read, mark=reading.file.mark)


def _begun_again(run: Run, part: PartRow) -> PartRow:
    """Begin a file anew that is not what it was; return its part."""
    if part.restarts == MOST_RESTARTS:
        msg = "The file changes whenever it is asked for"
        raise UnreadableAnswerError(msg)
    anew = replace(part, lines=0, mark=None, restarts=part.restarts + 1)
    with write_session(run.hub.engine) as session:
        run.advance(session)
        drop_staged(session, run.job.id, part=part.part)
        rows.change_part(session, part, lines=0, mark=None, restarts=anew.restarts)
    return anew


def _stage(run: Run, part: PartRow, read: PackedLines, *, mark: str) -> None:
    with write_session(run.hub.engine) as session:
        received = run.job.received + read.last - read.first + 1
        run.change(session, received=received, **_progressed(run))
        if rows.change_part(session, part, lines=read.last, mark=mark):
            stage(
                session,
                run.job.id,
                part=part.part,
                number=read.first,
                payload=read.payload,
            )


def _progressed(run: Run) -> dict[str, object]:
    return {"updated_at": run.hub.clock(), "attempts": 0}


def _end_file(run: Run, part: PartRow) -> None:
    with write_session(run.hub.engine) as session:
        run.advance(session)
        rows.change_part(session, part, state=PartState.READ.value, sealed=None)


def _give_up(run: Run, part: PartRow, error: ServiceError) -> None:
    """Say of a part that it was not loaded; nothing of it is stored."""
    log.warning("part failed", extra={"job": run.job.id, "error": type(error).__name__})
    what = "file" if part.kind in FILES else "manifest"
    msg = f"The {what} was not loaded: {error.message}"
    with write_session(run.hub.engine) as session:
        run.advance(session)
        if not rows.change_part(session, part, state=PartState.FAILED.value):
            return
        drop_staged(session, run.job.id, part=part.part)
        forget_outcomes(session, run.job.id, part=part.part)
        add_remark(
            session,
            run.job.id,
            Severity.ERROR,
            error.issue_type,
            msg,
            part=part.part,
            expression=error.expression,
        )


def _store(run: Run) -> bool:
    """Store the next lines that are staged; return whether there were any."""
    with read_session(run.hub.engine) as session:
        staged = next_staged(session, run.job.id)
        if staged is None:
            return False
        part = rows.part_of(session, run.job.id, staged.part)
    store = _withdraw_lines if part.kind is PartKind.DELETED else _store_lines
    with write_session(run.hub.engine, client_id=run.job.client_id) as session:
        store(session, run, staged)
        remove_staged(session, run.job.id, staged)
        run.advance(session)
    return True


def _store_lines(session: WriteSession, run: Run, staged: StagedLines) -> None:
    store_lines(
        session,
        run.hub,
        run.source,
        unpacked(staged.payload),
        job_id=run.job.id,
        part=staged.part,
        notes_records=True,
    )


def _withdraw_lines(session: WriteSession, run: Run, staged: StagedLines) -> None:
    """Withdraw what staged lines say was deleted; the status tells which that was."""
    job_id, part = run.job.id, staged.part
    read = unpacked_deletions(staged.payload)
    taken = withdraw_read(session, run.hub, run.source, read, job_id=job_id, part=part)
    rows.note_taken_back(session, job_id, taken, part=part)


def _conclude(run: Run) -> None:
    """Compare what came with what was told, and forget how it was come by."""
    hub, job_id = run.hub, run.job.id
    with write_session(hub.engine) as session:
        run.advance(session)
        came: dict[int, int] = {}
        for count in counts_of(session, job_id):
            came[count.part] = came.get(count.part, 0) + count.count
        for part in rows.parts_of(session, job_id):
            found = came.get(part.part, 0)
            if part.state is PartState.READ and part.told not in {None, found}:
                msg = f"The manifest says {part.told:,} resources; {found:,} came"
                kind = IssueType.BUSINESS_RULE
                add_remark(session, job_id, Severity.WARNING, kind, msg, part=part.part)
                rows.change_part(session, part, told=None)
            if part.kind is PartKind.MANIFEST and part.sealed is not None:
                place = files.manifest_place(hub, part)
                bare = ManifestPlace(url=place.url, access=None)
                sealed = seal(hub.keys, msgspec.json.encode(bare))
                rows.change_part(session, part, sealed=sealed)
        rows.forget_places(session, job_id)

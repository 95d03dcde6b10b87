"""The job of an import: lines that are staged are stored, in their order."""

import msgspec

from app.domain.clinics import Audience, Principal
from app.domain.deliveries import unpacked
from app.domain.errors import ConflictError
from app.services.authorization import allowed_stored
from app.services.bulk.deliveries import store_lines
from app.services.bulk.imports import ImportRequest, set_aside
from app.services.bulk.jobs import Again, Finished, Run, StepEnd
from app.services.resources import Wish
from app.services.submissions import MayReplace
from app.store import jobs
from app.store.clinics import check_takes_part
from app.store.jobs import JobState
from app.store.sessions import read_session, write_session
from app.store.staging import next_staged, remove_staged

LOOK_AGAIN_MS = 200
CUT_OFF = "The upload was cut off after line {}; send it again"


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines are stored, or refused."""

    lines: int = 0


def store_staged(run: Run) -> StepEnd:
    """
    Store the next lines that are staged, with how far that is.

    Whoever sent them may have been revoked since: they are the clinic's.
    """
    run.refresh()
    with read_session(run.hub.engine) as session:
        check_takes_part(session, run.job.clinic_id)
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
        run.advance(session, progress=ImportProgress(lines=read.last))
        remove_staged(session, run.job.id, staged)
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
    """
    Return what is next of a job of which nothing is staged.

    Who received it may have died, and then says nothing more; an upload that has a name
    may be gone on with all the same.
    """
    job, now = run.job, run.hub.clock()
    cut_after = run.request(ImportRequest).cut_after
    if cut_after is not None:
        raise ConflictError(CUT_OFF.format(cut_after))
    if job.state is JobState.WAITING:
        return Finished()
    awaited_ms = jobs.SILENT_MS if job.name_key is None else jobs.ABANDONED_MS
    if now < job.updated_at + awaited_ms:
        return Again(LOOK_AGAIN_MS)
    with write_session(run.hub.engine) as session:
        set_aside(session, job, now=now)
    return Again()

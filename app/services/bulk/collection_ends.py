"""The end of a collection: the server's files cleared away, the snapshot compared."""

from app.domain.errors import Severity
from app.domain.records import RecordType
from app.services import intake
from app.services.bulk.collection_states import (
    REMARKS,
    Collecting,
    CollectSealed,
    Stage,
)
from app.services.bulk.jobs import Again, Finished, Held, StepEnd
from app.services.bulk.withdrawals import add_withdrawn
from app.smart.bulk_errors import ServerError
from app.smart.bulk_exports import clear_away
from app.smart.errors import TokenRefusedError
from app.store import snapshots
from app.store.connections import note_collected
from app.store.delivered import forget_delivered
from app.store.jobs import JobState
from app.store.sessions import read_session

ASKED_ABOVE_PERCENT = 5
AT_ONCE = 500


def clear(collecting: Collecting) -> StepEnd:
    """
    Let the server forget its export, and note up to when all is here.

    Everything is stored by now; a server that can't forget changes nothing of that.
    """
    progress, sealed = collecting.progress, collecting.sealed()
    could_clear = True
    if sealed.status_url is not None:
        try:
            clear_away(collecting.server, sealed.status_url)
        except (ServerError, TokenRefusedError):
            could_clear = False
    with collecting.writing() as session:
        if not could_clear:
            said = "The server did not delete its export"
            collecting.remark(session, Severity.WARNING, "processing", said)
        if progress.transaction_time is not None:
            note_collected(
                session,
                collecting.run.source.source_id,
                since=progress.transaction_time,
            )
        is_compared = collecting.request.is_snapshot and progress.is_whole
        if collecting.request.is_snapshot and not is_compared:
            said = "The snapshot is not whole, so nothing was withdrawn by it"
            collecting.remark(session, Severity.WARNING, "incomplete", said)
        next_stage = Stage.COMPARING if is_compared else Stage.DONE
        collecting.advance(session, stage=next_stage, sealed=CollectSealed())
    return Again()


def compare(collecting: Collecting) -> StepEnd:
    """
    Withdraw what a snapshot no longer holds, some at a time.

    The operator is asked first where that is more than a twentieth of all there is.
    """
    progress = collecting.progress
    missing = _missing(collecting)
    if not progress.is_approved:
        with read_session(collecting.hub.engine) as session:
            lacking, there = snapshots.share(session, missing)
        if 100 * lacking > ASKED_ABOVE_PERCENT * there:
            return _ask(collecting, lacking, there)
        collecting.note(is_approved=True)
        return Again()
    with collecting.writing() as session:
        ids = snapshots.lacking(
            session, missing, after=progress.compared_after, limit=AT_ONCE
        )
        if not ids:
            collecting.advance(session, stage=Stage.DONE)
            return Again()
        taken = intake.withdraw_all(
            session,
            collecting.hub,
            collecting.run.source,
            ids,
            up_to=progress.transaction_ms,
        )
        add_withdrawn(session, collecting.job_id, taken, part=REMARKS)
        collecting.advance(
            session,
            compared_after=ids[-1],
            withdrawn=progress.withdrawn + len(taken),
        )
    return Again()


def _ask(collecting: Collecting, lacking: int, there: int) -> StepEnd:
    """Hold the job; that it goes on from there is the answer, so both are written."""
    job_id = collecting.job_id
    question = (
        f"The snapshot lacks {lacking:,} of the {there:,} records that are here: "
        f"`catchment job approve {job_id}` withdraws them, "
        f"`catchment job cancel {job_id}` keeps them"
    )
    with collecting.writing() as session:
        collecting.advance(session, is_approved=True)
        collecting.run.change(session, state=JobState.HELD.value, failure=question)
    return Held(question)


def _missing(collecting: Collecting) -> snapshots.Missing:
    types = map(RecordType.of, collecting.connection.types)
    progress = collecting.progress
    return snapshots.Missing(
        job_id=collecting.job_id,
        source_id=collecting.run.source.source_id,
        types=tuple(int(type_) for type_ in types if type_ is not None),
        received_before=progress.began_at,
        sent_before=progress.transaction_ms,
    )


def finish(collecting: Collecting) -> StepEnd:
    """Forget which records the snapshot held."""
    with collecting.writing() as session:
        for part in range(collecting.progress.files + 1):
            forget_delivered(session, collecting.job_id, part=part)
        collecting.advance(session)
    return Finished()

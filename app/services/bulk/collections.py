"""
Collections: what a clinic's server holds, fetched by the hub itself.

By export where the server has one, else by searches; each a job, done step by step.
"""

from contextlib import suppress

import msgspec

from app.domain.calendar import instant_of
from app.domain.errors import ConflictError
from app.services.bulk import collection_ends, collection_exports, collection_searches
from app.services.bulk.collection_files import read_files
from app.services.bulk.collection_states import (
    Collecting,
    CollectProgress,
    CollectRequest,
    CollectSealed,
    Stage,
)
from app.services.bulk.ehrs import known_server
from app.services.bulk.jobs import Run, StepEnd
from app.services.bulk.patience import DAY_MS, PATIENCE_MS, Passing, sat_out
from app.services.hub import Hub
from app.services.sealing import unseal
from app.smart.bulk_errors import (
    ServerError,
    ServerThrottlesError,
    ServerUnavailableError,
)
from app.smart.bulk_exports import Level, clear_away
from app.smart.errors import TokenRefusedError
from app.store import connections, jobs
from app.store.clinics import check_takes_part
from app.store.connections import Connection
from app.store.jobs import COLLECT, ENDED, Job, JobState
from app.store.sessions import (
    OPERATOR,
    WriteSession,
    read_session,
    write_session,
)

LONG_PATIENCE_MS = 30 * DAY_MS
"""For so long one that asks for patience: another's export may take weeks."""


def collect(run: Run) -> StepEnd:
    """Take the next step of a collection; what may pass at the server is sat out."""
    collecting = Collecting(run)
    try:
        return _step(collecting)
    except (
        ServerThrottlesError,
        ServerUnavailableError,
        TokenRefusedError,
    ) as error:
        return _sit_out(collecting, error)


def _step(collecting: Collecting) -> StepEnd:
    by_search = collecting.connection.level == Level.SEARCH
    match collecting.progress.stage:
        case Stage.STARTING if by_search:
            return collection_searches.list_people(collecting)
        case Stage.STARTING:
            return collection_exports.start(collecting)
        case Stage.EXPORTING:
            return collection_exports.wait(collecting)
        case Stage.READING:
            return read_files(collecting)
        case Stage.SEARCHING:
            return collection_searches.search(collecting)
        case Stage.CLEARING:
            return collection_ends.clear(collecting)
        case Stage.COMPARING:
            return collection_ends.compare(collecting)
        case Stage.DONE:
            return collection_ends.finish(collecting)


def _sit_out(collecting: Collecting, error: Passing) -> StepEnd:
    """Ask the server again later, and say why."""
    is_throttled = isinstance(error, ServerThrottlesError)
    failing, again = sat_out(
        collecting.progress.failing,
        error,
        now=collecting.hub.clock(),
        patience_ms=LONG_PATIENCE_MS if is_throttled else PATIENCE_MS,
    )
    waiting = msgspec.structs.replace(collecting.progress, failing=failing)
    with collecting.writing() as session:
        collecting.run.advance(session, progress=waiting)
        collecting.run.change(session, failure=error.message)
    return again


def order(
    session: WriteSession,
    hub: Hub,
    connection: Connection,
    *,
    clinic_id: int,
    is_full: bool = False,
    since: str | None = None,
    is_snapshot: bool | None = None,
) -> int:
    """
    File the collection of a source; return the job's number.

    All there is where it *is_full*, or where it was never collected; else what changed
    *since* an instant of the server's, by default that up to which all is here.

    Raises:
        ConflictError: another collection of the source is under way, or is held; a
            snapshot is not of all there is; the clinic has left.
    """
    check_takes_part(session, clinic_id)
    connections.lock_connection(session, connection.source_id)
    before = under_way(session, connection.source_id)
    if before is not None:
        msg = f"Job {before.id} collects this source already, and is {before.state}"
        raise ConflictError(msg)
    wanted = connection.is_snapshot if is_snapshot is None else is_snapshot
    start = None if is_full else since or connection.since
    if is_snapshot and start is not None:
        msg = "Only a full collection is a snapshot"
        raise ConflictError(msg)
    if wanted and connection.type_filters:
        msg = "A snapshot is of all of its types: it has no filters"
        raise ConflictError(msg)
    request = CollectRequest(since=start, is_snapshot=wanted and start is None)
    return jobs.add_job(
        session,
        kind=COLLECT,
        source_id=connection.source_id,
        clinic_id=clinic_id,
        client_id=OPERATOR,
        state=JobState.WAITING,
        request=msgspec.json.encode(request).decode(),
        now=hub.clock(),
    )


def under_way(session: WriteSession, source_id: int) -> Job | None:
    """Return the collection of a source that has not ended, if there is one."""
    states = frozenset(JobState) - ENDED
    found = jobs.list_jobs(session, kind=COLLECT, states=states, limit=10_000)
    return next((job for job in found if job.source_id == source_id), None)


def order_due(hub: Hub) -> int:
    """
    File collections whose time has come; return how many.

    Of several processes one files each. What is under way then is not begun again.
    """
    now, filed = hub.clock(), 0
    with read_session(hub.engine) as session:
        places = connections.all_connections(session)
    for place in places:
        connection = place.connection
        if connection.next_at is None or connection.next_at > now:
            continue
        every_ms = 1000 * (connection.every_seconds or 0)
        missed = (now - connection.next_at) // every_ms if every_ms else 0
        next_at = connection.next_at + (missed + 1) * every_ms
        with write_session(hub.engine) as session:
            if not connections.move_on(session, connection, next_at=next_at):
                continue
            try:
                order(session, hub, connection, clinic_id=place.clinic_id)
            except ConflictError:
                continue
            filed += 1
    return filed


def call_off(hub: Hub, job: Job) -> None:
    """
    Tell the server that the export of a job, as it was, is not needed any more.

    Some run one export at a time. Whether it can be told makes no difference here.
    """
    if job.kind != COLLECT or job.sealed is None:
        return
    sealed = msgspec.json.decode(unseal(hub.keys, job.sealed), type=CollectSealed)
    with read_session(hub.engine) as session:
        connection = connections.find_connection(session, job.source_id)
    if connection is None or sealed.status_url is None:
        return
    with suppress(ServerError, TokenRefusedError, ConflictError):
        clear_away(known_server(hub, connection), sealed.status_url)


def told(job: Job) -> str:
    """Return in words how far a collection is."""
    progress = msgspec.json.decode(job.progress, type=CollectProgress)
    if job.is_ended or job.state is JobState.HELD:
        return str(job.state)
    if job.failure is not None:
        return f"{job.failure}; next try {instant_of(job.not_before)}"
    match progress.stage:
        case Stage.EXPORTING:
            share = "" if progress.percent is None else f", {progress.percent} %"
            return f"exporting{share}"
        case Stage.READING:
            return f"reading file {progress.part + 1} of {progress.files}"
        case Stage.SEARCHING:
            return f"searching, {progress.people_done:,} of {progress.people:,} people"
        case Stage.COMPARING:
            return f"comparing, {progress.withdrawn:,} withdrawn"
        case _:
            return str(progress.stage)

"""What an operator is to put right or to tune, and how large everything is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from app.services.hub import Hub
from app.services.policies import WARNED_DAYS, days_left, ended, soon_to_end
from app.services.recounts import LATE_MS, overdue_since
from app.services.tuning import Advice, in_bytes, postgresql_advice, sqlite_advice
from app.store import key_versions, recounts, vitals
from app.store.exchanges import is_postgresql
from app.store.jobs import JobState, list_jobs
from app.store.migrations import is_current
from app.store.sessions import ReadSession, read_session

OLD_SECONDS = 300
"""A transaction of the hub's own is over long before."""


def advice(hub: Hub, *, processes: int) -> list[Advice]:
    """Return what is wrong, then what could be better, where so many processes work."""
    with read_session(hub.engine) as session:
        found = [*_of_database(session, processes), *_of_policy(hub)]
        if is_current(hub.engine):
            found += [*_of_counting(session, hub), *_of_jobs(session, hub)]
            found += [*_of_keys(session, hub), *_of_indexes(session)]
        else:
            found.append(_of_schema())
    return sorted(found, key=lambda each: not each.is_wrong)


def sizes(hub: Hub) -> Iterator[str]:
    """Yield how large the database is, and of PostgreSQL each table, largest first."""
    with read_session(hub.engine) as session:
        if not is_postgresql(session):
            file = vitals.sqlite_vitals(session)
            yield f"database {in_bytes(file.size_bytes)}"
            return
        server = vitals.postgresql_vitals(session, old_seconds=OLD_SECONDS)
    yield f"database {in_bytes(server.size_bytes)}"
    for table in server.tables:
        if table.rows:
            yield (
                f"{table.name}: about {table.rows:,} rows in"
                f" {in_bytes(table.table_bytes)}, indexes {in_bytes(table.index_bytes)}"
            )


def _of_database(session: ReadSession, processes: int) -> Iterator[Advice]:
    if is_postgresql(session):
        server = vitals.postgresql_vitals(session, old_seconds=OLD_SECONDS)
        yield from postgresql_advice(server, processes=processes)
        return
    file = vitals.sqlite_vitals(session)
    free = shutil.disk_usage(Path(file.path).resolve().parent).free
    yield from sqlite_advice(file, free_bytes=free)


def _of_schema() -> Advice:
    return Advice(
        is_wrong=True,
        what="the database has another schema than this version's",
        why="neither service nor worker starts on it",
        remedy="catchment migrate",
    )


def _of_policy(hub: Hub) -> Iterator[Advice]:
    left = days_left(hub)
    if left is None or left > WARNED_DAYS:
        return
    is_over = left < 0
    yield Advice(
        is_wrong=is_over,
        what="the policy has expired"
        if is_over
        else f"the policy has {left} days left",
        why=ended(hub) if is_over else soon_to_end(hub),
        remedy="renew the policy's file, and start the hub again",
    )


def _of_counting(session: ReadSession, hub: Hub) -> Iterator[Advice]:
    since = overdue_since(session, hub)
    if since is not None:
        waited = (hub.clock() - since) // 1000
        count = recounts.waiting_count(session)
        yield Advice(
            is_wrong=True,
            what=f"{count:,} subjects wait to be counted, the first since {waited} s",
            why="live numbers and the next release lack what came since",
            remedy="catchment worker, where CATCHMENT_EMBEDDED_WORKER is off; else"
            " look for `work failed` in the log",
        )


def _of_jobs(session: ReadSession, hub: Hub) -> Iterator[Advice]:
    for job in list_jobs(session, states={JobState.FAILED}):
        yield Advice(
            what=f"job {job.id} ({job.kind}) is dead",
            why="what it was to do is not done",
            remedy=f"catchment job show {job.id}, then retry or cancel it",
        )
    for job in list_jobs(session, states={JobState.HELD}):
        yield Advice(
            what=f"job {job.id} ({job.kind}) waits for you",
            why="it would change more than is usual",
            remedy=f"catchment job show {job.id}",
        )
    waiting = list_jobs(session, states={JobState.WAITING})
    late = [
        job
        for job in waiting
        if hub.clock() - max(job.not_before, job.updated_at, job.held_until) >= LATE_MS
    ]
    if late:
        yield Advice(
            is_wrong=True,
            what=f"{len(late)} jobs wait, and nobody works on them",
            why="what clinics sent is staged and not stored",
            remedy="catchment worker, where CATCHMENT_EMBEDDED_WORKER is off",
        )


def _of_keys(session: ReadSession, hub: Hub) -> Iterator[Advice]:
    """Yield what is still known by older keys; nobody counts where there is one key."""
    rows = [row for row in key_versions.all_keys(session) if row.retired_at is None]
    if len(rows) < 2:  # noqa: PLR2004  (one key)
        return
    known = key_versions.known_by_version(session)
    for row in rows:
        of_key = known.get(row.version, key_versions.Known())
        if row.version == hub.keys.current:
            continue
        what = f"key {row.version} still names {of_key.records:,} records"
        yield Advice(
            what=f"{what} and {of_key.aliases:,} names",
            why="while it is in the key file, each name is looked for under it too",
            remedy=f"catchment key retire {row.version}, once all was sent again",
        )


def _of_indexes(session: ReadSession) -> Iterator[Advice]:
    for statement in vitals.missing_indexes(session):
        yield Advice(
            is_wrong=True,
            what="an index is missing",
            why="each question that needs it reads the whole table",
            remedy=statement,
        )

"""Jobs as rows: filed, claimed under a lease, advanced step by step, ended."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of


class JobState(StrEnum):
    """Where a job is in its life; one that is held waits for the operator."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it lies in the store; see ``job_tables.Job``."""

    id: int
    kind: str
    source_id: int
    clinic_id: int
    client_id: str
    name_key: bytes | None
    state: JobState
    request: str
    progress: str
    sealed: bytes | None
    attempts: int
    not_before: int
    holder: str | None
    held_until: int
    received: int
    served_at: int
    created_at: int
    updated_at: int
    failure: str | None

    @property
    def is_ended(self) -> bool:
        """Return whether nothing more is done for it."""
        return self.state in ENDED


_COLUMNS = ", ".join(f"j.{name}" for name in Job.__struct_fields__)
_SELECT = f"SELECT {_COLUMNS} FROM job j "
_INSERT = text(
    "INSERT INTO job (kind, source_id, clinic_id, client_id, name_key, state, request, "
    "progress, sealed, attempts, not_before, held_until, received, served_at, "
    "created_at, updated_at) VALUES (:kind, :source_id, :clinic_id, :client_id, "
    ":name_key, :state, "
    ":request, :progress, :sealed, 0, :not_before, 0, 0, 0, :now, :now) RETURNING id"
)
_FIND = text(f"{_SELECT} WHERE j.id = :id")
_LOCK = text("UPDATE job SET not_before = 0, updated_at = :now WHERE id = :id")
_CALLED = text(f"{_SELECT} WHERE j.name_key = :name_key ORDER BY j.id DESC LIMIT 1")
# Of one kind the jobs of a source go one after the other, so that versions keep their
# order: also after an upload that was cut off, of which something is yet to be stored.
# What workers fetch themselves may be fetched at any time until its sender says that it
# is whole, and keeps none waiting before.
_KEPT_WAITING = (
    "NOT (j.kind = :fetched AND j.state = 'receiving') "
    "AND EXISTS (SELECT 1 FROM job e WHERE e.source_id = j.source_id "
    "AND e.kind = j.kind AND e.id < j.id AND (e.state = 'waiting' OR "
    "(e.state = 'receiving' AND e.kind <> :fetched AND EXISTS "
    "(SELECT 1 FROM staged s WHERE s.job_id = e.id))))"
)
_IS_KEPT_WAITING = text(f"SELECT {_KEPT_WAITING} FROM job j WHERE j.id = :id")
# Of all clinics the one goes next that was served least lately. What is being received
# has a turn when something of it is staged, or nothing came for long; what workers
# fetch themselves has one at any time. Who asks works on none: what is in its name it
# lost hold of, as in an outage.
_CLAIM = (
    f"{_SELECT} WHERE j.kind {{kinds}} "
    "AND (j.state = 'waiting' OR j.state = 'receiving' AND "
    "(j.kind = :fetched OR j.updated_at <= :abandoned "
    "OR j.updated_at <= :silent AND j.name_key IS NULL "
    "OR EXISTS (SELECT 1 FROM staged s WHERE s.job_id = j.id))) "
    "AND j.not_before <= :now AND (j.held_until <= :now OR j.holder = :holder) "
    f"AND NOT ({_KEPT_WAITING}) "
    "ORDER BY (SELECT COALESCE(MAX(c.served_at), 0) FROM job c "
    "WHERE c.clinic_id = j.clinic_id AND c.updated_at > :lately), "
    "j.served_at, j.id LIMIT 1"
)
_TAKE = text(
    "UPDATE job SET holder = :holder, held_until = :until, served_at = :now "
    "WHERE id = :id AND (held_until <= :now OR holder = :holder)"
)
_BEAT = text(
    "UPDATE job SET held_until = :until WHERE id = :id AND holder = :holder "
    "AND state IN ('receiving', 'waiting')"
)
_LETS_GO = text(
    "UPDATE job SET holder = NULL, held_until = 0 WHERE id = :id AND holder = :holder"
)
# An upload that was silent is looked at rarely, until it goes on.
_RECEIVED = text(
    "UPDATE job SET received = :received, updated_at = :now, "
    "not_before = CASE WHEN attempts = 0 THEN 0 ELSE not_before END "
    "WHERE id = :id AND state = 'receiving' AND received = :before"
)
_ALIVE = text("UPDATE job SET updated_at = :now WHERE id = :id AND state = 'receiving'")
_HELD = text(
    f"{_SELECT} WHERE j.holder IS NOT NULL AND j.state IN ('receiving', 'waiting')"
)
_BULK = (
    "SELECT DISTINCT clinic_id FROM job WHERE kind <> 'webhook' AND updated_at > :since"
)
_BUSY = f"{_BULK} AND state IN ('receiving', 'waiting')"
_ENDED_BEFORE = text(
    "SELECT id FROM job WHERE (state IN ('done', 'cancelled') "
    "OR state = 'failed' AND kind IN ('collect', 'webhook')) AND updated_at < :moment "
    "AND (kind <> 'submit' OR NOT EXISTS "
    "(SELECT 1 FROM delivered d WHERE d.job_id = job.id)) LIMIT 100"
)
IMPORT, SUBMIT, COLLECT, WEBHOOK = "import", "submit", "collect", "webhook"
"""
The kinds of jobs: lines that are sent; manifests that are named, and fetched while more
may be; what a server exports; what it says has changed.
"""
LATELY_MS = 3600 * 1000
ABANDONED_MS = 24 * LATELY_MS
"""Of what nothing came for so long nothing more is expected."""
SILENT_MS = 30 * 1000
"""After so long without a word who received an upload is dead."""


def add_job(
    session: WriteSession,
    *,
    kind: str,
    source_id: int,
    clinic_id: int,
    client_id: str,
    state: JobState,
    request: str,
    now: int,
    name_key: bytes | None = None,
    progress: str = "{}",
    sealed: bytes | None = None,
    not_before: int = 0,
) -> int:
    """File a job; return its id."""
    values = {
        "kind": kind,
        "source_id": source_id,
        "clinic_id": clinic_id,
        "client_id": client_id,
        "name_key": name_key,
        "state": state.value,
        "request": request,
        "progress": progress,
        "sealed": sealed,
        "not_before": not_before,
        "now": now,
    }
    number: int = connection_of(session).execute(_INSERT, values).scalar_one()
    return number


def find_job(session: ReadSession, job_id: int) -> Job | None:
    """Return a job."""
    row = connection_of(session).execute(_FIND, {"id": job_id}).mappings().first()
    return None if row is None else _job(row)


def lock_job(session: WriteSession, job_id: int, *, now: int) -> Job | None:
    """Return a job that no other transaction may change now; it is looked at soon."""
    values = {"id": job_id, "now": now}
    connection_of(session).execute(_LOCK, values)
    return find_job(session, job_id)


def find_job_called(session: ReadSession, name_key: bytes) -> Job | None:
    """Return the latest job that its sender calls so."""
    values = {"name_key": name_key}
    row = connection_of(session).execute(_CALLED, values).mappings().first()
    return None if row is None else _job(row)


def list_jobs(
    session: ReadSession,
    *,
    clinic_id: int | None = None,
    kind: str | None = None,
    states: Collection[JobState] = (),
    limit: int = 100,
) -> list[Job]:
    """Return the newest jobs first, of a clinic, of a kind, in some states."""
    conditions, values = ["true"], dict[str, Any](limit=limit)
    if clinic_id is not None:
        conditions.append("j.clinic_id = :clinic_id")
        values["clinic_id"] = clinic_id
    if kind is not None:
        conditions.append("j.kind = :kind")
        values["kind"] = kind
    if states:
        named = ", ".join(f"'{state.value}'" for state in sorted(states))
        conditions.append(f"j.state IN ({named})")
    query = (
        f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY j.id DESC LIMIT :limit"
    )
    rows = connection_of(session).execute(text(query), values).mappings()
    return [_job(row) for row in rows]


def claim_job(
    session: WriteSession,
    *,
    kinds: Collection[str],
    holder: str,
    now: int,
    seconds: int,
) -> Job | None:
    """Return the job to go on with, held for *seconds*; None where none can go on."""
    connection = connection_of(session)
    named = ", ".join(f":kind{number}" for number in range(len(kinds)))
    values: dict[str, Any] = {f"kind{n}": kind for n, kind in enumerate(sorted(kinds))}
    values |= {
        "now": now,
        "holder": holder,
        "lately": now - LATELY_MS,
        "fetched": SUBMIT,
        "silent": now - SILENT_MS,
        "abandoned": now - ABANDONED_MS,
    }
    query = _CLAIM.replace("{kinds}", f"IN ({named})")
    if connection.dialect.name == "postgresql":
        query += " FOR UPDATE OF j SKIP LOCKED"
    row = connection.execute(text(query), values).mappings().first()
    if row is None:
        return None
    job = _job(row)
    until = now + 1000 * seconds
    taken = {"id": job.id, "holder": holder, "now": now, "until": until}
    if connection.execute(_TAKE, taken).rowcount != 1:
        return None
    return msgspec.structs.replace(job, holder=holder, held_until=until, served_at=now)


def is_kept_waiting(session: ReadSession, job: Job) -> bool:
    """Return whether an earlier job of the same source and kind is in a job's way."""
    values = {"id": job.id, "fetched": SUBMIT}
    found = connection_of(session).execute(_IS_KEPT_WAITING, values).scalar()
    return bool(found)


def beat(session: WriteSession, job: Job, *, now: int, seconds: int) -> bool:
    """Hold a job for longer; return whether it is still ours and goes on."""
    values = {"id": job.id, "holder": job.holder, "until": now + 1000 * seconds}
    return connection_of(session).execute(_BEAT, values).rowcount == 1


def busy_clinics(
    session: ReadSession, *, since: int, with_ended: bool = False
) -> set[int]:
    """
    Return the clinics of which something has come in bulk since a moment.

    Of deliveries that go on, or *with_ended* of any.
    """
    query = text(_BULK if with_ended else _BUSY)
    return set(connection_of(session).execute(query, {"since": since}).scalars())


def let_go(session: WriteSession, job: Job) -> None:
    """Let any worker take a job that was ours."""
    connection_of(session).execute(_LETS_GO, {"id": job.id, "holder": job.holder})


def note_received(
    session: WriteSession, job: Job, *, before: int, received: int, now: int
) -> bool:
    """Note that an upload is here up to a line; return whether it was at *before*."""
    values = {"id": job.id, "before": before, "received": received, "now": now}
    return connection_of(session).execute(_RECEIVED, values).rowcount == 1


def note_alive(session: WriteSession, job: Job, *, now: int) -> bool:
    """Note that an upload is still coming; return whether anybody waits for it."""
    values = {"id": job.id, "now": now}
    return connection_of(session).execute(_ALIVE, values).rowcount == 1


def held_jobs(session: ReadSession) -> list[Job]:
    """Return the jobs under way that somebody works on, or died over."""
    return [_job(row) for row in connection_of(session).execute(_HELD).mappings()]


def change_held_job(session: WriteSession, job: Job, **changes: object) -> bool:
    """Change a job that its ``holder`` holds; return whether it still does."""
    return _change(session, f"id = :id AND holder {_is(job.holder)}", job, changes)


def change_job(session: WriteSession, job: Job, **changes: object) -> bool:
    """Change a job whoever holds it, if it is in the state that *job* says."""
    return _change(session, "id = :id AND state = :known_state", job, changes)


def _is(holder: str | None) -> str:
    return "IS NULL" if holder is None else "= :known_holder"


def _change(
    session: WriteSession, condition: str, job: Job, changes: dict[str, object]
) -> bool:
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    values = {"id": job.id, **changes}
    if ":known_holder" in condition:
        values["known_holder"] = job.holder
    if ":known_state" in condition:
        values["known_state"] = job.state.value
    query = text(f"UPDATE job SET {assignments} WHERE {condition}")
    return connection_of(session).execute(query, values).rowcount == 1


def ended_before(session: ReadSession, moment: int) -> list[int]:
    """
    Return the jobs that ended before a moment, but for what manifests hold.

    What failed stays while lines that were acknowledged are staged for it; what the hub
    fetches itself it can fetch again, and remembers ids of the clinic's until then.
    """
    rows = connection_of(session).execute(_ENDED_BEFORE, {"moment": moment})
    return [job_id for (job_id,) in rows]


def forget_job(session: WriteSession, job_id: int) -> None:
    """Forget a job with all that is kept of it."""
    connection = connection_of(session)
    for table in (
        *("staged", "job_issue", "job_count", "delivered"),
        *("submission", "submission_part", "taken_back"),
    ):
        query = text(f"DELETE FROM {table} WHERE job_id = :id")
        connection.execute(query, {"id": job_id})
    connection.execute(text("DELETE FROM job WHERE id = :id"), {"id": job_id})


def _job(row: Any) -> Job:  # noqa: ANN401  (SQLAlchemy's row)
    return msgspec.convert(dict(row), Job)

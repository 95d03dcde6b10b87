"""
Jobs, done step by step: whoever dies is replaced, and nothing is done twice.

A worker claims a job under a lease and takes a step of it, about a second of work. What
a step stores and how far the job is are committed together, by whoever holds the lease
only. Then the next job has its turn: of all clinics that of the one served least
lately, so that a huge delivery does not keep a small one waiting.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from app.domain.clinics import Source
from app.domain.errors import (
    PASSING,
    IntakeStoppedError,
    NotFoundError,
    ServiceError,
)
from app.services.bulk.heartbeats import beating
from app.services.bulk.holders import is_dead
from app.services.hub import Hub
from app.services.sealing import seal, unseal
from app.store import jobs
from app.store.bulk_submissions import forget_sealed_before
from app.store.clinics import source_by_id
from app.store.faults import outage
from app.store.jobs import Job, JobState
from app.store.sessions import (
    WriteSession,
    read_session,
    write_session,
)
from app.store.staging import drop_staged

log = logging.getLogger(__name__)

T = TypeVar("T", bound=msgspec.Struct)

LARGEST_ID = 2**63 - 1
LEASE_SECONDS = 10
BEAT_SECONDS = 3.0
SLICE_MS = 1_000
"""For so long one job is gone on with before the next has its turn."""
MOST_ATTEMPTS = 10
LONGEST_BACKOFF_MS = 15 * 60 * 1000
AFTER_OUTAGE_MS = 1_000
"""So soon after the database was away a step is taken again."""
LONGEST_WAIT_MS = 24 * 3600 * 1000
"""Who asks to be left alone for longer is asked again all the same."""
KEPT_MS = 30 * 24 * 3600 * 1000
"""For so long what a job came to is kept after its end."""


class Again(msgspec.Struct, frozen=True):
    """There is more to do, at once or after some time."""

    after_ms: int = 0


class Finished(msgspec.Struct, frozen=True):
    """The job is done."""


class Held(msgspec.Struct, frozen=True):
    """The operator is asked first; ``why`` says what."""

    why: str


StepEnd = Again | Finished | Held


class LeaseLostError(Exception):
    """Another worker has taken over, or the job was cancelled: keep nothing."""


class Run:
    """One worker's hold on a job, for the steps of its kind."""

    def __init__(self, hub: Hub, job: Job, source: Source) -> None:
        self.hub = hub
        self.job = job
        self.source = source

    def request(self, kind: type[T]) -> T:
        """Return what was asked for."""
        return msgspec.json.decode(self.job.request, type=kind)

    def progress(self, kind: type[T]) -> T:
        """Return how far the job is."""
        return msgspec.json.decode(self.job.progress, type=kind)

    def sealed(self, kind: type[T]) -> T | None:
        """Return what is remembered under the key, if anything."""
        if self.job.sealed is None:
            return None
        return msgspec.json.decode(unseal(self.hub.keys, self.job.sealed), type=kind)

    def advance(
        self,
        session: WriteSession,
        *,
        progress: msgspec.Struct | None = None,
        sealed: msgspec.Struct | None = None,
    ) -> None:
        """
        Note in *session* how far the job is now, with what the step stores.

        Raises:
            LeaseLostError: the job is no longer this worker's; roll back.
        """
        changes: dict[str, object] = {
            "updated_at": self.hub.clock(),
            "attempts": 0,
            "failure": None,
        }
        if progress is not None:
            changes["progress"] = msgspec.json.encode(progress).decode()
        if sealed is not None:
            changes["sealed"] = seal(self.hub.keys, msgspec.json.encode(sealed))
        self.change(session, **changes)

    def change(self, session: WriteSession, **changes: object) -> None:
        """Change the job's row; see ``advance``."""
        if not jobs.change_held_job(session, self.job, **changes):
            raise LeaseLostError
        known = {k: v for k, v in changes.items() if k in Job.__struct_fields__}
        self.job = msgspec.structs.replace(self.job, **known)

    def beat(self) -> bool:
        """Hold the job for longer; return whether it is still ours and goes on."""
        with write_session(self.hub.engine) as session:
            return jobs.beat(
                session, self.job, now=self.hub.clock(), seconds=LEASE_SECONDS
            )

    def refresh(self) -> None:
        """Read the job's row again, as others may have changed it."""
        with read_session(self.hub.engine) as session:
            found = jobs.find_job(session, self.job.id)
        if found is None or found.holder != self.job.holder or found.is_ended:
            raise LeaseLostError
        self.job = found


Step = Callable[[Run], StepEnd]
Steps = Mapping[str, Step]
"""What is done for a job, by its kind."""


def work(hub: Hub, steps: Steps, *, holder: str) -> bool:
    """Go on with the job whose turn it is, for a moment; return if there was one."""
    with write_session(hub.engine) as session:
        job = jobs.claim_job(
            session,
            kinds=steps.keys(),
            holder=holder,
            now=hub.clock(),
            seconds=LEASE_SECONDS,
        )
    if job is None:
        return False
    with read_session(hub.engine) as session:
        source = source_by_id(session, job.source_id)
    run = Run(hub, job, source)
    with beating(run.beat, seconds=BEAT_SECONDS, job=job.id):
        _take_steps(run, steps[job.kind])
    return True


def let_go_of_dead(hub: Hub) -> None:
    """Let anyone take at once what workers hold that died on this machine."""
    with read_session(hub.engine) as session:
        dead = [job for job in jobs.held_jobs(session) if is_dead(job.holder or "")]
    if dead:
        with write_session(hub.engine) as session:
            for job in dead:
                jobs.let_go(session, job)
        log.info("dead workers replaced", extra={"count": len(dead)})


def _take_steps(run: Run, step: Step) -> None:
    """Take steps until the slice is over or there is nothing to do now."""
    hub, until = run.hub, run.hub.clock() + SLICE_MS
    try:
        end = step(run)
        while end == Again() and hub.clock() < until:
            end = step(run)
        _end_turn(run, end)
    except LeaseLostError:
        log.info("job taken over", extra={"job": run.job.id})
    except Exception as error:  # noqa: BLE001  (the job says that it failed)
        _fail(run, error)


def _end_turn(run: Run, end: StepEnd) -> None:
    """Let the job wait for its next turn, or end."""
    with write_session(run.hub.engine) as session:
        if isinstance(end, Again):
            later = run.hub.clock() + end.after_ms
            run.change(session, not_before=later, holder=None, held_until=0)
            return
        if isinstance(end, Held):
            run.change(session, **_ended(run, JobState.HELD, failure=end.why))
            return
        run.change(session, **_ended(run, JobState.DONE), sealed=None)
    log.info("job done", extra={"job": run.job.id})


def _ended(
    run: Run, state: JobState, *, failure: str | None = None
) -> dict[str, object]:
    return {
        "state": state.value,
        "failure": failure,
        "holder": None,
        "held_until": 0,
        "updated_at": run.hub.clock(),
    }


def _fail(run: Run, error: Exception) -> None:
    """Try the step again later where that may help; else end the job, visibly."""
    attempts = run.job.attempts + (not isinstance(error, IntakeStoppedError))
    facts = {"job": run.job.id, "error": type(error).__name__, "count": attempts}
    log.warning("job failed", extra=facts)
    try:
        with write_session(run.hub.engine) as session:
            run.change(session, **_after_failure(run, error, attempts))
    except LeaseLostError:
        log.info("job taken over", extra={"job": run.job.id})


def _after_failure(run: Run, error: Exception, attempts: int) -> dict[str, object]:
    """Return what to change in the job's row; that the store was away is no attempt."""
    now = run.hub.clock()
    free: dict[str, object] = {"holder": None, "held_until": 0}
    if outage(error) is not None:
        return free | {"not_before": now + AFTER_OUTAGE_MS}
    failure = error.message if isinstance(error, ServiceError) else _name(error)
    is_final = isinstance(error, ServiceError) and error.issue_type not in PASSING
    if is_final or attempts >= MOST_ATTEMPTS:
        return _ended(run, JobState.FAILED, failure=failure)
    later = now + _backoff_ms(error, attempts)
    return free | {"attempts": attempts, "not_before": later, "failure": failure}


def _name(error: Exception) -> str:
    """Return an unexpected error by its type: its message may quote input."""
    return f"The hub failed ({type(error).__name__})"


def _backoff_ms(error: Exception, attempts: int) -> int:
    """Return twice as long as the last time, and no less than the error says."""
    doubled = min(1000 << attempts, LONGEST_BACKOFF_MS)
    if isinstance(error, IntakeStoppedError):  # the operator may renew it any moment
        return LONGEST_BACKOFF_MS
    stated = error.retry_after_seconds if isinstance(error, ServiceError) else None
    return max(doubled, min(1000 * (stated or 0), LONGEST_WAIT_MS))


def required_job(hub: Hub, job_id: int, *, clinic_id: int | None = None) -> Job:
    """
    Return a job, of any clinic or of one.

    Raises:
        NotFoundError: there is none of that number there.
    """
    job = None
    if job_id <= LARGEST_ID:  # SQLite takes no larger number
        with read_session(hub.engine) as session:
            job = jobs.find_job(session, job_id)
    if job is None or clinic_id not in {None, job.clinic_id}:
        msg = "There is no such job"
        raise NotFoundError(msg)
    return job


def cancel(hub: Hub, job: Job) -> bool:
    """
    Do nothing more for a job; return whether it had not ended.

    What it stored stays; what was staged for it, and what was remembered, goes.
    """
    with write_session(hub.engine) as session:
        current = jobs.find_job(session, job.id)
        if current is None or current.state in {JobState.DONE, JobState.CANCELLED}:
            return False
        is_changed = jobs.change_job(
            session,
            current,
            state=JobState.CANCELLED.value,
            holder=None,
            held_until=0,
            sealed=None,
            updated_at=hub.clock(),
        )
        if is_changed:
            drop_staged(session, job.id)
        return is_changed


def dismiss(hub: Hub, job: Job) -> None:
    """Cancel a job, or forget what it came to where it has ended."""
    if cancel(hub, job) or job.state is not JobState.DONE:
        return
    with write_session(hub.engine) as session:
        jobs.change_job(
            session,
            job,
            state=JobState.CANCELLED.value,
            updated_at=hub.clock(),
        )


def retry(hub: Hub, job: Job) -> bool:
    """Go on with a job that failed or is held; return whether it was one."""
    if job.state not in {JobState.FAILED, JobState.HELD}:
        return False
    with write_session(hub.engine) as session:
        return jobs.change_job(
            session,
            job,
            state=JobState.WAITING.value,
            attempts=0,
            not_before=0,
            failure=None,
            updated_at=hub.clock(),
        )


def forget_old_jobs(hub: Hub) -> None:
    """Forget what jobs came to that ended long ago, and what is sealed of them."""
    long_ago = hub.clock() - KEPT_MS
    with write_session(hub.engine) as session:
        for job_id in jobs.ended_before(session, long_ago):
            jobs.forget_job(session, job_id)
        forget_sealed_before(session, long_ago)

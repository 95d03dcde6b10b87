"""What a sender is told of a job: how far it is, and what its lines came to."""

import msgspec

from app.domain.errors import ConflictError, NotFoundError
from app.services.bulk.jobs import required_job
from app.services.hub import Hub
from app.store import job_outcomes
from app.store.job_outcomes import CountRow, IssueRow
from app.store.jobs import Job, JobState, is_kept_waiting
from app.store.sessions import read_session

KEPT_WAITING = "waiting for an earlier upload of this source"
PROGRESS = {
    JobState.RECEIVING: "receiving",
    JobState.WAITING: "storing",
    JobState.HELD: "waiting for the operator of the hub",
}


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    A job as its sender sees it; ``counts`` and ``issues`` are of all its parts.

    One that ``is_kept_waiting`` has an earlier one of its source in its way.
    """

    job: Job
    is_kept_waiting: bool
    counts: tuple[CountRow, ...]
    issues: tuple[IssueRow, ...]

    @property
    def progress(self) -> str:
        """Return how far it is, in a few words (``X-Progress``)."""
        done = sum(row.count for row in self.counts)
        state = PROGRESS.get(self.job.state, self.job.state.value)
        if self.is_kept_waiting and self.job.state is JobState.WAITING:
            state = KEPT_WAITING
        return f"{state}: {done:,} of {self.job.received:,} lines stored or refused"


def job_status(hub: Hub, job_id: int, *, clinic_id: int) -> JobStatus:
    """
    Return how a job of a clinic stands.

    Raises:
        NotFoundError: there is none, or it was cancelled.
        ConflictError: it failed; the message says why.
    """
    job = _kept_job(hub, job_id, clinic_id=clinic_id)
    if job.state is JobState.FAILED:
        raise ConflictError(job.failure or "The job failed")
    with read_session(hub.engine) as session:
        return JobStatus(
            job=job,
            is_kept_waiting=is_kept_waiting(session, job),
            counts=tuple(job_outcomes.counts_of(session, job_id)),
            issues=tuple(job_outcomes.issues_of(session, job_id)),
        )


def job_issues(hub: Hub, job_id: int, *, clinic_id: int) -> list[IssueRow]:
    """
    Return what was found wrong with the lines of a clinic's job, so far.

    Raises:
        NotFoundError: there is none, or it was cancelled.
    """
    _kept_job(hub, job_id, clinic_id=clinic_id)
    with read_session(hub.engine) as session:
        return job_outcomes.issues_of(session, job_id)


def _kept_job(hub: Hub, job_id: int, *, clinic_id: int) -> Job:
    job = required_job(hub, job_id, clinic_id=clinic_id)
    if job.state is JobState.CANCELLED:
        msg = "The job was cancelled"
        raise NotFoundError(msg)
    return job

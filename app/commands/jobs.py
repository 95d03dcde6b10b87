"""`catchment job`: bulk work that is under way, has ended, or waits for a decision."""

from typing import Annotated

import msgspec
import typer

from app.commands.hubs import open_hub, reaching_out
from app.commands.listings import echo_table
from app.domain.calendar import instant_of
from app.domain.errors import ConflictError
from app.fhir.job_documents import in_words
from app.services.bulk import collections, jobs
from app.store.clinics import all_clinics
from app.store.job_outcomes import counts_of, issues_of, totals
from app.store.jobs import ENDED, Job, JobState, list_jobs
from app.store.sessions import read_session

app = typer.Typer(help="Bulk work: imports and such.", no_args_is_help=True)

JobId = Annotated[int, typer.Argument(help="The number that `list` gives.")]
UNDER_WAY = frozenset(JobState) - ENDED


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """A job, as it is listed."""

    id: str
    kind: str
    clinic: str
    state: str
    lines: str
    attempts: str
    updated: str
    says: str


@app.command("list")
def list_all(
    everything: Annotated[
        bool, typer.Option("--all", help="Those that are done or cancelled too.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 100,
) -> None:
    """List jobs that are under way, wait for a decision, or have failed."""
    states = frozenset(JobState) if everything else UNDER_WAY | {JobState.FAILED}
    with read_session(open_hub().engine) as session:
        found = list_jobs(session, states=states, limit=most)
        codes = {row.id: row.code for row in all_clinics(session)}
    echo_table(JobLine, [_line(job, codes[job.clinic_id]) for job in found])


def _line(job: Job, clinic: str) -> JobLine:
    return JobLine(
        id=str(job.id),
        kind=job.kind,
        clinic=clinic,
        state=job.state.value,
        lines=str(job.received),
        attempts=str(job.attempts),
        updated=instant_of(job.updated_at),
        says=job.failure or "",
    )


@app.command("show")
def show(job_id: JobId) -> None:
    """Show what a job's lines came to, and what is wrong with them."""
    hub = open_hub()
    job = jobs.required_job(hub, job_id)
    with read_session(hub.engine) as session:
        counts, issues = counts_of(session, job_id), issues_of(session, job_id)
    typer.echo(f"{job.kind} {job.id}: {job.state}, {job.received:,} lines received")
    if job.failure:
        typer.echo(f"  {job.failure}")
    for (type_, outcome), count in totals(counts).items():
        typer.echo(f"  {type_ or 'unknown'}\t{outcome}\t{count:,}")
    for row in issues:
        issue = row.issue
        at = f" {issue.expression}" if issue.expression else ""
        typer.echo(
            f"  {issue.severity} {issue.issue_type}{at}: {issue.diagnostics} "
            f"({in_words(issue)})"
        )


@app.command("retry")
def retry(job_id: JobId) -> None:
    """Go on with a job that failed, or let one that is held go on."""
    hub = open_hub()
    if not jobs.retry(hub, jobs.required_job(hub, job_id)):
        msg = "The job has neither failed nor is it held"
        raise ConflictError(msg)
    typer.echo(f"Job {job_id} goes on")


@app.command("approve")
def approve(job_id: JobId) -> None:
    """Let a job go on that is held until you have looked at what it would do."""
    hub = open_hub()
    job = jobs.required_job(hub, job_id)
    if job.state is not JobState.HELD or not jobs.retry(hub, job):
        msg = "The job is not held"
        raise ConflictError(msg)
    typer.echo(f"Job {job_id} goes on")


@app.command("cancel")
def cancel(job_id: JobId) -> None:
    """Do nothing more for a job; what it has stored stays."""
    with reaching_out() as hub:
        job = jobs.required_job(hub, job_id)
        if not jobs.cancel(hub, job):
            msg = "The job has ended already"
            raise ConflictError(msg)
        collections.call_off(hub, job)
    typer.echo(f"Job {job_id} is cancelled; what it has stored stays")

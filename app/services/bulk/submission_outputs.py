"""
What a submitter gets back of a submission: what the draft names as the processed data.

Its own de-identified records, what it withdrew, and its own measures. All
of it is for the submitter's own clinic, and of a submission that is done.
"""

from collections.abc import Iterator
from typing import Any

from app.domain.clinics import Principal
from app.domain.errors import NotFoundError
from app.domain.records import RecordType, content_of
from app.fhir.references import hub_id
from app.services.bulk.submission_status import own_job
from app.services.hub import Hub
from app.services.measure_reports import live_reports
from app.services.resources import render
from app.services.series import Viewer
from app.services.translations import translations_of
from app.store import bulk_submissions as rows
from app.store import records, subjects
from app.store.jobs import Job, JobState
from app.store.sessions import ReadSession, read_session

Json = dict[str, Any]

AT_ONCE = 200
ENTRIES = 100


def held_resources(
    hub: Hub, principal: Principal, job_id: int, part: int, type_: RecordType
) -> Iterator[list[Json]]:
    """Return pages of what a part held of a type, each as a read would give it."""
    _done_job(hub, principal, job_id)
    return _held_pages(hub, job_id, part, type_)


def _held_pages(
    hub: Hub, job_id: int, part: int, type_: RecordType
) -> Iterator[list[Json]]:
    after = 0
    while True:
        with read_session(hub.engine) as session:
            ids = rows.held_after(
                session, job_id, part=part, type_=type_, after=after, limit=AT_ONCE
            )
            page = _rendered(session, ids)
        if not ids:
            return
        yield page
        after = ids[-1]


def _rendered(session: ReadSession, ids: list[int]) -> list[Json]:
    """Return records as FHIR, by the hub's ids."""
    found = records.find_by_id(session, ids)
    about = {record.subject_id for record in found.values()}
    patients = {each: subjects.patient_of(session, each) for each in about}
    return [
        render(
            record,
            resource_id=hub_id(record.id),
            patient_id=patients[record.subject_id],
            translations=translations_of(
                session, content_of(record.content), source_id=record.source_id
            ),
        )
        for _, record in sorted(found.items())
        if record.content is not None
    ]


def deleted_bundles(
    hub: Hub, principal: Principal, job_id: int
) -> Iterator[list[Json]]:
    """Return transaction Bundles of what was withdrawn, as replaced or deleted."""
    _done_job(hub, principal, job_id)
    return _deleted_pages(hub, job_id)


def _deleted_pages(hub: Hub, job_id: int) -> Iterator[list[Json]]:
    after = 0
    while True:
        with read_session(hub.engine) as session:
            taken = rows.taken_back_after(session, job_id, after=after, limit=ENTRIES)
        if not taken:
            return
        urls = [f"{RecordType(t).fhir_name}/{hub_id(i)}" for i, t in taken]
        entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
        yield [{"resourceType": "Bundle", "type": "transaction", "entry": entries}]
        after = taken[-1][0]


def own_reports(hub: Hub, principal: Principal, job_id: int) -> Iterator[list[Json]]:
    """Return the MeasureReports of the caller's own clinic, live, some at a time."""
    _done_job(hub, principal, job_id)
    return _report_pages(hub, Viewer.of(principal))


def _report_pages(hub: Hub, viewer: Viewer) -> Iterator[list[Json]]:
    with read_session(hub.engine) as session:
        for report in live_reports(session, hub, viewer):
            yield [report]


def _done_job(hub: Hub, principal: Principal, job_id: int) -> Job:
    job = own_job(hub, principal, job_id)
    if job.state is not JobState.DONE:
        msg = "The submission is not done"
        raise NotFoundError(msg)
    return job

"""
Bulk submissions: what their submitters say of them, call by call.

A submission is a job, and each of its manifests a part of that. What is fetched is
staged by a worker (``submission_steps``) and becomes current when its submitter
says that it is completed; stopped, it leaves nothing. The pair of submitter and
submission id belongs to the source that used it first.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from app.deid.pseudonyms import network_name_keys
from app.domain.clinics import Principal, Source
from app.domain.errors import (
    BusinessRuleError,
    ConflictError,
    NotFoundError,
    ThrottledError,
)
from app.fhir.bulk_submissions import (
    BulkSubmission,
    ManifestAccess,
    ManifestPlace,
    SubmissionName,
    SubmissionStatus,
)
from app.services.authorization import check_operation, required_source
from app.services.bulk.submission_filing import (
    COMPLETED,
    COMPLETED_STATES,
    SCOPE,
    Filing,
    check_base,
    check_url,
)
from app.services.hub import Hub
from app.services.policies import check_in_force
from app.services.sealing import seal
from app.store import bulk_submissions as rows
from app.store import jobs
from app.store.bulk_submissions import PartKind, PartRow, PartState
from app.store.jobs import Job, JobState
from app.store.sessions import tried, write_session
from app.store.staging import drop_staged

MOST_MANIFESTS = 10_000


def submit(hub: Hub, principal: Principal, call: BulkSubmission) -> None:
    """
    Take one call of ``$bulk-submit``; the same call again changes nothing.

    Raises:
        ForbiddenError: the scope is missing, or the submission is another source's.
        NotFoundError: a submission that never was is completed or stopped.
        ConflictError: the submission has ended.
        InvalidElementError: a URL is none that the hub goes to.
        BusinessRuleError: what is to be replaced is not there, or the base of
            references is another one than the source's.
        ThrottledError: the clinic has too many submissions under way.
    """
    check_operation(principal, SCOPE)
    source = required_source(principal)
    check_in_force(hub)
    if call.access is not None:
        _check_access(hub, source, call, call.access)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        filing = Filing(session, hub, principal)
        tried(session, lambda: _Call(filing).take(call))


def submission_keys(hub: Hub, name: SubmissionName) -> list[bytes]:
    """Return what a submission is known by, under each key version."""
    parts = (name.submitter_system, name.submitter, name.submission_id)
    return network_name_keys(("submission", *parts), keys=hub.keys)


def _manifest_keys(hub: Hub, name: SubmissionName, url: str) -> list[bytes]:
    parts = (name.submitter_system, name.submitter, url)
    return network_name_keys(("manifest", *parts), keys=hub.keys)


def _check_access(
    hub: Hub, source: Source, call: BulkSubmission, access: ManifestAccess
) -> None:
    assert call.manifest_url is not None
    check_url(hub, call.manifest_url, at="manifestUrl")
    for url in access.oauth_urls:
        check_url(hub, url, at="oauthMetadataUrl")
    check_base(hub, source, access.fhir_base)


class _Call:
    """One call within its transaction; may be tried again."""

    def __init__(self, filing: Filing) -> None:
        self._filing = filing
        self._session = filing.session
        self._hub = filing.hub

    def take(self, call: BulkSubmission) -> None:
        """Do what *call* says, once."""
        digest = self._filing.digest(call)
        keys = submission_keys(self._hub, call.name)
        known = rows.find_submission(self._session, keys)
        if known is None:
            if call.manifest_url is None and call.status is not _OPEN:
                msg = "There is no such submission"
                raise NotFoundError(msg)
            state = JobState.RECEIVING
            known = self._filing.begin(call.name, keys[0], digest, state)
        job = self._filing.locked(known)
        if job.state is not JobState.RECEIVING:
            if known.last_call == digest:
                return
            msg = "The submission has ended: it takes nothing more"
            raise ConflictError(msg)
        if call.manifest_url or call.replaces_url:
            self._add_manifest(job, call)
        self._say(job, call.status)
        rows.change_submission(self._session, job.id, last_call=digest)

    def _say(self, job: Job, status: SubmissionStatus) -> None:
        now = self._hub.clock()
        if status is SubmissionStatus.COMPLETED:
            state = JobState.WAITING.value
            jobs.change_job(
                self._session, job, state=state, progress=COMPLETED, updated_at=now
            )
        if status is SubmissionStatus.STOPPED:
            drop_staged(self._session, job.id)
            rows.forget_sealed(self._session, job.id)
            jobs.change_job(
                self._session,
                job,
                state=JobState.CANCELLED.value,
                failure="The submission was stopped",
                holder=None,
                held_until=0,
                updated_at=now,
            )

    def _add_manifest(self, job: Job, call: BulkSubmission) -> None:
        """Add a manifest that is yet to be fetched, or what stands for none."""
        name, url = call.name, call.manifest_url
        keys = _manifest_keys(self._hub, name, url or f"none for {call.replaces_url}")
        parts = rows.parts_of(self._session, job.id)
        replaced = self._replaced(call, parts)
        known = next((part for part in parts if part.name_key in keys), None)
        if known is not None:
            self._refuse_other(known, replaced)
            return
        manifests = [part for part in parts if part.kind is PartKind.MANIFEST]
        if len(manifests) >= MOST_MANIFESTS:
            msg = "The submission has too many manifests; begin another one"
            raise ThrottledError(msg)
        place = ManifestPlace(url=url, access=call.access)
        number = rows.last_part(self._session, job.id) + 1
        part = PartRow(
            job_id=job.id,
            part=number,
            manifest=number,
            kind=PartKind.MANIFEST,
            state=PartState.READ if url is None else PartState.WAITING,
            name_key=keys[0],
            sealed=seal(self._hub.keys, msgspec.json.encode(place)),
        )
        job_id, of_it = self._replacing(job, parts, replaced)
        part = replace(part, replaces_job=job_id, replaces_part=of_it)
        rows.add_parts(self._session, [part])

    @staticmethod
    def _refuse_other(known: PartRow, replaced: PartRow | None) -> None:
        """Refuse a manifest that came before, and is to replace something now."""
        if replaced is None or replaced.state is PartState.REPLACED:
            return
        if (replaced.job_id, replaced.part) != (
            known.replaces_job,
            known.replaces_part,
        ):
            msg = "This manifest was submitted before, and replaced nothing"
            raise ConflictError(msg, expression="replacesManifestUrl")

    def _replaced(
        self, call: BulkSubmission, parts: Sequence[PartRow]
    ) -> PartRow | None:
        """Return the manifest that a call replaces, of this submission or earlier."""
        if call.replaces_url is None:
            return None
        keys = _manifest_keys(self._hub, call.name, call.replaces_url)
        for part in parts:
            if part.name_key in keys:
                return part
        for part in rows.manifests_named(
            self._session, keys, source_id=self._filing.source.source_id
        ):
            earlier = jobs.find_job(self._session, part.job_id)
            if earlier is not None and earlier.state in COMPLETED_STATES:
                return part
        msg = "There is no such manifest of this submitter's"
        raise BusinessRuleError(msg, expression="replacesManifestUrl")

    def _replacing(
        self, job: Job, parts: Sequence[PartRow], replaced: PartRow | None
    ) -> tuple[int | None, int | None]:
        """
        Return of what job a manifest replaces what part, when its submission ends.

        One of the same submission goes at once, since nothing of it is current yet;
        what that was to replace falls to its successor.
        """
        if replaced is None:
            return None, None
        if replaced.job_id != job.id:
            return replaced.job_id, replaced.part
        for part in parts:
            if part.manifest == replaced.part:
                state = PartState.REPLACED.value
                rows.change_part(self._session, part, state=state)
                drop_staged(self._session, job.id, part=part.part)
        return replaced.replaces_job, replaced.replaces_part


_OPEN = SubmissionStatus.IN_PROGRESS

"""
Bulk submissions: what their submitters say of them, call by call.

A submission is a job, and each of its manifests a part of that. What is fetched is
staged by a worker (``bulk_submission_steps``) and becomes current when its submitter
says that it is completed; stopped, it leaves nothing. The pair of submitter and
submission id belongs to the source that used it first.
"""

from collections.abc import Sequence
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from app.deid.pseudonyms import network_name_keys
from app.domain.clinics import Principal, Source
from app.domain.errors import (
    BusinessRuleError,
    ConflictError,
    ForbiddenError,
    InvalidElementError,
    NotFoundError,
    ThrottledError,
)
from app.fhir.bulk_submissions import (
    BulkSubmission,
    FilePlace,
    ManifestAccess,
    ManifestPlace,
    SubmissionName,
    SubmissionStatus,
)
from app.fhir.import_manifests import ImportFile, ImportManifest
from app.fhir.references import normal_base
from app.services.authorization import check_operation, required_source
from app.services.hub import Hub
from app.services.policies import check_in_force
from app.services.sealing import seal
from app.smart.bulk_errors import AddressRefusedError
from app.smart.fetches import FetchError, parse_url
from app.smart.outbound import origin_of
from app.store import bulk_submissions as rows
from app.store import jobs
from app.store.bulk_submissions import PartKind, PartRow, PartState, SubmissionRow
from app.store.jobs import SUBMIT, Job, JobState
from app.store.sessions import WriteSession, tried, write_session
from app.store.staging import drop_staged

SCOPE = "system/bulk-submit"
MOST_OPEN = 100
"""Submissions of a clinic that are not completed; more are to wait."""
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
        tried(session, lambda: _Call(session, hub, principal, source).take(call))


def submit_files(hub: Hub, principal: Principal, manifest: ImportManifest) -> Job:
    """Take an import manifest as a whole submission; return its job."""
    check_operation(principal, SCOPE)
    source = required_source(principal)
    check_in_force(hub)
    for each in manifest.files:
        _check_url(hub, each.url, at="url")
    if manifest.source_url is not None:
        _check_base(hub, source, manifest.source_url)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        call = _Call(session, hub, principal, source)
        return tried(session, lambda: call.take_files(manifest))


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
    _check_url(hub, call.manifest_url, at="manifestUrl")
    for url in access.oauth_urls:
        _check_url(hub, url, at="oauthMetadataUrl")
    _check_base(hub, source, access.fhir_base)


def _check_url(hub: Hub, url: str, *, at: str) -> None:
    """Refuse early what would be refused when it is fetched."""
    try:
        parse_url(url, dev_mode=hub.outbound.dev_mode)
        origin_of(url)
    except (FetchError, AddressRefusedError):
        msg = "The hub fetches by https from public hosts only"
        raise InvalidElementError(msg, expression=at) from None


def _check_base(hub: Hub, source: Source, base: str) -> None:
    """
    Refuse a FHIR base that is not among those of a source, if it has any.

    What is relative to it would be taken for the source's own.
    """
    try:
        origin_of(base)
    except AddressRefusedError:
        msg = "The base is no URL of the web"
        raise InvalidElementError(msg, expression="fhirBaseUrl") from None
    known = {normal_base(each) for each in source.base_urls if each != hub.fhir_base}
    if known and normal_base(base) not in known:
        msg = "The base is none of those that the source is registered with"
        raise BusinessRuleError(msg, expression="fhirBaseUrl")


class SubmissionProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Whether its submitter has said that a submission is complete."""

    is_completed: bool = False


COMPLETED = msgspec.json.encode(SubmissionProgress(is_completed=True)).decode()


class _Call:
    """One call within its transaction; may be tried again."""

    def __init__(
        self, session: WriteSession, hub: Hub, principal: Principal, source: Source
    ) -> None:
        self._session = session
        self._hub = hub
        self._principal = principal
        self._source = source

    def take(self, call: BulkSubmission) -> None:
        """Do what *call* says, once."""
        digest = self._digest(call)
        known = rows.find_submission(
            self._session, submission_keys(self._hub, call.name)
        )
        if known is None:
            if call.manifest_url is None and call.status is not _OPEN:
                msg = "There is no such submission"
                raise NotFoundError(msg)
            known = self._begin(call.name, digest, JobState.RECEIVING)
        job = self._locked(known)
        if job.state is not JobState.RECEIVING:
            if known.last_call == digest:
                return
            msg = "The submission has ended: it takes nothing more"
            raise ConflictError(msg)
        if call.manifest_url or call.replaces_url:
            self._add_manifest(job, call)
        self._say(job, call.status)
        rows.change_submission(self._session, job.id, last_call=digest)

    def _digest(self, call: msgspec.Struct) -> bytes:
        """Return a keyed digest of all that is said."""
        said = msgspec.json.encode(call).decode()
        return network_name_keys(("call", said), keys=self._hub.keys)[0]

    def _begin(
        self, name: SubmissionName, digest: bytes, state: JobState
    ) -> SubmissionRow:
        """File a submission that is new."""
        self._refuse_too_many()
        job_id = jobs.add_job(
            self._session,
            kind=SUBMIT,
            source_id=self._source.source_id,
            clinic_id=self._source.clinic_id,
            client_id=self._principal.client_id,
            state=state,
            request="{}",
            progress=COMPLETED if state is JobState.WAITING else "{}",
            now=self._hub.clock(),
        )
        row = SubmissionRow(
            job_id=job_id,
            name_key=submission_keys(self._hub, name)[0],
            source_id=self._source.source_id,
            last_call=digest,
            sealed=seal(self._hub.keys, msgspec.json.encode(name)),
            is_dismissed=False,
        )
        rows.add_submission(self._session, row)
        return row

    def _refuse_too_many(self) -> None:
        found = jobs.list_jobs(
            self._session,
            clinic_id=self._source.clinic_id,
            kind=SUBMIT,
            states={JobState.RECEIVING, JobState.WAITING},
            limit=MOST_OPEN,
        )
        if len(found) == MOST_OPEN:
            msg = "Complete or stop other submissions first"
            raise ThrottledError(msg, retry_after_seconds=60)

    def _locked(self, known: SubmissionRow) -> Job:
        """Return the submission's job, which others may not change now."""
        if known.source_id != self._source.source_id:
            msg = "The submission is another's"
            raise ForbiddenError(msg)
        job = jobs.lock_job(self._session, known.job_id, now=self._hub.clock())
        if job is None:
            msg = "There is no such submission"
            raise NotFoundError(msg)
        return job

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
            self._session, keys, source_id=self._source.source_id
        ):
            earlier = jobs.find_job(self._session, part.job_id)
            if earlier is not None and earlier.state in _COMPLETED:
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

    def take_files(self, manifest: ImportManifest) -> Job:
        """File a submission of files that are named at once, and completed."""
        digest, name = self._digest(manifest), self._import_name(manifest)
        known = rows.find_submission(self._session, submission_keys(self._hub, name))
        if known is not None:
            job = self._locked(known)
            if known.last_call == digest:
                return job
            msg = "A submission of this id came before, with other files"
            raise ConflictError(msg)
        replaced = self._earlier(manifest)
        begun = self._begin(name, digest, JobState.WAITING)
        rows.add_parts(
            self._session, self._parts(begun.job_id, manifest, replaced=replaced)
        )
        return self._locked(begun)

    def _import_name(self, manifest: ImportManifest) -> SubmissionName:
        return self._name_of(manifest.submission_id or str(uuid4()))

    def _name_of(self, submission_id: str) -> SubmissionName:
        """Return the name of an import: its submitter is the source itself."""
        return SubmissionName(
            submitter_system="urn:catchment:source",
            submitter=str(self._source.source_id),
            submission_id=submission_id,
        )

    def _earlier(self, manifest: ImportManifest) -> SubmissionRow | None:
        """Return the submission that an import replaces."""
        if manifest.replaces_id is None:
            return None
        keys = submission_keys(self._hub, self._name_of(manifest.replaces_id))
        earlier = rows.find_submission(self._session, keys)
        job = None
        if earlier is not None:
            job = jobs.find_job(self._session, earlier.job_id)
        if job is None or job.state not in _COMPLETED:
            msg = "There is no such submission of this source's"
            raise BusinessRuleError(msg, expression="replaceSubmissionId")
        return earlier

    def _parts(
        self,
        job_id: int,
        manifest: ImportManifest,
        *,
        replaced: SubmissionRow | None,
    ) -> list[PartRow]:
        """Return the one manifest and its files as parts."""
        base = manifest.source_url or manifest.files[0].url
        place = ManifestPlace(url=None, access=ManifestAccess(fhir_base=base))
        withdraws = replaced is not None and not manifest.is_partial
        first = PartRow(
            job_id=job_id,
            part=1,
            manifest=1,
            kind=PartKind.MANIFEST,
            state=PartState.READ,
            replaces_job=replaced.job_id if replaced and withdraws else None,
            sealed=seal(self._hub.keys, msgspec.json.encode(place)),
        )
        return [
            first,
            *(
                PartRow(
                    job_id=job_id,
                    part=1 + number,
                    manifest=1,
                    kind=PartKind.FILE,
                    place=number,
                    sealed=seal(self._hub.keys, msgspec.json.encode(_place(each))),
                )
                for number, each in enumerate(manifest.files, 1)
            ),
        ]


_OPEN = SubmissionStatus.IN_PROGRESS
_COMPLETED = frozenset({JobState.WAITING, JobState.DONE})


def _place(file: ImportFile) -> FilePlace:
    token = file.token
    if token is not None and not token.lower().startswith("bearer "):
        token = f"Bearer {token}"
    return FilePlace(url=file.url, with_token=False, authorization=token)

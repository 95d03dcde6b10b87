"""Import manifests: bulk submissions whose files are named in their one call."""

from uuid import uuid4

import msgspec

from app.deid.pseudonyms import network_name_keys
from app.domain.clinics import Principal
from app.domain.errors import BusinessRuleError, ConflictError
from app.fhir.bulk_submissions import (
    FilePlace,
    ManifestAccess,
    ManifestPlace,
    SubmissionName,
)
from app.fhir.import_manifests import ImportFile, ImportManifest
from app.services.authorization import check_operation, required_source
from app.services.bulk.submission_filing import (
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
from app.store.bulk_submissions import PartKind, PartRow, PartState, SubmissionRow
from app.store.jobs import Job, JobState
from app.store.sessions import tried, write_session


def submit_files(hub: Hub, principal: Principal, manifest: ImportManifest) -> Job:
    """Take an import manifest as a whole submission; return its job."""
    check_operation(principal, SCOPE)
    source = required_source(principal)
    check_in_force(hub)
    for each in manifest.files:
        check_url(hub, each.url, at="url")
    if manifest.source_url is not None:
        check_base(hub, source, manifest.source_url)
    with write_session(hub.engine, client_id=principal.client_id) as session:
        call = _Call(Filing(session, hub, principal))
        return tried(session, lambda: call.take(manifest))


class _Call:
    """One import manifest within its transaction; may be tried again."""

    def __init__(self, filing: Filing) -> None:
        self._filing = filing
        self._session = filing.session
        self._hub = filing.hub

    def take(self, manifest: ImportManifest) -> Job:
        """File a submission of files that are named at once, and completed."""
        submission_id = manifest.submission_id or str(uuid4())
        digest, keys = self._filing.digest(manifest), self._keys(submission_id)
        known = rows.find_submission(self._session, keys)
        if known is not None:
            job = self._filing.locked(known)
            if known.last_call == digest:
                return job
            msg = "A submission of this id came before, with other files"
            raise ConflictError(msg)
        replaced = self._earlier(manifest)
        name = SubmissionName(
            submitter_system="", submitter="", submission_id=submission_id
        )
        begun = self._filing.begin(name, keys[0], digest, JobState.WAITING)
        parts = self._parts(begun.job_id, manifest, replaced=replaced)
        rows.add_parts(self._session, parts)
        return self._filing.locked(begun)

    def _keys(self, submission_id: str) -> list[bytes]:
        """Return what an import is known by: its submitter is the source itself."""
        name = ("import", str(self._filing.source.source_id), submission_id)
        return network_name_keys(name, keys=self._hub.keys)

    def _earlier(self, manifest: ImportManifest) -> SubmissionRow | None:
        """Return the submission that an import replaces."""
        if manifest.replaces_id is None:
            return None
        earlier = rows.find_submission(self._session, self._keys(manifest.replaces_id))
        job = None
        if earlier is not None:
            job = jobs.find_job(self._session, earlier.job_id)
        if job is None or job.state not in COMPLETED_STATES:
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


def _place(file: ImportFile) -> FilePlace:
    token = file.token
    if token is not None and not token.lower().startswith("bearer "):
        token = f"Bearer {token}"
    return FilePlace(url=file.url, with_token=False, authorization=token)

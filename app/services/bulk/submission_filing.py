"""How bulk submissions are filed: what both of their doors have in common."""

import msgspec

from app.deid.pseudonyms import network_name_keys
from app.domain.clinics import Principal, Source
from app.domain.errors import (
    BusinessRuleError,
    ForbiddenError,
    InvalidElementError,
    NotFoundError,
    ThrottledError,
)
from app.fhir.bulk_submissions import SubmissionName
from app.fhir.references import normal_base
from app.services.authorization import required_source
from app.services.hub import Hub
from app.services.sealing import seal
from app.smart.bulk_errors import AddressRefusedError
from app.smart.fetches import FetchError, parse_url
from app.smart.outbound import origin_of
from app.store import bulk_submissions as rows
from app.store import jobs
from app.store.bulk_submissions import SubmissionRow
from app.store.jobs import SUBMIT, Job, JobState
from app.store.sessions import WriteSession

SCOPE = "system/bulk-submit"
MOST_OPEN = 100
"""Submissions of a clinic that are not completed; more are to wait."""
COMPLETED_STATES = frozenset({JobState.WAITING, JobState.DONE})
"""Of submissions that became current, or will before any later one does."""


class SubmissionProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Whether its submitter has said that a submission is complete."""

    is_completed: bool = False


COMPLETED = msgspec.json.encode(SubmissionProgress(is_completed=True)).decode()


class Filing:
    """One call's transaction; what is done in it may be tried again."""

    def __init__(self, session: WriteSession, hub: Hub, principal: Principal) -> None:
        self.session = session
        self.hub = hub
        self.principal = principal
        self.source = required_source(principal)

    def digest(self, call: msgspec.Struct) -> bytes:
        """Return a keyed digest of all that is said."""
        said = msgspec.json.encode(call).decode()
        return network_name_keys(("call", said), keys=self.hub.keys)[0]

    def begin(
        self, name: SubmissionName, key: bytes, digest: bytes, state: JobState
    ) -> SubmissionRow:
        """File a submission that is new, to be known by *key*."""
        self._refuse_too_many()
        job_id = jobs.add_job(
            self.session,
            kind=SUBMIT,
            source_id=self.source.source_id,
            clinic_id=self.source.clinic_id,
            client_id=self.principal.client_id,
            state=state,
            request="{}",
            progress=COMPLETED if state is JobState.WAITING else "{}",
            now=self.hub.clock(),
        )
        row = SubmissionRow(
            job_id=job_id,
            name_key=key,
            source_id=self.source.source_id,
            last_call=digest,
            sealed=seal(self.hub.keys, msgspec.json.encode(name)),
            is_dismissed=False,
        )
        rows.add_submission(self.session, row)
        return row

    def _refuse_too_many(self) -> None:
        found = jobs.list_jobs(
            self.session,
            clinic_id=self.source.clinic_id,
            kind=SUBMIT,
            states={JobState.RECEIVING, JobState.WAITING},
            limit=MOST_OPEN,
        )
        if len(found) == MOST_OPEN:
            msg = "Complete or stop other submissions first"
            raise ThrottledError(msg, retry_after_seconds=60)

    def locked(self, known: SubmissionRow) -> Job:
        """Return the submission's job, which others may not change now."""
        if known.source_id != self.source.source_id:
            msg = "The submission is another's"
            raise ForbiddenError(msg)
        job = jobs.lock_job(self.session, known.job_id, now=self.hub.clock())
        if job is None:
            msg = "There is no such submission"
            raise NotFoundError(msg)
        return job


def check_url(hub: Hub, url: str, *, at: str) -> None:
    """Refuse early what would be refused when it is fetched."""
    try:
        parse_url(url, dev_mode=hub.outbound.dev_mode)
        origin_of(url)
    except (FetchError, AddressRefusedError):
        msg = "The hub fetches by https from public hosts only"
        raise InvalidElementError(msg, expression=at) from None


def check_base(hub: Hub, source: Source, base: str) -> None:
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

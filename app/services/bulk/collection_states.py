"""What a collection remembers from step to step, in clear and sealed."""

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.errors import ConflictError, Severity
from app.services.bulk.ehrs import known_server
from app.services.bulk.jobs import Run
from app.services.bulk.patience import WELL, Failing
from app.services.hub import Hub
from app.smart.bulk_servers import BulkServer
from app.store.clinics import check_takes_part
from app.store.connections import Connection, find_connection
from app.store.job_outcomes import add_remark
from app.store.sessions import WriteSession, read_session, write_session

REMARKS = 0
"""The part that what is said of a collection as a whole belongs to; files follow."""


class Stage(StrEnum):
    """What a collection is at."""

    STARTING = "starting"
    EXPORTING = "exporting"
    READING = "reading"
    SEARCHING = "searching"
    CLEARING = "clearing"
    COMPARING = "comparing"
    DONE = "done"


class Role(StrEnum):
    """What a file of a manifest holds."""

    DELETED = "deleted"
    OUTPUT = "output"
    ERRORS = "errors"


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is to be fetched; ``count`` is what the manifest says of it."""

    url: str
    role: Role
    count: int | None
    needs_token: bool


class CollectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is collected: changes since an instant of the server's, or all there is."""

    since: str | None
    is_snapshot: bool


class CollectProgress(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far a collection is; nothing in it is of a patient's.

    ``began_at`` is when it was started, by the hub's clock. ``part`` is the file it is
    at, ``line`` the last line that is stored of it, ``mark`` the version of the file.
    ``renewals`` counts how often its manifest was asked for anew, ``restarts`` how
    often the whole. ``is_whole`` says that nothing was missing in what came.
    """

    stage: Stage = Stage.STARTING
    began_at: int = 0
    polls: int = 0
    percent: int | None = None
    transaction_time: str | None = None
    transaction_ms: int = 0
    files: int = 0
    part: int = 0
    line: int = 0
    mark: str = ""
    renewals: int = 0
    restarts: int = 0
    without_filters: bool = False
    is_whole: bool = True
    people: int = 0
    people_done: int = 0
    person: int = 0
    search: int = 0
    without_last_updated: bool = False
    compared_after: int = 0
    withdrawn: int = 0
    is_approved: bool = False
    failing: Failing = WELL


class CollectSealed(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is remembered of the server's URLs and of the clinic's ids.

    ``people`` are those searched for now, some hundred at a time.
    """

    status_url: str | None = None
    files: tuple[FileRef, ...] = ()
    people: tuple[str, ...] = ()
    next_url: str | None = None


class Collecting:
    """One step of a collection: where it is, and whom it asks."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.progress = run.progress(CollectProgress)
        self.request = run.request(CollectRequest)
        self.connection = _connection(run)

    @property
    def hub(self) -> Hub:
        """Return the hub."""
        return self.run.hub

    @property
    def job_id(self) -> int:
        """Return the job's number."""
        return self.run.job.id

    @property
    def server(self) -> BulkServer:
        """Return the server that is collected from."""
        return known_server(self.hub, self.connection)

    def sealed(self) -> CollectSealed:
        """Return what is remembered under the key."""
        return self.run.sealed(CollectSealed) or CollectSealed()

    def advance(
        self,
        session: WriteSession,
        *,
        sealed: CollectSealed | None = None,
        **changes: Any,  # noqa: ANN401  (fields of the progress)
    ) -> None:
        """Note how far it is now, in the transaction of what was stored."""
        self.progress = msgspec.structs.replace(
            self.progress, **({"failing": WELL} | changes)
        )
        self.run.advance(session, progress=self.progress, sealed=sealed)
        if self.run.job.failure is not None:
            self.run.change(session, failure=None)

    def note(
        self,
        *,
        sealed: CollectSealed | None = None,
        **changes: Any,  # noqa: ANN401  (fields of the progress)
    ) -> None:
        """Note how far it is now, where nothing is stored with it."""
        with self.writing() as session:
            self.advance(session, sealed=sealed, **changes)

    def writing(self) -> AbstractContextManager[WriteSession]:
        """Return a transaction for the job's client."""
        return write_session(self.hub.engine, client_id=self.run.job.client_id)

    def remark(
        self,
        session: WriteSession,
        severity: Severity,
        issue_type: str,
        diagnostics: str,
        *,
        part: int = REMARKS,
        count: int = 1,
    ) -> None:
        """Say something of a file, or of the collection as a whole."""
        add_remark(
            session,
            self.job_id,
            severity,
            issue_type,
            diagnostics,
            part=part,
            count=count,
        )


def _connection(run: Run) -> Connection:
    with read_session(run.hub.engine) as session:
        check_takes_part(session, run.job.clinic_id)
        found = find_connection(session, run.source.source_id)
    if found is None:
        msg = "The connection was removed"
        raise ConflictError(msg)
    return found

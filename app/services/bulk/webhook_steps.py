"""
The job of a webhook: fetch what notifications named, some at a time.

What is named waits sealed, and is forgotten once it is stored. The server's answer
when it is asked says what is so, whatever a notification said and when it came.
"""

from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import msgspec

from app.domain.errors import (
    ConflictError,
    MalformedError,
    ServiceError,
    Severity,
)
from app.domain.records import RecordType
from app.fhir.json_documents import read_json
from app.fhir.ndjson import LONGEST_LINE_BYTES
from app.fhir.notifications import Named
from app.fhir.search_pages import as_line
from app.services.bulk.collection_filters import store_wanted
from app.services.bulk.ehrs import known_server
from app.services.bulk.jobs import Again, Finished, Run, StepEnd
from app.services.bulk.patience import WELL, Failing, Passing, sat_out
from app.services.bulk.reading import read_fetched
from app.services.bulk.withdrawals import add_withdrawn, withdraw_named
from app.services.sealing import unseal
from app.smart.bulk_errors import (
    AccessRefusedError,
    NoLongerThereError,
    ServerError,
    ServerThrottlesError,
    ServerUnavailableError,
)
from app.smart.bulk_exports import FHIR_JSON
from app.smart.errors import TokenRefusedError
from app.smart.outbound import Answer
from app.store.clinics import check_takes_part
from app.store.connections import Connection, find_connection
from app.store.job_outcomes import add_remark
from app.store.jobs import JobState
from app.store.sessions import WriteSession, read_session, write_session
from app.store.staging import next_staged, remove_staged

PART = 0
AT_ONCE = 10
"""So many resources are fetched and stored in one step."""
MOST_TAKEN_UP = 1000
LINGER_MS = 60_000
"""For so long after the last notification the next one goes to the same job."""
LONGEST_MS = 3_600_000
LOOK_AGAIN_MS = 5_000
SKEW_MS = 5 * 60 * 1000
"""By so much the server's clock may be ahead of the hub's."""
REMOVED = "The connection was removed"
NOT_THERE = "The server has no such resource, and nor has the hub"
REFUSED = "The server did not give a resource that it named"
ANOTHER = "The server answered with another resource than it was asked for"


class FetchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far the job is; nothing in it is of a patient's.

    ``line`` counts what was stored, ``taken_up_at`` is when something was last named.
    """

    line: int = 0
    taken_up_at: int = 0
    failing: Failing = WELL


class FetchSealed(msgspec.Struct, frozen=True):
    """What is yet to be fetched."""

    pending: tuple[Named, ...] = ()


class _Fetched(msgspec.Struct):
    """What the server answered in one step, by what was asked for."""

    lines: list[bytes] = []
    found: list[Named] = []
    gone: list[Named] = []
    refused: list[tuple[Named, ServiceError]] = []
    as_of: int = 0
    fault: Passing | None = None


class _Fetching:
    """One step of the job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.hub = run.hub
        self.progress = run.progress(FetchProgress)
        self.pending = (run.sealed(FetchSealed) or FetchSealed()).pending
        with read_session(run.hub.engine) as session:
            check_takes_part(session, run.job.clinic_id)
            found = find_connection(session, run.source.source_id)
        if found is None:
            raise ConflictError(REMOVED)
        self.connection: Connection = found

    def writing(self) -> AbstractContextManager[WriteSession]:
        """Return a transaction for the job's client."""
        return write_session(self.hub.engine, client_id=self.run.job.client_id)

    def advance(self, session: WriteSession, done: list[Named], lines: int) -> None:
        """Note what need not be fetched any more."""
        finished = set(done)
        self.pending = tuple(n for n in self.pending if n not in finished)
        self.progress = msgspec.structs.replace(
            self.progress, line=self.progress.line + lines, failing=WELL
        )
        self.run.advance(
            session, progress=self.progress, sealed=FetchSealed(self.pending)
        )


def fetch_named(run: Run) -> StepEnd:
    """Fetch and store the next of what is named, or take up what came since."""
    run.refresh()
    fetching = _Fetching(run)
    if not fetching.pending:
        return _take_up(fetching)
    fetched = _fetched(fetching, fetching.pending[:AT_ONCE])
    if _is_shut_out(fetching, fetched):
        raise fetched.refused[0][1]
    if fetched.lines or fetched.refused:
        _store(fetching, fetched)
    if fetched.gone:
        _withdraw(fetching, fetched)
    return Again() if fetched.fault is None else _sit_out(fetching, fetched.fault)


def _take_up(fetching: _Fetching) -> StepEnd:
    """
    Take up what was named since; where nothing was for a while, end.

    Both within one transaction that holds the job's row, as who adds to it does.
    """
    run, progress, now = fetching.run, fetching.progress, fetching.hub.clock()
    named: dict[Named, None] = {}
    with fetching.writing() as session:
        run.change(session, not_before=run.job.not_before)
        while len(named) < MOST_TAKEN_UP:
            staged = next_staged(session, run.job.id)
            if staged is None:
                break
            plain = unseal(fetching.hub.keys, staged.payload)
            named |= dict.fromkeys(msgspec.json.decode(plain, type=list[Named]))
            remove_staged(session, run.job.id, staged)
        if named:
            taken = msgspec.structs.replace(progress, taken_up_at=now)
            run.advance(session, progress=taken, sealed=FetchSealed(tuple(named)))
            return Again()
        if _lingers(fetching, now):
            return Again(LOOK_AGAIN_MS)
        run.change(session, state=JobState.DONE.value, sealed=None)
    return Finished()


def _lingers(fetching: _Fetching, now: int) -> bool:
    last = fetching.progress.taken_up_at
    return now < min(last + LINGER_MS, fetching.run.job.created_at + LONGEST_MS)


def _fetched(fetching: _Fetching, wanted: tuple[Named, ...]) -> _Fetched:
    """Return what the server answers to each, up to where it does not answer now."""
    fetched = _Fetched(as_of=fetching.hub.clock())
    for named in wanted:
        try:
            answer = _asked(fetching, named)
            _check(answer, named)
        except NoLongerThereError:
            fetched.gone.append(named)
        except (
            ServerThrottlesError,
            ServerUnavailableError,
            TokenRefusedError,
        ) as error:
            fetched.fault = error
            break
        except (ServerError, MalformedError) as error:
            fetched.refused.append((named, error))
        else:
            fetched.lines.append(as_line(answer.body))
            fetched.found.append(named)
            fetched.as_of = max(fetched.as_of, _answered_at(answer))
    return fetched


def _asked(fetching: _Fetching, named: Named) -> Answer:
    id_ = quote(named.own_id, safe="")
    return known_server(fetching.hub, fetching.connection).ask(
        "GET",
        f"{fetching.connection.fhir_base}/{named.type_name}/{id_}",
        headers={"Accept": FHIR_JSON},
        with_token=True,
    )


def _check(answer: Answer, named: Named) -> None:
    """Refuse what is not the resource that was asked for."""
    resource = read_json(answer.body, max_bytes=LONGEST_LINE_BYTES)
    if (resource.get("resourceType"), resource.get("id")) != (
        named.type_name,
        named.own_id,
    ):
        raise MalformedError(ANOTHER)


def _answered_at(answer: Answer) -> int:
    """Return the last moment of the second in which the server says it answered."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return 0
    return int(moment.timestamp()) * 1000 + 999


def _is_shut_out(fetching: _Fetching, fetched: _Fetched) -> bool:
    """Return whether the server lets the hub read nothing: its ids are kept, then."""
    refusals = [error for _, error in fetched.refused]
    return (
        bool(refusals)
        and not (fetching.progress.line or fetched.lines or fetched.gone)
        and all(isinstance(error, AccessRefusedError) for error in refusals)
    )


def _store(fetching: _Fetching, fetched: _Fetched) -> None:
    """Store what came as lines are, and say what did not."""
    hub, source, job_id = fetching.hub, fetching.run.source, fetching.run.job.id
    read = read_fetched(fetched.lines, hub, source, first=fetching.progress.line + 1)
    with fetching.writing() as session:
        store_wanted(
            session,
            hub,
            source,
            fetching.connection,
            read,
            order=fetched.as_of,
            job_id=job_id,
            part=PART,
        )
        for _, error in fetched.refused:
            said = f"{REFUSED}: {error.message}"
            add_remark(session, job_id, Severity.ERROR, "incomplete", said, part=PART)
        done = [*fetched.found, *(named for named, _ in fetched.refused)]
        fetching.advance(session, done, len(fetched.lines))


def _withdraw(fetching: _Fetching, fetched: _Fetched) -> None:
    """Take back what the server has no more."""
    run, job_id = fetching.run, fetching.run.job.id
    named = [(RecordType.of(each.type_name), each.own_id) for each in fetched.gone]
    known = [(type_, own_id) for type_, own_id in named if type_ is not None]
    with fetching.writing() as session:
        taken = withdraw_named(
            session, run.hub, run.source, known, up_to=run.hub.clock() + SKEW_MS
        )
        add_withdrawn(session, job_id, taken, part=PART)
        unknown = len(known) - len(taken)
        if unknown > 0:
            add_remark(
                session,
                job_id,
                Severity.INFORMATION,
                "informational",
                NOT_THERE,
                part=PART,
                count=unknown,
            )
        fetching.advance(session, fetched.gone, 0)


def _sit_out(fetching: _Fetching, fault: Passing) -> StepEnd:
    """Ask the server again later, and say why."""
    run, progress = fetching.run, fetching.progress
    failing, again = sat_out(progress.failing, fault, now=fetching.hub.clock())
    waiting = msgspec.structs.replace(progress, failing=failing)
    with fetching.writing() as session:
        run.advance(session, progress=waiting)
        run.change(session, failure=fault.message)
    return again

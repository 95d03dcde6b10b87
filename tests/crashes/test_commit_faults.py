"""
A bulk delivery whose n-th commit goes wrong, for every n, comes to the same in the end.

What goes wrong: the connection is lost before the commit took effect or after it, once,
or because the process was killed there and does nothing more until it is started again.
"""

import dataclasses
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import count
from typing import Any, NamedTuple, NoReturn, TypeVar

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from app.domain.clinics import Audience, Principal, Source
from app.domain.deliveries import LineBatch, PackedLines, packed
from app.fhir import ndjson
from app.services import recounts, registry
from app.services.bulk import imports
from app.services.bulk.imports import Upload
from app.services.bulk.jobs import LEASE_SECONDS, work
from app.services.bulk.readers import Readers, Setup
from app.services.bulk.reading import read_lines
from app.services.hub import Hub
from app.services.reception import FrontDoor
from app.services.workers import STEPS
from app.settings import MAX_BODY_BYTES
from app.store import clinics
from app.store.job_outcomes import counts_of
from app.store.jobs import Job, JobState, find_job, list_jobs
from app.store.sessions import open_engine, read_session
from tests.api.test_counting import cells_of, diabetic, result
from tests.crashes import findings
from tests.hubs import Clock, Databases, Network, current_of, hub_on
from tests.importing import lines

pytestmark = pytest.mark.thorough

RECEIVING = JobState.RECEIVING
UNUSED: Any = None
MEASURE = "hba1c-poor-control"
PIECE_BYTES = 1_500
BATCHES = 3
PEOPLE = [entry["resource"] for name in "ab" for entry in diabetic(name)]
RESULTS = [
    result(name, 7.0 + number, day=f"2026-02-0{number + 1}", own_id=f"{name}{number}")
    for number in range(2)
    for name in "ab"
]
BODY = lines(*PEOPLE, *RESULTS)
T = TypeVar("T")


class Fault(Enum):
    """What goes wrong at a commit: whether it took effect, and who knows."""

    LOST_BEFORE = "the connection is lost before the commit"
    LOST_AFTER = "the connection is lost after the commit"
    KILLED_BEFORE = "the process is killed before the commit"
    KILLED_AFTER = "the process is killed after the commit"


class Commits:
    """Counts the commits of an engine; the one of a number goes wrong."""

    def __init__(
        self, hub: Hub, *, at: int = 0, fault: Fault = Fault.LOST_BEFORE
    ) -> None:
        self.done = 0
        self._at = at
        self._fault = fault
        self._is_dead = False
        dialect: Any = hub.engine.dialect
        self._is_postgresql = dialect.name == "postgresql"
        self._commit: Callable[[Any], None] = dialect.do_commit
        dialect.do_commit = self._do_commit

    def _do_commit(self, connection: Any) -> None:
        self.done += 1
        if self._is_dead:
            self._lose(connection)
        if self.done != self._at:
            self._commit(connection)
            return
        self._is_dead = self._fault in {Fault.KILLED_BEFORE, Fault.KILLED_AFTER}
        if self._fault in {Fault.LOST_AFTER, Fault.KILLED_AFTER}:
            self._commit(connection)
        self._lose(connection)

    def _lose(self, connection: Any) -> NoReturn:
        """Fail as where the server is gone; SQLite has none, and may only fail."""
        if self._is_postgresql:
            connection.driver_connection.close()
            msg = "the connection was lost"
            raise psycopg.OperationalError(msg)
        msg = "disk I/O error"
        raise sqlite3.OperationalError(msg)

    def start_again(self) -> None:
        """Let what was killed be started again."""
        self._is_dead = False


class Tried(NamedTuple):
    """What a delivery came to, and with how many commits."""

    outcome: dict[str, Any]
    commits: int


class OwnReaders(Readers):
    """Reads in the test's own process."""

    @override
    def read(
        self,
        front: FrontDoor,
        source: Source,
        batches: Iterable[LineBatch],
        *,
        scopes: tuple[str, ...] | None,
        max_line_bytes: int,
    ) -> Iterator[PackedLines]:
        """Yield what may be kept of each of *batches*."""
        setup = Setup.of(front, source, scopes=scopes, max_line_bytes=max_line_bytes)
        reading = setup.reading(received_at=front.clock())
        for batch in batches:
            yield packed(read_lines(batch, reading))


class Trial:
    """One delivery by a clinic's program and a worker, each of which tries again."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        ehr = Network(hub, UNUSED).ehr()
        with read_session(hub.engine) as session:
            source = clinics.required_source(session, clinic="alpha", name="ehr")
        self.principal = Principal(
            client_id=ehr.client_id,
            audience=Audience.MEMBERS,
            scopes=registry.CLINIC_SCOPES,
            source=source,
        )
        self.hub = hub
        self.clock = clock
        recounts.register_measures(hub)
        recounts.count_new_measures(hub, holder="first")

    def outcome(self, commits: Commits, *, name: str | None) -> dict[str, Any]:
        """Return what there is once all is sent, stored and counted."""
        job = tried(commits, lambda: self._sent(name))
        holders = (f"worker {number}" for number in count())
        while self._is_under_way():
            holder = next(holders)
            tried(commits, lambda: self._work(holder))  # noqa: B023
            self.clock.pass_seconds(LEASE_SECONDS + 1)
        tried(commits, self._count)
        with read_session(self.hub.engine) as session:
            counts = counts_of(session, job.id)
            ended = find_job(session, job.id)
        assert ended is not None
        assert findings.half_stored(self.hub) == {}
        return {
            "state": ended.state,
            "lines": sum(row.count for row in counts),
            "current": current_of(self.hub.engine),
            "cells": cells_of(self.hub),
        }

    def _sent(self, name: str | None) -> Job:
        """Send what is not here yet."""
        after = 0
        if name is not None:
            known = imports.upload_called(self.hub, self.principal, name)
            after = (
                0 if known is None or known.state is not RECEIVING else known.received
            )
        body = b"".join(BODY.splitlines(keepends=True)[after:])
        return imports.receive(
            self.hub,
            self.principal,
            Upload(is_gzip=False, name=name, after_line=after),
            (body[i : i + PIECE_BYTES] for i in range(0, len(body), PIECE_BYTES)),
            max_line_bytes=MAX_BODY_BYTES,
        )

    def _is_under_way(self) -> bool:
        with read_session(self.hub.engine) as session:
            return any(not job.is_ended for job in list_jobs(session))

    def _work(self, holder: str) -> None:
        while work(self.hub, STEPS, holder=holder):
            pass

    def _count(self) -> None:
        while recounts.recount_dirty(self.hub, holder="counting"):
            pass


def tried(commits: Commits, step: Callable[[], T]) -> T:
    """Return what a step does, taken again by a process that was started again."""
    while True:
        try:
            return step()
        except DBAPIError:
            commits.start_again()


@pytest.fixture
def tried_on(
    databases: Databases,
    dialect: str,
    shared_parts: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Tried]:
    """Return what tries a delivery, each time on an empty database."""
    monkeypatch.setattr(ndjson, "BATCH_BYTES", PIECE_BYTES)
    measures = tuple(m for m in shared_parts.measures if m.id == MEASURE)

    def try_out(name: str | None, **wrong: Any) -> Tried:
        url, clock = databases.fresh(dialect), Clock()
        engine = open_engine(url)
        hub = dataclasses.replace(
            hub_on(shared_parts, engine, clock),
            measures=measures,
            readers=OwnReaders(),
        )
        trial = Trial(hub, clock)
        commits = Commits(hub, **wrong)
        outcome = trial.outcome(commits, name=name)
        engine.dispose()
        databases.give_back(url)
        return Tried(outcome, commits.done)

    return try_out


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Fault.LOST_BEFORE, "a delivery"),
        (Fault.LOST_AFTER, None),
        (Fault.KILLED_BEFORE, None),
        (Fault.KILLED_AFTER, "a delivery"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else str(bool(value)),
)
def test_whichever_commit_goes_wrong_the_delivery_comes_to_the_same(
    tried_on: Callable[..., Tried], fault: Fault, name: str | None
):
    """Nothing is lost, nothing doubles, and every line is told of once."""
    expected = tried_on(name)
    assert expected.commits > BATCHES
    assert expected.outcome["lines"] == len(BODY.splitlines())
    assert expected.outcome["cells"]

    for number in range(1, expected.commits + 1):
        found = tried_on(name, at=number, fault=fault)
        assert found.outcome == expected.outcome, f"commit {number}"

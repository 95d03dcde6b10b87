"""Single submissions, which wait while those before them are being stored."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from app.domain.clinics import Principal
from app.domain.errors import BusyError, ServiceError
from app.domain.records import RecordType
from app.services import intake
from app.services.authorization import required_source
from app.services.hub import Hub
from app.services.intake import Receipt, Submission
from app.store.faults import outage
from app.store.sessions import write_session

T = TypeVar("T")
Answer = Callable[[Receipt], T]
Key = bytes | int

MOST_TOGETHER = 100
LANES_AT_ONCE = {"sqlite": 1, "postgresql": 8}
"""How many clients are served at a time; SQLite has one writer."""


class TwinsError(Exception):
    """Two members of a group turned out to be one record."""


class _Member(Generic[T]):
    """A submission that waits, and what becomes of it."""

    def __init__(
        self, caller: Principal, submission: Submission, answer: Answer[T]
    ) -> None:
        self.caller = caller
        self.source = required_source(caller)
        self.submission = submission
        self.answer = answer
        self.keys = frozenset(_keys(submission))
        self.told: Future[T] = Future()


Lane = deque[_Member[Any]]
Group = Sequence[_Member[Any]]


class WaitingRoom:
    """
    Where the single submissions of a client that come at one time go together.

    Nobody waits for others to come: a submission is stored at once where its client
    has nothing under way, and all that come meanwhile are next, in one transaction
    with one commit. The members of a group are nothing to each other, so that each is
    answered as if they had come one after the other.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._lock = threading.Lock()
        self._is_idle = threading.Condition(self._lock)
        self._lanes: dict[str, Lane] = {}
        self._threads = ThreadPoolExecutor(LANES_AT_ONCE[hub.engine.dialect.name])

    async def save(
        self, caller: Principal, submission: Submission, answer: Answer[T]
    ) -> T:
        """
        Store one submission of *caller*; return *answer* of its receipt.

        *answer* is made before the commit, and returned after it: where either fails
        nothing is stored. Who stops waiting before the submission's turn takes it back.

        Raises:
            ServiceError: the submission was refused, which is nothing to the others.
        """
        member = _Member(caller, submission, answer)
        client_id = caller.client_id
        with self._lock:
            lane = self._lanes.get(client_id)
            if lane is None:
                lane = self._lanes[client_id] = deque()
                self._threads.submit(self._serve, client_id)
            lane.append(member)
        return await asyncio.wrap_future(member.told)

    def census(self) -> tuple[int, int]:
        """Return how many wait for their turn, and how many lanes are served."""
        with self._lock:
            return sum(map(len, self._lanes.values())), len(self._lanes)

    def close(self) -> None:
        """Return when all who wait were served."""
        with self._is_idle:
            self._is_idle.wait_for(lambda: not self._lanes)
        self._threads.shutdown()

    def _serve(self, client_id: str) -> None:
        """Store the next group of a lane, then let other lanes have their turn."""
        with self._lock:
            group = next_group(self._lanes[client_id])
        self._store([m for m in group if m.told.set_running_or_notify_cancel()])
        with self._lock:
            if self._lanes[client_id]:
                self._threads.submit(self._serve, client_id)
            else:
                del self._lanes[client_id]
                self._is_idle.notify_all()

    def _store(self, group: Group) -> None:
        """Store a group; one by one where one of them may be what it failed for."""
        if not group:
            return
        try:
            outcomes = self._stored_together(group)
        except Exception as error:  # noqa: BLE001  (who waits for it is told of it)
            if len(group) > 1 and not is_of_the_store(error):
                for member in group:
                    self._store([member])
                return
            outcomes = [error] * len(group)
        for member, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                member.told.set_exception(outcome)
            else:
                member.told.set_result(outcome)

    def _stored_together(self, group: Group) -> list[Any]:
        """Return each member's answer or refusal, once all are committed."""
        submissions = [member.submission for member in group]
        for index, submission in enumerate(submissions):
            submission.index = index
        client_id, source = group[0].caller.client_id, group[0].source
        with write_session(self.hub.engine, client_id=client_id) as session:
            outcomes = intake.store(
                session, self.hub, source, submissions, atomic=False
            )
            receipts = [outcomes[index] for index in range(len(group))]
            _refuse_twins(receipts)
            return [
                outcome if isinstance(outcome, ServiceError) else member.answer(outcome)
                for member, outcome in zip(group, receipts, strict=True)
            ]


def is_of_the_store(error: Exception) -> bool:
    """Return whether it is the database's fault, and no submission's."""
    return isinstance(error, BusyError) or outage(error) is not None


def next_group(lane: Lane) -> Group:
    """
    Take those out of *lane* who go together next.

    Who shares a key with one before them stays, behind them: no two of a group are
    versions of one record, and versions keep their order.
    """
    group: list[_Member[Any]] = []
    staying: Lane = deque()
    seen: set[Key] = set()
    for member in lane:
        goes = len(group) < MOST_TOGETHER and seen.isdisjoint(member.keys)
        (group if goes else staying).append(member)
        seen |= member.keys
    lane.clear()
    lane.extend(staying)
    return group


def _keys(submission: Submission) -> Iterator[Key]:
    """
    Yield what tells whether two submissions may be the same record.

    Patients are joined to each other by what they say, so they never share a group.
    """
    record = submission.record
    yield from (alias.key for alias in submission.names)
    yield from (digest.key for digest in record.content_digests)
    if submission.hub_record is not None:
        yield submission.hub_record
    if record.type is RecordType.PATIENT:
        yield record.type


def _refuse_twins(outcomes: Iterable[intake.Outcome]) -> None:
    """Refuse a group in which one stored record has two names that came apart."""
    ids = [each.record_id for each in outcomes if isinstance(each, Receipt)]
    if len(set(ids)) < len(ids):
        raise TwinsError

"""
Readers: processes that lines are validated and de-identified in, on all cores.

Python runs on one core at a time in a process. A reader gets lines through a socket,
answers what may be kept of them, and ends when its socket does: who dies leaves none
behind. Readers are forked from one process that has all they need, and share its
memory. Nothing is written anywhere on the way.
"""

import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from io import BufferedRWPair
from itertools import chain, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import msgspec
from typing_extensions import override

from app.deid.policies import PolicyText, ReportedMeasure, parse_policy
from app.deid.pseudonyms import KeyRing
from app.domain.clinics import Source
from app.domain.deliveries import LineBatch, PackedLines, packed
from app.domain.errors import BusyError, ServiceError
from app.services.bulk.reading import Reading, read_lines
from app.services.reception import FrontDoor

PROGRAM = (sys.executable, "-m", "app.services.bulk.reading_process")
ROOT = Path(__file__).parents[3]
AHEAD = 2
"""How many batches wait for each reader: enough that none of them waits."""
TRIES = 3
"""How many readers may die of one batch, or before it, until it is given up."""
SMALL_BYTES = 64 * 1024
"""A delivery below this is read faster than a reader is started."""
_LENGTH = struct.Struct("!Q")


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a reading process has of the hub, in parts that can be sent there."""

    policy: PolicyText
    network_codes: frozenset[str]
    reported: dict[str, ReportedMeasure]
    network: str
    current: int
    masters: dict[int, bytes]
    source: Source
    scopes: tuple[str, ...] | None
    max_line_bytes: int

    @classmethod
    def of(
        cls,
        front: FrontDoor,
        source: Source,
        *,
        scopes: tuple[str, ...] | None,
        max_line_bytes: int,
    ) -> "Setup":
        """Return what *front* is made of."""
        policy, keys = front.policy, front.keys
        stated = policy.stated
        return cls(
            policy=PolicyText(
                origin=stated.origin, text=stated.text, rules=dict(stated.rules)
            ),
            network_codes=policy.network_codes,
            reported=dict(policy.reported),
            network=keys.network,
            current=keys.current,
            masters=dict(keys.masters),
            source=source,
            scopes=scopes,
            max_line_bytes=max_line_bytes,
        )

    def reading(self, *, received_at: int) -> Reading:
        """Return how lines that came at a moment are read."""
        return Reading(
            policy=parse_policy(
                self.policy, network_codes=self.network_codes, reported=self.reported
            ),
            keys=KeyRing(
                network=self.network, current=self.current, masters=self.masters
            ),
            source=self.source,
            scopes=self.scopes,
            received_at=received_at,
            max_line_bytes=self.max_line_bytes,
        )


class ReaderLostError(BusyError):
    """A reading process died; the same may be sent again."""


class _Nursery:
    """The process that readers are forked from: they share what it has in memory."""

    def __init__(self) -> None:
        paths = (str(ROOT), os.environ.get("PYTHONPATH", ""))
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  (a program of ours)
                [*PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )

    def new_reader(self) -> "_Reader":
        """Have a reader forked, which ends when its line does."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return _Reader(ours)

    def end(self) -> None:
        """Fork no more."""
        self._control.close()
        self._process.wait()


class _Reader:
    """One reading process, used by one thread at a time."""

    def __init__(self, line: socket.socket) -> None:
        with line:
            self._line = line.makefile("rwb")

    def answer(self, question: Any) -> Any:  # noqa: ANN401  (what both ends agree on)
        """Return the answer to *question*; raise where the process is gone."""
        send(self._line, question)
        return receive(self._line)

    def end(self) -> None:
        """Close the line, at whose end the process ends."""
        with suppress(OSError):  # what was not sent matters no more
            self._line.close()


class _UpToFailure(Iterator[LineBatch]):
    """Batches up to their end, or to the failure that ends them."""

    def __init__(self, coming: Iterator[LineBatch]) -> None:
        self.failure: ServiceError | None = None
        self._coming = coming

    @override
    def __next__(self) -> LineBatch:
        """Return the next that came before a failure."""
        try:
            return next(self._coming)
        except ServiceError as error:
            self.failure = error
            raise StopIteration from None


class Readers:
    """The reading processes of a hub, started when there is enough to read."""

    def __init__(self, *, count: int | None = None) -> None:
        self._count = count or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self._count, "catchment-reader")
        self._idle: SimpleQueue[_Reader] = SimpleQueue()
        self._lock = threading.Lock()
        self._nursery: _Nursery | None = None

    def read(
        self,
        front: FrontDoor,
        source: Source,
        batches: Iterable[LineBatch],
        *,
        scopes: tuple[str, ...] | None,
        max_line_bytes: int,
    ) -> Iterator[PackedLines]:
        """
        Yield what may be kept of each of *batches*, in their order.

        Some are read ahead, few enough that memory does not grow with the delivery.
        Where *batches* fail, what came before is given before the failure is raised.

        Raises:
            ReaderLostError: readers died, each time; what was yielded is good.
        """
        setup = Setup.of(front, source, scopes=scopes, max_line_bytes=max_line_bytes)
        coming = iter(batches)
        first = list(islice(coming, 1))
        if first and len(first[0].body) < SMALL_BYTES:
            reading = setup.reading(received_at=front.clock())
            yield packed(read_lines(first.pop(), reading))
        sent, most = pickle.dumps(setup), self._count * AHEAD
        waiting: deque[Future[PackedLines]] = deque()
        found = _UpToFailure(chain(first, coming))
        for batch in found:
            question = (sent, front.clock(), batch)
            waiting.append(self._threads.submit(self._answer, question))
            while waiting and (len(waiting) >= most or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if found.failure is not None:
            raise found.failure

    def _answer(self, question: Any) -> PackedLines:  # noqa: ANN401
        """Return a reader's answer; one that dies is replaced, but not for ever."""
        for _ in range(TRIES - 1):
            with suppress(ReaderLostError):
                return self._answer_of_one(question)
        return self._answer_of_one(question)

    def _answer_of_one(self, question: Any) -> PackedLines:  # noqa: ANN401
        reader = self._reader()
        try:
            answer = reader.answer(question)
        except (OSError, EOFError):
            reader.end()
            msg = "A reader died; send it again"
            raise ReaderLostError(msg) from None
        self._idle.put(reader)
        if isinstance(answer, PackedLines):
            return answer
        msg = f"A reader failed: {answer}"
        raise ReaderLostError(msg)

    def _reader(self) -> _Reader:
        """Return a reader that has nothing to do, a new one if need be."""
        with suppress(Empty):
            return self._idle.get_nowait()
        with self._lock:
            if self._nursery is None:
                self._nursery = _Nursery()
            try:
                return self._nursery.new_reader()
            except OSError:
                self._nursery.end()
                self._nursery = None
                msg = "The readers died; send it again"
                raise ReaderLostError(msg) from None

    def close(self) -> None:
        """End all processes; who reads after this has new ones."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().end()
        with self._lock:
            if self._nursery is not None:
                self._nursery.end()
                self._nursery = None


def send(pipe: BufferedRWPair, thing: Any) -> None:  # noqa: ANN401
    """Write a thing to the process at the other end."""
    body = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: BufferedRWPair) -> Any:  # noqa: ANN401
    """
    Read a thing that the other end sent.

    Raises:
        EOFError: it sends no more.
    """
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    size: int = _LENGTH.unpack(head)[0]
    body = pipe.read(size)
    if len(body) < size:  # it died amid sending
        raise EOFError
    return pickle.loads(body)  # noqa: S301  (both ends are ours)

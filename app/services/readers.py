"""
Readers: processes that lines are validated and de-identified in, on all cores.

Python runs on one core at a time in a process. A reader gets lines through a pipe,
answers what may be kept of them, and ends when its pipe does: who dies leaves none
behind. Nothing is written anywhere on the way.
"""

import os
import pickle
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

import msgspec

from app.deid.policies import PolicyText, ReportedMeasure, parse_policy
from app.deid.pseudonyms import KeyRing
from app.domain.clinics import Source
from app.domain.deliveries import LineBatch, PackedLines, packed
from app.domain.errors import BusyError
from app.services.reading import Reading, read_lines
from app.services.reception import FrontDoor

PROGRAM = (sys.executable, "-m", "app.services.reading_process")
ROOT = Path(__file__).parents[2]
AHEAD = 2
"""How many batches wait for each reader: enough that none of them waits."""
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


class _Process:
    """One reading process, used by one thread at a time."""

    def __init__(self) -> None:
        paths = (str(ROOT), os.environ.get("PYTHONPATH", ""))
        self._process = subprocess.Popen(  # noqa: S603  (a program of ours)
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    def answer(self, question: Any) -> Any:  # noqa: ANN401  (what both ends agree on)
        """Return the answer to *question*; raise what was raised there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            send(self._process.stdin, question)
            return receive(self._process.stdout)
        except (OSError, EOFError):
            self.end()
            msg = "A reader died; send it again"
            raise ReaderLostError(msg) from None

    def end(self) -> None:
        """Close the pipe, at whose end the process ends."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was to be sent goes nowhere
                    pipe.close()
        self._process.wait()


class Readers:
    """The reading processes of a hub, started when there is enough to read."""

    def __init__(self, *, count: int | None = None) -> None:
        self._count = count or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self._count, "catchment-reader")
        self._idle: SimpleQueue[_Process] = SimpleQueue()

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

        Raises:
            ReaderLostError: a reader died, and another of the same lines.
        """
        setup = Setup.of(front, source, scopes=scopes, max_line_bytes=max_line_bytes)
        coming = iter(batches)
        first = list(islice(coming, 1))
        if first and len(first[0].body) < SMALL_BYTES:
            reading = setup.reading(received_at=front.clock())
            yield packed(read_lines(first.pop(), reading))
        sent = pickle.dumps(setup)
        waiting: deque[Future[PackedLines]] = deque()
        for batch in chain(first, coming):
            question = (sent, front.clock(), batch)
            waiting.append(self._threads.submit(self._answer, question))
            if len(waiting) >= self._count * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _answer(self, question: Any) -> PackedLines:  # noqa: ANN401
        try:
            answer = self._answer_of(self._idle_one(), question)
        except ReaderLostError:  # killed, as for memory: reading has left no trace
            answer = self._answer_of(_Process(), question)
        if isinstance(answer, PackedLines):
            return answer
        msg = f"A reader failed: {answer}"
        raise ReaderLostError(msg)

    def _idle_one(self) -> _Process:
        try:
            return self._idle.get_nowait()
        except Empty:
            return _Process()

    def _answer_of(self, process: _Process, question: Any) -> Any:  # noqa: ANN401
        answer = process.answer(question)
        self._idle.put(process)
        return answer

    def close(self) -> None:
        """End all processes."""
        self._threads.shutdown()
        while not self._idle.empty():
            self._idle.get().end()


def send(pipe: IO[bytes], thing: Any) -> None:  # noqa: ANN401
    """Write a thing to the process at the other end."""
    body = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:  # noqa: ANN401
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

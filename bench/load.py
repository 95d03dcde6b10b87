"""A cheap load generator: requests ready to be written, one process, raw sockets."""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import quantiles

Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """
    What came of a load.

    ``fewest`` is what the slowest connection was answered, ``cpu_seconds`` are the
    generator's own.
    """

    fewest: int
    seconds: float
    latencies: tuple[float, ...]
    cpu_seconds: float

    @property
    def requests(self) -> int:
        """Return how many were answered."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return self.requests / self.seconds

    def percentile(self, percent: int) -> float:
        """Return the time in ms that so many in a hundred answers took at most."""
        return 1000 * quantiles(self.latencies, n=100)[percent - 1]


def request_of(method: str, path: str, content: bytes, **headers: str) -> bytes:
    """Return an HTTP request as it goes over the wire."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"Host": "hub", "Content-Length": str(len(content))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in named.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def run(
    address: Address,
    requests: Sequence[Sequence[bytes]],
    *,
    status: bytes,
    seconds: float,
) -> Load:
    """Send *requests*, each list on a connection of its own, for so many seconds."""
    ours, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(
        target=_generate, args=(theirs, address, requests, status, seconds)
    )
    process.start()
    found = ours.recv()
    process.join()
    if found is None:
        msg = f"An answer was not {status.decode()}"
        raise RuntimeError(msg)
    return Load(**found)


def _generate(
    told: Connection,
    address: Address,
    requests: Sequence[Sequence[bytes]],
    status: bytes,
    seconds: float,
) -> None:
    """Generate the load; tell what came of it."""
    waiting = selectors.DefaultSelector()
    lines = []
    for mine in requests:
        connection = socket.create_connection(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines.append(_Line(connection, mine))
        waiting.register(connection, selectors.EVENT_READ, lines[-1])
    latencies: list[float] = []
    cpu, began = time.process_time(), time.perf_counter()
    for key in list(waiting.get_map().values()):
        key.data.send()
    while waiting.get_map():
        for key, _ in waiting.select():
            answer = key.data.receive()
            if answer is None:
                continue
            code, latency = answer
            if code != status:
                told.send(None)
                return
            latencies.append(latency)
            over = time.perf_counter() - began > seconds
            if over or not key.data.send():
                waiting.unregister(key.fileobj)
    told.send(
        {
            "fewest": min(line.answered for line in lines),
            "seconds": time.perf_counter() - began,
            "latencies": tuple(latencies),
            "cpu_seconds": time.process_time() - cpu,
        }
    )


class _Line:
    """One connection, on which one request follows the answer to the last."""

    def __init__(self, connection: socket.socket, requests: Sequence[bytes]) -> None:
        self._connection = connection
        self._requests = iter(requests)
        self._received = b""
        self._sent = 0.0
        self.answered = 0

    def send(self) -> bool:
        """Send the next request; return whether there was one."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._received = b""
        self._sent = time.perf_counter()
        self._connection.sendall(request)
        return True

    def receive(self) -> tuple[bytes, float] | None:
        """Return the status and the seconds it took, once all of the answer is here."""
        self._received += self._connection.recv(1 << 20)
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return None
        self.answered += 1
        return head.split(b" ", 2)[1], time.perf_counter() - self._sent

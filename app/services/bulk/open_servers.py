"""What a process keeps of servers that it fetches from, from step to step of a job."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import msgspec

from app.domain.deliveries import LineBatch, PackedLines
from app.smart.bulk_files import Limits, OpenFile
from app.smart.bulk_servers import BulkServer
from app.smart.bulk_tokens import TokenHolder
from app.store.connections import Connection

Lines = PackedLines | LineBatch

MOST_OPEN = 16


class FileReading(msgspec.Struct, kw_only=True):
    """A file that is being read, from the line after ``line`` on."""

    file: OpenFile
    lines: Iterator[PackedLines] | Iterator[LineBatch]
    part: int
    line: int


class OpenServers:
    """
    What a process keeps of servers from one step of a job to the next.

    Nothing here is needed: who comes anew, or in another process, makes it again.
    ``limits`` are those of each file.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._servers: dict[int, tuple[Connection, BulkServer]] = {}
        self._open: OrderedDict[int, FileReading] = OrderedDict()
        self._holders: OrderedDict[Hashable, TokenHolder] = OrderedDict()

    def server(
        self, connection: Connection, make: Callable[[Connection], BulkServer]
    ) -> BulkServer:
        """Return the server of a connection, its token kept while it holds."""
        known = msgspec.structs.replace(connection, since=None, next_at=None)
        with self._lock:
            before, server = self._servers.get(connection.source_id, (None, None))
            if server is None or before != known:
                server = make(known)
                self._servers[connection.source_id] = known, server
            return server

    def holder(self, key: Hashable, make: Callable[[], TokenHolder]) -> TokenHolder:
        """Return the holder of a token that is called so; its maker may ask for it."""
        with self._lock:
            known = self._holders.get(key)
        if known is not None:
            return known
        made = make()
        with self._lock:
            self._holders[key] = made
            if len(self._holders) > MOST_OPEN:
                self._holders.popitem(last=False)
        return made

    def close_of(self, job_id: int) -> None:
        """Close the file that a job has open, if it has one."""
        with self._lock:
            reading = self._open.pop(job_id, None)
        if reading is not None:
            reading.file.close()

    def take(self, job_id: int, *, part: int, line: int) -> FileReading | None:
        """Return the file that a job has open, if it is there that it goes on."""
        with self._lock:
            reading = self._open.pop(job_id, None)
        if reading is None or (reading.part, reading.line) == (part, line):
            return reading
        reading.file.close()
        return None

    @contextmanager
    def next_of(self, job_id: int, reading: FileReading) -> Iterator[Lines | None]:
        """
        Yield the next lines of a file, None at its end, to be dealt with in the block.

        After it the file stays open for the job's next step; at its end, and where the
        block fails, it is closed.
        """
        try:
            lines = next(reading.lines, None)
            yield lines
        except BaseException:
            reading.file.close()
            raise
        if lines is None:
            reading.file.close()
            return
        reading.line = lines.last
        self._keep(job_id, reading)

    def _keep(self, job_id: int, reading: FileReading) -> None:
        """Keep a file open; of too many the longest unused one is closed."""
        with self._lock:
            self._open[job_id] = reading
            oldest = (
                self._open.popitem(last=False)[1]
                if len(self._open) > MOST_OPEN
                else None
            )
        if oldest is not None:
            oldest.file.close()

    def close(self) -> None:
        """Close every file."""
        with self._lock:
            readings = list(self._open.values())
            self._open.clear()
        for reading in readings:
            reading.file.close()

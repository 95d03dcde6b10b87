"""
What this process has open of deliveries that it fetches, between the steps of a job.

A file of years is read over many steps, with other clinics' steps in between. It stays
open meanwhile; whoever finds it closed opens it again, and goes on where it was.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.deliveries import PackedLines
from app.smart.bulk_files import OpenFile
from app.smart.bulk_tokens import TokenHolder

IDLE_MS = 10 * 60 * 1000
MOST_OPEN = 64


@dataclass(slots=True, repr=False)
class OpenDelivery:
    """One job's open file and what is read of it, and its tokens by their key."""

    used_at: int
    part: int = 0
    file: OpenFile | None = None
    lines: Iterator[PackedLines] | None = None
    tokens: dict[tuple[str, ...], TokenHolder] = field(default_factory=dict)

    def close(self) -> None:
        """Read no further."""
        if self.file is not None:
            self.file.close()
        self.part, self.file, self.lines = 0, None, None


class OpenDeliveries:
    """The open deliveries of a process; those long unused are closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, OpenDelivery] = {}

    def of(self, job_id: int, *, now: int) -> OpenDelivery:
        """Return what is open of a job."""
        with self._lock:
            found = self._open.pop(job_id, None) or OpenDelivery(used_at=now)
            found.used_at = now
            self._open[job_id] = found  # the one used last is last
            for other in list(self._open)[:-MOST_OPEN]:
                self._open.pop(other).close()
            for other, each in list(self._open.items()):
                if each.used_at < now - IDLE_MS:
                    self._open.pop(other).close()
            return found

    def close(self, job_id: int) -> None:
        """Close what is open of a job, which has ended or is another's."""
        with self._lock:
            found = self._open.pop(job_id, None)
        if found is not None:
            found.close()

    def close_all(self) -> None:
        """Close everything."""
        for job_id in list(self._open):
            self.close(job_id)

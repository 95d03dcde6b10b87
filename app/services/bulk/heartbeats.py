"""Heartbeats: what takes its time says now and then that it is still alive."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

log = logging.getLogger(__name__)


class _Heartbeat(threading.Thread):
    def __init__(self, beat: Callable[[], bool], *, seconds: float, job: int) -> None:
        super().__init__(name=f"job-{job}", daemon=True)
        self._beat = beat
        self._seconds = seconds
        self._job = job
        self._over = threading.Event()

    @override
    def run(self) -> None:
        """Beat until told to stop, or nobody listens any more."""
        while not self._over.wait(self._seconds):
            try:
                if not self._beat():
                    return
            except SQLAlchemyError as error:  # who does the work will meet it too
                facts = {"job": self._job, "error": type(error).__name__}
                log.warning("heartbeat missed", extra=facts)

    def stop(self) -> None:
        """Beat no more."""
        self._over.set()
        self.join()


@contextmanager
def beating(beat: Callable[[], bool], *, seconds: float, job: int) -> Iterator[None]:
    """Call *beat* every some *seconds* while the block runs, until it returns False."""
    heartbeat = _Heartbeat(beat, seconds=seconds, job=job)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()

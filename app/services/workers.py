"""What works behind the doors: counting what is dirty, and jobs."""

import logging
import threading

from typing_extensions import override

from app.services.bulk_submission_steps import submission_step
from app.services.collection_states import COLLECT
from app.services.collections import collect, order_due
from app.services.hub import Hub
from app.services.imports import IMPORT, store_staged
from app.services.jobs import Steps, forget_old_jobs, let_go_of_dead, work
from app.services.recounts import Worker as CountingWorker
from app.services.webhook_steps import fetch_named
from app.store.jobs import SUBMIT
from app.store.webhooks import WEBHOOK

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
AFTER_FAILURE_SECONDS = 1.0
"""So soon a store that failed is asked again."""
HOUR_MS = 3600 * 1000
SECOND_MS = 1000
LOOK_MS = 5_000
"""So often it is looked whether a collection is due."""

STEPS: Steps = {
    IMPORT: store_staged,
    SUBMIT: submission_step,
    COLLECT: collect,
    WEBHOOK: fetch_named,
}
"""What is done for a job, by its kind."""


class JobWorker(threading.Thread):
    """Goes on with the jobs of the hub, one step after the other."""

    def __init__(self, hub: Hub, *, holder: str) -> None:
        super().__init__(name="catchment-jobs", daemon=True)
        self._hub = hub
        self._holder = holder
        self._stopping = threading.Event()
        self._tidied_at = 0
        self._looked_at = 0
        self._ordered_at = 0

    @override
    def run(self) -> None:
        """Work until told to stop; a store that fails is asked again."""
        while not self._stopping.is_set():
            try:
                self._tidy()
                worked = work(self._hub, STEPS, holder=self._holder)
            except Exception as error:
                log.exception("jobs failed", extra={"error": type(error).__name__})
                self._stopping.wait(AFTER_FAILURE_SECONDS)
                continue
            if not worked:
                self._stopping.wait(PAUSE_SECONDS)

    def _tidy(self) -> None:
        """Replace the dead, order what is due; forget what is old."""
        now = self._hub.clock()
        if now >= self._looked_at + SECOND_MS:
            let_go_of_dead(self._hub)
            self._looked_at = now
        if now >= self._ordered_at + LOOK_MS:
            self._ordered_at = now
            order_due(self._hub)
        if self._hub.clock() >= self._tidied_at + HOUR_MS:
            forget_old_jobs(self._hub)
            self._tidied_at = self._hub.clock()

    def stop(self) -> None:
        """Finish the step under way and end."""
        self._stopping.set()
        self.join(timeout=30)


class Workers:
    """The workers of one process."""

    def __init__(self, hub: Hub, *, holder: str) -> None:
        self._threads = (
            CountingWorker(hub, holder=holder),
            JobWorker(hub, holder=holder),
        )

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Work for good."""
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Finish what is under way and end."""
        for thread in self._threads:
            thread.stop()

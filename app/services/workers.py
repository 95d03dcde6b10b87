"""What works behind the doors: counting what is dirty, and jobs."""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from typing_extensions import override

from app.services.bulk.collections import collect, order_due
from app.services.bulk.import_steps import store_staged
from app.services.bulk.jobs import Steps, forget_old_jobs, let_go_of_dead, work
from app.services.bulk.submission_steps import submission_step
from app.services.bulk.webhook_steps import fetch_named
from app.services.checks import warn_of_policy
from app.services.hub import Hub
from app.services.recounts import count_waiting
from app.services.refusals import forget_old
from app.store.jobs import COLLECT, IMPORT, SUBMIT, WEBHOOK

log = logging.getLogger(__name__)

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


class Chore(NamedTuple):
    """What is done now and then, and after how long again."""

    do: Callable[[Hub], object]
    every_ms: int


class Loop(threading.Thread):
    """Takes step after step, with chores between them, until told to stop."""

    def __init__(
        self,
        hub: Hub,
        name: str,
        step: Callable[[], bool],
        *,
        chores: Sequence[Chore],
        pause_seconds: float,
    ) -> None:
        super().__init__(name=f"catchment-{name}", daemon=True)
        self._hub = hub
        self._step = step
        self._due = dict.fromkeys(chores, 0)
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()

    @override
    def run(self) -> None:
        """Work until told to stop; what goes wrong is logged and tried again."""
        while not self._stopping.is_set():
            try:
                self._do_chores()
                pause = 0.0 if self._step() else self._pause_seconds
            except Exception as error:
                log.exception("work failed", extra={"error": type(error).__name__})
                pause = AFTER_FAILURE_SECONDS
            self._stopping.wait(pause)

    def _do_chores(self) -> None:
        for chore, due in self._due.items():
            now = self._hub.clock()
            if now >= due:
                chore.do(self._hub)
                self._due[chore] = now + chore.every_ms

    def stop(self) -> None:
        """Finish the step under way and end."""
        self._stopping.set()
        self.join(timeout=30)


def counting(hub: Hub, *, holder: str) -> Loop:
    """Return what counts who is dirty, a quarter of a second later at most."""
    return Loop(
        hub,
        "counting",
        partial(count_waiting, hub, holder=holder),
        chores=[Chore(forget_old, HOUR_MS), Chore(warn_of_policy, HOUR_MS)],
        pause_seconds=0.25,
    )


def going_on(hub: Hub, *, holder: str) -> Loop:
    """Return what goes on with jobs: replaces the dead, orders what is due."""
    return Loop(
        hub,
        "jobs",
        partial(work, hub, STEPS, holder=holder),
        chores=[
            Chore(let_go_of_dead, SECOND_MS),
            Chore(order_due, LOOK_MS),
            Chore(forget_old_jobs, HOUR_MS),
        ],
        pause_seconds=0.1,
    )


class Workers:
    """The workers of one process."""

    def __init__(self, hub: Hub, *, holder: str) -> None:
        self._threads = (
            counting(hub, holder=holder),
            going_on(hub, holder=holder),
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

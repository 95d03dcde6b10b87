"""The recount: dirty subjects counted again, new definitions counted in full."""

import logging
import threading
from collections.abc import Callable, Iterator

from typing_extensions import override

from app.measures.compilation import compile_measure
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.refreshes import refresh_facts
from app.services.refusals import forget_old
from app.store import recounts
from app.store.concepts import all_concepts
from app.store.leases import take_lease
from app.store.recounts import MeasureRow
from app.store.sessions import WriteSession, read_session, write_session

log = logging.getLogger(__name__)

SUBJECTS_AT_ONCE = 500
LEASE_SECONDS = 2
"""A worker that died is replaced so soon; one at work holds the lease's row as well."""
PAUSE_SECONDS = 0.25
HOUR_MS = 3600 * 1000


def register_measures(hub: Hub) -> None:
    """Make the loaded definitions known to the store; new ones wait to be counted."""
    with write_session(hub.engine) as session:
        known = measure_rows(session, hub)
        for measure in hub.measures:
            if measure.id not in known:
                recounts.add_measure(
                    session,
                    code=measure.id,
                    version=measure.version,
                    digest=measure.digest,
                )


def recount_dirty(hub: Hub, *, holder: str) -> int:
    """
    Count the subjects that have waited longest again; return how many.

    One transaction: their events of before are taken from the cells, those of now are
    added. Zero where nothing waits, or another worker holds the lease.
    """
    with read_session(hub.engine) as session:
        if not recounts.take_dirty(session, limit=1):
            return 0
    with write_session(hub.engine) as session:
        if not _may_work(session, hub, holder):
            return 0
        taken = recounts.take_dirty(session, limit=SUBJECTS_AT_ONCE)
        recounts.scope_to(session, [subject_id for subject_id, _ in taken])
        for row, sweep in _sweeps(session, hub, of=lambda row: row.counted):
            recounts.recount(session, row.id, sweep=sweep)
        recounts.forget_dirty(session, taken)
        recounts.forget_erased(session, [subject_id for subject_id, _ in taken])
    log.info("subjects counted", extra={"count": len(taken)})
    return len(taken)


def count_new_measures(hub: Hub, *, holder: str) -> int:
    """
    Count each loaded definition that is new from nothing; return how many.

    The facts are made again first: a new definition may compare them in other units.
    """
    with read_session(hub.engine) as session:
        rows = measure_rows(session, hub).values()
    new = [row.id for row in rows if not row.counted]
    if not new:
        return 0
    with write_session(hub.engine) as session:
        if not _may_work(session, hub, holder):
            return 0
    refresh_facts(hub)
    for measure_id in new:
        with write_session(hub.engine) as session:
            recount_in_full(session, hub, measure_id)
    return len(new)


def refresh(hub: Hub) -> int:
    """Make all facts again and count all measures from nothing; return the records."""
    register_measures(hub)
    done = refresh_facts(hub)
    with read_session(hub.engine) as session:
        rows = measure_rows(session, hub).values()
    for row in rows:
        with write_session(hub.engine) as session:
            recount_in_full(session, hub, row.id)
    return done


def is_all_counted(hub: Hub) -> bool:
    """Return whether every loaded measure holds all that was stored."""
    with read_session(hub.engine) as session:
        rows = measure_rows(session, hub)
        if recounts.waiting_since(session, clinic_id=None) is not None:
            return False
    return all(m.id in rows and rows[m.id].counted for m in hub.measures)


def recount_in_full(session: WriteSession, hub: Hub, measure_id: int) -> None:
    """Count every subject of one measure from nothing."""
    for row, sweep in _sweeps(session, hub, of=lambda row: row.id == measure_id):
        recounts.forget_measure(session, row.id)
        recounts.scope_to(session, None)
        recounts.recount(session, row.id, sweep=sweep)
    recounts.mark_counted(session, measure_id)


def _may_work(session: WriteSession, hub: Hub, holder: str) -> bool:
    return take_lease(
        session, "recount", holder=holder, now=hub.clock(), seconds=LEASE_SECONDS
    )


def _sweeps(
    session: WriteSession, hub: Hub, *, of: Callable[[MeasureRow], bool]
) -> Iterator[tuple[MeasureRow, str]]:
    """
    Yield the rows *of* some loaded measures, with the SQL for the codes known by now.

    What clinics count themselves has none: it is added up when it is asked for.
    """
    concepts = all_concepts(session)
    rows = measure_rows(session, hub)
    for measure in hub.measures:
        if measure.summary is None and of(rows[measure.id]):
            yield rows[measure.id], compile_measure(measure, concepts)


class Worker(threading.Thread):
    """Counts what is dirty, at most a quarter of a second after it became so."""

    def __init__(self, hub: Hub, *, holder: str) -> None:
        super().__init__(name="catchment-worker", daemon=True)
        self._hub = hub
        self._holder = holder
        self._stopping = threading.Event()
        self._tidied_at = 0

    @override
    def run(self) -> None:
        """Work until told to stop; what goes wrong is logged and tried again."""
        while not self._stopping.is_set():
            try:
                self._tidy()
                worked = count_new_measures(self._hub, holder=self._holder)
                worked += recount_dirty(self._hub, holder=self._holder)
            except Exception as error:
                log.exception("recount failed", extra={"error": type(error).__name__})
                worked = 0
            if not worked:
                self._stopping.wait(PAUSE_SECONDS)

    def _tidy(self) -> None:
        """Forget each hour what is kept for a while only."""
        if self._hub.clock() >= self._tidied_at + HOUR_MS:
            forget_old(self._hub)
            self._tidied_at = self._hub.clock()

    def stop(self) -> None:
        """Finish the transaction under way and end."""
        self._stopping.set()
        self.join(timeout=30)

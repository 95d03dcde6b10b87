"""The recount: dirty subjects counted again, new definitions counted in full."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
from sqlalchemy.exc import DBAPIError

from app.domain.terminology import Coding
from app.measures.compilation import compile_measure
from app.services.counts import measure_rows
from app.services.definitions import (
    Served,
    counted_now,
    definition_of,
)
from app.services.hub import Hub
from app.services.refreshes import refresh_facts
from app.store import backfills, recounts
from app.store.backfills import FORGONE
from app.store.concepts import all_concepts
from app.store.faults import is_of_statement
from app.store.jobs import busy_clinics
from app.store.leases import take_lease
from app.store.recounts import MeasureRow
from app.store.sessions import (
    ReadSession,
    WriteSession,
    one_try,
    read_session,
    write_session,
)

log = logging.getLogger(__name__)

SUBJECTS_AT_ONCE = 500
SUBJECTS_A_STEP = 2_000
LEASE_SECONDS = 2
"""A worker that died is replaced so soon; one at work holds the lease's row as well."""
LANES = {"sqlite": 1, "postgresql": 4}
"""Measures counted from nothing at a time: SQLite has one writer."""
BUSY_MS = 5_000
PATIENCE_MS = 5 * 60_000
"""
So long the people of a clinic wait to be counted while more comes of it in bulk: what
is about one of them is all over a delivery, and to count them each time costs as much
as to store it.
"""
LATE_MS = 60_000
"""Who could have been counted for so long waits for a worker that is not there."""


def register_measures(hub: Hub) -> None:
    """
    Make the loaded definitions known to the store; new ones wait to be counted.

    Those that are loaded no more are given up: the hub that started last decides.
    """
    with write_session(hub.engine) as session:
        for measure in hub.measures:
            recounts.add_measure(
                session,
                code=measure.id,
                version=measure.version,
                digest=measure.digest,
                definition=msgspec.json.encode(measure).decode(),
            )
        backfills.want(session, [row.id for row in measure_rows(session, hub).values()])


def recount_dirty(hub: Hub, *, holder: str) -> int:
    """
    Count the subjects that have waited longest again; return how many.

    One transaction: their events of before are taken from the cells, those of now are
    added. Zero where nothing waits, or another worker holds the lease.
    """
    with read_session(hub.engine) as session:
        if not _dirty(session, hub, limit=1):
            return 0
    with write_session(hub.engine) as session:
        if not _may_work(session, hub, holder):
            return 0
        taken = _dirty(session, hub, limit=SUBJECTS_AT_ONCE)
        _recount(session, hub, [subject_id for subject_id, _ in taken])
        recounts.forget_dirty(session, taken)
        recounts.forget_erased(session, [subject_id for subject_id, _ in taken])
    log.info("subjects counted", extra={"count": len(taken)})
    return len(taken)


def _dirty(session: ReadSession, hub: Hub, *, limit: int) -> list[tuple[int, int]]:
    """
    Return who is to be counted next, with their stamps.

    While a delivery is being stored its clinic's people wait a while: of most of them
    more is to come, and each is counted once behind it.
    """
    now = hub.clock()
    busy = busy_clinics(session, since=now - BUSY_MS)
    return recounts.take_dirty(session, busy=busy, until=now - PATIENCE_MS, limit=limit)


def overdue_since(session: ReadSession, hub: Hub) -> int | None:
    """Return since when (epoch ms) somebody waits too long to be counted, if so."""
    now = hub.clock() - LATE_MS
    until = now - PATIENCE_MS
    patient = busy_clinics(session, since=until, with_ended=True)
    since = recounts.overdue_since(session, busy=patient, until=until)
    return since if since is not None and since < now else None


def _recount(session: WriteSession, hub: Hub, subject_ids: list[int]) -> None:
    """Count some subjects for each definition that has reached them."""
    concepts = all_concepts(session)
    reached: dict[int, list[Served]] = {}
    for each in counted_now(session, hub):
        reached.setdefault(each.row.counted_through, []).append(each)
    for through, definitions in reached.items():
        recounts.scope_to(session, [i for i in subject_ids if i <= through])
        for each in definitions:
            _count(session, each, concepts)


def count_new_measures(hub: Hub, *, holder: str) -> int:
    """Count what is new to its end, step by step; return how many steps it took."""
    steps = 0
    while backfill(hub, holder=holder):
        steps += 1
    return steps


def backfill(hub: Hub, *, holder: str) -> bool:
    """
    Do the next step for definitions that are new, or no more; return if there was one.

    A step is a transaction: some thousand subjects are counted for all that are as far,
    or the events of some are dropped. Who was killed goes on where the last one ended.
    The facts are made again first: a new definition may compare them in other units.
    """
    with read_session(hub.engine) as session:
        rows = recounts.known_measures(session)
        new, old = _new(session, hub, rows), _given_up(rows)
    if not new and not old:
        return False
    if new and not new[0].row.counted_through:
        with write_session(hub.engine) as session:
            if not _may_work(session, hub, holder):
                return False
        refresh_facts(hub)
    with write_session(hub.engine) as session:
        if not _may_work(session, hub, holder):
            return False
        # Another worker may have done that step since.
        rows = recounts.known_measures(session)
        new, old = _new(session, hub, rows), _given_up(rows)
        if new:
            _count_more(session, new)
        for row in old[:1]:
            backfills.give_up(session, row, limit=SUBJECTS_A_STEP)
    return True


def _new(session: ReadSession, hub: Hub, rows: Iterable[MeasureRow]) -> list[Served]:
    """Return the definitions to be counted, of those only that are the least far."""
    awaited = [
        row
        for row in rows
        if row.wanted and not row.counted and row.counted_through != FORGONE
    ]
    least = min((row.counted_through for row in awaited), default=0)
    stated = {
        row: definition_of(session, hub, row)
        for row in awaited
        if row.counted_through == least
    }
    return [Served(measure=m, row=row) for row, m in stated.items() if m is not None]


def _count_more(session: WriteSession, new: list[Served]) -> None:
    """Count the next subjects, or serve what has them all."""
    after = new[0].row.counted_through
    subjects = backfills.next_subjects(session, after=after, limit=SUBJECTS_A_STEP)
    if not subjects:
        for each in new:
            recounts.mark_counted(session, each.row.id)
        log.info("measures counted", extra={"count": len(new)})
        return
    concepts = all_concepts(session)
    recounts.scope_to(session, subjects)
    for each in new:
        if _is_counted(session, each, concepts):
            backfills.note_progress(session, each.row.id, through=subjects[-1])
        else:
            recounts.forget_measure(session, each.row.id)
            backfills.note_progress(session, each.row.id, through=FORGONE)


def _given_up(rows: Sequence[MeasureRow]) -> list[MeasureRow]:
    """Return the rows that hold events and are neither wanted nor served meanwhile."""
    awaited = {row.code for row in rows if row.wanted and not row.counted}
    return [
        row
        for row in rows
        if not row.wanted
        and row.counted_through
        and not (row.counted and row.code in awaited)
    ]


def refresh(hub: Hub) -> int:
    """Make all facts again and count all measures from nothing; return the records."""
    register_measures(hub)
    done = refresh_facts(hub)
    count_from_nothing(hub)
    return done


def count_from_nothing(hub: Hub) -> None:
    """Count every subject for all measures, as many at a time as the store can."""
    with read_session(hub.engine) as session:
        rows = list(measure_rows(session, hub).values())
    with ThreadPoolExecutor(LANES[hub.engine.dialect.name]) as lanes:
        list(lanes.map(lambda row: _count_one_from_nothing(hub, row.id), rows))


def _count_one_from_nothing(hub: Hub, measure_id: int) -> None:
    with write_session(hub.engine) as session:
        recount_in_full(session, hub, measure_id)


def is_all_counted(hub: Hub) -> bool:
    """Return whether every loaded measure holds all that was stored."""
    with read_session(hub.engine) as session:
        rows = measure_rows(session, hub)
        if recounts.waiting_since(session, clinic_id=None) is not None:
            return False
    return all(m.id in rows and rows[m.id].counted for m in hub.measures)


def recount_in_full(session: WriteSession, hub: Hub, measure_id: int) -> None:
    """Count every subject of one measure from nothing."""
    (row,) = (row for row in recounts.known_measures(session) if row.id == measure_id)
    measure = definition_of(session, hub, row)
    if measure is None:
        return
    recounts.scope_to(session, None)
    served = Served(measure=measure, row=row)
    # Where nothing is held of it, to find that out takes long.
    drop = bool(row.counted_through)
    _count(session, served, all_concepts(session), anew=True, drop=drop)
    recounts.mark_counted(session, row.id)


def _may_work(session: WriteSession, hub: Hub, holder: str) -> bool:
    return take_lease(
        session, "recount", holder=holder, now=hub.clock(), seconds=LEASE_SECONDS
    )


def _count(
    session: WriteSession,
    served: Served,
    concepts: Mapping[Coding, int],
    *,
    anew: bool = False,
    drop: bool = False,
) -> None:
    """
    Count the subjects in scope for one definition; *anew* if it holds none of them.

    Or if it is to *drop* all that it holds, so that what is in scope is everybody.

    What clinics count themselves is about nobody: it is added up when it is asked for.
    """
    if served.measure.summary is None:
        sweep = compile_measure(served.measure, concepts)
        recounts.recount(
            session,
            served.row.id,
            sweep=sweep,
            published=served.row.published,
            anew=anew,
            drop=drop,
        )


def _is_counted(
    session: WriteSession, served: Served, concepts: Mapping[Coding, int]
) -> bool:
    """
    Count the subjects in scope for a new definition; return whether that was possible.

    One for which it is not is named in the log and holds up no other: what it wrote is
    undone. A store that fails is no fault of the definition.
    """
    try:
        with one_try(session):
            _count(session, served, concepts, anew=True)
    except Exception as error:
        if isinstance(error, DBAPIError) and not is_of_statement(error):
            raise
        facts = {"measure": served.measure.id, "error": type(error).__name__}
        log.exception("measure not counted", extra=facts)
        return False
    return True


def count_waiting(hub: Hub, *, holder: str) -> bool:
    """Count some of who waits, and go on with what is new; return if there was any."""
    counted = recount_dirty(hub, holder=holder)
    return bool(backfill(hub, holder=holder) or counted)

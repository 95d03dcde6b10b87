"""How far each definition is counted, and what is left of those that are no more."""

from collections.abc import Collection

from sqlalchemy import text

from app.store.late_events import forget_late_events
from app.store.recounts import MeasureRow, forget_measure, known_measures
from app.store.sessions import ReadSession, WriteSession, connection_of

_NEXT = text(
    "SELECT id FROM subject WHERE id > :after AND joined_to IS NULL "
    "ORDER BY id LIMIT :n"
)
_LAST = text(
    "SELECT MIN(id) FROM (SELECT id FROM subject WHERE id <= :through "
    "ORDER BY id DESC LIMIT :n) s"
)


FORGONE = -1
"""How far a definition is counted that cannot be; the next start of a hub tries."""


def next_subjects(session: ReadSession, *, after: int, limit: int) -> list[int]:
    """Return the subjects who count, in the order of their ids, *after* one."""
    rows = connection_of(session).execute(_NEXT, {"after": after, "n": limit})
    return list(rows.scalars())


def note_progress(session: WriteSession, measure_id: int, *, through: int) -> None:
    """Note that a measure holds the events of all subjects up to *through*."""
    connection_of(session).execute(
        text("UPDATE measure SET counted_through = :through WHERE id = :id"),
        {"through": through, "id": measure_id},
    )


def want(session: WriteSession, measure_ids: Collection[int]) -> None:
    """
    Note which definitions are to be counted; all others are to be given up.

    One that was being given up begins anew: its cells went first, so what is left of
    its events is no place to go on from.
    """
    listed = ", ".join(str(int(measure_id)) for measure_id in measure_ids) or "0"
    for row in known_measures(session):
        if row.id in measure_ids and not row.wanted and not row.counted:
            forget_measure(session, row.id)
            note_progress(session, row.id, through=0)
    connection_of(session).execute(
        text(
            f"UPDATE measure SET wanted = (id IN ({listed})), counted_through = "
            f"CASE WHEN counted_through = {FORGONE} THEN 0 ELSE counted_through END"
        )
    )


def give_up(session: WriteSession, row: MeasureRow, *, limit: int) -> None:
    """Drop the cells of a measure, and the events of at most *limit* subjects."""
    connection = connection_of(session)
    through = {"id": row.id, "through": row.counted_through}
    lowest = connection.execute(
        _LAST, {"through": row.counted_through, "n": limit}
    ).scalar_one()
    connection.execute(text("DELETE FROM cell WHERE measure_id = :id"), through)
    if lowest is not None:
        connection.execute(
            text(
                "DELETE FROM subject_event WHERE subject_id >= :lowest "
                "AND subject_id <= :through AND measure_id = :id"
            ),
            through | {"lowest": lowest},
        )
    connection.execute(
        text(
            "UPDATE measure SET counted = :no, counted_through = :left, "
            "tracked_from = published_before WHERE id = :id"
        ),
        {"no": False, "id": row.id, "left": 0 if lowest is None else lowest - 1},
    )
    forget_late_events(session, row.id)


def definition_text(session: ReadSession, measure_id: int) -> str | None:
    """Return a definition as it was stored, as JSON."""
    query = text("SELECT definition FROM measure WHERE id = :id")
    found: str | None = (
        connection_of(session).execute(query, {"id": measure_id}).scalar_one()
    )
    return found

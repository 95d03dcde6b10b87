"""What was read of a delivery and is yet to be stored, in its order."""

import msgspec
from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of


class StagedLines(msgspec.Struct, frozen=True):
    """Packed lines, and their place in the part of the delivery."""

    part: int
    number: int
    payload: bytes


_STAGE = text(
    "INSERT INTO staged (job_id, part, number, payload) "
    "VALUES (:job_id, :part, :number, :payload)"
)
_NEXT = text(
    "SELECT part, number, payload FROM staged WHERE job_id = :job_id "
    "ORDER BY part, number LIMIT 1"
)
_REMOVE = text(
    "DELETE FROM staged WHERE job_id = :job_id AND part = :part AND number = :number"
)
_DROP = "DELETE FROM staged WHERE job_id = :job_id"


def stage(
    session: WriteSession, job_id: int, *, part: int, number: int, payload: bytes
) -> None:
    """Keep packed lines until their turn."""
    values = {"job_id": job_id, "part": part, "number": number, "payload": payload}
    connection_of(session).execute(_STAGE, values)


def next_staged(session: ReadSession, job_id: int) -> StagedLines | None:
    """Return the lines whose turn it is."""
    row = connection_of(session).execute(_NEXT, {"job_id": job_id}).first()
    return None if row is None else StagedLines(*row)


def remove_staged(session: WriteSession, job_id: int, staged: StagedLines) -> None:
    """Remove lines that are being stored in this transaction."""
    values = {"job_id": job_id, "part": staged.part, "number": staged.number}
    connection_of(session).execute(_REMOVE, values)


def drop_staged(session: WriteSession, job_id: int, *, part: int | None = None) -> None:
    """Drop all that is staged for a job, or for a part of it."""
    query, values = _DROP, {"job_id": job_id}
    if part is not None:
        query += " AND part = :part"
        values["part"] = part
    connection_of(session).execute(text(query), values)

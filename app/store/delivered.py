"""Which records a part of a job held, so that what it held can be taken back."""

from collections.abc import Iterable

from sqlalchemy import text

from app.store import job_tables
from app.store.bulk import insert_rows
from app.store.sessions import ReadSession, WriteSession, connection_of

# A record that has another version since has come by another way, or was withdrawn.
_ONLY_BY = text(
    "SELECT d.record_id FROM delivered d JOIN record r ON r.id = d.record_id "
    "WHERE d.job_id = :job_id AND d.part = :part AND r.version = d.version "
    "AND r.state = 1 AND NOT EXISTS (SELECT 1 FROM delivered o "
    "WHERE o.record_id = d.record_id "
    "AND (o.job_id <> d.job_id OR o.part <> d.part) AND o.version = d.version) "
    "ORDER BY d.record_id LIMIT :limit"
)
_FORGET = "DELETE FROM delivered WHERE job_id = :job_id AND part = :part"


def note_delivered(
    session: WriteSession, job_id: int, records: Iterable[tuple[int, int]], *, part: int
) -> None:
    """Note that a part held *records*: the number and the version of each."""
    rows = sorted((record, job_id, part, version) for record, version in records)
    columns = ("record_id", "job_id", "part", "version")
    table = job_tables.Delivered.__table__  # type: ignore[attr-defined]
    insert_rows(session, table, columns, rows, replace=("version",))


def delivered_only_by(
    session: ReadSession, job_id: int, *, part: int, limit: int
) -> list[int]:
    """Return records that count by what a part held and nothing else said since."""
    values = {"job_id": job_id, "part": part, "limit": limit}
    rows = connection_of(session).execute(_ONLY_BY, values)
    return [record_id for (record_id,) in rows]


def forget_delivered(session: WriteSession, job_id: int, *, part: int) -> None:
    """Forget what a part held."""
    values = {"job_id": job_id, "part": part}
    connection_of(session).execute(text(_FORGET), values)

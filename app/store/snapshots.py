"""What a source's snapshot lacks of what is stored of that source."""

import msgspec
from sqlalchemy import text

from app.store.sessions import ReadSession, connection_of


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """
    The current records of a source that a job's files did not hold.

    Only of *types* (numbers of ``RecordType``), and only what was here before the
    snapshot: received before one moment, and not newer, as its sender orders it, than
    another (both epoch milliseconds).
    """

    job_id: int
    source_id: int
    types: tuple[int, ...]
    received_before: int
    sent_before: int


_HELD = (
    "EXISTS (SELECT 1 FROM delivered d WHERE d.job_id = :job_id AND d.record_id = r.id)"
)
_THERE = (
    "FROM record r WHERE r.source_id = :source_id AND r.state = 1 AND r.type IN {types}"
)
_OLD = (
    "r.received_at < :received_before "
    "AND (r.sent_order IS NULL OR r.sent_order <= :sent_before)"
)


def share(session: ReadSession, missing: Missing) -> tuple[int, int]:
    """Return how many records a snapshot lacks, and of how many."""
    query = f"SELECT COUNT(CASE WHEN {_OLD} AND NOT {_HELD} THEN 1 END), COUNT(*) "
    row = connection_of(session).execute(
        text(_of_types(query + _THERE, missing)), _values(missing)
    )
    lacking, there = row.one()
    return lacking, there


def lacking(
    session: ReadSession, missing: Missing, *, after: int, limit: int
) -> list[int]:
    """Return the next records that a snapshot lacks, in the order of their numbers."""
    query = (
        f"SELECT r.id {_THERE} AND r.id > :after AND {_OLD} AND NOT {_HELD} "
        "ORDER BY r.id LIMIT :limit"
    )
    values = _values(missing) | {"after": after, "limit": limit}
    rows = connection_of(session).execute(text(_of_types(query, missing)), values)
    return [record_id for (record_id,) in rows]


def _of_types(query: str, missing: Missing) -> str:
    return query.replace("{types}", f"({', '.join(map(str, missing.types))})")


def _values(missing: Missing) -> dict[str, int]:
    return {
        "job_id": missing.job_id,
        "source_id": missing.source_id,
        "received_before": missing.received_before,
        "sent_before": missing.sent_before,
    }

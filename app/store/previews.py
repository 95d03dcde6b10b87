"""Observations as a definition that is not loaded would have them read."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from app.store import tables
from app.store.bulk import fetch_among, insert_rows
from app.store.records import StoredRecord, find_by_id
from app.store.sessions import ReadSession, WriteSession, connection_of

RECORDS_AT_ONCE = 1_000
_OBSERVED = (
    "SELECT DISTINCT record_id, subject_id FROM observation WHERE concept_id {among}"
)


def observed_records(
    session: ReadSession, concept_ids: Collection[int]
) -> Iterator[list[tuple[StoredRecord, int]]]:
    """Yield, some at a time, records of some codes, each with whom it counts for."""
    subjects: dict[int, int] = dict(fetch_among(session, _OBSERVED, concept_ids))
    ids = sorted(subjects)
    for start in range(0, len(ids), RECORDS_AT_ONCE):
        some = find_by_id(session, ids[start : start + RECORDS_AT_ONCE])
        yield [(record, subjects[record.id]) for record in some.values()]


def shadow_observations(
    session: ReadSession, *, kept: Collection[int], rows: Sequence[tuple[Any, ...]]
) -> None:
    """
    Let what follows in this transaction see other observations than are stored.

    A temporary table goes before another of the same name, on either database.

    Args:
        session: Whose transaction is to be rolled back.
        kept: The concepts whose stored observations stay.
        rows: What is seen besides, in the order of the table's columns.
    """
    connection = connection_of(session)
    among = ", ".join(map(str, sorted(kept))) or "-1"
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE seen AS"
        f" SELECT * FROM observation WHERE concept_id IN ({among})"
    )
    connection.exec_driver_sql("ALTER TABLE seen RENAME TO observation")
    table = tables.Observation.__table__  # type: ignore[attr-defined]
    columns = [column.name for column in table.columns]
    # A WriteSession may change what others see, which a temporary table is not.
    insert_rows(WriteSession(session), table, columns, rows)
    connection.exec_driver_sql("CREATE INDEX seen_by ON observation (subject_id)")

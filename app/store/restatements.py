"""What releases hold of each measure up to when, and which blocks were restated."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import text

from app.domain.clinics import Audience
from app.store.sessions import ReadSession, WriteSession, connection_of


class RestatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A block of a measure that a release gave new numbers; months are numbers."""

    release_id: int
    measure_id: int
    month: int
    months: int
    published_before: int
    edition: int


_COLUMNS = (
    "r.release_id, r.measure_id, r.month, r.months, r.published_before, r.edition"
)


def note_published(
    session: WriteSession, measure_ids: Collection[int], *, before: int
) -> None:
    """Note that releases hold the intervals of measures that end *before* a month."""
    statement = text(
        "UPDATE measure SET published_before = :before "
        "WHERE id = :id AND published_before < :before"
    )
    for measure_id in sorted(measure_ids):
        values = {"id": measure_id, "before": before}
        connection_of(session).execute(statement, values)


def add_restatements(
    session: WriteSession,
    release_ids: Collection[int],
    blocks: Mapping[int, Sequence[tuple[int, int]]],
) -> None:
    """
    Note which blocks releases restate, and begin a new edition of their measures.

    What those releases are the first to hold is not restated: note it afterwards.

    Args:
        session: The release's own transaction.
        release_ids: The release of each audience.
        blocks: (month, length in months) of each, by the measure's row.
    """
    connection = connection_of(session)
    for measure_id, restated in sorted(blocks.items()):
        values = {"id": measure_id}
        connection.execute(
            text("UPDATE measure SET edition = edition + 1 WHERE id = :id"), values
        )
        connection.execute(
            text(
                "INSERT INTO restatement (release_id, measure_id, month, months, "
                "published_before, edition) SELECT :release_id, id, :month, :months, "
                "published_before, edition FROM measure WHERE id = :id"
            ),
            [
                values | {"release_id": release_id, "month": month, "months": months}
                for release_id in sorted(release_ids)
                for month, months in restated
            ],
        )


def restatements_of(session: ReadSession, audience: Audience) -> list[RestatementRow]:
    """Return what the releases for an audience restated, the oldest first."""
    query = text(
        f"SELECT {_COLUMNS} FROM restatement r JOIN release ON release.id = "
        "r.release_id WHERE release.audience = :audience "
        "ORDER BY r.release_id, r.measure_id, r.month"
    )
    rows = connection_of(session).execute(query, {"audience": audience.value})
    return [msgspec.convert(dict(row), RestatementRow) for row in rows.mappings()]

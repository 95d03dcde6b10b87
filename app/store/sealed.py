"""Whatever is sealed under the master key, in whichever table it lies."""

from typing import NamedTuple

from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of


class Place(NamedTuple):
    """A table, its primary key, the column that is sealed, and in which rows it is."""

    table: str
    key: tuple[str, ...]
    column: str = "sealed"
    rows: str = "true"


PLACES = (
    Place("job", ("id",)),
    Place("connection", ("id",)),
    Place("webhook", ("id",)),
    Place("submission", ("job_id",)),
    Place("submission_part", ("job_id", "part")),
    Place(
        "staged",
        ("job_id", "part", "number"),
        "payload",
        "job_id IN (SELECT id FROM job WHERE kind IN ('collect', 'webhook'))",
    ),
)


class SealedValue(NamedTuple):
    """Something sealed, and where it lies."""

    place: Place
    key: tuple[int, ...]
    sealed: bytes


def sealed_with(session: ReadSession, head: bytes) -> list[SealedValue]:
    """Return all that is sealed and begins with *head*: a key's version."""
    return [
        SealedValue(place, tuple(key), bytes(sealed))
        for place in PLACES
        for *key, sealed in connection_of(session).execute(
            text(
                f"SELECT {', '.join(place.key)}, {place.column} FROM {place.table} "
                f"WHERE substr({place.column}, 1, {len(head)}) = :head AND {place.rows}"
            ),
            {"head": head},
        )
    ]


def replace_sealed(session: WriteSession, value: SealedValue, sealed: bytes) -> None:
    """Let *sealed* stand in place of a value, unless that was changed meanwhile."""
    place = value.place
    keyed = " AND ".join(f"{name} = :{name}" for name in place.key)
    statement = text(
        f"UPDATE {place.table} SET {place.column} = :new "
        f"WHERE {keyed} AND {place.column} = :old"
    )
    values = dict(zip(place.key, value.key, strict=True))
    connection_of(session).execute(
        statement, {**values, "new": sealed, "old": value.sealed}
    )

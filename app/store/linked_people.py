"""
Facts of people who are at several clinics, as if each were one patient of one clinic.

Temporary tables go before others of the same name, on either database. So the text that
counts a measure counts merged histories unchanged; and all of them go with a savepoint.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from app.store import tables
from app.store.bulk import fetch_among
from app.store.event_sql import KEY, SUMS
from app.store.recounts import EventRow, event_row, scope_to
from app.store.sessions import ReadSession, connection_of

Places = Mapping[int, frozenset[int]]
"""The clinics that some people share, by a number from 1."""

_MEMBERS = (
    "SELECT l.cluster_id, s.id, s.clinic_id FROM subject s "
    "JOIN linkage_cluster l ON l.subject_id = s.id "
    "WHERE s.joined_to IS NULL AND s.clinic_id {among}"
)
_LINKED = (
    "CREATE TEMPORARY TABLE linked (subject_id BIGINT PRIMARY KEY, clinic_id INTEGER, "
    "person BIGINT, place INTEGER)"
)
_APART = f"""
SELECT l.place, l.clinic_id, {KEY}, {SUMS}
FROM linked l JOIN subject_event e ON e.subject_id = l.subject_id
WHERE e.measure_id = :measure_id
GROUP BY l.place, l.clinic_id, {KEY}"""
_TOGETHER = f"""
SELECT p.place, {KEY}, {SUMS}
FROM (
{{sweep}}
) e JOIN (SELECT DISTINCT person, place FROM linked) p ON p.person = e.subject_id
GROUP BY p.place, {KEY}"""
_LEAST = ("birth_month", "sex", "death_month")
"""Of these the least that is known counts, where clinics do not agree."""


@contextmanager
def linked_people(
    session: ReadSession, clinic_ids: Collection[int]
) -> Iterator[Places]:
    """
    Let the block count who is at several of *clinic_ids*; yield those places.

    Other clinics' part in a person does not count. Nothing of it is left after.
    """
    connection = connection_of(session)
    savepoint = connection.begin_nested()
    try:
        yield _gather(session, connection, clinic_ids)
    finally:
        savepoint.rollback()


def events_apart(session: ReadSession, measure_id: int) -> list[tuple[int, EventRow]]:
    """Return what linked people add to cells, by place and by clinic."""
    rows = connection_of(session).execute(text(_APART), {"measure_id": measure_id})
    return [(place, event_row(row)) for place, *row in rows]


def merge(session: ReadSession) -> None:
    """Let what follows in the block see linked people alone, each as one subject."""
    connection = connection_of(session)
    least = ", ".join(f"MIN(f.{name}) AS {name}" for name in _LEAST)
    _shadow(
        connection,
        "subject",
        f"SELECT l.person AS id, MIN(l.clinic_id) AS clinic_id, {least}, "
        "CAST(NULL AS BIGINT) AS joined_to "
        "FROM linked l JOIN subject f ON f.id = l.subject_id GROUP BY l.person",
    )
    for table in ("observation", "condition", "visit"):
        names = [c.name for c in tables.metadata.tables[table].columns][1:]
        _shadow(
            connection,
            table,
            f"SELECT l.person AS subject_id, {', '.join(f'f.{n}' for n in names)} "
            f"FROM linked l JOIN {table} f ON f.subject_id = l.subject_id",
        )
    scope_to(session, None)


def events_together(session: ReadSession, *, sweep: str) -> list[EventRow]:
    """Return what merged people add to cells, each row's clinic being their place."""
    # text(), because a driver would take the sweep's % for the mark of a parameter.
    rows = connection_of(session).execute(text(_TOGETHER.format(sweep=sweep)))
    return [event_row(row) for row in rows]


def _gather(
    session: ReadSession, connection: Connection, clinic_ids: Collection[int]
) -> Places:
    """Make the table of linked people; return the clinics of each place."""
    clusters: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for cluster_id, *member in fetch_among(session, _MEMBERS, clinic_ids):
        clusters[cluster_id].append((member[0], member[1]))
    shared = [sorted(members) for members in clusters.values() if len(members) > 1]
    shared_clinics = {frozenset(clinic for _, clinic in each) for each in shared}
    places = dict(enumerate(sorted(shared_clinics, key=sorted), 1))
    numbers = {clinics: number for number, clinics in places.items()}
    rows = [
        (subject, clinic, members[0][0], numbers[frozenset(c for _, c in members)])
        for members in shared
        for subject, clinic in members
    ]
    connection.exec_driver_sql(_LINKED)
    _insert(connection, rows)
    return places


def _insert(connection: Connection, rows: Sequence[tuple[int, ...]]) -> None:
    if rows:
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        marks = ", ".join([mark] * len(rows[0]))
        connection.exec_driver_sql(f"INSERT INTO linked VALUES ({marks})", sorted(rows))
    connection.exec_driver_sql("ANALYZE linked")


def _shadow(connection: Connection, table: str, query: str) -> None:
    """Let *table* be what *query* finds, as long as the savepoint lasts."""
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE merged AS {query}")
    connection.exec_driver_sql(f"ALTER TABLE merged RENAME TO {table}")
    column = "id" if table == "subject" else "subject_id"
    connection.exec_driver_sql(f"CREATE INDEX merged_{table} ON {table} ({column})")
    connection.exec_driver_sql(f"ANALYZE {table}")

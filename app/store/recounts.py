"""Counting where the data are: dirty subjects, their events, the cells they add to."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, text

from app.domain.counts import COUNTS as COUNT_NAMES
from app.store import late_events
from app.store.bulk import execute_among, fetch_among
from app.store.event_sql import ANY_LEFT, COUNTS, KEY, MINUS, SUMS, added_to
from app.store.sessions import ReadSession, WriteSession, connection_of

EVERYBODY = 2**62
"""Above the id of every subject, and of those to come."""


class MeasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """
    A definition that the store counts, or did.

    ``wanted``: a hub has loaded it. ``counted``: its cells are complete, and served.
    Events are held of subjects up to ``counted_through``. Of ``published_before``,
    ``tracked_from`` and ``edition`` see ``app.store.tables.Measure``.
    """

    id: int
    code: str
    version: str
    digest: str
    counted: bool
    wanted: bool
    counted_through: int
    published_before: int
    tracked_from: int
    edition: int

    @property
    def published(self) -> late_events.Edition | None:
        """Return what releases hold of it, if it is followed what changes there."""
        if not self.counted or not self.published_before:
            return None
        return late_events.Edition(
            measure_id=self.id,
            published_before=self.published_before,
            number=self.edition,
        )


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One difference event of a clinic: what changes at the start of ``month``."""

    clinic_id: int
    grain: int
    stratum: int
    bin: int
    month: int
    counts: tuple[int, ...]


_ERASED = (
    "SELECT s.id FROM subject s WHERE s.id {among} "
    "AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = s.id) "
    "AND NOT EXISTS (SELECT 1 FROM dirty d WHERE d.subject_id = s.id)"
)
_DROP_SUBJECTS = (
    (
        "DELETE FROM subject_event WHERE measure_id IN (SELECT id FROM measure) "
        "AND subject_id {among}"
    ),
    "DELETE FROM subject WHERE id {among}",
)


def take_dirty(
    session: ReadSession, *, busy: Collection[int], until: int, limit: int
) -> list[tuple[int, int]]:
    """
    Return the subjects that have waited longest, with the stamp each bears.

    Those of *busy* clinics only if they wait since before *until*: more may come.
    """
    ready, values = _but_of(busy, until)
    query = text(
        f"SELECT subject_id, stamp FROM dirty {ready}"
        "ORDER BY since, subject_id LIMIT :n"
    )
    rows = connection_of(session).execute(query, values | {"n": limit})
    return [(row.subject_id, row.stamp) for row in rows]


def _but_of(busy: Collection[int], until: int) -> tuple[str, dict[str, int]]:
    """Return the condition that leaves out who waits only for *busy* clinics."""
    if not busy:
        return "", {}
    clinics = ", ".join(map(str, sorted(busy)))
    return f"WHERE since < :until OR clinic_id NOT IN ({clinics}) ", {"until": until}


def overdue_since(
    session: ReadSession, *, busy: Collection[int], until: int
) -> int | None:
    """Return since when somebody waits who is to be counted; see ``take_dirty``."""
    ready, values = _but_of(busy, until)
    query = text(f"SELECT MIN(since) FROM dirty {ready}")
    since: int | None = connection_of(session).execute(query, values).scalar_one()
    return since


def forget_dirty(session: WriteSession, taken: Sequence[tuple[int, int]]) -> None:
    """Note that *taken* are counted; one that was marked again meanwhile stays."""
    connection_of(session).execute(
        text("DELETE FROM dirty WHERE subject_id = :subject_id AND stamp = :stamp"),
        [{"subject_id": subject_id, "stamp": stamp} for subject_id, stamp in taken],
    )


def forget_erased(session: WriteSession, subject_ids: Collection[int]) -> None:
    """
    Drop those of *subject_ids* who were erased, now that no cell counts them.

    An erased subject has no record left; one that is dirty again is still counted.
    """
    gone = [i for (i,) in fetch_among(session, _ERASED, subject_ids)]
    if gone:
        late_events.make_nameless(session, gone)
    for statement in _DROP_SUBJECTS:
        execute_among(session, statement, gone)


def waiting_since(session: ReadSession, *, clinic_id: int | None) -> int | None:
    """Return since when (epoch ms) a subject waits to be counted; None: none does."""
    where = "" if clinic_id is None else "WHERE clinic_id = :clinic_id"
    query = text(f"SELECT MIN(since) FROM dirty {where}")
    values = {} if clinic_id is None else {"clinic_id": clinic_id}
    since: int | None = connection_of(session).execute(query, values).scalar_one()
    return since


def waiting_count(session: ReadSession) -> int:
    """Return how many subjects wait to be counted."""
    count = connection_of(session).execute(text("SELECT COUNT(*) FROM dirty"))
    return int(count.scalar_one())


def scope_to(session: ReadSession, subject_ids: Iterable[int] | None) -> None:
    """
    Let the sweeps that follow count *subject_ids* only; None is everybody.

    Temporary tables only are written: of this transaction others see nothing.
    """
    connection = connection_of(session)
    _make_temporary_tables(connection)
    connection.exec_driver_sql(f"{_empty(connection)} scope")
    if subject_ids is None:
        connection.exec_driver_sql(
            "INSERT INTO scope SELECT id FROM subject WHERE joined_to IS NULL"
        )
    else:
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        connection.exec_driver_sql(
            f"INSERT INTO scope VALUES ({mark})",
            [(subject_id,) for subject_id in sorted(subject_ids)],
        )
    connection.exec_driver_sql("ANALYZE scope")


def summed(events: str) -> str:
    """
    Return the SQL text that sums up the difference *events* of subjects by clinic.

    Like the text that gives them it runs wherever the fact tables are.
    """
    return f"""SELECT p.clinic_id AS clinic_id, {KEY}, {SUMS}
FROM (
{events}
) e JOIN subject p ON p.id = e.subject_id
GROUP BY p.clinic_id, {KEY}
HAVING {ANY_LEFT}"""


def recount(
    session: WriteSession,
    measure_id: int,
    *,
    sweep: str,
    published: late_events.Edition | None = None,
    anew: bool = False,
    drop: bool = False,
) -> None:
    """
    Replace what the subjects in scope add to the cells of a measure.

    *sweep* is the measure's SQL text: it gives the difference events of each subject
    in scope. What they gave before is subtracted in the same statement, so a cell is
    touched only where it changes, and in key order. What changes in *published*
    intervals is noted. *anew*: they gave nothing before, which need not be found out;
    or all that is held of the measure is to *drop* first.
    """
    connection = connection_of(session)
    connection.exec_driver_sql(f"{_empty(connection)} swept")
    # text(), because a driver would take the sweep's % for the mark of a parameter.
    connection.execute(text(_SWEEP.format(sweep=sweep)))
    in_scope = _IN_SCOPE[connection.dialect.name]
    if published is not None:
        late_events.note(session, published, in_scope=None if drop else in_scope)
    if drop:
        forget_measure(session, measure_id)
    add = _ADD_TO_CELL.format(net=_SWEPT if anew else _NET)
    forget = [] if anew else [_FORGET_EVENTS]
    for statement in (add, *forget, _KEEP_EVENTS):
        connection.execute(
            text(statement.replace("{in_scope}", in_scope)), {"measure_id": measure_id}
        )


def _empty(connection: Connection) -> str:
    """Return how a temporary table is emptied: PostgreSQL vacuums none of them."""
    return "TRUNCATE" if connection.dialect.name == "postgresql" else "DELETE FROM"


_IN_SCOPE = {
    "sqlite": "IN (SELECT subject_id FROM scope)",
    # Of a subquery PostgreSQL thinks that it had better read all events there are.
    "postgresql": "= ANY (ARRAY(SELECT subject_id FROM scope))",
}
_SWEEP = f"INSERT INTO swept SELECT subject_id, {KEY}, {COUNTS} FROM ({{sweep}}) s"
_SWEPT = f"SELECT subject_id, {KEY}, {COUNTS} FROM swept"
_NET = f"""{_SWEPT}
UNION ALL
SELECT subject_id, {KEY}, {MINUS} FROM subject_event
WHERE measure_id = :measure_id AND subject_id {{in_scope}}"""
_ADD_TO_CELL = f"""
INSERT INTO cell (measure_id, clinic_id, {KEY}, {COUNTS})
SELECT :measure_id, clinic_id, {KEY}, {COUNTS} FROM (
{summed("{net}")}
) net WHERE true ORDER BY clinic_id, {KEY}
ON CONFLICT (measure_id, clinic_id, {KEY}) DO UPDATE SET {added_to("cell")}
"""
_FORGET_EVENTS = (
    "DELETE FROM subject_event WHERE measure_id = :measure_id AND subject_id {in_scope}"
)
_KEEP_EVENTS = (
    f"INSERT INTO subject_event (measure_id, subject_id, {KEY}, {COUNTS}) "
    f"SELECT :measure_id, subject_id, {KEY}, {COUNTS} FROM swept"
)


def _make_temporary_tables(connection: Connection) -> None:
    for statement in (
        "CREATE TEMPORARY TABLE IF NOT EXISTS scope (subject_id BIGINT PRIMARY KEY)",
        (
            "CREATE TEMPORARY TABLE IF NOT EXISTS swept (subject_id BIGINT, "
            "grain INTEGER, stratum INTEGER, bin INTEGER, month INTEGER, "
            + ", ".join(f"{count} BIGINT" for count in COUNT_NAMES)
            + ")"
        ),
    ):
        connection.exec_driver_sql(statement)


def read_events(
    session: ReadSession, measure_id: int, *, clinic_ids: Collection[int] | None = None
) -> list[EventRow]:
    """Return the difference events of a measure, of some clinics or of all."""
    query = (
        f"SELECT clinic_id, {KEY}, {COUNTS} FROM cell WHERE measure_id = {measure_id:d}"
    )
    if clinic_ids is None:
        return [event_row(row) for row in connection_of(session).execute(text(query))]
    query += " AND clinic_id {among}"
    return [event_row(row) for row in fetch_among(session, query, clinic_ids)]


def swept_events(session: ReadSession, *, sweep: str) -> list[EventRow]:
    """Return the difference events of each clinic that *sweep* finds, and keep none."""
    scope_to(session, None)
    return [
        event_row(row) for row in connection_of(session).execute(text(summed(sweep)))
    ]


def event_row(row: Sequence[int]) -> EventRow:
    """Return a row of clinic, key and counts, as ``summed`` gives them."""
    clinic_id, grain, stratum, bin_, month, *counts = row
    return EventRow(
        clinic_id=clinic_id,
        grain=grain,
        stratum=stratum,
        bin=bin_,
        month=month,
        counts=tuple(counts),
    )


def known_measures(session: ReadSession) -> list[MeasureRow]:
    """Return the definitions that the store counts, or is to count."""
    query = text(
        "SELECT id, code, version, digest, counted, wanted, counted_through, "
        "published_before, tracked_from, edition FROM measure ORDER BY id"
    )
    rows = connection_of(session).execute(query).mappings()
    return [msgspec.convert(dict(row), MeasureRow, strict=False) for row in rows]


def add_measure(
    session: WriteSession, *, code: str, version: str, digest: str, definition: str
) -> None:
    """Add a definition that is yet to be counted; one that is here has new wording."""
    connection_of(session).execute(
        text(
            "INSERT INTO measure "
            "(code, version, digest, counted, definition, wanted, counted_through, "
            "published_before, tracked_from, edition) "
            "VALUES (:code, :version, :digest, :no, :definition, :yes, 0, 0, 0, 0) "
            "ON CONFLICT (code, digest) DO UPDATE "
            "SET definition = excluded.definition, version = excluded.version"
        ),
        {
            "code": code,
            "version": version,
            "digest": digest,
            "definition": definition,
            "no": False,
            "yes": True,
        },
    )


def mark_counted(session: WriteSession, measure_id: int) -> None:
    """
    Let a measure's cells be served, which are complete, in place of those before.

    What changes in those before is followed no more.
    """
    connection = connection_of(session)
    connection.execute(
        text(
            "UPDATE measure SET tracked_from = published_before WHERE id <> :id "
            "AND counted AND code = (SELECT code FROM measure WHERE id = :id)"
        ),
        {"id": measure_id},
    )
    connection.execute(
        text(
            "UPDATE measure SET counted = (id = :id), counted_through = "
            "CASE WHEN id = :id THEN :everybody ELSE counted_through END "
            "WHERE code = (SELECT code FROM measure WHERE id = :id)"
        ),
        {"id": measure_id, "everybody": EVERYBODY},
    )


def forget_measure(session: WriteSession, measure_id: int) -> None:
    """Drop the live counts of a definition that is no longer served."""
    for table in ("cell", "subject_event"):
        connection_of(session).execute(
            text(f"DELETE FROM {table} WHERE measure_id = :id"),
            {"id": measure_id},
        )

"""What a clinic's data-quality report is made from: its rows, and what gave none."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from sqlalchemy import text

from app.domain.quality import KeptObservation, KeptVisit, Window
from app.domain.records import RecordType
from app.domain.terminology import LOCAL
from app.store.refusals import KEPT_MS
from app.store.sessions import ReadSession, connection_of


class OfSource(NamedTuple):
    """How many records of a type a source has, of how many, and the last arrival."""

    source_id: int
    type: int
    records: int
    people: int
    last_received_at: int


class Factless(NamedTuple):
    """A record that stands but gives no fact to count; ``content`` is its JSON."""

    record_id: int
    source_id: int
    type: int
    content: str


class OfARecord(Protocol):
    """A row that tells of one record."""

    @property
    def record_id(self) -> int:
        """The record."""

    @property
    def source_id(self) -> int:
        """Where it came from."""


class BeforeBirth(NamedTuple):
    """A condition or visit that began before the month of birth."""

    record_id: int
    source_id: int
    subject_id: int


class Untranslated(NamedTuple):
    """A local code that counts as nothing, by its digest, in how many records."""

    source_id: int
    element: str
    code: str
    records: int


class Refused(NamedTuple):
    """How often a source was refused something, and at which element."""

    source_id: int
    issue_type: str
    expression: str | None
    times: int


# A date before birth, after death or to come lies in no window that would show it.
_OBSERVATIONS = text(
    "SELECT o.record_id, o.part, r.source_id, o.subject_id, o.concept_id, o.day, "
    "o.month, o.value, o.value_concept_id, o.encounter_id, r.received_at, "
    "s.birth_month, s.death_month, r.content "
    "FROM subject s JOIN observation o ON o.subject_id = s.id "
    "JOIN record r ON r.id = o.record_id "
    "WHERE s.clinic_id = :clinic_id AND ((o.month >= :since AND o.month < :until) "
    "OR o.month < s.birth_month OR o.month > s.death_month OR o.month > :this_month)"
)
_VISITS = (
    "SELECT v.record_id, r.source_id, v.subject_id, v.day, v.month "
    "FROM subject s JOIN visit v ON v.subject_id = s.id "
    "JOIN record r ON r.id = v.record_id "
    "WHERE s.clinic_id = :clinic_id AND v.month >= :since AND v.month < :until "
    "AND v.class_concept_id IN ({classes}) ORDER BY v.record_id"
)
_SPAN = """
SELECT MIN(o.month), MAX(o.month)
FROM subject s JOIN {table} o ON o.subject_id = s.id
WHERE s.clinic_id = :clinic_id AND o.month <= :this_month
  AND (s.birth_month IS NULL OR o.month >= s.birth_month)
"""
_STANDING = (
    "FROM subject s JOIN record r ON r.subject_id = s.id "
    "WHERE s.clinic_id = :clinic_id AND r.state = 1 AND r.twin_id IS NULL"
)
_SOURCES = text(
    "SELECT r.source_id, r.type, COUNT(*), COUNT(DISTINCT r.subject_id), "
    f"MAX(r.received_at) {_STANDING} "
    "GROUP BY r.source_id, r.type"
)
_FACTLESS = text(
    f"SELECT r.id, r.source_id, r.type, r.content {_STANDING} AND ("
    f"(r.type = {RecordType.OBSERVATION:d} AND NOT EXISTS "
    "(SELECT 1 FROM observation o WHERE o.record_id = r.id)) "
    f"OR (r.type = {RecordType.CONDITION:d} AND NOT EXISTS "
    "(SELECT 1 FROM condition c WHERE c.record_id = r.id))) ORDER BY r.id"
)
_BEFORE_BIRTH = """
SELECT DISTINCT o.record_id, r.source_id, o.subject_id
FROM subject s JOIN {table} o ON o.subject_id = s.id JOIN record r ON r.id = o.record_id
WHERE s.clinic_id = :clinic_id AND o.{month} > 0 AND o.{month} < s.birth_month
ORDER BY o.record_id
"""
_LOCAL_IN = """
SELECT r.source_id, '{element}' AS element, c.code,
  COUNT(DISTINCT f.record_id) AS records
FROM subject s JOIN {table} f ON f.subject_id = s.id
JOIN concept c ON c.id = f.{column} JOIN record r ON r.id = f.record_id
WHERE s.clinic_id = :clinic_id AND c.system = :local GROUP BY r.source_id, c.code
"""
_CODED = (
    ("Observation.code", "observation", "concept_id"),
    ("Observation.value", "observation", "value_concept_id"),
    ("Condition.code", "condition", "concept_id"),
    ("Encounter.class", "visit", "class_concept_id"),
)
_UNTRANSLATED = text(
    " UNION ALL ".join(
        _LOCAL_IN.format(element=element, table=table, column=column)
        for element, table, column in _CODED
    )
    + " ORDER BY records DESC, element, code"
)
_BORN = text(
    "SELECT COUNT(*) FROM subject WHERE clinic_id = :clinic_id "
    "AND birth_month IS NOT NULL AND joined_to IS NULL"
)
_REFUSED = text(
    "SELECT f.source_id, f.issue_type, f.expression, COUNT(*) FROM refusal f "
    "JOIN source s ON s.id = f.source_id "
    "WHERE s.clinic_id = :clinic_id AND f.refused_at > :after "
    "GROUP BY f.source_id, f.issue_type, f.expression "
    "ORDER BY COUNT(*) DESC, f.issue_type, f.expression"
)


def kept_observations(
    session: ReadSession, clinic_id: int, window: Window, *, this_month: int
) -> list[KeptObservation]:
    """
    Return a clinic's observations of a window, in no order.

    With them come those, of whatever month, that lie before a birth, after a death or
    after *this_month*.
    """
    values = {"clinic_id": clinic_id, "since": window.since, "until": window.until}
    rows = connection_of(session).execute(
        _OBSERVATIONS, values | {"this_month": this_month}
    )
    return list(map(KeptObservation._make, rows.all()))


def kept_visits(
    session: ReadSession, clinic_id: int, window: Window, *, classes: Collection[int]
) -> list[KeptVisit]:
    """Return a clinic's visits of some classes (concept ids) in a window."""
    listed = ", ".join(str(int(each)) for each in sorted(classes)) or "-1"
    values = {"clinic_id": clinic_id, "since": window.since, "until": window.until}
    rows = connection_of(session).execute(text(_VISITS.format(classes=listed)), values)
    return list(map(KeptVisit._make, rows.all()))


def months_with_data(
    session: ReadSession, clinic_id: int, *, this_month: int
) -> tuple[int, int] | None:
    """Return a clinic's first and last month with an observation or a visit."""
    values = {"clinic_id": clinic_id, "this_month": this_month}
    spans = [
        connection_of(session).execute(text(_SPAN.format(table=table)), values).one()
        for table in ("observation", "visit")
    ]
    found = [(first, last) for first, last in spans if first is not None]
    if not found:
        return None
    return min(first for first, _ in found), max(last for _, last in found)


def of_sources(session: ReadSession, clinic_id: int) -> list[OfSource]:
    """Return what each source of a clinic has that stands, by type."""
    rows = connection_of(session).execute(_SOURCES, {"clinic_id": clinic_id})
    return [OfSource._make(row) for row in rows]


def factless(session: ReadSession, clinic_id: int) -> list[Factless]:
    """Return a clinic's Observations and Conditions that stand, but count nowhere."""
    rows = connection_of(session).execute(_FACTLESS, {"clinic_id": clinic_id})
    return [Factless._make(row) for row in rows]


def conditions_before_birth(session: ReadSession, clinic_id: int) -> list[BeforeBirth]:
    """Return a clinic's conditions with an onset before the month of birth."""
    return _before_birth(session, clinic_id, "condition", "onset_month")


def visits_before_birth(session: ReadSession, clinic_id: int) -> list[BeforeBirth]:
    """Return a clinic's visits before the month of birth."""
    return _before_birth(session, clinic_id, "visit", "month")


def _before_birth(
    session: ReadSession, clinic_id: int, table: str, month: str
) -> list[BeforeBirth]:
    query = text(_BEFORE_BIRTH.format(table=table, month=month))
    rows = connection_of(session).execute(query, {"clinic_id": clinic_id})
    return [BeforeBirth._make(row) for row in rows]


def known_births(session: ReadSession, clinic_id: int) -> int:
    """Return of how many people of a clinic the month of birth is known."""
    found = connection_of(session).execute(_BORN, {"clinic_id": clinic_id})
    return int(found.scalar_one())


def refused(session: ReadSession, clinic_id: int, *, now: int) -> list[Refused]:
    """Return what a clinic's sources were refused, as long as that is remembered."""
    values = {"clinic_id": clinic_id, "after": now - KEPT_MS}
    return [
        Refused._make(row) for row in connection_of(session).execute(_REFUSED, values)
    ]


def untranslated(session: ReadSession, clinic_id: int) -> list[Untranslated]:
    """Return a clinic's local codes that count as nothing, the most frequent first."""
    values = {"clinic_id": clinic_id, "local": LOCAL}
    rows = connection_of(session).execute(_UNTRANSLATED, values)
    return [Untranslated._make(row) for row in rows]

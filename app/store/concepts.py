"""Codes and their integer ids in this database."""

from collections.abc import Collection

from sqlalchemy import Engine, text

from app.domain.terminology import Coding
from app.store.sessions import ReadSession, WriteSession, connection_of, read_session

_ALL = text("SELECT id, system, code FROM concept")
_ADD = text(
    "INSERT INTO concept (system, code) VALUES (:system, :code) "
    "ON CONFLICT (system, code) DO NOTHING"
)
_FIND = text("SELECT id FROM concept WHERE system = :system AND code = :code")
_PEOPLE = text("""
SELECT c.system, c.code, COUNT(DISTINCT f.subject_id) AS people
FROM (
SELECT concept_id, subject_id FROM observation
UNION SELECT value_concept_id, subject_id FROM observation
UNION SELECT concept_id, subject_id FROM condition
UNION SELECT class_concept_id, subject_id FROM visit
) f JOIN concept c ON c.id = f.concept_id
GROUP BY c.system, c.code
""")


class ConceptCache:
    """What this process knows of the concept table; rows there never change."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids: dict[Coding, int] = {}

    def ids(
        self, session: WriteSession, codings: Collection[Coding]
    ) -> dict[Coding, int]:
        """Return the id of each of *codings* at least, adding those that are new."""
        if all(coding in self._ids for coding in codings):
            return self._ids
        # Only committed ids are remembered: a new one may yet be rolled back.
        with read_session(self._engine) as committed:
            self._ids = all_concepts(committed)
        new = sorted(set(codings) - self._ids.keys())
        return {**self._ids, **{coding: _added_id(session, coding) for coding in new}}


def all_concepts(session: ReadSession) -> dict[Coding, int]:
    """Return every concept with its id."""
    rows = connection_of(session).execute(_ALL)
    return {Coding(system=row.system, code=row.code): row.id for row in rows}


def people_by_concept(session: ReadSession) -> dict[Coding, int]:
    """Return how many people of the network each concept is about, if about any."""
    rows = connection_of(session).execute(_PEOPLE)
    return {Coding(system=row.system, code=row.code): row.people for row in rows}


def _added_id(session: WriteSession, coding: Coding) -> int:
    values = {"system": coding.system, "code": coding.code}
    connection_of(session).execute(_ADD, values)
    return int(connection_of(session).execute(_FIND, values).scalar_one())

"""Bulk submissions as rows: whose they are, their parts, what these withdrew."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import bindparam, text

from app.store import submission_tables
from app.store.bulk import insert_rows
from app.store.sessions import ReadSession, WriteSession, connection_of


class PartKind(StrEnum):
    """
    What a part is: a manifest, the next page of one, a file that it names.

    A file is of what is there, or of what was deleted.
    """

    MANIFEST = "manifest"
    PAGE = "page"
    FILE = "file"
    DELETED = "deleted"


FILES = frozenset({PartKind.FILE, PartKind.DELETED})


class PartState(StrEnum):
    """Where a part is: yet to be fetched, here, not to be had, or replaced."""

    WAITING = "waiting"
    READ = "read"
    FAILED = "failed"
    REPLACED = "replaced"


class SubmissionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as it lies in the store; see ``submission_tables.Submission``."""

    job_id: int
    name_key: bytes
    source_id: int
    last_call: bytes
    sealed: bytes | None
    is_dismissed: bool


class PartRow(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it lies in the store; see ``submission_tables.SubmissionPart``."""

    job_id: int
    part: int
    manifest: int
    kind: PartKind
    state: PartState = PartState.WAITING
    place: int = 0
    lines: int = 0
    told: int | None = None
    mark: str | None = None
    restarts: int = 0
    name_key: bytes | None = None
    replaces_job: int | None = None
    replaces_part: int | None = None
    sealed: bytes | None = None


_FIELDS = SubmissionRow.__struct_fields__
_FIND = f"SELECT {', '.join(_FIELDS)} FROM submission "
_OF_JOB = text(f"{_FIND} WHERE job_id = :job_id")
_NAMED = text(f"{_FIND} WHERE name_key IN :keys").bindparams(
    bindparam("keys", expanding=True)
)
_ADD = text(
    f"INSERT INTO submission ({', '.join(_FIELDS)}) "
    f"VALUES ({', '.join(f':{name}' for name in _FIELDS)})"
)
_PART_FIELDS = PartRow.__struct_fields__
_PART_COLUMNS = ", ".join(f"p.{name}" for name in _PART_FIELDS)
_ADD_PART = text(
    f"INSERT INTO submission_part ({', '.join(_PART_FIELDS)}) "
    f"VALUES ({', '.join(f':{name}' for name in _PART_FIELDS)})"
)
_PARTS = text(
    f"SELECT {_PART_COLUMNS} FROM submission_part p WHERE p.job_id = :job_id "
    "ORDER BY p.manifest, p.part"
)
_PART = text(
    f"SELECT {_PART_COLUMNS} FROM submission_part p "
    "WHERE p.job_id = :job_id AND p.part = :part"
)
_NEXT = text(
    f"SELECT {_PART_COLUMNS} FROM submission_part p WHERE p.job_id = :job_id "
    "AND p.state = 'waiting' ORDER BY p.manifest, "
    "CASE WHEN p.kind IN ('file', 'deleted') THEN 1 ELSE 0 END, p.part LIMIT 1"
)
_LAST = text(
    "SELECT COALESCE(MAX(part), 0) FROM submission_part WHERE job_id = :job_id"
)
_FILES_LAST = text(
    "UPDATE submission_part SET part = part + 1 + "
    "(SELECT MAX(l.part) FROM submission_part l WHERE l.job_id = :job_id) - "
    "(SELECT MIN(f.part) FROM submission_part f WHERE f.job_id = :job_id "
    "AND f.manifest = :manifest AND f.kind = 'file') "
    "WHERE job_id = :job_id AND manifest = :manifest AND kind = 'file'"
)
_MANIFESTS = text(
    f"SELECT {_PART_COLUMNS} FROM submission_part p "
    "JOIN submission s ON s.job_id = p.job_id WHERE p.name_key IN :keys "
    "AND p.kind = 'manifest' AND s.source_id = :source_id ORDER BY p.job_id DESC"
).bindparams(bindparam("keys", expanding=True))
_REPLACING = text(
    f"SELECT {_PART_COLUMNS} FROM submission_part p WHERE p.job_id = :job_id "
    "AND p.replaces_job IS NOT NULL AND p.state IN ('read', 'failed') "
    "ORDER BY p.part LIMIT 1"
)
_FORGET_PLACES = text(
    "UPDATE submission_part SET sealed = NULL WHERE job_id = :job_id AND kind <> :kind"
)
_FORGET_SEALED = "UPDATE {table} SET sealed = NULL WHERE job_id = :job_id"
_FORGET_OLD = (
    "UPDATE {table} SET sealed = NULL WHERE sealed IS NOT NULL AND job_id IN "
    "(SELECT id FROM job WHERE state = 'cancelled' "
    "OR (state IN ('done', 'failed') AND updated_at < :moment))"
)
_SEALED = ("submission", "submission_part")
_HELD = text(
    "SELECT d.part, r.type, COUNT(*) FROM delivered d JOIN record r "
    "ON r.id = d.record_id WHERE d.job_id = :job_id AND r.state = 1 "
    "GROUP BY d.part, r.type ORDER BY d.part, r.type"
)
_HELD_AFTER = text(
    "SELECT d.record_id FROM delivered d JOIN record r ON r.id = d.record_id "
    "WHERE d.job_id = :job_id AND d.part = :part AND r.type = :type AND r.state = 1 "
    "AND d.record_id > :after ORDER BY d.record_id LIMIT :limit"
)
_TAKEN_AFTER = text(
    "SELECT DISTINCT t.record_id, r.type FROM taken_back t "
    "JOIN record r ON r.id = t.record_id WHERE t.job_id = :job_id AND r.state = 2 "
    "AND t.record_id > :after ORDER BY t.record_id LIMIT :limit"
)


def find_submission(
    session: ReadSession, keys: Collection[bytes]
) -> SubmissionRow | None:
    """Return the submission that one of *keys* names."""
    rows = connection_of(session).execute(_NAMED, {"keys": list(keys)}).mappings()
    return next((_submission(row) for row in rows), None)


def submission_of(session: ReadSession, job_id: int) -> SubmissionRow | None:
    """Return the submission whose work a job is."""
    rows = connection_of(session).execute(_OF_JOB, {"job_id": job_id}).mappings()
    return next((_submission(row) for row in rows), None)


def add_submission(session: WriteSession, row: SubmissionRow) -> None:
    """Keep a new submission; an ``IntegrityError`` says that it is not new."""
    connection_of(session).execute(_ADD, msgspec.structs.asdict(row))


def change_submission(session: WriteSession, job_id: int, **changes: object) -> None:
    """Change a submission."""
    _update(session, "submission", "job_id = :job_id", {"job_id": job_id}, changes)


def parts_of(session: ReadSession, job_id: int) -> list[PartRow]:
    """Return the parts of a submission, manifest by manifest."""
    rows = connection_of(session).execute(_PARTS, {"job_id": job_id}).mappings()
    return [_part(row) for row in rows]


def part_of(session: ReadSession, job_id: int, number: int) -> PartRow:
    """Return a part of a submission, which has it."""
    values = {"job_id": job_id, "part": number}
    return _part(connection_of(session).execute(_PART, values).mappings().one())


def next_part(session: ReadSession, job_id: int) -> PartRow | None:
    """Return what is to be fetched next: pages of a manifest before its files."""
    rows = connection_of(session).execute(_NEXT, {"job_id": job_id}).mappings()
    return next((_part(row) for row in rows), None)


def last_part(session: ReadSession, job_id: int) -> int:
    """Return the highest number of a part; 0 where there is none."""
    number: int = connection_of(session).execute(_LAST, {"job_id": job_id}).scalar_one()
    return number


def put_files_last(session: WriteSession, job_id: int, *, manifest: int) -> None:
    """Number the files of a manifest anew, behind all parts; none of them was read."""
    values = {"job_id": job_id, "manifest": manifest}
    connection_of(session).execute(_FILES_LAST, values)


def manifests_named(
    session: ReadSession, keys: Collection[bytes], *, source_id: int
) -> list[PartRow]:
    """Return the manifests of a source that one of *keys* names, newest first."""
    values = {"keys": list(keys), "source_id": source_id}
    return [
        _part(row)
        for row in connection_of(session).execute(_MANIFESTS, values).mappings()
    ]


def add_parts(session: WriteSession, parts: Iterable[PartRow]) -> None:
    """Keep new parts."""
    rows = [msgspec.structs.asdict(each) for each in parts]
    if rows:
        connection_of(session).execute(_ADD_PART, rows)


def change_part(session: WriteSession, part: PartRow, **changes: object) -> bool:
    """Change a part if it is still in the state that *part* says."""
    values = {"job_id": part.job_id, "known_part": part.part, "known": part.state.value}
    condition = "job_id = :job_id AND part = :known_part AND state = :known"
    return _update(session, "submission_part", condition, values, changes)


def replacing_part(session: ReadSession, job_id: int) -> PartRow | None:
    """Return a manifest that is to replace something and has yet to."""
    rows = connection_of(session).execute(_REPLACING, {"job_id": job_id}).mappings()
    return next((_part(row) for row in rows), None)


def forget_places(session: WriteSession, job_id: int) -> None:
    """Forget where files are; of manifests it stays, for they are told of."""
    values = {"job_id": job_id, "kind": PartKind.MANIFEST.value}
    connection_of(session).execute(_FORGET_PLACES, values)


def forget_sealed(session: WriteSession, job_id: int) -> None:
    """Forget what its submitter called a submission, and where anything of it is."""
    for table in _SEALED:
        query = text(_FORGET_SEALED.format(table=table))
        connection_of(session).execute(query, {"job_id": job_id})


def forget_sealed_before(session: WriteSession, moment: int) -> None:
    """Forget the same of what ended before a moment, or was cancelled."""
    for table in _SEALED:
        query = text(_FORGET_OLD.format(table=table))
        connection_of(session).execute(query, {"moment": moment})


def held_by_parts(session: ReadSession, job_id: int) -> list[tuple[int, int, int]]:
    """Return part, type and how many current records of it the part held."""
    rows = connection_of(session).execute(_HELD, {"job_id": job_id})
    return [tuple(row) for row in rows]


def held_after(
    session: ReadSession, job_id: int, *, part: int, type_: int, after: int, limit: int
) -> list[int]:
    """Return the next current records of a type that a part held."""
    values = {"job_id": job_id, "part": part, "type": type_, "after": after}
    rows = connection_of(session).execute(_HELD_AFTER, values | {"limit": limit})
    return [record_id for (record_id,) in rows]


def note_taken_back(
    session: WriteSession, job_id: int, record_ids: Iterable[int], *, part: int
) -> None:
    """Note that a part withdrew records: by replacing a manifest, or as deleted."""
    rows = [(job_id, part, record_id) for record_id in sorted(record_ids)]
    table = submission_tables.TakenBack.__table__  # type: ignore[attr-defined]
    columns = ("job_id", "part", "record_id")
    insert_rows(session, table, columns, rows, keep_existing=True)


def taken_back_after(
    session: ReadSession, job_id: int, *, after: int, limit: int
) -> list[tuple[int, int]]:
    """Return the next records that were withdrawn and are: number and type."""
    values = {"job_id": job_id, "after": after, "limit": limit}
    rows = connection_of(session).execute(_TAKEN_AFTER, values)
    return [tuple(row) for row in rows]


def _update(
    session: WriteSession,
    table: str,
    condition: str,
    values: dict[str, Any],
    changes: dict[str, object],
) -> bool:
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    query = text(f"UPDATE {table} SET {assignments} WHERE {condition}")
    return connection_of(session).execute(query, values | changes).rowcount == 1


def _submission(row: Any) -> SubmissionRow:  # noqa: ANN401  (SQLAlchemy's row)
    return msgspec.convert(dict(row), SubmissionRow, strict=False)  # SQLite has no bool


def _part(row: Any) -> PartRow:  # noqa: ANN401  (SQLAlchemy's row)
    return msgspec.convert(dict(row), PartRow)

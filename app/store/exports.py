"""The facts that counting reads, as Parquet files: integer rows, no name, no text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Select, SmallInteger, String, select

from app.domain.errors import NotSupportedError
from app.store import tables
from app.store.sessions import ReadSession, connection_of

FACTS = {
    "subject": ("id", "clinic_id", "birth_month", "sex", "death_month"),
    "observation": (
        "subject_id",
        "concept_id",
        "day",
        "record_id",
        "part",
        "month",
        "value",
        "value_concept_id",
        "encounter_id",
    ),
    "condition": (
        "subject_id",
        "concept_id",
        "record_id",
        "onset_month",
        "abatement_month",
    ),
    "visit": ("subject_id", "day", "record_id", "month", "class_concept_id"),
    "concept": ("id", "system", "code"),
}
"""The tables that a measure's SQL text reads, and what the numbers in it mean."""
ROWS_AT_ONCE = 50_000
_KINDS = {
    BigInteger: "int64",
    Integer: "int32",
    SmallInteger: "int16",
    String: "string",
}


def fact_file(folder: Path, table: str) -> Path:
    """Return where a table's rows are."""
    return folder / f"{table}.parquet"


def export_facts(session: ReadSession, folder: Path) -> dict[str, int]:
    """
    Write the rows of each table of facts into *folder*; return how many.

    They are read and written in parts, so that memory does not grow with them.

    Raises:
        NotSupportedError: What writes Parquet is not installed.
    """
    return {
        table: write_parquet(
            fact_file(folder, table),
            {name: _kind(tables.metadata.tables[table].c[name]) for name in names},
            _parts(session, _query(table, names)),
        )
        for table, names in FACTS.items()
    }


def write_parquet(
    path: Path, kinds: Mapping[str, str], parts: Iterable[Sequence[Sequence[Any]]]
) -> int:
    """
    Write rows that come in *parts*; return how many there were.

    Args:
        path: The file.
        kinds: Each column's Arrow type, as ``int64``.
        parts: Some rows each.

    Raises:
        NotSupportedError: What writes Parquet is not installed.
    """
    arrow = optional("pyarrow", extra="engines")
    schema = arrow.schema([(name, kind) for name, kind in kinds.items()])
    rows = 0
    with optional("pyarrow.parquet", extra="engines").ParquetWriter(
        path, schema, compression="zstd"
    ) as writer:
        for part in parts:
            columns = zip(*part, strict=True)
            arrays = [arrow.array(*each) for each in zip(columns, schema.types)]  # noqa: B905
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
            rows += len(part)
    return rows


def optional(module: str, *, extra: str) -> ModuleType:
    """
    Return a module that is not part of every installation.

    Raises:
        NotSupportedError: It is not here; the message says how to get it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        name = module.partition(".")[0]
        msg = f"{name} is not installed; `pip install 'catchment[{extra}]'` brings it"
        raise NotSupportedError(msg) from None


def _query(table: str, names: Sequence[str]) -> Select[Any]:
    columns = tables.metadata.tables[table].c
    query = select(*(columns[name] for name in names))
    if table != "subject":
        return query
    # Their facts are with the subject that counts for them.
    return query.where(columns["joined_to"].is_(None))


def _parts(
    session: ReadSession, query: Select[Any]
) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the rows of *query*, a part at a time; the database keeps the others."""
    streamed = query.execution_options(stream_results=True)
    with connection_of(session).execute(streamed) as rows:
        yield from rows.partitions(ROWS_AT_ONCE)


def _kind(column: Column[Any]) -> str:
    return _KINDS[type(column.type)]

"""Releases: frozen cubes, and how wide each clinic's published interval is."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import text
from sqlmodel import col, select

from app.domain.clinics import Audience
from app.domain.counts import QUANTILES, Interval, ReleasedCell, Withheld
from app.store import tables
from app.store.bulk import insert_rows
from app.store.sessions import ReadSession, WriteSession, connection_of

NETWORK = 0
"""The clinic id that stands for the network in the table of released cells."""

INTERVALS = {interval.months: interval for interval in Interval}


class RestatedBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A block that a release told anew; months are month numbers, half-open."""

    measure_id: str
    begins: int
    ends: int


class ReleaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """
    A release; times in epoch milliseconds, ``closed_before`` a month number.

    ``counts`` says how people of several clinics were counted. ``audit`` is what its
    audit did; None of one that was made before there were any. ``restated`` is empty
    unless it was asked for (``with_restated``).
    """

    id: int
    audience: Audience
    created_at: int
    closed_before: int
    rules_digest: str
    policy_digest: str
    counts: str
    summary: Mapping[str, Any]
    audit: Mapping[str, int] | None = None
    restated: tuple[RestatedBlock, ...] = ()

    @property
    def rounded_to(self) -> int | None:
        """Return what its new counts are multiples of, or None."""
        records = (each for each in self.summary.values() if isinstance(each, dict))
        bases = (each.get("rounded_to") for each in records)
        return next((base for base in bases if base is not None), None)


def add_release(
    session: WriteSession,
    *,
    audience: Audience,
    created_at: int,
    closed_before: int,
    rules_digest: str,
    policy_digest: str,
    summary: Mapping[str, Any],
    counts: str = "summed",
    audit: Mapping[str, int] | None = None,
) -> int:
    """Add a release; return its id."""
    row = tables.Release(
        audience=audience.value,
        created_at=created_at,
        closed_before=closed_before,
        rules_digest=rules_digest,
        policy_digest=policy_digest,
        counts=counts,
        summary=msgspec.json.encode(summary).decode(),
        audit=None if audit is None else msgspec.json.encode(audit).decode(),
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def releases(
    session: ReadSession, *, audience: Audience, limit: int | None = None
) -> list[ReleaseRow]:
    """Return an audience's releases, the newest first."""
    query = (
        select(tables.Release)
        .where(tables.Release.audience == audience.value)
        .order_by(col(tables.Release.id).desc())
        .limit(limit)
    )
    return [_release(row) for row in session.exec(query)]


def with_restated(session: ReadSession, rows: list[ReleaseRow]) -> list[ReleaseRow]:
    """Return releases of one audience with the blocks that each of them restated."""
    query = text(
        "SELECT r.release_id, m.code, r.month, r.months, r.published_before "
        "FROM restatement r "
        "JOIN measure m ON m.id = r.measure_id ORDER BY m.code, r.month"
    )
    found: dict[int, list[RestatedBlock]] = {row.id: [] for row in rows}
    for release_id, code, month, months, told in connection_of(session).execute(query):
        ends = min(month + months, told)
        block = RestatedBlock(measure_id=code, begins=month, ends=ends)
        found.setdefault(release_id, []).append(block)
    return [msgspec.structs.replace(row, restated=tuple(found[row.id])) for row in rows]


def _release(row: tables.Release) -> ReleaseRow:
    assert row.id is not None
    return ReleaseRow(
        id=row.id,
        audience=Audience(row.audience),
        created_at=row.created_at,
        closed_before=row.closed_before,
        rules_digest=row.rules_digest,
        policy_digest=row.policy_digest,
        counts=row.counts,
        summary=msgspec.json.decode(row.summary),
        audit=None if row.audit is None else msgspec.json.decode(row.audit),
    )


_QUANTILES = tuple(f"p{percent}" for percent in QUANTILES)
_NO_QUANTILES = (None,) * len(QUANTILES)
_CELL_COLUMNS = (
    "release_id",
    "measure_id",
    "clinic_id",
    "grain",
    "stratum",
    "month",
    "population",
    "scored",
    "denominator",
    "numerator",
    "withheld",
    "value_sum",
    "value_squares",
    *_QUANTILES,
)


def save_cells(
    session: WriteSession,
    release_id: int,
    measure_id: int,
    cells: Iterable[ReleasedCell],
) -> None:
    """Keep a measure's part of a release."""
    rows = [
        (
            release_id,
            measure_id,
            NETWORK if cell.clinic_id is None else cell.clinic_id,
            cell.interval.months,
            cell.stratum,
            cell.interval_start,
            cell.population,
            cell.scored,
            cell.denominator,
            cell.numerator,
            None if cell.withheld is None else cell.withheld.value,
            cell.value_sum,
            cell.value_squares,
            *(cell.quantiles or _NO_QUANTILES),
        )
        for cell in cells
    ]
    table: Any = tables.ReleasedCell
    insert_rows(session, table.__table__, _CELL_COLUMNS, rows)


def read_cells(
    session: ReadSession, release_id: int, *, measure_id: int | None = None
) -> dict[int, list[ReleasedCell]]:
    """Return the cells of a release by measure, or of one measure, in time order."""
    which = "" if measure_id is None else "AND measure_id = :measure_id"
    query = text(
        f"SELECT {', '.join(_CELL_COLUMNS[1:])} FROM released_cell "
        f"WHERE release_id = :release_id {which} ORDER BY 1, 2, 3, 4, 5"
    )
    values = {"release_id": release_id}
    if measure_id is not None:
        values["measure_id"] = measure_id
    found: dict[int, list[ReleasedCell]] = {}
    for row in connection_of(session).execute(query, values):
        found.setdefault(row.measure_id, []).append(_cell(row))
    return found


def _cell(row: Any) -> ReleasedCell:  # noqa: ANN401  (a row of a text query)
    return ReleasedCell(
        clinic_id=None if row.clinic_id == NETWORK else row.clinic_id,
        interval=INTERVALS[row.grain],
        interval_start=row.month,
        stratum=row.stratum,
        population=row.population,
        scored=row.scored,
        denominator=row.denominator,
        numerator=row.numerator,
        value_sum=row.value_sum,
        value_squares=row.value_squares,
        quantiles=()
        if row.value_sum is None
        else tuple(getattr(row, name) for name in _QUANTILES),
        withheld=None if row.withheld is None else Withheld(row.withheld),
    )


def measures_told(session: ReadSession, release_id: int) -> set[int]:
    """Return the measures that a release has cells of."""
    query = text("SELECT DISTINCT measure_id FROM released_cell WHERE release_id = :id")
    return set(connection_of(session).execute(query, {"id": release_id}).scalars())


def read_intervals(
    session: ReadSession, *, audience: Audience, measure_id: int
) -> dict[int, Interval | None]:
    """Return the publishing interval of each clinic for a measure; None: none yet."""
    query = select(tables.PublishingInterval).where(
        tables.PublishingInterval.audience == audience.value,
        tables.PublishingInterval.measure_id == measure_id,
    )
    return {row.clinic_id: INTERVALS.get(row.grain) for row in session.exec(query)}


def save_intervals(
    session: WriteSession,
    intervals: Mapping[int, Interval | None],
    *,
    audience: Audience,
    measure_id: int,
) -> None:
    """Fix the publishing intervals of a measure for an audience."""
    rows = [
        (audience.value, measure_id, clinic_id, interval.months if interval else 0)
        for clinic_id, interval in sorted(intervals.items())
    ]
    table: Any = tables.PublishingInterval
    columns = ("audience", "measure_id", "clinic_id", "grain")
    insert_rows(session, table.__table__, columns, rows, replace=("grain",))

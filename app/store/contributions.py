"""What single subjects add to a measure: the running sums of their own events."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import text

from app.store.bulk import fetch_among
from app.store.exchanges import Row
from app.store.sessions import ReadSession, connection_of


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """
    A subject that is counted in a month: each count is 0 or 1.

    ``stratum`` is the number of a combination of strata; ``bin`` is below 0 where
    something is missing. See ``app.measures.compilation``.
    """

    subject_id: int
    stratum: int
    bin: int
    population: int
    excluded: int
    excepted: int
    scored: int
    denominator: int
    numerator: int


_KEY = ("subject_id", "stratum", "bin")
_COUNTS = Contribution.__struct_fields__[len(_KEY) :]
_PLACE = ", ".join(f"e.{name}" for name in _KEY)
_SUMS = ", ".join(f"CAST(SUM(e.{name}) AS BIGINT)" for name in _COUNTS)
_SELECT = (
    f"SELECT {_PLACE}, {_SUMS} FROM subject_event e {{joined}} "
    "WHERE e.measure_id = {measure_id} AND e.grain = 1 AND e.month <= {month} "
    "AND {which} "
    f"GROUP BY {_PLACE} HAVING SUM(e.population) + SUM(e.excluded) > 0 "
    "ORDER BY e.subject_id"
)
"""The numbers that are filled in are ours; what is asked for comes as parameters."""


def contributions_of(
    session: ReadSession, subject_ids: Collection[int], *, measure_id: int, month: int
) -> dict[int, Contribution]:
    """Return what each of *subject_ids* adds in a month; who adds nothing is absent."""
    statement = _SELECT.format(
        joined="", measure_id=measure_id, month=month, which="e.subject_id {among}"
    )
    return {
        c.subject_id: c for c in _read(fetch_among(session, statement, subject_ids))
    }


def contributions_after(
    session: ReadSession,
    subject_id: int,
    *,
    clinic_id: int,
    measure_id: int,
    month: int,
    limit: int,
) -> list[Contribution]:
    """Return what the next subjects of a clinic add in a month, in the order of ids."""
    statement = _SELECT.format(
        joined="JOIN subject s ON s.id = e.subject_id",
        measure_id=measure_id,
        month=month,
        which="s.clinic_id = :clinic_id AND e.subject_id > :after",
    )
    values = {"clinic_id": clinic_id, "after": subject_id, "limit": limit}
    rows = connection_of(session).execute(text(f"{statement} LIMIT :limit"), values)
    return list(_read(map(tuple, rows)))


def _read(rows: Iterable[Row]) -> Iterable[Contribution]:
    names = Contribution.__struct_fields__
    return (Contribution(**dict(zip(names, row, strict=True))) for row in rows)

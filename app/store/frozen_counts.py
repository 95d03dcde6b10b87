"""The true counts behind published lines, as they were when these were published."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlmodel import select

from app.store import tables
from app.store.bulk import insert_rows
from app.store.releases import INTERVALS
from app.store.sessions import ReadSession, WriteSession

Line = Mapping[int, tuple[int, ...]]
"""How many people of each clinic are in each state (``app.disclosure.states``)."""
Frozen = dict[tuple[Any, int], Line]
"""Lines by width and start."""


def freeze(session: WriteSession, measure_id: int, lines: Mapping[Any, Line]) -> None:
    """Keep the counts of *lines*, by width and start, in place of any that are kept."""
    rows = [
        (measure_id, interval.months, start, msgspec.json.encode(line).decode())
        for (interval, start), line in lines.items()
    ]
    table: Any = tables.FrozenCount
    columns = ("measure_id", "grain", "month", "counts")
    insert_rows(session, table.__table__, columns, rows, replace=("counts",))


def frozen(session: ReadSession, measure_id: int, *, since: int) -> Frozen:
    """Return what is kept of a measure's lines from the month number *since* on."""
    query = select(tables.FrozenCount).where(
        tables.FrozenCount.measure_id == measure_id,
        tables.FrozenCount.month >= since,
    )
    return {
        (INTERVALS[row.grain], row.month): msgspec.json.decode(
            row.counts, type=dict[int, tuple[int, ...]]
        )
        for row in session.exec(query)
    }

"""True cells of a measure out of the store, at any width."""

from collections.abc import Collection

from app.domain.counts import Cell, Interval
from app.domain.keeping import Keeping
from app.measures.definitions import Measure
from app.measures.series import cells as cells_of
from app.measures.shortfalls import first_month
from app.services.hub import Hub
from app.services.summaries import summary_true_cells
from app.store import recounts
from app.store.recounts import EventRow, MeasureRow
from app.store.sessions import ReadSession


def measure_rows(session: ReadSession, hub: Hub) -> dict[str, MeasureRow]:
    """Return the store's row of each loaded definition, by the measure's id."""
    rows = {(row.code, row.digest): row for row in recounts.known_measures(session)}
    return {
        m.id: rows[m.id, m.digest] for m in hub.measures if (m.id, m.digest) in rows
    }


def true_cells(
    session: ReadSession,
    measure: Measure,
    row: MeasureRow,
    *,
    clinics: Collection[int],
    before_month: int,
    keeping: Keeping,
    widths: Collection[Interval] = tuple(Interval),
) -> list[Cell]:
    """
    Return the true counts of *clinics* at each of *widths*, up to *before_month*.

    Quarters come with their strata too. Nothing comes before the first month in which
    anybody counted, nor of what the policy keeps too little for: widths that are finer
    than its dates, and months in which it can't tell ages.
    """
    if measure.summary is not None:
        return summary_true_cells(
            session, measure, clinic_ids=clinics, before_month=before_month
        )
    events = recounts.read_events(session, row.id, clinic_ids=clinics)
    return cells_of_events(
        events,
        measure=measure,
        before_month=before_month,
        keeping=keeping,
        widths=widths,
    )


def cells_of_events(
    events: list[EventRow],
    *,
    measure: Measure,
    before_month: int,
    keeping: Keeping,
    widths: Collection[Interval] = tuple(Interval),
) -> list[Cell]:
    """Return the cells of *events* at each of *widths*, as ``true_cells`` does."""
    if not events:
        return []
    first = max(min(e.month for e in events), first_month(measure, keeping))
    return [
        cell
        for interval in widths
        if interval.months >= keeping.finest.months
        for cell in _of_width(events, measure, interval, first, before_month)
    ]


def _of_width(
    events: list[EventRow],
    measure: Measure,
    interval: Interval,
    first_month: int,
    before_month: int,
) -> list[Cell]:
    """Return totals of one width, and strata where it is the quarter."""
    span = {"first_month": first_month, "last_month": before_month - 1}
    totals = cells_of(events, measure=measure, interval=interval, strata=False, **span)
    if interval is not Interval.QUARTER or not measure.stratifiers:
        return totals
    return [
        *totals,
        *cells_of(events, measure=measure, interval=interval, strata=True, **span),
    ]

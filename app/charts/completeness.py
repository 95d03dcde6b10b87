"""How complete the data behind a measure are, interval by interval, as a picture."""

from collections.abc import Sequence

from app.charts.descriptions import interval_label
from app.charts.vega_layers import (
    BLUE,
    EXPECTED,
    PALE,
    PROVISIONAL,
    Spec,
    curve,
    marks,
    proportion_axis,
    sheet,
    time_axis,
)
from app.domain.calendar import first_day
from app.domain.counts import ReleasedCell

HEIGHT = 120
SUBTITLE = "Patients who could be scored, of all who belong to the measure"


def completeness_of(cell: ReleasedCell) -> float | None:
    """Return scored / population, in [0, 1], where both are told."""
    if not cell.population or cell.scored is None:
        return None
    return cell.scored / cell.population


def completeness_spec(cells: Sequence[ReleasedCell], *, title: str) -> Spec:
    """
    Return the picture of completeness over time; *cells* are in time order.

    An interval of which it is not told breaks the line, and stands on the time axis.
    """
    rows = [_row(cell) for cell in cells]
    known = [row for row in rows if row["value"] is not None]
    without = [row for row in rows if row["value"] is None]
    y = proportion_axis([0.0, 1.0], title="Completeness")
    kinds = {row["kind"] for row in rows}
    return {
        **sheet(title, [SUBTITLE], completeness_description(cells, title=title)),
        "height": HEIGHT,
        "data": {"values": rows},
        "encoding": {
            "x": time_axis([cell.interval_start for cell in cells], cells[0].interval)
        },
        "layer": [
            {
                "mark": {"type": "area", "color": PALE, "opacity": 0.35},
                "encoding": {"y": {"field": "value", **y}},
            },
            curve("value", y, color=BLUE, strokeWidth=1.2),
            marks(known, {"field": "value", **y}, kinds=kinds),
            marks(without, {"value": HEIGHT - 7}, kinds=kinds),
        ],
    }


def completeness_description(cells: Sequence[ReleasedCell], *, title: str) -> str:
    """Return what a screen reader says of the picture."""
    told = {
        cell.interval_start: share
        for cell in cells
        if (share := completeness_of(cell)) is not None
    }
    words = [f"{title}.", f"{len(told)} of {len(cells)} intervals tell of it."]
    if told:
        newest = max(told)
        low, high = min(told.values()), max(told.values())
        words.append(f"Between {low:.1%} and {high:.1%};")
        words.append(
            f"{told[newest]:.1%} in {interval_label(newest, cells[0].interval)}."
        )
    return " ".join(words)


def _row(cell: ReleasedCell) -> Spec:
    value = completeness_of(cell)
    kind = PROVISIONAL if cell.provisional else EXPECTED
    if value is None:
        kind = (cell.withheld or "suppressed").replace("-", " ")
    return {
        "start": first_day(cell.interval_start).isoformat(),
        "value": value,
        "numerator": cell.scored,
        "denominator": cell.population,
        "kind": kind,
    }

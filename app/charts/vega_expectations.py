"""What a project's clinics reached beside what would have been, as a picture."""

from collections.abc import Sequence
from itertools import chain

from app.charts.interventions import ChangeEstimate
from app.charts.vega_layers import (
    BLUE,
    GREY,
    Spec,
    curve,
    end_labels,
    mean_axis,
    proportion_axis,
    sheet,
    time_axis,
)
from app.domain.calendar import first_day
from app.domain.counts import Interval
from app.domain.scales import Scale

SUBTITLE = "Solid: what the clinics reached. Dashed: expected without the project."


def expectation_spec(
    estimate: ChangeEstimate, *, title: str, interval: Interval, scale: Scale
) -> Spec:
    """Return the picture of an estimate that has intervals."""
    told = estimate.intervals
    rows = [
        {
            "start": first_day(each.interval_start).isoformat(),
            "observed": each.observed,
            "expected": each.expected,
        }
        for each in told
    ]
    drawn = chain.from_iterable((each.observed, each.expected) for each in told)
    y = (
        proportion_axis(drawn, title="Share of patients")
        if scale.is_proportion
        else mean_axis(drawn, scale)
    )
    dots = {"type": "point", "filled": True, "color": BLUE, "size": 50, "opacity": 1}
    return {
        **sheet(title, [SUBTITLE], f"{title}. {estimate.words}"),
        "data": {"values": rows},
        "encoding": {"x": time_axis([each.interval_start for each in told], interval)},
        "layer": [
            curve("expected", y, color=GREY, strokeWidth=1.5, strokeDash=[4, 3]),
            curve("observed", y, color=BLUE, strokeWidth=1.5),
            {"mark": dots, "encoding": {"y": {"field": "observed", **y}}},
            *end_labels(_ends(rows), y),
        ],
    }


def _ends(rows: Sequence[Spec]) -> list[tuple[str, float]]:
    """Return what the lines are called, at their last values."""
    found = []
    for name in ("observed", "expected"):
        known = [row[name] for row in rows if row[name] is not None]
        found += [(name, known[-1])] if known else []
    return found

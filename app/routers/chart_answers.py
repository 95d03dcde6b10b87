"""Control charts as answers: every point with its lines and signals."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import Field

from app.charts.measure_charts import ChartPoint
from app.domain.annotations import ChartView
from app.domain.calendar import first_day
from app.domain.counts import ReleasedCell
from app.routers.annotation_answers import AnnotationAnswer, annotation_answer
from app.routers.answers import Answer
from app.routers.remark_answers import RemarkAnswer, remark_answers
from app.routers.series_answers import Point, SeriesHead, capture_fields, head, point
from app.services.charts import ChartOf
from app.services.series import Series


class ChartPointAnswer(Point):
    """
    A point on a control chart, with its lines; ``value`` is what the chart is drawn of.

    That is the measure's value but on MR, S and c charts: there it is the moving range,
    the standard deviation, the number of events.
    """

    center_line: float | None
    lower_limit: float | None
    upper_limit: float | None
    lower_2_sigma: float | None
    upper_2_sigma: float | None
    signals: list[str]
    phase: int
    known_cause: bool = Field(
        default=False, description="Excluded by a decision: in no line and no run."
    )


class ChartSignalAnswer(Answer):
    """One finding of a rule, and the intervals that make it."""

    rule: str
    phase: int
    intervals: list[date]


class BaselineAnswer(Answer):
    """The points that the lines of a phase come from."""

    phase: int
    points: int
    first: date
    last: date
    frozen: bool


class PhaseAnswer(Answer):
    """A phase of a chart, and by whose decisions it is what it is."""

    phase: int
    interval_start: date
    shift: AnnotationAnswer | None = Field(description="Null of the first phase.")
    baseline: AnnotationAnswer | None = Field(
        description="By which its lines are frozen."
    )


class ShiftAnswer(Answer):
    """The most likely month of a change; suggested, never applied."""

    interval_start: date
    first: date = Field(description="With ``last``, where it is with 95 % certainty.")
    last: date
    before: float
    after: float
    evidence: float = Field(
        description="The log-likelihood ratio of a step against none."
    )
    dispersion: float = Field(
        description="The between-point variance that the evidence is divided by."
    )


class AssuranceAnswer(Answer):
    """Whether a process that stays as it is meets the target; null: see the text."""

    value: Literal["pass", "fail", "hit-and-miss"] | None
    target: float | None
    text: str


class ChartAnswer(SeriesHead):
    """A control chart as numbers, with all that it was made by."""

    chart: str
    reason: str = Field(description="Why it is that chart.")
    rule_set: str
    rule_set_version: str = Field(
        description="Another version may find other signals in the same points."
    )
    sigma_method: str
    sigma_method_version: str
    sigma_z: float | None
    explanation: str = Field(description="Why the limits vary, or do not.")
    assurance: AssuranceAnswer
    view: ChartView = Field(
        description="With what a coordinator decided about it, or as first drawn."
    )
    phases: list[PhaseAnswer]
    exclusions: list[AnnotationAnswer] = Field(
        description="Decisions by which points are in no line and no run."
    )
    annotations: list[AnnotationAnswer] = Field(
        description="Tests of change in the time of the chart."
    )
    baselines: list[BaselineAnswer]
    points: list[ChartPointAnswer]
    signals: list[ChartSignalAnswer]
    suggested_shift: ShiftAnswer | None
    remarks: list[RemarkAnswer]


def chart_answer(found: ChartOf) -> ChartAnswer:
    """Return a control chart as numbers."""
    chart = found.chart
    cells = {cell.interval_start: cell for cell in found.series.cells}
    return ChartAnswer(
        **head(found.series),
        chart=chart.chart,
        reason=chart.reason,
        rule_set=chart.rule_set,
        rule_set_version=chart.rule_set.version,
        sigma_method=chart.sigma_method,
        sigma_method_version=chart.sigma_method_version,
        sigma_z=chart.sigma_z,
        explanation=chart.explanation,
        assurance=AssuranceAnswer(
            value=chart.assurance.outlook,
            target=chart.assurance.target,
            text=chart.assurance.sentence,
        ),
        **_notes(found),
        baselines=[
            BaselineAnswer(
                phase=each.phase,
                points=each.points,
                first=first_day(each.first),
                last=first_day(each.last),
                frozen=each.frozen,
            )
            for each in chart.baselines
        ],
        points=[_chart_point(each, cells, found.series) for each in chart.points],
        signals=[
            ChartSignalAnswer(
                rule=each.rule, phase=each.phase, intervals=_days(each.interval_starts)
            )
            for each in chart.signals
        ],
        suggested_shift=_shift(found),
        remarks=remark_answers(chart.remarks),
    )


def _notes(found: ChartOf) -> dict[str, Any]:
    """Return the fields of a chart that tell what people said and decided."""
    applied = found.applied
    return {
        "view": applied.view,
        "phases": [
            PhaseAnswer(
                phase=number,
                interval_start=first_day(each.begins),
                shift=each.shift and annotation_answer(each.shift),
                baseline=each.baseline and annotation_answer(each.baseline),
            )
            for number, each in enumerate(applied.phases, start=1)
        ],
        "exclusions": [*map(annotation_answer, applied.excluded.values())],
        "annotations": [*map(annotation_answer, found.tests_of_change)],
    }


def _chart_point(
    each: ChartPoint, cells: dict[int, ReleasedCell], series: Series
) -> ChartPointAnswer:
    """Return a point with its lines."""
    cell = cells.get(each.interval_start)
    fields = _gap(each, series) if cell is None else point(cell, series)
    drawn = {"value": each.value, "reason": each.withheld}
    return ChartPointAnswer(
        **fields | drawn,
        center_line=each.center_line,
        lower_limit=each.lower_limit,
        upper_limit=each.upper_limit,
        lower_2_sigma=each.lower_2_sigma,
        upper_2_sigma=each.upper_2_sigma,
        signals=list(each.signals),
        phase=each.phase,
        known_cause=each.excluded,
    )


def _gap(each: ChartPoint, series: Series) -> dict[str, Any]:
    """Return the fields of a point that the chart has and the series has not."""
    counts = ("n", "d", "value", "population", "scored", "completeness")
    return dict.fromkeys(counts) | {
        "interval_start": first_day(each.interval_start),
        "interval_end": first_day(each.interval_start + series.interval.months),
        **capture_fields(series, each.interval_start),
        "suppressed": False,
        "reason": each.withheld,
        "provisional": each.provisional,
    }


def _shift(found: ChartOf) -> ShiftAnswer | None:
    shift = found.shift
    if shift is None:
        return None
    return ShiftAnswer(
        interval_start=first_day(shift.interval_start),
        first=first_day(shift.first),
        last=first_day(shift.last),
        before=shift.before,
        after=shift.after,
        evidence=shift.evidence,
        dispersion=shift.dispersion,
    )


def _days(months: Sequence[int]) -> list[date]:
    return [first_day(month) for month in months]

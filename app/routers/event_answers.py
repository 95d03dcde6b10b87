"""A clinic's own single events and what lay between them, as an answer."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.charts.event_charts import EventChart
from app.charts.lines import Lines
from app.domain.calendar import date_of_day
from app.routers.answers import Answer, moment
from app.routers.measure_answers import MeasureSummary, summary
from app.routers.remark_answers import RemarkAnswer, remark_answers
from app.services.summaries import Gaps

LINES = (
    *("center_line", "lower_limit", "upper_limit"),
    *("lower_2_sigma", "upper_2_sigma"),
)


class EventPoint(Answer):
    """
    An event, and what lay between the one before and it, with its lines.

    ``value`` is 0 between two events of one day, and null where ``reason`` says why.
    """

    day: date
    since: date = Field(description="The day of the event before.")
    value: int | None = Field(description="Days, or opportunities, between the two.")
    reason: (
        Literal["event-without-day", "exposure-without-day", "exposure-missing"] | None
    )
    center_line: float | None
    lower_limit: float | None
    upper_limit: float | None
    lower_2_sigma: float | None
    upper_2_sigma: float | None
    signals: list[str]
    phase: int = 1


class EventSignalAnswer(Answer):
    """One finding of a rule, and the points that make it, counted from 0."""

    rule: str
    phase: int
    points: list[int]


class EventsAnswer(Answer):
    """
    A clinic's own events, for its own eyes, as a t or g chart.

    Between two events longer is better: a point above its upper limit is good news.
    """

    measure: MeasureSummary
    clinic: str
    between: Literal["days", "opportunities"]
    counted_up_to: datetime
    chart: str
    reason: str = Field(description="Why it is that chart.")
    rule_set: str
    rule_set_version: str
    sigma_method: str
    sigma_method_version: str
    explanation: str = Field(description="Why the limits are where they are.")
    points: list[EventPoint]
    signals: list[EventSignalAnswer]
    remarks: list[RemarkAnswer]


def events_answer(found: Gaps, chart: EventChart) -> EventsAnswer:
    """Return a clinic's events, and what lay between one and the next."""
    pairs = zip(found.gaps, chart.points, strict=True)
    return EventsAnswer(
        measure=summary(found.page),
        clinic=found.clinic.code,
        between=found.between.value,
        counted_up_to=moment(found.counted_up_to),
        chart=chart.chart,
        reason=chart.reason,
        rule_set=chart.rule_set,
        rule_set_version=chart.rule_set.version,
        sigma_method=chart.sigma_method,
        sigma_method_version=chart.sigma_method_version,
        explanation=chart.explanation,
        points=[
            EventPoint(
                day=date_of_day(gap.day),
                since=date_of_day(gap.since),
                value=gap.value,
                reason=gap.unknown.value if gap.unknown else None,
                **_lines(drawn.lines),
                signals=list(drawn.signals),
            )
            for gap, drawn in pairs
        ],
        signals=[
            EventSignalAnswer(
                rule=each.rule, phase=each.phase, points=list(each.points)
            )
            for each in chart.signals
        ],
        remarks=remark_answers(chart.remarks),
    )


def _lines(lines: Lines | None) -> dict[str, float | None]:
    """Return the fields of a point that tell its lines."""
    return {name: getattr(lines, name) if lines else None for name in LINES}

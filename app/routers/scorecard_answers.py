"""A clinic's scorecard as an answer, and as CSV."""

from datetime import date, datetime

from fastapi import Response
from pydantic import Field

from app.domain.calendar import first_day
from app.domain.clinics import Audience
from app.domain.counts import Interval, ReleasedCell, Withheld
from app.routers.answers import Answer, csv_table, moment
from app.routers.measure_answers import MeasureSummary, Target, summary, target
from app.routers.series_answers import Point, cell_fields, point
from app.services.scorecards import Beside, Line, Scorecard


class NetworkAnswer(Answer):
    """The network's published value beside a clinic's."""

    interval_start: date
    interval_end: date = Field(description="The first day after the interval.")
    same_interval: bool = Field(
        description="False: of the clinic's interval none is published; this is the "
        "newest of that width."
    )
    n: int | float | None
    d: int | float | None
    value: float | None


class SparkPoint(Answer):
    """One value of a spark line; null where ``reason`` says why."""

    interval_start: date
    value: float | None
    reason: Withheld | None
    provisional: bool


class ScoreAnswer(Answer):
    """A clinic on one measure."""

    measure: MeasureSummary
    target: Target | None
    interval: Interval
    newest: Point | None = Field(description="The newest interval with a value.")
    network: NetworkAnswer | None
    reason: Withheld | None = Field(description="Why the last interval has no value.")
    withheld: dict[str, int] = Field(
        description="How many intervals have no value, by reason."
    )
    verdict: str = Field(
        description="What the search for signals came to: found, none found, or not "
        "searched."
    )
    signals: list[str] = Field(description="The rules that found something.")
    spark: list[SparkPoint]


class ScorecardAnswer(Answer):
    """
    Every measure of one clinic.

    A clinic's own client gets its own true numbers, ``live``; all others what is
    released to them.
    """

    clinic: str
    name: str
    live: bool
    audience: Audience | None = Field(
        description="Whose release is told; null: nothing has been released."
    )
    release: int | None = Field(
        description="Of the network's numbers, and of the clinic's if not live."
    )
    counted_up_to: datetime | None = Field(
        description="Live numbers hold all that came before."
    )
    policy: str = Field(description="SHA-256 of the de-identification policy.")
    measures: list[ScoreAnswer]


def scorecard_answer(found: Scorecard) -> ScorecardAnswer:
    """Return a scorecard."""
    edition, live = found.edition, found.counted_up_to
    return ScorecardAnswer(
        clinic=found.clinic.code,
        name=found.name,
        live=found.is_live,
        audience=None if edition is None else edition.release.audience,
        release=None if edition is None else edition.release.id,
        counted_up_to=None if live is None else moment(live),
        policy=found.policy_digest,
        measures=[*map(_score, found.lines)],
    )


def _score(line: Line) -> ScoreAnswer:
    newest, chart = line.newest, line.found and line.found.chart
    return ScoreAnswer(
        measure=summary(line.page),
        target=target(line.page),
        interval=line.series.interval,
        newest=newest and Point(**point(newest, line.series)),
        network=line.network and _network(line.network, line),
        reason=line.last_reason,
        withheld={reason.value: count for reason, count in line.withheld.items()},
        verdict=line.verdict,
        signals=[*dict.fromkeys(s.rule for s in chart.signals)] if chart else [],
        spark=[_spark(cell, line) for cell in line.series.cells],
    )


def _network(beside: Beside, line: Line) -> NetworkAnswer:
    told = cell_fields(beside.cell, line.page)
    names = NetworkAnswer.model_fields.keys() & told.keys()
    return NetworkAnswer(
        same_interval=beside.is_same_interval, **{name: told[name] for name in names}
    )


def _spark(cell: ReleasedCell, line: Line) -> SparkPoint:
    return SparkPoint(
        interval_start=first_day(cell.interval_start),
        value=line.page.scale.value(cell),
        reason=cell.withheld,
        provisional=cell.provisional,
    )


COLUMNS = (
    "clinic", "live", "measure", "version", "improvement_notation", "target",
    "target_citation", "interval", "interval_start", "interval_end", "n", "d", "value",
    "completeness", "provisional", "reason", "network_interval_start", "network_n",
    "network_d", "network_value", "verdict", "signals", "release", "counted_up_to",
    "policy",
)  # fmt: skip


def scorecard_csv(answer: ScorecardAnswer) -> Response:
    """Return a scorecard as CSV: a line a measure, empty where a value is withheld."""
    return csv_table(COLUMNS, (_row(score, answer) for score in answer.measures))


def _row(score: ScoreAnswer, card: ScorecardAnswer) -> dict[str, object]:
    newest, network, live = score.newest, score.network, card.counted_up_to
    row: dict[str, object] = {
        "clinic": card.clinic,
        "live": card.live,
        "measure": score.measure.id,
        "version": score.measure.version,
        "improvement_notation": score.measure.improvement_notation,
        "interval": score.interval.value,
        "reason": score.reason and score.reason.value,
        "verdict": score.verdict,
        "signals": "; ".join(score.signals),
        "release": card.release,
        "counted_up_to": live and live.isoformat(),
        "policy": card.policy,
    }
    if score.target is not None:
        row["target"] = score.target.value
        row["target_citation"] = score.target.citation
    if newest is not None:
        names = COLUMNS[COLUMNS.index("interval_start") : COLUMNS.index("reason")]
        row |= {name: getattr(newest, name) for name in names}
    if network is not None:
        row |= {
            f"network_{name}": getattr(network, name)
            for name in ("interval_start", "n", "d", "value")
        }
    return row

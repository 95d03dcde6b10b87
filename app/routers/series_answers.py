"""Series as answers, and as CSV: a measure, interval by interval."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from fastapi import Response
from pydantic import Field

from app.charts.completeness import completeness_of
from app.domain.calendar import first_day
from app.domain.clinics import Audience
from app.domain.counts import Interval, ReleasedCell, Withheld
from app.domain.visit_capture import NoCapture
from app.routers.answers import Answer, csv_table, moment
from app.routers.measure_answers import MeasureSummary, summary
from app.services.catalogue import MeasurePage
from app.services.series import Series

PERCENTILES = {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90}


class Missing(Answer):
    """How many people could not be scored because something was not found."""

    component: str = Field(
        description="An observable; other: all were found, but not together, or what "
        "is missing is no observable."
    )
    people: int


class Point(Answer):
    """
    One interval of a series; proportions in [0, 1], unless the measure says otherwise.

    Values may be means (``measure.unit``) or rates (``measure.per``). Where ``reason``
    is set the counts are null: ``suppressed`` for few people, ``no-data``,
    ``not-published``, or that a clinic which counts itself sent no events or no
    exposure, or an exposure of 0. ``n`` and ``d`` are whole numbers, but to three
    decimals where a clinic reads what it counts itself. ``completeness`` is scored /
    population. A mean comes with its sample standard deviation and percentiles, and has
    no ``n``. The last three counts are for a clinic's own eyes.
    """

    interval_start: date
    interval_end: date = Field(description="The first day after the interval.")
    n: int | float | None
    d: int | float | None
    value: float | None
    sd: float | None = None
    p10: float | None = None
    p25: float | None = None
    median: float | None = None
    p75: float | None = None
    p90: float | None = None
    population: int | None
    scored: int | None
    completeness: float | None
    visits_recorded: int | None = Field(
        default=None,
        description="Qualifying visits of the clinic, one a person and day.",
    )
    visits_expected: int | None = Field(
        default=None, description="How many of them the clinic declares to have had."
    )
    visit_capture: float | None = Field(
        default=None, description="Recorded / expected visits; it may exceed 1."
    )
    visit_capture_reason: NoCapture | None = Field(
        default=None, description="Why there is none, of a measure of people."
    )
    suppressed: bool
    reason: Withheld | None
    provisional: bool
    excluded: int | None = None
    excepted: int | None = None
    missing: list[Missing] | None = None
    restated_in: int | None = Field(
        default=None, description="The release that gave it other numbers than before."
    )
    clinics: int | None = Field(
        default=None, description="Of a cohort: how many clinics the counts are of."
    )


class SeriesHead(Answer):
    """What a series or chart is of, and where its numbers come from."""

    measure: MeasureSummary
    clinic: str | None = Field(
        description="Null for the network as a whole, or a cohort."
    )
    cohort: str | None = Field(default=None, description="A named set of clinics.")
    stratum: str | None
    interval: Interval
    audience: Audience | None = Field(
        description="Null for a clinic's own live numbers."
    )
    release: int | None
    counted_up_to: datetime | None = Field(
        description="Live numbers hold all that came before."
    )
    policy: str = Field(description="SHA-256 of the de-identification policy.")
    pooling: str = Field(
        default="The network's value is that of all its patients or exposure together "
        "(sum of n / sum of d, or sum of values / d), not the mean of its clinics'.",
        description="How clinics are pooled.",
    )


class EarlierVersionAnswer(Answer):
    """What was published of a measure by a definition of before."""

    measure: MeasureSummary
    points: list[Point]


class SeriesAnswer(SeriesHead):
    """A measure, interval by interval; no interval is told by two definitions."""

    points: list[Point]
    earlier_versions: list[EarlierVersionAnswer] = Field(
        default=[], description="What was published before the definition changed."
    )


def head(series: Series) -> dict[str, Any]:
    """Return what every answer about a series begins with."""
    live = series.counted_up_to
    return {
        "measure": summary(series.page),
        "clinic": None if series.clinic is None else series.clinic.code,
        "cohort": None if series.cohort is None else series.cohort.code,
        "stratum": series.stratum_name,
        "interval": series.interval,
        "audience": series.audience,
        "release": series.release_id,
        "counted_up_to": None if live is None else moment(live),
        "policy": series.policy_digest,
    }


def series_answer(series: Series) -> SeriesAnswer:
    """Return a series, interval by interval."""
    return SeriesAnswer(
        **head(series),
        points=_points(series),
        earlier_versions=[
            EarlierVersionAnswer(measure=summary(each.page), points=_points(each))
            for each in series.earlier
        ],
    )


def _points(series: Series) -> list[Point]:
    return [Point(**point(cell, series)) for cell in series.cells]


def point(cell: ReleasedCell, series: Series) -> dict[str, Any]:
    """Return the fields of a point."""
    page = series.page
    return {
        **cell_fields(cell, page),
        "sd": cell.deviation,
        **{name: cell.quantile(percent) for name, percent in PERCENTILES.items()},
        **capture_fields(series, cell.interval_start),
        "suppressed": cell.withheld is Withheld.SUPPRESSED,
        "provisional": cell.provisional,
        "excluded": cell.excluded,
        "excepted": cell.excepted,
        "missing": None if cell.missing is None else _missing(cell.missing, page),
        "restated_in": series.restated_in(cell),
        "clinics": series.behind.get(cell.interval_start),
    }


def cell_fields(cell: ReleasedCell, page: MeasurePage) -> dict[str, Any]:
    """Return what every table and answer tells of a cell."""
    n, d = cell.told
    return {
        "interval_start": first_day(cell.interval_start),
        "interval_end": first_day(cell.interval_start + cell.interval.months),
        "n": n,
        "d": d,
        "value": page.scale.value(cell),
        "population": cell.population,
        "scored": cell.scored,
        "completeness": completeness_of(cell),
        "reason": cell.withheld,
    }


def capture_fields(series: Series, interval_start: int) -> dict[str, Any]:
    """Return the fields of a point that tell of visits."""
    capture = series.visit_capture(interval_start)
    if capture is None:
        return {}
    return {
        "visits_recorded": capture.recorded,
        "visits_expected": capture.expected,
        "visit_capture": capture.share,
        "visit_capture_reason": capture.reason,
    }


def _missing(missing: Iterable[tuple[int, int]], page: MeasurePage) -> list[Missing]:
    """Return how many lack each component; who lacks two of them counts twice."""
    people: Counter[str] = Counter()
    for bits, count in missing:
        lacked = (n for n, _ in enumerate(page.lacking) if bits >> n & 1)
        people.update({page.lacking[n]: count for n in lacked})
    return [
        Missing(component=name, people=people[name])
        for name in page.lacking
        if people[name]
    ]


def series_csv(answer: SeriesAnswer) -> Response:
    """
    Return a series as CSV, a line an interval, empty where a value is withheld.

    Each line says by what it was counted, so that it can stand alone.
    """
    counted_by = _counted_by(answer)
    names = [*Point.model_fields, *counted_by]
    return csv_table(names, (_line(each) | counted_by for each in answer.points))


def _line(told: Point) -> dict[str, Any]:
    """Return a point as a line of a table."""
    lacking = told.missing or ()
    missing = "; ".join(f"{each.component}: {each.people}" for each in lacking)
    return told.model_dump(mode="json") | {"missing": missing}


def _counted_by(answer: SeriesAnswer) -> dict[str, Any]:
    """Return which definition a series is of, and as of when."""
    measure, live = answer.measure, answer.counted_up_to
    sets = sorted(measure.value_sets.items())
    return {
        "measure": measure.id,
        "version": measure.version,
        "unit": measure.unit,
        "cut_off_set": measure.cut_off_set,
        "value_sets": "; ".join(f"{name}: {version}" for name, version in sets),
        "digest": measure.digest,
        "policy": answer.policy,
        "release": answer.release,
        "counted_up_to": None if live is None else live.isoformat(),
    }

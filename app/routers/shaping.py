"""From what a service found to what an answer says."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from fastapi import Response

from app.charts.event_charts import EventChart
from app.charts.lines import Lines
from app.charts.measure_charts import ChartPoint
from app.charts.rankings import RANK_METHOD
from app.charts.remarks import Remark
from app.domain.calendar import date_of_day, first_day
from app.domain.counts import ReleasedCell, Withheld
from app.fhir.references import hub_id
from app.routers import answers
from app.routers.record_shaping import annotation_answer, moment
from app.services.catalogue import MeasurePage
from app.services.charts import ChartOf, ComparisonOf, VariationOf
from app.services.patient_statuses import Standings
from app.services.series import Series
from app.services.summaries import Gaps
from app.store.releases import ReleaseRow

PERCENTILES = {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90}


def summary(page: MeasurePage) -> answers.MeasureSummary:
    """Return a measure as one line of the catalogue."""
    names = answers.MeasureSummary.model_fields.keys() - {"unit", "per"}
    return answers.MeasureSummary(
        **{name: getattr(page, name) for name in names},
        unit=page.scale.unit,
        per=page.scale.per,
    )


def definition(page: MeasurePage) -> answers.MeasureDefinition:
    """Return a measure in words and as data."""
    line = summary(page)
    names = answers.MeasureDefinition.model_fields.keys() - line.model_fields_set
    fields = {name: getattr(page, name) for name in names - {"target"}}
    return answers.MeasureDefinition(**dict(line), **fields, target=target(page))


def target(page: MeasurePage) -> answers.Target | None:
    """Return the published aim of a measure, if there is one."""
    if page.target is None:
        return None
    value, citation = page.target
    return answers.Target(
        proportion=value if page.scale.is_proportion else None,
        value=value,
        citation=citation,
    )


def point(cell: ReleasedCell, series: Series) -> dict[str, Any]:
    """Return the fields of a point."""
    page, completeness = series.page, None
    n, d = cell.told
    if cell.population and cell.scored is not None:
        completeness = cell.scored / cell.population
    return {
        "interval_start": first_day(cell.interval_start),
        "interval_end": first_day(cell.interval_start + cell.interval.months),
        "n": n,
        "d": d,
        "value": page.scale.value(cell),
        "sd": cell.deviation,
        **{name: cell.quantile(percent) for name, percent in PERCENTILES.items()},
        "population": cell.population,
        "scored": cell.scored,
        "completeness": completeness,
        **_capture(series, cell.interval_start),
        "suppressed": cell.withheld is Withheld.SUPPRESSED,
        "reason": cell.withheld,
        "provisional": cell.provisional,
        "excluded": cell.excluded,
        "excepted": cell.excepted,
        "missing": None if cell.missing is None else _missing(cell.missing, page),
        "restated_in": series.restated_in(cell),
        "clinics": series.behind.get(cell.interval_start),
    }


def _capture(series: Series, interval_start: int) -> dict[str, Any]:
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


def _missing(
    missing: Iterable[tuple[int, int]], page: MeasurePage
) -> list[answers.Missing]:
    """Return how many lack each component; who lacks two of them counts twice."""
    people: Counter[str] = Counter()
    for bits, count in missing:
        lacked = (n for n, _ in enumerate(page.lacking) if bits >> n & 1)
        people.update({page.lacking[n]: count for n in lacked})
    return [
        answers.Missing(component=name, people=people[name])
        for name in page.lacking
        if people[name]
    ]


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


def series_answer(series: Series) -> answers.SeriesAnswer:
    """Return a series, interval by interval."""
    return answers.SeriesAnswer(
        **head(series),
        points=_points(series),
        earlier_versions=[
            answers.EarlierVersionAnswer(
                measure=summary(each.page), points=_points(each)
            )
            for each in series.earlier
        ],
    )


def _points(series: Series) -> list[answers.Point]:
    return [answers.Point(**point(cell, series)) for cell in series.cells]


def events_answer(found: Gaps, chart: EventChart) -> answers.EventsAnswer:
    """Return a clinic's events, and what lay between one and the next."""
    pairs = zip(found.gaps, chart.points, strict=True)
    return answers.EventsAnswer(
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
            answers.EventPoint(
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
            answers.EventSignalAnswer(
                rule=each.rule, phase=each.phase, points=list(each.points)
            )
            for each in chart.signals
        ],
        remarks=_remarks(chart.remarks),
    )


def _lines(lines: Lines | None) -> dict[str, Any]:
    """Return the fields of a point that tell its lines."""
    lower, upper = (lines.lower, lines.upper) if lines else ((), ())
    return {
        "center_line": lines.center_line if lines else None,
        "lower_limit": lower[2] if lower else None,
        "upper_limit": upper[2] if upper else None,
        "lower_2_sigma": lower[1] if lower else None,
        "upper_2_sigma": upper[1] if upper else None,
    }


def series_csv(answer: answers.SeriesAnswer) -> Response:
    """
    Return a series as CSV, a line an interval, empty where a value is withheld.

    Each line says by what it was counted, so that it can stand alone.
    """
    text = io.StringIO()
    counted_by = _counted_by(answer)
    names = [*answers.Point.model_fields, *counted_by]
    writer = csv.DictWriter(text, fieldnames=names)
    writer.writeheader()
    for each in answer.points:
        fields = each.model_dump(mode="json") | counted_by
        lacking = each.missing or ()
        fields["missing"] = "; ".join(f"{m.component}: {m.people}" for m in lacking)
        writer.writerow(fields)
    return Response(text.getvalue(), media_type="text/csv")


def _counted_by(answer: answers.SeriesAnswer) -> dict[str, Any]:
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


def contributions_answer(found: Standings) -> answers.ContributionsAnswer:
    """Return a clinic's own patients, each by the hub's id."""
    return answers.ContributionsAnswer(
        measure=summary(found.page),
        month=first_day(found.month),
        counted_up_to=moment(found.counted_up_to),
        policy=found.policy_digest,
        contributions=[
            answers.ContributionAnswer.model_validate(
                {
                    "patient": f"Patient/{hub_id(each.patient_id)}",
                    "status": each.status,
                    "strata": list(each.strata),
                    "missing": list(each.missing),
                }
            )
            for each in found.patients
            if each.patient_id is not None
        ],
        next=found.after,
    )


def chart_answer(found: ChartOf) -> answers.ChartAnswer:
    """Return a control chart as numbers."""
    chart = found.chart
    cells = {cell.interval_start: cell for cell in found.series.cells}
    return answers.ChartAnswer(
        **head(found.series),
        chart=chart.chart,
        reason=chart.reason,
        rule_set=chart.rule_set,
        rule_set_version=chart.rule_set.version,
        sigma_method=chart.sigma_method,
        sigma_method_version=chart.sigma_method_version,
        sigma_z=chart.sigma_z,
        explanation=chart.explanation,
        assurance=answers.AssuranceAnswer(
            value=chart.assurance.outlook,
            target=chart.assurance.target,
            text=chart.assurance.sentence,
        ),
        **_notes(found),
        baselines=[
            answers.BaselineAnswer(
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
            answers.ChartSignalAnswer(
                rule=each.rule, phase=each.phase, intervals=_days(each.interval_starts)
            )
            for each in chart.signals
        ],
        suggested_shift=_shift(found),
        remarks=_remarks(chart.remarks),
    )


def _notes(found: ChartOf) -> dict[str, Any]:
    """Return the fields of a chart that tell what people said and decided."""
    applied = found.applied
    return {
        "view": applied.view,
        "phases": [
            answers.PhaseAnswer(
                phase=number,
                interval_start=first_day(each.begins),
                baseline_end=_first_day(drawn.baseline_end),
                shift=each.shift and annotation_answer(each.shift),
                baseline=each.baseline and annotation_answer(each.baseline),
            )
            for number, (each, drawn) in enumerate(
                zip(applied.phases, found.chart.phases, strict=True), start=1
            )
        ],
        "exclusions": [*map(annotation_answer, applied.excluded.values())],
        "annotations": [*map(annotation_answer, found.tests_of_change)],
    }


def _chart_point(
    each: ChartPoint, cells: dict[int, ReleasedCell], series: Series
) -> answers.ChartPointAnswer:
    """Return a point with its lines."""
    cell = cells.get(each.interval_start)
    fields = _gap(each, series) if cell is None else point(cell, series)
    drawn = {"value": each.value, "reason": each.withheld}
    return answers.ChartPointAnswer(
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
        **_capture(series, each.interval_start),
        "suppressed": False,
        "reason": each.withheld,
        "provisional": each.provisional,
    }


def _shift(found: ChartOf) -> answers.ShiftAnswer | None:
    shift = found.shift
    if shift is None:
        return None
    return answers.ShiftAnswer(
        interval_start=first_day(shift.interval_start),
        first=first_day(shift.first),
        last=first_day(shift.last),
        before=shift.before,
        after=shift.after,
        evidence=shift.evidence,
        dispersion=shift.dispersion,
    )


def comparison_answer(found: ComparisonOf) -> answers.ComparisonAnswer:
    """Return every clinic on one measure."""
    comparison, (total,) = found.comparison, found.series.cells
    clinics = [
        answers.ClinicAnswer(
            clinic=found.edition.clinics[each.clinic_id].code,
            name=found.edition.name_of(each.clinic_id),
            n=each.numerator,
            d=each.denominator,
            value=each.value,
            lower=each.lower,
            upper=each.upper,
            limits=_limits(each.limits),
            zone=each.zone,
            rank=each.rank,
            rank_first=each.rank_first,
            rank_last=each.rank_last,
            suppressed=each.withheld is Withheld.SUPPRESSED,
            reason=each.withheld,
        )
        for each in comparison.points
    ]
    return answers.ComparisonAnswer(
        **head(found.series),
        interval_start=first_day(total.interval_start),
        interval_end=first_day(total.interval_start + total.interval.months),
        interval_method=comparison.interval_method.value,
        rank_method=RANK_METHOD,
        target=comparison.target,
        phi=comparison.phi,
        tau2=comparison.tau2,
        benchmarks=answers.BenchmarksAnswer(
            network=comparison.target,
            median_clinic=comparison.median_clinic,
            best_tenth=comparison.best_tenth,
            target=target(found.series.page),
        ),
        clinics=clinics,
        remarks=_remarks(comparison.remarks),
    )


def variation_answer(found: VariationOf) -> answers.VariationAnswer:
    """Return how much clinics differ, interval by interval."""
    months = found.series.interval.months
    names = answers.VariationPoint.model_fields.keys()
    told = names - {"interval_start", "interval_end", "remarks"}
    return answers.VariationAnswer(
        **head(found.series),
        points=[
            answers.VariationPoint(
                interval_start=first_day(each.interval_start),
                interval_end=first_day(each.interval_start + months),
                remarks=_remarks(each.remarks),
                **{name: getattr(each, name) for name in told},
            )
            for each in found.variations
        ],
    )


def _limits(limits: Any) -> answers.FunnelLimitsAnswer | None:  # noqa: ANN401  (a Struct)
    if limits is None:
        return None
    names = answers.FunnelLimitsAnswer.model_fields
    return answers.FunnelLimitsAnswer(**{name: getattr(limits, name) for name in names})


def release_answer(row: ReleaseRow) -> answers.ReleaseAnswer:
    """Return what was published when, under which rules and with what audit."""
    return answers.ReleaseAnswer(
        id=row.id,
        audience=row.audience,
        created_at=moment(row.created_at),
        closed_before=first_day(row.closed_before),
        rules=row.rules_digest,
        policy=row.policy_digest,
        rounded_to=row.rounded_to,
        counts=row.counts,
        summary=dict(row.summary),
        restated=[
            answers.RestatedBlock(
                measure=block.measure_id,
                interval_start=first_day(block.begins),
                interval_end=first_day(block.ends),
            )
            for block in row.restated
        ],
        audit=None if row.audit is None else answers.AuditAnswer(**row.audit),
    )


def _first_day(month: int | None) -> date | None:
    return None if month is None else first_day(month)


def _days(months: Sequence[int]) -> list[date]:
    return [first_day(month) for month in months]


def _remarks(remarks: Sequence[Remark]) -> list[answers.RemarkAnswer]:
    return [answers.RemarkAnswer(code=each.code, text=each.text) for each in remarks]

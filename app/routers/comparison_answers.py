"""Clinics beside each other, and how much they differ, as answers."""

from datetime import date
from typing import Any, Literal

from pydantic import Field

from app.charts.rankings import RANK_METHOD
from app.domain.calendar import first_day
from app.domain.counts import Withheld
from app.routers.answers import Answer
from app.routers.measure_answers import Target, target
from app.routers.remark_answers import RemarkAnswer, remark_answers
from app.routers.series_answers import SeriesHead, head
from app.services.charts import ComparisonOf, VariationOf


class FunnelLimitsAnswer(Answer):
    """Limits at one denominator."""

    denominator: float
    lower_95: float
    upper_95: float
    lower_998: float
    upper_998: float


class ClinicAnswer(Answer):
    """
    One clinic on one measure; ``lower`` and ``upper`` are its 95 % interval.

    Its true rank is one of ``rank_first`` to ``rank_last``: that holds of all clinics
    at once, with 95 %.
    """

    clinic: str
    name: str
    n: int | None
    d: int | None
    value: float | None
    lower: float | None
    upper: float | None
    limits: FunnelLimitsAnswer | None
    zone: str | None
    rank: int | None
    rank_first: int | None
    rank_last: int | None
    suppressed: bool
    reason: Withheld | None


class BenchmarksAnswer(Answer):
    """What a clinic may measure itself by; null: withheld, or there is none."""

    network: float | None = Field(description="The pooled value.")
    median_clinic: float | None
    best_tenth: float | None = Field(
        description="Of the best clinics that together have a tenth of all d (Kiefe)."
    )
    target: Target | None = Field(description="The published aim.")


class ComparisonAnswer(SeriesHead):
    """
    Every clinic on one measure in one interval.

    ``target`` is what the funnel is around: the released network value. Rates and means
    are on the measure's own scale; means have no funnel.
    """

    interval_start: date
    interval_end: date
    interval_method: Literal["wilson", "exact-poisson", "student-t"]
    rank_method: str
    target: float | None
    phi: float | None
    tau2: float | None
    benchmarks: BenchmarksAnswer
    clinics: list[ClinicAnswer]
    remarks: list[RemarkAnswer]


class VariationPoint(Answer):
    """
    How much clinics differ in one interval.

    ``between`` is the standard deviation between clinics beyond chance, on the scale of
    the values, with its 95 % interval; null where the remarks say why.
    """

    interval_start: date
    interval_end: date = Field(description="The first day after the interval.")
    clinics: int = Field(description="How many have a value.")
    network: float | None
    between: float | None
    lower: float | None
    upper: float | None
    phi: float | None
    tau2: float | None
    remarks: list[RemarkAnswer]


class VariationAnswer(SeriesHead):
    """How much clinics differ, interval by interval."""

    points: list[VariationPoint]


def comparison_answer(found: ComparisonOf) -> ComparisonAnswer:
    """Return every clinic on one measure."""
    comparison, (total,) = found.comparison, found.series.cells
    clinics = [
        ClinicAnswer(
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
    return ComparisonAnswer(
        **head(found.series),
        interval_start=first_day(total.interval_start),
        interval_end=first_day(total.interval_start + total.interval.months),
        interval_method=comparison.interval_method.value,
        rank_method=RANK_METHOD,
        target=comparison.target,
        phi=comparison.phi,
        tau2=comparison.tau2,
        benchmarks=BenchmarksAnswer(
            network=comparison.target,
            median_clinic=comparison.median_clinic,
            best_tenth=comparison.best_tenth,
            target=target(found.series.page),
        ),
        clinics=clinics,
        remarks=remark_answers(comparison.remarks),
    )


def _limits(limits: Any) -> FunnelLimitsAnswer | None:  # noqa: ANN401  (a Struct)
    if limits is None:
        return None
    names = FunnelLimitsAnswer.model_fields
    return FunnelLimitsAnswer(**{name: getattr(limits, name) for name in names})


def variation_answer(found: VariationOf) -> VariationAnswer:
    """Return how much clinics differ, interval by interval."""
    months = found.series.interval.months
    names = VariationPoint.model_fields.keys()
    told = names - {"interval_start", "interval_end", "remarks"}
    return VariationAnswer(
        **head(found.series),
        points=[
            VariationPoint(
                interval_start=first_day(each.interval_start),
                interval_end=first_day(each.interval_start + months),
                remarks=remark_answers(each.remarks),
                **{name: getattr(each, name) for name in told},
            )
            for each in found.variations
        ],
    )

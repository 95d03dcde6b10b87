"""Clinics side by side on one measure: intervals, funnel, ranks, best tenth."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from app.charts.binomials import wilson_interval
from app.charts.funnels import (
    FunnelLimits,
    Overdispersion,
    funnel_limits,
    overdispersion,
)
from app.charts.remarks import MIN_CLINICS, Remark, RemarkCode, remark_on
from app.domain.counts import ReleasedCell, Withheld

BEST_SHARE = 0.1
"""The share of the denominator that the best clinics together must reach."""
CURVE_POINTS = 60


class Zone(StrEnum):
    """Where a clinic lies in the funnel."""

    INSIDE = "inside"
    BEYOND_95 = "beyond-95"
    BEYOND_998 = "beyond-99.8"


class ClinicPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic on one measure; all but its id is None where ``withheld`` says why.

    ``lower`` and ``upper`` are the clinic's own 95 % interval (Wilson). ``rank`` counts
    from 1, the best; clinics with the same value share it.
    """

    clinic_id: int
    numerator: int | None = None
    denominator: int | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    limits: FunnelLimits | None = None
    zone: Zone | None = None
    rank: int | None = None
    withheld: Withheld | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """
    All clinics on one measure in one interval.

    ``target`` is the released network proportion. Where ``phi`` and ``tau2`` are None,
    limits are those of chance alone and no clinic has a zone. ``best_tenth`` is the
    pooled proportion of the best clinics that together have a tenth of the denominator.
    ``curves`` are the limits over the range of denominators.
    """

    interval_start: int
    improvement: str
    target: float | None
    phi: float | None
    tau2: float | None
    best_tenth: float | None
    points: tuple[ClinicPoint, ...]
    curves: tuple[FunnelLimits, ...]
    remarks: tuple[Remark, ...]


class _Known(msgspec.Struct, frozen=True):
    """A clinic whose counts are there."""

    clinic_id: int
    numerator: int
    denominator: int

    @property
    def value(self) -> float:
        """Return the proportion."""
        return self.numerator / self.denominator


def compare_clinics(
    cells: Sequence[ReleasedCell], *, network: ReleasedCell, improvement: str
) -> Comparison:
    """
    Return clinics side by side on one measure.

    Args:
        cells: one for each clinic, all of one interval.
        network: the released total of the same interval, the funnel's target.
        improvement: the measure's improvement notation, ``increase`` or ``decrease``.
    """
    known = {clinic.clinic_id: clinic for clinic in _known(cells)}
    clinics = [*known.values()]
    target = network.proportion
    codes = [*_codes(cells, len(known), target)]
    spread = None if codes or target is None else _spread(clinics, target)
    is_whole = RemarkCode.SUPPRESSED_CLINIC not in codes
    ranks = _ranks(clinics, improvement) if is_whole else {}

    def point(cell: ReleasedCell) -> ClinicPoint:
        assert cell.clinic_id is not None
        clinic = known.get(cell.clinic_id)
        if clinic is None:
            why = cell.withheld or Withheld.NO_DATA
            return ClinicPoint(clinic_id=cell.clinic_id, withheld=why)
        limits = _limits(clinic.denominator, target, spread)
        lower, upper = wilson_interval(clinic.numerator, clinic.denominator)
        return ClinicPoint(
            clinic_id=clinic.clinic_id,
            numerator=clinic.numerator,
            denominator=clinic.denominator,
            value=clinic.value,
            lower=lower,
            upper=upper,
            limits=limits,
            zone=_zone(clinic.value, limits) if limits and spread else None,
            rank=ranks.get(clinic.clinic_id),
        )

    return Comparison(
        interval_start=network.interval_start,
        improvement=improvement,
        target=target,
        phi=spread.phi if spread else None,
        tau2=spread.tau2 if spread else None,
        best_tenth=_best_tenth(clinics, improvement) if is_whole else None,
        points=tuple(map(point, cells)),
        curves=tuple(_curves(clinics, target, spread)),
        remarks=tuple(map(remark_on, codes)),
    )


def _known(cells: Sequence[ReleasedCell]) -> Iterator[_Known]:
    for cell in cells:
        clinic_id, x, n = cell.clinic_id, cell.numerator, cell.denominator
        if clinic_id is not None and x is not None and n:
            yield _Known(clinic_id, x, n)


def _codes(
    cells: Sequence[ReleasedCell], known: int, target: float | None
) -> Iterator[RemarkCode]:
    """Yield what keeps the overdispersion from being told."""
    if any(cell.withheld is Withheld.SUPPRESSED for cell in cells):
        yield RemarkCode.SUPPRESSED_CLINIC
    elif known < MIN_CLINICS:
        yield RemarkCode.TOO_FEW_CLINICS
    if target is None:
        yield RemarkCode.NO_TARGET


def _spread(clinics: Sequence[_Known], target: float) -> Overdispersion:
    return overdispersion(
        [clinic.numerator for clinic in clinics],
        [clinic.denominator for clinic in clinics],
        target=target,
    )


def _limits(
    denominator: int, target: float | None, spread: Overdispersion | None
) -> FunnelLimits | None:
    if target is None:
        return None
    tau2 = spread.tau2 if spread else 0.0
    return funnel_limits(denominator, target=target, tau2=tau2)


def _curves(
    clinics: Sequence[_Known], target: float | None, spread: Overdispersion | None
) -> Iterator[FunnelLimits]:
    """Yield the limits at denominators a little beyond the clinics' own range."""
    sizes = [clinic.denominator for clinic in clinics]
    if not sizes:
        return
    low, high = max(1.0, 0.8 * min(sizes)), 1.05 * max(sizes)
    step = (high - low) / CURVE_POINTS
    for size in sorted({round(low + i * step) for i in range(CURVE_POINTS + 1)}):
        if limits := _limits(size, target, spread):
            yield limits


def _zone(value: float, limits: FunnelLimits) -> Zone:
    if not limits.lower_998 <= value <= limits.upper_998:
        return Zone.BEYOND_998
    if not limits.lower_95 <= value <= limits.upper_95:
        return Zone.BEYOND_95
    return Zone.INSIDE


def _ranks(clinics: Sequence[_Known], improvement: str) -> dict[int, int]:
    sign = _sign(improvement)
    values = [sign * clinic.value for clinic in clinics]
    return {
        clinic.clinic_id: 1 + sum(other > sign * clinic.value for other in values)
        for clinic in clinics
    }


def _best_tenth(clinics: Sequence[_Known], improvement: str) -> float | None:
    """
    Return the pooled proportion of the best clinics with a tenth of the denominator.

    Clinics are ordered by (x + 1) / (n + 2), so that a tiny clinic does not lead by
    luck. Source: Kiefe and others, Int J Qual Health Care 1998;10:443-447.
    """

    def order(clinic: _Known) -> float:
        shrunk = (clinic.numerator + 1) / (clinic.denominator + 2)
        return -_sign(improvement) * shrunk

    enough = BEST_SHARE * sum(clinic.denominator for clinic in clinics)
    numerator = denominator = 0
    for clinic in sorted(clinics, key=order):
        if denominator >= enough:
            break
        numerator += clinic.numerator
        denominator += clinic.denominator
    return numerator / denominator if denominator else None


def _sign(improvement: str) -> int:
    return -1 if improvement == "decrease" else 1

"""Clinics side by side on one measure: intervals, funnel, ranks, benchmarks."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from statistics import median

import msgspec

from app.charts.confidence_intervals import IntervalMethod, interval_of, method_of
from app.charts.funnels import FunnelLimits
from app.charts.peers import Peers, peers_of
from app.charts.rankings import best_tenth, rank_intervals, ranks, simultaneous_tail
from app.charts.remarks import Remark, RemarkCode, remark_on
from app.domain.counts import ReleasedCell, Withheld
from app.domain.scales import PROPORTION, Scale

CURVE_POINTS = 60


class Zone(StrEnum):
    """Where a clinic lies in the funnel."""

    INSIDE = "inside"
    BEYOND_95 = "beyond-95"
    BEYOND_998 = "beyond-99.8"


class ClinicPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic on one measure; all but its id is None where ``withheld`` says why.

    ``lower`` and ``upper`` are the clinic's own 95 % interval. ``rank`` counts from 1,
    the best; clinics with the same value share it. Its true rank is one of
    ``rank_first`` to ``rank_last``, jointly for all clinics with 95 %.
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
    rank_first: int | None = None
    rank_last: int | None = None
    withheld: Withheld | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """
    All clinics on one measure in one interval, on the measure's scale.

    ``target`` is the released network value: pooled, not the mean of the clinics'.
    Where ``phi`` and ``tau2`` are None, limits are those of chance alone and no clinic
    has a zone; ``tau2`` is on the scale that ``app.charts.funnels`` names, of means on
    their own. ``median_clinic`` is the median of the clinics' values, ``best_tenth``
    the pooled value of the best clinics that together have a tenth of the denominator.
    ``curves`` are the limits over the range of denominators.
    """

    interval_start: int
    improvement: str
    scale: Scale = PROPORTION
    interval_method: IntervalMethod
    target: float | None
    phi: float | None
    tau2: float | None
    median_clinic: float | None
    best_tenth: float | None
    points: tuple[ClinicPoint, ...]
    curves: tuple[FunnelLimits, ...]
    remarks: tuple[Remark, ...]


def compare_clinics(
    cells: Sequence[ReleasedCell],
    *,
    network: ReleasedCell,
    improvement: str,
    scale: Scale = PROPORTION,
) -> Comparison:
    """
    Return clinics side by side on one measure.

    Proportions have a funnel on the arcsine scale; that of rates is one of standardised
    ratios, in which a clinic is expected to have the network's rate by its exposure;
    means have intervals and no funnel.

    Args:
        cells: one for each clinic, all of one interval.
        network: the released total of the same interval, the funnel's target.
        improvement: the measure's improvement notation, ``increase`` or ``decrease``.
        scale: what the values are.
    """
    peers = peers_of(cells, network=network, scale=scale)
    standing = _standing(peers, improvement)
    spread = peers.spread
    codes = [*peers.codes, *([RemarkCode.MEANS] if scale.is_mean else [])]
    return Comparison(
        interval_start=network.interval_start,
        improvement=improvement,
        scale=scale,
        interval_method=method_of(scale),
        target=peers.target,
        phi=spread.phi if spread else None,
        tau2=spread.tau2 if spread else None,
        median_clinic=_median(peers),
        best_tenth=_best_tenth(peers, improvement),
        points=tuple(
            _point(cell, peers, standing)
            if cell.clinic_id in peers.known
            else _absent(cell)
            for cell in cells
        ),
        curves=tuple(_curves(peers)),
        remarks=tuple(map(remark_on, codes)),
    )


class _Standing(msgspec.Struct, frozen=True):
    """A clinic's rank, and the first and last that it may truly have."""

    rank: int | None = None
    first: int | None = None
    last: int | None = None


def _standing(peers: Peers, improvement: str) -> Mapping[int, _Standing]:
    """Return where each clinic stands; nothing where one is suppressed."""
    if not peers.is_whole or not peers.known:
        return {}
    tail = simultaneous_tail(len(peers.known))
    intervals = {
        clinic: interval_of(cell, peers.scale, tail=tail)
        for clinic, cell in peers.known.items()
    }
    told = {clinic: ends for clinic, ends in intervals.items() if ends}
    is_told = len(told) == len(intervals)
    spans = rank_intervals(told, improvement=improvement) if is_told else {}
    ranked = ranks(_values(peers), improvement=improvement)
    return {
        clinic: _Standing(rank, *spans.get(clinic, ()))
        for clinic, rank in ranked.items()
    }


def _values(peers: Peers) -> dict[int, float]:
    values = {clinic: peers.scale.value(cell) for clinic, cell in peers.known.items()}
    return {clinic: value for clinic, value in values.items() if value is not None}


def _point(
    cell: ReleasedCell, peers: Peers, standing: Mapping[int, _Standing]
) -> ClinicPoint:
    """Return a clinic that has a value."""
    clinic, value, n = cell.clinic_id, peers.scale.value(cell), cell.denominator
    assert clinic is not None
    assert value is not None
    assert n is not None
    limits = peers.limits(n)
    lower, upper = interval_of(cell, peers.scale) or (None, None)
    stands = standing.get(clinic, _Standing())
    return ClinicPoint(
        clinic_id=clinic,
        numerator=cell.numerator,
        denominator=n,
        value=value,
        lower=lower,
        upper=upper,
        limits=limits,
        zone=zone_of(value, limits) if limits and peers.spread else None,
        rank=stands.rank,
        rank_first=stands.first,
        rank_last=stands.last,
    )


def _absent(cell: ReleasedCell) -> ClinicPoint:
    """Return a clinic that has none, with the reason."""
    assert cell.clinic_id is not None
    why = cell.withheld or Withheld.NO_DATA
    return ClinicPoint(clinic_id=cell.clinic_id, withheld=why)


def zone_of(value: float, limits: FunnelLimits) -> Zone:
    """Return where a value lies; on a limit is inside it."""
    if not limits.lower_998 <= value <= limits.upper_998:
        return Zone.BEYOND_998
    if not limits.lower_95 <= value <= limits.upper_95:
        return Zone.BEYOND_95
    return Zone.INSIDE


def _curves(peers: Peers) -> Iterator[FunnelLimits]:
    """Yield the limits at denominators a little beyond the clinics' own range."""
    sizes = [cell.denominator or 0 for cell in peers.known.values()]
    if not sizes:
        return
    low, high = max(1.0, 0.8 * min(sizes)), 1.05 * max(sizes)
    step = (high - low) / CURVE_POINTS
    for size in sorted({round(low + i * step) for i in range(CURVE_POINTS + 1)}):
        if limits := peers.limits(size):
            yield limits


def _median(peers: Peers) -> float | None:
    """Return the middle clinic's value; of an even number the mean of two."""
    values = _values(peers)
    return median(values.values()) if peers.is_whole and values else None


def _best_tenth(peers: Peers, improvement: str) -> float | None:
    """Return the best tenth on the measure's scale; of means there is none."""
    if not peers.is_whole or peers.scale.is_mean or not peers.known:
        return None
    counts = [(c.numerator or 0, c.denominator or 0) for c in peers.known.values()]
    is_rate = peers.scale.per is not None
    found = best_tenth(counts, improvement=improvement, is_rate=is_rate)
    return None if found is None else found * (peers.scale.per or 1)

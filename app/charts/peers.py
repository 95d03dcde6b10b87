"""The clinics of one interval around the network's value: their spread and limits."""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

import msgspec

from app.charts.funnels import (
    FunnelKind,
    FunnelLimits,
    Overdispersion,
    Scores,
    funnel_limits,
    overdispersion,
    scores_of,
    tau_interval,
)
from app.charts.remarks import MIN_CLINICS, RemarkCode
from app.domain.counts import ReleasedCell, Withheld
from app.domain.scales import Scale


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """
    Clinics that are compared with the network's value, ``target``.

    ``known`` are the cells that have a value, by clinic. ``codes`` are what keeps their
    differences from being told; only without any there are ``scores`` and ``spread``.
    """

    known: Mapping[int, ReleasedCell]
    target: float | None
    scale: Scale
    codes: tuple[RemarkCode, ...]
    scores: Scores | None
    spread: Overdispersion | None

    @property
    def is_whole(self) -> bool:
        """Return whether no clinic is suppressed."""
        return RemarkCode.SUPPRESSED_CLINIC not in self.codes

    @property
    def _expects_nothing(self) -> bool:
        return RemarkCode.NOTHING_EXPECTED in self.codes

    def limits(self, denominator: int) -> FunnelLimits | None:
        """Return the funnel there, on the measure's scale; of means there is none."""
        if self.target is None or self.scale.is_mean or self._expects_nothing:
            return None
        per, tau2 = self.scale.per, self.spread.tau2 if self.spread else 0.0
        if per is None:
            return funnel_limits(denominator, target=self.target, tau2=tau2)
        expected = denominator * self.target / per
        found = funnel_limits(
            expected,
            target=self.target,
            tau2=tau2,
            kind=FunnelKind.STANDARDISED_RATIO,
        )
        return msgspec.structs.replace(found, denominator=denominator)

    def tau(self) -> tuple[float, float, float] | None:
        """
        Return the deviation between clinics, and the ends of its 95 % interval.

        On the measure's scale, by the delta method at the network's value: of
        proportions 2 tau sqrt(p (1 - p)), of rates the rate times tau, of means tau.
        """
        if self.scores is None or self.spread is None or self.target is None:
            return None
        factor = 1.0
        if self.scale.is_proportion:
            factor = 2 * sqrt(self.target * (1 - self.target))
        if self.scale.per is not None:
            factor = self.target
        lower, upper = tau_interval(self.scores)
        return factor * sqrt(self.spread.tau2), factor * lower, factor * upper


def peers_of(
    cells: Sequence[ReleasedCell], *, network: ReleasedCell, scale: Scale
) -> Peers:
    """
    Return the clinics of one interval around its released network total.

    Args:
        cells: one for each clinic.
        network: the total, which gives proportions and rates their target.
        scale: what the values are.
    """
    known = {
        cell.clinic_id: cell
        for cell in cells
        if cell.clinic_id is not None and scale.value(cell) is not None
    }
    target = scale.value(network)
    codes = tuple(_codes(cells, len(known), target, scale))
    scores = None if codes else _scores([*known.values()], target or 0.0, scale)
    kind = FunnelKind.PROPORTION if scale.per is None else FunnelKind.STANDARDISED_RATIO
    return Peers(
        known=known,
        target=target,
        scale=scale,
        codes=codes,
        scores=scores,
        spread=overdispersion(scores, kind=kind) if scores else None,
    )


def _codes(
    cells: Sequence[ReleasedCell], known: int, target: float | None, scale: Scale
) -> Iterator[RemarkCode]:
    if any(cell.withheld is Withheld.SUPPRESSED for cell in cells):
        yield RemarkCode.SUPPRESSED_CLINIC
    elif known < MIN_CLINICS:
        yield RemarkCode.TOO_FEW_CLINICS
    if target is None:
        yield RemarkCode.NO_TARGET
    elif scale.per is not None and not target:
        yield RemarkCode.NOTHING_EXPECTED


def _scores(
    cells: Sequence[ReleasedCell], target: float, scale: Scale
) -> Scores | None:
    """Return clinics' distances from the target; None where a deviation is untold."""
    if scale.is_mean:
        return _scores_of_means(cells, target)
    numerators = [cell.numerator or 0 for cell in cells]
    denominators = [cell.denominator or 0 for cell in cells]
    if scale.per is None:
        return scores_of(numerators, denominators, target=target)
    return scores_of(
        numerators,
        [n * target / scale.per for n in denominators],
        target=1.0,
        kind=FunnelKind.STANDARDISED_RATIO,
    )


def _scores_of_means(cells: Sequence[ReleasedCell], target: float) -> Scores | None:
    """Return z = (mean - target) / s with s = sd / sqrt(n)."""
    told = [
        (cell.mean - target, cell.deviation / sqrt(cell.denominator))
        for cell in cells
        if cell.mean is not None and cell.deviation and cell.denominator
    ]
    if len(told) < len(cells):
        return None
    return Scores(tuple(d / s for d, s in told), tuple(s for _, s in told))

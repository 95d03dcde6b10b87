"""How much clinics differ, interval by interval: that it narrows is a result."""

from collections.abc import Iterable, Sequence

import msgspec

from app.charts.peers import peers_of
from app.charts.remarks import Remark, remark_on
from app.domain.counts import ReleasedCell
from app.domain.scales import Scale


class Variation(msgspec.Struct, frozen=True, kw_only=True):
    """
    The clinics of one interval, on the measure's scale.

    ``network`` is the pooled value. ``between`` is the standard deviation between
    clinics beyond chance, with its 95 % interval; ``tau2`` and ``phi`` are as in a
    comparison. All four are None where ``remarks`` say why.
    """

    interval_start: int
    clinics: int
    network: float | None
    between: float | None = None
    lower: float | None = None
    upper: float | None = None
    phi: float | None = None
    tau2: float | None = None
    remarks: tuple[Remark, ...] = ()


def variations(
    intervals: Iterable[tuple[ReleasedCell, Sequence[ReleasedCell]]], *, scale: Scale
) -> list[Variation]:
    """Return each interval's variation, from its network total and clinics' cells."""
    return [_variation(network, cells, scale) for network, cells in intervals]


def _variation(
    network: ReleasedCell, cells: Sequence[ReleasedCell], scale: Scale
) -> Variation:
    peers = peers_of(cells, network=network, scale=scale)
    blank = Variation(
        interval_start=network.interval_start,
        clinics=len(peers.known),
        network=peers.target,
        remarks=tuple(map(remark_on, peers.codes)),
    )
    found = peers.tau()
    if found is None or peers.spread is None:
        return blank
    between, lower, upper = found
    return msgspec.structs.replace(
        blank,
        between=between,
        lower=lower,
        upper=upper,
        phi=peers.spread.phi,
        tau2=peers.spread.tau2,
    )

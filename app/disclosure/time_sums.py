"""
Clinics' wide cells beside the network's narrower totals: what follows from their sums.

Numbers that add up over time can be taken apart over time. A clinic's quarter all of
which lies in one month can be taken from that month's total; and the quarters of all
clinics, less two months that are told, are the third that is not. Intervals that shown
cells tie together are one such sum. What stays unknown in it, to an outsider and to
each clinic that knows its own, must be at least two numbers, and large. Where both
clinics and totals are unknown, their difference is all that follows, and gives neither
away.
"""

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from app.disclosure.lines import TO_HIDE_BEHIND, Counts, is_large, pooled

Place = tuple[int, int]
"""A clinic and the start of one of the network's intervals."""
Span = AbstractSet[Place]
"""What one shown cell of a clinic adds up."""


class Sums(NamedTuple):
    """What clinics add to each interval of the network, and which totals are told."""

    amounts: Mapping[Place, Counts]
    told: AbstractSet[int]
    k: int
    zero_is_small: bool


def gives_nothing_away(sums: Sums, shown: Collection[Span]) -> bool:
    """Tell whether *shown* cells and told totals leave what is hidden unknown."""
    onlookers = {None, *(clinic for clinic, _ in sums.amounts)}
    return all(_is_opaque(sums, shown, onlooker) for onlooker in onlookers)


def _is_opaque(sums: Sums, shown: Collection[Span], onlooker: int | None) -> bool:
    """Tell whether nothing follows for *onlooker*, who knows its own numbers."""
    unknown = {place for place in sums.amounts if place[0] != onlooker}
    cells = [cell for span in shown if (cell := span & unknown)]
    told = sums.told | _open(unknown, cells)
    return all(
        _is_safe(sums, unknown, cells, untold=tied - told, tied=tied)
        for tied in _tied({start for _, start in unknown}, cells)
    )


def _open(unknown: Span, cells: Collection[Span]) -> set[int]:
    """Return the intervals of which each number is told, or was known before."""
    single = {place for cell in cells if len(cell) == 1 for place in cell}
    return {start for _, start in unknown} - {start for _, start in unknown - single}


def _tied(starts: AbstractSet[int], cells: Collection[Span]) -> Iterator[set[int]]:
    """Yield the intervals that belong together, as shown cells reach across them."""
    groups = [{start} for start in sorted(starts)]
    for cell in cells:
        across = {start for _, start in cell}
        touched = [group for group in groups if group & across]
        groups = [group for group in groups if not group & across]
        groups.append(set().union(*touched))
    yield from groups


def _is_safe(
    sums: Sums,
    unknown: Span,
    cells: Collection[Span],
    *,
    untold: AbstractSet[int],
    tied: AbstractSet[int],
) -> bool:
    """Tell whether the sum of some intervals leaves enough unknown."""
    hidden = {place for place in unknown if not any(place in cell for cell in cells)}
    clinics = _grouped(sums, {place for place in hidden if place[1] in tied}, by=0)
    totals = _grouped(sums, {place for place in unknown if place[1] in untold}, by=1)
    if bool(clinics) == bool(totals):
        return True
    parts = clinics or totals
    whole = pooled(own for (_, at), own in sums.amounts.items() if at in tied)
    first = 0 if sums.zero_is_small or whole[0] else 1
    rest = pooled(parts.values())
    return len(parts) >= TO_HIDE_BEHIND and is_large(rest[first:], k=sums.k)


def _grouped(sums: Sums, places: Span, *, by: int) -> dict[int, Counts]:
    """Return the sums of *places* by clinic, 0, or by interval, 1."""
    keys = {place[by] for place in places}
    return {
        key: pooled(sums.amounts[place] for place in places if place[by] == key)
        for key in keys
    }

"""What is hidden where an audit fails: first a total, then all that is fresh."""

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from app.disclosure.audits import Failure
from app.disclosure.blocks import YEAR
from app.disclosure.cubes import Slot
from app.disclosure.releases import NETWORK, Key, place_of
from app.domain.counts import Basis, ReleasedCell, Withheld

Remedy = Callable[[ReleasedCell, Failure, Basis], bool]


def without_totals(cell: ReleasedCell, failure: Failure, basis: Basis) -> bool:
    """Tell whether *cell* is the network's own where an audit failed, or a stratum."""
    return cell.clinic_id is NETWORK and _is_same_line(_slot(cell), failure.slot, basis)


def without_block(cell: ReleasedCell, failure: Failure, basis: Basis) -> bool:
    """Tell whether *cell* stands in the block in which an audit failed."""
    if basis is Basis.LATEST_STATUS:
        return _is_same_line(_slot(cell), failure.slot, basis)
    return cell.interval_start // YEAR == failure.slot[1] // YEAR


REMEDIES: Sequence[Remedy] = (without_totals, without_block)
"""What is tried, one after the other."""


def hidden(
    cells: Iterable[ReleasedCell],
    failures: Sequence[Failure],
    *,
    remedy: Remedy,
    basis: Basis,
    published: Collection[Key],
) -> list[ReleasedCell]:
    """Return *cells* with those hidden that a *remedy* asks for; none *published*."""
    return [
        cell
        if place_of(cell) in published
        else _hidden(cell, [each for each in failures if remedy(cell, each, basis)])
        for cell in cells
    ]


def _hidden(cell: ReleasedCell, failures: Sequence[Failure]) -> ReleasedCell:
    """Return a cell without what *failures* are about."""
    if not failures or cell.withheld is not None:
        return cell
    if all(failure.complete for failure in failures):
        return msgspec.structs.replace(cell, population=None, scored=None)
    return cell.blank(Withheld.SUPPRESSED)


def _slot(cell: ReleasedCell) -> Slot:
    return cell.interval, cell.interval_start


def _is_same_line(one: Slot, other: Slot, basis: Basis) -> bool:
    """Tell whether two slots show the same numbers: a latest status is of a day."""
    if basis is not Basis.LATEST_STATUS:
        return one == other
    return one[1] + one[0].months == other[1] + other[0].months

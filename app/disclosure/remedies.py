"""What is hidden where an audit fails: a total, all of a block, then its clinics."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from app.disclosure.audits import Audit, Failure, Findings
from app.disclosure.blocks import YEAR
from app.disclosure.bounds import Key, place_of
from app.disclosure.cubes import Slot
from app.disclosure.releases import NETWORK
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


def without_all_totals(cell: ReleasedCell, failure: Failure, basis: Basis) -> bool:
    """Tell whether *cell* is the network's own in the block of a failure."""
    return cell.clinic_id is NETWORK and without_block(cell, failure, basis)


REMEDIES: Sequence[Remedy] = (without_totals, without_all_totals, without_block)
"""What is tried, one after the other."""


class Remedied(NamedTuple):
    """A release after its audit: what is left of it, and what was found."""

    cells: dict[int, list[ReleasedCell]]
    findings: Findings


def remedied(
    cells: Mapping[int, Sequence[ReleasedCell]],
    *,
    audit: Callable[[Mapping[int, Sequence[ReleasedCell]], Collection[int]], Findings],
    bases: Mapping[int, Basis],
    published: Mapping[int, Collection[Key]],
) -> Remedied:
    """
    Return a release that shows less where its audit failed; failures left are final.

    Args:
        cells: the release, by measure.
        audit: audits the named measures of a release.
        bases: what each measure that is audited counts.
        published: the places of each that earlier releases have, which stay.
    """
    safe = {measure_id: list(own) for measure_id, own in cells.items()}
    found = audit(safe, bases.keys())
    for remedy in REMEDIES:
        if not found.failures:
            break
        for measure_id in dict.fromkeys(each.measure_id for each in found.failures):
            safe[measure_id] = hidden(
                safe[measure_id],
                [each for each in found.failures if each.measure_id == measure_id],
                remedy=remedy,
                basis=bases[measure_id],
                published=published.get(measure_id, ()),
            )
        again = audit(safe, {one for each in found.failures for one in each.family})
        done = found.audit + again.audit + Audit(remedied=len(found.failures))
        found = Findings(done, again.failures)
    return Remedied(safe, found)


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

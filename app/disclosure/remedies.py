"""
What is hidden where an audit fails: as little as may help, and more if it does not.

A month's hidden total can mostly be worked out from its quarter's and the other
months'. So the total of one more month is hidden, that of the fewest people; then the
others, the quarter's, all totals of the block, the clinics of the line, and the block.
Hiding is what makes a release safe nowhere: that the audit finds nothing is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from app.disclosure.audits import Audit, Failure, Findings
from app.disclosure.blocks import span_of
from app.disclosure.bounds import Key, place_of
from app.disclosure.cubes import Slot
from app.disclosure.releases import NETWORK
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld

Remedy = Callable[[Iterable[ReleasedCell], Failure, Basis], Iterable[ReleasedCell]]
"""Which of some cells to hide where an audit failed."""


def totals_of_line(
    cells: Iterable[ReleasedCell], failure: Failure, basis: Basis
) -> Iterable[ReleasedCell]:
    """Return the network's own cells where an audit failed, strata and all."""
    return _totals(line(cells, failure, basis))


def least_total_beside(
    cells: Iterable[ReleasedCell], failure: Failure, basis: Basis
) -> Iterable[ReleasedCell]:
    """Return the total of the fewest people that, with this one, makes a wider one."""
    around = _around(failure.slot)
    if basis is Basis.LATEST_STATUS or around is None:
        return []
    beside = (
        cell
        for cell in _totals(cells)
        if cell.interval is failure.slot[0] and _around(_slot(cell)) == around
    )
    least = min(beside, key=attrgetter("denominator", "interval_start"), default=None)
    return [] if least is None else [least]


def totals_around(
    cells: Iterable[ReleasedCell], failure: Failure, basis: Basis
) -> Iterable[ReleasedCell]:
    """Return the total of the wider interval, and its strata."""
    around = _around(failure.slot)
    if basis is Basis.LATEST_STATUS:
        return []
    return [cell for cell in _totals(cells) if _slot(cell) == around]


def totals_of_block(
    cells: Iterable[ReleasedCell], failure: Failure, basis: Basis
) -> Iterable[ReleasedCell]:
    """Return the network's own cells in the block of a failure."""
    return _totals(block(cells, failure, basis))


def line(
    cells: Iterable[ReleasedCell], failure: Failure, basis: Basis
) -> Iterable[ReleasedCell]:
    """Return all cells of the line in which an audit failed."""
    if basis is Basis.LATEST_STATUS:
        return block(cells, failure, basis)
    return [cell for cell in cells if _slot(cell) == failure.slot]


def block(
    cells: Iterable[ReleasedCell], failure: Failure, basis: Basis
) -> Iterable[ReleasedCell]:
    """Return all cells of the block in which an audit failed."""
    span = span_of(failure.slot, basis)
    return [cell for cell in cells if span_of(_slot(cell), basis) == span]


REMEDIES: Sequence[Remedy] = (
    totals_of_line,
    least_total_beside,
    totals_around,
    totals_of_block,
    line,
    block,
)
"""What is tried: the first that hides anything more."""


class Remedied(NamedTuple):
    """A release after its audit: what is left of it, and what was found."""

    cells: dict[int, list[ReleasedCell]]
    findings: Findings


def remedied(
    cells: Mapping[int, Sequence[ReleasedCell]],
    *,
    audit: Callable[
        [Mapping[int, Sequence[ReleasedCell]], Sequence[Failure] | None], Findings
    ],
    bases: Mapping[int, Basis],
    published: Mapping[int, Collection[Key]],
) -> Remedied:
    """
    Return a release that shows less where its audit failed; failures left are final.

    Args:
        cells: the release, by measure.
        audit: audits the blocks of a release in which it failed before; None: all.
        bases: what each measure that is audited counts.
        published: the places of each that earlier releases have, which stay.
    """
    safe = {measure_id: list(own) for measure_id, own in cells.items()}
    found = audit(safe, None)
    done, unsafe = found.audit, set(found.failures)
    while found.failures:
        less = {
            measure_id: hidden(
                safe[measure_id],
                [each for each in found.failures if each.measure_id == measure_id],
                basis=bases[measure_id],
                published=published.get(measure_id, ()),
            )
            for measure_id in dict.fromkeys(each.measure_id for each in found.failures)
        }
        if all(safe[measure_id] == own for measure_id, own in less.items()):
            break
        safe |= less
        found = audit(safe, found.failures)
        done += found.audit
        unsafe |= set(found.failures)
    return Remedied(safe, Findings(done + Audit(remedied=len(unsafe)), found.failures))


def hidden(
    cells: Sequence[ReleasedCell],
    failures: Iterable[Failure],
    *,
    basis: Basis,
    published: Collection[Key],
) -> list[ReleasedCell]:
    """Return *cells* with some more hidden for each failure; none *published*."""
    changed: dict[Key, ReleasedCell] = {}
    for failure in failures:
        tells = [
            cell
            for cell in cells
            if _tells(cell, failure) and place_of(cell) not in published
        ]
        remedies = (remedy(tells, failure, basis) for remedy in REMEDIES)
        for cell in next(filter(None, remedies), ()):
            place = place_of(cell)
            changed[place] = _hidden(changed.get(place, cell), failure)
    return [changed.get(place_of(cell), cell) for cell in cells]


def _tells(cell: ReleasedCell, failure: Failure) -> bool:
    """Tell whether *cell* shows any of what a failure is about."""
    return (cell.population if failure.complete else cell.denominator) is not None


def _hidden(cell: ReleasedCell, failure: Failure) -> ReleasedCell:
    """Return a cell without what a failure is about."""
    if failure.complete:
        return msgspec.structs.replace(cell, population=None, scored=None)
    return cell.blank(Withheld.SUPPRESSED)


def _totals(cells: Iterable[ReleasedCell]) -> list[ReleasedCell]:
    """Return the network's own of some cells."""
    return [cell for cell in cells if cell.clinic_id is NETWORK]


def _slot(cell: ReleasedCell) -> Slot:
    return cell.interval, cell.interval_start


def _around(slot: Slot) -> Slot | None:
    """Return the next wider slot; None: there is none."""
    interval, start = slot
    wider = next((each for each in Interval if each.months > interval.months), None)
    return None if wider is None else (wider, start - start % wider.months)

"""The true counts behind a release, line by line: those of now, and those frozen."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from app.disclosure.audits import Table
from app.disclosure.blocks import Published, TrueLine
from app.disclosure.bounds import Key
from app.disclosure.cubes import Slot, lines, quarters, strata
from app.disclosure.releases import NETWORK
from app.disclosure.states import States
from app.disclosure.terms import ALWAYS, Terms
from app.domain.counts import Basis, Cell, Interval, ReleasedCell

Lines = dict[tuple[Slot, ...], TrueLine]


def true_lines(
    cells: Sequence[Cell],
    *,
    basis: Basis,
    states: States,
    closed_before: int,
    terms: Terms = ALWAYS,
) -> Lines:
    """Return the people of each clinic in every locked line, by state."""
    return {
        line.slots: {c: states.people(cell) for c, cell in line.cells.items()}
        for line in lines(cells, basis=basis, closed_before=closed_before, terms=terms)
    }


def fresh_lines(
    found: Collection[tuple[Slot, ...]], earlier: Mapping[Key, ReleasedCell]
) -> frozenset[tuple[Slot, ...]]:
    """Return the lines that the audience's last release did not have."""
    return frozenset(
        slots
        for slots in found
        if not any((NETWORK, *slot, 0) in earlier for slot in slots)
    )


def fresh_tables(
    cells: Sequence[Cell],
    published: Published,
    *,
    stratifiers: Sequence[range],
    closed_before: int,
    terms: Terms = ALWAYS,
) -> Iterator[Table]:
    """Yield the true strata of each fresh quarter, by stratifier."""
    by_block = {block: quarters(cells, block=block) for block in stratifiers}
    for line in lines(
        cells, basis=published.basis, closed_before=closed_before, terms=terms
    ):
        if line.slots not in published.fresh:
            continue
        for slot in line.slots:
            if slot[0] is Interval.QUARTER:
                for found in by_block.values():
                    table = strata(found(slot[1]), totals=line.cells)
                    yield Table(published.measure_id, slot, published.states, table)

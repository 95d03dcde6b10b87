"""
A measure that is part of others: who lies between them is a group of people as well.

Of 40 people in low disease activity 37 are in inactive disease: the two numbers side by
side tell of three. So whoever meets the wider measure and not this one is counted in
each cell of this one, and judged with the other groups in it. Where the denominators
are not of the same people, so are those who are in the wider one alone; and likewise
the populations.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import NamedTuple

import msgspec

from app.disclosure.cubes import empty
from app.domain.counts import Cell, Interval

Place = tuple[int, Interval, int, int]
"""Clinic, width, start, stratum."""
Beyond = Mapping[Place, int]
Count = Callable[[Cell], int]


class Wider(NamedTuple):
    """A wider measure's true cells, and its stratum for each that both have."""

    cells: Sequence[Cell]
    strata: Mapping[int, int]


def with_beyond(
    cells: Sequence[Cell], wider: Sequence[Wider], *, block: range = range(0)
) -> list[Cell]:
    """
    Return totals and the strata of *block*, with who is counted in *wider* beyond them.

    A wider measure without these strata has no part in them. Where no cell of two
    measures differs in its denominator they count the same people, and there is no
    difference to be found; nor is there where now one has more, now the other, since
    then their difference is not of people.
    """
    if not wider:
        return list(cells)
    here = {0, *block}
    own = {_place(cell): cell for cell in cells if cell.stratum in here}
    strata = {stratum for *_, stratum in own}
    others = [
        _in_numbers_of(each, strata)
        for each in wider
        if each.strata.keys() >= set(block)
    ]
    for place in {place for other in others for place in other} - own.keys():
        own[place] = empty(*place)
    beyond: list[Beyond] = []
    people: list[Beyond] = []
    for other in others:
        beyond.append(_more(own, other, attrgetter("numerator")))
        beyond += _apart(_more(own, other, attrgetter("denominator")))
        people += _apart(_more(own, other, attrgetter("population")))
    return [
        msgspec.structs.replace(
            cell,
            beyond=tuple(each[place] for each in beyond),
            beyond_population=tuple(each[place] for each in people),
        )
        for place, cell in sorted(own.items())
    ]


def _place(cell: Cell) -> Place:
    return cell.clinic_id, cell.interval, cell.interval_start, cell.stratum


def _in_numbers_of(wider: Wider, here: AbstractSet[int]) -> dict[Place, Cell]:
    """Return a wider measure's cells at the places of the narrower one."""
    numbers = {there: own for own, there in wider.strata.items() if own in here} | {
        0: 0
    }
    return {
        (cell.clinic_id, cell.interval, cell.interval_start, numbers[cell.stratum]): (
            cell
        )
        for cell in wider.cells
        if cell.stratum in numbers
    }


def _more(
    own: Mapping[Place, Cell], other: Mapping[Place, Cell], count: Count
) -> Beyond:
    """Return how many more are counted there than here, place by place."""
    return {
        place: (count(other[place]) if place in other else 0) - count(cell)
        for place, cell in own.items()
    }


def _apart(more: Beyond) -> Iterator[Beyond]:
    """Yield who is in one of two measures alone, if these are people, and anybody."""
    found = set(more.values()) - {0}
    if found and min(found) > 0:
        yield more
    if found and max(found) < 0:
        yield {place: -each for place, each in more.items()}

"""What measures say of each other, held to what was counted."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from app.domain.counts import Cell, Interval
from app.measures.definitions import Measure

_Place = tuple[int, Interval, int]


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """
    A cell in which a measure is not what it says of another.

    ``others`` are the measures it is a subset of (then one) or the sum of;
    ``interval_start`` is a month number.
    """

    measure_id: str
    others: tuple[str, ...]
    clinic_id: int
    interval: Interval
    interval_start: int


def breaches(
    measures: Sequence[Measure], cells: Mapping[str, Sequence[Cell]]
) -> Iterator[Breach]:
    """
    Yield each cell in which a declared relation does not hold.

    A subset meets the measure in no more people than the other does; a sum in exactly
    as many as its parts together. A cell that one of them lacks has nobody in it.

    Args:
        measures: Definitions; their ``subset_of`` and ``sum_of`` name others of them.
        cells: Their true totals at every width, by id.
    """
    for measure in measures:
        for other in measure.subset_of:
            for place, own, part in _beside(cells, measure.id, [other]):
                if own > part:
                    yield _breach(measure, (other,), place)
        if measure.sum_of:
            for place, own, parts in _beside(cells, measure.id, measure.sum_of):
                if own != parts:
                    yield _breach(measure, measure.sum_of, place)


def _beside(
    cells: Mapping[str, Sequence[Cell]], own: str, others: Sequence[str]
) -> Iterator[tuple[_Place, int, int]]:
    """Yield who meets a measure and who meets the *others* together, cell by cell."""
    mine = _numerators(cells.get(own, ()))
    theirs = [_numerators(cells.get(other, ())) for other in others]
    for place in sorted(mine.keys() | {p for each in theirs for p in each}):
        yield place, mine.get(place, 0), sum(each.get(place, 0) for each in theirs)


def _numerators(cells: Sequence[Cell]) -> dict[_Place, int]:
    return {
        (cell.clinic_id, cell.interval, cell.interval_start): cell.numerator
        for cell in cells
        if not cell.stratum
    }


def _breach(measure: Measure, others: tuple[str, ...], place: _Place) -> Breach:
    clinic_id, interval, start = place
    return Breach(
        measure_id=measure.id,
        others=others,
        clinic_id=clinic_id,
        interval=interval,
        interval_start=start,
    )

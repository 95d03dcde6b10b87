"""A clinic's view of itself: its own true numbers, live."""

from collections.abc import Sequence

from app.disclosure.quantiles import all_quantiles
from app.domain.counts import Cell, ReleasedCell, Withheld


def own_cells(
    cells: Sequence[Cell], *, clinic_id: int, has_numerator: bool, closed_before: int
) -> list[ReleasedCell]:
    """
    Return one clinic's true counts, in time order.

    Nothing is too small for the clinic that treats the people counted. An interval
    without anybody in the denominator is ``no-data``; how many are in the population
    there, were excluded or lacked what, is told all the same. One whose data lock has
    not passed (*closed_before* is a month number) is provisional.
    """
    own = [cell for cell in cells if cell.clinic_id == clinic_id]
    own.sort(key=lambda cell: (cell.stratum, cell.interval.months, cell.interval_start))
    return [_own_cell(cell, closed_before, has_numerator=has_numerator) for cell in own]


def _own_cell(cell: Cell, closed_before: int, *, has_numerator: bool) -> ReleasedCell:
    """Return *cell* as its clinic sees it."""
    has_data = cell.denominator > 0
    has_people = has_data or cell.population > 0
    has_values = has_data and not has_numerator
    return ReleasedCell(
        clinic_id=cell.clinic_id,
        interval=cell.interval,
        interval_start=cell.interval_start,
        stratum=cell.stratum,
        population=cell.population if has_people else None,
        scored=cell.scored if has_people else None,
        denominator=cell.denominator if has_people else None,
        numerator=cell.numerator if has_people and has_numerator else None,
        value_sum=cell.value_sum if has_values else None,
        value_squares=cell.value_squares if has_values else None,
        quantiles=all_quantiles([cell]) if has_values else (),
        excluded=cell.excluded,
        excepted=cell.excepted,
        missing=cell.missing,
        withheld=None if has_data else Withheld.NO_DATA,
        provisional=cell.interval_start + cell.interval.months > closed_before,
    )

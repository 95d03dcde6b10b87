"""Rounded counts: the last step, once the true ones have been judged."""

import msgspec

from app.domain.counts import ReleasedCell

COUNTED = ("population", "scored", "denominator", "numerator")


def rounded(cell: ReleasedCell, base: int | None) -> ReleasedCell:
    """
    Return *cell* with its counts to the nearest multiple of *base*, halves up.

    A proportion is then of rounded numbers. A sum of values becomes the mean times the
    rounded number of people, so that the mean stays; the squares, which would tell the
    number, are gone. Without a base the cell is as it was.
    """
    if base is None or cell.denominator is None:
        return cell
    told: dict[str, int | None] = {
        name: None if (count := getattr(cell, name)) is None else _nearest(count, base)
        for name in COUNTED
    }
    if cell.value_sum is not None:
        people = _nearest(cell.denominator, base)
        told["value_sum"] = round(cell.value_sum * people / cell.denominator)
        told["value_squares"] = None
    return msgspec.structs.replace(cell, **told)


def _nearest(count: int, base: int) -> int:
    """Return the multiple of *base* nearest to *count*."""
    return (count + base // 2) // base * base

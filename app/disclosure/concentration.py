"""
Whether a sum of values gives away its largest: the p-percent and the dominance rule.

Who has the second largest value takes it out of the sum, and what is left is at most so
much above the largest as all the others add up to. Values count from the beginning of
their grid, where the histogram has them, so none is negative.

Source: Hundepool and others, Statistical Disclosure Control, 2012, section 4.2.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.quantiles import merged
from app.domain.counts import Cell

LARGEST = 2
"""How many stand apart: the one to be protected, and the one who knows most of it."""
WHOLE = 100
"""Per cent."""


Values = Mapping[int, int]
"""How many people have each value, from the beginning of the grid."""


class _Sums(NamedTuple):
    """The values of a clinic's people, and what they and their squares add up to."""

    values: Values
    total: int
    squares: int


NOBODY = _Sums({}, 0, 0)


def is_spread(cell: Cell, *, rules: AudienceRules, least: int) -> bool:
    """
    Tell whether a cell's sum of values, and of squares, can be told.

    With x the largest and y the second, x is at most the sum less y, and at most
    ``sqrt(squares - y * y)``: the closer of the two, which must be p % above x. That
    is so if the squares of all others add up to ((1 + p)^2 - 1) x^2; they themselves
    then add up to p x and more. And x and y must not be more than so much of the sum.
    Where all values are 0 none stands out. *least* is where the grid begins.
    """
    return _is_spread(_sums([cell], least), NOBODY, rules)


def is_spread_without_any(
    cells: Iterable[Cell], *, rules: AudienceRules, least: int
) -> bool:
    """
    Tell whether the sum of *cells* can be told to all, each clinic included.

    A clinic takes its own people's values out. Where no single clinic is shown, clinics
    are held to the p-percent rule as well: the second largest must not tell the sum of
    the largest. Elsewhere that sum is shown itself, or hides in company.

    Args:
        cells: of one or more clinics; more than one of a clinic are added up.
        rules: the audience's.
        least: where the grid of the values begins, in thousandths.
    """
    there = list(cells)
    by_clinic: dict[int, list[Cell]] = {}
    for cell in there:
        by_clinic.setdefault(cell.clinic_id, []).append(cell)
    whole = _sums(there, least)
    clinics = [_sums(own, least) for own in by_clinic.values()]
    return all(_is_spread(whole, own, rules) for own in (NOBODY, *clinics)) and (
        rules.clinics is not ClinicsShown.NONE
        or _is_spread_among([own.total for own in clinics], rules)
    )


def _sums(cells: Sequence[Cell], least: int) -> _Sums:
    """Return the values of *cells*, the largest first."""
    values = {begin - least: people for begin, people in reversed(merged(cells))}
    return _Sums(
        values,
        total=sum(value * people for value, people in values.items()),
        squares=sum(value * value * people for value, people in values.items()),
    )


def _is_spread(whole: _Sums, own: _Sums, rules: AudienceRules) -> bool:
    """Tell whether what *whole* has beyond *own* gives no value away."""
    first, second = _two_largest(whole.values, own.values)
    total = whole.total - own.total
    others = whole.squares - own.squares - first**2 - second**2
    above = WHOLE + rules.p_percent
    return (
        WHOLE**2 * others >= (above**2 - WHOLE**2) * first**2
        and WHOLE * (first + second) <= rules.dominance * total
    )


def _two_largest(values: Values, known: Values) -> tuple[int, int]:
    """Return the largest two of *values*, the largest first, that are not *known*."""
    found: list[int] = []
    for value, people in values.items():
        found += [value] * min(people - known.get(value, 0), LARGEST)
        if len(found) >= LARGEST:
            break
    first, second, *_ = (*found, 0, 0)
    return first, second


def _is_spread_among(sums: Sequence[int], rules: AudienceRules) -> bool:
    """Tell whether no clinic can tell another's sum within p per cent."""
    *rest, _, largest = sorted((0, 0, *sums))
    return WHOLE * sum(rest) >= rules.p_percent * largest

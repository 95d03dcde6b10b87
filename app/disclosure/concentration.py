"""
Whether a sum of values gives away its largest: the p-percent and the dominance rule.

Who has the second largest value takes it out of the sum, and what is left is at most so
much above the largest as all the others add up to. Values count from the beginning of
their grid, where the histogram has them, so none is negative.

Source: Hundepool and others, Statistical Disclosure Control, 2012, section 4.2.2.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, islice, repeat

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.domain.counts import Cell

LARGEST = 2
"""How many stand apart: the one to be protected, and the one who knows most of it."""
WHOLE = 100
"""Per cent."""


def is_spread(values: Counter[int], *, rules: AudienceRules) -> bool:
    """
    Tell whether *values*, not negative, can be told by their sum and sum of squares.

    With x the largest and y the second, x is at most the sum less y, and at most
    ``sqrt(squares - y * y)``: the closer of the two, which must be p % above x. That
    is so if the squares of all others add up to ((1 + p)^2 - 1) x^2; they themselves
    then add up to p x and more. And x and y must not be more than so much of the sum.
    Where all values are 0 none stands out.
    """
    descending = sorted(values, reverse=True)
    first, second = islice(
        chain(chain.from_iterable(repeat(v, values[v]) for v in descending), (0, 0)),
        LARGEST,
    )
    total = sum(value * people for value, people in values.items())
    squares = sum(value * value * people for value, people in values.items())
    above = WHOLE + rules.p_percent
    return (
        WHOLE**2 * (squares - first**2 - second**2) >= (above**2 - WHOLE**2) * first**2
        and WHOLE * (first + second) <= rules.dominance * total
    )


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
    by_clinic: dict[int, Counter[int]] = {}
    for cell in cells:
        own = by_clinic.setdefault(cell.clinic_id, Counter())
        own.update({begin - least: people for begin, people in cell.histogram})
    whole: Counter[int] = Counter()
    for own in by_clinic.values():
        whole.update(own)
    return all(
        is_spread(whole - own, rules=rules) for own in (Counter(), *by_clinic.values())
    ) and (
        rules.clinics is not ClinicsShown.NONE
        or _is_spread_among(list(by_clinic.values()), rules)
    )


def _is_spread_among(clinics: Sequence[Counter[int]], rules: AudienceRules) -> bool:
    """Tell whether no clinic can tell another's sum within p per cent."""
    sums = sorted(
        sum(value * people for value, people in own.items()) for own in clinics
    )
    *rest, _, largest = (0, 0, *sums)
    return WHOLE * sum(rest) >= rules.p_percent * largest

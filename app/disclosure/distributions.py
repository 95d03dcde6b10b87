"""How clinics' shares are spread: what one clinic may know of the others' data."""

from collections.abc import Iterable, Sequence
from statistics import quantiles

import msgspec

from app.disclosure.audiences import AudienceRules
from app.disclosure.rare_codes import is_rare

DECIMALS = 2
"""Whole per cent: so that no single record can be told from a quartile."""


class ClinicShare(msgspec.Struct, frozen=True, kw_only=True):
    """One clinic's share, 0-1, and how many people's records are behind it."""

    proportion: float
    people: int


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """The quartiles of clinics' shares, 0-1, and how many clinics are behind them."""

    clinics: int
    lower_quartile: float
    median: float
    upper_quartile: float


def distribution(
    shares: Iterable[ClinicShare], *, rules: AudienceRules
) -> Distribution | None:
    """
    Return the quartiles of clinics' *shares*, or None where too few are behind them.

    A clinic is behind them with the records of ``k`` people at least; ``min_clinics``
    must be. Quartiles are interpolated (R's type 7), and rounded to whole per cent.
    """
    behind = sorted(each.proportion for each in shares if each.people >= rules.k)
    if len(behind) < rules.min_clinics:
        return None
    lower, median, upper = (
        round(each, DECIMALS) for each in quantiles(behind, n=4, method="inclusive")
    )
    return Distribution(
        clinics=len(behind), lower_quartile=lower, median=median, upper_quartile=upper
    )


def distribution_of_code(
    shares: Sequence[ClinicShare], *, rules: AudienceRules
) -> Distribution | None:
    """Return the quartiles of *shares* of one code; None, too, where it is rare."""
    if is_rare(sum(each.people for each in shares)):
        return None
    return distribution(shares, rules=rules)

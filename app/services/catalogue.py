"""Measures in words: what is counted, and by which strata."""

from typing import Any

import msgspec

from app.domain.errors import NotFoundError
from app.measures.definitions import Measure


def strata_of(measure: Measure) -> list[str]:
    """
    Return the names of a measure's strata, in the order of their numbers from 1.

    The bounds 6, 12 make ``age:0-6``, ``age:6-12``, ``age:12-`` and ``age:unknown``.
    """
    if measure.stratifier is None:
        return []
    bounds = (0, *measure.stratifier.age_band)
    ends = [*map(str, measure.stratifier.age_band), ""]
    bands = [f"age:{low}-{high}" for low, high in zip(bounds, ends, strict=True)]
    return [*bands, "age:unknown"]


def stratum_number(measure: Measure, name: str | None) -> int:
    """Return the number of the stratum called *name*; 0, the total, for None."""
    if name is None:
        return 0
    names = strata_of(measure)
    if name not in names:
        msg = "The measure has no such stratum"
        raise NotFoundError(msg)
    return names.index(name) + 1


def definition_of(measure: Measure) -> dict[str, Any]:
    """Return the definition as plain data."""
    data: dict[str, Any] = msgspec.to_builtins(measure, str_keys=True)
    return data

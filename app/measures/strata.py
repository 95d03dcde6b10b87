"""What people are told apart by: the strata of each stratifier, and combinations."""

from collections.abc import Sequence
from math import prod

from app.measures.definitions import Measure, Sex, Stratifier

MOST_COMBINATIONS = 30_000
"""What the column of a combination holds."""


def strata_of(measure: Measure) -> dict[str, list[str]]:
    """
    Return the names of the strata of each stratifier, the one of nobody else last.

    The bounds 6, 12 of ``age`` make ``age:0-6``, ``age:6-12``, ``age:12-`` and
    ``age:unknown``.
    """
    return {
        name: [f"{name}:{stratum}" for stratum in _strata(stratifier, measure)]
        for name, stratifier in measure.stratifiers.items()
    }


def combinations(measure: Measure) -> int:
    """Return how many combinations of strata there are; 1 without a stratifier."""
    return prod(len(names) for names in strata_of(measure).values())


def positions(measure: Measure, combination: int) -> list[int]:
    """
    Return the strata of a combination: positions from 1 in all strata's names.

    A combination counts like a number whose digits are the positions in each
    stratifier, from 0, the first stratifier being the lowest digit.
    """
    found, before = [], 1
    for names in strata_of(measure).values():
        combination, position = divmod(combination, len(names))
        found.append(before + position)
        before += len(names)
    return found


def blocks(measure: Measure) -> list[range]:
    """Return, for each stratifier, the positions whose strata add up to the total."""
    found, before = [], 1
    for names in strata_of(measure).values():
        found.append(range(before, before + len(names)))
        before += len(names)
    return found


def _strata(stratifier: Stratifier, measure: Measure) -> Sequence[str]:
    """Return what the strata of one stratifier are called."""
    if stratifier.age_band is not None:
        bounds = (0, *stratifier.age_band)
        ends = [*map(str, stratifier.age_band), ""]
        bands = [f"{low}-{high}" for low, high in zip(bounds, ends, strict=True)]
        return [*bands, "unknown"]
    if stratifier.sex is not None:
        return [*(sex.value for sex in Sex), "unknown"]
    if stratifier.condition is not None:
        return [*stratifier.condition, "other"]
    assert stratifier.answer is not None
    observable = measure.observables.get(stratifier.answer)
    answers = observable.answers if observable else ()
    return [*(code.partition("|")[2] for code in answers), "unknown"]

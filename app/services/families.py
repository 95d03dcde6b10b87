"""Which measures are released together, as their definitions are related."""

from collections.abc import Hashable, Iterator, Mapping

import msgspec

from app.measures.definitions import Measure
from app.measures.strata import blocks
from app.services.cubes import has_numerator


class Relations(msgspec.Struct, frozen=True, kw_only=True):
    """What a measure is part of, and the sum of, among those that are released."""

    subset_of: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()


def relations(
    released: Mapping[str, Measure], known: Mapping[str, Measure]
) -> dict[str, Relations]:
    """
    Return how each of the *released* measures is related to others of them, by id.

    What one is part of may be yet to be counted: then it is part of what that one, by
    the *known* definitions, is part of. Without people who meet it, a measure has no
    parts.
    """
    nested = {
        name
        for name, measure in released.items()
        if measure.summary is None and has_numerator(measure)
    }
    return {
        name: Relations(
            subset_of=frozenset(_nearest(measure, nested, known)) - {name},
            parts=frozenset(nested.intersection(measure.sum_of)),
        )
        if name in nested
        else Relations()
        for name, measure in released.items()
    }


def families(related: Mapping[str, Relations]) -> list[frozenset[str]]:
    """Return the measures that are related, however far; each is in one family."""
    found: list[frozenset[str]] = []
    for name, relation in sorted(related.items()):
        near = frozenset({name}) | relation.subset_of | relation.parts
        touched = [family for family in found if family & near]
        found = [family for family in found if not family & near]
        found.append(near.union(*touched))
    return sorted(found, key=min)


def stratifiers(measure: Measure) -> dict[Hashable, range]:
    """Return the numbers of the strata, by what makes two stratifiers the same."""
    named = zip(measure.stratifiers.items(), blocks(measure), strict=True)
    return {
        (name, msgspec.json.encode(stratifier)): block
        for (name, stratifier), block in named
    }


def _nearest(
    measure: Measure, released: set[str], known: Mapping[str, Measure]
) -> Iterator[str]:
    """Yield the nearest released measures that one is part of."""
    for other in measure.subset_of:
        if other in released:
            yield other
        elif other in known:
            yield from _nearest(known[other], released, known)

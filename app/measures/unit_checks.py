"""Units of a definition that nothing could be converted into, or from."""

from collections.abc import Iterator

from app.measures.checks import Path, Problem
from app.measures.definitions import Measure
from app.ucum.units import IDENTITY, canonical_unit, conversion


def unit_problems(measure: Measure) -> Iterator[Problem]:
    """Yield the units of *measure* that are none, and conversions of no use."""
    for name, observable in measure.observables.items():
        path = ("observables", name)
        unit = observable.unit
        if unit is not None:
            yield from _not_a_unit(unit, (*path, "unit"))
        for index, own in enumerate(observable.conversions):
            where = (*path, "conversions", index)
            yield from _not_a_unit(own.unit, (*where, "unit"))
            if own.factor == 0:
                yield Problem((*where, "factor"), "a factor of 0 loses every value")
            if unit is None or conversion(own.unit, unit) == IDENTITY:
                message = "there is nothing to convert: leave it out"
                yield Problem(where, message)


def _not_a_unit(stated: str, path: Path) -> Iterator[Problem]:
    """Yield a problem where *stated* is no UCUM code that converts to itself."""
    if conversion(stated, stated) == IDENTITY:
        return
    meant = canonical_unit(stated)
    hint = f"; did you mean `{meant}`?" if meant else ", such as `mg/dL` or `{score}`"
    yield Problem(path, f"`{stated}` is no unit of UCUM that can be converted{hint}")

"""Units of a definition that nothing could be converted into, or compared in."""

from collections.abc import Iterator

from app.measures.checks import Path, Problem
from app.measures.definitions import Growth, Measure, Observable, Predicate
from app.measures.growth import TABLES
from app.measures.misfits import nearest
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


def growth_problems(measure: Measure) -> Iterator[Problem]:
    """Yield the growth charts that are none, or are in another unit than the values."""
    for name, predicate in measure.predicates.items():
        for path, growth in _grown(predicate, (name,)):
            unit = TABLES.get(growth.table)
            observable = measure.observables.get(growth.of)
            if unit is None:
                hint = (
                    nearest(growth.table, TABLES) or f"; known are {', '.join(TABLES)}"
                )
                message = f"unknown growth chart `{growth.table}`{hint}"
                yield Problem((*path, "table"), message)
            elif observable is not None and not _is_in(observable, unit):
                message = f"`{growth.table}` is in {unit}: let `{growth.of}` be so too"
                yield Problem((*path, "of"), message)


def _is_in(observable: Observable, unit: str) -> bool:
    """Return whether an observable's values are compared in *unit*."""
    return conversion(observable.unit or "", unit) == IDENTITY


def _grown(predicate: Predicate, path: Path) -> Iterator[tuple[Path, Growth]]:
    """Yield where *predicate* looks at a growth chart."""
    if predicate.growth is not None:
        yield (*path, "growth"), predicate.growth
    if predicate.not_ is not None:
        yield from _grown(predicate.not_, (*path, "not"))
    for word in ("all", "any"):
        for position, part in enumerate(getattr(predicate, word) or ()):
            yield from _grown(part, (*path, word, position))


def _not_a_unit(stated: str, path: Path) -> Iterator[Problem]:
    """Yield a problem where *stated* is no UCUM code that converts to itself."""
    if conversion(stated, stated) == IDENTITY:
        return
    meant = canonical_unit(stated)
    hint = f"; did you mean `{meant}`?" if meant else ", such as `mg/dL` or `{score}`"
    yield Problem(path, f"`{stated}` is no unit of UCUM that can be converted{hint}")

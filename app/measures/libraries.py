"""Texts of definitions -> measures: one, or a library with shared value sets."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from app.measures.checks import leaves, problems
from app.measures.cut_off_sets import variants
from app.measures.definitions import Code, Measure, MeasureDefinitionError, Name

VALUE_SETS = "value_sets.yaml"
"""The file of a library that holds no measure but value sets for all of them."""

ValueSets = dict[Name, Annotated[tuple[Code, ...], Meta(min_length=1)]]
_Parsed = TypeVar("_Parsed")


def parse_measures(
    text: str, *, origin: str, shared: Mapping[str, tuple[str, ...]]
) -> tuple[Measure, ...]:
    """
    Return the measures that YAML *text* defines, with the value sets they use.

    They are several where the definition has several cut-off sets.

    Args:
        text: One definition.
        origin: Where it came from, for messages.
        shared: Value sets by name; the definition's own go before them.

    Raises:
        MeasureDefinitionError: It is not of the language; the message says where.
    """
    stated = _parsed(text, origin=origin, as_type=Measure)
    known = {**shared, **stated.value_sets}
    used = {name: known[name] for name in sorted(_named(stated)) if name in known}
    measure = msgspec.structs.replace(stated, value_sets=used)
    found = list(problems(measure))
    if found:
        msg = f"{origin}: {'; '.join(problem.message for problem in found)}"
        raise MeasureDefinitionError(msg)
    return variants(measure)


def parse_library(files: Mapping[str, str]) -> tuple[Measure, ...]:
    """
    Return the measures of a library: its files' texts by name, ``.yaml`` included.

    Raises:
        MeasureDefinitionError: A definition is wrong, or they do not fit together.
    """
    text = files.get(VALUE_SETS, "{}")
    shared = _parsed(text, origin=VALUE_SETS, as_type=ValueSets)
    measures = tuple(
        measure
        for name, text in sorted(files.items())
        if name != VALUE_SETS
        for measure in parse_measures(text, origin=name, shared=shared)
    )
    _check_relations(measures)
    return measures


def _check_relations(measures: tuple[Measure, ...]) -> None:
    """Refuse two measures of one id, and relations to none."""
    ids = [measure.id for measure in measures]
    for measure in measures:
        if ids.count(measure.id) > 1:
            msg = f"{measure.id}: two definitions have this id, rename one"
            raise MeasureDefinitionError(msg)
        for other in (*measure.subset_of, *measure.sum_of):
            if other not in ids:
                msg = f"{measure.id}: it is related to `{other}`, which is not here"
                raise MeasureDefinitionError(msg)


def _named(measure: Measure) -> set[str]:
    """Return the names of the value sets that *measure* uses."""
    conditions = {
        leaf.condition
        for predicate in measure.predicates.values()
        for leaf in leaves(predicate)
    }
    conditions |= {measure.index.condition} if measure.index else set()
    for stratifier in measure.stratifiers.values():
        conditions |= set((stratifier.condition or {}).values())
    summary = measure.summary
    conditions |= {summary.events, summary.exposure} if summary else set()
    codes = {observable.codes for observable in measure.observables.values()}
    named = conditions | codes | {measure.visit_classes}
    return {name for name in named if name is not None}


def _parsed(text: str, *, origin: str, as_type: type[_Parsed]) -> _Parsed:
    """Return YAML *text* as *as_type*; errors name *origin* and the place in it."""
    try:
        return msgspec.yaml.decode(text, type=as_type)
    except msgspec.DecodeError as error:
        what, _, place = str(error).partition(" - at ")
        msg = f"{origin}: {what}"
        raise MeasureDefinitionError(msg, expression=place.strip("`") or None) from None

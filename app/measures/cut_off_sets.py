"""A definition with several cut-off sets -> a measure for each of them."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from app.measures.definitions import (
    PREDICATES,
    Limit,
    Measure,
    Predicate,
    Sustained,
    Word,
)

_Word = TypeVar("_Word", bound=Word)


def variants(measure: Measure) -> tuple[Measure, ...]:
    """
    Return the measures that one definition makes, that of the default set first.

    In each of them the cut-offs are numbers. The default keeps the definition's id, any
    other is called ``<id>-<set>`` and is a variant of it. An example belongs to the set
    that it names, else to the default; so does what a measure says of others.
    """
    if not measure.cut_off_sets:
        return (measure,)
    others = [name for name in measure.cut_off_sets if name != measure.cut_off_set]
    return (
        _with_set(measure, f"{measure.cut_off_set}"),
        *(
            msgspec.structs.replace(
                _with_set(measure, name),
                id=f"{measure.id}-{name}",
                variant_of=measure.id,
                subset_of=(),
                sum_of=(),
            )
            for name in others
        ),
    )


def limits(predicate: Predicate | None) -> Iterator[Limit]:
    """Yield the comparisons that *predicate* makes, from left to right."""
    if predicate is None:
        return
    for part in predicate.parts:
        yield from limits(part)
    inner = predicate.sustained.value if predicate.sustained else None
    for limit in (predicate.value, predicate.change, predicate.growth, inner):
        if limit is not None:
            yield limit


def _with_set(measure: Measure, name: str) -> Measure:
    """Return *measure* with the numbers of one cut-off set."""
    numbers = measure.cut_off_sets[name]
    replaced = {
        field: _numbered(predicate, numbers)
        for field in PREDICATES
        if (predicate := getattr(measure, field)) is not None
    }
    if measure.index is not None:
        replaced["index"] = _numbered(measure.index, numbers)
    default = measure.cut_off_set
    return msgspec.structs.replace(
        measure,
        cut_off_set=name,
        examples=tuple(
            e for e in measure.examples if (e.cut_off_set or default) == name
        ),
        **replaced,
    )


def _numbered(word: _Word, numbers: Mapping[str, float]) -> _Word:
    """Return *word* with the names of cut-offs in it replaced by their *numbers*."""
    return msgspec.structs.replace(
        word,
        **{
            field: _in_place(word, field, value, numbers)
            for field in word.__struct_fields__
            if (value := getattr(word, field)) is not None
        },
    )


def _in_place(
    word: Word, field: str, value: object, numbers: Mapping[str, float]
) -> object:
    """Return what stands in one field of *word* once its cut-offs are numbers."""
    if isinstance(value, tuple) and isinstance(word, Predicate):
        return tuple(_numbered(part, numbers) for part in value)
    if isinstance(value, Predicate | Sustained | Limit):
        return _numbered(value, numbers)
    if isinstance(word, Limit) and field not in word.beside and isinstance(value, str):
        return numbers[value]
    return value

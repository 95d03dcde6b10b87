"""Predicates and what they ask about, as phrases of plain words."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.measures.definitions import (
    Age,
    Change,
    Comparison,
    Composite,
    Finding,
    Growth,
    Index,
    Predicate,
    Sustained,
    Tie,
    Window,
)


def phrase(predicate: Predicate, *, within: bool = False) -> str:
    """Return *predicate* as a phrase, in brackets where it stands *within* another."""
    if predicate.not_ is not None:
        return f"not {phrase(predicate.not_, within=True)}"
    if not predicate.parts:
        return _stated(predicate, _LEAVES)
    word = " and " if predicate.all is not None else " or "
    found = word.join(phrase(part, within=True) for part in predicate.parts)
    return f"({found})" if within and len(predicate.parts) > 1 else found


def event(index: Index) -> str:
    """Return the event that a window is counted from, as a phrase."""
    if index.visit:
        found = "qualifying visit"
    elif index.condition is not None:
        found = f"onset of {spaced(index.condition)}"
    else:
        found = f"day with {_stated(index, _LEAVES)}"
    if index.first_in_months is None:
        return f"first {found}"
    return f"{found} that is the first in {months(index.first_in_months)}"


def window(stated: Window) -> str:
    """Return when after the event something is looked for, as a phrase."""
    if stated.in_days:
        return f"{stated.from_days} to {stated.to_days} days after it"
    return f"{stated.from_months} to {stated.to_months} calendar months after it"


def composite(name: str, stated: Composite) -> str:
    """Return what a composite adds up, and when its parts belong together."""
    parts = [
        spaced(part) if how.cap is None else f"{spaced(part)} (at most {how.cap:g})"
        for part, how in stated.components.items()
    ]
    together = "found at one visit, or on one day"
    if stated.within_days is not None:
        together = f"each the latest of the last {stated.within_days} days"
    return f"{spaced(name)} is the sum of {joined(parts, 'and')}, {together}"


def tie(rule: Tie) -> str:
    """Return which of several values of one day counts."""
    return "their mean" if rule is Tie.MEAN else f"the {rule.value} one"


def spaced(name: str) -> str:
    """Return a name as words."""
    return name.replace(".", " ").replace("-", " ")


def joined(words: Iterable[str], last: str) -> str:
    """Return *words* with commas between them, and *last* before the last."""
    *before, end = words
    return f"{', '.join(before)} {last} {end}" if before else end


def months(number: int) -> str:
    """Return a number of months."""
    return "1 month" if number == 1 else f"{number} months"


def _age(stated: Age) -> str:
    until = "" if stated.below is None else f" and below {stated.below}"
    return f"aged {stated.from_} or older{until}"


def _comparison(stated: Comparison) -> str:
    word, cut_off = stated.stated
    return f"{spaced(stated.of)} {word.replace('_', ' ')} {_cut_off(cut_off)}"


def _finding(stated: Finding) -> str:
    answers = joined((code.partition("|")[2] for code in stated.among), "or")
    return f"{spaced(stated.of)} {answers}"


def _sustained(stated: Sustained) -> str:
    return (
        f"{_stated(stated.status, _LEAVES)} at every assessment for at least"
        f" {months(stated.for_months)}, none more than {months(stated.gap_months)}"
        " after the one before"
    )


def _change(stated: Change) -> str:
    word, cut_off = stated.stated
    limit = f"{word.replace('_', ' ')} {_cut_off(cut_off)}"
    if word == "at_most_times":
        limit = f"at most {_cut_off(cut_off)} times its baseline"
        return f"{spaced(stated.of)} {limit}"
    return f"{spaced(stated.of)} less its baseline {limit}"


def _growth(stated: Growth) -> str:
    word, cut_off = stated.stated
    limit = f"{word.removesuffix('_z').replace('_', ' ')} {_cut_off(cut_off)}"
    return f"{spaced(stated.of)} with a z-score {limit} by {stated.table}"


def _cut_off(stated: float | str) -> str:
    return stated if isinstance(stated, str) else f"{stated:g}"


_LEAVES: Mapping[str, Callable[[Any], str]] = {
    "condition": spaced,
    "age": _age,
    "sex": str,
    "seen_within_months": lambda number: f"seen within {months(number)}",
    "measured": lambda name: f"{spaced(name)} measured",
    "value": _comparison,
    "answer": _finding,
    "sustained": _sustained,
    "change": _change,
    "growth": _growth,
}
"""Of each kind of leaf, its phrase."""


def _stated(word: Any, phrases: Mapping[str, Callable[[Any], str]]) -> str:  # noqa: ANN401  (a word of the language)
    """Return the phrase of the one field of *word* that is set."""
    for name, said in phrases.items():
        value = getattr(word, name, None)
        if value is not None:
            return said(value)
    msg = "This says nothing that there is a phrase for"
    raise AssertionError(msg)

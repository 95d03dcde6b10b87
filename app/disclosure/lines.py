"""
One line of a release: parts that add up to a total, and which of them can be shown.

A part is a cell of the line, as what each clinic adds to it: a clinic's own cell has
one contributor, a pooled one has many. What is counted are people in groups that must
not be small; zero is as small as one, since it says the same of everybody in the cell.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from itertools import chain
from typing import NamedTuple

Counts = tuple[int, ...]
"""People in each group, such as those who meet a measure and those who do not."""

Part = Mapping[int, Counts] | Mapping[frozenset[int], Counts]
"""What each clinic adds to one cell; or the people of some clinics, each once."""

TO_HIDE_BEHIND = 2
"""Hidden parts that an onlooker must be unable to tell apart."""


class Total(Enum):
    """What may become of the sum of a line."""

    HIDDEN = "not safe to show"
    SAFE = "may be shown"
    KNOWN = "is shown already"


class Shown(NamedTuple):
    """Which parts of a line are shown, and whether its total is."""

    parts: AbstractSet[int]
    total: bool


def pooled(contributions: Iterable[Counts]) -> Counts:
    """Return the sum, group by group; empty where there is nothing to add."""
    return tuple(map(sum, zip(*contributions, strict=True)))


def is_large(counts: Counts, *, k: int) -> bool:
    """Tell whether every group has at least *k* people."""
    return min(counts, default=0) >= k


def is_safe_pool(part: Part, *, k: int, min_clinics: int) -> bool:
    """
    Tell whether a pooled cell may be shown.

    At least *min_clinics* contribute; and for each of them, who knows its own people,
    what the others add is still large.
    """
    contributing = _clinics(c for c, counts in part.items() if any(counts))
    return len(contributing) >= min_clinics and all(
        is_large(_others(part, clinic), k=k) for clinic in contributing
    )


def is_hidden_safely(hidden: Sequence[Part], *, k: int) -> bool:
    """
    Tell whether the sum of *hidden* parts gives none of them away.

    Whoever subtracts what is shown from the total has this sum. An outsider, and each
    clinic after taking its own people out, must be left with at least two parts and at
    least *k* people in each group: each part may then hold anything from 0 to k. With
    clinics as parts this asks for three hidden clinics.
    """
    onlookers = {None, *_clinics(chain.from_iterable(hidden))}
    return all(_is_opaque(hidden, onlooker, k=k) for onlooker in onlookers)


def shown_in_line(
    parts: Mapping[int, Part],
    candidates: AbstractSet[int],
    *,
    total: Total,
    k: int,
    known: AbstractSet[int] = frozenset(),
    weak: AbstractSet[int] = frozenset(),
) -> Shown:
    """
    Return which *candidates* are shown, and whether their total is.

    Beside a total the smallest candidate is hidden first, then by id, until the hidden
    rest is safe. If it never is, the total is hidden and all candidates are shown; or,
    where the total is known already, none of them.

    Args:
        parts: every part of the line, by id.
        candidates: parts that may be shown as far as they alone are concerned.
        total: whether the sum of all parts may, must or must not be shown.
        k: the threshold, in people.
        known: other parts, which can be read elsewhere.
        weak: parts of which something can be read elsewhere: they need protection and
            give none.
    """
    if total is Total.HIDDEN:
        return Shown(candidates, total=False)
    by_size = sorted(candidates, key=lambda part: (_size(parts[part]), part))
    for position in range(len(by_size) + 1):
        shown = set(by_size[position:])
        hidden = parts.keys() - known - shown
        if not hidden or is_hidden_safely([parts[i] for i in hidden - weak], k=k):
            return Shown(shown, total=True)
    if total is Total.KNOWN:
        return Shown(frozenset(), total=True)
    return Shown(candidates, total=False)


def _others(part: Part, onlooker: int | None) -> Counts:
    """Return what *part* has without the people of *onlooker*."""
    return pooled(
        counts
        for contributor, counts in part.items()
        if onlooker not in _clinics([contributor])
    )


def _clinics(contributors: Iterable[int | frozenset[int]]) -> set[int]:
    """Return the clinics behind *contributors*."""
    return {
        clinic
        for each in contributors
        for clinic in (each if isinstance(each, frozenset) else (each,))
    }


def _is_opaque(hidden: Sequence[Part], onlooker: int | None, *, k: int) -> bool:
    """Tell whether *onlooker* cannot tell the hidden parts apart."""
    unknown = [others for part in hidden if any(others := _others(part, onlooker))]
    return len(unknown) >= TO_HIDE_BEHIND and is_large(pooled(unknown), k=k)


def _size(part: Part) -> int:
    """Return the people in *part*."""
    return sum(pooled(part.values()))

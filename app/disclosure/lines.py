"""
One line of a release: parts that add up to a total, and which of them can be shown.

A part is a cell of the line, as what each clinic adds to it: a clinic's own cell has
one contributor, a pooled one has many. What is counted are people in groups that must
not be small; zero is as small as one, since it says the same of everybody in the cell.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from operator import add, itemgetter, sub
from typing import NamedTuple

from app.disclosure.suppression import fewest_to_hide

Counts = tuple[int, ...]
"""People in each group, such as those who meet a measure and those who do not."""

Part = Mapping[int, Counts]
"""What each clinic adds to one cell."""


class SharedPart(dict[int, Counts]):
    """
    A cell of people whom several clinics may know: of each clinic all that it knows.

    ``whole`` are the people, each once.
    """

    def __init__(self, known: Mapping[int, Counts], *, whole: Counts) -> None:
        super().__init__(known)
        self.whole = whole


OUTSIDER = -1
"""Somebody who is no clinic, and knows no one's people."""
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
    contributing = [counts for counts in part.values() if any(counts)]
    whole = _whole(part)
    return len(contributing) >= min_clinics and all(
        is_large(_less(whole, counts), k=k) for counts in contributing
    )


def is_hidden_safely(hidden: Sequence[Part], *, k: int, is_capped: bool) -> bool:
    """
    Tell whether the sum of *hidden* parts gives none of them away.

    Whoever subtracts what is shown from the total has this sum. An outsider, and each
    clinic after taking its own people out, must be left with at least two parts and at
    least *k* people in each group: each part may then hold anything from 0 to k. With
    clinics as parts this asks for three hidden clinics.

    Of a measure that is part of another, each part *is_capped* by what is told of that
    one: what the others cannot hold must be here. So they must be large by themselves,
    whichever part is asked about.
    """
    parts = [part for part in hidden if any(map(any, part.values()))]
    whole = pooled(map(_whole, parts))
    own: dict[int, Counts] = {}
    alone: Counter[int] = Counter()
    for part in parts:
        contributing = [clinic for clinic, counts in part.items() if any(counts)]
        for clinic in contributing:
            own[clinic] = _sum(own.get(clinic), part[clinic])
        alone.update(i for i in contributing if part[i] == _whole(part))
    largest = _largest_parts(parts) if is_capped else None
    return all(
        len(parts) - alone[onlooker] >= TO_HIDE_BEHIND
        and is_large(
            _less(whole, own.get(onlooker), largest and largest(onlooker)), k=k
        )
        for onlooker in (OUTSIDER, *own)
    )


def shown_in_line(
    parts: Mapping[int, Part],
    candidates: AbstractSet[int],
    *,
    total: Total,
    k: int,
    known: AbstractSet[int] = frozenset(),
    weak: AbstractSet[int] = frozenset(),
    is_capped: bool = False,
    hides_more: Callable[[AbstractSet[int]], bool] = lambda _: True,
) -> Shown:
    """
    Return which *candidates* are shown, and whether their total is.

    Beside a total those candidates are hidden that have the fewest people and make the
    hidden rest safe. If nothing does, the total is hidden and all candidates are shown;
    or, where the total is known already, none of them.

    Args:
        parts: every part of the line, by id.
        candidates: parts that may be shown as far as they alone are concerned.
        total: whether the sum of all parts may, must or must not be shown.
        k: the threshold, in people.
        known: other parts, which can be read elsewhere.
        weak: parts of which something can be read elsewhere: they need protection and
            give none.
        is_capped: as in ``is_hidden_safely``.
        hides_more: tells of hidden parts whether what is no count hides among them too.
    """
    if total is Total.HIDDEN:
        return Shown(candidates, total=False)
    forced = parts.keys() - known - candidates

    def is_safe(chosen: AbstractSet[int]) -> bool:
        hidden = (forced | chosen) - weak
        return not (forced or chosen) or (
            is_hidden_safely([parts[i] for i in hidden], k=k, is_capped=is_capped)
            and hides_more(hidden)
        )

    sizes = {part: _size(parts[part]) for part in candidates - known - weak}
    chosen = fewest_to_hide(sizes, is_safe)
    if chosen is not None:
        return Shown(candidates - chosen, total=True)
    if total is Total.KNOWN:
        return Shown(frozenset(), total=True)
    return Shown(candidates, total=False)


def _sum(counts: Counts | None, more: Counts) -> Counts:
    return more if counts is None else tuple(map(add, counts, more))


def _less(counts: Counts, *taken: Counts | None) -> Counts:
    """Return *counts* without what is *taken* out of them."""
    for each in taken:
        counts = counts if each is None else tuple(map(sub, counts, each))
    return counts


def _largest_parts(parts: Sequence[Part]) -> Callable[[int], Counts]:
    """Return what tells the most that any part has, group by group, for an onlooker."""
    sizes = [(_whole(part), part) for part in parts]
    columns = [
        sorted(((size[group], part) for size, part in sizes), key=itemgetter(0))[::-1]
        for group in range(len(sizes[0][0]) if sizes else 0)
    ]

    def largest(onlooker: int) -> Counts:
        return tuple(
            _most(column, group, onlooker) for group, column in enumerate(columns)
        )

    return largest


def _most(column: Sequence[tuple[int, Part]], group: int, onlooker: int) -> int:
    """Return the most that *onlooker* does not know of any part, the largest first."""
    most = 0
    for size, part in column:
        if size <= most:
            break
        own = part.get(onlooker)
        most = max(most, size - own[group] if own else size)
    return most


def _size(part: Part) -> int:
    """Return the people in *part*."""
    return sum(_whole(part))


def _whole(part: Part) -> Counts:
    """Return the people in *part*, group by group."""
    return part.whole if isinstance(part, SharedPart) else pooled(part.values())

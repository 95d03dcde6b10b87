"""
How the counts of one clinic over a quarter bind those of its months, and so upward.

Where visits are counted, an interval counts a person once, and as what they were at
the last visit of it that decides (``app.measures.compilation``). *States* are what that
can be; *passive* is a state that only those are in whom no visit decided. With whole
``x`` and parts ``x_1, x_2, ..`` in the order of time:

- nobody is in a state who was in it in no part: ``x <= x_1 + x_2 + ..``;
- of those in some states in a part, each is in one of them in the whole, or was in
  another state in a later part: for each set C of states and its complement D
  ``x(C) + x_{i+1}(D) + x_{i+2}(D) + .. >= x_i(C)``;
- everybody of a part is somewhere in the whole, the passive included.

No more is true: counts that satisfy these are those of some people. (Add the parts
from the last to the first. Whoever comes with an earlier part is new, and keeps that
state, or is one of those who are there, whose state stays. So
``y_c <= x_c <= y_c + x_{1,c}``, ``x >= x_1`` in sum, are all there is in one step; all
that is asked of y is that sums are not too small, so the largest y that the step
allows decides, and putting it in gives the rows above.) As a sum of such counts is such
a count, clinics of which nothing is shown can be treated as one.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from typing import NamedTuple

Tie = dict[tuple[int, int], int]
"""What stands before a count, by its slot and column; the sum is 0 or more."""


class Columns(NamedTuple):
    """Which columns of a table are states of the people of one measure."""

    states: tuple[int, ...]
    passive: int | None


def width_ties(whole: int, parts: Sequence[int], columns: Columns) -> Iterator[Tie]:
    """Yield what ties the slot *whole* to its *parts*, slots in the order of time."""
    for column in _all(columns):
        yield {(whole, column): -1} | {(part, column): 1 for part in parts}
    for position, part in enumerate(parts):
        for chosen in _subsets(columns.states):
            others = [c for c in columns.states if c not in chosen]
            yield (
                {(whole, c): 1 for c in chosen}
                | {(part, c): -1 for c in chosen}
                | {(later, c): 1 for later in parts[position + 1 :] for c in others}
            )
        if columns.passive is not None:
            everybody = _all(columns)
            yield {(whole, c): 1 for c in everybody} | {
                (part, c): -1 for c in everybody
            }


def _all(columns: Columns) -> tuple[int, ...]:
    if columns.passive is None:
        return columns.states
    return (*columns.states, columns.passive)


def _subsets(states: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield each set of *states* but the empty one."""
    sizes = range(1, len(states) + 1)
    return chain.from_iterable(combinations(states, size) for size in sizes)

"""
Proof by people of one kind who move, for counts that a chain cannot free.

A *kind* says in which slots somebody is counted, and as what. If some of a kind leave
one clinic for others, the counts of these slots change by as many there, and no total
does. They may also be exchanged, for people who came at another time, or for people of
another state: then quarter and year stay as they are. How many a clinic can give or
take follows from how far what binds its counts is from being reached. Where several
kinds move for one count, others take part in each with an equal share of what they
could do in that alone; what binds counts is convex, so all of it together is possible.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np

from app.disclosure.blocks import Block, Flags
from app.disclosure.systems import Numbers
from app.disclosure.witnesses import FAR, is_dark, others_of, steps_of, without_each

KINDS = 3
"""Kinds of people that may move for one count."""
Slots = tuple[int, ...]


class _Kinds(NamedTuple):
    """
    What one person of each kind changes, and how many could move.

    ``change`` is of what binds the counts, [kind, row]; ``come`` and ``go`` are how
    many can come to a clinic and go, as far as the others are concerned, without the
    largest of them, [kind, clinic].
    """

    change: Numbers
    come: Numbers
    go: Numbers


def are_open(block: Block, left: Flags, *, k: int) -> Flags:
    """
    Tell which of the counts in *left* may be anything from 0 to k - 1.

    Of a count of k or more it is asked whether k values up to it are compatible.
    """
    found = np.zeros_like(left)
    bounds = _bounds(block)
    for s, column in np.argwhere(left.any(axis=0)).tolist():
        kinds = _kinds(block, bounds, s, column)
        for clinic in np.flatnonzero(left[:, s, column]).tolist():
            count = int(block.counts[clinic, s, column])
            fewer, more = (count, k - 1 - count) if count < k else (k - 1, 0)
            found[clinic, s, column] = _can_move(
                bounds[clinic], -kinds.change, kinds.go[:, clinic], fewer
            ) and _can_move(bounds[clinic], kinds.change, kinds.come[:, clinic], more)
    return found


def are_rests_open(block: Block, s: int, column: int, *, k: int) -> Flags:
    """
    Tell to which onlookers a hidden total may be 0 to k - 1, by people who are new.

    In slots whose totals are not told there may be more people, or fewer, in the dark
    clinics taken as one. The outsider comes first, then each clinic, as the others see
    it; nobody else may have people there.
    """
    dark = is_dark(block)
    slack = without_each(np.where(dark[:, None], block.slack, 0))
    counts = without_each(np.where(dark[:, None, None], block.counts, 0))
    bounds = np.concatenate([slack, counts.reshape(len(counts), -1)], axis=1)
    effects = _effects(block, s, column)
    effects = effects[~((effects != 0) & block.told.reshape(-1)).any(axis=1)]
    rests = counts[:, s, column].tolist()
    apart = without_each(np.where(dark, 0, block.counts[:, s, column]))
    found: Flags = (without_each(dark) > 0) & (apart == 0) & (len(effects) > 0)
    change, far = _on_bounds(block, effects), np.full(len(effects), FAR)
    for i in np.flatnonzero(found).tolist():
        found[i] = _can_move(bounds[i], -change, far, rests[i]) and _can_move(
            bounds[i], change, far, k - 1 - rests[i]
        )
    return found


def _bounds(block: Block) -> Numbers:
    """Return what must not fall below 0, by clinic: slack, then the counts."""
    slack = np.where(block.broken, FAR, block.slack)
    return np.concatenate([slack, block.counts.reshape(len(slack), -1)], axis=1)


def _can_move(bounds: Numbers, change: Numbers, others: Numbers, wanted: int) -> bool:
    """Tell whether *wanted* people of a few kinds can move, as *others* allow."""
    for _ in range(KINDS):
        if wanted <= 0:
            break
        able = np.minimum(_capacities(bounds, change), others)
        best = int(able.argmax())
        moving = min(wanted, int(able[best]))
        bounds = bounds + moving * change[best]
        wanted -= moving
    return wanted <= 0


def _capacities(bounds: Numbers, change: Numbers) -> Numbers:
    """Return how often each row of *change* can be added before a bound is reached."""
    falling = change < 0
    often = np.where(falling, bounds // np.where(falling, -change, 1), FAR)
    found: Numbers = np.min(often, axis=1, initial=FAR)
    return found


def _kinds(block: Block, bounds: Numbers, s: int, column: int) -> _Kinds:
    """Return the kinds of people whose moving changes one count of a clinic."""
    effects = _effects(block, s, column)
    # Others need not change what is in no total that is told.
    least = np.where(block.told.reshape(-1), effects, 0)
    hidden = block.hidden.reshape(len(block.hidden), -1)
    ways = [
        (_is_free(hidden, each), _on_bounds(block, each)) for each in (effects, least)
    ]
    (free, change), _ = ways
    return _Kinds(
        change=change,
        come=np.where(free, _others(bounds, [(f, -each) for f, each in ways]), 0),
        go=np.where(free, _others(bounds, ways), 0),
    )


def _is_free(hidden: Flags, effects: Numbers) -> Flags:
    """Tell of which clinics all that an effect changes is hidden, [effect, clinic]."""
    touched = (effects != 0).astype(np.int64)
    free: Flags = touched @ (~hidden).T.astype(np.int64) == 0
    return free


def _on_bounds(block: Block, effects: Numbers) -> Numbers:
    """
    Return what *effects* change of what must not fall below 0.

    That is their product with the ties, of which few numbers are not 0.
    """
    kinds, places = np.nonzero(effects)
    added = effects[kinds, places][:, None] * block.ties.T[places]
    nothing = np.zeros((1, len(block.ties)), np.int64)
    sums = np.concatenate([nothing, added.cumsum(axis=0)])
    ends = np.searchsorted(kinds, np.arange(len(effects) + 1))
    return np.concatenate([np.diff(sums[ends], axis=0), effects], axis=1)


def _others(bounds: Numbers, ways: Sequence[tuple[Flags, Numbers]]) -> Numbers:
    """
    Return how many of each kind others can move, in the better of some *ways*.

    Of each way it is said which clinics are free to go it, and what changes.
    """
    found = np.zeros_like(ways[0][0], np.int64)
    for free, changes in ways:
        for kind, change in enumerate(changes):
            falling = np.flatnonzero(change < 0)
            often = (bounds[:, falling] // -change[falling]).min(axis=1, initial=FAR)
            able = np.where(free[kind], often // KINDS, 0)
            found[kind] = np.maximum(found[kind], able)
    return np.stack([others_of(each) for each in found])


def _effects(block: Block, s: int, column: int) -> Numbers:
    """Return what one person of each kind adds to the counts, over slot and column."""
    shape = block.told.shape
    rows = []
    for slots in _sets(block, s):
        for together in _together(block, column):
            effect = _added(np.zeros(shape, np.int64), slots, together, 1)
            rows.append(effect)
            rows += [
                _added(effect, instead, together, -1)
                for instead in _instead(block, slots, s)
            ]
            rows += [
                _added(effect, slots, others, -1)
                for others in _other_states(block, together)
            ]
    return np.stack(rows).reshape(len(rows), -1)


def _added(effect: Numbers, slots: Slots, columns: Slots, by: int) -> Numbers:
    """Return *effect* with as much more in some slots and columns."""
    changed = effect.copy()
    for column in columns:
        changed[list(slots), column] += by
    return changed


def _together(block: Block, column: int) -> Iterator[Slots]:
    """Yield a column, and it with each other that contains it or is contained."""
    yield (column,)
    for own, other in block.inside:
        if column in {own, other}:
            yield (own, other)


def _other_states(block: Block, together: Slots) -> Iterator[Slots]:
    """Yield the columns of another state, in the measure of each column."""
    measures = [each.measure_id for each in block.columns]
    for shift in range(-len(measures) + 1, len(measures)):
        others = tuple(column + shift for column in together)
        if shift and all(
            0 <= other < len(measures) and measures[other] == measures[column]
            for column, other in zip(together, others, strict=True)
        ):
            yield others


def _sets(block: Block, s: int) -> Iterator[Slots]:
    """Yield sets of slots around and inside *s* in which somebody may be counted."""
    above = steps_of(block, s)[1:]
    for size in range(len(above) + 1):
        for inside in _insides(block, s):
            yield (s, *above[:size], *inside)


def _insides(block: Block, s: int) -> Iterator[Slots]:
    """Yield sets of slots inside *s*: of a year one quarter with some of its months."""
    parts = _parts(block, s)
    if not any(_parts(block, part) for part in parts):
        sizes = range(len(parts) + 1)
        yield from chain.from_iterable(combinations(parts, size) for size in sizes)
        return
    yield ()
    for part in parts:
        for inside in _insides(block, part):
            yield (part, *inside)


def _instead(block: Block, slots: Slots, s: int) -> Iterator[Slots]:
    """Yield slots of another time, in which somebody is counted who is not in these."""
    top = max(slots, key=lambda slot: block.slots[slot][0].months)
    for other in _parts(block, block.above[top]):
        if other == top:
            continue
        if top == s and len(slots) == 1:
            yield (other,)
        if len(slots) > 1:
            for part in _parts(block, other):
                yield (other, part)


def _parts(block: Block, s: int | None) -> list[int]:
    """Return the slots of the next finer width in *s*."""
    if s is None:
        return []
    return [part for part, above in enumerate(block.above) if above == s]

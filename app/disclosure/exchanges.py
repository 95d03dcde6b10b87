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
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np

from app.disclosure.blocks import Block, Flags
from app.disclosure.systems import Numbers
from app.disclosure.witnesses import FAR, is_dark, others_of, steps_of, without_each

KINDS = 3
"""Kinds of people that may move for one count."""
SHAPES = 1000
"""Kinds that are kept in mind, by the shape of a block, slot and column."""
Slots = tuple[int, ...]


class _Shape(NamedTuple):
    """What kinds there are follows from: slots' months, what is above, columns."""

    widths: tuple[int, ...]
    above: tuple[int | None, ...]
    measures: tuple[int, ...]
    inside: tuple[tuple[int, int], ...]


class _Moves(NamedTuple):
    """
    What one person of each kind changes of what must not fall below 0, [kind, row].

    Where it falls is told by ``kinds`` and ``rows``.
    """

    change: Numbers
    kinds: Numbers
    rows: Numbers

    def capacities(self, bounds: Numbers) -> Numbers:
        """Return how many of each kind fit in *bounds*, [.., row] to [.., kind]."""
        often = bounds[..., self.rows] // -self.change[self.kinds, self.rows]
        found = np.full((*bounds.shape[:-1], len(self.change)), FAR)
        falling, firsts = np.unique(self.kinds, return_index=True)
        if len(falling):
            found[..., falling] = np.minimum.reduceat(often, firsts, axis=-1)
        return found


class _Kinds(NamedTuple):
    """
    Kinds of people who come to a clinic, and go, and how many of them could.

    The others allow so many ``incoming`` and ``outgoing``, without the largest of
    them, [kind, clinic].
    """

    come: _Moves
    go: _Moves
    incoming: Numbers
    outgoing: Numbers


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
                bounds[clinic], kinds.go, kinds.outgoing[:, clinic], fewer
            ) and _can_move(bounds[clinic], kinds.come, kinds.incoming[:, clinic], more)
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
    come, go = _moves(change), _moves(-change)
    for i in np.flatnonzero(found).tolist():
        found[i] = _can_move(bounds[i], go, far, rests[i]) and _can_move(
            bounds[i], come, far, k - 1 - rests[i]
        )
    return found


def _bounds(block: Block) -> Numbers:
    """Return what must not fall below 0, by clinic: slack, then the counts."""
    slack = np.where(block.broken, FAR, block.slack)
    return np.concatenate([slack, block.counts.reshape(len(slack), -1)], axis=1)


def _can_move(bounds: Numbers, moves: _Moves, others: Numbers, wanted: int) -> bool:
    """Tell whether *wanted* people of a few kinds can move, as *others* allow."""
    for _ in range(KINDS):
        if wanted <= 0:
            break
        able = np.minimum(moves.capacities(bounds), others)
        best = int(able.argmax())
        moving = min(wanted, int(able[best]))
        bounds = bounds + moving * moves.change[best]
        wanted -= moving
    return wanted <= 0


def _moves(change: Numbers) -> _Moves:
    return _Moves(change, *np.nonzero(change < 0))


def _kinds(block: Block, bounds: Numbers, s: int, column: int) -> _Kinds:
    """Return the kinds of people whose moving changes one count of a clinic."""
    effects = _effects(block, s, column)
    # Others need not change what is in no total that is told.
    least = np.where(block.told.reshape(-1), effects, 0)
    hidden = block.hidden.reshape(len(block.hidden), -1)
    free, free_at_least = _is_free(hidden, effects), _is_free(hidden, least)
    change, change_at_least = _on_bounds(block, effects), _on_bounds(block, least)
    come, go = _moves(change), _moves(-change)
    given = [(free, go), (free_at_least, _moves(-change_at_least))]
    taken = [(free, come), (free_at_least, _moves(change_at_least))]
    return _Kinds(
        come=come,
        go=go,
        incoming=np.where(free, _others(bounds, given), 0),
        outgoing=np.where(free, _others(bounds, taken), 0),
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


def _others(bounds: Numbers, ways: Sequence[tuple[Flags, _Moves]]) -> Numbers:
    """
    Return how many of each kind others can move, in the better of some *ways*.

    Of each way it is said which clinics are free to go it, [kind, clinic].
    """
    able = [
        np.where(free.T, moves.capacities(bounds) // KINDS, 0) for free, moves in ways
    ]
    return others_of(np.maximum.reduce(able)).T


def _effects(block: Block, s: int, column: int) -> Numbers:
    """Return what one person of each kind adds to the counts, over slot and column."""
    shape = _Shape(
        widths=tuple(interval.months for interval, _ in block.slots),
        above=block.above,
        measures=tuple(each.measure_id for each in block.columns),
        inside=block.inside,
    )
    return _effects_in(shape, s, column)


@lru_cache(maxsize=SHAPES)
def _effects_in(shape: _Shape, s: int, column: int) -> Numbers:
    """Return the same of blocks of one shape, which are as alike as years are."""
    nothing = np.zeros((len(shape.widths), len(shape.measures)), np.int64)
    rows = []
    for slots in _sets(shape, s):
        for together in _together(shape, column):
            effect = _added(nothing, slots, together, 1)
            rows.append(effect)
            rows += [
                _added(effect, instead, together, -1)
                for instead in _instead(shape, slots, s)
            ]
            rows += [
                _added(effect, slots, others, -1)
                for others in _other_states(shape, together)
            ]
    return np.stack(rows).reshape(len(rows), -1)


def _added(effect: Numbers, slots: Slots, columns: Slots, by: int) -> Numbers:
    """Return *effect* with as much more in some slots and columns."""
    changed = effect.copy()
    for column in columns:
        changed[list(slots), column] += by
    return changed


def _together(shape: _Shape, column: int) -> Iterator[Slots]:
    """Yield a column, and it with each other that contains it or is contained."""
    yield (column,)
    for own, other in shape.inside:
        if column in {own, other}:
            yield (own, other)


def _other_states(shape: _Shape, together: Slots) -> Iterator[Slots]:
    """Yield the columns of another state, in the measure of each column."""
    measures = shape.measures
    for shift in range(-len(measures) + 1, len(measures)):
        others = tuple(column + shift for column in together)
        if shift and all(
            0 <= other < len(measures) and measures[other] == measures[column]
            for column, other in zip(together, others, strict=True)
        ):
            yield others


def _sets(shape: _Shape, s: int) -> Iterator[Slots]:
    """Yield sets of slots around and inside *s* in which somebody may be counted."""
    above = steps_of(shape.above, s)[1:]
    for size in range(len(above) + 1):
        for inside in _insides(shape, s):
            yield (s, *above[:size], *inside)


def _insides(shape: _Shape, s: int) -> Iterator[Slots]:
    """Yield sets of slots inside *s*: of a year one quarter with some of its months."""
    parts = _parts(shape, s)
    if not any(_parts(shape, part) for part in parts):
        sizes = range(len(parts) + 1)
        yield from chain.from_iterable(combinations(parts, size) for size in sizes)
        return
    yield ()
    for part in parts:
        for inside in _insides(shape, part):
            yield (part, *inside)


def _instead(shape: _Shape, slots: Slots, s: int) -> Iterator[Slots]:
    """Yield slots of another time, in which somebody is counted who is not in these."""
    top = max(slots, key=lambda slot: shape.widths[slot])
    for other in _parts(shape, shape.above[top]):
        if other == top:
            continue
        if top == s and len(slots) == 1:
            yield (other,)
        if len(slots) > 1:
            for part in _parts(shape, other):
                yield (other, part)


def _parts(shape: _Shape, s: int | None) -> list[int]:
    """Return the slots of the next finer width in *s*."""
    if s is None:
        return []
    return [part for part, above in enumerate(shape.above) if above == s]

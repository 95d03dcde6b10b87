"""
Whether a hidden count is open, asked of a solver: for what has no cheap witness.

Each value from 0 to k - 1 needs an explanation: counts that satisfy all that is known,
in which it stands there. An explanation serves every onlooker whose own counts it
leaves as they are: two without a partner in common serve all. Else a new one is looked
for without each who has a part in it. Only the nearest partners are tried, so "open" is
a proof, and "not open" may only mean that none was found.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from app.disclosure.blocks import Block, Flags
from app.disclosure.systems import Numbers, Row, solution, system
from app.disclosure.witnesses import is_dark, pools_of

FEW = 6
"""
Partners that are tried: more make a search long, and rarely help.

What nobody of them can explain counts as unsafe, so that more is hidden, never less.
"""
Place = tuple[int, int, int]
"""Clinic, slot and column, by position."""


class _Parties(NamedTuple):
    """Clinics, each by itself or as one of a group of dark ones."""

    members: Sequence[Sequence[int]]
    counts: Numbers
    hidden: Flags
    bound: Flags
    """Which ties hold of each."""


class Question(NamedTuple):
    """A sum of counts of one clinic: what stands before each, by slot and column."""

    clinic: int
    terms: Mapping[tuple[int, int], int]

    def true_value(self, block: Block) -> int:
        """Return the sum of the true counts."""
        own = block.counts[self.clinic]
        return sum(by * int(own[at]) for at, by in self.terms.items())


def is_open(block: Block, question: Question, *, k: int) -> bool:
    """
    Tell whether the sum may be anything, to every other clinic and to outsiders.

    That is each of 0 to k - 1; if it is k or more, at least k values around it.
    """
    true = question.true_value(block)
    if true < k:
        return all(_is_explained(block, question, v) for v in range(k) if v != true)
    found = 1
    for values in (range(true - 1, -1, -1), range(true + 1, true + k)):
        for value in values:
            if found == k or not _is_explained(block, question, value):
                break
            found += 1
    return found == k


def is_rest_open(
    block: Block, s: int, column: int, *, onlooker: int | None, k: int
) -> bool:
    """Tell whether a hidden total without the *onlooker* may be each of 0 to k - 1."""
    parties = _parties(block, apart=() if onlooker is None else (onlooker,))
    others = [i for i, own in enumerate(parties.members) if onlooker not in own]
    goal = {(i, s, column): 1 for i in others}
    most = sorted(others, key=lambda i: (-parties.counts[i, s, column], i))
    return all(
        _explanation(block, parties, most[: 2 * FEW], goal, value) is not None
        for value in range(k)
    )


def _is_explained(block: Block, question: Question, value: int) -> bool:
    """Tell whether everybody but the clinic itself can believe in *value*."""
    parties = _parties(block, apart=(question.clinic,))
    mine = parties.members.index((question.clinic,))
    goal, near = _goal(mine, question), _near(parties, mine, question)
    if all(
        _explanation(block, parties, [mine, *some], goal, value) is not None
        for some in (near[::2], near[1::2])
    ):
        return True
    involved = _explanation(block, parties, [mine, *near], goal, value)
    return involved is not None and all(
        _is_explained_without(block, question, value, parties.members[party])
        for party in involved - {mine}
    )


def _is_explained_without(
    block: Block, question: Question, value: int, onlookers: Sequence[int]
) -> bool:
    """Tell whether each of *onlookers*, who knows its own, can believe in *value*."""
    for apart in _one_then_each(onlookers):
        parties = _parties(block, apart=(question.clinic, *apart))
        mine = parties.members.index((question.clinic,))
        near = [
            i
            for i in (mine, *_near(parties, mine, question))
            if not set(parties.members[i]) & set(apart)
        ]
        goal = _goal(mine, question)
        believed = _explanation(block, parties, near, goal, value) is not None
        if len(apart) == len(onlookers) and believed:
            return True
        if len(apart) == 1 and not believed:
            return False
    return True


def _goal(mine: int, question: Question) -> dict[Place, int]:
    return {(mine, *at): by for at, by in question.terms.items()}


def _one_then_each(onlookers: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield all *onlookers* together, which proves it for each, and then one by one."""
    if len(onlookers) > 1:
        yield tuple(onlookers)
    for each in onlookers:
        yield (each,)


def _parties(block: Block, *, apart: Sequence[int]) -> _Parties:
    """Return the clinics, the dark ones in three groups, without those *apart*."""
    dark = is_dark(block)
    pools = pools_of(block, dark)
    pools[list(apart)] = -1
    members: list[tuple[int, ...]] = [(c,) for c in np.flatnonzero(pools < 0).tolist()]
    members += [
        tuple(np.flatnonzero(pools == pool).tolist())
        for pool in range(pools.max(initial=-1) + 1)
        if (pools == pool).any()
    ]
    rows = [list(own) for own in members]
    return _Parties(
        members=members,
        counts=np.stack([block.counts[own].sum(axis=0) for own in rows]),
        hidden=np.stack([block.hidden[own].all(axis=0) for own in rows]),
        bound=np.stack([~block.broken[own].any(axis=0) for own in rows]),
    )


def _near(parties: _Parties, mine: int, question: Question) -> list[int]:
    """Return those with most people to give or take."""
    s, column = next(iter(question.terms))
    free = parties.hidden.sum(axis=(1, 2)) + parties.counts[:, s, column]
    free = np.where(parties.hidden[:, s, column], free, 0)
    return [i for i in np.argsort(-free, kind="stable").tolist() if i != mine][:FEW]


def _explanation(
    block: Block,
    parties: _Parties,
    free: Sequence[int],
    goal: Mapping[Place, int],
    value: int,
) -> set[int] | None:
    """
    Return who has other counts than the true ones if *goal* adds up to *value*.

    The widths around it are tried first, by themselves: that is quick, and mostly does.
    """
    around = _around(block, {s for _, s, _ in goal})
    found = _explained_in(block, parties, free, goal, value, around)
    if found is None and len(around) < len(block.slots):
        return _explained_in(block, parties, free, goal, value, None)
    return found


def _around(block: Block, slots: Collection[int]) -> set[int]:
    """Return some slots, those that they are part of, and those inside them."""
    return set().union(*(_lineage(block, s) for s in slots)) | {
        s for s in range(len(block.slots)) if _lineage(block, s) & set(slots)
    }


def _lineage(block: Block, slot: int | None) -> set[int]:
    """Return a slot, and the wider ones around it."""
    found: set[int] = set()
    while slot is not None:
        found.add(slot)
        slot = block.above[slot]
    return found


def _explained_in(
    block: Block,
    parties: _Parties,
    free: Sequence[int],
    goal: Mapping[Place, int],
    value: int,
    slots: Collection[int] | None,
) -> set[int] | None:
    """Return the same with true counts in all but some *slots*; None: in any."""
    where = (
        (i, s, c)
        for i in free
        for s, c in np.argwhere(parties.hidden[i]).tolist()
        if slots is None or s in slots
    )
    unknown: dict[Place, int] = {at: j for j, at in enumerate(where)}
    wanted = {unknown[at]: by for at, by in goal.items() if at in unknown}
    known = sum(
        by * int(parties.counts[at]) for at, by in goal.items() if at not in unknown
    )
    if not wanted:
        return None
    given = system(
        len(unknown),
        equal=_totals(block, parties, unknown),
        at_least=_ties(block, parties, unknown, free),
    )
    found = solution(given, wanted, value - known)
    if found is None:
        return None
    return {at[0] for at, j in unknown.items() if found[j] != parties.counts[at]}


def _totals(
    block: Block, parties: _Parties, unknown: dict[Place, int]
) -> Iterator[tuple[Row, int]]:
    """Yield what unknown counts add up to where the network's total is told."""
    rows: dict[tuple[int, int], list[Place]] = {}
    for at in unknown:
        if block.told[at[1:]]:
            rows.setdefault(at[1:], []).append(at)
    for places in rows.values():
        yield (
            {unknown[at]: 1 for at in places},
            sum(int(parties.counts[at]) for at in places),
        )


def _ties(
    block: Block, parties: _Parties, unknown: dict[Place, int], free: Sequence[int]
) -> Iterator[tuple[Row, int]]:
    """Yield what binds the unknown counts of each party."""
    columns = len(block.columns)
    rows = [
        [(*divmod(int(j), columns), int(row[j])) for j in np.flatnonzero(row)]
        for row in block.ties
    ]
    for i in free:
        for number in np.flatnonzero(parties.bound[i]):
            row, known = {}, 0
            for s, column, by in rows[number]:
                if (i, s, column) in unknown:
                    row[unknown[i, s, column]] = by
                else:
                    known += by * int(parties.counts[i, s, column])
            if row:
                yield row, -known

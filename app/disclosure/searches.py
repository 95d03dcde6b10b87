"""
Whether a hidden count is open, asked of a solver: for what has no cheap witness.

Each value from 0 to k - 1 needs an explanation: counts that satisfy all that is known,
in which it stands there. An explanation serves every onlooker whose own counts it
leaves as they are: two without a partner in common serve all. Else a new one is looked
for without each who has a part in it. Only the nearest partners are tried, so "open" is
a proof, and "not open" may only mean that none was found.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from app.disclosure.blocks import Block, Flags
from app.disclosure.systems import Numbers, Program, System, joined, system
from app.disclosure.witnesses import is_dark, pools_of, steps_of

FEW = 6
"""
Partners that are tried: more make a search long, and rarely help.

What nobody of them can explain counts as unsafe, so that more is hidden, never less.
"""
Goal = Mapping[tuple[int, int, int], int]
"""A sum of counts: what stands before each, by party, slot and column."""


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
    asked, true = _Asked(block, question), question.true_value(block)
    if true < k:
        # What explains the farthest value mostly explains those on the way as well.
        others = sorted(set(range(k)) - {true}, key=lambda value: -abs(value - true))
        return all(asked.is_explained(value) for value in others)
    found = 1
    for values in (range(true - 1, -1, -1), range(true + 1, true + k)):
        for value in values:
            if found == k or not asked.is_explained(value):
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
    search = _Search(block, parties, most[: 2 * FEW], goal)
    return all(search.explanation(value) is not None for value in range(k))


class _Asked:
    """A question, with all that its values have in common."""

    def __init__(self, block: Block, question: Question) -> None:
        self._block, self._question = block, question
        self._parties = _parties(block, apart=(question.clinic,))
        self._mine = self._parties.members.index((question.clinic,))
        near = _near(self._parties, self._mine, question)
        self._halves = [self._search(some) for some in (near[::2], near[1::2])]
        self._whole = self._search(near)
        self._without: dict[tuple[int, ...], _Search] = {}

    def is_explained(self, value: int) -> bool:
        """Tell whether everybody but the clinic itself can believe in *value*."""
        if all(half.explanation(value) is not None for half in self._halves):
            return True
        involved = self._whole.explanation(value)
        return involved is not None and all(
            self._is_explained_without(self._parties.members[party], value)
            for party in involved - {self._mine}
        )

    def _search(self, partners: Sequence[int]) -> "_Search":
        goal = _goal(self._mine, self._question)
        return _Search(self._block, self._parties, [self._mine, *partners], goal)

    def _is_explained_without(self, onlookers: Sequence[int], value: int) -> bool:
        """Tell whether each of *onlookers*, who knows its own, believes in *value*."""
        for apart in _one_then_each(onlookers):
            believed = self._search_without(apart).explanation(value) is not None
            if len(apart) == len(onlookers) and believed:
                return True
            if len(apart) == 1 and not believed:
                return False
        return True

    def _search_without(self, apart: tuple[int, ...]) -> "_Search":
        """Return a search among others than those *apart*."""
        if apart not in self._without:
            parties = _parties(self._block, apart=(self._question.clinic, *apart))
            mine = parties.members.index((self._question.clinic,))
            near = [
                i
                for i in (mine, *_near(parties, mine, self._question))
                if not set(parties.members[i]) & set(apart)
            ]
            goal = _goal(mine, self._question)
            self._without[apart] = _Search(self._block, parties, near, goal)
        return self._without[apart]


class _Search:
    """Looks for counts of some *free* parties in which a *goal* has a value."""

    def __init__(
        self, block: Block, parties: _Parties, free: Sequence[int], goal: Goal
    ) -> None:
        self._block, self._parties = block, parties
        self._free, self._goal = free, goal

    def explanation(self, value: int) -> set[int] | None:
        """
        Return who has other counts than the true ones if the goal is *value*.

        The widths around it are tried first, by themselves: that is quick, and mostly
        does.
        """
        found = self._around.explanation(value)
        return self._everywhere.explanation(value) if found is None else found

    @cached_property
    def _around(self) -> "_Unknown":
        slots = _around(self._block, {s for _, s, _ in self._goal})
        return _Unknown(self._block, self._parties, self._free, self._goal, slots)

    @cached_property
    def _everywhere(self) -> "_Unknown":
        slots = set(range(len(self._block.slots)))
        if slots == _around(self._block, {s for _, s, _ in self._goal}):
            return self._around
        return _Unknown(self._block, self._parties, self._free, self._goal, slots)


class _Unknown:
    """What is hidden of some parties in some slots, while all else is as it is."""

    def __init__(
        self,
        block: Block,
        parties: _Parties,
        free: Sequence[int],
        goal: Goal,
        slots: Collection[int],
    ) -> None:
        is_unknown = np.zeros_like(parties.hidden)
        is_unknown[np.ix_(list(free), list(slots))] = parties.hidden[
            np.ix_(list(free), list(slots))
        ]
        place = np.full(is_unknown.shape, -1)
        place[is_unknown] = np.arange(is_unknown.sum())
        self._party = np.nonzero(is_unknown)[0]
        self._true = parties.counts[is_unknown]
        wanted = {int(place[at]): by for at, by in goal.items() if is_unknown[at]}
        self._known = sum(
            by * int(parties.counts[at])
            for at, by in goal.items()
            if not is_unknown[at]
        )
        self._program = (
            Program(_system(block, parties, place), wanted, true=self._true)
            if wanted
            else None
        )

    def explanation(self, value: int) -> set[int] | None:
        """Return who has other counts than the true ones if the goal is *value*."""
        if self._program is None:
            return None
        found = self._program.solution(value - self._known)
        return None if found is None else set(self._party[found != self._true].tolist())


def _goal(mine: int, question: Question) -> Goal:
    return {(mine, *at): by for at, by in question.terms.items()}


def _one_then_each(onlookers: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield all *onlookers* together, which proves it for each, and then one by one."""
    if len(onlookers) > 1:
        yield tuple(onlookers)
    for each in onlookers:
        yield (each,)


def _parties(block: Block, *, apart: Sequence[int]) -> _Parties:
    """Return the clinics, the dark ones in three groups, without those *apart*."""
    pools = pools_of(block, is_dark(block))
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


def _around(block: Block, slots: Collection[int]) -> set[int]:
    """Return some slots, those that they are part of, and those inside them."""
    return set().union(*(steps_of(block.above, s) for s in slots)) | {
        s
        for s in range(len(block.slots))
        if not set(slots).isdisjoint(steps_of(block.above, s))
    }


def _system(block: Block, parties: _Parties, place: Numbers) -> System:
    """Return what is known of unknown counts, whose *place* is 0 or more."""
    unknowns = int(place.max(initial=-1)) + 1
    ties = (
        _ties(block, parties, i, place[i].reshape(-1), unknowns)
        for i in np.flatnonzero((place >= 0).any(axis=(1, 2))).tolist()
    )
    return joined([_totals(block, parties, place, unknowns), *ties])


def _totals(block: Block, parties: _Parties, place: Numbers, unknowns: int) -> System:
    """Return what unknown counts add up to where the network's total is told."""
    told = block.told & (place >= 0).any(axis=0)
    which = place[:, told].T
    totals = np.where(which >= 0, parties.counts[:, told].T, 0).sum(axis=1)
    return system(
        (which >= 0).astype(np.int64),
        columns=which,
        unknowns=unknowns,
        least=totals,
        most=totals,
    )


def _ties(
    block: Block, parties: _Parties, party: int, place: Numbers, unknowns: int
) -> System:
    """Return what binds the unknown counts of a party, by their *place*."""
    unknown = place >= 0
    ties = block.ties[parties.bound[party]]
    known = ties @ np.where(unknown, 0, parties.counts[party].reshape(-1))
    ties = ties[:, unknown]
    # What cannot fall below 0 binds nothing.
    binding = (ties < 0).any(axis=1) | ((known < 0) & (ties != 0).any(axis=1))
    return system(
        ties[binding],
        columns=place[unknown],
        unknowns=unknowns,
        least=-known[binding],
    )

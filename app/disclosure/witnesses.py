"""
Cheap proofs that a hidden count may be anything from 0 to k - 1: people who could move.

The true counts satisfy all that is known. If some people of one clinic are given to
another of which the same is hidden, every total stays as it is, so what comes out is as
good an explanation as the truth, as long as it still satisfies what binds each clinic.
Two partners without a clinic in common prove it to every onlooker, who is at most one
of them. There are three kinds:

- *Dark* clinics show nothing in a block. They can exchange people with their whole
  history, so anything goes that their people suffice for.
- *Chains*: a count is changed together with those of the wider slots around it, by
  equal or smaller amounts. What binds them bounds differences, so each amount up to the
  shortest path through these bounds is possible, in whole numbers.
- *Alone*: where the total is hidden too, a count needs no partner.

What has no such proof may still be safe; ``audits`` asks a solver.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.disclosure.blocks import Block, Flags
from app.disclosure.systems import Numbers

FAR = 10**9
"""No bound."""
ENOUGH = 3
"""Dark clinics among whom one can be asked about and one can look on."""
TWO = 2


class Room(NamedTuple):
    """How far counts can certainly go up and down, whoever looks on; [clinic, ...]."""

    up: Numbers
    down: Numbers

    def suffices(self, counts: Numbers, *, k: int) -> Flags:
        """
        Tell which counts may be anything from 0 to k - 1.

        Of a count of k or more only that is asked that k values are compatible.
        """
        small = (self.up >= k - 1 - counts) & (self.down >= counts)
        found: Flags = np.where(counts < k, small, self.up + self.down >= k - 1)
        return found


class _Chain(NamedTuple):
    """
    Bounds on changes of a count and of those in the wider slots around it.

    ``up`` and ``down`` are bounds on each change, [step, clinic]; ``rise`` on how much
    more each goes up than the next wider one, ``fall`` on how much more it goes down.
    """

    up: Numbers
    down: Numbers
    rise: Sequence[Numbers]
    fall: Sequence[Numbers]


class _Crowd(NamedTuple):
    """
    Whoever can give or take people: each clinic, then pools of dark ones.

    ``pools`` has the pool of each clinic, -1 of none.
    """

    counts: Numbers
    hidden: Flags
    slack: Numbers
    pools: Numbers

    @property
    def partners(self) -> Numbers:
        """Return those who can be partners: no clinic is in two of them."""
        pools = np.unique(self.pools[self.pools >= 0]) + len(self.pools)
        return np.concatenate([np.flatnonzero(self.pools < 0), pools])


def room(block: Block, *, wanted: Flags) -> Room:
    """Return the room of a block's hidden counts, at least where it is *wanted*."""
    chains, exchanges = chain_room(block, wanted=wanted), dark_room(block, block.counts)
    return Room(
        np.maximum(chains.up, exchanges.up), np.maximum(chains.down, exchanges.down)
    )


def chain_room(block: Block, *, wanted: Flags) -> Room:
    """Return the room that counts have while those of other columns stay."""
    found = Room(np.zeros_like(block.counts), np.zeros_like(block.counts))
    crowd = _crowd(block, pools_of(block, is_dark(block)))
    for s, column in np.argwhere(wanted.any(axis=0)).tolist():
        chain = _chain(block, crowd, s, column)
        told = block.told[steps_of(block.above, s), column]
        asked = np.flatnonzero(wanted[:, s, column])
        for total, way in ((found.up, chain), (found.down, _reversed(chain))):
            total[asked, s, column] = np.maximum.reduce(
                [
                    _with_partner(way, crowd, asked, told),
                    _with_many(way, len(block.clinics))[asked],
                    _alone(way, told)[asked],
                ]
            )
    return found


def dark_room(block: Block, counts: Numbers) -> Room:
    """
    Return the room that *counts* of a block's dark clinics have, by whom they count.

    Their people change places one by one, so no other count is held fast. Of other
    clinics it is 0.
    """
    dark = is_dark(block)
    up, down = np.zeros_like(counts), np.zeros_like(counts)
    if dark.sum() >= ENOUGH:
        up[dark], down[dark] = others_of(counts[dark]), counts[dark]
    return Room(up, down)


def is_dark(block: Block) -> Flags:
    """Tell of which clinics a block shows nothing, and nothing is out of joint."""
    is_told = np.logical_or.reduce(~block.hidden, axis=(1, 2))
    dark: Flags = ~(is_told | np.logical_or.reduce(block.broken, axis=1))
    return dark


def is_total_open(block: Block, s: int, column: int, *, k: int) -> Flags:
    """
    Tell to which onlookers a hidden total of the network may be 0 to k - 1.

    The outsider comes first, then each clinic, who has taken its own people out. True,
    too, where what is left is not small, or nobody is there whose number is hidden.
    """
    told = block.told[steps_of(block.above, s), column]
    dark = is_dark(block)
    counts, hidden = block.counts[:, s, column], block.hidden[:, s, column]
    each = _chain(block, _crowd(block, np.full(len(dark), -1)), s, column)
    # All dark clinics but the onlooker are one: none of their counts is known.
    merged = without_each(np.where(dark[:, None, None], block.counts, 0))
    slack = without_each(np.where(dark[:, None], block.slack, 0))
    nobody = np.full(len(merged), -1)
    some = without_each(dark) > 0
    is_there = np.broadcast_to(some[:, None, None], merged.shape)
    one = _chain(block, _Crowd(merged, is_there, slack, nobody), s, column)
    rest = without_each(counts)
    stuck = without_each(~dark & (_alone(_reversed(each), told) < counts))
    emptied = (stuck == 0) & (_alone(_reversed(one), told) >= merged[:, s, column])
    up = without_each(np.where(dark, 0, _alone(each, told))) + _alone(one, told)
    unknown = without_each(hidden) > 0
    found: Flags = (rest >= k) | ~unknown | (emptied & (up >= k - 1 - rest))
    return found


def pools_of(block: Block, dark: Flags) -> Numbers:
    """Return the pool that each *dark* clinic is in, -1 of the others."""
    pools = np.full(len(dark), -1)
    by_size = np.argsort(-block.counts.sum(axis=(1, 2)), kind="stable")
    members = by_size[dark[by_size]]
    pools[members] = np.arange(len(members)) % ENOUGH
    return pools


def without_each(numbers: Numbers | Flags) -> Numbers:
    """Return the sum over clinics, and the sums without each one of them."""
    own = np.concatenate([np.zeros_like(numbers[:1]), numbers]).astype(np.int64)
    rest: Numbers = numbers.sum(axis=0) - own
    return rest


def _crowd(block: Block, pools: Numbers) -> _Crowd:
    """Return all clinics, and after them the pools."""
    slack = np.where(block.broken, FAR, block.slack)
    members = [pools == pool for pool in range(pools.max(initial=-1) + 1)]
    some = np.ones((len(members), *block.hidden.shape[1:]), bool)
    return _Crowd(
        counts=_stacked(block.counts, members),
        hidden=np.concatenate([block.hidden, some]),
        slack=_stacked(slack, members),
        pools=pools,
    )


def _stacked(numbers: Numbers, members: list[Flags]) -> Numbers:
    """Return *numbers* by clinic, and after them the sums over *members*."""
    sums = [numbers[some].sum(axis=0, keepdims=True) for some in members]
    return np.concatenate([numbers, *sums])


def others_of(counts: Numbers) -> Numbers:
    """Return what all others have without the largest; 0 if nobody else is left."""
    if len(counts) < ENOUGH:
        return np.zeros_like(counts)
    largest = np.sort(counts, axis=0)[-TWO:]
    onlooker = np.where(counts == largest[-1], largest[0], largest[-1])
    others: Numbers = counts.sum(axis=0) - counts - onlooker
    return others


def steps_of(above: Sequence[int | None], s: int) -> list[int]:
    """Return a slot and the wider ones around it, of which each is *above* another."""
    steps, wider = [s], above[s]
    while wider is not None:
        steps.append(wider)
        wider = above[wider]
    return steps


def _chain(block: Block, crowd: _Crowd, s: int, column: int) -> _Chain:
    """Return the bounds on changes of one column in a slot and those around it."""
    steps = steps_of(block.above, s)
    ties = block.ties[:, [step * len(block.columns) + column for step in steps]]

    def least(pattern: dict[int, int]) -> Numbers:
        wanted = [pattern.get(step, 0) for step in range(len(steps))]
        rows = (ties == wanted).all(axis=1)
        bounds: Numbers = crowd.slack[:, rows].min(axis=1, initial=FAR)
        return bounds

    free = crowd.hidden[:, steps, column].T
    count = crowd.counts[:, steps, column].T
    up = np.stack([least({i: -1}) for i in range(len(steps))])
    down = np.stack([least({i: 1}) for i in range(len(steps))])
    links = range(len(steps) - 1)
    return _Chain(
        up=np.where(free, up, 0),
        down=np.where(free, np.minimum(down, count), 0),
        rise=[least({i: -1, i + 1: 1}) for i in links],
        fall=[least({i: 1, i + 1: -1}) for i in links],
    )


def _reversed(chain: _Chain) -> _Chain:
    """Return the same bounds with up and down exchanged."""
    return _Chain(up=chain.down, down=chain.up, rise=chain.fall, fall=chain.rise)


def _alone(chain: _Chain, told: Flags) -> Numbers:
    """Return how far each count can go up while no total that is told changes."""
    up = np.where(told[:, None], 0, chain.up)
    found = up[-1]
    for step in reversed(range(len(up) - 1)):
        found = np.minimum(up[step], found + chain.rise[step])
    result: Numbers = found
    return result


def _with_many(chain: _Chain, clinics: int) -> Numbers:
    """
    Return how far each count can go up at the cost of all others but the largest.

    It and those of some wider slots go up by as much, and the next wider stays: then
    what one clinic can give does not depend on the others.
    """
    found: Numbers = np.zeros(clinics, np.int64)
    up = down = np.full(clinics, FAR)
    for step in range(len(chain.up)):
        up = np.minimum(up, chain.up[step][:clinics])
        down = np.minimum(down, chain.down[step][:clinics])
        is_last = step == len(chain.up) - 1
        rise = up if is_last else np.minimum(up, chain.rise[step][:clinics])
        fall = down if is_last else np.minimum(down, chain.fall[step][:clinics])
        found = np.maximum(found, np.minimum(rise, others_of(fall)))
    return found


def _with_partner(chain: _Chain, crowd: _Crowd, asked: Numbers, told: Flags) -> Numbers:
    """Return how far the *asked* can go up by the second best of their partners."""
    partners, clinics = crowd.partners, len(crowd.pools)
    if len(partners) < TWO:
        return np.zeros(len(asked), np.int64)
    last = len(chain.up) - 1
    mine = chain.up[last, asked][:, None]
    theirs = chain.down[last, partners][None, :]
    for step in range(last, -1, -1):
        if step < last:
            up, down = chain.up[step, asked], chain.down[step, partners]
            mine = np.minimum(up[:, None], mine + chain.rise[step][asked][:, None])
            theirs = np.minimum(down, theirs + chain.fall[step][partners])
        if told[step:].any():
            mine = theirs = np.minimum(mine, theirs)
    found = np.broadcast_to(mine, (len(asked), len(partners))).copy()
    pool = np.where(crowd.pools < 0, -1, crowd.pools + clinics)[asked]
    own = (asked[:, None] == partners) | (pool[:, None] == partners)
    found[own] = 0
    second: Numbers = np.partition(found, -TWO, axis=1)[:, -TWO]
    return second

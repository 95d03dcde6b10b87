"""
A release and the true counts behind it -> blocks that say nothing of one another.

What is told of a latest status stands in one line and ends there: the clinics' counts
add up to the network's. Where visits are counted, widths bind the counts of a clinic,
so a block is a calendar year. Measures of which one is declared to contain another
share their blocks; strata are a matter of the quarter they split (``audits``).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.disclosure.bounds import Key
from app.disclosure.cubes import Slot
from app.disclosure.lines import Counts
from app.disclosure.releases import NETWORK
from app.disclosure.states import MEETING, States
from app.disclosure.systems import Numbers
from app.disclosure.widths import Columns, Tie, width_ties
from app.domain.counts import Basis, Interval, ReleasedCell

Flags = npt.NDArray[np.bool_]
TrueLine = Mapping[int, Counts]
"""The people of each clinic that takes part in a line, by state."""
YEAR = 12


class Published(NamedTuple):
    """
    What an audience is told of one measure, and what is behind it.

    ``lines`` are the true counts by the slots that show them, those of earlier
    releases as they were then; ``fresh`` are the lines that were not published yet.
    ``subset_of`` and ``sum_of`` are the numbers of other measures. Without
    ``is_summed`` a network's total is no sum of the clinics', but of people who each
    count once, and by how many it is less is nobody's to know (``people``).
    """

    measure_id: int
    basis: Basis
    states: States
    seen: Mapping[Key, ReleasedCell]
    lines: Mapping[tuple[Slot, ...], TrueLine]
    fresh: frozenset[tuple[Slot, ...]]
    subset_of: tuple[int, ...] = ()
    sum_of: tuple[int, ...] = ()
    is_summed: bool = True


class Column(NamedTuple):
    """
    One state of one measure.

    ``complete`` is told of those who are not in the denominator, which a release shows
    or hides by themselves.
    """

    measure_id: int
    complete: bool


class Block(NamedTuple):
    """
    Counts by clinic, slot and column, and what an onlooker knows of them.

    ``hidden`` are the counts that are not told; ``marked`` those of them whose cell
    stands in the release; ``told`` the totals of the network that are, by slot and
    column. Each row of ``ties``, over slot and column, has a sum of 0 or more within
    every clinic, which is its ``slack``, but for those that are ``broken`` there: what
    was frozen at different times need not fit together, and then nobody can rely on it.
    ``above`` is the wider slot that each slot is part of. ``inside`` are pairs of
    columns, of which the people of the first are among those of the second.
    """

    slots: tuple[Slot, ...]
    columns: tuple[Column, ...]
    clinics: tuple[int, ...]
    counts: Numbers
    shown: Flags
    hidden: Flags
    marked: Flags
    told: Flags
    ties: Numbers
    slack: Numbers
    above: tuple[int | None, ...]
    inside: tuple[tuple[int, int], ...]

    @property
    def broken(self) -> Flags:
        """Return which rows of ``ties`` do not hold, by clinic."""
        return self.slack < 0


def blocks(published: Sequence[Published]) -> Iterator[Block]:
    """Yield the blocks that hold anything fresh."""
    for family in _families(published):
        for slots in _spans(family):
            yield _block(family, slots)


def span_of(slot: Slot, basis: Basis) -> int:
    """Return what tells blocks apart: of a latest status its month, else the year."""
    interval, start = slot
    is_status = basis is Basis.LATEST_STATUS
    return start + interval.months - 1 if is_status else start // YEAR


def _families(published: Sequence[Published]) -> Iterator[list[Published]]:
    """Yield the measures that are tied to one another, and each other one alone."""
    groups = [[one] for one in published]
    for one in published:
        for other in (*one.subset_of, *one.sum_of):
            mine = next(g for g in groups if one in g)
            theirs = next((g for g in groups if _is_tied(g, one, other)), mine)
            if theirs is not mine:
                groups = [g for g in groups if g is not mine and g is not theirs]
                groups.append([*mine, *theirs])
    yield from groups


def _is_tied(group: Sequence[Published], one: Published, other: int) -> bool:
    """Tell whether measure *other*, of the same basis, is in *group*."""
    return any(m.measure_id == other and m.basis is one.basis for m in group)


def _spans(family: Sequence[Published]) -> Iterator[list[tuple[Slot, ...]]]:
    """Yield lines that are tied to one another, where any of them is fresh."""
    spans: dict[int, set[tuple[Slot, ...]]] = defaultdict(set)
    fresh = set()
    for one in family:
        for slots in one.lines:
            span = span_of(slots[0], one.basis)
            spans[span].add(slots)
            if slots in one.fresh:
                fresh.add(span)
    for span in sorted(fresh):
        yield sorted(spans[span], key=lambda slots: (slots[0][0].months, slots[0][1]))


def _block(family: Sequence[Published], lines: Sequence[tuple[Slot, ...]]) -> Block:
    slots = tuple(slots[0] for slots in lines)
    columns = tuple(
        Column(one.measure_id, state >= one.states.outcomes)
        for one in family
        for state in range(one.states.size)
    )
    clinics = sorted(
        {c for m in family for line in lines for c in m.lines.get(line, ())}
    )
    shape = (len(clinics), len(slots), len(columns))
    place = {clinic: i for i, clinic in enumerate(clinics)}
    counts = np.zeros(shape, np.int64)
    shown, hidden, marked = (np.zeros(shape, bool) for _ in range(3))
    told = np.zeros(shape[1:], bool)
    first = 0
    for one in family:
        own = slice(first, first + one.states.size)
        for s, line in enumerate(lines):
            if line not in one.lines:
                continue
            told[s, own] = one.is_summed & _any_shown(one, NETWORK, line)
            for clinic, people in one.lines[line].items():
                at = place[clinic], s, own
                counts[at] = people
                shown[at] = _any_shown(one, clinic, line)
                hidden[at] = ~shown[at]
                marked[at] = hidden[at] & any((clinic, *x, 0) in one.seen for x in line)
        first = own.stop
    ties = _matrix(list(_ties(family, lines)), len(slots), len(columns))
    return Block(
        slots=slots,
        columns=columns,
        clinics=tuple(clinics),
        counts=counts,
        shown=shown,
        hidden=hidden,
        marked=marked,
        told=told,
        ties=ties,
        slack=counts.reshape(len(clinics), -1) @ ties.T,
        above=tuple(_above(slot, slots) for slot in slots),
        inside=tuple(_inside(family)),
    )


def _any_shown(one: Published, clinic: int | None, line: Iterable[Slot]) -> Flags:
    """Return which states of a clinic can be read in any slot of a line."""
    shown = [one.states.shown(one.seen.get((clinic, *slot, 0))) for slot in line]
    found: Flags = np.logical_or.reduce(np.array(shown, bool))
    return found


def _above(slot: Slot, slots: Sequence[Slot]) -> int | None:
    """Return the position of the next wider slot around *slot*."""
    for i, wider in enumerate(slots):
        if wider[0].months > slot[0].months and _is_inside(slot, wider):
            return i
    return None


def _is_inside(slot: Slot, wider: Slot) -> bool:
    interval, start = wider
    return start <= slot[1] < start + interval.months


def _ties(
    family: Sequence[Published], lines: Sequence[tuple[Slot, ...]]
) -> Iterator[Tie]:
    """Yield what binds the counts of one clinic in these lines."""
    first, meeting = 0, _meeting(family)
    for one in family:
        size = one.states.size
        last = first + size - 1
        states = tuple(range(first, last)) + (() if one.states.passive else (last,))
        if one.basis is not Basis.LATEST_STATUS:
            columns = Columns(states, last if one.states.passive else None)
            yield from _widths(one, lines, columns)
        first += size
    for one in family:
        for s, line in enumerate(lines):
            there = {m.measure_id for m in family if line in m.lines} & meeting.keys()
            yield from _relations(one, s, {m: meeting[m] for m in there})


def _widths(
    one: Published, lines: Sequence[tuple[Slot, ...]], columns: Columns
) -> Iterator[Tie]:
    """Yield what binds the widths of one measure."""
    there = [(s, line[0]) for s, line in enumerate(lines) if line in one.lines]
    for whole, slot in there:
        parts = [s for s, part in there if _is_part(part, slot)]
        if parts:
            yield from width_ties(whole, parts, columns)


def _is_part(part: Slot, whole: Slot) -> bool:
    """Tell whether *part* is of the next finer width, and inside *whole*."""
    finer = {Interval.QUARTER: Interval.MONTH, Interval.YEAR: Interval.QUARTER}
    return finer.get(whole[0]) is part[0] and _is_inside(part, whole)


def _meeting(family: Sequence[Published]) -> dict[int, int]:
    """Return the column of those who meet each measure that has a numerator."""
    firsts = accumulate((one.states.size for one in family), initial=0)
    return {
        one.measure_id: first + MEETING
        for one, first in zip(family, firsts, strict=False)
        if one.states.has_numerator
    }


def _inside(family: Sequence[Published]) -> Iterator[tuple[int, int]]:
    """Yield the columns that contain each other: parts are subsets of their sum."""
    meeting = _meeting(family)
    for one in family:
        for other in one.subset_of:
            if {one.measure_id, other} <= meeting.keys():
                yield meeting[one.measure_id], meeting[other]
        for other in one.sum_of:
            if {one.measure_id, other} <= meeting.keys():
                yield meeting[other], meeting[one.measure_id]


def _relations(one: Published, slot: int, meeting: Mapping[int, int]) -> Iterator[Tie]:
    """Yield what binds those who meet related measures in one slot."""
    if one.measure_id not in meeting:
        return
    own = (slot, meeting[one.measure_id])
    for other in one.subset_of:
        if other in meeting:
            yield {(slot, meeting[other]): 1, own: -1}
    if one.sum_of and meeting.keys() >= set(one.sum_of):
        parts = [(slot, meeting[other]) for other in one.sum_of]
        yield dict.fromkeys(parts, 1) | {own: -1}
        yield dict.fromkeys(parts, -1) | {own: 1}


def _matrix(ties: Sequence[Tie], slots: int, columns: int) -> Numbers:
    """Return *ties* as rows over slot and column."""
    matrix = np.zeros((len(ties), slots, columns), np.int64)
    for row, tie in enumerate(ties):
        for place, by in tie.items():
            matrix[row, *place] = by
    return matrix.reshape(len(ties), slots * columns)

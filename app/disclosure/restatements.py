"""
Whether a block may be published anew: the gross-change rule.

Who holds the old numbers and the new ones can subtract them. So in every number that
can be read, or follows from what can be read, as many people as the threshold asks for
must have come in, or none, and likewise gone out: those who came and those who went,
not their difference, and without the people of any one clinic, which knows its own.

A block is what hangs together: of visits and index events a calendar year, whose
months, quarters and year tell of the same people; of a latest status a calendar
quarter, since each of its months stands for itself, and a quarter or a year repeats its
last one. It shows the same cells as before. Where its new numbers would hide a cell
that was shown, or show one that was hidden, it stays as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from app.disclosure.bounds import Key, place_of
from app.disclosure.groups import Groups, Judgement
from app.disclosure.lines import Counts
from app.disclosure.releases import NETWORK
from app.domain.counts import Basis, Cell, Interval, ReleasedCell

Delta = Cell
"""
What one subject adds to an interval now, less what it added when that was published.

Of several erased subjects of a clinic it is the sum; in all of them they are fewer.
"""

Line = tuple[Interval, int]
"""The width and start of numbers that are their own, whichever slots repeat them."""
Part = tuple[Line, str, int]
"""One number that can be read in a line: a clinic's, a stratum's, or of the rest."""
CLINIC, STRATUM, REST, OTHER_STRATA = "clinic", "stratum", "rest", "other strata"


class Gross(msgspec.Struct, frozen=True, kw_only=True):
    """How many people came into each group of a part, and how many went out of it."""

    added: Counts
    removed: Counts


NOBODY = Gross(added=(), removed=())


def block_months(basis: Basis) -> int:
    """Return how long a block is."""
    is_status = basis is Basis.LATEST_STATUS
    return (Interval.QUARTER if is_status else Interval.YEAR).months


def block_of(interval: Interval, start: int, *, months: int) -> int:
    """Return where the block of so many *months* begins that an interval is in."""
    last = start + interval.months - 1
    return last - last % months


def line_of(basis: Basis, interval: Interval, start: int) -> Line:
    """Return the line that holds the numbers of an interval."""
    if basis is Basis.LATEST_STATUS:
        return Interval.MONTH, start + interval.months - 1
    return interval, start


def shows_the_same(old: Sequence[ReleasedCell], new: Sequence[ReleasedCell]) -> bool:
    """Tell whether two editions of a block show and withhold the same numbers."""
    return _pattern(old) == _pattern(new)


def _pattern(cells: Sequence[ReleasedCell]) -> dict[Key, tuple[object, ...]]:
    return {
        place_of(cell): (
            cell.withheld,
            *(
                number is None
                for number in (
                    cell.population,
                    cell.scored,
                    cell.denominator,
                    cell.numerator,
                    cell.value_sum,
                    *cell.quantiles,
                )
            ),
        )
        for cell in cells
    }


class Readable(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """
    What one audience can read of a block of one measure, and what follows from it.

    ``cells`` are the block's, as they are published; ``blocks`` the numbers of the
    strata of each stratifier.
    """

    cells: Sequence[ReleasedCell]
    basis: Basis
    judgement: Judgement
    blocks: Sequence[range]

    def moves(
        self, clinic: int, deltas: Iterable[Delta]
    ) -> Iterator[tuple[Part, Gross]]:
        """Yield in which parts one subject of *clinic* came or went."""
        for line, by_stratum in _by_line(self.basis, deltas).items():
            for index, groups in enumerate(
                (self.judgement.scored, self.judgement.unscored)
            ):
                for (what, which), delta in self._parts(
                    line, groups, clinic, by_stratum
                ):
                    gross = gross_of(delta, groups, self.judgement)
                    if gross != NOBODY:
                        yield (line, f"{what} {index}", which), gross

    def _parts(
        self, line: Line, groups: Groups, clinic: int, deltas: Mapping[int, Delta]
    ) -> Iterator[tuple[tuple[str, int], Delta]]:
        """Yield each part of a line that a clinic's subject is in, with its change."""
        total = deltas.get(0)
        if total is not None and clinic in self.clinics_shown(line, groups):
            yield (CLINIC, clinic), total
        elif total is not None and self.is_shown(line, groups, 0):
            yield (REST, 0), total
        for index, block in enumerate(self.blocks):
            shown = [s for s in block if self.is_shown(line, groups, s)]
            if not shown:
                continue
            told = [deltas[stratum] for stratum in shown if stratum in deltas]
            yield from (((STRATUM, delta.stratum), delta) for delta in told)
            if total is not None or told:
                yield (OTHER_STRATA, index), _less(total, told)

    def is_shown(self, line: Line, groups: Groups, stratum: int) -> bool:
        """Tell whether the network's number of a line can be read."""
        cells = self._network.get((line, stratum), ())
        return any(groups.shown_in(cell) for cell in cells)

    def clinics_shown(self, line: Line, groups: Groups) -> Collection[int]:
        """Return whose numbers of a line can be read, or those of months within it."""
        interval, start = line
        found: set[int] = set()
        for (each, at), cells in self._clinics.items():
            if start <= at and at + each.months <= start + interval.months:
                found |= {
                    cell.clinic_id
                    for cell in cells
                    if cell.clinic_id is not None and groups.shown_in(cell)
                }
        return found

    @cached_property
    def _network(self) -> Mapping[tuple[Line, int], Sequence[ReleasedCell]]:
        found: dict[tuple[Line, int], list[ReleasedCell]] = defaultdict(list)
        for cell in self.cells:
            if cell.clinic_id is NETWORK:
                found[self._line_of(cell), cell.stratum].append(cell)
        return found

    @cached_property
    def _clinics(self) -> Mapping[Line, Sequence[ReleasedCell]]:
        found: dict[Line, list[ReleasedCell]] = defaultdict(list)
        for cell in self.cells:
            if cell.clinic_id is not NETWORK:
                found[self._line_of(cell)].append(cell)
        return found

    def _line_of(self, cell: ReleasedCell) -> Line:
        return line_of(self.basis, cell.interval, cell.interval_start)


def gross_of(delta: Delta, groups: Groups, judgement: Judgement) -> Gross:
    """
    Return who came into each of *groups* and who went, of one subject's change.

    Whose value changed without their coming or going, in a continuous variable, came
    and went: the sums differ by what that value was and is.
    """
    counts: Counts
    exchanged = 0
    if judgement.has_numerator or groups is not judgement.scored:
        counts = groups.people(delta)
    else:
        counts = (delta.denominator,)
        is_other_value = bool(delta.value_sum or delta.value_squares)
        exchanged = int(is_other_value and not delta.denominator)
    added = tuple(max(people, 0) + exchanged for people in counts)
    removed = tuple(max(-people, 0) + exchanged for people in counts)
    return Gross(added=added, removed=removed) if any(added + removed) else NOBODY


def may_be_restated(moves: Iterable[tuple[int, Part, Gross]], *, k: int) -> bool:
    """
    Tell whether in each part nobody or at least *k* came, and nobody or *k* went.

    For an outsider, and for each clinic that takes its own people out.

    Args:
        moves: of each subject, its clinic and where it came or went.
        k: the threshold of those who can read the parts.
    """
    parts: dict[tuple[Part, bool, int], dict[int, int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for clinic, part, gross in moves:
        for is_added, counts in ((True, gross.added), (False, gross.removed)):
            for group, people in enumerate(counts):
                parts[part, is_added, group][clinic] += people
    return all(_is_none_or_large(by_clinic, k=k) for by_clinic in parts.values())


def _is_none_or_large(by_clinic: Mapping[int, int], *, k: int) -> bool:
    """Tell whether an outsider and each clinic see a change of nobody, or of *k*."""
    people = sum(by_clinic.values())
    return all(
        not people - own or people - own >= k for own in (0, *by_clinic.values())
    )


def _by_line(basis: Basis, deltas: Iterable[Delta]) -> dict[Line, dict[int, Delta]]:
    """Return a subject's changes by line and stratum, each only once."""
    found: dict[Line, dict[int, Delta]] = defaultdict(dict)
    for delta in deltas:
        line = line_of(basis, delta.interval, delta.interval_start)
        found[line][delta.stratum] = delta
    return found


def _less(total: Delta | None, parts: Sequence[Delta]) -> Delta:
    """Return what *total* changes beyond *parts*; None is no change."""
    like = total or next(iter(parts))
    return msgspec.structs.replace(
        like,
        **{
            name: (getattr(total, name) if total else 0)
            - sum(getattr(part, name) for part in parts)
            for name in _TOLD
        },
    )


def is_change(delta: Delta) -> bool:
    """Tell whether any number changed that releases may tell."""
    return any(getattr(delta, name) for name in _TOLD)


def nested(inner: Readable, outer: Readable) -> Readable:
    """
    Return what follows of two measures, of which one is part of the other.

    Where both can be read, so can those who meet the outer one alone; their changes
    are ``differences``.
    """
    scored = inner.judgement.scored
    shown = {place_of(cell) for cell in outer.cells if scored.shown_in(cell)}
    has_same_strata = inner.blocks == outer.blocks
    return Readable(
        cells=[cell for cell in inner.cells if place_of(cell) in shown],
        basis=inner.basis,
        judgement=inner.judgement._replace(
            scored=Groups(lambda cell: (cell.numerator,), scored.shown_in),
            unscored=Groups(lambda _: (), lambda _: False),
        ),
        blocks=inner.blocks if has_same_strata else (),
    )


def differences(inner: Iterable[Delta], outer: Iterable[Delta]) -> list[Delta]:
    """Return a subject's changes in *outer* less those in *inner*."""
    mine = {_place(delta): delta for delta in inner}
    theirs = {_place(delta): delta for delta in outer}
    return [
        _less(theirs.get(place), [mine[place]] if place in mine else [])
        for place in sorted(mine.keys() | theirs.keys())
    ]


def _place(delta: Delta) -> tuple[int, Interval, int, int]:
    return delta.clinic_id, delta.interval, delta.interval_start, delta.stratum


_TOLD = (
    "population",
    "scored",
    "denominator",
    "numerator",
    "value_sum",
    "value_squares",
)

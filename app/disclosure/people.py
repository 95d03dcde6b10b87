"""
The network's people, each counted once, and when such a number may be shown.

Whoever is at several clinics is one person with what all of them know, and stands at a
*place* of their own: those clinics together. So the places part the people, and a
clinic that takes its own people out of a total takes out all places that it is part of.

Who sees single clinics can subtract the total from their sum, and so has the number of
those who are at several: the *overlap*. It is a group of people like others: at least k
in each group that is judged, zero included, and also without those of any one clinic,
which knows its own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.cubes import Slot
from app.disclosure.groups import Groups
from app.disclosure.lines import Counts, SharedPart, is_large, pooled
from app.disclosure.nesting import Wider, with_beyond
from app.domain.counts import Cell

Place = int
"""Clinics that people share, by a number; a place of one clinic has that clinic's."""
Totals = Mapping[Slot, Mapping[Place, Cell]]


class People:
    """
    Of one measure the people of the network, each once.

    *cells* are true counts at every width, their ``clinic_id`` being a place; ``at``
    tells the clinics of each. *apart* are, of the places of several clinics, what the
    clinics' own numbers of the same people add up to. *wider* are the measures that it
    is part of, each with its stratum for each that both have.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        *,
        apart: Sequence[Cell],
        at: Mapping[Place, frozenset[int]],
        wider: Iterable[tuple["People", Mapping[int, int]]] = (),
    ) -> None:
        self.cells = cells
        self.at = at
        self._apart = apart
        beside = list(wider)
        self._wider = [Wider(each.cells, strata) for each, strata in beside]
        wider_apart = [Wider(each._apart, strata) for each, strata in beside]  # noqa: SLF001  (of its own kind)
        self._totals = _by_slot(with_beyond(cells, self._wider))
        self._sums = _by_slot(with_beyond(apart, wider_apart))

    def within(self, wider: Iterable[tuple["People", Mapping[int, int]]]) -> "People":
        """Return the same beside the people of measures that this one is part of."""
        return People(self.cells, apart=self._apart, at=self.at, wider=wider)

    def of(self, slot: Slot) -> Mapping[Place, Cell]:
        """Return the totals of one interval."""
        return self._totals.get(slot, {})

    def strata(self, block: range) -> list[Cell]:
        """Return totals and the strata of *block*."""
        return with_beyond(self.cells, self._wider, block=block)

    def part(self, cells: Collection[Cell], groups: Groups) -> SharedPart:
        """Return what each clinic knows of the people in *cells*."""
        known: dict[int, list[Counts]] = defaultdict(list)
        people = [(self.at[cell.clinic_id], groups.people(cell)) for cell in cells]
        for clinics, counts in people:
            for clinic in clinics:
                known[clinic].append(counts)
        return SharedPart(
            {clinic: pooled(counts) for clinic, counts in known.items()},
            whole=pooled(counts for _, counts in people),
        )

    def rests(self, cells: Collection[Cell]) -> Iterator[list[Cell]]:
        """Yield *cells*, then what each clinic has before it without its own people."""
        for onlooker in self._onlookers():
            yield [c for c in cells if onlooker not in self.at[c.clinic_id]]

    def most_of_a_clinic(self, cells: Iterable[Cell]) -> int:
        """Return the people with a value at the clinic that has most of *cells*'."""
        found: Counter[int] = Counter()
        for cell in cells:
            for clinic in self.at[cell.clinic_id]:
                found[clinic] += cell.denominator
        return max(found.values(), default=0)

    def is_overlap_safe(self, slot: Slot, groups: Groups, rules: AudienceRules) -> bool:
        """Tell whether the clinics' sum may be held against an interval's total."""
        if rules.clinics is ClinicsShown.NONE:
            return True
        return all(
            is_large(self._overlap(slot, groups, without=onlooker), k=rules.k)
            for onlooker in self._onlookers()
        )

    def _onlookers(self) -> set[int | None]:
        return {None, *(clinic for clinics in self.at.values() for clinic in clinics)}

    def _overlap(self, slot: Slot, groups: Groups, *, without: int | None) -> Counts:
        """Return by how much the clinics' sum exceeds the total, but for a clinic's."""
        once, summed = self.of(slot), self._sums.get(slot, {})
        found = [
            _difference(_people(summed, place, groups), _people(once, place, groups))
            for place, clinics in self.at.items()
            if len(clinics) > 1
            and without not in clinics
            and (place in once or place in summed)
        ]
        # Groups that are there in some places only are of measures that differ in whom
        # they count at all: nothing is known of their overlap, so it is nobody.
        return pooled(found) if len(set(map(len, found))) == 1 else ()


def _difference(summed: Counts, once: Counts) -> Counts:
    """Return by how much one exceeds the other; nothing where they are of others."""
    if summed and once and len(summed) != len(once):
        return ()
    length = max(len(summed), len(once))
    zeros = (0,) * length
    return tuple(a - b for a, b in zip(summed or zeros, once or zeros, strict=True))


def _people(cells: Mapping[Place, Cell], place: Place, groups: Groups) -> Counts:
    """Return the people at a place by group; none where there is no cell."""
    return groups.people(cells[place]) if place in cells else ()


def _by_slot(cells: Sequence[Cell]) -> Totals:
    """Return totals by interval, then by place."""
    found: dict[Slot, dict[Place, Cell]] = {}
    for cell in cells:
        if not cell.stratum:
            slot = (cell.interval, cell.interval_start)
            found.setdefault(slot, {})[cell.clinic_id] = cell
    return found

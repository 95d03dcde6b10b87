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

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import zip_longest

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.cubes import Slot
from app.disclosure.groups import Groups
from app.disclosure.lines import Counts, Part, is_large, is_safe_pool, pooled
from app.domain.counts import Cell

Place = int
"""Clinics that people share, by a number; a place of one clinic has that clinic's."""


class People:
    """
    Of one measure the people of the network, each once.

    ``cells`` are true counts at every width, their ``clinic_id`` being a place; ``at``
    tells the clinics of each. ``apart`` are, of the places of several clinics, what the
    clinics' own numbers of the same people add up to.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        *,
        apart: Sequence[Cell],
        at: Mapping[Place, frozenset[int]],
    ) -> None:
        self.cells = cells
        self.at = at
        self._apart = apart

    def of(self, slot: Slot) -> Mapping[Place, Cell]:
        """Return the totals of one interval."""
        return self._totals.get(slot, {})

    def part(self, cells: Mapping[Place, Cell], groups: Groups) -> Part:
        """Return what each place's people add to a cell, by its clinics."""
        return {self.at[place]: groups.people(cell) for place, cell in cells.items()}

    def most_of_a_clinic(self, cells: Iterable[Cell]) -> int:
        """Return the people with a value at the clinic that has most of *cells*'."""
        found: Counter[int] = Counter()
        for cell in cells:
            for clinic in self.at[cell.clinic_id]:
                found[clinic] += cell.denominator
        return max(found.values(), default=0)

    def is_safe_total(
        self, slot: Slot, groups: Groups, *, rules: AudienceRules
    ) -> bool:
        """Tell whether the network's total of an interval may be shown."""
        own = self.part(self.of(slot), groups)
        if not is_safe_pool(own, k=rules.k, min_clinics=rules.min_clinics):
            return False
        if rules.clinics is ClinicsShown.NONE:
            return True
        onlookers: set[int | None] = {None}.union(*self.at.values())
        return all(
            is_large(self._overlap(slot, groups, without=onlooker), k=rules.k)
            for onlooker in onlookers
        )

    def _overlap(self, slot: Slot, groups: Groups, *, without: int | None) -> Counts:
        """Return by how much the clinics' sum exceeds the total, but for a clinic's."""
        once, summed = self.of(slot), self._sums.get(slot, {})
        shared = [
            (_people(summed.get(place), groups), _people(once.get(place), groups))
            for place, clinics in self.at.items()
            if len(clinics) > 1 and without not in clinics
        ]
        found = [
            tuple(more - less for more, less in zip_longest(*pair, fillvalue=0))
            for pair in shared
            if any(pair)
        ]
        return pooled(found)

    @cached_property
    def _totals(self) -> Mapping[Slot, Mapping[Place, Cell]]:
        return _by_slot(self.cells)

    @cached_property
    def _sums(self) -> Mapping[Slot, Mapping[Place, Cell]]:
        return _by_slot(self._apart)


def _people(cell: Cell | None, groups: Groups) -> Counts:
    """Return the people of a cell by group; none where there is no cell."""
    return () if cell is None else groups.people(cell)


def _by_slot(cells: Sequence[Cell]) -> dict[Slot, dict[Place, Cell]]:
    """Return totals by interval, then by place."""
    found: dict[Slot, dict[Place, Cell]] = {}
    for cell in cells:
        if not cell.stratum:
            slot = (cell.interval, cell.interval_start)
            found.setdefault(slot, {})[cell.clinic_id] = cell
    return found

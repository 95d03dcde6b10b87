"""True cells of a network for ``bench.disclosure``: people, visit by visit."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.disclosure.groups import Judgement, judgement_of
from app.disclosure.states import States, states_of
from app.domain.counts import Basis, Cell, Interval

FIRST = 12 * 2020
STRATA = 4
ABSENT, UNSCORED, FAILING, MEETING = range(4)
People = npt.NDArray[np.int8]
"""What each person is in each interval."""


class Kind(NamedTuple):
    """A measure: what is counted, and how."""

    number: int
    basis: Basis
    has_numerator: bool
    is_stratified: bool
    subset_of: tuple[int, ...]

    @property
    def judgement(self) -> Judgement:
        """Return how its cells are judged."""
        return judgement_of(**self._shape)

    @property
    def states(self) -> States:
        """Return what its people can be."""
        return states_of(**self._shape)

    @property
    def _shape(self) -> dict[str, bool]:
        return {
            "has_numerator": self.has_numerator,
            "has_exceptions": False,
            "counts_unscored": False,
        }


def kinds(measures: int) -> list[Kind]:
    """Return measures of every basis: two nested pairs, one mean, some with strata."""
    bases = (Basis.VISITS, Basis.LATEST_STATUS, Basis.VISITS, Basis.INDEX_EVENTS)
    made = [
        Kind(
            i, bases[i % 4], has_numerator=True, is_stratified=i % 3 == 0, subset_of=()
        )
        for i in range(measures)
    ]
    made[-1] = made[-1]._replace(has_numerator=False)
    for own, other in ((4, 0), (5, 1)):
        made[own] = made[own]._replace(subset_of=(other,))
    return made


def cells(
    kind: Kind, clinics: int, months: int, met: People | None
) -> tuple[list[Cell], People]:
    """
    Return the cells of a measure, and what each of its people is.

    *met* is the same of the measure that contains it, of which it holds at most.
    """
    chance = np.random.default_rng(kind.number if met is None else kind.subset_of[0])
    sizes = np.exp(chance.normal(np.log(90), 1.1, clinics)).astype(int).clip(3, 3000)
    clinic = np.repeat(np.arange(1, clinics + 1), sizes)
    people = _history(chance, len(clinic), months, kind.basis)
    if met is not None:
        stays = np.random.default_rng(kind.number).random(people.shape) < 0.75
        people = np.where((met == MEETING) & ~stays, FAILING, met).astype(np.int8)
    stratum = chance.integers(1, STRATA + 1, len(clinic))
    found = list(_all_cells(kind, people, clinic, stratum))
    return found, people


def _history(
    chance: np.random.Generator, people: int, months: int, basis: Basis
) -> People:
    """Return what people are month by month: who met it tends to meet it again."""
    comes = {Basis.LATEST_STATUS: 0.95, Basis.VISITS: 0.35, Basis.INDEX_EVENTS: 0.05}
    tends = chance.beta(3, 2, people)[:, None]
    there = chance.random((people, months)) < comes[basis]
    scored = chance.random((people, months)) < 0.88
    meets = chance.random((people, months)) < tends
    state = np.where(scored, np.where(meets, MEETING, FAILING), UNSCORED)
    return np.where(there, state, ABSENT).astype(np.int8)


def _all_cells(
    kind: Kind, people: People, clinic: npt.NDArray[np.int64], stratum: npt.NDArray
) -> Iterator[Cell]:
    """Yield cells at every width, and the strata of quarters."""
    for interval in Interval:
        wide = widened(people, interval.months, kind.basis)
        whole = [np.zeros(len(clinic), int)]
        if kind.is_stratified and interval is Interval.QUARTER:
            whole.append(stratum)
        for groups in whole:
            yield from _cells_of(kind, interval, wide, clinic, groups)


def widened(people: People, months: int, basis: Basis) -> People:
    """Return what people are in wider intervals: as at the last visit that decides."""
    parts = people.reshape(len(people), -1, months)
    if basis is Basis.LATEST_STATUS:
        return parts[:, :, -1]
    found = parts.max(axis=2)
    for month in range(months):
        found = np.where(parts[:, :, month] > UNSCORED, parts[:, :, month], found)
    return found


def _cells_of(
    kind: Kind,
    interval: Interval,
    wide: People,
    clinic: npt.NDArray[np.int64],
    stratum: npt.NDArray[np.int64],
) -> Iterator[Cell]:
    keys = clinic * (STRATA + 1) + stratum
    size = (clinic.max() + 1) * (STRATA + 1)
    for position in range(wide.shape[1]):
        now = wide[:, position]
        tally = {s: np.bincount(keys[now == s], minlength=size) for s in range(1, 4)}
        for key in np.unique(keys).tolist():
            unscored, failing, meeting = (int(tally[s][key]) for s in range(1, 4))
            people = failing + meeting
            if people + unscored == 0:
                continue
            yield Cell(
                clinic_id=key // (STRATA + 1),
                interval=interval,
                interval_start=FIRST + position * interval.months,
                stratum=key % (STRATA + 1),
                population=people + unscored,
                scored=people,
                denominator=people,
                numerator=meeting if kind.has_numerator else 0,
                value_sum=0 if kind.has_numerator else 1000 * meeting,
                value_squares=0 if kind.has_numerator else 1_000_000 * meeting,
            )

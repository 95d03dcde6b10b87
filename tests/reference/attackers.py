"""
Somebody who holds a release, and perhaps one clinic's data, and asks what is possible.

It shares nothing with the house. It thinks of people: how many of each history a clinic
may have had, so that all that it read comes out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from app.disclosure.cubes import Slot
from tests.reference.crowds import Crowd, counts, history_kinds

STATES = (0, 1, 2)
UNSCORED = 2


class Place(NamedTuple):
    """A count: of a clinic, or of all; an interval; a state."""

    who: int | None
    slot: Slot
    state: int


class Attacker:
    """Whoever read what is told of a crowd; *own* is the clinic that it is, if any."""

    def __init__(self, crowd: Crowd, own: int | None) -> None:
        width = max(interval.months for interval, _ in crowd.slots)
        self.crowd, self.own = crowd, own
        self.kinds = [kind for kind in history_kinds(width) if any(kind)]
        self.others = [clinic for clinic in crowd.people if clinic != own]
        self.adds = {
            slot: np.array([counts([kind], slot) for kind in self.kinds])
            for slot in crowd.slots
        }
        read = list(self.read())
        self.rows = np.array([self.row(place) for place in read])
        self.sums = np.array([self.rest(place) for place in read])

    def read(self) -> Iterator[Place]:
        """Yield the counts that are told of others."""
        for told, states in ((self.crowd.told, (0, 1)), (self.crowd.complete, (2,))):
            for who, slot in sorted(told, key=str):
                if who is None or who != self.own:
                    yield from (Place(who, slot, state) for state in states)

    def row(self, place: Place) -> np.ndarray:
        """Return what each kind of people, of each other clinic, adds to a count."""
        adds = self.adds[place.slot][:, place.state]
        return np.concatenate(
            [
                adds if place.who in (None, clinic) else np.zeros(len(adds))
                for clinic in self.others
            ]
        )

    def rest(self, place: Place) -> int:
        """Return a true count without the attacker's own people."""
        clinics = self.others if place.who is None else [place.who]
        people = [one for clinic in clinics for one in self.crowd.people[clinic]]
        return counts(people, place.slot)[place.state]

    def believes(self, place: Place, value: int) -> bool:
        """Tell whether a count may be *value*, for all that is known."""
        goal = self.row(place)
        rules = [LinearConstraint(goal[None, :], value, value)]
        if len(self.sums):
            rules.append(LinearConstraint(self.rows, self.sums, self.sums))
        found = milp(
            np.zeros(len(goal)),
            constraints=rules,
            integrality=np.ones(len(goal)),
            bounds=Bounds(0, np.inf),
        )
        return found.x is not None

    def places(self) -> Iterator[Place]:
        """Yield the counts of others that are not told."""
        read = set(self.read())
        for who in (None, *self.others):
            for slot in self.crowd.slots:
                for state in STATES:
                    place = Place(who, slot, state)
                    if place not in read:
                        yield place

    def recovers(self, place: Place, k: int) -> bool:
        """Tell whether a count below *k* cannot be just anything below *k*."""
        true = self.rest(place)
        return true < k and not all(
            self.believes(place, value) for value in range(k) if value != true
        )


def attackers(crowd: Crowd) -> Iterator[Attacker]:
    """Yield the outsider, and each clinic that knows its own people."""
    return (Attacker(crowd, own) for own in (None, *crowd.people))

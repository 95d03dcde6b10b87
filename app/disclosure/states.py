"""The people of a cell by what they are: the counts that a release shows or hides."""

from typing import NamedTuple

from app.disclosure.lines import Counts
from app.domain.counts import Cell, ReleasedCell

MEETING = 0
"""The position of those who meet a measure."""


class States(NamedTuple):
    """
    What a person in the population of one measure can be, and in which order.

    First come the outcomes: meeting and failing, or of a continuous variable having a
    value; then those who are ``excepted``, where they are told apart; last the rest of
    the population. The rest is ``passive`` where it is of those who could not be
    scored, and otherwise made by the last visit like the outcomes.
    """

    has_numerator: bool
    excepted: bool
    passive: bool

    @property
    def outcomes(self) -> int:
        """Return how many outcomes there are."""
        return 2 if self.has_numerator else 1

    @property
    def size(self) -> int:
        """Return how many states there are."""
        return self.outcomes + self.excepted + 1

    def people(self, cell: Cell) -> Counts:
        """Return how many people of *cell* are in each state."""
        n, d, population = cell.numerator, cell.denominator, cell.population
        outcomes = (n, d - n) if self.has_numerator else (d,)
        if self.excepted:
            return (*outcomes, cell.scored - d, population - cell.scored)
        return (*outcomes, population - d)

    def shown(self, cell: ReleasedCell | None) -> tuple[bool, ...]:
        """Return of which states *cell* tells the number of people."""
        scored = cell is not None and cell.denominator is not None
        complete = cell is not None and cell.population is not None
        rest = self.size - self.outcomes
        return (scored,) * self.outcomes + (complete,) * rest


def states_of(
    *, has_numerator: bool, has_exceptions: bool, counts_unscored: bool
) -> States:
    """Return the states of a measure; see ``judgement_of`` for what they depend on."""
    return States(
        has_numerator=has_numerator,
        excepted=has_exceptions and not counts_unscored,
        passive=not counts_unscored,
    )

"""The groups of people in a cell that must not be small, by what a measure counts."""

from collections.abc import Callable
from typing import NamedTuple

from app.disclosure.lines import Counts
from app.domain.counts import Cell, ReleasedCell


class Groups(NamedTuple):
    """
    Groups that are shown together: their people, and whether a cell shows them.

    ``with_values``: what these people's values add up to is shown with them.
    """

    people: Callable[[Cell], Counts]
    shown_in: Callable[[ReleasedCell], bool]
    with_values: bool = False


class Judgement(NamedTuple):
    """
    What of a measure's cells is judged, and told.

    ``scored`` goes first; among the cells that are left, ``unscored``. The others say
    whether there is a numerator, and a number of scored that gives nothing away; and
    where the grid of a continuous variable's values begins.
    """

    scored: Groups
    unscored: Groups
    has_numerator: bool
    tells_scored: bool
    least: int


def judgement_of(
    *,
    has_numerator: bool,
    has_exceptions: bool,
    counts_unscored: bool,
    least: int = 0,
) -> Judgement:
    """
    Return how the cells of a measure are judged.

    Args:
        has_numerator: False of a continuous variable, whose values are added up.
        has_exceptions: some of the scored may be taken out of the denominator.
        counts_unscored: the denominator is everybody, scored or not.
        least: of a continuous variable, where its grid begins, in thousandths.
    """
    apart = has_exceptions and not counts_unscored
    return Judgement(
        scored=Groups(
            _outcomes if has_numerator else _valued,
            _shows_denominator,
            with_values=not has_numerator,
        ),
        unscored=Groups(_excepted_apart if apart else _uncounted, _shows_population),
        has_numerator=has_numerator,
        tells_scored=not counts_unscored,
        least=least,
    )


def _outcomes(cell: Cell) -> Counts:
    """Return who meets the measure, who does not, and who counts beyond it."""
    return cell.numerator, cell.denominator - cell.numerator, *cell.beyond


def _valued(cell: Cell) -> Counts:
    """
    Return who has a value; nobody, where all values are the same.

    Then the mean tells the value of each of them, as 0 of 40 tells the outcome of 40.
    """
    n, total, squares = cell.denominator, cell.value_sum, cell.value_squares
    return (n if n * squares != total * total else 0,)


def _uncounted(cell: Cell) -> Counts:
    """Return who is in the population and not in the denominator."""
    return cell.population - cell.denominator, *cell.beyond_population


def _excepted_apart(cell: Cell) -> Counts:
    """Return who could not be scored, and who could and was excepted."""
    return (
        cell.population - cell.scored,
        cell.scored - cell.denominator,
        *cell.beyond_population,
    )


def _shows_denominator(released: ReleasedCell) -> bool:
    return released.denominator is not None


def _shows_population(released: ReleasedCell) -> bool:
    return released.population is not None

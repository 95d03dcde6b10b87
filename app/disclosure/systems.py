"""
What follows from linear equations over hidden counts: which values each may still have.

Counts are whole numbers, none below zero. A corner of the relaxed program mostly is of
whole numbers and found at once; else an integer program is asked (both HiGHS). A
solution is believed only after it was put back into the equations.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import highspy
import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Sum = Mapping[int, int]
"""What stands before each unknown, by its position; the others have nothing."""

MOST = 10**7
"""More people than any count has."""
STEPS, MODULUS = (5, 7, 8), 13
"""What makes costs of unknowns that are as good as random, and the same every time."""
NODES = 500
"""What one program may take. One that does not end has shown nothing."""


class System(NamedTuple):
    """
    ``least <= matrix @ counts <= most`` over unknown counts.

    The ``numbers`` of the matrix stand in ``columns``, row by row from ``starts`` on.
    """

    unknowns: int
    starts: Numbers
    columns: Numbers
    numbers: Numbers
    least: Numbers
    most: Numbers

    def holds(self, counts: Numbers) -> bool:
        """Tell whether whole numbers satisfy every row, without a tolerance."""
        added = np.append(0, np.cumsum(self.numbers * counts[self.columns]))
        sums = np.diff(added[self.starts])
        return bool(
            (counts >= 0).all()
            and (sums >= self.least).all()
            and (sums <= self.most).all()
        )


def system(
    matrix: Numbers,
    *,
    least: Numbers,
    most: Numbers | int = MOST,
    columns: Numbers | None = None,
    unknowns: int | None = None,
) -> System:
    """
    Return the system of the rows of a *matrix*.

    Args:
        matrix: what stands before some unknowns, [row, unknown].
        least: what each row adds up to at least.
        most: what it adds up to at most.
        columns: which unknowns these are, of each row; None: the first ones.
        unknowns: how many there are; None: as many as the matrix has.
    """
    there = matrix != 0
    which = np.arange(matrix.shape[1]) if columns is None else columns
    return System(
        unknowns=matrix.shape[1] if unknowns is None else unknowns,
        starts=np.append(0, np.cumsum(there.sum(axis=1))),
        columns=np.broadcast_to(which, matrix.shape)[there],
        numbers=matrix[there],
        least=least,
        most=np.broadcast_to(most, least.shape),
    )


def joined(systems: Sequence[System]) -> System:
    """Return the rows of all *systems* over the same unknowns."""
    sizes = np.concatenate([np.diff(each.starts) for each in systems])
    return System(
        unknowns=systems[0].unknowns,
        starts=np.append(0, np.cumsum(sizes)),
        columns=np.concatenate([each.columns for each in systems]),
        numbers=np.concatenate([each.numbers for each in systems]),
        least=np.concatenate([each.least for each in systems]),
        most=np.concatenate([each.most for each in systems]),
    )


class Program:
    """
    A system, and a sum of its unknowns that is asked about value by value.

    The solver goes on from one value to the next. On the way from a solution that is
    *true* to another there may be more of them, at no cost.
    """

    def __init__(
        self, given: System, goal: Sum, *, true: Numbers | None = None
    ) -> None:
        row = system(
            np.array([list(goal.values())], np.int64),
            columns=np.array(list(goal)),
            unknowns=given.unknowns,
            least=np.zeros(1, np.int64),
        )
        self._given = joined([given, row])
        self._relaxed: highspy.Highs | None = None
        self._true, self._goal = true, goal
        self._found: Numbers | None = None

    def solution(self, value: int) -> Numbers | None:
        """Return counts that satisfy all, with the sum at *value*; None: none found."""
        wanted = self._given._replace(
            least=np.append(self._given.least[:-1], value),
            most=np.append(self._given.most[:-1], value),
        )
        between = self._between(value)
        if between is not None and wanted.holds(between):
            return between
        self._found = self._solved(wanted, value)
        return self._found

    def _between(self, value: int) -> Numbers | None:
        """Return what is on the way from the truth to what was found last."""
        if self._true is None or self._found is None:
            return None
        change = self._found - self._true
        begin, end = (self._sum(each) for each in (self._true, self._found))
        steps = end - begin
        return self._true + change * (value - begin) // steps if steps else None

    def _sum(self, counts: Numbers) -> int:
        return sum(by * int(counts[j]) for j, by in self._goal.items())

    def _solved(self, wanted: System, value: int) -> Numbers | None:
        """Return what a solver finds."""
        if self._relaxed is None:
            self._relaxed = solver(self._given, presolve="off")
        self._relaxed.changeRowBounds(len(wanted.least) - 1, value, value)
        for corner in _corners(self._relaxed, self._given.unknowns):
            if corner is None or wanted.holds(corner):
                return corner
        found = optimum(solver(wanted, is_whole=True, mip_max_nodes=NODES))
        return found if found is not None and wanted.holds(found) else None


def _corners(highs: highspy.Highs, unknowns: int) -> Iterator[Numbers | None]:
    """Yield the corner that a solver finds, and some others: most are whole."""
    yield optimum(highs)
    which = np.arange(unknowns, dtype=np.int32)
    for step in STEPS:
        highs.changeColsCost(unknowns, which, np.mod(which * step, MODULUS) + 1.0)
        yield optimum(highs)


def solver(
    given: System,
    *,
    costs: Numbers | None = None,
    highest: int = MOST,
    is_whole: bool = False,
    **options: str | float,
) -> highspy.Highs:
    """
    Return a solver of a system, for unknowns from 0 to the *highest*.

    Args:
        given: the system.
        costs: what each unknown adds to the sum that is to be least; None: nothing.
        highest: the most that an unknown may be.
        is_whole: unknowns are whole numbers.
        options: of HiGHS, by their names.
    """
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = given.unknowns, len(given.least)
    nothing = np.zeros(given.unknowns)
    program.col_cost_ = nothing if costs is None else costs.astype(float)
    program.col_lower_ = nothing
    program.col_upper_ = np.full(given.unknowns, float(highest))
    program.row_lower_ = given.least.astype(float)
    program.row_upper_ = given.most.astype(float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = given.starts
    program.a_matrix_.index_ = given.columns
    program.a_matrix_.value_ = given.numbers.astype(float)
    if is_whole:
        program.integrality_ = [highspy.HighsVarType.kInteger] * given.unknowns
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, option in {"output_flag": False, "threads": 1, **options}.items():
        highs.setOptionValue(name, option)
    highs.passModel(program)
    return highs


def optimum(highs: highspy.Highs) -> Numbers | None:
    """Return where a solver ends, to whole numbers; None: nowhere."""
    highs.run()
    if highs.getInfo().primal_solution_status != highspy.kSolutionStatusFeasible:
        return None
    found: Numbers = np.rint(highs.getSolution().col_value).astype(np.int64)
    return found

"""
What follows from linear equations over hidden counts: which values each may still have.

Counts are whole numbers, none below zero. Linear programs give the ends of a range at
once; that a single value is reached is asked of an integer program (HiGHS, through
scipy), and a solution is believed only after it was put back into the equations.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, vstack

Numbers = npt.NDArray[np.int64]
Row = Mapping[int, int]
"""What stands before each unknown, by its position; the others have nothing."""

MOST = 10**7
"""More people than any count has."""
NODES = 500
"""What one program may take. One that does not end has shown nothing."""


class System(NamedTuple):
    """``least <= matrix @ counts <= most`` over unknown counts."""

    matrix: csr_array
    least: Numbers
    most: Numbers

    @property
    def unknowns(self) -> int:
        """Return how many counts are unknown."""
        return int(self.matrix.shape[1])


class Reach(NamedTuple):
    """The least and the most that a sum of unknown counts can be."""

    least: float
    most: float


def system(
    unknowns: int,
    *,
    equal: Iterable[tuple[Row, int]] = (),
    at_least: Iterable[tuple[Row, int]] = (),
) -> System:
    """Return the system of rows that are *equal* to, or *at_least*, a number."""
    rows = [(row, number, number) for row, number in equal]
    rows += [(row, number, MOST) for row, number in at_least]
    places = [(i, j, by) for i, (row, _, _) in enumerate(rows) for j, by in row.items()]
    lines, columns, numbers = zip(*places, strict=True) if places else ((), (), ())
    return System(
        csr_array(
            (np.array(numbers, float), (lines, columns)), shape=(len(rows), unknowns)
        ),
        np.array([least for _, least, _ in rows], np.int64),
        np.array([most for _, _, most in rows], np.int64),
    )


def reach(given: System, goal: Row) -> Reach:
    """
    Return the range of a sum of unknowns, were they not whole numbers.

    No whole solution lies outside it. Where the equations contradict each other it is
    empty: the least is above the most.
    """
    ends = [_optimum(given, goal, sign) for sign in (1, -1)]
    return Reach(ends[0], -ends[1])


def solution(given: System, goal: Row, value: int) -> Numbers | None:
    """Return counts that satisfy all, with the sum *goal* at *value*; None: none do."""
    wanted = _vector(given, goal)
    relaxed = _vertex(given, wanted, value)
    if relaxed is None:
        return None
    if _satisfies(given, relaxed) and wanted @ relaxed == value:
        return relaxed
    rows = [LinearConstraint(wanted[None, :], value, value)]
    if given.matrix.shape[0]:
        rows.append(LinearConstraint(given.matrix, given.least, given.most))
    found = milp(
        np.zeros(given.unknowns),
        constraints=rows,
        integrality=np.ones(given.unknowns),
        bounds=Bounds(0, MOST),
        options={"node_limit": NODES},
    )
    if found.x is None:
        return None
    counts: Numbers = np.rint(found.x).astype(np.int64)
    return counts if _satisfies(given, counts) and wanted @ counts == value else None


def _vertex(
    given: System, wanted: npt.NDArray[np.float64], value: int
) -> Numbers | None:
    """
    Return a corner of what satisfies all, to whole numbers; None: nothing does.

    Most corners are whole already, and are found much faster than whole numbers.
    """
    fixed = given.least == given.most
    found = linprog(
        np.zeros(given.unknowns),
        A_eq=vstack([given.matrix[fixed], csr_array(wanted[None, :])]),
        b_eq=np.append(given.least[fixed], value),
        A_ub=-given.matrix[~fixed] if (~fixed).any() else None,
        b_ub=-given.least[~fixed] if (~fixed).any() else None,
        bounds=(0, None),
        method="highs-ds",
        options={"presolve": False},
    )
    return None if found.x is None else np.rint(found.x).astype(np.int64)


def leaves_open(given: System, goal: Row, *, k: int) -> bool:
    """Tell whether each of 0 to k - 1 is compatible with all that is known."""
    ends = reach(given, goal)
    if ends.least > 0 or ends.most < k - 1:
        return False
    return all(solution(given, goal, value) is not None for value in range(k))


def _optimum(given: System, goal: Row, sign: int) -> float:
    """Return the least of the goal times *sign*; infinite where it has no end."""
    matrix, rows = given.matrix, given.least == given.most
    found = linprog(
        sign * _vector(given, goal),
        A_eq=matrix[rows] if rows.any() else None,
        b_eq=given.least[rows] if rows.any() else None,
        A_ub=-matrix[~rows] if (~rows).any() else None,
        b_ub=-given.least[~rows] if (~rows).any() else None,
        bounds=(0, None),
    )
    unbounded = 3
    if found.status == unbounded:
        return -np.inf
    # Programs end within a tolerance of the whole number that is meant.
    return float(np.round(found.fun, 6)) if found.success else np.inf


def _vector(given: System, goal: Row) -> npt.NDArray[np.float64]:
    vector = np.zeros(given.unknowns)
    vector[list(goal)] = list(goal.values())
    return vector


def _satisfies(given: System, counts: Numbers) -> bool:
    """Tell whether whole numbers satisfy every row, without a tolerance."""
    sums = given.matrix.astype(np.int64) @ counts
    return bool(
        (counts >= 0).all()
        and (sums >= given.least).all()
        and (sums <= given.most).all()
    )

"""What binds the counts of a quarter to those of its months: all of it, and no more."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from app.disclosure.widths import Columns, width_ties
from tests.reference.crowds import JANUARY, MONTHS, QUARTERS, counts, history_kinds

Counts = tuple[int, int, int]

SLOTS = [*MONTHS[:3], QUARTERS[0]]
TIES = list(width_ties(3, (0, 1, 2), Columns((0, 1), 2)))


def is_bound(table: Sequence[Counts]) -> bool:
    """Tell whether the ties allow the counts of three months and their quarter."""
    return all(
        sum(by * table[slot][column] for (slot, column), by in tie.items()) >= 0
        for tie in TIES
    )


KINDS = [one for one in history_kinds(3) if any(one)]
ADDS = np.array([[counts([one], slot) for slot in SLOTS] for one in KINDS])


def is_of_people(table: Sequence[Counts]) -> bool:
    """Tell whether there are people, of whatever histories, with these counts."""
    wanted = np.array(table).reshape(-1)
    found = milp(
        np.zeros(len(KINDS)),
        constraints=LinearConstraint(ADDS.reshape(len(KINDS), -1).T, wanted, wanted),
        integrality=np.ones(len(KINDS)),
        bounds=Bounds(0, np.inf),
    )
    return found.x is not None


few = st.integers(0, 3)
tables = st.tuples(*[st.tuples(few, few, few)] * 4)


@given(st.lists(st.sampled_from(KINDS), max_size=9))
def test_the_counts_of_any_people_satisfy_the_ties(people):
    """An audit that believed in too many would call a release safe that is not."""
    assert is_bound([counts(people, slot) for slot in SLOTS])


@given(tables)
def test_counts_that_satisfy_the_ties_are_those_of_some_people(table):
    """One that believed in too few would miss what an attacker can know."""
    assert is_bound(table) == is_of_people(table)


@pytest.mark.parametrize(
    ("months", "quarter", "bound"),
    [
        ([(1, 0, 0), (0, 0, 0), (0, 0, 0)], (1, 0, 0), True),
        ([(1, 0, 0), (0, 1, 0), (0, 0, 0)], (0, 1, 0), True),
        ([(1, 0, 0), (0, 1, 0), (0, 0, 0)], (1, 0, 0), False),
        ([(2, 0, 0), (0, 1, 0), (0, 0, 0)], (0, 1, 0), False),
        ([(0, 0, 3), (2, 0, 0), (0, 0, 0)], (2, 0, 0), False),
        ([(0, 0, 3), (2, 0, 0), (0, 0, 0)], (2, 0, 1), True),
        ([(0, 0, 0), (0, 0, 0), (0, 0, 2)], (0, 0, 3), False),
    ],
)
def test_the_last_visit_that_decides_is_what_counts(months, quarter, bound):
    """Who met it in January and not in February does not; who was unscored stays."""
    assert is_bound([*months, quarter]) is bound


def test_every_history_of_a_quarter_is_drawn():
    """Four things that somebody can be in each of three months."""
    assert len(list(history_kinds(3))) == len(list(product(range(4), repeat=3)))
    assert SLOTS[3][1] == JANUARY

"""
What must hold of every release of a continuous variable, and an attacker of its sums.

The attacker shares no code with the house: of each hidden clinic it asks a linear
program how many people it can have, and what their values can add up to, given all that
was published of the line and, for an insider, all that one clinic knows of itself.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from math import ceil
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.bounds import bound_of
from app.disclosure.groups import judgement_of
from app.disclosure.releases import release_measure
from app.domain.counts import QUANTILES, Basis, Cell, Interval, ReleasedCell
from tests.properties.test_disclosure import (
    JANUARY,
    MEMBERS,
    OUTSIDER,
    PATIENTLY,
    PUBLIC,
    K,
    widths,
)

MEANS = judgement_of(has_numerator=False, has_exceptions=False, counts_unscored=False)
MOST = 10_000
"""The grid goes from 0 to here, in thousandths, in steps of 500."""
MONTHS = [JANUARY, JANUARY + 1, JANUARY + 2]

values = st.lists(st.sampled_from([0, 0, 500, 3000, 9500, MOST]), max_size=16)


class Person(NamedTuple):
    """Whose value it is: a clinic and a stratum; None where none was found."""

    clinic: int
    stratum: int
    value: int | None


def cell(
    people: Sequence[Person], clinic: int, interval: Interval, start: int, stratum: int
) -> Cell:
    own = [p for p in people if p.clinic == clinic and stratum in (0, p.stratum)]
    found = sorted(p.value for p in own if p.value is not None)
    return Cell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=len(own),
        scored=len(found),
        denominator=len(found),
        numerator=0,
        value_sum=sum(found),
        value_squares=sum(value * value for value in found),
        histogram=tuple((value, found.count(value)) for value in sorted({*found})),
    )


@st.composite
def crowds(draw) -> dict[int, list[Person]]:
    """Return who came in each month of a quarter, to 2 to 6 clinics."""
    clinics = range(draw(st.integers(2, 6)))
    return {
        month: [
            Person(clinic, draw(st.integers(1, 2)), value)
            for clinic in clinics
            for value in [*draw(values), *[None] * draw(st.integers(0, 8))]
        ]
        for month in MONTHS
    }


def cells_of(crowd: dict[int, list[Person]]) -> list[Cell]:
    everybody = [person for people in crowd.values() for person in people]
    clinics = sorted({person.clinic for person in everybody})
    months = [
        cell(people, clinic, Interval.MONTH, month, 0)
        for month, people in crowd.items()
        for clinic in clinics
    ]
    quarters = [
        cell(everybody, clinic, Interval.QUARTER, JANUARY, stratum)
        for clinic in clinics
        for stratum in range(3)
    ]
    return months + quarters


def released(cells: list[Cell], intervals, *, rules=MEMBERS, within=()):
    return release_measure(
        cells,
        rules=rules,
        basis=Basis.VISITS,
        judgement=MEANS,
        blocks=[range(1, 3)],
        intervals=intervals,
        earlier=(),
        within=within,
        closed_before=JANUARY + 3,
    )


def behind(cells: list[Cell], shown: ReleasedCell) -> list[Cell]:
    place = (shown.interval, shown.interval_start, shown.stratum)
    return [
        each
        for each in cells
        if (each.interval, each.interval_start, each.stratum) == place
        and shown.clinic_id in (None, each.clinic_id)
    ]


def sorted_values(cells: list[Cell]) -> list[int]:
    return sorted(v for c in cells for v, n in c.histogram for _ in range(n))


@PATIENTLY
@given(crowds(), widths, st.sampled_from([MEMBERS, PUBLIC]))
def test_what_is_released_of_values_is_true_and_about_many(crowd, intervals, rules):
    """
    At least k people, not all alike; a percentile has k beyond it, on either side.

    In the network's cells that holds without the people of any one clinic.
    """
    cells = cells_of(crowd)

    for shown in released(cells, intervals, rules=rules):
        true = behind(cells, shown)
        found = sorted_values(true)
        assert shown.numerator is None
        if shown.withheld is not None:
            assert shown.denominator is shown.value_sum is shown.value_squares is None
            assert shown.quantiles == ()
            continue
        largest = max(c.denominator for c in true) if shown.clinic_id is None else 0
        assert shown.denominator == len(found) >= rules.k + largest
        assert len({*found}) > 1
        assert shown.value_sum == sum(found)
        assert shown.value_squares == sum(value * value for value in found)
        for percent, told in zip(QUANTILES, shown.quantiles, strict=True):
            beyond = (len(found) - largest) * min(percent, 100 - percent) / 100
            exact = found[ceil(len(found) * percent / 100) - 1]
            assert told == (exact if beyond >= rules.k else None)


LAX = AudienceRules(k=2, min_clinics=3, clinics=ClinicsShown.NAMED)


@PATIENTLY
@given(crowds(), widths, st.sampled_from([PUBLIC, LAX]))
def test_the_public_sees_no_value_that_members_do_not(crowd, intervals, rules):
    """Sums, and each percentile by itself, even if the public's k were the smaller."""
    cells = cells_of(crowd)
    members = released(cells, intervals)
    public = released(cells, intervals, rules=rules, within=[bound_of(members)])

    seen = {(c.interval, c.interval_start, c.stratum): c for c in members[::-1]}
    for shown in public:
        if shown.withheld is None and shown.clinic_id is None:
            other = seen[shown.interval, shown.interval_start, shown.stratum]
            assert shown.value_sum == other.value_sum
            for here, there in zip(shown.quantiles, other.quantiles, strict=True):
                assert here in (None, there)


@cache
def reach(people: int, total: int, pieces: int) -> tuple[float, float, float, float]:
    """
    Return the least and the most of one of *pieces*: of its people, of their sum.

    All pieces together have *people* whose values, from 0 to MOST, add up to *total*.
    """
    n, s = np.eye(2 * pieces)[:pieces], np.eye(2 * pieces)[pieces:]
    goals = (n[0], -n[0], s[0], -s[0])
    ends = [
        linprog(
            goal,
            A_ub=s - MOST * n,
            b_ub=np.zeros(pieces),
            A_eq=np.array([n.sum(axis=0), s.sum(axis=0)]),
            b_eq=[people, total],
        ).fun
        for goal in goals
    ]
    return ends[0], -ends[1], ends[2], -ends[3]


Piece = tuple[int, int]
"""How many people with a value, and what these add up to."""


def is_given_away(total: Piece, read: list[Piece], hidden: dict[int, Piece]) -> bool:
    """Tell whether an outsider or a clinic places another clinic's people or sum."""
    for onlooker in [OUTSIDER, *hidden]:
        unknown = [part for clinic, part in hidden.items() if clinic != onlooker]
        if not unknown:
            continue
        known = [*read, *(hidden[c] for c in hidden if c == onlooker)]
        people = total[0] - sum(part[0] for part in known)
        rest = total[1] - sum(part[1] for part in known)
        fewest, most, least, largest = reach(people, rest, len(unknown))
        if fewest > 0 or most < K - 1 or least > 0 or largest <= 0:
            return True
    return False


def lines(
    cells: list[Cell], release: list[ReleasedCell]
) -> Iterator[tuple[Piece, list[Piece], dict[int, Piece]]]:
    """Yield each line whose total is shown: it, what can be read, what is hidden."""
    shown = {
        (c.clinic_id, c.interval, c.interval_start): c
        for c in release
        if c.stratum == 0 and c.withheld is None
    }
    for (clinic, interval, start), total in shown.items():
        if clinic is not None:
            continue
        assert total.denominator is not None
        assert total.value_sum is not None
        read, hidden = [], {}
        for each in behind(cells, total):
            place = [(each.clinic_id, interval, start)]
            if interval is Interval.QUARTER:
                place += [(each.clinic_id, Interval.MONTH, m) for m in MONTHS]
            piece = (each.denominator, each.value_sum)
            if any(at in shown for at in place):
                read.append(piece)
            elif each.denominator:
                hidden[each.clinic_id] = piece
        yield (total.denominator, total.value_sum), read, hidden


@pytest.mark.parametrize(
    ("total", "read", "hidden", "given_away"),
    [
        ((40, 90_000), [(30, 60_000)], [(10, 30_000)], True),
        ((40, 90_000), [(30, 60_000)], [(6, 20_000), (4, 10_000)], True),
        ((40, 90_000), [(30, 60_000)], [(4, 9000), (3, 9000), (3, 12_000)], False),
        ((40, 60_000), [(30, 60_000)], [(4, 0), (3, 0), (3, 0)], True),
        ((30, 60_000), [(30, 60_000)], [], False),
    ],
)
def test_the_attacker_of_sums_finds_what_can_be_found(total, read, hidden, given_away):
    """One hidden clinic, two who know each other, three, and three without any pain."""
    parts = dict(enumerate(hidden))

    assert is_given_away(total, read, parts) is given_away


@PATIENTLY
@given(crowds(), widths)
def test_no_hidden_sum_can_be_worked_out_from_a_line(crowd, intervals):
    """By an outsider or by any clinic; months count as known in their quarter."""
    cells = cells_of(crowd)

    for line in lines(cells, released(cells, intervals)):
        assert not is_given_away(*line)


@PATIENTLY
@given(crowds(), widths)
def test_strata_of_values_are_all_told_or_hide_in_company(crowd, intervals):
    """One stratum beside the total would tell the sum of the other."""
    cells = cells_of(crowd)

    strata = [c for c in released(cells, intervals) if c.stratum]
    assert len({c.withheld for c in strata}) <= 1

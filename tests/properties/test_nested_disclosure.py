"""
Nested measures side by side, and an attacker who subtracts them from one another.

The attacker shares no code with the house. Each clinic's people are told apart by which
of the measures they meet; a linear program asks how few and how many can be in each
such group, given all that was published and all that one clinic knows of itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.families import Member, release_family
from app.domain.counts import Basis, Cell, Interval, ReleasedCell
from tests.released import OUTCOMES

JANUARY = 12 * 2024
K = 5
OUTSIDER = -1
MEMBERS = AudienceRules(k=K, min_clinics=3, clinics=ClinicsShown.NAMED)
SLOWLY = settings(deadline=None, max_examples=30)

Groups = tuple[int, ...]
"""A clinic's people, told apart by what they meet."""


class Shape(NamedTuple):
    """
    How measures are nested.

    Of each measure, which groups meet it and which are in its denominator; and what it
    says of the others: what it is part of, and what it is the sum of.
    """

    meeting: Mapping[str, Groups]
    counted: Mapping[str, Groups]
    subset_of: Mapping[str, str]
    parts: Mapping[str, tuple[str, ...]]


EVERYBODY = (1, 1, 1, 1)
CHAIN = Shape(
    {"low": (1, 1, 1, 0), "inactive": (1, 1, 0, 0), "sustained": (1, 0, 0, 0)},
    dict.fromkeys(("low", "inactive", "sustained"), EVERYBODY),
    {"inactive": "low", "sustained": "inactive"},
    {},
)
SUM = Shape(
    {"any": (1, 1, 1, 0), "mild": (1, 0, 0, 0), "grave": (0, 1, 1, 0)},
    dict.fromkeys(("any", "mild", "grave"), EVERYBODY),
    {},
    {"any": ("mild", "grave")},
)
FEWER = Shape(
    {"wide": (1, 1, 0, 0), "narrow": (1, 0, 0, 0)},
    {"wide": EVERYBODY, "narrow": (1, 1, 1, 0)},
    {"narrow": "wide"},
    {},
)
SHAPES = {"chain": CHAIN, "sum": SUM, "fewer": FEWER}


def inner(one: Iterable[int], other: Iterable[int]) -> int:
    return sum(int(a * b) for a, b in zip(one, other, strict=True))


def released(
    shape: Shape, clinics: Sequence[Groups]
) -> dict[str, dict[int | None, ReleasedCell]]:
    """Return what is published of January, by measure and clinic."""
    family = {
        name: Member(
            cells=[
                Cell(
                    clinic_id=clinic,
                    interval=Interval.MONTH,
                    interval_start=JANUARY,
                    population=sum(groups) + 10,
                    scored=inner(groups, shape.counted[name]),
                    denominator=inner(groups, shape.counted[name]),
                    numerator=inner(groups, meeting),
                )
                for clinic, groups in enumerate(clinics)
            ],
            basis=Basis.VISITS,
            judgement=OUTCOMES,
            blocks={},
            chosen={},
            earlier=(),
            narrower=None,
            subset_of=frozenset(
                {shape.subset_of[name]} if name in shape.subset_of else ()
            ),
            parts=frozenset(shape.parts.get(name, ())),
        )
        for name, meeting in shape.meeting.items()
    }
    monthly = dict.fromkeys(range(len(clinics)), Interval.MONTH)
    made = release_family(
        family,
        intervals=dict.fromkeys(family, monthly),
        rules=MEMBERS,
        closed_before=JANUARY + 1,
    )
    return {
        name: {cell.clinic_id: cell for cell in cells} for name, cells in made.items()
    }


Equation = tuple[np.ndarray, int]


def told(
    shape: Shape, clinics: Sequence[Groups], onlooker: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return all that an onlooker knows: rows over clinics x groups, and their sums."""
    known = list(_published(shape, clinics))
    width = len(EVERYBODY)
    if onlooker != OUTSIDER:
        for group, people in enumerate(clinics[onlooker]):
            row = np.zeros((len(clinics), width))
            row[onlooker, group] = 1
            known.append((row, people))
    rows = np.array([row.ravel() for row, _ in known])
    return (
        rows.reshape(len(known), len(clinics) * width),
        np.array([right for _, right in known]),
    )


def _published(shape: Shape, clinics: Sequence[Groups]) -> Iterator[Equation]:
    for name, cells in released(shape, clinics).items():
        for clinic, cell in cells.items():
            if cell.denominator is None:
                continue
            assert cell.numerator is not None
            for weights, right in (
                (shape.meeting[name], cell.numerator),
                (shape.counted[name], cell.denominator),
            ):
                row = np.zeros((len(clinics), len(EVERYBODY)))
                row[slice(None) if clinic is None else clinic] = weights
                yield row, right


def small_groups(shape: Shape, clinics: Sequence[Groups]) -> Iterator[np.ndarray]:
    """Yield each group of a clinic of fewer than k people, as a row."""
    for name, meeting in shape.meeting.items():
        weights = [meeting, np.subtract(shape.counted[name], meeting)]
        if name in shape.subset_of:
            wider = shape.subset_of[name]
            weights.append(np.subtract(shape.meeting[wider], meeting))
            if shape.counted[wider] != shape.counted[name]:
                weights.append(np.subtract(shape.counted[wider], shape.counted[name]))
        for whole, parts in shape.parts.items():
            if name in parts:
                weights.append(np.subtract(shape.meeting[whole], meeting))
        for clinic, groups in enumerate(clinics):
            for each in weights:
                if inner(groups, each) < K:
                    row = np.zeros((len(clinics), len(EVERYBODY)))
                    row[clinic] = each
                    yield row


def is_given_away(shape: Shape, clinics: Sequence[Groups], onlooker: int) -> bool:
    """Tell whether a small group of another clinic cannot be anything from 0 to k-1."""
    rows, right = told(shape, clinics, onlooker)
    if not len(rows):
        return False
    for small in small_groups(shape, clinics):
        if onlooker != OUTSIDER and small[onlooker].any():
            continue
        goal = small.ravel()
        least, most = (
            linprog(sign * goal, A_eq=rows, b_eq=right, bounds=(0, None))
            for sign in (1, -1)
        )
        if least.fun > 1e-6:
            return True
        if most.status == 0 and -most.fun < K - 1 - 1e-6:
            return True
    return False


people = st.one_of(st.integers(0, 7), st.integers(4, 30))
networks = st.lists(st.tuples(people, people, people, people), min_size=3, max_size=7)


@SLOWLY
@given(st.sampled_from(sorted(SHAPES)), networks, st.integers(OUTSIDER, 6))
def test_no_small_group_follows_from_nested_measures(shape, clinics, onlooker):
    """By an outsider or by any clinic, with all measures of the family at hand."""
    reader = onlooker if onlooker < len(clinics) else OUTSIDER

    assert not is_given_away(SHAPES[shape], clinics, reader)


@settings(deadline=None)
@given(st.sampled_from(sorted(SHAPES)), networks)
def test_two_numbers_side_by_side_are_equal_to_nobody_or_many(shape, clinics):
    """Whoever meets the wider one alone is at least k, with or without a clinic."""
    made = released(SHAPES[shape], clinics)
    pairs = [*SHAPES[shape].subset_of.items()]
    pairs += [(p, whole) for whole, ps in SHAPES[shape].parts.items() for p in ps]

    for narrow, wide in pairs:
        for clinic, cell in made[narrow].items():
            other = made[wide][clinic]
            if cell.numerator is None:
                continue
            assert other.numerator is not None
            assert other.numerator - cell.numerator >= K
            assert other.denominator == cell.denominator or (
                (other.denominator or 0) - (cell.denominator or 0) >= K
            )
            if clinic is None:
                shape_of = SHAPES[shape].meeting
                more = np.subtract(shape_of[wide], shape_of[narrow])
                own = [inner(groups, more) for groups in clinics]
                assert sum(own) - max(own) >= K


@settings(deadline=None)
@given(networks)
def test_the_parts_of_a_sum_are_shown_together_or_not_at_all(clinics):
    """Two of three, and the third is the sum less them."""
    made = released(SUM, clinics)

    for clinic in made["any"]:
        mild, grave = made["mild"][clinic], made["grave"][clinic]
        assert (mild.numerator is None) == (grave.numerator is None)
        if made["any"][clinic].numerator is None:
            assert mild.numerator is None


@pytest.mark.parametrize("onlooker", [OUTSIDER, 0])
def test_the_attacker_of_nested_measures_finds_what_can_be_found(onlooker: int):
    """
    Each measure released by itself passes its own rules.

    Of clinic 1 there are 40 and 38 who meet them: two are in low activity only.
    """
    alone = CHAIN._replace(subset_of={})
    clinics = [(20, 10, 10, 20), (30, 8, 2, 20), (20, 10, 10, 20), (20, 10, 10, 20)]
    rows, right = told(alone, clinics, onlooker)
    small = np.zeros((4, 4))
    small[1, 2] = 1

    found = linprog(small.ravel(), A_eq=rows, b_eq=right, bounds=(0, None))

    assert found.fun == pytest.approx(2)
    assert not is_given_away(CHAIN, clinics, onlooker)

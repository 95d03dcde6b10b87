"""
What must hold of every release, and an attacker who tries to prove otherwise.

The attacker shares no code with the house: for each hidden number it asks a linear
program how small and how large that number can be, given all that was published of the
line and, for an insider, all that one clinic knows of itself.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.bounds import Bound, bound_of
from app.disclosure.intervals import publishing_intervals
from app.disclosure.own_views import own_cells
from app.disclosure.releases import release_measure
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld
from tests.released import OUTCOMES

JANUARY = 12 * 2024
K = 5
OUTSIDER = -1

PATIENTLY = settings(deadline=None)
"""Linear programs take as long as the machine lets them."""
MEMBERS = AudienceRules(k=K, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=11, min_clinics=3, clinics=ClinicsShown.NONE)

GROUPS = ("meeting", "failing", "unscored")
Groups = tuple[int, int, int]
"""People who meet a measure, who do not, and who could not be scored."""


def cell(
    clinic: int, groups: Groups, interval: Interval, start: int, stratum: int = 0
) -> Cell:
    meeting, failing, unscored = groups
    return Cell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=meeting + failing + unscored,
        scored=meeting + failing,
        denominator=meeting + failing,
        numerator=meeting,
    )


def added(parts: Sequence[Groups]) -> Groups:
    return (
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
        sum(part[2] for part in parts),
    )


people = st.one_of(st.integers(0, 8), st.integers(0, 60))
groups = st.tuples(people, people, people)


@st.composite
def quarters(draw, basis: Basis) -> list[Cell]:
    """Return a quarter of 2 to 6 clinics: three months, the quarter, two strata."""
    cells = []
    for clinic in range(draw(st.integers(2, 6))):
        months = [draw(groups) for _ in range(3)]
        strata = (
            [draw(groups), draw(groups)]
            if basis is Basis.VISITS
            else _split(months[2], draw(st.integers(0, 3)))
        )
        cells += [
            cell(clinic, own, Interval.MONTH, JANUARY + index)
            for index, own in enumerate(months)
        ]
        cells += [
            cell(clinic, own, Interval.QUARTER, JANUARY, stratum)
            for stratum, own in enumerate([added(strata), *strata])
        ]
    return cells


def _split(whole: Groups, thirds: int) -> list[Groups]:
    """Return two strata that add up to *whole*."""
    meeting, failing, unscored = (people * thirds // 3 for people in whole)
    rest = (whole[0] - meeting, whole[1] - failing, whole[2] - unscored)
    return [(meeting, failing, unscored), rest]


bases = st.sampled_from(Basis)
cubes = bases.flatmap(lambda basis: st.tuples(st.just(basis), quarters(basis)))
widths = st.dictionaries(
    st.integers(0, 5), st.sampled_from([None, Interval.MONTH, Interval.QUARTER])
)


def released(
    cells: list[Cell],
    basis: Basis,
    intervals: dict[int, Interval | None],
    *,
    rules: AudienceRules = MEMBERS,
    earlier: Sequence[ReleasedCell] = (),
    within: Sequence[Bound] = (),
    closed_before: int = JANUARY + 3,
) -> list[ReleasedCell]:
    return release_measure(
        cells,
        rules=rules,
        basis=basis,
        judgement=OUTCOMES,
        blocks=[range(1, 10)],
        intervals=intervals,
        earlier=earlier,
        within=within,
        closed_before=closed_before,
    )


@PATIENTLY
@given(cubes, widths, st.sampled_from([MEMBERS, PUBLIC]))
def test_no_released_cell_is_small(cube, intervals, rules):
    """Met, not met and unscored are each at least k wherever they can be read."""
    basis, cells = cube

    for shown in released(cells, basis, intervals, rules=rules):
        if shown.withheld is not None:
            assert shown.population is shown.denominator is shown.numerator is None
            continue
        assert shown.numerator is not None
        assert shown.denominator is not None
        assert shown.numerator >= rules.k
        assert shown.denominator - shown.numerator >= rules.k
        if shown.population is not None:
            assert shown.population - shown.denominator >= rules.k


@PATIENTLY
@given(cubes, widths)
def test_what_is_released_is_true(cube, intervals):
    """Numbers are withheld or exact; nothing is rounded or invented."""
    basis, cells = cube
    true: dict[tuple, Groups] = defaultdict(lambda: (0, 0, 0))
    for each in cells:
        for clinic in (each.clinic_id, None):
            place = clinic, each.interval, each.interval_start, each.stratum
            own = (each.population, each.denominator, each.numerator)
            true[place] = added([true[place], own])

    for shown in released(cells, basis, intervals):
        place = shown.clinic_id, shown.interval, shown.interval_start, shown.stratum
        read = (shown.population, shown.denominator, shown.numerator)
        for number, exact in zip(read, true[place], strict=True):
            assert number in (None, exact)


@cache
def reach(rest: int, pieces: int) -> tuple[float, float]:
    """Return the least and the most that one of *pieces* can be that make up *rest*."""
    one = np.eye(1, pieces)[0]
    row, bounds = np.ones((1, pieces)), [(0, None)] * pieces
    least = linprog(one, A_eq=row, b_eq=[rest], bounds=bounds)
    most = linprog(-one, A_eq=row, b_eq=[rest], bounds=bounds)
    return least.fun, -most.fun


def is_given_away(
    total: int | None, read: Sequence[int], hidden: dict[int, dict[int, int]], k: int
) -> bool:
    """
    Tell whether somebody can place a hidden part of a line.

    *read* are the parts that can be read; *hidden* gives, for each other part, what
    each clinic adds to it. An outsider knows none of that and a clinic its own; a part
    is placed where what the others add to it cannot be anything from 0 to k - 1.
    """
    if total is None:
        return False
    clinics = {clinic for part in hidden.values() for clinic in part}
    for onlooker in [OUTSIDER, *clinics]:
        unknown = [part for part in hidden.values() if set(part) - {onlooker}]
        own = sum(part.get(onlooker, 0) for part in hidden.values())
        if unknown:
            least, most = reach(total - sum(read) - own, len(unknown))
            if least > 0 or most < k - 1:
                return True
    return False


TRUTH: dict[str, Callable] = {
    "meeting": lambda cell: cell.numerator,
    "failing": lambda cell: cell.denominator - cell.numerator,
    "unscored": lambda cell: cell.population - cell.denominator,
}


def reading(shown: ReleasedCell | None, group: str) -> int | None:
    """Return the people of a group as a reader computes them."""
    if shown is None or shown.denominator is None:
        return None
    if group == "unscored" and shown.population is None:
        return None
    people: int = TRUTH[group](shown)
    return people


def is_somebody(each: Cell, group: str) -> bool:
    """Tell whether a clinic has people to hide among; that it has none may be known."""
    if group == "unscored":
        return each.population > each.denominator
    return each.denominator > 0


class Reader:
    """Whoever holds a release, and knows the true cells that it cannot protect."""

    def __init__(self, cells: list[Cell], release: list[ReleasedCell]) -> None:
        self.cells = {
            (c.clinic_id, c.interval, c.interval_start, c.stratum): c for c in cells
        }
        self.seen = {
            (c.clinic_id, c.interval, c.interval_start, c.stratum): c for c in release
        }

    def clinics(self) -> set[int]:
        """Return every clinic of the network."""
        return {clinic for clinic, *_ in self.cells}

    def read(self, place: tuple, group: str) -> int | None:
        """Return what can be read at a place of the cube."""
        return reading(self.seen.get(place), group)

    def finds_a_clinic(
        self, slots: list[tuple[Interval, int]], group: str, finer: list[int]
    ) -> bool:
        """
        Tell whether a clinic's number can be placed, of slots with the same numbers.

        Of clinics with something to be read in the months *finer*, all is known.
        """
        totals = [self.read((None, *slot, 0), group) for slot in slots]
        known, hidden = [], {}
        for clinic in self.clinics():
            true = self.cells[clinic, *slots[0], 0]
            places = [(clinic, *slot, 0) for slot in slots]
            places += [(clinic, Interval.MONTH, start, 0) for start in finer]
            if any(self.read(place, group) is not None for place in places):
                known.append(TRUTH[group](true))
            elif is_somebody(true, group):
                hidden[clinic] = {clinic: TRUTH[group](true)}
        total = next((number for number in totals if number is not None), None)
        return is_given_away(total, known, hidden, K)

    def finds_a_stratum(self, group: str, k: int) -> bool:
        """
        Tell whether a stratum of the quarter can be placed by the others.

        Where none is shown there is the total alone, which is safe by its own rules.
        """
        slot = (Interval.QUARTER, JANUARY)
        known, hidden = [], {}
        for stratum in (1, 2):
            number = self.read((None, *slot, stratum), group)
            if number is not None:
                known.append(number)
                continue
            behind = {c: self.cells[c, *slot, stratum] for c in self.clinics()}
            hidden[stratum] = {
                clinic: TRUTH[group](true)
                for clinic, true in behind.items()
                if is_somebody(true, group)
            }
        total = self.read((None, *slot, 0), group) if known else None
        return is_given_away(total, known, hidden, k)


MONTHS = [JANUARY, JANUARY + 1, JANUARY + 2]


@pytest.mark.parametrize(
    ("total", "read", "hidden", "given_away"),
    [
        (40, [30], [10], True),
        (40, [30], [6, 4], True),
        (40, [30], [4, 3, 3], False),
        (33, [30], [1, 1, 1], True),
        (40, [30], [8, 1, 1], True),
        (None, [30], [3], False),
        (30, [30], [], False),
    ],
)
def test_the_attacker_finds_what_can_be_found(total, read, hidden, given_away):
    """One hidden clinic, two who know each other, three too small, a dominant one."""
    parts = {clinic: {clinic: people} for clinic, people in enumerate(hidden)}

    assert is_given_away(total, read, parts, K) is given_away


@PATIENTLY
@given(quarters(Basis.VISITS), widths, st.sampled_from(GROUPS))
def test_no_hidden_visits_can_be_worked_out_from_a_line(cells, intervals, group):
    """By an outsider or by any clinic; months count as known in their quarter."""
    reader = Reader(cells, released(cells, Basis.VISITS, intervals))

    for month in MONTHS:
        assert not reader.finds_a_clinic([(Interval.MONTH, month)], group, [])
    assert not reader.finds_a_clinic([(Interval.QUARTER, JANUARY)], group, MONTHS)


@PATIENTLY
@given(quarters(Basis.LATEST_STATUS), widths, st.sampled_from(GROUPS))
def test_no_hidden_status_can_be_worked_out_from_both_widths(cells, intervals, group):
    """March and the quarter are one line, whichever of them a number stands in."""
    reader = Reader(cells, released(cells, Basis.LATEST_STATUS, intervals))

    for month in MONTHS[:2]:
        assert not reader.finds_a_clinic([(Interval.MONTH, month)], group, [])
    ends = [(Interval.QUARTER, JANUARY), (Interval.MONTH, JANUARY + 2)]
    assert not reader.finds_a_clinic(ends, group, [])


@PATIENTLY
@given(cubes, widths, st.sampled_from(GROUPS), st.sampled_from([MEMBERS, PUBLIC]))
def test_no_hidden_stratum_can_be_worked_out(cube, intervals, group, rules):
    """Each clinic knows its share of every stratum."""
    basis, cells = cube
    reader = Reader(cells, released(cells, basis, intervals, rules=rules))

    assert not reader.finds_a_stratum(group, rules.k)


@PATIENTLY
@given(cubes, widths)
def test_the_public_sees_nothing_that_members_do_not(cube, intervals):
    """So who reads both knows no more than who reads one."""
    basis, cells = cube
    members = released(cells, basis, intervals)
    public = released(cells, basis, intervals, rules=PUBLIC, within=[bound_of(members)])

    seen = {
        (c.interval, c.interval_start, c.stratum): c
        for c in members
        if c.clinic_id is None
    }
    for shown in public:
        other = seen[shown.interval, shown.interval_start, shown.stratum]
        assert shown.numerator in (None, other.numerator)
        assert shown.population in (None, other.population)


@PATIENTLY
@given(cubes, cubes, widths, widths)
def test_a_published_interval_never_changes(before, after, intervals, later):
    """Whatever arrives late, and whatever the clinics' intervals have become."""
    basis, cells = before
    first = released(cells, basis, intervals, closed_before=JANUARY + 2)

    second = released(after[1], basis, later, earlier=first)

    kept = {id(each) for each in first}
    assert {id(each) for each in second} >= kept
    closed = {(c.interval, c.interval_start) for c in first}
    again = [c for c in second if (c.interval, c.interval_start) in closed]
    assert len(again) == len(first)


@PATIENTLY
@given(cubes, widths, st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(cube, intervals, order: random.Random):
    """The same cube is the same release, however the store returns it."""
    basis, cells = cube
    shuffled = list(cells)
    order.shuffle(shuffled)

    assert released(shuffled, basis, intervals) == released(cells, basis, intervals)


@PATIENTLY
@given(cubes)
def test_a_clinic_sees_all_of_its_own(cube):
    """True numbers, whatever their size; only where nobody is there is nothing."""
    _, cells = cube

    for shown in own_cells(
        cells, clinic_id=0, has_numerator=True, closed_before=JANUARY
    ):
        assert shown.provisional
        assert shown.withheld in (None, Withheld.NO_DATA)
        assert (not shown.denominator) == (shown.withheld is Withheld.NO_DATA)


SPREAD = tuple(0.5 + 0.45 * i / 11 for i in range(12))
"""Twelve clinics' true shares, from 50 to 95 %."""


def network(seed: int, shares: Sequence[float] = SPREAD) -> list[Cell]:
    """Return 12 clinics of 15 to 400 people over three years; any may do well."""
    chance = random.Random(seed)
    cells = []
    shares = chance.sample(shares, len(shares))
    for clinic, share in enumerate(shares):
        size = round(15 * (400 / 15) ** (clinic / 11))
        for start in range(JANUARY - 36, JANUARY):
            scored = sum(chance.random() < 0.9 for _ in range(size))
            meeting = sum(chance.random() < share for _ in range(scored))
            own = (meeting, scored - meeting, size - scored)
            for interval in Interval:
                if (start + 1) % interval.months == 0:
                    begin = start + 1 - interval.months
                    cells.append(cell(clinic, own, interval, begin))
    return cells


def shown_of_own_width(cells: list[Cell]) -> float:
    """Return the share of shown intervals, of clinics that have a width."""
    intervals = publishing_intervals(
        cells, k=K, has_numerator=True, closed_before=JANUARY - 12, earlier={}
    )
    shown = released(cells, Basis.LATEST_STATUS, intervals, closed_before=JANUARY)
    own = [c for c in shown if c.clinic_id is not None and intervals[c.clinic_id]]
    return sum(c.withheld is None for c in own) / len(own)


RATES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@pytest.mark.parametrize("share", RATES)
def test_as_much_is_shown_of_a_network_that_does_well(share: float):
    """
    The interval asks for the rarer outcome in 10 people, so that 5 are there.

    Fewer than 5 come by chance in 2.9 % of intervals at most (Poisson of mean 10), and
    two clinics hide beside each. Were each month judged by itself, of 15 to 100 people
    at 95 % there would hardly be 5 who miss the goal in any.
    """
    assert shown_of_own_width(network(1, [share] * 12)) >= 0.9


@pytest.mark.parametrize("seed", range(5))
def test_members_see_most_of_a_network(seed: int):
    """At least 80 % of what clinics have an interval for, and most of the totals."""
    cells = network(seed)
    intervals = publishing_intervals(
        cells, k=K, has_numerator=True, closed_before=JANUARY - 12, earlier={}
    )

    shown = released(cells, Basis.LATEST_STATUS, intervals, closed_before=JANUARY)

    own = [c for c in shown if c.clinic_id is not None and intervals[c.clinic_id]]
    totals = [c for c in shown if c.clinic_id is None]
    assert sum(c.withheld is None for c in own) >= 0.8 * len(own)
    assert sum(c.withheld is None for c in totals) >= 0.95 * len(totals)
    assert {c.clinic_id for c in shown} == {None, *range(12)}


@pytest.mark.parametrize("share", RATES)
def test_no_clinic_vanishes_because_it_does_well(share: float):
    """
    The largest clinic goes from 50 to 95 %, and is seen in the same months.

    400 people at 95 % leave 20 who do not meet the measure, four times k. How it does
    changes neither its interval nor anybody else's.
    """

    def cells(meeting: int) -> list[Cell]:
        return [
            cell(clinic, own, Interval.MONTH, start)
            for start in range(JANUARY - 12, JANUARY)
            for clinic, own in enumerate(
                [(meeting, 400 - meeting, 40), *[(180, 120, 30)] * 8]
            )
        ]

    meeting = round(400 * share)
    before, after = (
        publishing_intervals(
            cells(meeting), k=K, has_numerator=True, closed_before=JANUARY, earlier={}
        )
        for meeting in (200, round(400 * share))
    )
    shown = released(cells(meeting), Basis.VISITS, after, closed_before=JANUARY)

    assert before == after
    months = [c for c in shown if c.clinic_id == 0]
    assert len(months) == 12
    assert {c.numerator for c in months} == {meeting}

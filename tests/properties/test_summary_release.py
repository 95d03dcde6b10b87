"""Nothing that is hidden of summaries follows from what is shown."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.summary_rates import (
    NETWORK_WIDTH,
    PROPORTION,
    RATE,
    release_summaries,
)
from app.domain.counts import Cell, Interval, ReleasedCell, Withheld

START = 24_000
LENGTH = 12
WIDTHS = (Interval.MONTH, Interval.QUARTER, Interval.YEAR)
MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=11, min_clinics=3, clinics=ClinicsShown.NONE)

NOTHING = 1e-9
"""What is left of a sum in floating point where nothing is left."""

Place = tuple[int, int]
"""A clinic and a month."""
Sent = dict[Place, tuple[int, int]]
"""Events and exposure of each clinic and month."""

events = st.sampled_from([0, 0, 1, 2, 4, 5, 6, 8, 12, 20])
exposures = st.sampled_from([0, 30, 49, 50, 120, 400])


@st.composite
def networks(draw: Any) -> tuple[Sent, dict[int, Interval | None]]:
    """What clinics sent in a year, and how wide each is published."""
    clinics = range(1, draw(st.integers(2, 7)) + 1)
    sent = {
        (clinic, month): (draw(events), draw(exposures) + 20)
        for clinic in clinics
        for month in range(START, START + LENGTH)
        if draw(st.integers(0, 11))
    }
    network = draw(st.sampled_from([*WIDTHS, Interval.MONTH, Interval.MONTH]))
    wide = [None, *(w for w in WIDTHS if w.months >= network.months)]
    chosen = {clinic: draw(st.sampled_from(wide)) for clinic in clinics}
    return sent, {NETWORK_WIDTH: network, **chosen}


def cells_of(sent: Sent) -> list[Cell]:
    """Return the sums of every width."""
    sums: dict[tuple[int, Interval, int], list[int]] = {}
    for (clinic, month), (numerator, denominator) in sent.items():
        for width in WIDTHS:
            place = (clinic, width, month - month % width.months)
            both = sums.setdefault(place, [0, 0])
            both[0] += numerator
            both[1] += denominator
    return [
        Cell(
            clinic_id=clinic,
            interval=width,
            interval_start=start,
            population=d,
            scored=d,
            denominator=d,
            numerator=n,
        )
        for (clinic, width, start), (n, d) in sums.items()
    ]


def released(
    sent: Sent, intervals: dict[int, Interval | None], **given: Any
) -> list[ReleasedCell]:
    """Return a release in two steps, as time goes by."""
    found: list[ReleasedCell] = []
    for closed_before in (START + 5, START + LENGTH):
        found = release_summaries(
            cells_of(sent),
            intervals=intervals,
            earlier=found,
            closed_before=closed_before,
            **given,
        )
    return found


def months_of(cell: ReleasedCell, sent: Sent) -> list[Place]:
    """Return the clinics and months that a cell adds up."""
    span = range(cell.interval_start, cell.interval_start + cell.interval.months)
    return [
        (clinic, month)
        for clinic, month in sent
        if month in span and cell.clinic_id in {None, clinic}
    ]


class Onlooker:
    """Whoever reads a release and knows one clinic's months already, or none."""

    def __init__(
        self, sent: Sent, shown: Iterable[ReleasedCell], *, clinic: int | None
    ) -> None:
        unknown = [place for place in sent if place[0] != clinic]
        self._columns = {place: i for i, place in enumerate(unknown)}
        listed = [self._equation(months_of(cell, sent)) for cell in shown]
        known = np.array(listed).reshape(len(listed), len(unknown))
        _, sizes, directions = np.linalg.svd(known, full_matrices=False)
        self._told = directions[sizes > NOTHING]

    def learns(self, places: Iterable[Place]) -> bool:
        """Tell whether the sum of months, as far as it is unknown, is worked out."""
        equation = self._equation(places)
        return bool(equation.any()) and self._follows(equation)

    def knows(self, places: Iterable[Place]) -> bool:
        """Tell whether the sum of months is worked out, or was known before."""
        return self._follows(self._equation(places))

    def _equation(self, places: Iterable[Place]) -> np.ndarray:
        equation = np.zeros(len(self._columns))
        for place in places:
            if place in self._columns:
                equation[self._columns[place]] = 1
        return equation

    def _follows(self, equation: np.ndarray) -> bool:
        """Tell whether an equation is a combination of those that are told."""
        rest = equation - equation @ self._told.T @ self._told
        return bool(np.abs(rest).max(initial=0) < NOTHING)


def narrowed(places: Iterable[Place], width: Interval) -> list[list[Place]]:
    """Return *places* by the intervals of a width."""
    by_start: dict[int, list[Place]] = {}
    for clinic, month in places:
        by_start.setdefault(month - month % width.months, []).append((clinic, month))
    return [*by_start.values()]


MONTH_ALONE: Sent = {(1, START + 3): (0, 20)} | {
    (clinic, START + 4): (6, 70) for clinic in range(1, 6)
}
"""The fifth month is told; of the fourth, clinic 1 knows that nobody else had any."""
QUARTER_IN_A_MONTH: Sent = {
    (1, START + 7): (0, 20),
    (1, START + 8): (0, 20),
    (2, START + 8): (0, 50),
    (3, START + 8): (0, 50),
}
"""Clinic 3's quarter, taken from a month's total, leaves clinic 1 that of clinic 2."""


@given(networks(), st.sampled_from([RATE, PROPORTION]))
@example(
    drawn=(
        MONTH_ALONE,
        {NETWORK_WIDTH: Interval.MONTH} | dict.fromkeys(range(1, 6)),
    ),
    groups=RATE,
)
@example(
    drawn=(
        QUARTER_IN_A_MONTH,
        {NETWORK_WIDTH: Interval.MONTH, 1: None, 2: None, 3: Interval.QUARTER},
    ),
    groups=RATE,
)
@settings(max_examples=150, deadline=None)
def test_no_hidden_cell_is_worked_out_from_what_is_shown(drawn, groups):
    """
    By an outsider, or by a clinic that knows its own numbers; at no width.

    Of a hidden clinic nothing follows by the network's width either. A wider total of
    the network is no secret of its own: it is withheld for a part that is hidden, and
    whoever knows that part, as the only clinic in it, may know the total as well.
    """
    sent, intervals = drawn
    network = intervals[NETWORK_WIDTH]
    if groups is PROPORTION:
        sent = {place: (min(n, d), d) for place, (n, d) in sent.items()}
    found = released(sent, intervals, rules=MEMBERS, groups=groups, within=None)
    shown = [cell for cell in found if cell.withheld is None]
    hidden = [cell for cell in found if cell.withheld not in {None, Withheld.NO_DATA}]

    for clinic in {None, *(clinic for clinic, _ in sent)}:
        onlooker = Onlooker(sent, shown, clinic=clinic)
        for cell in hidden:
            behind = months_of(cell, sent)
            if cell.clinic_id is not None:
                for secret in [behind, *narrowed(behind, network)]:
                    assert not onlooker.learns(secret), (cell, clinic)
            elif cell.interval is network:
                clinics = [[p for p in behind if p[0] == c] for c, _ in behind]
                is_sum_of_told = all(map(onlooker.knows, clinics))
                assert is_sum_of_told or not onlooker.learns(behind), (cell, clinic)


@given(networks())
@settings(max_examples=150, deadline=None)
def test_no_small_number_is_shown(drawn):
    """Of a clinic none or at least k events; of a pool so many without any clinic."""
    sent, intervals = drawn
    found = released(sent, intervals, rules=MEMBERS, groups=RATE, within=None)

    for cell in found:
        if cell.withheld is not None:
            assert cell.numerator is None
            assert cell.denominator is None
            continue
        parts: dict[int, list[int]] = {}
        for clinic, month in months_of(cell, sent):
            both = parts.setdefault(clinic, [0, 0])
            both[0] += sent[clinic, month][0]
            both[1] += sent[clinic, month][1]
        total = [sum(column) for column in zip(*parts.values(), strict=True)]
        assert [cell.numerator, cell.denominator] == total
        if cell.clinic_id is not None:
            assert total[0] == 0 or total[0] >= 5
            assert total[1] >= 50
        elif cell.interval is intervals[NETWORK_WIDTH]:
            assert len(parts) >= 3
            for own in parts.values():
                assert total[0] == 0 or total[0] - own[0] >= 5
                assert total[1] - own[1] >= 50


@given(networks())
@settings(max_examples=100, deadline=None)
def test_the_public_sees_nothing_that_members_do_not(drawn):
    """Reading both says no more than reading one."""
    sent, intervals = drawn
    members = released(sent, intervals, rules=MEMBERS, groups=RATE, within=None)
    public = release_summaries(
        cells_of(sent),
        rules=PUBLIC,
        groups=RATE,
        intervals=intervals,
        earlier=[],
        within=members,
        closed_before=START + LENGTH,
    )
    seen = {
        (c.clinic_id, c.interval, c.interval_start)
        for c in members
        if c.withheld is None
    }

    for cell in public:
        assert cell.clinic_id is None
        if cell.withheld is None:
            assert (None, cell.interval, cell.interval_start) in seen

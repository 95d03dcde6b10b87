"""Nothing that is hidden of summaries follows from what is shown."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from hypothesis import given, settings
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

Sent = dict[tuple[int, int], tuple[int, int]]
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


def months_of(cell: ReleasedCell, sent: Sent) -> list[tuple[int, int]]:
    """Return the clinics and months that a cell adds up."""
    span = range(cell.interval_start, cell.interval_start + cell.interval.months)
    return [
        (clinic, month)
        for clinic, month in sent
        if month in span and cell.clinic_id in {None, clinic}
    ]


def rows(
    places: Iterable[Iterable[tuple[int, int]]], columns: Mapping[tuple[int, int], int]
) -> np.ndarray:
    """Return which months each of *places* adds up, as equations."""
    listed = [[place for place in each if place in columns] for each in places]
    found = np.zeros((len(listed), len(columns)))
    for row, each in enumerate(listed):
        for place in each:
            found[row, columns[place]] = 1
    return found


def follows(hidden: np.ndarray, shown: np.ndarray) -> bool:
    """Return whether an equation is a combination of others."""
    if not hidden.any():
        return False
    if not len(shown):
        return False
    with_it = np.vstack([shown, hidden])
    return bool(np.linalg.matrix_rank(with_it) == np.linalg.matrix_rank(shown))


@given(networks(), st.sampled_from([RATE, PROPORTION]))
@settings(max_examples=60, deadline=None)
def test_no_hidden_cell_is_worked_out_from_what_is_shown(drawn, groups):
    """By an outsider, or by a clinic that knows its own numbers; at no width."""
    sent, intervals = drawn
    if groups is PROPORTION:
        sent = {place: (min(n, d), d) for place, (n, d) in sent.items()}
    found = released(sent, intervals, rules=MEMBERS, groups=groups, within=None)
    shown = [cell for cell in found if cell.withheld is None]
    hidden = [
        cell
        for cell in found
        if cell.withheld is Withheld.SUPPRESSED
        or (cell.withheld is Withheld.NOT_PUBLISHED and cell.clinic_id is not None)
    ]

    for onlooker in {None, *(clinic for clinic, _ in sent)}:
        unknown = [place for place in sent if place[0] != onlooker]
        columns = {place: i for i, place in enumerate(unknown)}
        known = rows((months_of(cell, sent) for cell in shown), columns)
        for cell in hidden:
            behind = months_of(cell, sent)
            parts = rows(
                ([p for p in behind if p[0] == c] for c in {p[0] for p in behind}),
                columns,
            )
            is_open = all(follows(part, known) for part in parts if part.any())
            if cell.clinic_id is None and is_open:
                continue  # it is the sum of what is shown of each clinic
            (equation,) = rows([behind], columns)
            assert not follows(equation, known), (cell, onlooker)


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

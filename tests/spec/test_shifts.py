"""The month of a change, as likelihood tells it."""

from math import log

import pytest

from app.charts.likelihoods import of_proportions
from app.charts.shifts import most_likely_shift, suggested_shift
from app.domain.counts import Basis, Withheld
from tests.released import START, series

BEFORE: list[tuple[int, int] | Withheld] = [
    (30, 60),
    (28, 60),
    (32, 60),
    (31, 60),
    (29, 60),
    (30, 60),
] * 2
AFTER: list[tuple[int, int] | Withheld] = [
    (45, 60),
    (43, 60),
    (47, 60),
    (46, 60),
    (44, 60),
    (45, 60),
] * 2


def test_a_planted_improvement_is_found_in_its_month():
    """From 50 to 75 % at the thirteenth month."""
    shift = suggested_shift(series([*BEFORE, *AFTER]), basis=Basis.VISITS)

    assert shift
    assert shift.interval_start == START + 12
    assert shift.first <= shift.interval_start <= shift.last
    assert (shift.before, shift.after) == pytest.approx((0.5, 0.75))


def test_the_evidence_is_the_log_likelihood_ratio():
    """0 of 30 then 30 of 30 against 30 of 60: 60 log 2, and the only place."""
    shift = most_likely_shift(
        [START + i for i in range(6)],
        of_proportions([0, 0, 0, 10, 10, 10], [10] * 6),
    )

    assert shift.dispersion * shift.evidence == pytest.approx(60 * log(2))
    assert (shift.first, shift.last) == (START + 3, START + 3)


def test_the_interval_widens_when_a_month_is_in_doubt():
    """A month half-way belongs to neither side, so both places stay likely."""
    counts = [*BEFORE, (38, 60), *AFTER]
    shift = suggested_shift(series(counts), basis=Basis.VISITS)

    assert shift
    assert (shift.first, shift.last) == (START + 12, START + 13)


def test_a_steady_series_gets_no_suggestion():
    """Every series has a most likely step; evidence decides whether to speak of it."""
    assert suggested_shift(series(BEFORE * 2), basis=Basis.VISITS) is None


def test_restless_points_need_a_larger_step():
    """Ten to fifty of sixty by turns: the evidence is divided by the dispersion."""
    restless = [(15, 60), (45, 60)] * 6 + [(25, 60), (55, 60)] * 6
    starts = range(START, START + 24)

    levels = of_proportions([x for x, _ in restless], [60] * 24)

    shift = most_likely_shift(starts, levels)

    assert shift.dispersion > 10
    assert suggested_shift(series(restless), basis=Basis.VISITS) is None


@pytest.mark.parametrize(
    ("counts", "basis"),
    [
        ([*BEFORE, *AFTER], Basis.LATEST_STATUS),
        ([*BEFORE, *AFTER, Withheld.SUPPRESSED], Basis.VISITS),
        ([*BEFORE[:5], *AFTER[:6]], Basis.VISITS),
    ],
)
def test_no_month_is_told_where_signals_are_not(counts, basis: Basis):
    """Latest status, a suppressed point, fewer than twelve closed points."""
    assert suggested_shift(series(counts), basis=basis) is None


def test_missing_and_provisional_months_are_left_out():
    """The step then is at the first month with data after it."""
    counts = [*BEFORE, Withheld.NO_DATA, *AFTER, (0, 60)]
    shift = suggested_shift(series(counts, provisional=1), basis=Basis.VISITS)

    assert shift
    assert shift.interval_start == START + 13
    assert shift.after == pytest.approx(0.75)

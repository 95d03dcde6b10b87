"""The month of a change, as likelihood tells it."""

from math import log

import pytest

from app.charts.likelihoods import of_means, of_proportions, of_rates
from app.charts.shifts import most_likely_shift, suggested_shift
from app.domain.counts import Basis, Withheld
from app.domain.scales import Scale
from tests.released import START, means, series

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


def test_the_evidence_of_a_step_in_rates_is_poissons():
    """0 events in 3 units, then 30 in 3, against 30 in 6: 30 log 10 - 30 log 5."""
    levels = of_rates([0, 0, 0, 10, 10, 10], [1.0] * 6)
    shift = most_likely_shift(range(START, START + 6), levels)

    assert shift.dispersion * shift.evidence == pytest.approx(30 * log(2))
    assert (shift.before, shift.after) == (0, 10)


def test_the_evidence_of_a_step_in_means_is_the_normal_one():
    """Ten people a month, deviation 2, means 5 then 7: 60 x 1 / (2 x 4) = 7.5."""
    levels = of_means([5.0] * 3 + [7.0] * 3, [2.0] * 6, [10] * 6)
    assert levels
    shift = most_likely_shift(range(START, START + 6), levels)

    assert shift.dispersion * shift.evidence == pytest.approx(7.5)
    assert (shift.before, shift.after) == pytest.approx((5, 7))


def test_people_who_do_not_differ_give_no_evidence_of_a_mean():
    """Without a spread within months none between them can be weighed."""
    assert of_means([5.0] * 6, [0.0] * 6, [10] * 6) is None
    assert of_means([5.0] * 6, [None] * 6, [1] * 6) is None


def test_a_planted_change_of_a_rate_is_found_in_its_month():
    """From about 2 to about 4 infections in 1,000 days."""
    before = [(20, 10_000), (18, 9_000), (26, 12_000), (19, 10_000)] * 3
    after = [(40, 10_000), (37, 9_000), (47, 12_000), (41, 10_000)] * 3
    shift = suggested_shift(
        series([*before, *after]), basis=Basis.SUMMARIES, scale=Scale(per=1000)
    )

    assert shift
    assert shift.interval_start == START + 12
    assert (shift.before, shift.after) == pytest.approx((249 / 123, 495 / 123))


def test_a_planted_change_of_a_mean_is_found_in_its_month():
    """Pain falls from about 4.0 to about 3.0."""
    tenths = [40, 42, 39, 41, 38, 40] * 2 + [30, 31, 29, 28, 32, 30] * 2
    shift = suggested_shift(
        means(*tenths), basis=Basis.VISITS, scale=Scale(unit="{score}")
    )

    assert shift
    assert shift.interval_start == START + 12
    assert (shift.before, shift.after) == pytest.approx((4, 3))


def test_what_was_accepted_is_not_suggested_again():
    """After an accepted shift a further one is looked for in the last phase alone."""
    cells = series([*BEFORE, *AFTER])

    assert suggested_shift(cells, basis=Basis.VISITS, since=START + 12) is None

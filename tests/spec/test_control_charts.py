"""Centre lines and limits worked by hand."""

import pytest
from scipy.stats import binom

from app.charts import binomials
from app.charts.control_charts import (
    c_chart,
    p_chart,
    p_prime_chart,
    proportion_chart,
    u_chart,
)
from app.charts.lines import ChartKind, Frame, Phase, frame
from app.charts.measurement_charts import run_chart, xmr_chart


def whole(points: int) -> Frame:
    return frame(range(points))


def test_p_limits_tighten_as_the_denominator_grows():
    """At p = 0.5 three sigmas are 0.15 at n = 100 and 0.075 at n = 400."""
    fit = p_chart([50, 200], [100, 400], within=whole(2))

    assert [line.center_line for line in fit.lines if line] == [0.5, 0.5]
    assert [line.upper[2] for line in fit.lines if line] == pytest.approx([0.65, 0.575])
    assert [line.lower[1] for line in fit.lines if line] == pytest.approx([0.4, 0.45])


def test_sparse_proportions_get_exact_limits():
    """
    With n = 10 and p = 0.1, P(X <= 4) is 0.99837 and P(X <= 5) is 0.99985.

    So more than 5 is rarer than 0.00135; the normal limit would be 0.385, and 4 of 10
    (1 chance in 61) a false alarm.
    """
    fit = p_chart([1] * 12, [10] * 12, within=whole(12))

    assert fit.lines[0]
    assert (fit.lines[0].lower[2], fit.lines[0].upper[2]) == (0.0, 0.5)


@pytest.mark.parametrize("proportion", [0.0, 0.001, 0.2, 0.5, 0.93, 1.0])
@pytest.mark.parametrize("trials", [0, 1, 7, 60, 500])
def test_binomial_quantiles_are_scipys(trials: int, proportion: float):
    """The sum from the sparse side is an ordinary quantile."""
    for tail in (0.00135, 0.0228, 0.05, 0.5, 0.98, 0.99865):
        expected = binom.ppf(tail, trials, proportion) if trials else 0
        assert binomials.quantile(tail, trials, proportion) == expected


def test_p_prime_multiplies_sigma_by_the_variation_between_points():
    """With z from -1 to 1 by turns sigma_z is 2 / 1.128, three sigmas are 0.266."""
    counts = [45, 55] * 6
    fit = p_prime_chart(counts, [100] * 12, within=whole(12))

    assert fit.sigma_z == pytest.approx(2 / 1.128)
    assert fit.lines[0]
    assert fit.lines[0].upper[2] == pytest.approx(0.5 + 3 * 0.05 * 2 / 1.128)


@pytest.mark.parametrize(("step", "chart"), [(3, ChartKind.P), (4, ChartKind.P_PRIME)])
def test_p_prime_is_chosen_above_a_sigma_z_of_1_2(step: int, chart: ChartKind):
    """Swings of 3 and 4 around 50 of 100 give a sigma_z of 1.06 and 1.42."""
    counts = [50 - step, 50 + step] * 6

    assert proportion_chart(counts, [100] * 12, within=whole(12)).chart is chart


def test_a_p_prime_chart_of_calm_points_is_the_p_chart():
    """Points that vary less than chance do not narrow the limits."""
    calm = ([50] * 12, [100] * 12)

    prime = p_prime_chart(*calm, within=whole(12))

    assert prime.sigma_z == 0
    assert prime.lines == p_chart(*calm, within=whole(12)).lines


def test_the_rate_of_a_u_chart_is_per_unit_of_exposure():
    """4 events in 2,000 days are 2 per 1,000; sigma is sqrt(2 / 2) = 1."""
    fit = u_chart([4, 4], [2.0, 2.0], within=whole(2))

    assert fit.values == (2.0, 2.0)
    assert fit.lines[0]
    assert (fit.lines[0].lower[2], fit.lines[0].upper) == (0.0, (3.0, 4.0, 5.0))


def test_c_limits_are_square_roots():
    """Mean 9, sigma 3."""
    fit = c_chart([8, 10, 9], within=whole(3))

    assert fit.lines[0]
    assert fit.lines[0].upper == (12.0, 15.0, 18.0)
    assert fit.lines[0].lower == (6.0, 3.0, 0.0)


def test_a_run_chart_has_the_median_and_no_limits():
    """One wild month does not move a median."""
    fit = run_chart([1, 2, 100], within=whole(3))

    assert fit.lines[0]
    assert (fit.lines[0].center_line, fit.lines[0].upper) == (2, ())


def test_a_moving_range_steps_over_a_missing_point():
    """|3 - 1| and |2 - 3| have the mean 1.5."""
    fit = xmr_chart([1, None, 3, 2], within=whole(4))

    assert fit.lines[0]
    assert fit.lines[0].center_line == 2
    assert fit.lines[0].upper[2] == pytest.approx(2 + 3 * 1.5 / 1.128)


def test_the_method_says_whether_moving_ranges_were_screened():
    """The same data give 6.95 or 4.60, so a limit without its method is no number."""
    names = {
        xmr_chart([1, 2, 1], within=whole(3), screened=screened).sigma_method
        for screened in (True, False)
    }

    assert len(names) == 2


def test_a_missing_point_keeps_the_centre_line_and_has_no_limits():
    """The line runs on; limits need a denominator."""
    fit = p_chart([30, None, 30], [60, None, 60], within=whole(3))

    assert fit.values == (0.5, None, 0.5)
    assert fit.lines[1]
    assert (fit.lines[1].center_line, fit.lines[1].upper) == (0.5, ())


def test_a_frozen_baseline_and_a_rebase_work_together():
    """Phase 1 stands on its first two points, phase 2 on all of its own."""
    phases = [Phase(start=0, baseline_end=2), Phase(start=4)]
    within = frame(range(6), phases=phases, excluded={5})
    fit = p_chart([50, 50, 70, 70, 80, 10], [100] * 6, within=within)

    assert within.phases == (1, 1, 1, 1, 2, 2)
    assert [line.center_line for line in fit.lines if line] == [0.5] * 4 + [0.8] * 2


def test_what_comes_before_the_first_given_phase_is_a_phase_of_its_own():
    """Phases may be month numbers, and need not begin with the series."""
    months = [24_264, 24_265, 24_266]

    assert frame(months, phases=[Phase(start=24_266)]).phases == (1, 1, 2)

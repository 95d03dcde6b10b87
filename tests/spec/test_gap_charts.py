"""What lies between single events: t and g charts, and which of them is drawn."""

from math import sqrt

import pytest
from scipy.stats import nbinom

from app.charts.event_charts import event_chart
from app.charts.gap_charts import Counting, GapLimits, g_chart, geometric_quantile
from app.charts.lines import ChartKind, Frame, Phase, frame
from app.charts.remarks import RemarkCode
from app.charts.rules import Rule, RuleSet
from app.domain.errors import MalformedError


def whole(points: int) -> Frame:
    return frame(range(points))


def test_three_sigmas_of_a_g_chart_are_those_of_powerbi_spc():
    """A mean of 31.67 opportunities has its upper limit at 128.17 there."""
    counts = [31] * 33 + [32] * 67
    fit = g_chart(counts, within=whole(100), limits=GapLimits.SIGMA)

    assert fit.lines[0]
    assert round(fit.lines[0].upper[2], 2) == 128.17
    assert fit.lines[0].lower == (0, 0, 0)


def test_trials_to_an_event_have_the_other_sigma():
    """With a mean of 10 trials sigma is sqrt(10 x 9), between events sqrt(10 x 11)."""
    to, between = (
        g_chart([10] * 12, within=whole(12), counting=which, limits=GapLimits.SIGMA)
        for which in (Counting.TO, Counting.BETWEEN)
    )

    assert to.lines[0]
    assert between.lines[0]
    assert to.lines[0].upper[2] == pytest.approx(10 + 3 * sqrt(90))
    assert between.lines[0].upper[2] == pytest.approx(10 + 3 * sqrt(110))
    assert to.sigma_method != between.sigma_method


@pytest.mark.parametrize("counting", Counting)
def test_trials_to_an_event_are_one_more_than_those_between(counting: Counting):
    """Both ways of counting put the same points beyond the same limits."""
    more = counting.least
    fit = g_chart([9 + more] * 12, within=whole(12), counting=counting)

    assert fit.lines[0]
    assert fit.lines[0].upper[2] - more == geometric_quantile(0.99865010, 9)


def test_an_exact_limit_is_the_quantile_that_three_sigmas_miss():
    """With a mean of 31.7, P(X > 212) is below 0.00135; three sigmas reach to 128."""
    fit = g_chart([31] * 3 + [32] * 7, within=whole(10))

    assert fit.lines[0]
    assert fit.lines[0].upper[2] == 212
    assert (32.7 / 31.7) ** -213 < 0.00135 < (32.7 / 31.7) ** -212


@pytest.mark.parametrize("mean", [0.05, 0.4, 1, 3.7, 31.7, 400])
def test_geometric_quantiles_are_scipys(mean: float):
    """Counts from 0, of which the negative binomial has one success."""
    for tail in (0.00135, 0.0228, 0.159, 0.5, 0.841, 0.977, 0.99865):
        assert geometric_quantile(tail, mean) == nbinom.ppf(tail, 1, 1 / (1 + mean))


def test_the_centre_line_of_a_g_chart_halves_the_points():
    """With a mean of 1 half of the points are 0; with 31.7 half are 22 and more."""
    one = g_chart([0, 2] * 6, within=whole(12)).lines[0]
    many = g_chart([31] * 3 + [32] * 7, within=whole(10)).lines[0]

    assert one
    assert many
    assert (one.center_line, many.center_line) == (0.5, 21.5)
    assert 0.5 < (31.7 / 32.7) ** 22 < 0.51


def test_events_of_one_clinic_that_never_fell_apart_have_no_limits_above_0():
    """All on one day: the mean is 0, and nothing is divided by it."""
    fit = g_chart([0] * 12, within=whole(12))

    assert fit.lines[0]
    assert (fit.lines[0].center_line, fit.lines[0].upper) == (0, (0, 0, 0))


DAYS = [2, 4] * 11 + [3, 60]
"""A mean of 5.4 days, and one long good time."""


def test_days_between_events_are_a_t_chart():
    """The time between rare events is what a t chart is for."""
    chart = event_chart(DAYS, are_days=True)

    assert chart.chart is ChartKind.T
    assert "above 0" in chart.reason
    assert [s.points for s in chart.signals if s.rule is Rule.BEYOND_LIMITS] == [(23,)]
    assert chart.points[23].signals == (Rule.BEYOND_LIMITS,)


def test_two_events_of_one_day_are_points_of_a_g_chart():
    """They are not merged: a 0 stays a point, which a t chart has no place for."""
    chart = event_chart([*DAYS, 0], are_days=True)

    assert chart.chart is ChartKind.G
    assert "one day" in chart.reason
    assert chart.points[-1].value == 0
    assert chart.points[-1].lines


def test_opportunities_between_events_are_a_g_chart():
    """With m = 5.375, P(X > 38) is the first below 0.00135: 60 is beyond it."""
    chart = event_chart(DAYS, are_days=False)

    assert chart.chart is ChartKind.G
    assert chart.points[0].lines
    assert chart.points[0].lines.upper[2] == 38
    assert chart.points[23].signals == (Rule.BEYOND_LIMITS,)
    assert "geometric" in chart.explanation


def test_three_sigmas_come_with_a_warning():
    """They are there to compare with other programs, and alarm 13 times as often."""
    chart = event_chart(DAYS, are_days=False, limits=GapLimits.SIGMA)

    assert [r.code for r in chart.remarks] == [RemarkCode.SIGMA_OF_GAPS]
    assert chart.points[0].lines
    assert chart.points[0].lines.upper[2] == pytest.approx(
        5.375 + 3 * sqrt(5.375 * 6.375)
    )


@pytest.mark.parametrize(
    ("values", "are_days", "chart"),
    [
        ([*DAYS, 0], True, ChartKind.T),
        (DAYS, False, ChartKind.T),
        (DAYS, True, ChartKind.P),
        (DAYS, True, ChartKind.RUN),
    ],
)
def test_a_chart_that_does_not_fit_single_events_is_refused(values, are_days, chart):
    """By the name of the parameter, before anything is drawn."""
    with pytest.raises(MalformedError) as refused:
        event_chart(values, are_days=are_days, chart=chart)

    assert refused.value.expression == "chart"


def test_a_chosen_g_chart_of_days_says_that_it_was_chosen():
    """Whoever reads it later must know why it is no t chart."""
    chart = event_chart(DAYS, are_days=True, chart=ChartKind.G)

    assert chart.chart is ChartKind.G
    assert "caller chose" in chart.reason


def test_eleven_gaps_have_a_centre_line_and_no_limits_or_signals():
    """Limits from so few points are a guess; an unknown one is not the twelfth."""
    chart = event_chart([3] * 10 + [90, None], are_days=True)

    assert chart.signals == ()
    assert chart.points[0].lines
    assert chart.points[0].lines.upper == ()
    assert [remark.code for remark in chart.remarks] == [RemarkCode.TOO_FEW_POINTS]


def test_an_unknown_gap_is_a_point_without_a_value():
    """It is in no sum, and no rule looks at it."""
    known, with_one = (
        event_chart(values, are_days=False) for values in (DAYS, [*DAYS, None])
    )

    assert with_one.points[-1].value is None
    assert with_one.points[0].lines == known.points[0].lines
    assert with_one.signals == known.signals


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_clinic_without_a_known_gap_is_told_so(values):
    """No event, one event, or none whose day is known."""
    chart = event_chart(values, are_days=True)

    assert chart.chart is ChartKind.POINTS
    assert len(chart.points) == len(values)
    assert [remark.code for remark in chart.remarks] == [RemarkCode.NO_GAPS]


def test_a_new_phase_of_events_has_lines_of_its_own():
    """After a change that everybody knows of the mean is another one."""
    values = [3] * 12 + [30] * 12
    chart = event_chart(
        values, are_days=False, rule_set=RuleSet.SHEWHART, phases=[Phase(start=12)]
    )

    before, after = chart.points[0].lines, chart.points[-1].lines
    assert before
    assert after
    assert before.upper[2] == geometric_quantile(0.99865010, 3)
    assert after.upper[2] == geometric_quantile(0.99865010, 30)

"""What a measure's chart shows, and what it withholds, and that it says why."""

import pytest
from msgspec.structs import replace

from app.charts.lines import ChartKind, Phase
from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.remarks import RemarkCode
from app.charts.rules import Rule, RuleSet
from app.domain.counts import Basis, Interval, Withheld
from tests.released import START, series

STEADY = [(30, 60), (33, 60), (27, 60), (31, 60), (29, 60), (30, 60)] * 4
JUMP = [*STEADY[:23], (55, 60)]


def chart_of(cells, *, basis: Basis = Basis.VISITS, **kwargs) -> ControlChart:
    return measure_chart(cells, basis=basis, improvement="increase", **kwargs)


def codes(chart: ControlChart) -> list[RemarkCode]:
    return [remark.code for remark in chart.remarks]


def test_a_point_beyond_its_limits_is_named_with_its_rule_and_month():
    """55 of 60 around a half is six sigmas."""
    chart = chart_of(series(JUMP))

    assert [(s.rule, s.interval_starts) for s in chart.signals] == [
        (Rule.BEYOND_LIMITS, (START + 23,))
    ]
    assert chart.points[23].signals == (Rule.BEYOND_LIMITS,)
    assert chart.points[22].signals == ()


def test_the_answer_names_chart_rules_method_and_baseline():
    """A limit without its method can't be checked."""
    chart = chart_of(series(STEADY))

    assert chart.chart is ChartKind.P
    assert "p chart" in chart.reason
    assert chart.rule_set is RuleSet.ANHOEJ
    assert chart.sigma_method.startswith("binomial")
    (baseline,) = chart.baselines
    assert (baseline.points, baseline.first, baseline.last) == (24, START, START + 23)
    assert not baseline.frozen


def test_overdispersed_points_get_a_p_prime_chart_and_the_reason():
    """12 of 60 and 48 of 60 by turns vary far more than tosses of a coin."""
    chart = chart_of(series([(12, 60), (48, 60)] * 10))

    assert chart.chart is ChartKind.P_PRIME
    assert "above 1.2" in chart.reason
    assert chart.signals == ()


def test_latest_status_has_lines_and_no_signals():
    """Its points share people, so every rule would alarm falsely."""
    chart = chart_of(series(JUMP), basis=Basis.LATEST_STATUS)

    assert chart.points[23].upper_limit is not None
    assert chart.signals == ()
    assert all(point.signals == () for point in chart.points)
    assert codes(chart) == [RemarkCode.LATEST_STATUS]


def test_a_suppressed_point_takes_lines_and_signals_from_the_whole_series():
    """Centre line and limits would be equations with one unknown."""
    chart = chart_of(series([*JUMP, Withheld.SUPPRESSED]))

    assert chart.chart is ChartKind.POINTS
    assert chart.sigma_z is None
    assert (chart.baselines, chart.signals) == ((), ())
    assert {(point.center_line, point.upper_limit) for point in chart.points} == {
        (None, None)
    }
    assert chart.points[24].withheld is Withheld.SUPPRESSED
    assert chart.points[23].value == pytest.approx(55 / 60)
    assert codes(chart) == [RemarkCode.SUPPRESSED_POINT]


@pytest.mark.parametrize("reason", [Withheld.NO_DATA, Withheld.NOT_PUBLISHED])
def test_a_point_withheld_for_another_reason_leaves_the_lines(reason: Withheld):
    """These gaps do not depend on the outcome."""
    chart = chart_of(series([*STEADY, reason]))

    assert chart.points[24].value is None
    assert chart.points[24].withheld is reason
    assert chart.points[24].center_line == pytest.approx(0.5)
    assert chart.points[0].upper_limit is not None


def test_a_month_that_is_not_there_comes_back_as_a_gap():
    """Null with a reason, never 0 and never gone."""
    cells = series(STEADY)
    chart = chart_of([*cells[:5], *reversed(cells[7:])])

    assert [point.interval_start for point in chart.points] == [
        START + i for i in range(24)
    ]
    assert [chart.points[i].withheld for i in (4, 5, 6, 7)] == [
        None,
        Withheld.NO_DATA,
        Withheld.NO_DATA,
        None,
    ]


def test_a_month_with_a_denominator_of_zero_has_no_value():
    """0 of 0 is no proportion."""
    chart = chart_of(series([*STEADY, (0, 0)]))

    assert chart.points[24].value is None
    assert chart.points[24].withheld is Withheld.NO_DATA


def test_provisional_points_are_shown_and_out_of_lines_and_rules():
    """They may still change, so they neither move a line nor raise an alarm."""
    chart = chart_of(series([*STEADY, (60, 60)], provisional=1))
    last = chart.points[-1]

    assert (last.value, last.provisional, last.signals) == (1.0, True, ())
    assert last.center_line == pytest.approx(0.5)
    assert last.upper_limit is not None
    assert last.upper_limit < 1
    assert chart.signals == ()
    assert RemarkCode.PROVISIONAL in codes(chart)


def test_eleven_points_have_a_centre_line_but_no_limits():
    """Limits from so few points are a guess."""
    eleven, twelve = (chart_of(series(STEADY[:n])) for n in (11, 12))

    assert eleven.points[0].center_line is not None
    assert {point.upper_limit for point in eleven.points} == {None}
    assert codes(eleven) == [RemarkCode.TOO_FEW_POINTS]
    assert twelve.points[0].upper_limit is not None
    assert codes(twelve) == []


def test_eleven_points_raise_no_signals_whatever_they_do():
    """Not even a run of eleven."""
    chart = chart_of(series([(50, 60)] * 10 + [(1, 60)]))

    assert chart.signals == ()


def test_a_series_without_a_closed_point_says_so():
    """A new clinic's first month."""
    chart = chart_of(series([(3, 9)], provisional=1))

    assert chart.chart is ChartKind.POINTS
    assert codes(chart) == [RemarkCode.NO_DATA, RemarkCode.PROVISIONAL]


def test_a_frozen_baseline_of_24_points_stands():
    """What comes later does not move its lines."""
    later = [(48, 60)] * 6
    phases = [Phase(start=START, baseline_end=START + 24)]
    chart = chart_of(series([*STEADY, *later]), phases=phases)

    (baseline,) = chart.baselines
    assert (baseline.points, baseline.last, baseline.frozen) == (24, START + 23, True)
    assert chart.points[-1].center_line == pytest.approx(0.5)


def test_a_frozen_baseline_of_23_points_does_not():
    """A missing month leaves 23, so the lines come from all points."""
    cells = series([*STEADY[:23], Withheld.NO_DATA, *[(48, 60)] * 6])
    phases = [Phase(start=START, baseline_end=START + 24)]
    chart = chart_of(cells, phases=phases)

    (baseline,) = chart.baselines
    assert (baseline.points, baseline.frozen) == (29, False)
    assert RemarkCode.SHORT_BASELINE in codes(chart)


def test_each_phase_has_lines_of_its_own():
    """An accepted shift starts them anew."""
    later = [(48, 60), (45, 60), (51, 60)] * 4
    phases = [Phase(start=START + 24)]
    chart = chart_of(series([*STEADY, *later]), phases=phases)

    assert [point.phase for point in chart.points] == [1] * 24 + [2] * 12
    assert [b.points for b in chart.baselines] == [24, 12]
    assert chart.points[23].center_line == pytest.approx(0.5)
    assert chart.points[24].center_line == pytest.approx(0.8)


def test_a_young_phase_has_a_centre_line_and_the_old_one_its_limits():
    """Limits of the new phase come with its twelfth point."""
    phases = [Phase(start=START + 24)]
    chart = chart_of(series([*STEADY, *[(48, 60)] * 3]), phases=phases)

    assert chart.points[23].upper_limit is not None
    assert (chart.points[24].center_line, chart.points[24].upper_limit) == (0.8, None)
    assert codes(chart) == [RemarkCode.TOO_FEW_POINTS]


def test_an_excluded_point_moves_no_line():
    """Its cause is known; it is still beyond its limits."""
    chart = chart_of(series(JUMP), excluded=[START + 23])

    assert chart.points[23].excluded
    assert chart.points[23].signals == (Rule.BEYOND_LIMITS,)
    assert chart.baselines[0].points == 23


def test_quarters_are_three_months_apart():
    """A gap between quarters is one point, not two months."""
    quarters = [
        replace(cell, interval=Interval.QUARTER, interval_start=START + 3 * i)
        for i, cell in enumerate(series(STEADY))
    ]
    chart = chart_of([*quarters[:3], *quarters[4:]])

    assert [point.interval_start for point in chart.points[:5]] == [
        START,
        START + 3,
        START + 6,
        START + 9,
        START + 12,
    ]
    assert chart.points[3].withheld is Withheld.NO_DATA


def test_a_rule_set_is_chosen_by_name():
    """Six rising points are a signal of Nelson's, not of Anhoej's."""
    rising = [*STEADY[:18], *[(24 + 2 * i, 60) for i in range(6)]]
    chart = chart_of(series(rising), rule_set=RuleSet.NELSON)

    assert Rule.SIX_TREND in {signal.rule for signal in chart.signals}
    assert chart_of(series(rising)).signals == ()

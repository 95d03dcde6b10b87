"""Which chart a measure gets, which a caller may choose, and what is said of it."""

import pytest

from app.charts.assurances import Outlook
from app.charts.chart_choices import fitting_charts
from app.charts.lines import ChartKind, Phase
from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.remarks import RemarkCode
from app.charts.rules import Rule, RuleSet
from app.domain.counts import Basis, Withheld
from app.domain.errors import MalformedError
from app.domain.scales import PROPORTION, Scale
from tests.released import START, means, series

RATE, MEAN = Scale(per=1000), Scale(unit="{score}")
STEADY = [(30, 60), (33, 60), (27, 60), (31, 60), (29, 60), (30, 60)] * 4
EVENTS = [(20, 10_000), (18, 9_000), (26, 12_000), (19, 10_000)] * 6


def drawn(cells, scale: Scale = PROPORTION, **kwargs) -> ControlChart:
    basis = kwargs.pop("basis", Basis.VISITS)
    return measure_chart(
        cells, basis=basis, improvement="increase", scale=scale, **kwargs
    )


def codes(chart: ControlChart) -> list[RemarkCode]:
    return [remark.code for remark in chart.remarks]


MEANS = means(*[40, 42, 39, 41, 38, 40] * 4)
CELLS = {PROPORTION: series(STEADY), RATE: series(EVENTS), MEAN: MEANS}
FITTING = {
    PROPORTION: {"run", "p", "p-prime", "xmr", "mr"},
    RATE: {"run", "u", "u-prime", "c", "xmr", "mr"},
    MEAN: {"run", "xbar", "s", "xmr", "mr"},
}


@pytest.mark.parametrize(
    ("scale", "chart", "why"),
    [
        (PROPORTION, ChartKind.P, "is a proportion"),
        (RATE, ChartKind.U, "is a rate"),
        (MEAN, ChartKind.XBAR, "is a mean"),
    ],
)
def test_the_measures_type_chooses_the_chart(scale: Scale, chart: ChartKind, why: str):
    """And the reason says so."""
    made = drawn(CELLS[scale], scale)

    assert made.chart is chart
    assert why in made.reason


def test_rates_that_vary_more_than_chance_get_a_u_prime_chart():
    """10 and 40 events by turns are not of one Poisson process."""
    made = drawn(series([(10, 10_000), (40, 10_000)] * 10), RATE)

    assert made.chart is ChartKind.U_PRIME
    assert "above 1.2" in made.reason
    assert made.signals == ()


@pytest.mark.parametrize("chart", ChartKind)
@pytest.mark.parametrize("scale", FITTING, ids=["proportion", "rate", "mean"])
def test_a_caller_may_choose_every_chart_that_fits_and_no_other(
    scale: Scale, chart: ChartKind
):
    """A u chart of a proportion, or an S chart, would be nonsense with limits."""
    assert {*fitting_charts(scale)} == FITTING[scale]
    if chart not in FITTING[scale]:
        with pytest.raises(MalformedError) as refused:
            drawn(CELLS[scale], scale, chart=chart)
        assert refused.value.expression == "chart"
        return

    made = drawn(CELLS[scale], scale, chart=chart)

    assert made.chart is chart
    assert "because the caller chose it" in made.reason
    assert any(point.center_line is not None for point in made.points)


def test_a_chosen_p_chart_of_restless_points_says_what_speaks_against_it():
    """The caller may have it, with its false alarms, and is told."""
    made = drawn(series([(12, 60), (48, 60)] * 10), chart=ChartKind.P)

    assert made.chart is ChartKind.P
    assert "too narrow" in made.reason


def test_screening_is_for_moving_ranges_only():
    """A p chart has none to screen."""
    with pytest.raises(MalformedError) as refused:
        drawn(series(STEADY), chart=ChartKind.P, screened=True)
    assert refused.value.expression == "screened"

    plain, screened = (
        drawn(series([*STEADY[:23], (58, 60)]), chart=ChartKind.XMR, screened=screen)
        for screen in (False, True)
    )

    assert "left out" in screened.sigma_method
    assert screened.points[0].upper_limit < plain.points[0].upper_limit  # type: ignore[operator]


def test_a_run_chart_has_signals_without_limits():
    """Ten above the median after ten below it cross it once."""
    made = drawn(series([(20, 60)] * 10 + [(40, 60)] * 10), chart=ChartKind.RUN)

    assert {point.upper_limit for point in made.points} == {None}
    assert Rule.FEW_CROSSINGS in {signal.rule for signal in made.signals}
    assert codes(made) == []


def test_a_run_chart_of_eleven_points_has_none():
    """One crossing of ten points is too few, but so are eleven points for rules."""
    step = [(20, 60)] * 5 + [(30, 60)] + [(40, 60)] * 5
    eleven = drawn(series(step), chart=ChartKind.RUN)
    twelve = drawn(series([*step, (40, 60)]), chart=ChartKind.RUN)

    assert eleven.signals == ()
    assert codes(eleven) == [RemarkCode.TOO_FEW_POINTS]
    assert twelve.signals != ()


def test_moving_ranges_are_judged_by_their_limit_alone():
    """Two ranges share a month, so runs of them are no sign of anything."""
    made = drawn(
        series([*STEADY[:23], (58, 60)]),
        chart=ChartKind.MR,
        rule_set=RuleSet.NELSON,
    )

    assert made.rule_set is RuleSet.SHEWHART
    assert [signal.rule for signal in made.signals] == [Rule.BEYOND_LIMITS]
    assert codes(made) == [RemarkCode.MOVING_RANGES]
    assert made.points[1].value == pytest.approx(3 / 60)
    assert made.points[0].value is None


def test_a_c_chart_counts_events_whatever_the_exposure():
    """20, 18, 26 and 19 events: mean 20.75, three sigmas 13.67."""
    made = drawn(series(EVENTS), RATE, chart=ChartKind.C)

    assert made.points[0].value == 20
    assert made.points[0].upper_limit == pytest.approx(20.75 + 3 * 20.75**0.5)


def test_an_s_chart_shows_the_spread_between_people():
    """Everybody's deviation is 2, so the line is there."""
    made = drawn(MEANS, MEAN, chart=ChartKind.S)

    assert made.points[0].value == pytest.approx(2)
    assert made.points[0].center_line == pytest.approx(2)


@pytest.mark.parametrize("chart", [ChartKind.U, ChartKind.U_PRIME])
@pytest.mark.parametrize("per", [1, 1000, 10_000])
def test_limits_of_a_rate_scale_with_its_multiplier(per: int, chart: ChartKind):
    """Limits for 1 with values for 1,000 are a known bug: signals must not change."""
    cells = series([*EVENTS, (80, 10_000)])
    one, many = (drawn(cells, Scale(per=each), chart=chart) for each in (1, per))

    assert many.signals == one.signals
    assert [s.interval_starts for s in many.signals if s.rule is Rule.BEYOND_LIMITS]
    for small, large in zip(one.points, many.points, strict=True):
        for name in ("value", "center_line", "lower_limit", "upper_2_sigma"):
            assert getattr(large, name) == pytest.approx(per * getattr(small, name))


def test_a_series_with_a_suppressed_point_has_no_lines_by_any_chart():
    """A chosen chart is no way round: the values come alone."""
    for scale, cells in CELLS.items():
        hidden = [*cells[:-1], cells[-1].blank(Withheld.SUPPRESSED)]
        for chart in fitting_charts(scale):
            made = drawn(hidden, scale, chart=chart)
            assert made.chart is ChartKind.POINTS
            assert {p.center_line for p in made.points} == {None}
            assert made.assurance.outlook is None


def test_latest_status_has_no_signals_by_any_chart():
    """A run or XmR chart of overlapping windows alarms as falsely as a p chart."""
    jump = series([(20, 60)] * 12 + [(50, 60)] * 12)
    for chart in fitting_charts(PROPORTION):
        made = drawn(jump, basis=Basis.LATEST_STATUS, chart=chart)
        assert made.signals == ()
        assert RemarkCode.LATEST_STATUS in codes(made)


def test_the_limits_are_explained():
    """Because the first question about a p chart is why its limits wobble."""
    level = drawn(series(STEADY))
    varying = drawn(series([*STEADY, (50, 100)]))
    restless = drawn(series([(12, 60), (48, 60)] * 10))
    sparse = drawn(series([(1, 10)] * 24))
    phased = drawn(
        series([*STEADY[:12], *[(48, 60)] * 12]), phases=[Phase(start=START + 12)]
    )
    run = drawn(series(STEADY), chart=ChartKind.RUN)

    assert "d is the same at every point" in level.explanation
    assert "vary from point to point because d does" in varying.explanation
    assert "times as wide" in restless.explanation
    assert "24 of the points" in sparse.explanation
    assert "exact binomial" in sparse.explanation
    assert "a phase begins" in phased.explanation
    assert "no limits" in run.explanation


def test_rare_events_are_said_to_make_rough_limits():
    """Two expected events a month are too few for sqrt(u / n)."""
    rough = drawn(series([(2, 1000)] * 24), RATE)
    smooth = drawn(series(EVENTS), RATE)

    assert "rough" in rough.explanation
    assert "rough" not in smooth.explanation


@pytest.mark.parametrize(
    ("target", "improvement", "expected"),
    [
        (0.9, "increase", Outlook.FAIL),
        (0.9, "decrease", Outlook.PASS),
        (0.1, "increase", Outlook.PASS),
        (0.1, "decrease", Outlook.FAIL),
        (0.55, "increase", Outlook.HIT_AND_MISS),
    ],
)
def test_limits_and_direction_tell_whether_the_target_will_be_met(
    target: float, improvement: str, expected: Outlook
):
    """Half of 60 people: three sigmas reach from 30.6 to 69.4 %."""
    made = measure_chart(
        series(STEADY), basis=Basis.VISITS, improvement=improvement, target=target
    )

    assert made.assurance.outlook is expected
    assert "30.6%" in made.assurance.sentence
    assert f"{target:.1%}" in made.assurance.sentence


@pytest.mark.parametrize(
    ("cells", "also", "why"),
    [
        (series(STEADY), {"target": None}, "no target"),
        (series(STEADY[:11]), {"target": 0.8}, "no limits"),
        (series(STEADY), {"target": 0.8, "chart": ChartKind.MR}, "not the values"),
        (series(STEADY), {"target": 0.8, "chart": ChartKind.RUN}, "no limits"),
    ],
)
def test_no_assurance_comes_without_its_reason(cells, also, why: str):
    """Null is not an answer; why it is null is."""
    made = drawn(cells, **also)

    assert made.assurance.outlook is None
    assert why in made.assurance.sentence


def test_a_provisional_month_tells_nothing_of_the_target():
    """Three people so far have limits from 0 to 100 %, which every target lies in."""
    closed, begun = (
        drawn(series(counts, provisional=len(counts) - 24), target=0.9)
        for counts in (STEADY, [*STEADY, (2, 3)])
    )

    assert begun.assurance == closed.assurance
    assert begun.assurance.outlook is Outlook.FAIL


def test_the_newest_phase_tells_whether_the_target_will_be_met():
    """What the process was before an accepted shift says nothing of what comes."""
    cells = series([*STEADY[:12], *[(54, 60), (53, 60), (55, 60)] * 4])
    made = drawn(cells, phases=[Phase(start=START + 12)], target=0.75)

    assert made.assurance.outlook is Outlook.PASS
    assert [phase.start for phase in made.phases] == [START, START + 12]

"""What charts never do, whatever the counts."""

from math import exp

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.charts.comparison import Zone, compare_clinics
from app.charts.control_charts import (
    c_chart,
    p_chart,
    p_prime_chart,
    u_chart,
    u_prime_chart,
)
from app.charts.funnels import FunnelKind, funnel_limits, overdispersion, scores_of
from app.charts.gap_charts import Counting, GapLimits, g_chart
from app.charts.interventions import estimated_change
from app.charts.likelihoods import of_proportions
from app.charts.lines import frame
from app.charts.measure_charts import measure_chart
from app.charts.measurement_charts import xmr_chart
from app.charts.panels import ProjectPoint
from app.charts.rules import RuleSet, find_signals
from app.charts.shifts import most_likely_shift
from app.domain.counts import Basis, Interval, Withheld
from app.domain.scales import Scale
from tests.released import START, cell, series

rule_sets = st.sampled_from(RuleSet)


@st.composite
def counts(draw, largest: int = 200) -> tuple[int, int]:
    denominator = draw(st.integers(1, largest))
    return draw(st.integers(0, denominator)), denominator


several = st.lists(counts(), min_size=1, max_size=40)
releases = st.lists(counts() | st.sampled_from(Withheld), min_size=1, max_size=40)


def columns(pairs) -> tuple[list[int], list[int]]:
    return [x for x, _ in pairs], [n for _, n in pairs]


@given(several)
def test_limits_always_contain_the_centre_line(pairs):
    """In every chart, at every sigma, in order."""
    x, n = columns(pairs)
    within = frame(range(len(pairs)))
    for fit in (
        p_chart(x, n, within=within),
        p_prime_chart(x, n, within=within),
        u_chart(x, n, within=within),
        u_prime_chart(x, n, within=within),
        g_chart(x, within=within),
        g_chart(x, within=within, limits=GapLimits.SIGMA),
        g_chart(n, within=within, counting=Counting.TO),
        c_chart(x, within=within),
        xmr_chart(x, within=within),
    ):
        for line in fit.lines:
            assert line
            rising = [*reversed(line.lower), line.center_line, *line.upper]
            assert rising == sorted(rising)


@given(several)
def test_limits_of_proportions_never_leave_0_to_1(pairs):
    """A limit of 104 % is no limit."""
    fit = p_prime_chart(*columns(pairs), within=frame(range(len(pairs))))

    for line in fit.lines:
        assert line
        assert min(line.lower) >= 0
        assert max(line.upper) <= 1


@given(several)
def test_p_prime_is_never_narrower_than_p(pairs):
    """A small sigma_z is luck, not a better process; sparse points stay exact."""
    within = frame(range(len(pairs)))
    plain = p_chart(*columns(pairs), within=within)
    prime = p_prime_chart(*columns(pairs), within=within)

    for narrow, wide in zip(plain.lines, prime.lines, strict=True):
        assert narrow
        assert wide
        assert all(w <= n for w, n in zip(wide.lower, narrow.lower, strict=True))
        assert all(w >= n for w, n in zip(wide.upper, narrow.upper, strict=True))


@given(several)
def test_u_prime_is_never_narrower_than_u(pairs):
    """The same rule as for p'."""
    within = frame(range(len(pairs)))
    plain = u_chart(*columns(pairs), within=within)
    prime = u_prime_chart(*columns(pairs), within=within)

    for narrow, wide in zip(plain.lines, prime.lines, strict=True):
        assert narrow
        assert wide
        assert all(w <= n for w, n in zip(wide.lower, narrow.lower, strict=True))
        assert all(w >= n for w, n in zip(wide.upper, narrow.upper, strict=True))


@given(releases, rule_sets, st.integers(0, 5))
def test_latest_status_never_flags_a_signal(items, rule_set, provisional):
    """By no rule set."""
    chart = measure_chart(
        series(items, provisional=min(provisional, len(items))),
        basis=Basis.LATEST_STATUS,
        improvement="increase",
        rule_set=rule_set,
    )

    assert chart.signals == ()
    assert not any(point.signals for point in chart.points)


@given(releases, st.integers(0, 40), st.sampled_from(Basis))
def test_a_suppressed_point_always_kills_lines_and_signals(items, where, basis):
    """Wherever it stands; sigma_z goes with them."""
    items.insert(where, Withheld.SUPPRESSED)
    chart = measure_chart(series(items), basis=basis, improvement="increase")

    assert (chart.signals, chart.baselines, chart.sigma_z) == ((), (), None)
    for point in chart.points:
        assert point.center_line is None
        assert point.lower_limit is None
        assert point.upper_2_sigma is None


@given(releases, st.integers(1, 5), several)
def test_provisional_points_never_move_a_line_or_a_signal(items, many, other):
    """Whatever they turn into."""
    charts = [
        measure_chart(
            series([*items, *(end * many)[:many]], provisional=many),
            basis=Basis.VISITS,
            improvement="increase",
        )
        for end in (other, [(0, 1)])
    ]

    closed = len(items)
    assert charts[0].signals == charts[1].signals
    assert charts[0].points[:closed] == charts[1].points[:closed]


@given(releases)
def test_every_interval_always_comes_back_with_a_value_or_a_reason(items):
    """Never 0 for nothing, never gone."""
    chart = measure_chart(series(items), basis=Basis.VISITS, improvement="decrease")

    assert [p.interval_start for p in chart.points] == [
        START + i for i in range(len(items))
    ]
    assert all((p.value is None) == (p.withheld is not None) for p in chart.points)


@given(several, rule_sets)
def test_a_signal_always_names_points_of_its_own_phase(pairs, rule_set):
    """Two phases, all rules."""
    x, n = columns(pairs)
    phases = [1 if i < len(pairs) // 2 else 2 for i in range(len(pairs))]
    fit = p_chart(x, n, within=frame(range(len(pairs))))

    for signal in find_signals(fit.values, fit.lines, rule_set=rule_set, phases=phases):
        assert signal.points
        assert {phases[point] for point in signal.points} == {signal.phase}


@given(st.lists(counts(), min_size=2, max_size=30), st.integers(1, 500))
def test_a_funnel_is_never_narrower_after_adjustment(pairs, denominator):
    """Overdispersion only adds variance."""
    x, n = columns(pairs)
    target = sum(x) / sum(n)
    spread = overdispersion(scores_of(x, n, target=target))
    plain = funnel_limits(denominator, target=target)
    wide = funnel_limits(denominator, target=target, tau2=spread.tau2)

    assert spread.tau2 >= 0
    assert wide.lower_998 <= plain.lower_998 <= plain.lower_95
    assert plain.upper_95 <= plain.upper_998 <= wide.upper_998
    assert wide.lower_95 <= plain.lower_95 <= target + 1e-12
    assert wide.upper_95 >= plain.upper_95 >= target - 1e-12


events = st.lists(
    st.tuples(st.integers(0, 60), st.integers(10, 5000)), min_size=2, max_size=30
)


@given(events, st.floats(0.01, 60))
def test_a_funnel_of_rates_is_never_narrower_after_adjustment(pairs, expected):
    """With clinics that had no event too; and it always holds the target."""
    x, n = columns(pairs)
    assume(sum(x))
    kind = FunnelKind.STANDARDISED_RATIO
    rate = sum(x) / sum(n)
    scores = scores_of(x, [rate * each for each in n], target=1.0, kind=kind)
    tau2 = overdispersion(scores, kind=kind).tau2
    plain = funnel_limits(expected, target=1.0, kind=kind)
    wide = funnel_limits(expected, target=1.0, tau2=tau2, kind=kind)

    assert tau2 >= 0
    assert 0 <= wide.lower_998 <= plain.lower_998 <= plain.lower_95 < 1
    assert 1 < plain.upper_95 <= plain.upper_998 <= wide.upper_998
    assert wide.lower_998 <= wide.lower_95 <= plain.lower_95
    assert plain.upper_95 <= wide.upper_95 <= wide.upper_998


@given(events, st.integers(10, 5000), st.sampled_from([1, 1000]))
def test_a_clinic_without_events_never_gets_a_narrower_funnel(pairs, exposure, per):
    """And is never outside where chance alone gives it none once in 40 times."""
    assume(sum(x for x, _ in pairs))
    total = [sum(column) for column in zip(*pairs, (0, exposure), strict=True)]
    clinics = [*pairs, (0, exposure), (1, exposure)]
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(clinics)]
    network = cell(total[0], total[1], clinic_id=None)

    *_, none, one = compare_clinics(
        cells, network=network, improvement="decrease", scale=Scale(per=per)
    ).points

    assert none.limits == one.limits
    assert none.value == none.lower == 0.0
    if exp(-exposure * total[0] / total[1]) > 0.025:
        assert none.zone in {None, Zone.INSIDE}


@given(several, st.sampled_from(["increase", "decrease"]))
def test_a_rank_always_lies_within_its_own_interval(pairs, improvement):
    """And some clinic may be the best, some the last."""
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(pairs)]
    points = compare_clinics(
        cells, network=replace(cells[0], clinic_id=None), improvement=improvement
    ).points

    for point in points:
        assert point.rank_first is not None
        assert 1 <= point.rank_first <= (point.rank or 0)
        assert (point.rank or 0) <= (point.rank_last or 0) <= len(pairs)
    assert min(point.rank_first or 0 for point in points) == 1
    assert max(point.rank_last or 0 for point in points) == len(pairs)


shocks = st.lists(st.floats(-1.5, 1.5), min_size=18, max_size=18)


@settings(max_examples=20, deadline=None)
@given(shocks, st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.floats(0, 0.8))
def test_what_moves_all_clinics_alike_never_looks_like_a_change(months, levels, gain):
    """A project that adds nothing is found to add nothing; one that does, something."""

    def change(effect: float) -> float:
        found = estimated_change(
            (
                ProjectPoint(
                    clinic_id=clinic,
                    interval_start=START + month,
                    numerator=round(10**6 / (1 + exp(-level - shock - on * effect))),
                    denominator=10**6,
                    takes_part=clinic < 3,
                    starts=START + 9,
                )
                for clinic, level in enumerate(levels)
                for month, shock in enumerate(months)
                for on in [clinic < 3 and month >= 9]
            ),
            interval=Interval.MONTH,
            project="a project",
            measure="Remission",
        )
        assert found.change is not None
        return found.change

    assert abs(change(0.0)) < 1e-4
    assert change(gain) >= 0.05 * gain - 1e-4


@given(several, st.sampled_from(["increase", "decrease"]))
def test_a_hidden_clinic_always_withholds_what_depends_on_all(pairs, improvement):
    """And every clinic shown lies within its own interval."""
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(pairs)]
    hidden = cell(None, None, clinic_id=-1, withheld=Withheld.SUPPRESSED)
    network = replace(cells[0], clinic_id=None)
    comparison = compare_clinics(
        [*cells, hidden], network=network, improvement=improvement
    )

    assert (comparison.phi, comparison.tau2, comparison.best_tenth) == (None,) * 3
    for point in comparison.points:
        assert (point.rank, point.zone) == (None, None)
        if point.value is not None:
            assert point.lower is not None
            assert point.upper is not None
            assert point.lower <= point.value <= point.upper


@given(st.lists(counts(), min_size=6, max_size=40))
def test_a_shift_always_lies_within_its_own_interval(pairs):
    """And leaves three points on either side."""
    x, n = columns(pairs)
    assume(0 < sum(x) < sum(n))
    starts = range(START, START + len(pairs))

    shift = most_likely_shift(starts, of_proportions(x, n))

    assert starts[3] <= shift.first <= shift.interval_start <= shift.last
    assert shift.last <= starts[-3]
    assert shift.evidence >= -1e-9

"""Clinics side by side: who is unusual, and what is withheld when one is hidden."""

from math import exp

import msgspec
import numpy as np
import pytest

from app.charts.binomials import wilson_interval
from app.charts.comparison import Comparison, Zone, compare_clinics
from app.charts.poissons import exact_interval
from app.charts.remarks import RemarkCode
from app.domain.counts import ReleasedCell, Withheld
from app.domain.scales import PROPORTION, Scale
from tests.released import cell

PER_1000 = Scale(per=1000)
CALM = [(70, 100), (72, 100), (68, 100), (141, 200), (34, 50), (36, 50)]


def compared(
    counts, *, total=None, improvement: str = "increase", hidden=None, scale=PROPORTION
) -> Comparison:
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(counts, start=1)]
    if hidden:
        cells.append(cell(None, None, clinic_id=99, withheld=hidden))
    x, n = total or (sum(x for x, _ in counts), sum(n for _, n in counts))
    network = cell(x, n, clinic_id=None)
    return compare_clinics(cells, network=network, improvement=improvement, scale=scale)


def test_wilsons_interval_of_no_event_in_ten_reaches_28_percent():
    """z2 / (n + z2) = 3.8415 / 13.8415; the normal interval would be empty."""
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.27754), abs=1e-5)
    assert wilson_interval(10, 10) == pytest.approx((0.72246, 1.0), abs=1e-5)


def test_clinics_that_differ_by_chance_have_no_spread_and_lie_inside():
    """Their tau2 is 0, not a negative number."""
    comparison = compared(CALM)

    assert comparison.tau2 == 0.0
    assert {point.zone for point in comparison.points} == {Zone.INSIDE}


def test_a_clinic_far_from_the_network_is_beyond_the_limits():
    """40 % of 300 among clinics near 70 %."""
    comparison = compared([*CALM * 3, (120, 300)])

    assert comparison.points[-1].zone is Zone.BEYOND_998


def test_the_target_is_the_released_network_total():
    """Not the sum of the clinics shown: one of them may be hidden."""
    comparison = compared(CALM, total=(800, 1000), hidden=Withheld.SUPPRESSED)

    assert comparison.target == 0.8


def test_a_clinic_with_a_numerator_of_zero_is_compared_like_any_other():
    """The arcsine of 0 is 0; a logarithm would have no answer."""
    comparison = compared([*CALM, (0, 40)])

    assert comparison.points[-1].value == 0.0
    assert comparison.points[-1].lower == 0.0
    assert comparison.points[-1].rank == 7


def test_a_suppressed_clinic_withholds_what_depends_on_all_clinics():
    """Ranks, best tenth, phi and tau2 would narrow down the hidden clinic."""
    comparison = compared(CALM, hidden=Withheld.SUPPRESSED)

    assert (comparison.phi, comparison.tau2, comparison.best_tenth) == (None,) * 3
    assert comparison.median_clinic is None
    for point in comparison.points:
        assert (point.rank, point.rank_first, point.rank_last) == (None,) * 3
    assert {point.zone for point in comparison.points} == {None}
    assert comparison.points[0].limits is not None
    assert comparison.points[-1].withheld is Withheld.SUPPRESSED
    assert [r.code for r in comparison.remarks] == [RemarkCode.SUPPRESSED_CLINIC]


def test_a_clinic_without_data_withholds_nothing_from_the_others():
    """It is listed, with its reason."""
    comparison = compared(CALM, hidden=Withheld.NO_DATA)

    assert comparison.phi is not None
    assert comparison.points[0].rank is not None
    assert comparison.points[-1].withheld is Withheld.NO_DATA


def test_without_a_network_total_there_is_no_funnel():
    """A target of our own making could give the hidden total away."""
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(CALM)]
    network = cell(None, None, clinic_id=None, withheld=Withheld.SUPPRESSED)
    comparison = compare_clinics(cells, network=network, improvement="increase")

    assert comparison.target is None
    assert comparison.curves == ()
    assert {point.limits for point in comparison.points} == {None}
    assert comparison.points[0].lower is not None


def test_four_clinics_are_too_few_to_judge():
    """Their spread says nothing about the spread of clinics."""
    comparison = compared(CALM[:4])

    assert comparison.phi is None
    assert [r.code for r in comparison.remarks] == [RemarkCode.TOO_FEW_CLINICS]


@pytest.mark.parametrize(
    ("improvement", "ranks"), [("increase", [2, 1, 2]), ("decrease", [1, 3, 1])]
)
def test_rank_1_is_the_best_and_equals_share_a_rank(improvement: str, ranks):
    """Which way is best is the measure's to say."""
    comparison = compared([(5, 10), (9, 10), (50, 100)], improvement=improvement)

    assert [point.rank for point in comparison.points] == ranks


def test_the_best_tenth_is_of_patients_and_not_led_by_a_tiny_clinic():
    """
    Of 2 + 50 + 448 patients a tenth is 50.

    2 of 2 counts as 3/4, below 46/52: the 50 patients of the second clinic suffice.
    """
    comparison = compared([(2, 2), (45, 50), (224, 448)])

    assert comparison.best_tenth == pytest.approx(0.9)


def test_curves_run_beyond_the_range_of_the_clinics():
    """The funnel of the picture needs no arithmetic on the reader's side."""
    sizes = [curve.denominator for curve in compared(CALM).curves]

    assert sizes == sorted(sizes)
    assert sizes[0] <= 50
    assert sizes[-1] >= 200


def test_the_exact_interval_of_events_is_that_of_the_tables():
    """Garwood's for none, one and ten events, as tables of Poisson limits print it."""
    assert exact_interval(0, tail=0.025) == pytest.approx((0.0, 3.6889), abs=1e-4)
    assert exact_interval(1, tail=0.025) == pytest.approx((0.0253, 5.5716), abs=1e-4)
    assert exact_interval(10, tail=0.025) == pytest.approx((4.7954, 18.3904), abs=1e-4)


RATES = [(10, 5000), (14, 7000), (20, 10_000), (8, 4000), (12, 6000)]


@pytest.mark.parametrize("per", [1, 1000])
def test_rates_lie_in_a_funnel_around_the_networks_rate_in_every_multiplier(per: int):
    """
    2 events in 1,000; 20 were expected of the third clinic and 8 of the fourth.

    Chance allows it 0.6108 to 1.5444 times its 20: upstream's Poisson limits at 20.
    """
    comparison = compared(RATES, improvement="decrease", scale=Scale(per=per))

    third = comparison.points[2]
    assert comparison.tau2 == 0.0
    assert comparison.interval_method == "exact-poisson"
    assert comparison.target == pytest.approx(0.002 * per)
    assert third.value == pytest.approx(0.002 * per)
    assert third.limits is not None
    assert third.limits.denominator == 10_000
    assert third.limits.lower_95 == pytest.approx(0.610826 * 0.002 * per, rel=1e-6)
    assert third.limits.upper_998 == pytest.approx(1.902094 * 0.002 * per, rel=1e-6)
    assert comparison.points[0].lower == pytest.approx(4.7954 * per / 5000, rel=1e-4)
    assert comparison.best_tenth == pytest.approx(0.002 * per)
    assert {point.zone for point in comparison.points} == {Zone.INSIDE}


def test_the_spread_of_rates_is_the_same_in_every_multiplier():
    """It is one of ratios, observed by expected; only limits and values are scaled."""
    rates = [(5, 5000), (30, 7000), (10, 10_000), (22, 4000), (12, 6000)]
    one, thousand = (compared(rates, scale=Scale(per=per)) for per in (1, 1000))

    assert one.tau2 is not None
    assert one.tau2 > 0
    assert (one.phi, one.tau2) == (thousand.phi, thousand.tau2)
    for small, large in zip(one.points, thousand.points, strict=True):
        assert small.zone is large.zone
        assert small.limits is not None
        assert large.limits is not None
        assert large.limits.upper_95 == pytest.approx(1000 * small.limits.upper_95)


def test_a_clinic_without_any_event_is_outside_only_where_that_is_unusual():
    """
    exp(-3) is 5 %, so none of 3 expected is usual; exp(-6) is 0.25 %, beyond 2.5 %.

    Its logarithm would have no answer, and its limit would be above 0.
    """
    calm = [(200, 100_000)] * 20
    few = compared([*calm, (0, 1500)], total=(2, 1000), scale=PER_1000)
    many = compared([*calm, (0, 3000)], total=(2, 1000), scale=PER_1000)

    assert few.tau2 == many.tau2 == 0.0
    assert exp(-3) > 0.025 > exp(-6) > 0.001
    assert few.points[-1].zone is Zone.INSIDE
    assert many.points[-1].zone is Zone.BEYOND_95
    assert few.points[-1].upper == pytest.approx(3.6889 / 1.5, abs=1e-4)


def test_a_network_without_any_event_expects_none_of_its_clinics():
    """Nothing to divide by: no funnel, and the remark says why."""
    comparison = compared([(0, 1000)] * 6, scale=PER_1000)

    assert {point.limits for point in comparison.points} == {None}
    assert (comparison.phi, comparison.best_tenth) == (None, None)
    assert [r.code for r in comparison.remarks] == [RemarkCode.NOTHING_EXPECTED]


def test_the_best_tenth_of_rates_is_not_led_by_luck():
    """
    In 20,000 days were 40 events; a tenth is 2,000 days, one event takes 500.

    None in 100 counts as 1 in 600, so it comes after 1 in 2,000, which suffices.
    """
    comparison = compared(
        [(0, 100), (1, 2000), (39, 17_900)], improvement="decrease", scale=PER_1000
    )

    assert comparison.best_tenth == pytest.approx(0.5)


def mean_cell(total: int, squares: int, n: int, clinic_id: int | None) -> ReleasedCell:
    """Return a cell of *n* values with this sum and sum of squares."""
    return msgspec.structs.replace(
        cell(None, n, clinic_id=clinic_id),
        value_sum=1000 * total,
        value_squares=1_000_000 * squares,
    )


def test_means_stand_side_by_side_with_students_interval_and_no_funnel():
    """
    Of 4 values with sum 20 and squares 110 the mean is 5, the variance 10 / 3.

    t with 3 degrees of freedom is 3.18245: 5 -+ 3.18245 sqrt(10 / 12).
    """
    cells = [mean_cell(20, 110, 4, 1), mean_cell(28, 206, 4, 2)]
    comparison = compare_clinics(
        cells,
        network=mean_cell(48, 316, 8, None),
        improvement="decrease",
        scale=Scale(unit="1"),
    )

    first = comparison.points[0]
    half = 3.18245 * (10 / 12) ** 0.5
    assert (first.value, first.rank, first.limits, first.zone) == (5.0, 1, None, None)
    assert (first.lower, first.upper) == pytest.approx((5 - half, 5 + half), abs=1e-4)
    assert (comparison.target, comparison.median_clinic) == (6.0, 6.0)
    assert comparison.best_tenth is None
    assert RemarkCode.MEANS in {remark.code for remark in comparison.remarks}


def test_the_median_clinic_is_the_middle_one_and_not_of_patients():
    """10 %, 50 % and 90 %, whatever their sizes."""
    assert compared([(1, 10), (450, 900), (9, 10)]).median_clinic == 0.5


@pytest.mark.parametrize("improvement", ["increase", "decrease"])
def test_ranks_that_may_be_anything_say_so_and_sure_ones_are_sure(improvement: str):
    """Two like each other and a third far off: it is surely best, or surely last."""
    comparison = compared(
        [(500, 1000), (510, 1000), (900, 1000)], improvement=improvement
    )

    spans = [(p.rank_first, p.rank_last) for p in comparison.points]
    if improvement == "increase":
        assert spans == [(2, 3), (2, 3), (1, 1)]
    else:
        assert spans == [(1, 2), (1, 2), (3, 3)]


def test_true_ranks_are_all_in_their_intervals_in_95_of_100_networks():
    """Ten clinics of 50 to 400 patients; of 200 networks at most 17 may miss."""
    random = np.random.default_rng(1)
    missed = 0
    for _ in range(200):
        truth = random.uniform(0.5, 0.9, 10)
        sizes = random.integers(50, 400, 10)
        counts = [
            (int(random.binomial(n, p)), int(n))
            for n, p in zip(sizes, truth, strict=True)
        ]
        points = compared(counts).points
        true_ranks = [1 + int((truth > p).sum()) for p in truth]
        spans = [(p.rank_first or 0, p.rank_last or 0) for p in points]
        missed += not all(
            first <= rank <= last
            for (first, last), rank in zip(spans, true_ranks, strict=True)
        )

    assert missed <= 17

"""Clinics side by side: who is unusual, and what is withheld when one is hidden."""

import pytest

from app.charts.binomials import wilson_interval
from app.charts.comparison import Comparison, Zone, compare_clinics
from app.charts.remarks import RemarkCode
from app.domain.counts import Withheld
from tests.released import cell

CALM = [(70, 100), (72, 100), (68, 100), (141, 200), (34, 50), (36, 50)]


def compared(
    counts, *, total=None, improvement: str = "increase", hidden=None
) -> Comparison:
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(counts, start=1)]
    if hidden:
        cells.append(cell(None, None, clinic_id=99, withheld=hidden))
    x, n = total or (sum(x for x, _ in counts), sum(n for _, n in counts))
    network = cell(x, n, clinic_id=None)
    return compare_clinics(cells, network=network, improvement=improvement)


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
    assert {point.rank for point in comparison.points} == {None}
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

"""What charts found, in sentences that a quality board can read out."""

import pytest

from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.rules import BOOKS, RuleSet
from app.charts.shifts import suggested_shift
from app.domain.counts import Basis
from app.services.dashboards import stratum_label
from app.services.findings import FINDINGS, Verdict, sentences, verdict
from tests.released import series

STEADY = [(30, 60), (28, 60), (32, 60), (31, 60), (29, 60), (30, 60)] * 4
LEAP = [*STEADY[:12], (58, 60), *STEADY[:11]]
STEP = [*[(30, 60), (31, 60)] * 6, *[(45, 60), (44, 60)] * 6]


def charted(
    counts, *, basis: Basis = Basis.VISITS, improvement: str = "increase"
) -> ControlChart:
    return measure_chart(series(counts), basis=basis, improvement=improvement)


def said(counts, *, improvement: str = "increase") -> str:
    shift = suggested_shift(series(counts), basis=Basis.VISITS)
    return " ".join(sentences(charted(counts, improvement=improvement), shift))


def test_a_steady_series_says_that_nothing_was_found():
    assert verdict(charted(STEADY)) is Verdict.NONE_FOUND
    assert said(STEADY).startswith("No signals")


def test_a_point_beyond_the_limits_is_named_by_its_month():
    """The thirteenth month from January 2022."""
    assert verdict(charted(LEAP)) is Verdict.FOUND
    assert "Beyond the limits, which chance alone rarely does: Jan 2023." in said(LEAP)


def test_a_step_is_told_with_its_month_and_its_size():
    """From 366 of 720 to 534 of 720 at the thirteenth month."""
    assert (
        "The level most likely changed in Jan 2023, from 50.8% to 74.2%: "
        "a change for the better."
    ) in said(STEP)
    assert "12 points in a row on one side of the centre line" in said(STEP)
    assert "Jan 2022 to Dec 2022" in said(STEP)


def test_a_rise_is_for_the_worse_where_lower_is_better():
    assert "a change for the worse" in said(STEP, improvement="decrease")


@pytest.mark.parametrize("counts", [STEADY, STEP])
def test_a_latest_status_is_never_said_to_be_without_signals(counts):
    """It was not searched for any; that is another thing."""
    chart = charted(counts, basis=Basis.LATEST_STATUS)

    assert verdict(chart) is Verdict.NOT_SEARCHED
    assert not any(text.startswith("No signals") for text in sentences(chart, None))


def test_a_short_series_was_not_searched():
    assert verdict(charted(STEADY[:6])) is Verdict.NOT_SEARCHED


def test_every_rule_that_the_dashboard_searches_with_has_its_sentence():
    assert set(FINDINGS) == set(BOOKS[RuleSet.ANHOEJ].rules)


@pytest.mark.parametrize(
    ("stratum", "label"),
    [
        ("age:0-6", "age 0 to 5"),
        ("age:6-12", "age 6 to 11"),
        ("age:65-", "age 65 and over"),
        ("age:unknown", "age unknown"),
    ],
)
def test_an_age_band_is_said_by_the_years_in_it(stratum, label):
    """The upper bound is not part of a band."""
    assert stratum_label(stratum) == label

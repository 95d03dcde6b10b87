"""Funnels against FunnelPlotR's numbers: every case but the one that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.charts.comparison import Zone, zone_of
from app.charts.funnels import (
    FunnelKind,
    FunnelLimits,
    funnel_limits,
    overdispersion,
    scores_of,
)
from app.charts.rankings import pooled

RATIO = FunnelKind.STANDARDISED_RATIO
NAMES = ("ll95", "ul95", "ll998", "ul998")


@pytest.fixture
def cases(shared: Path) -> dict[str, Any]:
    path = shared / "golden" / "spc" / "funnelplotr_overdispersion.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found["upstream_asserted"] | found["derived_by_python_port"]


def ends(limits: FunnelLimits) -> tuple[float, ...]:
    return limits.lower_95, limits.upper_95, limits.lower_998, limits.upper_998


def test_poisson_limits_of_ratios_are_those_upstream_asserts(cases):
    """At 15, 20 and 30 expected events, to the seven digits given."""
    case = cases["poisson_limits"]

    for i, expected in enumerate(case["number_seq"]):
        limits = funnel_limits(expected, target=case["target"], kind=RATIO)
        assert ends(limits) == pytest.approx([case[n][i] for n in NAMES], abs=1e-6)


def test_the_overdispersion_of_ratios_is_the_one_upstream_asserts(cases):
    """Six groups, log scale, nobody among them outlying enough to be left out."""
    case = cases["phi_case"]

    scores = scores_of(case["num"], case["denom"], target=1.0, kind=RATIO)

    assert overdispersion(scores, kind=RATIO).phi == pytest.approx(
        case["phi"], abs=1e-6
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("SR_SHMI", RATIO), ("PR_synthetic_10_clinics", None)]
)
def test_limits_before_and_after_adjustment_are_those_of_funnelplotr(
    cases, name: str, kind: FunnelKind | None
):
    """Each clinic's value, z and eight limits, phi and tau2; and who is outside."""
    case, kind = cases[name], kind or FunnelKind.PROPORTION
    points = case["points"]
    x, n = ([point[c] for point in points] for c in ("numerator", "denominator"))
    target = 1.0 if kind is RATIO else pooled([*zip(x, n, strict=True)])
    scores = scores_of(x, n, target=target, kind=kind)
    found = overdispersion(scores, kind=kind)

    assert target == pytest.approx(case["target"], rel=1e-12)
    assert (found.phi, found.tau2) == pytest.approx(
        (case["phi"], case["tau2"]), rel=1e-9
    )
    assert scores.z == pytest.approx([point["z"] for point in points], rel=1e-9)
    for point in points:
        value, denominator = point["rr"], point["denominator"]
        plain, wide = (
            funnel_limits(denominator, target=target, tau2=tau2, kind=kind)
            for tau2 in (0.0, found.tau2)
        )
        assert ends(plain) == pytest.approx([point[n] for n in NAMES], abs=1e-6)
        assert ends(wide) == pytest.approx(
            [point["od" + name] for name in NAMES], abs=1e-6
        )
        assert (zone_of(value, plain) is not Zone.INSIDE) == point["outlier95"]
        assert (zone_of(value, wide) is not Zone.INSIDE) == point["outlier95_od"]
        assert (zone_of(value, wide) is Zone.BEYOND_998) == point["outlier998_od"]


def test_groups_are_pooled_by_their_sums_and_not_by_the_mean_of_their_ratios(cases):
    """Three rows of a, two of b and one of c."""
    case = cases["aggregate_case"]
    rows = [*zip(case["group"], case["numerator"], case["denominator"], strict=True)]

    for group, expected in case["expected_rr"].items():
        found = pooled([(x, n) for name, x, n in rows if name == group])
        assert found == pytest.approx(expected, abs=1e-6)


def test_who_lies_outside_is_who_upstream_says(cases):
    """Ten ratios within and without both pairs of limits, adjusted and not."""
    case = cases["outlier_cases"]
    for prefix, adjusted in (("", "unadj"), ("OD", "adj")):
        limits = FunnelLimits(
            denominator=1,
            lower_95=case[f"{prefix}95LCL" if prefix else "LCL95"],
            upper_95=case[f"{prefix}95UCL" if prefix else "UCL95"],
            lower_998=case[f"{prefix}99LCL" if prefix else "LCL99"],
            upper_998=case[f"{prefix}99UCL" if prefix else "UCL99"],
        )
        zones = [zone_of(ratio, limits) for ratio in case["rr"]]

        outside = [int(zone is not Zone.INSIDE) for zone in zones]
        far_outside = [int(zone is Zone.BEYOND_998) for zone in zones]
        assert outside == case["expected"][f"{adjusted}95"]
        assert far_outside == case["expected"][f"{adjusted}99"]


def test_the_case_that_is_left_out_is_narrower_when_it_should_be_wider(cases):
    """FunnelPlotR leaves CQC limits on the square-root scale; we have no such kind."""
    for point in cases["SR_CQC"]["points"]:
        assert point["odul95"] - point["odll95"] < point["ul95"] - point["ll95"]


def test_a_ratio_of_counts_is_compared_on_the_scale_of_logarithms():
    """
    19.5 / 39.5 of a target of 1/2: log 0.98734, by hand; s² = 1/19.5 + 1/39.5.

    At 99.5 of which 49.75 are expected the same s² is 1/50.25 + 1/100.
    """
    kind = FunnelKind.RATIO_OF_COUNTS
    scores = scores_of([19, 0], [39, 10], target=0.5, kind=kind)
    limits = funnel_limits(99.5, target=0.5, tau2=0.01, kind=kind)

    assert scores.s[0] == pytest.approx((1 / 19.5 + 1 / 39.5) ** 0.5)
    assert scores.z[0] == pytest.approx(-0.012739 / 0.276764, rel=1e-4)
    assert scores.z[1] < 0
    assert limits.upper_95 == pytest.approx(0.5 * 2.71828183 ** (1.959964 * 0.199751))

"""Before and after a test of change: what is estimated, and what is refused."""

import subprocess
import sys
from collections.abc import Iterable
from math import exp

import numpy as np
import pytest
from scipy import stats

from app.charts.interventions import ChangeEstimate, NotEstimated, estimated_change
from app.charts.panels import ProjectPoint
from app.domain.counts import Interval
from app.domain.scales import PROPORTION, Scale

START = 24_264
PER_1000 = Scale(per=1000)
PROJECT, OTHERS = range(5), range(5, 12)


def point(
    clinic: int,
    month: int,
    counts: tuple[int | None, int | None],
    *,
    starts: int | None = 12,
) -> ProjectPoint:
    """Return a clinic's point; the first five take part, from month 12 on."""
    return ProjectPoint(
        clinic_id=clinic,
        interval_start=START + month,
        numerator=counts[0],
        denominator=counts[1],
        takes_part=clinic in PROJECT,
        starts=START + starts if clinic in PROJECT and starts is not None else None,
    )


def estimate(
    points: Iterable[ProjectPoint], *, interval=Interval.MONTH, scale=PROPORTION
) -> ChangeEstimate:
    return estimated_change(
        points,
        interval=interval,
        project="the pilot",
        measure="Remission",
        scale=scale,
    )


def change_of(found: ChangeEstimate) -> tuple[float, float, float]:
    """Return the change and its interval."""
    assert found.change is not None
    assert found.lower is not None
    assert found.upper is not None
    return found.change, found.lower, found.upper


def logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


def simulated(
    seed: int,
    *,
    effect: float,
    clinics: Iterable[int] = (*PROJECT, *OTHERS),
    months: int = 24,
) -> tuple[list[ProjectPoint], float]:
    """
    Return a network's points, and the true change in proportions.

    Clinics differ in level and in trend, months shake them all.
    """
    random = np.random.default_rng(seed)
    shocks = random.normal(0, 0.2, months)
    points, changes, people = [], 0.0, 0
    for clinic in clinics:
        level, trend = random.normal(0.4, 0.3), random.normal(0, 0.1)
        n = int(random.integers(40, 160))
        for month in range(months):
            without = level + trend * (month - 12) / 12 + shocks[month]
            has_begun = clinic in PROJECT and month >= 12
            p = logistic(without + effect * has_begun)
            points.append(point(clinic, month, (int(random.binomial(n, p)), n)))
            if has_begun:
                changes += n * (p - logistic(without))
                people += n
    return points, changes / people


def test_what_other_clinics_did_is_taken_off_the_project_by_odds():
    """
    The others' odds go from 1/3 to 1/2, by half; the project's from 1 to 3.

    So odds of 1.5 were expected, 60 %, and 75 % were seen: 15 percentage points.
    """
    found = estimate(
        point(
            clinic,
            month,
            {
                (True, False): (300, 600),
                (True, True): (450, 600),
                (False, False): (150, 600),
                (False, True): (200, 600),
            }[clinic in PROJECT, month >= 12],
        )
        for clinic in (*PROJECT, *OTHERS)
        for month in range(24)
    )

    assert found.observed == pytest.approx(0.75)
    assert found.expected == pytest.approx(0.6)
    assert found.change == pytest.approx(0.15)
    assert (found.clinics, found.compared_with) == (5, 7)
    assert found.words.startswith(
        "Remission: in the 5 clinics of the pilot it was 15.0 percentage points higher "
        "(95 % interval "
    )
    assert "from their own past and 7 other clinics" in found.words


@pytest.mark.parametrize("per", [1, 1000])
def test_rates_are_compared_by_their_ratio_in_every_multiplier(per: int):
    """The others halve, from 4 to 2 per 1,000; the project falls from 8 to 3, not 4."""
    found = estimate(
        (
            point(
                clinic,
                month,
                {
                    (True, False): (80, 10_000),
                    (True, True): (30, 10_000),
                    (False, False): (40, 10_000),
                    (False, True): (20, 10_000),
                }[clinic in PROJECT, month >= 12],
            )
            for clinic in (*PROJECT, *OTHERS)
            for month in range(24)
        ),
        scale=Scale(per=per),
    )

    assert found.observed == pytest.approx(0.003 * per)
    assert found.expected == pytest.approx(0.004 * per)
    assert found.change == pytest.approx(-0.001 * per)
    assert f"per {per:,} lower (95 % interval −" in found.words  # noqa: RUF001


def test_clinics_that_begin_later_are_others_until_they_do():
    """
    The gain grows from month to month, and clinics start 12, 14 ... months in.

    Comparing late starters with early ones as if those stood still would be wrong.
    """
    points, gains = [], []
    for clinic in (*PROJECT, *OTHERS):
        starts = 12 + 2 * clinic
        for month in range(24):
            on = clinic in PROJECT and month >= starts
            gain = 0.05 + 0.02 * (month - starts) if on else 0.0
            points.append(
                point(clinic, month, (round(1e5 * (0.4 + gain)), 10**5), starts=starts)
            )
            gains += [gain] if on else []

    found = estimate(points)

    assert found.change == pytest.approx(sum(gains) / len(gains), abs=1e-4)
    assert len(found.intervals) == 12
    assert found.intervals[0].observed == pytest.approx(0.45)
    assert found.intervals[0].expected == pytest.approx(0.4, abs=1e-4)


def test_without_others_the_projects_own_trend_goes_on_and_the_words_say_so():
    """Log-odds rose by 0.02 a month before; the project added 0.5 to them."""
    found = estimate(
        point(
            clinic,
            month,
            (round(1e5 * logistic(0.02 * month + 0.5 * (month >= 12))), 10**5),
        )
        for clinic in PROJECT
        for month in range(24)
    )

    expected = [logistic(0.02 * month) for month in range(12, 24)]
    assert found.compared_with == 0
    assert found.expected == pytest.approx(sum(expected) / 12, abs=1e-4)
    assert "No other clinics were compared" in found.words


def test_95_percent_intervals_hold_the_truth_of_simulated_networks():
    """Of 24 at least 20: by chance fewer in 0.6 % of such tests. More in the bench."""
    held = 0
    for seed in range(24):
        points, truth = simulated(seed, effect=0.4 * (seed % 2))
        _, lower, upper = change_of(estimate(points))
        held += lower <= truth <= upper

    assert held >= 20


def test_the_interval_is_that_of_a_slow_jackknife():
    """Every clinic left out in turn, and all fitted anew; one step comes near it."""
    points, _ = simulated(1, effect=0.4)
    change, _, upper = change_of(estimate(points))
    moves = {
        clinic: change_of(estimate(p for p in points if p.clinic_id != clinic))[0]
        - change
        for clinic in (*PROJECT, *OTHERS)
    }

    parts = [
        (len(group) - 1) / len(group) * sum(moves[clinic] ** 2 for clinic in group)
        for group in (PROJECT, OTHERS)
    ]
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 6)
    reach = stats.t.ppf(0.975, freedom) * sum(parts) ** 0.5
    assert upper - change == pytest.approx(reach, rel=0.02)


def test_suppressed_points_are_left_out_and_counted():
    """What is estimated is what would be, had they never been sent."""
    points, _ = simulated(2, effect=0.4)
    hidden = [
        point(p.clinic_id, p.interval_start - START, (None, None))
        if p.interval_start % 7 == 0
        else p
        for p in points
    ]

    found = estimate(hidden)
    without = estimate(p for p in points if p.interval_start % 7)

    assert found.withheld == 12 * sum((START + month) % 7 == 0 for month in range(24))
    assert found.change == without.change
    assert f"{found.withheld} clinic intervals that are withheld" in found.words


def test_the_interval_in_which_a_clinic_began_is_neither_before_nor_after():
    """A quarter of which one month was before tells of both; here it is far off."""
    found = estimate(
        (
            ProjectPoint(
                clinic_id=clinic,
                interval_start=START + 3 * quarter,
                numerator=900 if quarter == 8 and clinic in PROJECT else 500,
                denominator=1000,
                takes_part=clinic in PROJECT,
                starts=START + 25,
            )
            for clinic in (*PROJECT, *OTHERS)
            for quarter in range(14)
        ),
        interval=Interval.QUARTER,
    )

    assert found.change == pytest.approx(0, abs=1e-9)
    assert "may be chance" in found.words


def flat(clinics: Iterable[int], months: int, *, starts=12, events=50):
    return [
        point(clinic, month, (events, 100), starts=starts)
        for clinic in clinics
        for month in range(months)
    ]


@pytest.mark.parametrize(
    ("points", "scale", "reason"),
    [
        (flat(range(12), 24), Scale(unit="mg"), NotEstimated.MEAN),
        (flat(range(12), 12), PROPORTION, NotEstimated.NOT_BEGUN),
        (flat(range(12), 24, starts=None), PROPORTION, NotEstimated.NOT_BEGUN),
        (flat(range(12), 14), PROPORTION, NotEstimated.TOO_FEW_AFTER),
        (flat(range(12), 24, starts=5), PROPORTION, NotEstimated.TOO_FEW_BEFORE),
        (flat(range(5), 17), PROPORTION, NotEstimated.TOO_FEW_AFTER),
        (flat(range(3, 12), 24), PROPORTION, NotEstimated.TOO_FEW_CLINICS),
        (flat(range(12), 24, events=0), PER_1000, NotEstimated.TOO_FEW_CLINICS),
        (flat(range(12), 24, events=100), PROPORTION, NotEstimated.TOO_FEW_CLINICS),
        ([], PROPORTION, NotEstimated.NOT_BEGUN),
    ],
)
def test_too_little_is_no_estimate_and_says_why(points, scale, reason: NotEstimated):
    """A reason in words, never an error and never a number."""
    found = estimate(points, scale=scale)

    assert found.not_estimated is reason
    assert (found.change, found.lower, found.upper) == (None, None, None)
    assert found.words.startswith("No estimate. ")


def test_three_intervals_after_and_six_before_are_enough_beside_others():
    """The least that is stated."""
    assert estimate(flat(range(12), 9, starts=6)).not_estimated is None


def test_nothing_loads_the_statistics_before_an_estimate_is_asked_for():
    """They take a second, and every command would wait for it."""
    asked = (
        "import sys, app.charts.interventions; sys.exit('statsmodels' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0

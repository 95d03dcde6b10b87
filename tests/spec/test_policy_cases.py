"""Published cases of disclosure by difference: what a release does about each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.lines import Total, is_safe_pool, shown_in_line
from app.disclosure.quantiles import shown_quantiles
from app.domain.counts import QUANTILES, Cell, Interval
from tests.spec.test_continuous_variables import cell as mean_cell
from tests.spec.test_continuous_variables import release as release_means
from tests.spec.test_releases import JANUARY, LARGE, cell, month, release, suppressed

Case = Callable[[str], dict[str, Any]]
ELSEWHERE = {
    "threshold boundary <11 (CMS/PCORnet)",
    "single suppressed cell + total",
    "numerator small, denominator large",
    "complement small",
    "all of them (100%)",
    "single contributing site",
    "mean with dominance",
}
"""Cases held to in ``test_disclosure_lines`` and ``test_concentration``."""
HERE = {
    "site differencing",
    "time differencing",
    "filter differencing",
    "revision differencing",
    "threshold BEFORE rounding",
    "min/max/percentile of n small",
}


@pytest.fixture
def cases(shared: Path) -> dict[str, dict[str, Any]]:
    path = shared / "golden/disclosure/own_policy_cases.json"
    return {case["name"]: case for case in json.loads(path.read_text())["cases"]}


def rules(k: int, *, round_to: int | None = None) -> AudienceRules:
    return AudienceRules(
        k=k, min_clinics=3, clinics=ClinicsShown.NAMED, round_to=round_to
    )


def test_every_case_has_its_test(cases: dict[str, dict[str, Any]]):
    """A case that is added to the list is a test to be written."""
    assert cases.keys() == HERE | ELSEWHERE


def test_all_clinics_and_all_but_one_are_never_shown_together(cases):
    """57 people, and 51 without one clinic: who reads both knows of its six."""
    case = cases["site differencing"]
    rest, one = case["all_but_one_query"], case["all_sites"] - case["all_but_one_query"]

    shown = shown_in_line(
        {1: {1: (rest,)}, 2: {2: (one,)}}, {1}, total=Total.SAFE, k=case["k"]
    )

    assert not (shown.total and 1 in shown.parts)


def test_no_two_windows_of_a_release_overlap_by_part(cases):
    """January to June and to May would differ by five: neither is an interval."""
    case = cases["time differencing"]
    cells = [
        cell(i, LARGE, interval=interval, interval_start=start)
        for i in range(1, 5)
        for interval in Interval
        for start in range(JANUARY, JANUARY + 12, interval.months)
    ]

    shown = release(
        cells, rules=rules(case["k"]), closed_before=JANUARY + 12, intervals={}
    )

    for each in shown:
        assert each.interval_start % each.interval.months == 0
    assert {each.interval.months for each in shown} == {1, 3, 12}


def test_a_year_of_age_does_not_stand_alone(cases):
    """
    88 people from 65 on and 80 from 66 on: the year between has eight.

    As a stratum of its own it is hidden, and another beside it.
    """
    case = cases["filter differencing"]
    older, one_year = case["age_ge_66"], case["age_ge_65"] - case["age_ge_66"]
    strata = {
        number: dict.fromkeys(range(4), (people // 4,))
        for number, people in enumerate((120, one_year, older))
    }
    safe = {n for n, p in strata.items() if is_safe_pool(p, k=case["k"], min_clinics=3)}

    shown = shown_in_line(strata, safe, total=Total.KNOWN, k=case["k"])

    assert safe == {0, 2}
    assert shown.parts == {0}


def test_a_month_is_not_told_twice(cases):
    """40 people, and 43 once late records are in: the second number is never told."""
    case = cases["revision differencing"]

    def january(denominator: int):
        return month(*[(80, denominator, 20)] * 5)

    first = release(january(case["month_run_1"]), rules=rules(case["k"]))

    assert release(january(case["month_run_2"]), earlier=first) == first


@pytest.mark.parametrize("base", [None, 100])
def test_a_small_count_is_suppressed_before_anything_is_rounded(cases, base):
    """Three people are to the nearest hundred 0, and are neither 0 nor 100 in ours."""
    case = cases["threshold BEFORE rounding"]
    small = (300, 250, case["count"])

    shown = release(
        month(small, *[(300, 250, 150)] * 4),
        rules=rules(case["k"], round_to=base and case["round_to"]),
    )

    assert 1 in suppressed(shown)
    assert {each.numerator for each in shown if each.clinic_id == 1} == {None}
    rounded = {each.denominator for each in shown if each.clinic_id in {4, 5}}
    assert rounded == {250 if base is None else 300}


def test_no_percentile_is_of_one_patient(cases):
    """Of ten people a tenth is one: the least and the greatest value are never told."""
    assert cases["min/max/percentile of n small"]["expect"].startswith("hide")
    few: Cell = mean_cell(1, tuple(range(10)))

    shown = shown_quantiles([few], people=10, k=5)

    assert QUANTILES[0] > 0
    assert QUANTILES[-1] < 100
    assert dict(zip(QUANTILES, shown, strict=True)) == {
        10: None,
        25: None,
        50: 4000,
        75: None,
        90: None,
    }
    assert shown_quantiles([few], people=9, k=5) == (None,) * 5


ROUNDED = rules(5, round_to=5)


def test_counts_are_rounded_and_a_proportion_is_of_rounded_counts():
    """62, 53 and 32 become 60, 55 and 30: 54.5 %, and not 60.4 %."""
    shown = release(month(*[(62, 53, 32)] * 3), rules=ROUNDED)

    for each in shown:
        if each.clinic_id is not None:
            assert (each.population, each.scored) == (60, 55)
            assert (each.denominator, each.numerator) == (55, 30)
            assert each.proportion == 30 / 55
    (total,) = (each for each in shown if each.clinic_id is None)
    assert (total.population, total.denominator, total.numerator) == (185, 160, 95)


def test_what_is_rounded_is_judged_by_its_true_numbers():
    """4 of 50 would be 5 of 50, and 46 of 50 would be 45; both are hidden."""
    for numerator in (4, 46):
        shown = release(month((60, 50, numerator), *[LARGE] * 4), rules=ROUNDED)

        assert 1 in suppressed(shown)


def test_what_was_published_before_rounding_stays_as_it_was():
    """53 of January, and February to the nearest five."""
    january = month(*[(62, 53, 32)] * 3)
    february = month(*[(62, 53, 32)] * 3, start=JANUARY + 1)
    first = release(january)

    second = release(
        [*january, *february], earlier=first, rules=ROUNDED, closed_before=JANUARY + 2
    )

    assert [each for each in second if each.interval_start == JANUARY] == first
    assert {each.denominator for each in second} == {53, 159, 55, 160}


def test_a_rounded_mean_stays_and_its_squares_go():
    """12 people with 45 in all: ten, and 37.5, which is 3.75 as it was."""
    cells = [mean_cell(i) for i in (1, 2, 3)]
    shown = release_means(cells, rules=ROUNDED)

    assert shown[1].denominator == 10
    assert shown[1].mean == 45 / 12
    assert shown[1].value_squares is shown[1].deviation is None


def test_no_rounded_number_is_told_as_nobody():
    """Whatever is shown is k at least, so a base of at most k leaves it above 0."""
    shown = release(
        month(*[(30, 20, 5)] * 4), rules=msgspec.structs.replace(ROUNDED, k=5)
    )

    assert {each.numerator for each in shown} == {5, 20}

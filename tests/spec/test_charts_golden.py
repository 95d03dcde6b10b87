"""Charts, rules and funnels against the numbers that other programs and books give."""

import csv
import json
from collections import defaultdict
from itertools import chain
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest

from app.charts.control_charts import c_chart, p_chart, u_chart
from app.charts.finders import crossings_limit, longest_run_limit, side
from app.charts.gap_charts import t_chart
from app.charts.lines import Fit, Lines, Phase, around, frame
from app.charts.measurement_charts import mr_chart, s_chart, xbar_chart, xmr_chart
from app.charts.rules import BOOKS, Rule, RuleSet, find_signals

NHS_FACTOR, OUR_FACTOR = 2.66, 3 / 1.128


def near(value: float | None, expected: float) -> bool:
    return value == pytest.approx(expected, rel=1e-9, abs=1e-9)


def golden(shared: Path, name: str):
    return json.loads((shared / "golden" / "spc" / f"{name}.json").read_text())


def montgomery(shared: Path, chart: str) -> list[dict]:
    found = golden(shared, f"qicharts2_montgomery_{chart}")
    return found if isinstance(found, list) else [found]


def positions(case: dict) -> tuple[list[Phase], set[int]]:
    """Return a case's phases and excluded points, which upstream counts from 1."""
    options = case["options"]
    first = Phase(start=0, baseline_end=options.get("freeze"))
    later = [Phase(start=options["part"])] if "part" in options else []
    return [first, *later], {point - 1 for point in options.get("exclude", [])}


def subgroups(case: dict):
    """Return mean, deviation and size of each subgroup."""
    points = case["expected_points"]
    return (
        [point["y_mean"] for point in points],
        [point["y_sd"] for point in points],
        [point["y_length"] for point in points],
    )


def fit_of(case: dict) -> Fit:
    raw, (phases, excluded) = case["input_raw"], positions(case)
    points = range(len(case["expected_points"]))
    within = frame(points, phases=phases, excluded=excluded)
    match case["chart"]:
        case "p":
            return p_chart(raw["count"], raw["size"], within=within)
        case "u":
            per = case["options"].get("multiply", 1)
            sizes = raw.get("size") or raw["meters"]
            return u_chart(raw["count"], [size / per for size in sizes], within=within)
        case "c":
            return c_chart(raw["count"], within=within)
        case "i":
            return xmr_chart(raw["cost"], within=within)
        case "mr":
            return mr_chart(raw["cost"], within=within)
        case "t":
            return t_chart(raw["hours"], within=within)
        case "xbar":
            return xbar_chart(*subgroups(case), within=within)
        case _:
            return s_chart(*subgroups(case)[1:], within=within)


def share_of_width(case: dict) -> float:
    """
    Return which share of upstream's width a limit should have.

    In the one case with an empty subgroup upstream counts its degrees of freedom as
    0 - 1, so that its pooled deviation is divided by 75 instead of 76.
    """
    sizes = [point["y_length"] for point in case["expected_points"]]
    if case["chart"] != "xbar" or 0 not in sizes:
        return 1.0
    freedom = sum(size - 1 for size in sizes if size)
    return sqrt((freedom - 1) / freedom)


@pytest.mark.parametrize("chart", ["p", "u", "c", "i", "mr", "xbar", "s", "t"])
def test_centre_lines_and_limits_are_those_of_montgomerys_examples(
    shared: Path, chart: str
):
    """13 cases with freeze, exclusion, rebase, changing n and missing data."""
    for case in montgomery(shared, chart):
        fit, share = fit_of(case), share_of_width(case)

        rows = zip(case["expected_points"], fit.values, fit.lines, strict=True)
        for expected, value, lines in rows:
            assert lines
            center = lines.center_line
            assert near(center, expected["cl"])
            if value is None:
                assert expected["y"] is None
                continue
            if not lines.upper:
                assert expected["ucl"] is None
                continue
            assert near(value, expected["y"])
            assert near(lines.lower[2], center + (expected["lcl"] - center) * share)
            assert near(lines.upper[2], center + (expected["ucl"] - center) * share)
            assert bool(side(value, lines, 3)) == expected["sigma_signal"]


@pytest.mark.parametrize("chart", ["p", "u", "c", "i", "mr", "xbar", "s", "t"])
def test_run_signals_are_those_of_qicharts2(shared: Path, chart: str):
    """The c chart of example 7.3 crosses its line too seldom without a long run."""
    for case in montgomery(shared, chart):
        fit, (phases, excluded) = fit_of(case), positions(case)
        found = find_signals(
            fit.values,
            fit.lines,
            rule_set=RuleSet.ANHOEJ,
            phases=frame(range(len(fit.values)), phases=phases).phases,
            excluded=excluded,
        )

        for part, expected in case["expected_runs_by_part"].items():
            rules = {signal.rule for signal in found if signal.phase == int(part)}
            long = expected["longest_run"] > expected["longest_run_max"]
            few = expected["n_crossings"] < expected["n_crossings_min"]
            assert (Rule.LONG_RUN in rules) == long
            assert (Rule.FEW_CROSSINGS in rules) == few


def test_anhoejs_critical_values_are_those_of_the_published_table(shared: Path):
    """Every n from 10 to 100."""
    for row in golden(shared, "anhoej_critical_values_n10_100")["table"]:
        assert longest_run_limit(row["n"]) == row["longest_run_max"]
        assert crossings_limit(row["n"]) == row["n_crossings_min"]


def infections(shared: Path) -> list[dict]:
    path = shared / "golden" / "spc" / "qicharts2_hospital_infections.csv"
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def u_of(rows: list[dict], by: str, *, per: float = 1) -> Fit:
    """Return the u chart of infections by day, grouped by a column and in its order."""
    counts: dict[str, float] = defaultdict(float)
    days: dict[str, float] = defaultdict(float)
    for row in rows:
        counts[row[by]] += float(row["n"])
        days[row[by]] += float(row["days"]) / per
    keys = sorted(counts) if by == "month" else sorted(days, key=lambda key: days[key])
    return u_chart(
        [counts[key] for key in keys],
        [days[key] for key in keys],
        within=frame(range(len(keys))),
    )


def check_summary(fit: Fit, expected: dict, *, runs: bool = True):
    lines = [line for line in fit.lines if line]
    assert len(lines) == expected["n_obs"]
    assert lines[0].center_line == pytest.approx(expected["CL"], rel=1e-9)
    assert fmean(line.lower[2] for line in lines) == pytest.approx(
        expected["aLCL"], rel=1e-9, abs=1e-12
    )
    assert fmean(line.upper[2] for line in lines) == pytest.approx(
        expected["aUCL"], rel=1e-9
    )
    phases = [1] * len(lines)
    found = find_signals(fit.values, fit.lines, rule_set=RuleSet.ANHOEJ, phases=phases)
    rules = [signal.rule for signal in found]
    assert rules.count(Rule.BEYOND_LIMITS) == expected["sigma_signal"]
    if runs:
        is_signal = bool({Rule.LONG_RUN, Rule.FEW_CROSSINGS} & {*rules})
        assert is_signal == bool(expected["runs_signal"])


def test_u_charts_of_six_hospitals_and_three_infections_agree(shared: Path):
    """Pooled, by infection, by hospital and infection: 22 charts of 24 months."""
    rows = infections(shared)
    summaries = golden(shared, "qicharts2_hai_u_summary")["expected"]

    check_summary(u_of(rows, "month"), summaries["hai_1"]["rows"][0])
    for expected in summaries["hai_2"]["rows"]:
        part = [row for row in rows if row["infection"] == expected["facet1"]]
        check_summary(u_of(part, "month"), expected)
    for expected in summaries["hai_3"]["rows"]:
        wanted = (expected["facet1"], expected["facet2"])
        part = [row for row in rows if (row["hospital"], row["infection"]) == wanted]
        check_summary(u_of(part, "month"), expected)


def test_a_u_chart_across_hospitals_agrees(shared: Path):
    """A rate per 10,000 days has limits per 10,000 days."""
    rows = [row for row in infections(shared) if row["month"] >= "2016-07-01"]

    for expected in golden(shared, "qicharts2_hai_u_summary")["expected"]["hai_4"][
        "rows"
    ]:
        part = [row for row in rows if row["infection"] == expected["facet1"]]
        check_summary(u_of(part, "hospital", per=10_000), expected, runs=False)


def test_xmr_limits_agree_with_and_without_screening(shared: Path):
    """
    NHSRplotthedots multiplies the mean range by 2.66, we by 3 / 1.128 = 2.65957.

    So limits are compared in mean moving ranges, to the decimals given.
    """
    for case in golden(shared, "nhsr_plotthedots_xmr_and_rules")["limits"]:
        within = frame(range(len(case["y"])))
        fit = xmr_chart(case["y"], within=within, screened=case["screen_outliers"])
        line, expected = fit.lines[0], case["expected"]

        assert line
        mean, digits = line.center_line, case["decimals"]
        half = (line.upper[2] - mean) / OUR_FACTOR * NHS_FACTOR
        given = 10**-digits if digits > 2 else 0.5 * 10**-digits
        assert mean == pytest.approx(expected["mean"], abs=given)
        assert mean + half == pytest.approx(expected["upl"], abs=given)
        assert mean - half == pytest.approx(expected["lpl"], abs=given)


def points_of(found, rule: Rule) -> list[tuple[int, ...]]:
    return [signal.points for signal in found if signal.rule is rule]


def spans(expected: list[dict]) -> list[set[int]]:
    return [
        {*range(item["start_1based"] - 1, item["start_1based"] - 1 + item["length"])}
        for item in expected
    ]


def test_nelsons_rules_find_what_nelson_rules_jl_finds(shared: Path):
    """
    Eight rules, nine series, sigma as upstream takes it.

    Upstream reports each window on its own: ours are the joined windows (rules 7 and
    8), of which only the points beyond the line are part (rules 5 and 6).
    """
    for case in golden(shared, "nelson_rules")["cases"]:
        series = case["series"]
        line = around(fmean(series), stdev(series))
        found = find_signals(
            series,
            [line] * len(series),
            rule_set=RuleSet.NELSON,
            phases=[1] * len(series),
        )

        ours = points_of(found, BOOKS[RuleSet.NELSON].rules[case["rule"] - 1])
        theirs = spans(case["expected"])
        if case["rule"] in {5, 6}:
            level = 2 if case["rule"] == 5 else 1
            beyond = {i for i, y in enumerate(series) if side(y, line, level)}
            assert {*chain(*ours)} == set.union(*theirs) & beyond
        elif case["rule"] in {7, 8}:
            assert [{*points} for points in ours] == [set.union(*theirs)]
        else:
            assert [{*points} for points in ours] == theirs


def nhs_signals(values: list[float], rule: Rule, *, near: float = 99.0) -> list[int]:
    """Return the positions that a rule finds around a line at 0."""
    line = Lines(
        center_line=0.0, lower=(-near, -near, -1000.0), upper=(near, near, 1000.0)
    )
    found = find_signals(
        values, [line] * len(values), rule_set=RuleSet.NHS_MDC, phases=[1] * len(values)
    )
    return sorted(chain(*points_of(found, rule)))


def seventh_on(flags: list[int]) -> list[int]:
    """Return the points of the seven that end at each flagged point."""
    ends = [i for i, flag in enumerate(flags) if flag]
    return sorted({i for end in ends for i in range(end - 6, end + 1)})


def test_making_data_count_rules_find_what_plotthedots_finds(shared: Path):
    """Upstream flags the seventh point on; a signal of ours is the whole run."""
    cases = golden(shared, "nhsr_plotthedots_xmr_and_rules")["rules"]["cases"]

    for case in cases["seven_point_one_side_mean"]:
        found = nhs_signals(case["relative_to_mean"], Rule.SEVEN_ON_A_SIDE)
        assert found == seventh_on(case["expected"])
    for case in cases["seven_point_trend"]:
        assert nhs_signals(case["y"], Rule.SEVEN_TREND) == seventh_on(case["expected"])
    for case in cases["part_of_seven"]:
        assert seventh_on(case["v"]) == [
            i for i, flag in enumerate(case["expected"]) if flag
        ]
    for case in cases["two_in_three"]:
        pairs = zip(case["close_to_limits"], case["relative_to_mean"], strict=True)
        values = [sign * (10.0 if close else 1.0) for close, sign in pairs]
        found = nhs_signals(values, Rule.TWO_OF_THREE_ON_A_SIDE, near=5.0)
        assert found == [i for i, flag in enumerate(case["expected"]) if flag]

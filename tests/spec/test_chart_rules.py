"""Special-cause rules on series small enough to judge by eye."""

import pytest

from app.charts.finders import run_chance
from app.charts.lines import Lines
from app.charts.rules import BOOKS, FINDERS, Rule, RuleSet, find_signals

LINE = Lines(center_line=0.0, lower=(-1.0, -2.0, -3.0), upper=(1.0, 2.0, 3.0))


def found(values, rule_set: RuleSet, **kwargs) -> dict[Rule, list[tuple[int, ...]]]:
    signals = find_signals(
        values,
        [LINE] * len(values),
        rule_set=rule_set,
        phases=kwargs.pop("phases", [1] * len(values)),
        **kwargs,
    )
    findings: dict[Rule, list[tuple[int, ...]]] = {}
    for signal in signals:
        findings.setdefault(signal.rule, []).append(signal.points)
    return findings


def test_every_rule_has_a_finder_and_belongs_to_a_set():
    """A name without a rule behind it would be a promise not kept."""
    assert (
        {*FINDERS}
        == {*Rule}
        == {rule for book in BOOKS.values() for rule in book.rules}
    )
    assert {*BOOKS} == {*RuleSet}


def test_the_default_rules_are_anhoejs_and_three_sigma():
    """Other sets are chosen by name."""
    assert BOOKS[RuleSet.ANHOEJ].rules == (
        Rule.BEYOND_LIMITS,
        Rule.LONG_RUN,
        Rule.FEW_CROSSINGS,
    )


def test_a_run_is_long_above_round_log2_n_plus_3():
    """With 16 useful points 7 in a row are common, 8 are a signal."""
    common = [1.0] * 7 + [-1.0, 1.0] * 4 + [-1.0]
    long = [1.0] * 8 + [-1.0, 1.0] * 4

    assert Rule.LONG_RUN not in found(common, RuleSet.ANHOEJ)
    assert found(long, RuleSet.ANHOEJ)[Rule.LONG_RUN] == [tuple(range(8))]


def test_points_on_the_line_neither_break_nor_lengthen_anhoejs_run():
    """The point at 0 is dropped, and is no part of the finding."""
    values = [1.0] * 4 + [0.0] + [1.0] * 4 + [-1.0, 1.0] * 4

    assert found(values, RuleSet.ANHOEJ)[Rule.LONG_RUN] == [(0, 1, 2, 3, 5, 6, 7, 8)]


def test_points_on_the_line_break_a_run_of_eight_elsewhere():
    """Western Electric's rule asks for points on one side."""
    values = [1.0] * 4 + [0.0] + [1.0] * 4

    assert Rule.EIGHT_ON_A_SIDE not in found(values, RuleSet.WESTERN_ELECTRIC)
    assert Rule.EIGHT_ON_A_SIDE in found([1.0] * 8, RuleSet.WESTERN_ELECTRIC)


def test_too_few_crossings_are_a_signal_of_the_whole_phase():
    """12 points may cross 3 times, not twice: P(X <= 2) is 0.033 of 11 tosses."""
    thrice = [1.0] * 3 + [-1.0] * 3 + [1.0] * 3 + [-1.0] * 3
    twice = [1.0] * 4 + [-1.0] * 4 + [1.0] * 4

    assert Rule.FEW_CROSSINGS not in found(thrice, RuleSet.ANHOEJ)
    assert found(twice, RuleSet.ANHOEJ)[Rule.FEW_CROSSINGS] == [tuple(range(12))]
    assert not Rule.FEW_CROSSINGS.is_about_points


def test_a_point_on_a_limit_is_inside_it():
    """Beyond means beyond, whatever the last bit of a sum."""
    beyond = found([3.0, 3.0 + 1e-12, 3.1, -3.1], RuleSet.SHEWHART)

    assert beyond == {Rule.BEYOND_LIMITS: [(2,), (3,)]}


def test_two_of_three_and_four_of_five_point_at_the_points_beyond():
    """The point in between is not what stands out."""
    values = [2.5, 0.5, 2.5, -0.5, -1.5, -1.5, -0.5, -1.5, -1.5]

    findings = found(values, RuleSet.WESTERN_ELECTRIC)

    assert findings[Rule.TWO_OF_THREE] == [(0, 2)]
    assert findings[Rule.FOUR_OF_FIVE] == [(4, 5, 7, 8)]


def test_points_on_both_sides_are_not_two_of_three():
    """Two sigmas up and two down are no shift."""
    assert found([2.5, -2.5, 0.1], RuleSet.WESTERN_ELECTRIC) == {}


def test_fourteen_alternating_points_are_a_signal_of_nelsons():
    """13 are not."""
    assert Rule.ALTERNATING not in found([0.5, -0.5] * 6 + [0.5], RuleSet.NELSON)
    assert found([0.5, -0.5] * 7, RuleSet.NELSON)[Rule.ALTERNATING] == [
        tuple(range(14))
    ]


def test_an_ihi_trend_counts_a_repeated_value_once():
    """Five rising points with one repeated; the repetition is skipped."""
    values = [-0.4, -0.3, -0.3, 0.2, 0.3, 0.4]

    assert found(values, RuleSet.IHI_RUN)[Rule.FIVE_TREND] == [(0, 1, 3, 4, 5)]
    assert Rule.FIVE_TREND not in found(values[:-1], RuleSet.IHI_RUN)


def test_an_ihi_shift_skips_points_on_the_median():
    """Six on a side, with one on the line between them."""
    values = [1.0, 1.2, 1.0, 0.0, 1.2, 1.0, 1.2, -1.0]

    assert found(values, RuleSet.IHI_RUN)[Rule.SIX_ON_A_SIDE] == [(0, 1, 2, 4, 5, 6)]


def test_the_chance_of_a_number_of_runs_is_that_of_counting():
    """Of the 252 orders of five above and five below, 2 have two runs, 8 have three."""
    assert run_chance(2, above=5, below=5) == pytest.approx(2 / 252)
    assert run_chance(3, above=5, below=5) == pytest.approx(8 / 252)
    chances = [run_chance(runs, above=4, below=7) for runs in range(2, 12)]
    assert sum(chances) == pytest.approx(1)


def test_too_few_and_too_many_runs_are_rarer_than_1_in_40():
    """With five on each side two runs have 1 chance in 126, three or fewer 1 in 25."""
    two = [1.0] * 5 + [-1.0] * 5
    three = [1.0] * 3 + [-1.0] * 5 + [1.0] * 2
    ten = [1.0, -1.0] * 5

    assert Rule.FEW_RUNS in found(two, RuleSet.IHI_RUN)
    assert Rule.FEW_RUNS not in found(three, RuleSet.IHI_RUN)
    assert Rule.MANY_RUNS in found(ten, RuleSet.IHI_RUN)


def test_a_run_ends_with_its_phase():
    """A rebase starts the count anew."""
    assert found([1.0] * 14, RuleSet.NHS_MDC, phases=[1] * 8 + [2] * 6) == {
        Rule.SEVEN_ON_A_SIDE: [tuple(range(8))]
    }


def test_a_missing_point_is_stepped_over():
    """Seven of the eight months have data, all of them above."""
    values = [1.0, 1.0, None, 1.0, 1.0, 1.0, 1.0, 1.0]

    assert found(values, RuleSet.NHS_MDC)[Rule.SEVEN_ON_A_SIDE] == [
        (0, 1, 3, 4, 5, 6, 7)
    ]


def test_an_excluded_point_is_in_no_run_but_still_beyond_its_limits():
    """Its cause is known; that it is special stays true."""
    values = [1.0] * 6 + [9.0]

    assert found(values, RuleSet.NHS_MDC, excluded={6}) == {Rule.BEYOND_LIMITS: [(6,)]}

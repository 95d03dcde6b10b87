"""Growth: z-scores as the CDC and the WHO publish them, and as whole numbers."""

import pytest

from app.measures.growth import (
    TABLES,
    UnknownGrowthTableError,
    cut_offs,
    growth_table,
    measurement,
    restricted_z_score,
    z_score,
)

P5, P50, P95 = -1.645, 0, 1.645
"""The z-scores that the CDC gives for its 5th, 50th and 95th percentile."""

NINE_MONTHS_MALE = (-0.1600954, 9.476500305, 0.11218624)
"""L, M and S of the CDC's own example: a boy of nine months."""


def test_the_cdcs_own_example_comes_out():
    """9.7 kg is a z-score of 0.207, and the 5th percentile is 7.90 kg."""
    z = z_score(9.7, *NINE_MONTHS_MALE)
    fifth = measurement(P5, *NINE_MONTHS_MALE)

    assert z == pytest.approx(0.207, abs=0.0005)
    assert fifth == pytest.approx(7.90, abs=0.005)


def test_without_skewness_the_logarithm_is_taken():
    """The formula divides by L; as L goes to 0 it becomes log(value / M) / S."""
    almost = z_score(11, 1e-9, 10, 0.1)

    assert z_score(11, 0, 10, 0.1) == pytest.approx(0.953102, abs=1e-6)
    assert z_score(11, 0, 10, 0.1) == pytest.approx(almost, abs=1e-6)
    assert measurement(0.953102, 0, 10, 0.1) == pytest.approx(11, abs=1e-5)


@pytest.mark.parametrize(
    ("table", "sex", "age", "percentiles"),
    [
        ("cdc-bmi", "male", 24, (14.71929257, 16.54777487, 19.27889813)),
        ("cdc-bmi", "male", 60, (13.83854804, 15.41914163, 17.93892524)),
        ("cdc-bmi", "male", 84, (13.72112886, 15.51286936, 19.15236073)),
        ("cdc-bmi", "male", 119, (14.19394037, 16.60308661, 22.06493737)),
        ("cdc-height", "male", 24, (81.08868, 86.86161, 92.63177)),
        ("cdc-height", "male", 120, (128.1625, 138.8234, 149.9053)),
        ("cdc-height", "male", 198, (162.1196, 174.631, 186.3613)),
        ("cdc-weight", "male", 24, (10.70051, 12.74154, 15.2763)),
        ("cdc-weight", "male", 119, (24.74766, 31.78312, 45.64872)),
        ("cdc-weight", "male", 198, (49.19189, 63.03228, 86.68415)),
    ],
)
def test_percentiles_are_those_that_the_cdc_publishes(table, sex, age, percentiles):
    """
    The published 5th, 50th and 95th percentile of the month that begins at this age.

    Source: CDC's data tables of 2000, bmiagerev, statage and wtage, at age + 0.5.
    """
    rows = growth_table(table)

    found = [rows.z_score(value, sex=sex, age_in_months=age) for value in percentiles]

    assert found == pytest.approx([P5, P50, P95], abs=0.0005)


@pytest.mark.parametrize(
    ("table", "sex", "age", "minus_two", "median", "plus_two"),
    [
        ("who-weight", "male", 0, 2.5, 3.3, 4.4),
        ("who-weight", "male", 4, 5.6, 7.0, 8.7),
        ("who-weight", "female", 6, 5.7, 7.3, 9.3),
        ("who-weight", "female", 12, 7.0, 8.9, 11.5),
        ("who-length", "male", 12, 71.0, 75.7, 80.5),
        ("who-length", "female", 0, 45.4, 49.1, 52.9),
        ("who-bmi", "male", 6, 14.7, 17.3, 20.5),
        ("who-bmi", "female", 12, 13.8, 16.4, 19.6),
    ],
)
def test_standards_are_those_that_the_who_prints(
    table, sex, age, minus_two, median, plus_two
):
    """
    The printed -2 SD, median and +2 SD, to their one decimal.

    Source: WHO Child Growth Standards, simplified field tables (z-scores).
    """
    row = growth_table(table).rows[sex, age]

    assert round(measurement(-2, *row), 1) == minus_two
    assert round(measurement(0, *row), 1) == median
    assert round(measurement(2, *row), 1) == plus_two


def test_a_girl_of_twelve_months_is_scored_as_by_the_daily_table():
    """
    9 kg at 365 days is 0.0488 by the WHO's table of days, 0.0472 by that of months.

    Source: the worked example in doi:10.6084/m9.figshare.4294085.
    """
    by_day = z_score(9, -0.2022, 8.9462, 0.12267)
    by_month = growth_table("who-weight").z_score(9, sex="female", age_in_months=12)

    assert by_day == pytest.approx(0.0488, abs=0.0001)
    assert by_month == pytest.approx(0.0472, abs=0.0001)


def test_the_who_goes_on_in_equal_steps_beyond_three():
    """L = 1, S = 0.1: SDs are 10 wide; with L = 0, those of 2 to 3 are repeated."""
    straight = restricted_z_score(140, 1, 100, 0.1)
    two, three = measurement(2, 0, 100, 0.1), measurement(3, 0, 100, 0.1)
    skew = restricted_z_score(three + (three - two), 0, 100, 0.1)
    low = measurement(-3, 0, 100, 0.1)
    width = measurement(-2, 0, 100, 0.1) - low

    assert straight == pytest.approx(4)
    assert skew == pytest.approx(4)
    assert restricted_z_score(low - width / 2, 0, 100, 0.1) == pytest.approx(-3.5)
    assert restricted_z_score(two, 0, 100, 0.1) == pytest.approx(2)


def test_only_the_whos_indicators_by_weight_are_restricted():
    """The CDC prescribes no such step, and length has no skewness."""
    restricted = {name for name in TABLES if growth_table(name).restricted}

    assert restricted == {"who-weight", "who-bmi"}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_whole(table):
    """A month without a row would drop children silently."""
    rows = growth_table(table).rows
    ages = range(24, 240) if table.startswith("cdc") else range(24)

    assert set(rows) == {(sex, age) for sex in ("female", "male") for age in ages}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("z", [-3.5, -2, -1.645, -1, 0, 1.036, 2])
def test_to_compare_thousandths_is_to_compare_z_scores(table, z):
    """The cut-off itself has at least z, one thousandth less has not; so at most."""
    known = growth_table(table)

    lowest = cut_offs(table, z)
    highest = cut_offs(table, z, word="at_most")

    for key, row in known.rows.items():
        assert known.scored((lowest[key] - 1) / 1000, row) < z
        assert known.scored(lowest[key] / 1000, row) >= z
        assert known.scored(highest[key] / 1000, row) <= z
        assert known.scored((highest[key] + 1) / 1000, row) > z


def test_a_z_score_that_no_measurement_has_is_never_reached():
    """L is -3.33 for a boy of 82 months: z-scores end at 1 / (3.33 * 0.0905) = 3.3."""
    lowest = cut_offs("cdc-bmi", 3.5)
    highest = cut_offs("cdc-bmi", 3.5, word="at_most")

    assert lowest["male", 82] == 1_000_000
    assert highest["male", 82] == 999_999


def test_an_age_without_a_row_has_no_z_score():
    """The CDC's charts begin at 24 months: better no score than a wrong one."""
    table = growth_table("cdc-bmi")

    assert table.z_score(16, sex="male", age_in_months=23) is None
    assert table.z_score(16, sex="male", age_in_months=240) is None
    assert table.z_score(16, sex="other", age_in_months=60) is None


def test_a_table_that_is_not_there_is_named():
    """The message lists what there is."""
    with pytest.raises(UnknownGrowthTableError, match="`cdc-bmx`: say one of cdc-bmi"):
        cut_offs("cdc-bmx", 0)

"""One line of cells and its total: what may be shown of it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.disclosure.lines import (
    Part,
    Shown,
    Total,
    is_hidden_safely,
    is_large,
    is_safe_pool,
    shown_in_line,
)


def own_parts(counts: Mapping[int, int]) -> dict[int, Part]:
    """Return parts that one clinic each stands behind."""
    return {clinic: {clinic: (count,)} for clinic, count in counts.items()}


def golden_case(shared: Path, name: str) -> dict:
    path = shared / "golden/disclosure/own_policy_cases.json"
    cases = json.loads(path.read_text())["cases"]
    return next(case for case in cases if case["name"] == name)


def test_the_threshold_is_the_smallest_number_shown(shared: Path):
    """10 is hidden and 11 is not. Zero is small: ACRO's ``zeros_are_disclosive``."""
    case = golden_case(shared, "threshold boundary <11 (CMS/PCORnet)")

    hidden = [not is_large((count,), k=case["k"]) for count in case["counts"]]

    assert hidden == [True, *case["suppressed"][1:]]


@pytest.mark.parametrize("name", ["numerator small, denominator large"])
def test_a_small_numerator_hides_the_complement_too(shared: Path, name: str):
    """200 - 197 = 3, so both go."""
    case = golden_case(shared, name)

    assert not is_large((case["num"], case["den"] - case["num"]), k=case["k"])


@pytest.mark.parametrize("name", ["complement small", "all of them (100%)"])
def test_a_small_complement_hides_the_numerator_too(shared: Path, name: str):
    """At 40 of 40 the status of all 40 is known."""
    case = golden_case(shared, name)

    assert not is_large((case["num"], case["den"] - case["num"]), k=case["k"])


def test_one_clinic_alone_is_no_pool(shared: Path):
    """500 people of one clinic are that clinic's number, whatever it is called."""
    case = golden_case(shared, "single contributing site")

    assert not is_safe_pool(
        {1: (case["count"],), 2: (0,)}, k=11, min_clinics=case["k_sites"]
    )


def test_a_pool_stands_without_any_one_clinic():
    """Clinic 1 takes its 300 out of 310 and is left with 10 people of the others."""
    assert is_safe_pool({1: (300,), 2: (6,), 3: (5,)}, k=11, min_clinics=3)
    assert not is_safe_pool({1: (300,), 2: (5,), 3: (5,)}, k=11, min_clinics=3)


def test_twenty_small_clinics_pool_to_something():
    """Twenty times nine is 180, not nothing."""
    assert is_safe_pool(dict.fromkeys(range(20), (9,)), k=11, min_clinics=3)


@pytest.mark.parametrize(
    ("hidden", "is_safe"),
    [
        ([4, 4, 4], True),
        ([8, 8], False),
        ([0, 0, 30], False),
        ([20, 3, 1], False),
        ([20, 3, 2], True),
        ([], False),
    ],
)
def test_hidden_clinics_hide_behind_one_another(hidden: list[int], is_safe: bool):  # noqa: FBT001 (a column of the table)
    """
    At k = 5: three clinics with people, and 5 left for each that knows its own.

    Of two, each knows the other. Of 20, 3 and 1 the first is left with 4.
    """
    parts = own_parts(dict(enumerate(hidden)))

    assert is_hidden_safely(list(parts.values()), k=5, is_capped=False) is is_safe


def test_one_hidden_stratum_takes_another_with_it(shared: Path):
    """254 - 120 - 130 = 4 would give the third away."""
    case = golden_case(shared, "single suppressed cell + total")
    strata = {
        number: {clinic: (count // 4 + (clinic < count % 4),) for clinic in range(4)}
        for number, count in enumerate(case["cells"].values())
    }
    large = {
        number
        for number, part in strata.items()
        if is_safe_pool(part, k=case["k"], min_clinics=3)
    }

    shown = shown_in_line(strata, large, total=Total.KNOWN, k=case["k"])

    assert len(large) == 2
    assert len(shown.parts) < 2


def test_the_smallest_clinic_is_hidden_next_until_three_are():
    """6 and 7 join the 2: clinic 2 is left with 13, 3 with 9, 4 with 8."""
    parts = own_parts({1: 50, 2: 2, 3: 6, 4: 7, 5: 40})

    shown = shown_in_line(parts, {1, 3, 4, 5}, total=Total.SAFE, k=5)

    assert shown == Shown({1, 5}, total=True)


def test_a_total_that_nothing_makes_safe_is_hidden_and_the_clinics_stay():
    """With two clinics each would know the other."""
    parts = own_parts({1: 50, 2: 2})

    assert shown_in_line(parts, {1}, total=Total.SAFE, k=5) == Shown({1}, total=False)


def test_a_total_that_is_shown_already_hides_the_parts_instead():
    """A quarter's total stands when its strata are looked at."""
    parts = own_parts({1: 50, 2: 2})

    assert shown_in_line(parts, {1}, total=Total.KNOWN, k=5) == Shown(set(), total=True)


def test_nothing_is_hidden_beside_a_total_where_nothing_is_small():
    """All three are shown, and their sum with them."""
    parts = own_parts({1: 50, 2: 20, 3: 30})

    shown = shown_in_line(parts, {1, 2, 3}, total=Total.SAFE, k=5)

    assert shown == Shown({1, 2, 3}, total=True)


def test_no_line_of_a_published_table_is_left_as_its_heuristic_left_it(shared: Path):
    """
    Two hidden cells a line are too few where each cell's owner reads along.

    The table hides two or three cells in every row and column, and one of them can be
    computed from four of its lines. Releases have no tables of two dimensions; held to
    the rule for clinics, not one of these lines passes with only two hidden.
    """
    path = shared / "golden/disclosure/sdctable_linear_combination.json"
    table = json.loads(path.read_text())
    axes = [(0, row) for row in table["rows"]] + [(1, col) for col in table["cols"]]
    for position, letter in axes:
        names = [name for name in table["cells"] if name[position] == letter]
        parts = own_parts({i: table["cells"][name] for i, name in enumerate(names)})
        candidates = {i for i, n in enumerate(names) if n not in table["hidden"]}

        shown = shown_in_line(parts, candidates, total=Total.KNOWN, k=5)

        assert len(parts.keys() - shown.parts) != 2


def test_a_linked_table_leaves_its_cells_no_shelter(shared: Path):
    """
    A + B is known from the county, so of the small regions K and N stand alone.

    Published as "jointly recoverable: K = 3, by small(30) - county-1(20) = K + N";
    the fix named there, to hide N as well, is part of what the rule does.
    """
    path = shared / "golden/disclosure/sdctable_linked_tables.json"
    case = json.loads(path.read_text())
    micro = case["micro"]
    rows = zip(micro["region"], micro["group"], micro["n"], strict=True)
    small = {ord(region): n for region, group, n in rows if group == "small"}
    hidden = {ord(region) for region in case["table2"]["hidden"]}

    shown = shown_in_line(
        own_parts(small),
        small.keys() - hidden,
        total=Total.KNOWN,
        k=4,
        weak={ord("A"), ord("B")},
    )

    assert ord("N") not in shown.parts

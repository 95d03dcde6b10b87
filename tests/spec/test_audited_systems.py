"""Published tables from the literature in which a hidden number can be worked out."""

import json
from itertools import chain
from pathlib import Path

import pytest

from app.disclosure.systems import Reach, leaves_open, reach, solution, system

K = 11


def read(shared: Path, name: str) -> dict:
    text = (shared / "golden" / "disclosure" / f"sdctable_{name}.json").read_text()
    found: dict = json.loads(text)
    return found


def hidden_rest(cells: dict[str, int], hidden: list[str], lines: list[list[str]]):
    """Return the system of what is hidden in lines whose totals are told."""
    place = {name: i for i, name in enumerate(hidden)}
    parts = [[name for name in line if name in place] for line in lines]
    return system(
        len(hidden),
        equal=[
            (dict.fromkeys((place[n] for n in line), 1), sum(cells[n] for n in line))
            for line in parts
            if line
        ],
    )


def table_lines(table: dict) -> list[list[str]]:
    rows = [[f"{row}{col}" for col in table["cols"]] for row in table["rows"]]
    return rows + [list(line) for line in zip(*rows, strict=True)]


def test_a_linear_combination_of_lines_is_caught(shared):
    """Each line hides two, and yet rows w and x less columns a and c are cell wb."""
    table = read(shared, "linear_combination")
    hidden = table["hidden"]
    given = hidden_rest(table["cells"], hidden, table_lines(table))

    exact = {
        name: int(ends.least)
        for i, name in enumerate(hidden)
        if (ends := reach(given, {i: 1})).least == ends.most
    }

    assert exact == table["expect"]["exactly_recoverable"]
    assert not leaves_open(given, {hidden.index("wb"): 1}, k=K)


def test_one_more_hidden_cell_opens_it(shared):
    """Now wb may be anything from 0 to 141, in whole numbers too; no cell is exact."""
    table = read(shared, "linear_combination")
    hidden = [*table["hidden"], table["expect"]["one_fix"]]
    given = hidden_rest(table["cells"], hidden, table_lines(table))
    least, most = table["expect"]["after_fix_bounds"]["wb"]

    assert reach(given, {hidden.index("wb"): 1}) == Reach(least, most)
    assert leaves_open(given, {hidden.index("wb"): 1}, k=K)
    for i in range(len(hidden)):
        ends = reach(given, {i: 1})
        assert ends.least < ends.most


def region_lines(micro: dict, by: str) -> list[list[str]]:
    pairs = list(zip(micro["region"], micro[by], strict=True))
    return [[r for r, group in pairs if group == one] for one in sorted(set(micro[by]))]


@pytest.mark.parametrize("fixed", [False, True])
def test_two_tables_that_are_safe_alone_are_caught_together(shared, fixed):
    """Small regions less the first county are K and N, and N is told; unless hidden."""
    table = read(shared, "linked_tables")
    micro = table["micro"]
    counts = dict(zip(micro["region"], micro["n"], strict=True))
    hidden = table["table1"]["hidden"] + (["N"] if fixed else [])
    county, group = (region_lines(micro, by) for by in ("county", "group"))
    k = 4

    def is_open(lines: list[list[str]]) -> bool:
        given = hidden_rest(counts, hidden, lines)
        return leaves_open(given, {hidden.index("K"): 1}, k=k)

    assert is_open(county)
    assert is_open(group)
    assert is_open(list(chain(county, group))) is fixed


def test_what_only_fractions_satisfy_is_not_compatible():
    """Each two of three counts make 1 together: halves do, people do not."""
    given = system(3, equal=[({0: 1, 1: 1}, 1), ({1: 1, 2: 1}, 1), ({0: 1, 2: 1}, 1)])

    assert reach(given, {0: 1}) == Reach(0.5, 0.5)
    assert solution(given, {0: 1, 1: 1, 2: 1}, 1) is None


def test_a_contradiction_leaves_nothing_open():
    """A table that cannot be true protects nobody."""
    given = system(1, equal=[({0: 1}, 1), ({0: 1}, 2)])

    assert not leaves_open(given, {0: 1}, k=2)

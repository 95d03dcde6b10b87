"""Published tables from the literature in which a hidden number can be worked out."""

import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from app.disclosure.systems import Program, Sum, System, system

K = 11


def read(shared: Path, name: str) -> dict:
    text = (shared / "golden" / "disclosure" / f"sdctable_{name}.json").read_text()
    found: dict = json.loads(text)
    return found


def possible(given: System, goal: Sum, values: Iterable[int]) -> list[int]:
    """Return which of some *values* a sum of hidden counts may have."""
    asked = Program(given, goal)
    return [value for value in values if asked.solution(value) is not None]


def is_open(given: System, goal: Sum, k: int) -> bool:
    return possible(given, goal, range(k)) == list(range(k))


def hidden_rest(cells: dict[str, int], hidden: list[str], lines: list[list[str]]):
    """Return the system of what is hidden in lines whose totals are told."""
    place = {name: i for i, name in enumerate(hidden)}
    parts = [[name for name in line if name in place] for line in lines]
    sums = np.array([sum(cells[name] for name in line) for line in parts if line])
    rows = [[int(name in line) for name in hidden] for line in parts if line]
    return system(np.array(rows), least=sums, most=sums)


def table_lines(table: dict) -> list[list[str]]:
    rows = [[f"{row}{col}" for col in table["cols"]] for row in table["rows"]]
    return rows + [list(line) for line in zip(*rows, strict=True)]


def test_a_linear_combination_of_lines_is_caught(shared):
    """Each line hides two, and yet rows w and x less columns a and c are cell wb."""
    table = read(shared, "linear_combination")
    hidden = table["hidden"]
    given = hidden_rest(table["cells"], hidden, table_lines(table))

    exact = {
        name: table["cells"][name]
        for i, name in enumerate(hidden)
        if len(possible(given, {i: 1}, beside(table["cells"][name]))) == 1
    }
    assert exact == table["expect"]["exactly_recoverable"]
    assert not is_open(given, {hidden.index("wb"): 1}, K)


def test_one_more_hidden_cell_opens_it(shared):
    """Now wb may be anything from 0 to 141, in whole numbers too; no cell is exact."""
    table = read(shared, "linear_combination")
    hidden = [*table["hidden"], table["expect"]["one_fix"]]
    given = hidden_rest(table["cells"], hidden, table_lines(table))
    least, most = table["expect"]["after_fix_bounds"]["wb"]

    wb = {hidden.index("wb"): 1}
    assert possible(given, wb, [least - 1, least, most, most + 1]) == [least, most]
    assert is_open(given, wb, K)
    for i, name in enumerate(hidden):
        assert len(possible(given, {i: 1}, beside(table["cells"][name]))) > 1


def beside(value: int) -> range:
    """Return a value, and those next to it; what may be more is never alone here."""
    return range(max(0, value - 1), value + 2)


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

    def is_safe(lines: list[list[str]]) -> bool:
        return is_open(hidden_rest(counts, hidden, lines), {hidden.index("K"): 1}, k)

    assert is_safe(county)
    assert is_safe(group)
    assert is_safe(list(chain(county, group))) is fixed


def test_what_only_fractions_satisfy_is_not_compatible():
    """Each two of three counts make 1 together: halves do, people do not."""
    pairs = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    given = system(pairs, least=np.ones(3, int), most=1)

    assert possible(given, {0: 1}, range(3)) == []
    assert possible(given, {0: 1, 1: 1, 2: 1}, range(4)) == []


def test_a_contradiction_leaves_nothing_open():
    """A table that cannot be true protects nobody."""
    told = np.array([1, 2])
    given = system(np.array([[1], [1]]), least=told, most=told)

    assert possible(given, {0: 1}, range(3)) == []

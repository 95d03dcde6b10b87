"""Documented ranges: exact for instruments, of our own choice for measurements."""

import re

import pytest

from app.domain.terminology import LOINC, NETWORK, Coding
from app.measures.definitions import MeasureDefinitionError, coding_of
from app.measures.ranges import (
    RANGES,
    Flag,
    Range,
    Verdicts,
    parse_ranges,
    ranges_by_code,
    verdicts,
)
from tests.conftest import ROOT
from tests.reference.library import FILES, LIBRARY

SHIPPED = parse_ranges(FILES[RANGES])
BY_CODE = ranges_by_code(SHIPPED)
DOCUMENT = (ROOT / "docs" / "data-quality.md").read_text()
YEAR = 12
PAIN = "pain: {kind: instrument, codes: [loinc|72514-3], unit: '{score}', %s}"


def held_to(coding: Coding, unit: str) -> Verdicts:
    found = verdicts(BY_CODE[coding], unit)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("coding", "unit", "lowest", "highest"),
    [
        (Coding(LOINC, "44261-6"), "{score}", 0, 27),  # PHQ-9: nine items of 0-3
        (Coding(LOINC, "89204-2"), "{score}", 0, 27),  # PHQ-9M
        (Coding(NETWORK, "pucai-total"), "{score}", 0, 85),
        (Coding(NETWORK, "wpcdai-total"), "{score}", 0, 125),
        (Coding(NETWORK, "active-joint-count"), "{count}", 0, 71),
        (Coding(LOINC, "75846-6"), "{score}", 0, 10),
        (Coding(LOINC, "75894-6"), "{score}", 0, 10),
        (Coding(LOINC, "72514-3"), "{score}", 0, 10),
    ],
)
def test_an_instruments_bounds_are_its_lowest_and_highest_score(
    coding: Coding, unit: str, lowest: int, highest: int
):
    """The bounds are scores that people have; a thousandth beyond is none."""
    held = held_to(coding, unit)

    for value in (1000 * lowest, 1000 * highest):
        assert not held.is_impossible(value, age=None)
        assert not held.is_improbable(value, age=None)
    assert held.is_impossible(1000 * lowest - 1, age=None)
    assert held.is_impossible(1000 * highest + 1, age=None)
    assert BY_CODE[coding].kind == "instrument"


@pytest.mark.parametrize(
    ("code", "age", "value", "improbable"),
    [
        ("8302-2", 10 * YEAR, 110_000, False),  # 110 cm at ten
        ("8302-2", 40 * YEAR, 110_000, True),
        ("8302-2", None, 110_000, False),  # of unknown age: it may be a child
        ("8302-2", None, 30_000, True),  # too short at any age
        ("29463-7", 18 * YEAR - 1, 25_000, False),
        ("29463-7", 18 * YEAR, 25_000, True),
        ("8480-6", 5 * YEAR, 210_000, True),
        ("8480-6", 50 * YEAR, 210_000, False),
    ],
)
def test_what_is_improbable_depends_on_age(
    code: str,
    age: int | None,
    value: int,
    improbable: bool,  # noqa: FBT001  (a column of the table)
):
    """Completed years; where the age is unknown only what is odd at every age is."""
    held = held_to(Coding(LOINC, code), BY_CODE[Coding(LOINC, code)].unit)

    assert held.is_improbable(value, age=age) is improbable
    assert not held.is_impossible(value, age=age)


def test_a_range_is_held_in_whatever_unit_a_value_came():
    """1.8 m are 180 cm, and 18 m are 1,800; 71 inches are 180.34 cm."""
    height = BY_CODE[Coding(LOINC, "8302-2")]
    in_metres, in_inches = verdicts(height, "m"), verdicts(height, "[in_i]")

    assert in_metres is not None
    assert in_inches is not None
    assert not in_metres.is_impossible(1_800, age=None)
    assert in_metres.is_impossible(18_000, age=None)
    assert in_inches.is_plain(71_000)
    assert not in_inches.is_plain(180_000)  # 457 cm
    assert verdicts(height, "kg") is None


def test_what_is_plain_is_flagged_at_no_age():
    """The quick look and the exact one never differ."""
    for each in SHIPPED.values():
        held = verdicts(each, each.unit)
        assert held is not None
        for value in (held.low, held.high):
            for age in (None, *range(0, 100 * YEAR, 6)):
                assert not held.is_impossible(value, age=age)
                assert not held.is_improbable(value, age=age)


def test_the_improbable_begins_before_the_impossible():
    """At each bound of the impossible a value is improbable already, or it is 0."""
    for name, each in SHIPPED.items():
        held = verdicts(each, each.unit)
        assert held is not None
        bounds = [b for limit in each.impossible for b in (limit.below, limit.above)]
        for age in (5 * YEAR, 40 * YEAR) if each.improbable else ():
            for bound in filter(None, bounds):
                assert held.is_improbable(round(1000 * bound), age=age), (name, bound)


def test_every_number_that_the_library_measures_has_a_range():
    """A new measure brings the range of what it asks for."""
    asked = {
        coding_of(code): observable.unit
        for measure in LIBRARY.values()
        for observable in measure.observables.values()
        if observable.unit is not None
        for code in measure.value_sets[observable.codes]
    }

    assert asked.keys() <= BY_CODE.keys()
    assert all(verdicts(BY_CODE[code], unit) for code, unit in asked.items())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PAIN % "impossible: []", "impossible"),
        (PAIN % "impossible: [{above: 10}]", "because"),
        (PAIN % "impossible: [{because: none}]", "below, above or both"),
        (PAIN % "impossible: [{below: 9, above: 8, because: x}]", "more than above"),
        (PAIN % "impossible: [{over: 10, because: x}]", "over"),
        ("pain: {kind: guess}", "guess"),
        (
            PAIN.replace("{score}", "points") % "impossible: [{above: 9, because: x}]",
            "UCUM",
        ),
        (
            "\n".join(
                PAIN.replace("pain", name) % "impossible: [{above: 9, because: x}]"
                for name in ("pain", "ache")
            ),
            "loinc|72514-3",
        ),
    ],
)
def test_a_range_that_is_none_is_refused_by_name(text: str, told: str):
    """With what to mend; the file is part of the library, and as strict."""
    with pytest.raises(MeasureDefinitionError) as refused:
        parse_ranges(text)

    assert RANGES in refused.value.message
    assert told in f"{refused.value.message} {refused.value.expression}"


def test_the_page_shows_every_range_as_it_is():
    """A clinic that asks why a value was flagged finds the bound and its reason."""
    _, _, section = DOCUMENT.partition("## Ranges")
    rows = re.findall(r"(?m)^\| `(.+)$", section)

    assert [f"| `{row}" for row in rows] == [
        line for name, each in SHIPPED.items() for line in _lines(name, each)
    ]


def _lines(name: str, each: Range) -> list[str]:
    """Return the lines of the page's table about one range."""
    codes = ", ".join(code.partition("|")[2] for code in each.codes)
    kind = "fact" if each.kind == "instrument" else "choice"
    limits = [("impossible", limit) for limit in each.impossible]
    limits += [("improbable", limit) for limit in each.improbable]
    return [
        f"| `{name}` | {codes} | {each.unit} | {what} | {_ages(limit)} | "
        f"{_values(limit)} | {kind}: {limit.because} |"
        for what, limit in limits
    ]


def _ages(limit: Flag) -> str:
    if limit.age is None:
        return "all"
    below = limit.age.below
    return f"from {limit.age.from_}" if below is None else f"below {below}"


def _values(limit: Flag) -> str:
    stated = {"below": limit.below, "above": limit.above}
    return ", ".join(f"{w} {b:g}" for w, b in stated.items() if b is not None)

"""What a sender's unit means, and how one unit becomes another."""

import csv
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidElementError
from app.ucum.spellings import CODE_BY_SPELLING
from app.ucum.units import Conversion, canonical_unit, conversion

VALIDITY_EXCEPTIONS = {
    "iU": "invalid as UCUM, but a spelling that can mean only [IU]",
    "rad2{a}": "an annotation that is not on the list is left out",
    "{a}.rad2{b}": "an annotation that is not on the list is left out",
    "1{c}": "an annotation that is not on the list is left out",
    "{e}": "an annotation that is not on the list is left out",
}
CONVERSION_PRECISION = {
    "3-113": "the suite rounds 25.2 to the two digits of the value",
    "3-115": "the suite rounds 1.575 to the two digits of the value",
    "3-122": "below 9 decimal places; the factor is compared",
    "3-123": "below 9 decimal places; the factor is compared",
    "3-128": "below 9 decimal places; the factor is compared",
}
NOT_UNDERSTOOD = {
    "M/uL": "no unit is called M in UCUM: million, mega or molar, nobody can tell",
    "265201": "a code of IEEE 11073, not a unit's name",
    "258813002": "a code of SNOMED CT, not a unit's name",
    "258814008": "a code of SNOMED CT, not a unit's name",
    "% (sample/positive control)": "free text",
}


def suite_cases(shared: Path, section: str) -> list[dict[str, str]]:
    tree = ET.parse(shared / "data/ucum/UcumFunctionalTests.xml")
    return [case.attrib for case in tree.findall(f"{section}/case")]


def known_conversion(source: str, target: str) -> Conversion:
    found = conversion(source, target)
    assert found is not None
    return found


def test_the_functional_suite_agrees_on_what_is_valid(shared: Path):
    """Valid codes come back as they are, invalid ones not at all."""
    cases = suite_cases(shared, "validation")

    differing = {
        case["unit"]
        for case in cases
        if canonical_unit(case["unit"])
        != (case["unit"] if case["valid"] == "true" else None)
    }

    assert len(cases) > 500
    assert differing == set(VALIDITY_EXCEPTIONS)


def test_the_functional_suite_agrees_on_conversions(shared: Path):
    """Each outcome is met to the digits the suite states."""
    for case in suite_cases(shared, "conversion"):
        found = known_conversion(case["srcUnit"], case["dstUnit"])
        stated = Fraction(case["outcome"])
        if case["id"] in CONVERSION_PRECISION:
            exact = Fraction(case["value"]) * found.factor
            # The suite's light year is of an older table, 3 parts in 10,000,000 away.
            assert exact == pytest.approx(stated, rel=0.02), case["id"]
        else:
            outcome = found.apply(Decimal(case["value"]))
            assert float(outcome) == pytest.approx(float(stated), rel=2e-3), case["id"]


def test_every_common_code_is_understood(shared: Path):
    """848 codes from UCUM's own list of common units keep their meaning."""
    path = shared / "data/ucum/ucum_examples_ucumvert.tsv"
    codes = [line.split("\t")[1] for line in path.read_text().splitlines()[1:]]

    meanings = {code: conversion(code, canonical_unit(code) or "") for code in codes}

    # The list says Torr; UCUM has no such atom, and 1 Torr is 1 mm[Hg].
    assert {code for code, found in meanings.items() if found is None} == {"Torr"}
    assert {found.factor for found in meanings.values() if found} == {Fraction(1)}


def test_every_unit_seen_in_real_data_is_understood_or_explained(shared: Path):
    """Units that senders wrote, in both places where they write them."""
    with (shared / "data/ucum/units_seen.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    seen = {row[column] for row in rows for column in ("code", "unit")} - {"None"}

    assert {unit for unit in seen if canonical_unit(unit) is None} == set(
        NOT_UNDERSTOOD
    )


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("mmHg", "mm[Hg]"),
        ("(score)", "{score}"),
        ("DEG C", "Cel"),
        ("\u00b0C", "Cel"),
        ("\u00b0F", "[degF]"),
        ("beats/min", "{beats}/min"),
        ("bpm", "{beats}/min"),
        ("copies/ml", "{copies}/mL"),
        ("IU/L", "[IU]/L"),
        ("mIU/L", "m[IU]/L"),
        ("units", "{unit}"),
        ("mm/hr", "mm/h"),
        ("\u00b5g/g", "ug/g"),
        ("kg/m\u00b2", "kg/m2"),
        ("MG/DL", "mg/dL"),
        (" mg/dL ", "mg/dL"),
        ("x10^3/uL", "10*3/uL"),
        ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
        ("lbs", "[lb_av]"),
    ],
)
def test_a_well_known_spelling_has_its_code(stated: str, code: str):
    """What EHRs write where UCUM is meant."""
    assert canonical_unit(stated) == code


@pytest.mark.parametrize(
    "code", ["mL", "ml", "[iU]/L", "m[IU]/L", "10*3/uL", "K/uL", "C", "F", "pH", "MG"]
)
def test_a_valid_code_is_never_reinterpreted(code: str):
    """``K/uL`` is kelvin per microlitre, and ``MG`` megagauss: no guess is made."""
    assert canonical_unit(code) == code


@pytest.mark.parametrize(
    "stated", ["", " ", "furlongs per fortnight", "m/", "10+3/ul", "{\u932f}", "g" * 51]
)
def test_what_is_no_unit_is_none(stated: str):
    """Nothing unknown is stored as if it were a unit."""
    assert canonical_unit(stated) is None


def test_every_spelling_leads_to_a_valid_code():
    """A slip in the table would make valid data uncountable."""
    assert {
        code for code in CODE_BY_SPELLING.values() if canonical_unit(code) != code
    } == set()


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("kg{John_Smith}", "kg"),
        ("{MRN-4711}", "1"),
        ("/{Smith}", "/1"),
        ("{Smith}.g/(d.{x})", "1.g/(d.1)"),
        ("123456789", None),
        ("10*123456789", None),
    ],
)
def test_nothing_personal_fits_into_a_unit(stated: str, code: str | None):
    """Annotations and numerals are the free text of UCUM."""
    assert canonical_unit(stated) == code


@settings(deadline=None)  # the first question loads the grammar
@given(st.text(max_size=60))
def test_a_canonical_unit_is_its_own_canonical_unit(stated: str):
    """Storing what was stored changes nothing."""
    code = canonical_unit(stated)

    assert code is None or canonical_unit(code) == code


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("37", "Cel", "[degF]", "98.6"),
        ("98.6", "[degF]", "Cel", "37"),
        ("-40", "[degF]", "Cel", "-40"),
        ("0", "K", "Cel", "-273.15"),
        ("32", "[degF]", "K", "273.15"),
        ("25", "%", "1", "0.25"),
        ("3", "{score}", "1", "3"),
        ("3", "{count}", "{score}", "3"),
        ("0.5", "mg/dL", "mg/L", "5"),
        ("70", "[in_i]", "cm", "177.8"),
        ("150", "[lb_av]", "kg", "68.0388555"),
        ("250", "10*3/uL", "10*9/L", "250"),
        ("80", "{beats}/min", "/min", "80"),
        ("5", "[IU]/L", "m[iU]/mL", "5"),
        ("30", "U/L", "umol/min/L", "30"),
        ("1", "s", "min", "0.016666667"),
        ("3", "dB", "dB", "3"),
    ],
)
def test_a_conversion_is_exact(value: str, source: str, target: str, expected: str):
    """By the definitions: an inch has 2.54 cm, a pound 0.45359237 kg."""
    assert known_conversion(source, target).apply(Decimal(value)) == Decimal(expected)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("mmol/L", "mg/dL"),
        ("mmol/L", "/L"),
        ("[IU]/L", "U/L"),
        ("[IU]/L", "/L"),
        ("Cel", "kg"),
        ("J/Cel", "J/K"),
        ("dB", "1"),
        ("kg", "nonsense"),
        ("nonsense", "nonsense"),
    ],
)
def test_there_is_no_conversion_between_different_things(source: str, target: str):
    """Molar mass is not known; an international unit depends on the substance."""
    assert conversion(source, target) is None


@settings(deadline=None)  # the first question loads the grammar
@given(
    st.decimals(-(10**6), 10**6, places=6),
    st.sampled_from([("Cel", "[degF]"), ("mg/dL", "g/L"), ("[in_i]", "m")]),
)
def test_there_and_back_is_the_same_value(value: Decimal, units: tuple[str, str]):
    """Two roundings at the ninth place cost less than a millionth."""
    there, back = known_conversion(*units), known_conversion(*reversed(units))

    assert abs(back.apply(there.apply(value)) - value) <= Decimal("0.000001")


def test_rounding_is_half_even_at_the_ninth_place():
    """1.0000000005 lies halfway, and 0 is the even neighbour."""
    same = Conversion(factor=Fraction(1))

    assert same.apply(Decimal("1.0000000005")) == Decimal("1.000000000")
    assert same.apply(Decimal("1.0000000015")) == Decimal("1.000000002")


@pytest.mark.parametrize("value", ["1E+999999", "1E-999999", "NaN", "Infinity"])
def test_a_value_that_no_measurement_has_is_refused(value: str):
    """A fraction of a million digits would stop the hub."""
    with pytest.raises(InvalidElementError):
        known_conversion("kg", "g").apply(Decimal(value))


def test_nothing_is_loaded_at_import():
    """A hub that only serves releases pays nothing for units."""
    code = "import sys, app.ucum.units; sys.exit('ucumvert' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_known_unit_costs_next_to_nothing():
    """Intake asks for every quantity; measured: 0.00005 ms. Held to 0.01 ms."""
    canonical_unit("mg/dL")
    start = time.perf_counter()
    for _ in range(1000):
        canonical_unit("mg/dL")

    assert time.perf_counter() - start < 0.01

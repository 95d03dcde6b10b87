"""The library's measures: each says what it means by examples, and keeps its word."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from app.domain.terminology import LOINC, NETWORK, Coding
from app.measures.checks import leaves
from app.measures.definitions import Comparison, Predicate
from app.measures.examples import disagreements
from app.measures.facts import canonical_units
from app.services.authoring import faults_of
from app.services.trials import failed_examples
from tests.reference.library import LIBRARY, READ

ORIGINS = [definition.document.origin for definition in READ.definitions]


@pytest.mark.parametrize("definition", READ.definitions, ids=ORIGINS)
def test_every_worked_example_of_the_library_holds(definition):
    """A definition is only as good as the patients it is tried on."""
    assert list(failed_examples(definition)) == []


def test_an_example_that_does_not_hold_is_told_by_its_title_and_interval():
    """Silence must mean agreement: with no events, 9.1 % would be no poor control."""
    measure = LIBRARY["hba1c-poor-control"]

    told = [problem.message for problem in disagreements(measure, [])]

    assert (
        "Of two values on one day the lower one counts: 2023-05 is none, not numerator"
        in told
    )


def test_nothing_is_wrong_with_the_library():
    """Every code has its system's syntax, every unit converts, every example holds."""
    assert faults_of(READ) == []


@pytest.fixture(scope="module")
def cut_offs(shared: Path) -> Any:
    """Published cut-offs of disease activity scores."""
    path = shared / "golden/measures/disease_activity_cutoffs.json"
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("basis", ["", "-visits"])
def test_cjadas10_has_the_published_cut_offs_of_its_set(cut_offs, basis):
    """Three sets compete, and they put the same child into different classes."""
    measure = LIBRARY[f"jia-low-disease-activity{basis}"]
    published = {
        row["course"].split()[0]: row["low_le"]
        for row in cut_offs["cJADAS10"]["sets"]
        if row["id"] == measure.cut_off_set
    }

    oligo, poly = comparisons(measure.predicates["numerator"])

    assert (oligo.at_most, poly.at_most) == (published["oligo"], published["poly"])


@pytest.mark.parametrize("basis", ["", "-visits"])
def test_pucai_has_the_published_cut_off(cut_offs, basis):
    """Remission is below 10, which is not remission itself."""
    (comparison,) = comparisons(LIBRARY[f"uc-remission{basis}"].predicates["numerator"])

    assert comparison.below == cut_offs["PUCAI"]["remission_lt"]


@pytest.mark.parametrize("measure_id", ["jia-low-disease-activity"])
def test_cjadas10_adds_up_as_published(cut_offs, measure_id):
    """Each published example: two globals, and joints up to ten."""
    components = LIBRARY[measure_id].composites["cjadas10"].components
    names = {"physician-global": "phys", "patient-global": "pt", "active-joints": "ajc"}
    for example in cut_offs["worked_examples"]:
        total = sum(
            min(example[names[name]], math.inf if part.cap is None else part.cap)
            for name, part in components.items()
        )

        assert total == pytest.approx(example.get("cJADAS10", total))


def test_the_library_agrees_on_one_unit_for_each_code():
    """A fact is stored in one unit, whichever measure asks for it."""
    units = canonical_units(LIBRARY.values())

    assert units[Coding(LOINC, "4548-4")].unit == "%"
    assert units[Coding(LOINC, "8480-6")].unit == "mm[Hg]"
    assert units[Coding(NETWORK, "pucai-total")].unit == "{score}"


def comparisons(predicate: Predicate) -> list[Comparison]:
    """Return the comparisons that a predicate makes, from left to right."""
    return [leaf.value for leaf in leaves(predicate) if leaf.value is not None]

"""The library's measures: each says what it means by examples, and keeps its word."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from app.domain.terminology import LOINC, NETWORK, Coding
from app.measures.checks import leaves
from app.measures.definitions import Comparison, Measure, Predicate
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


SETS = ("trincianti-acr-2021", "backstrom-2019", "consolaro")
CLASSES = {"jia-low-disease-activity": "low_le", "jia-inactive-disease": "inactive_le"}


@pytest.mark.parametrize("basis", ["", "-visits"])
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("cut_off_set", SETS)
def test_cjadas10_has_the_published_cut_offs_of_its_set(
    cut_offs, name, basis, cut_off_set
):
    """Three sets compete, and they put the same child into different classes."""
    published = {
        row["course"].split()[0]: row[CLASSES[name]]
        for row in cut_offs["cJADAS10"]["sets"]
        if row["id"].startswith(cut_off_set)
    }

    oligo, poly = comparisons(of_set(f"{name}{basis}", cut_off_set).numerator)

    assert (oligo.at_most, poly.at_most) == (published["oligo"], published["poly"])


@pytest.mark.parametrize("cut_off_set", SETS)
@pytest.mark.parametrize("course", ["oligo", "poly"])
def test_published_scores_have_the_published_classes(cut_offs, course, cut_off_set):
    """An inactive child is in low disease activity too; the published word is one."""
    position = ("oligo", "poly").index(course)
    limits = [
        comparisons(of_set(name, cut_off_set).numerator)[position]
        for name in ("jia-inactive-disease", "jia-low-disease-activity")
    ]
    short = cut_off_set.split("-")[0]
    rated = [row for row in cut_offs["worked_examples"] if course in row]
    assert rated

    for example in rated:
        inactive, low = (limit.at_most for limit in limits)
        score = example["cJADAS10"]
        found = (
            "above low" if score > low else "low" if score > inactive else "inactive"
        )

        assert example[course][short].split(" (")[0] == found


@pytest.mark.parametrize("basis", ["", "-visits"])
@pytest.mark.parametrize(
    ("measure_id", "index"), [("uc-remission", "PUCAI"), ("crohn-remission", "wPCDAI")]
)
def test_an_index_of_bowel_disease_has_the_published_cut_off(
    cut_offs, measure_id, index, basis
):
    """Remission is below 10, or 12.5, which is not remission itself."""
    (comparison,) = comparisons(LIBRARY[f"{measure_id}{basis}"].numerator)

    assert comparison.below == cut_offs[index]["remission_lt"]


@pytest.mark.parametrize("measure", LIBRARY.values(), ids=LIBRARY.keys())
def test_a_measure_of_people_has_three_examples_at_least(measure):
    """One that meets it, one that does not, and one at a boundary."""
    whole = [m for m in LIBRARY.values() if measure.id in (m.id, m.variant_of)]
    examples = [example for each in whole for example in each.examples]

    assert measure.variant_of or len(examples) >= 3


def test_irritable_bowel_is_in_no_set_of_inflammatory_bowel_disease():
    """K58 stands next to K50 and K51, and is another disease."""
    codes = LIBRARY["ibd-visit-completeness"].value_sets
    families = {*codes["crohn-disease"], *codes["ulcerative-colitis"]}

    assert {code for code in families if code.startswith("icd")} == {
        "icd-10-cm|K50*",
        "icd-10-cm|K51*",
    }


def test_psoriatic_arthritis_is_in_the_set_of_every_form():
    """ICD-10-CM has it under psoriasis, where M08 does not reach."""
    sets = LIBRARY["jia-no-active-joints"].value_sets

    assert {"icd-10-cm|M08*", "icd-10-cm|L40.54"} <= set(
        sets["juvenile-idiopathic-arthritis"]
    )


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


def of_set(measure_id: str, cut_off_set: str) -> Measure:
    """Return the measure that a definition makes of one of its cut-off sets."""
    (found,) = (
        measure
        for measure in LIBRARY.values()
        if measure_id in (measure.id, measure.variant_of)
        and measure.cut_off_set == cut_off_set
    )
    return found


def comparisons(predicate: Predicate | None) -> list[Comparison]:
    """Return the comparisons that a predicate makes, from left to right."""
    assert predicate is not None
    return [leaf.value for leaf in leaves(predicate) if leaf.value is not None]

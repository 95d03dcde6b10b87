"""What a definition may say, and how it is told that it may not."""

import json

import jsonschema_rs
import msgspec
import pytest

from app.measures.definitions import (
    Measure,
    MeasureDefinitionError,
    json_schema,
    thousandths,
)
from app.measures.libraries import VALUE_SETS, parse_library, parse_measures
from tests.reference.library import FILES, FOLDER, LIBRARY

SHARED = {
    "qualifying-visit": ("act-code|AMB",),
    "colitis": ("icd-10-cm|K51*",),
    "pucai-total": ("network|pucai-total",),
}
DEFINITION = """
id: tried
version: 1.0.0
title: Tried
description: Tried
basis: latest-status
look_back_months: 12
scoring: proportion
improvement_notation: increase
observables:
  pucai: {codes: pucai-total, unit: "{score}", tie: highest}
initial_population: {condition: colitis}
scorable: {measured: pucai}
numerator: {value: {of: pucai, below: 10}}
sources: [tried]
examples:
  - title: nobody
    expect: {2024-01: none}
"""


def parsed(text: str = DEFINITION) -> Measure:
    """Return the definition in *text*, with a few shared value sets."""
    (measure,) = parse_measures(text, origin="tried.yaml", shared=SHARED)
    return measure


def test_a_definition_holds_the_value_sets_that_it_uses_and_no_others():
    """A definition stands for itself: a change of its codes is a change of it."""
    shared = {**SHARED, "crohn": ("icd-10-cm|K50*",)}

    (measure,) = parse_measures(DEFINITION, origin="tried.yaml", shared=shared)

    assert set(measure.value_sets) == set(SHARED)


@pytest.mark.parametrize(
    ("stated", "instead", "told"),
    [
        ("title: Tried", "titel: Tried", "unknown field `titel`"),
        ("title: Tried\n", "", "missing required field `title`"),
        ("improvement_notation: increase\n", "", "`improvement_notation`"),
        ("version: 1.0.0", "version: 1.0", "Expected `str`"),
        ("basis: latest-status", "basis: rolling", "rolling"),
        ("look_back_months: 12\n", "", "look_back_months"),
        ("basis: latest-status", "basis: visits", "look_back_months"),
        ("condition: colitis", "condition: colits", "unknown value set `colits`"),
        ("codes: pucai-total", "codes: pucai", "unknown value set `pucai`"),
        ("codes: pucai-total", "codes: colitis", "without `*`"),
        ("measured: pucai", "measured: pga", "unknown observable or composite `pga`"),
        ("of: pucai", "of: pga", "`pga`"),
        ("below: 10", "below: 10, above: 3", "exactly one of: below, at_most"),
        ("of: pucai, below: 10", "of: pucai", "exactly one of"),
        ("below: 10", "below: ten", "Expected `float"),
        ("below: 10", "below: 10.0001", "finer than thousandths"),
        ("below: 10", "below: .nan", "finer than thousandths"),
        ("{measured: pucai}", "{measured: pucai, sex: male}", "exactly one of: all"),
        ("{measured: pucai}", "{all: []}", "length >= 1"),
        ("{measured: pucai}", "{age: {from: 18, below: 18}}", "below more than"),
        ("{measured: pucai}", "{answer: {of: pucai, in: [network|a]}}", "answers"),
        ('unit: "{score}", ', "", "either a unit or answers"),
        ("tie: highest", "tie: median", "median"),
        ("sources: [tried]", "sources: []", "length >= 1"),
        ("2024-01: none", "2024-13: none", "matching regex"),
        ("2024-01: none", "2024-01: all", "all"),
        ("sources:", "stratifier: {age_band: [12, 6]}\nsources:", "must ascend"),
        ("  pucai: {", '  "x) --": {', "matching regex"),
        ("id: tried", "id: [", "expected"),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_its_place(stated, instead, told):
    """A typing error must not become a measure that counts something else."""
    assert stated in DEFINITION

    with pytest.raises(MeasureDefinitionError) as refused:
        parsed(DEFINITION.replace(stated, instead, 1))

    assert refused.value.message.startswith("tried.yaml: ")
    assert told in refused.value.message


def test_a_refusal_points_at_the_place():
    """The author of twenty lines should not have to search them."""
    with pytest.raises(MeasureDefinitionError) as refused:
        parsed(DEFINITION.replace("below: 10", "below: ten"))

    assert refused.value.expression == "$.numerator.value.below"


@pytest.mark.parametrize(
    ("component", "told"),
    [
        ("pga: {}", "unknown observable `pga`"),
        ("mean: {}", "`mean` of `both` must be a lowest or highest number"),
        ("coded: {}", "`coded` of `both` must be a lowest or highest number"),
        ("other: {cap: 0.0001}", "finer than thousandths"),
    ],
)
def test_a_composite_adds_numbers_of_one_day(component, told):
    """No mean and no answer has a place in an exact sum."""
    observables = """observables:
  other: {codes: pucai-total, unit: "1", tie: lowest}
  mean: {codes: pucai-total, unit: "1", tie: mean}
  coded: {codes: pucai-total, answers: [network|a], tie: lowest}
"""
    composites = f"composites: {{both: {{components: {{pucai: {{}}, {component}}}}}}}\n"
    text = DEFINITION.replace("observables:\n", observables)
    text = text.replace("initial_population", composites + "initial_population")

    with pytest.raises(MeasureDefinitionError, match=told):
        parsed(text)


def test_the_digest_changes_with_what_is_counted_and_not_with_the_wording():
    """A better title is not a new series; another cut-off is."""
    digest = parsed().digest

    assert parsed(DEFINITION.replace("title: Tried", "title: Better")).digest == digest
    assert parsed(DEFINITION.replace("below: 10", "below: 10.0")).digest == digest
    assert parsed(DEFINITION.replace("below: 10", "below: 11")).digest != digest
    wider = {**SHARED, "colitis": ("icd-10-cm|K51*", "snomed-ct|64766004")}
    (other,) = parse_measures(DEFINITION, origin="tried.yaml", shared=wider)
    assert other.digest != digest


def test_a_library_refuses_two_measures_of_one_id():
    """A series must belong to one definition."""
    text = FILES["uc-remission.yaml"]
    files = {VALUE_SETS: FILES[VALUE_SETS], "a.yaml": text, "b.yaml": text}

    with pytest.raises(MeasureDefinitionError, match="two definitions"):
        parse_library(files)


def test_a_library_refuses_a_relation_to_a_measure_that_is_not_there():
    """Disclosure control subtracts what is related; it must be able to find it."""
    text = FILES["uc-remission.yaml"] + "\nsubset_of: [ibd-remission]\n"

    with pytest.raises(MeasureDefinitionError, match="not here"):
        parse_library({VALUE_SETS: FILES[VALUE_SETS], "a.yaml": text})


def test_the_published_schema_is_made_from_the_types():
    """There is one source of the language; the file is for editors and programs."""
    published = (FOLDER.parent / "measure.schema.json").read_text("utf-8")

    assert json.loads(published) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("name", LIBRARY)
def test_the_schema_accepts_the_library(name):
    """An editor must not underline what the hub takes."""
    validator = jsonschema_rs.validator_for(json_schema())
    text = FILES[f"{name}.yaml"]
    stated = json.loads(msgspec.json.encode(msgspec.yaml.decode(text)))

    assert [error.message for error in validator.iter_errors(stated)] == []


@pytest.mark.parametrize(("number", "whole"), [(0.1, 100), (4.001, 4001), (-3, -3000)])
def test_a_cut_off_is_exact_in_thousandths(number, whole):
    """0.1 is 100 thousandths, though no float is 0.1."""
    assert thousandths(number) == whole

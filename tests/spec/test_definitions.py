"""What a definition may say, and how it is told that it may not."""

import json
from collections.abc import Mapping

import jsonschema_rs
import msgspec
import pytest

from app.measures.definitions import (
    Measure,
    MeasureDefinitionError,
    json_schema,
    thousandths,
)
from app.measures.libraries import FaultyDefinitionError, parse_library, parse_measures
from app.measures.value_sets import ValueSet
from tests.reference.library import FILES, FOLDER, READ
from tests.reference.value_sets import value_set

SHARED = {
    name: value_set(name, *rules)
    for name, rules in {
        "qualifying-visit": ["act-code|AMB"],
        "colitis": ["icd-10-cm|K51*"],
        "pucai-total": ["network|pucai-total"],
    }.items()
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
BELOW = "{value: {of: pucai, below: 10}}"
GROWN = "growth: {of: pucai, table: %s, below_z: -1}"


def parsed(text: str = DEFINITION, shared: Mapping[str, ValueSet] = SHARED) -> Measure:
    """Return the definition in *text*, with a few shared value sets."""
    (measure,) = parse_measures(text, origin="tried.yaml", shared=shared)
    return measure


def test_a_definition_holds_the_value_sets_that_it_uses_and_no_others():
    """A definition stands for itself: a change of its codes is a change of it."""
    shared = {**SHARED, "crohn": value_set("crohn", "icd-10-cm|K50*")}

    measure = parsed(shared=shared)

    assert set(measure.value_sets) == set(SHARED)


@pytest.mark.parametrize(
    ("stated", "instead", "line", "told"),
    [
        (
            "title: Tried",
            "titel: Tried",
            4,
            "unknown field `titel`; did you mean `titl",
        ),
        ("title: Tried", "foo: Tried", 4, "unknown field `foo`; known are id, version"),
        ("title: Tried\n", "", 2, "missing required field `title`: add it"),
        ("improvement_notation: increase\n", "", 2, "`improvement_notation`"),
        ("id: tried", "id: Tried", 2, "small letters, digits and single hyphens"),
        ("version: 1.0.0", "version: 1.0", 3, "three numbers, as `1.0.0`"),
        ("version: 1.0.0", "version: v1", 3, "three numbers, as `1.0.0`"),
        ("basis: latest-status", "basis: latest", 6, "did you mean `latest-status`?"),
        ("look_back_months: 12\n", "", 2, "look_back_months"),
        ("basis: latest-status", "basis: visits", 7, "look_back_months"),
        ("condition: colitis", "condition: colits", 12, "unknown value set `colits`"),
        ("codes: pucai-total", "codes: pucai", 11, "unknown value set `pucai`"),
        ("codes: pucai-total", "codes: colitis", 11, "without `*`"),
        ("measured: pucai", "measured: pga", 13, "observable or composite `pga`"),
        ("of: pucai", "of: pga", 14, "`pga`"),
        ("below: 10", "below: 10, above: 3", 14, "exactly one of: below, at_most"),
        ("of: pucai, below: 10", "of: pucai", 14, "exactly one of"),
        ("below: 10", "below: ten", 14, "`ten` is in no cut-off set"),
        ("below: 10", "below: [10]", 14, "Expected `float"),
        ("below: 10", "below: 10.0001", 14, "finer than thousandths"),
        ("below: 10", "below: .nan", 14, "no number to count with"),
        (
            "{measured: pucai}",
            "{measured: pucai, sex: male}",
            13,
            "exactly one of: all",
        ),
        ("{measured: pucai}", "{all: []}", 13, "length >= 1"),
        ("{measured: pucai}", "{age: {from: 18, below: 18}}", 13, "below more than"),
        ("{measured: pucai}", "{answer: {of: pucai, in: [network|a]}}", 13, "answers"),
        ("{measured: pucai}", "{not: {any: [{sex: man}]}}", 13, "unknown word `man`"),
        ('unit: "{score}", ', "", 11, "either a unit or answers"),
        ('unit: "{score}"', "unit: furlong", 11, "`furlong` is no unit of UCUM"),
        ('unit: "{score}"', 'unit: "mm Hg"', 11, "did you mean `mm[Hg]`?"),
        (BELOW, f"{{{GROWN % 'cdc-heigth'}}}", 14, "did you mean `cdc-height`?"),
        (
            BELOW,
            f"{{not: {{{GROWN % 'cdc-height'}}}}}",
            14,
            "`cdc-height` is in cm: let",
        ),
        ("tie: highest", "tie: median", 11, "unknown word `median`; did you mea"),
        ("sources: [tried]", "sources: []", 15, "length >= 1"),
        ("2024-01: none", "2024-13: none", 18, "write a month `2024-03`"),
        ("2024-01: none", "2024: none", 18, "the year in quotation marks"),
        ("2024-01: none", "2024-01: nobody", 18, "unknown word `nobody`"),
        ("2024-01: none}", "2024-01: none, 2024-01: none}", 18, "`2024-01` stands twi"),
        (
            "title: nobody",
            "values: {2024-02-30: {}}",
            17,
            "a date that a calendar has",
        ),
        (
            "sources:",
            "stratifiers: {a: {age_band: [6, 6]}}\nsources:",
            15,
            "must ascend",
        ),
        ("sources:", "value_set_versions: {}\nsources:", 15, "not for a file to say"),
        ("sources:", "variant_of: tried\nsources:", 15, "not for a file to say"),
        ("sources:", "value_sets: {x: [lonic|1-1]}\nsources:", 15, "mean `loinc`?"),
        ("sources:", "value_sets: {x: [loinc|1*]}\nsources:", 15, "only ICD has famil"),
        ("sources:", "cut_off_set: a\ncut_off_sets: {b: {}}\nsources:", 15, "set `a`"),
        ("  pucai: {", '  "x) --": {', 11, "small letters, digits"),
        ("sources: [tried]", "sources: &a [*a]", 15, "an alias is not taken"),
        ("sources:", "<<: {id: a}\nsources:", 15, "a merge key is not taken"),
        (
            "{measured: pucai}",
            f"{'{not: ' * 11}{{measured: pucai}}{'}' * 11}",
            13,
            "nested more than 10 deep: take it apart",
        ),
        (
            "{measured: pucai}",
            f"{'{not: ' * 300}{{measured: pucai}}{'}' * 300}",
            13,
            "nested more than 40 deep: take it apart",
        ),
        ("title: Tried", "title: 12", 4, "put it in quotes"),
        ("months: 12", "months: 0121", 7, "write a number up to 120"),
        ("months: 12", "months: 1:30", 7, "write a whole number"),
        ("months: 12", "months: 0", 7, "write a number from 1"),
        ("below: 10", "below: 1e300", 14, "are not exact: take a larger unit"),
        ("{condition: colitis}", "{age: {from: 1:30}}", 12, "write a whole number"),
        (
            "title: nobody",
            "title: nobody\n    visits: {2024-01-02: {pucai: .inf}}",
            18,
            "`.inf` is no number to count with",
        ),
        (
            'unit: "{score}"',
            "answers: [network|a, network|b, network|a]",
            11,
            "`network|a` stands twice: take one out",
        ),
        ("id: tried", "id: [", 2, "this is no YAML"),
        ("id: tried", "id: \t- a", 2, "this is no YAML"),
    ],
)
def test_what_is_not_of_the_language_is_refused_at_its_line(
    stated, instead, line, told
):
    """A typing error must not become a measure that counts something else."""
    assert stated in DEFINITION

    with pytest.raises(FaultyDefinitionError) as refused:
        parsed(DEFINITION.replace(stated, instead, 1))

    found = [f"{fault}" for fault in refused.value.faults]
    assert any(
        each.startswith(f"tried.yaml:{line}: ") and told in each for each in found
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]", "id", "null", "3"])
def test_a_file_that_is_no_mapping_is_told_how_a_measure_begins(text):
    """Who opens an editor for the first time has an empty file."""
    with pytest.raises(FaultyDefinitionError) as refused:
        parsed(text)

    assert refused.value.message == (
        "tried.yaml:1: no definition here: a measure is a mapping that begins with"
        " `id:`"
    )


@pytest.mark.parametrize(
    ("written", "months"), [("012", 12), ("0o14", 12), ("0xC", 12), ("+12", 12)]
)
def test_numbers_are_those_of_yaml_1_2(written, months):
    """YAML 1.1 read 012 as ten: people would be looked for in ten months."""
    text = DEFINITION.replace("months: 12", f"months: {written}")

    assert parsed(text).look_back_months == months


@pytest.mark.parametrize("title", ["2024-01-01", "1:30", "yes", "True story", "1_000"])
def test_what_looks_like_a_value_to_yaml_1_1_is_text(title):
    """A title is what was written, without quotes too."""
    assert parsed(DEFINITION.replace("title: Tried", f"title: {title}")).title == title


def test_a_cut_off_may_have_an_exponent():
    """Platelets are written 1.5e2."""
    number = parsed(DEFINITION.replace("below: 10", "below: 1e1")).numerator

    assert number is not None
    assert number.value is not None
    assert number.value.below == 10


def test_everything_that_is_wrong_is_told_at_once():
    """The author of twenty lines should not be sent back twenty times."""
    text = DEFINITION.replace("title: Tried", "titel: Tried")
    text = text.replace("scoring: proportion", "scoring: share")
    text = text.replace("below: 10", "below: 10, above: 11")

    with pytest.raises(FaultyDefinitionError) as refused:
        parsed(text)

    assert [fault.line for fault in refused.value.faults] == [2, 4, 8, 14]


def test_a_component_that_stands_twice_is_refused():
    """YAML takes the last in silence: a cap would be lost, and nobody would know."""
    composites = (
        "composites: {both: {components: {\n  pucai: {cap: 3},\n  pucai: {}}}}\n"
    )
    text = DEFINITION.replace("initial_population", composites + "initial_population")

    with pytest.raises(FaultyDefinitionError) as refused:
        parsed(text)

    (fault,) = refused.value.faults
    assert (fault.line, fault.message[:20]) == (14, "`pucai` stands twice")


def test_a_window_that_ends_before_it_begins_is_refused():
    """It would match nobody, and look like a network in which nobody is treated."""
    text = DEFINITION.replace("basis: latest-status", "basis: index-events")
    text = text.replace(
        "look_back_months: 12",
        "index: {condition: colitis}\nwindow: {from_months: 3, to_months: 1}",
    )

    with pytest.raises(FaultyDefinitionError, match=r"tried\.yaml:8: .*never matches"):
        parsed(text)


@pytest.mark.parametrize(
    ("component", "told"),
    [
        ("pga: {}", "unknown observable `pga`"),
        ("mean: {}", "`mean` must be a lowest or highest number"),
        ("coded: {}", "`coded` must be a lowest or highest number"),
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
    wider = value_set("colitis", "icd-10-cm|K51*", "snomed-ct|64766004")
    assert parsed(shared={**SHARED, "colitis": wider}).digest != digest


def test_the_digest_knows_what_a_value_set_holds_and_not_what_it_is_called():
    """A series begins anew when other people count, and not when a title is mended."""
    listed = value_set("colitis", "snomed-ct|64766004", "icd-10-cm|K51*")
    turned = value_set(
        "colitis", "icd-10-cm|K51*", "snomed-ct|64766004", version="2.0.0"
    )
    fewer = value_set(
        "colitis", "icd-10-cm|K51*", "snomed-ct|64766004", "not icd-10-cm|K51.8*"
    )

    first, second, third = (
        parsed(shared={**SHARED, "colitis": each}) for each in (listed, turned, fewer)
    )

    assert first.digest == second.digest
    assert first.digest != third.digest


def test_a_measure_says_which_versions_of_its_value_sets_it_counts_by():
    """Of a set of the definition's own it is the definition's version."""
    shared = {**SHARED, "colitis": value_set("colitis", "icd-10-cm|K51*", version="7")}
    text = DEFINITION.replace(
        "observables:", "value_sets: {pucai-total: [network|p]}\nobservables:"
    )

    assert parsed(text, shared).value_set_versions == {
        "colitis": "7",
        "pucai-total": "1.0.0",
        "qualifying-visit": "1.0.0",
    }


def library_with(**texts: str) -> dict[str, str]:
    """Return the library's value sets, and definitions of a test's own."""
    sets = {name: text for name, text in FILES.items() if name.endswith(".json")}
    return {**sets, **{f"{name}.yaml": text for name, text in texts.items()}}


def test_a_library_refuses_two_measures_of_one_id():
    """A series must belong to one definition."""
    text = FILES["uc-remission.yaml"]

    with pytest.raises(MeasureDefinitionError, match=r"b\.yaml:1: .* a\.yaml too"):
        parse_library(library_with(a=text, b=text))


def test_a_library_refuses_a_relation_to_a_measure_that_is_not_there():
    """Disclosure control subtracts what is related; it must be able to find it."""
    text = FILES["uc-remission.yaml"] + "\nsubset_of: [uc-remision]\n"
    line = len(text.splitlines())

    with pytest.raises(MeasureDefinitionError) as refused:
        parse_library(library_with(a=text))

    assert refused.value.message == (
        f"a.yaml:{line}: there is no measure `uc-remision` here;"
        " did you mean `uc-remission`?"
    )


@pytest.mark.parametrize("word", ["subset_of", "sum_of"])
@pytest.mark.parametrize(
    ("first", "second"), [("first", None), ("second", "first")], ids=["itself", "two"]
)
def test_a_library_refuses_relations_that_lead_back(word, first, second):
    """Nothing is the sum of itself; disclosure control would follow it for ever."""
    text = FILES["uc-remission.yaml"]
    texts = {
        own: text.replace("id: uc-remission", f"id: {own}")
        + (f"\n{word}: [{other}]\n" if other else "")
        for own, other in (("first", first), ("second", second))
    }

    with pytest.raises(MeasureDefinitionError, match=r"leads by .* back to itself"):
        parse_library(library_with(**texts))


def test_a_library_refuses_one_code_in_two_units():
    """A fact is stored once, so all definitions must compare it in one unit."""
    text = FILES["hba1c-poor-control.yaml"]
    other = text.replace("id: hba1c", "id: other").replace(
        'unit: "%"', "unit: mmol/mol"
    )
    other = other.replace("{unit: mmol/mol,", "{unit: '%',")

    with pytest.raises(MeasureDefinitionError, match=r"b\.yaml:15: .*another unit"):
        parse_library(library_with(a=text, b=other))


def test_the_value_sets_of_before_are_refused_with_what_to_do():
    """A network that kept its one YAML file is told where value sets are now."""
    with pytest.raises(MeasureDefinitionError, match="catchment valueset"):
        parse_library({"value_sets.yaml": "{}"})


def test_the_published_schema_is_made_from_the_types():
    """There is one source of the language; the file is for editors and programs."""
    published = (FOLDER.parent / "measure.schema.json").read_text("utf-8")

    assert json.loads(published) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("document", [each.document for each in READ.definitions])
def test_the_schema_accepts_the_library(document):
    """An editor must not underline what the hub takes, and reads YAML as it does."""
    validator = jsonschema_rs.validator_for(json_schema())
    stated = json.loads(msgspec.json.encode(document.data))

    assert [error.message for error in validator.iter_errors(stated)] == []


@pytest.mark.parametrize(("number", "whole"), [(0.1, 100), (4.001, 4001), (-3, -3000)])
def test_a_cut_off_is_exact_in_thousandths(number, whole):
    """0.1 is 100 thousandths, though no float is 0.1."""
    assert thousandths(number) == whole

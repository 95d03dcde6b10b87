"""Which codes are kept as they are, and what becomes of the others."""

import re
from typing import Any

import pytest

from app.domain.errors import InvalidCodeError, InvalidElementError
from app.domain.records import Quantity, Value
from app.domain.terminology import LOCAL, NETWORK, Coding
from tests.deidentification import (
    concept,
    condition,
    deidentified,
    encounter,
    observation,
    source,
)

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
HL7 = "http://terminology.hl7.org/CodeSystem"
OID = "urn:oid:2.16.840.1.113883.6"


def kept(system: str | None, code: str, **changes) -> Coding:
    resource = condition(code=concept(system, code))
    codings: tuple[Coding, ...] = deidentified(
        resource, by=source(**changes)
    ).content.code
    (coding,) = codings
    return coding


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (LOINC, "8480-6"),
        (LOINC, "104638-2"),
        (LOINC, "LA6576-8"),
        (LOINC, "LA137-2"),
        (SNOMED, "34000006"),
        (SNOMED, "900000000000207008"),
        (ICD_10_CM, "K51.90"),
        (ICD_10_CM, "C4A.0"),
        (ICD_10_CM, "M08.20"),
        (ICD_10_CM, "I10"),
        (ICD_10_CM, "T36.0X1A"),
        (ICD_10_CM, "S06.0XAA"),
        (ICD_10_CM, "I82.4Y1"),
        (ICD_10, "K50.0"),
        (ICD_9_CM, "714.30"),
        (ICD_9_CM, "V58.69"),
        (f"{HL7}/observation-category", "vital-signs"),
        (NETWORK, "pucai-total"),
    ],
)
def test_a_code_of_a_listed_system_in_its_syntax_is_kept(system: str, code: str):
    """These are published codes: none of them says who."""
    assert kept(system, code) == Coding(system, code)


@pytest.mark.parametrize(
    ("system", "code", "coding"),
    [
        (ICD_10_CM, "K5190", Coding(ICD_10_CM, "K51.90")),
        (ICD_10_CM, "k51.90", Coding(ICD_10_CM, "K51.90")),
        (ICD_9_CM, "71430", Coding(ICD_9_CM, "714.30")),
        (f"{OID}.1", "8480-6", Coding(LOINC, "8480-6")),
        (f"{OID}.96", "34000006", Coding(SNOMED, "34000006")),
        (f"{OID}.90", "K5190", Coding(ICD_10_CM, "K51.90")),
        (f"{OID}.103", "714.30", Coding(ICD_9_CM, "714.30")),
        (f"{OID}.3", "K50.0", Coding(ICD_10, "K50.0")),
        (f"{OID}.8", "mg", Coding("http://unitsofmeasure.org", "mg")),
    ],
)
def test_one_code_has_one_form(system: str, code: str, coding: Coding):
    """OIDs become URIs, and ICD codes get their dot."""
    assert kept(system, code) == coding


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (LOINC, "8480-7"),
        (LOINC, "LA6576-3"),
        (LOINC, "Ann Miller"),
        (LOINC, "8480-6\n"),
        (SNOMED, "34000007"),
        (SNOMED, "12345"),
        (SNOMED, "034000006"),
        (ICD_10_CM, "MRN12345"),
        (ICD_10_CM, "A12BOB"),
        (ICD_10_CM, "M08.ANNA"),
        (SNOMED, "5551234567"),
        (ICD_9_CM, "miller"),
        (f"{HL7}/observation-category", "ann-miller"),
        (f"{HL7}/v3-MaritalStatus", "M"),
        (NETWORK, "ann-miller"),
        (LOCAL, "ann-miller"),
        ("urn:oid:1.2.840.114350.1.13.999", "ann-miller"),
        (None, "ann-miller"),
    ],
)
def test_any_other_code_leaves_as_a_keyed_hash(system: str | None, code: str):
    """A wrong check digit, a code that is no code, a local system, or no system."""
    coding = kept(system, code)

    assert coding.system == LOCAL
    assert re.fullmatch("[A-Z2-7]{26}", coding.code)


def test_a_local_code_is_the_same_hash_again_and_another_at_another_source():
    """A map loaded later must find all rows, and only those of its source."""
    again = kept("http://x.example", "HB")

    assert kept("http://x.example", "HB") == again
    assert kept("http://y.example", "HB") != again
    assert kept("http://x.example", "HC") != again
    assert kept("http://x.example", "HB", source_id=8) != again


def test_codings_without_code_and_words_are_dropped():
    """A display or a text is somebody's words; ours come from our own tables."""
    code = {
        "coding": [{"system": LOINC, "display": "Ann's"}, {"code": "x"}, {"code": "x"}],
        "text": "Ann's pressure",
    }

    record = deidentified(observation(code=code))

    assert [coding.system for coding in record.content.code] == [LOCAL]
    assert record.dropped == (
        "Observation.code.coding.display",
        "Observation.code.text",
    )


def test_a_status_is_one_of_fhirs_or_the_resource_is_refused():
    """The status decides whether an event counts; words can't."""
    for make, path in ((observation, "Observation"), (encounter, "Encounter")):
        with pytest.raises(InvalidCodeError) as refusal:
            deidentified(make(status="final "))
        assert refusal.value.expression == f"{path}.status"
    with pytest.raises(InvalidCodeError) as refusal:
        deidentified(condition(verificationStatus=concept("http://x", "refuted")))
    assert refusal.value.expression == "Condition.verificationStatus"


def test_statuses_of_a_condition_are_read_from_their_own_systems():
    """A local coding beside the required one changes nothing."""
    verification = concept(f"{HL7}/condition-ver-status", "confirmed")
    verification["coding"].insert(0, {"system": "http://x", "code": "refuted"})
    clinical = concept(f"{HL7}/condition-clinical", "remission")

    record = deidentified(
        condition(verificationStatus=verification, clinicalStatus=clinical)
    )

    assert record.content.verification_status == "confirmed"
    assert record.content.clinical_status == "remission"


def value_of(**elements) -> Any:
    return deidentified(observation(**elements)).content.value


UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ({"system": UCUM, "code": "mm[Hg]", "unit": "whatever"}, "mm[Hg]"),
        ({"system": f"{OID}.8", "code": "mm[Hg]"}, "mm[Hg]"),
        ({"system": UCUM, "code": "mmHg"}, "mm[Hg]"),
        ({"unit": "mmHg"}, "mm[Hg]"),
        ({"system": "http://x.example", "code": "7", "unit": "mmHg"}, "mm[Hg]"),
        ({}, None),
    ],
)
def test_a_unit_is_read_from_its_ucum_code_or_else_from_its_text(quantity, unit):
    """What is stated as UCUM counts; a code of another system is not looked at."""
    value = value_of(valueQuantity={"value": 120, **quantity})

    assert value == Value(quantity=Quantity("120", unit))


def test_a_unit_that_is_not_understood_refuses_the_resource():
    """A number in an unknown unit would be counted as something that it is not."""
    quantity = {"value": 5, "unit": "Annes"}
    component = {"code": concept(LOINC, "8480-6"), "valueQuantity": quantity}

    with pytest.raises(InvalidCodeError) as refusal:
        value_of(valueQuantity=quantity)
    assert refusal.value.expression == "Observation.value.ofType(Quantity).code"
    with pytest.raises(InvalidCodeError) as refusal:
        value_of(component=[{"code": component["code"]}, component])
    assert (
        refusal.value.expression
        == "Observation.component[1].value.ofType(Quantity).code"
    )


def test_other_values_are_kept_by_their_type():
    """An integer is a quantity without unit; why a value is absent is a code."""
    absent = concept(f"{HL7}/data-absent-reason", "not-asked")
    absent["coding"].insert(0, {"system": "http://x", "code": "Ann refused"})

    assert value_of(valueInteger=4) == Value(quantity=Quantity("4"))
    assert value_of(valueBoolean=False) == Value(boolean=False)
    assert value_of(valueCodeableConcept=concept(SNOMED, "266919005")) == Value(
        codings=(Coding(SNOMED, "266919005"),)
    )
    assert value_of(dataAbsentReason=absent) == Value(
        absent=Coding(f"{HL7}/data-absent-reason", "not-asked")
    )


@pytest.mark.parametrize(
    ("element", "dropped"),
    [
        ({"valueString": "Ann"}, "string"),
        ({"valueRange": {"low": {"value": 1}}}, "Range"),
        ({"valueRatio": {"numerator": {"value": 1}}}, "Ratio"),
        ({"valueSampledData": {"data": "1"}}, "SampledData"),
        ({"valueTime": "10:00:00"}, "time"),
        ({"valueDateTime": "2024-01-01"}, "dateTime"),
        ({"valuePeriod": {"start": "2024-01-01"}}, "Period"),
    ],
)
def test_values_that_nothing_counts_are_dropped_and_counted(element, dropped):
    """Words, curves and times of day are kept by no measure, so by no row."""
    record = deidentified(observation(**element))

    assert record.content.value == Value()
    assert record.dropped == (f"Observation.value.ofType({dropped})",)


@pytest.mark.parametrize("number", [9e12, -9_000_000_000_000, 10**30, float("inf")])
def test_a_number_too_large_to_be_counted_is_refused(number: float):
    """Values are summed as 64-bit integers of millionths."""
    with pytest.raises(InvalidElementError) as refusal:
        value_of(valueQuantity={"value": number})

    assert refusal.value.expression == "Observation.value.ofType(Quantity).value"

"""Codes and the systems they come from."""

import msgspec

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
ACT_CODE = f"{HL7}/v3-ActCode"
OBSERVATION_CATEGORY = f"{HL7}/observation-category"
CONDITION_CATEGORY = f"{HL7}/condition-category"
CONDITION_CLINICAL = f"{HL7}/condition-clinical"
CONDITION_VERIFICATION = f"{HL7}/condition-ver-status"
DATA_ABSENT_REASON = f"{HL7}/data-absent-reason"
MEASURE_POPULATION = f"{HL7}/measure-population"
NETWORK = "https://catchment.example/fhir/CodeSystem/network"
"""The network's own codes, for what no public terminology has (PUCAI, cJADAS10)."""
VALUE_SETS = "https://catchment.example/fhir/ValueSet"
"""The base of the network's own value sets, each at its id."""
LOCAL = "urn:catchment:local"
"""A clinic's local code; its code is a keyed hash."""

REPORTED_NUMERATOR = "urn:catchment:reported-numerator"
REPORTED_DENOMINATOR = "urn:catchment:reported-denominator"
"""What clinics' summary reports count; the code is the measure's id."""


class Coding(msgspec.Struct, frozen=True, order=True, gc=False):
    """A code of a terminology on the list; never a display."""

    system: str
    code: str


EXPECTED_VISITS = Coding(NETWORK, "expected-visits")
"""How many visits a clinic declares to have had; known whatever measures there are."""
DEIDENTIFIED = Coding("https://catchment.example/fhir/tag", "deidentified")
"""The hub's own tag: on every record it gives out, and on none that it takes."""

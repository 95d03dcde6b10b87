"""Whatever is sent as a code, only what a listed system could hold stays readable."""

import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.terminology import LOCAL, NETWORK, Coding
from app.domain.translations import local_codes
from tests.deidentification import concept, condition, deidentified, observation

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
SID = "http://hl7.org/fhir/sid"
HL7 = "http://terminology.hl7.org/CodeSystem"

FORMS = {
    LOCAL: r"[A-Z2-7]{26}",
    LOINC: r"(LA)?[1-9]\d{0,6}-\d",
    SNOMED: r"[1-9]\d{2,14}(00|10)\d",
    f"{SID}/icd-10-cm": r"[A-Z]\d[\dAB](\.[\dA-Z]{1,4})?",
    f"{SID}/icd-10": r"[A-Z]\d\d(\.\d{1,2})?",
    f"{SID}/icd-9-cm": r"(\d{3}|V\d\d|E\d{3})(\.\d{1,2})?",
    f"{HL7}/observation-category": r"vital-signs|survey|exam",
    NETWORK: r"pucai-total",
}
"""Each listed system's syntax, written down again beside the one that is tested."""

SYSTEMS = st.sampled_from(
    [*FORMS, "urn:oid:2.16.840.1.113883.6.96", "urn:lab", "", None, LOINC.upper()]
)
NAMES = st.sampled_from(["Ann Miller", "MILLER", "ANN", "MRN12345", "555-123-4567"])
CODES = st.one_of(
    NAMES,
    st.text(min_size=1, max_size=30),
    st.from_regex(r"[A-Z]\d[\dAB]\.?[A-Z0-9]{0,6}", fullmatch=True),
    st.integers(0, 10**12).map(str),
    st.from_regex(r"\d{1,8}-\d", fullmatch=True),
)


def kept_of(resource: dict) -> list[Coding]:
    """Return every coding that is kept of a Condition or an Observation."""
    content: Any = deidentified(resource).content
    found = [*content.category, *content.code]
    if resource["resourceType"] == "Observation":
        found += [coding for part in content.components for coding in part.code]
        found += content.value.codings
    return found


@given(SYSTEMS, CODES)
@example(SNOMED, "5551234567")
@example(f"{SID}/icd-10-cm", "M08ANNA")
@example(LOINC, "12345678-9")
def test_nothing_but_the_listed_syntax_is_ever_kept_in_clear(
    system: str | None, code: str
):
    """A name, a number of a record, a telephone: a digest, or it looks like a code."""
    coded = concept(system or None, code)
    part = {"code": coded, "valueInteger": 1}
    resources = (
        condition(code=coded, category=[coded]),
        observation(
            code=coded, category=[coded], valueCodeableConcept=coded, component=[part]
        ),
    )

    for resource in resources:
        for coding in kept_of(resource):
            assert re.fullmatch(FORMS[coding.system], coding.code), coding.system


@given(SYSTEMS, NAMES)
def test_no_name_is_ever_kept_in_clear(system: str | None, name: str):
    """Whatever system it claims to be of."""
    record = deidentified(condition(code=concept(system or None, name)))

    assert len(local_codes(record.content)) == 1
    assert name not in str(record.content)


@given(st.integers(10**6, 10**10 - 1).map(str))
def test_a_number_is_hardly_ever_a_concept_by_chance(number: str):
    """A check digit lets one in ten through; its partition, two in a thousand."""
    (coding,) = kept_of(condition(code=concept(SNOMED, number)))

    assert coding.system == LOCAL or number[-3:-1] in {"00", "10"}

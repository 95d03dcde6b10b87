"""No identifier gets through de-identification: canaries, and tokens put anywhere."""

import copy
import importlib.util
import json
import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import BusinessRuleError, ServiceError
from app.domain.records import DeidentifiedRecord
from app.fhir.rendering import render_record
from tests.deidentification import (
    MRN,
    concept,
    condition,
    deidentified,
    encounter,
    observation,
    patient,
)

HL7 = "http://terminology.hl7.org/CodeSystem"
TIME_OF_DAY = re.compile(r"\d\d:\d\d")
ACCEPTED = ["observation", "condition", "patient", "condition_age"]
REFUSED = ["observation_malformed", "patient_malformed", "unknown_resource"]


def shown(record: DeidentifiedRecord) -> str:
    """Return all that anyone may ever see of a record."""
    resource = render_record(
        record.content,
        resource_id="hub-1",
        version=1,
        updated_at=None,
        subject_reference="Patient/hub-2",
        encounter_reference=None,
        label=lambda _: None,
    )
    encoder = msgspec.json.Encoder(decimal_format="number")
    parts = [encoder.encode(record).decode(), encoder.encode(resource).decode()]
    return "\n".join([*parts, repr(record), str(record)])


@pytest.fixture(scope="session")
def canary(shared: Path) -> Path:
    return shared / "golden/deid/canary"


@pytest.fixture(scope="session")
def leak_scan(canary: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("leak_scan", canary / "leak_scan.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def kinds(leak_scan: ModuleType) -> set[str]:
    """Every kind of token but dates: days of events may stay."""
    return {token["kind"] for token in leak_scan.TOK} - {"date"}


def load(canary: Path, name: str) -> dict:
    resource: dict = json.loads((canary / f"{name}.json").read_text())
    return resource


def without_modifiers(resource: dict) -> dict:
    for component in resource.get("component", ()):
        component.pop("modifierExtension", None)
    return resource


@pytest.mark.parametrize("name", ACCEPTED)
def test_no_canary_survives(name: str, canary, leak_scan, kinds):
    """A token stands in every place that can hold an identifier; none comes out."""
    resource = without_modifiers(load(canary, f"{name}_canary"))
    raw = json.dumps(resource)

    out = shown(deidentified(resource))

    assert leak_scan.scan(raw, kinds), "the scan must find what is there"
    assert leak_scan.scan(out, kinds) == []
    assert not TIME_OF_DAY.search(out)


def test_no_canary_of_a_patient_leaves_a_day(canary):
    """Of birth and death the months stay; of address and identifier periods nothing."""
    record = deidentified(without_modifiers(load(canary, "patient_canary")))

    out = shown(record)

    assert record.content.sex == "female"
    assert record.content.zip3 == "000"
    assert not re.search(r"\d{4}-\d\d-\d\d", out)
    assert "1931-03" in out
    assert "2024-02" in out


def test_a_canary_that_changes_its_meaning_is_refused(canary, leak_scan):
    """The refusal names the element, and nothing of what stands in it."""
    strange = load(canary, "observation_canary")
    with pytest.raises(BusinessRuleError) as refusal:
        deidentified(strange)

    assert refusal.value.expression == "Observation.component[1]"
    assert leak_scan.scan(f"{refusal.value} {refusal.value.args}") == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_canary_is_refused_without_a_word_of_it(name, canary, leak_scan):
    """Free text in a code, a bare id as a reference, a type that is not kept."""
    with pytest.raises(ServiceError) as refusal:
        deidentified(load(canary, name))

    said = f"{refusal.value.message} {refusal.value.expression}"
    assert leak_scan.scan(said) == []


FULL = [
    observation(
        id="o1",
        meta={"lastUpdated": "2024-01-01T00:00:00Z", "source": "x", "versionId": "1"},
        identifier=[{"system": MRN, "value": "O1", "type": {"text": "x"}}],
        category=[concept(f"{HL7}/observation-category", "vital-signs")],
        code={**concept("http://loinc.org", "8480-6"), "text": "x"},
        subject={"reference": "Patient/p1", "display": "x", "type": "Patient"},
        encounter={"identifier": {"system": MRN, "value": "E1"}},
        effectivePeriod={"start": "2024-01-01T10:00:00Z", "end": "2024-01-02"},
        valueQuantity={
            "value": 1,
            "comparator": "<",
            "unit": "mg",
            "system": "http://unitsofmeasure.org",
            "code": "mg",
        },
        note=[{"text": "x", "authorReference": {"reference": "Practitioner/1"}}],
        component=[
            {
                "code": concept("http://x.example", "local"),
                "valueCodeableConcept": concept("http://snomed.info/sct", "34000006"),
            },
            {"code": concept("http://loinc.org", "8480-6"), "valueBoolean": True},
            {
                "code": {"text": "x"},
                "dataAbsentReason": concept(f"{HL7}/data-absent-reason", "unknown"),
            },
        ],
    ),
    condition(
        id="c1",
        clinicalStatus=concept(f"{HL7}/condition-clinical", "active"),
        verificationStatus=concept(f"{HL7}/condition-ver-status", "confirmed"),
        code=concept("http://hl7.org/fhir/sid/icd-10-cm", "K51.90"),
        onsetDateTime="2020",
        abatementString="x",
        recordedDate="2020-01-01",
    ),
    encounter(id="e1", period={"start": "2024-01-01"}, type=[{"text": "x"}]),
    patient(
        id="p1",
        identifier=[{"system": MRN, "value": "M1"}, {"system": "x", "value": "1"}],
        name=[{"family": "x", "given": ["y"]}],
        gender="female",
        birthDate="1985-03-17",
        deceasedBoolean=False,
        address=[{"use": "home", "line": ["x"], "state": "MA", "postalCode": "02139"}],
        link=[{"other": {"reference": "Patient/p2"}, "type": "replaces"}],
    ),
    observation(
        id="n1",
        meta={"source": "x"},
        identifier=[{"system": MRN, "value": "N1"}],
        code={**concept("http://loinc.org", "8480-6"), "text": "x"},
        subject={"reference": "Location/picu", "display": "x", "type": "Location"},
        encounter={"reference": "Encounter/e1", "display": "x"},
        effectivePeriod={"start": "2024-06-01", "end": "2024-06-30"},
        valueQuantity={"value": 412, "unit": "d"},
        performer=[{"display": "x"}],
    ),
    observation(
        subject={"type": "Group", "identifier": {"system": MRN, "value": "G1"}},
        effectiveDateTime="2024-06-03",
    ),
    {
        "resourceType": "MeasureReport",
        "id": "r1",
        "identifier": [{"system": MRN, "value": "R1"}],
        "status": "complete",
        "type": "summary",
        "measure": "https://hub.example/fhir/Measure/clabsi-rate|1.0.0",
        "subject": {"reference": "Group/g1", "display": "x"},
        "date": "2024-07-04T10:00:00Z",
        "reporter": {"reference": "Practitioner/1", "display": "x"},
        "period": {"start": "2024-06-01", "end": "2024-06-30"},
        "group": [
            {
                "id": "x",
                "code": {"text": "x"},
                "population": [
                    {
                        "code": concept(f"{HL7}/measure-population", code),
                        "count": count,
                    }
                    for code, count in (("numerator", 2), ("denominator", 800))
                ],
                "stratifier": [{"stratum": [{"value": {"text": "x"}}]}],
            }
        ],
    },
]
tokens = st.text("abcdefghijklmnopqrstuvwxyzABCDXYZ", min_size=4, max_size=12).map(
    "Zq{}".format
)


def put(element: Any, name: Any, value: Any, token: str) -> None:
    """Set what is called *name* to *value*; TOKEN stands for the token in both."""
    text = json.dumps([name, value]).replace("TOKEN", token)
    name, element_value = json.loads(text)
    element[name] = element_value


def places(element: Any) -> Iterator[Callable[[str], None]]:
    """Yield a way to put a token into each place of *element*, which it changes."""
    if isinstance(element, dict):
        yield partial(put, element, "TOKEN", "TOKEN")
        yield partial(put, element, "TOKEN", {"coding": [{"code": "TOKEN"}]})
        yield partial(put, element, "extension", [{"url": "TOKEN"}])
        for name in element:
            yield partial(put, element, f"_{name}", {"id": "TOKEN"})
    for name, value in element.items() if isinstance(element, dict) else ():
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict):
                yield from places(child)
        if not isinstance(value, dict | list):
            yield partial(put, element, name, "TOKEN")
        if isinstance(value, str):
            yield partial(put, element, name, f"{value}TOKEN")


def assert_unsaid(resource: dict, token: str) -> None:
    """The record, or the error that refuses it, says nothing of a token in it."""
    assert token in json.dumps(resource)
    try:
        said = shown(deidentified(resource))
    except ServiceError as refusal:
        said = f"{refusal.message} {refusal.expression} {refusal!r}"
    assert token.lower() not in said.lower()


def test_a_token_in_each_place_by_turns_never_comes_out():
    """Every key, every value, every missing extension of each full resource."""
    tried = 0
    for full in FULL:
        for number in range(len(list(places(full)))):
            resource = copy.deepcopy(full)
            list(places(resource))[number]("Zqannmiller")
            assert_unsaid(resource, "Zqannmiller")
            tried += 1
    assert tried > 300


@given(st.data(), tokens)
@settings(deadline=None)  # the first call loads the units
def test_a_token_put_anywhere_never_comes_out(data: st.DataObject, token: str):
    """As a value, a key, an extension, the tail of a code: not kept, in no error."""
    resource = copy.deepcopy(data.draw(st.sampled_from(FULL)))
    ways = list(places(resource))
    ways[data.draw(st.integers(0, len(ways) - 1))](token)

    assert_unsaid(resource, token)


@given(tokens, tokens)
@settings(deadline=None)
def test_same_name_same_alias_and_other_name_other_alias(one: str, other: str):
    """A relative, absolute and versioned reference to one id are one alias."""

    def subject(reference: str) -> Any:
        return deidentified(observation(subject={"reference": reference})).subject

    assert (
        subject(f"Patient/{one}")
        == subject(f"https://ehr.example/fhir/Patient/{one}")
        == subject(f"Patient/{one}/_history/2")
        == subject(f"urn:uuid:{one}")
    )
    assert (subject(f"Patient/{one}") == subject(f"Patient/{other}")) == (one == other)

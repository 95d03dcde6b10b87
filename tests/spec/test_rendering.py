"""What the hub gives out of a record is valid FHIR R4, to the precision that it has."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.rendering import render_record
from tests.deidentification import (
    concept,
    condition,
    deidentified,
    encounter,
    observation,
    patient,
)

HL7 = "http://terminology.hl7.org/CodeSystem"
TAG = {"system": "https://catchment.example/fhir/tag", "code": "deidentified"}
BLOOD_PRESSURE = observation(
    id="o1",
    category=[concept(f"{HL7}/observation-category", "vital-signs")],
    encounter={"reference": "Encounter/e1"},
    effectiveDateTime="2024-03-01T10:00:00-05:00",
    component=[
        {
            "code": concept("http://loinc.org", "8480-6"),
            "valueQuantity": {
                "value": Decimal("120.50"),
                "comparator": ">",
                "unit": "mmHg",
            },
        },
        {
            "code": {"text": "diastolic"},
            "dataAbsentReason": concept(f"{HL7}/data-absent-reason", "unknown"),
        },
    ],
)
CONDITION = condition(
    clinicalStatus=concept(f"{HL7}/condition-clinical", "remission"),
    verificationStatus=concept(f"{HL7}/condition-ver-status", "confirmed"),
    category=[concept(f"{HL7}/condition-category", "problem-list-item")],
    onsetDateTime="2020-05",
    abatementDateTime="2023",
    recordedDate="2020-06-01",
)
PATIENT = patient(
    gender="female",
    birthDate="1985-03-17",
    deceasedDateTime="2024-02-29",
    address=[{"state": "MA", "postalCode": "02139"}],
)


def rendered(resource: dict, **changes) -> dict:
    arguments: dict[str, Any] = {
        "resource_id": "hub-12",
        "updated_at": 1_700_000_000_123,
        "version": 3,
        "subject_reference": "Patient/hub-7",
        "encounter_reference": "Encounter/hub-9",
        "label": lambda coding: "Systolic" if coding.code == "8480-6" else None,
    }
    return render_record(deidentified(resource).content, **(arguments | changes))


@pytest.mark.parametrize(
    "resource",
    [
        BLOOD_PRESSURE,
        observation(code={"text": "words"}, valueString="words"),
        observation(valueCodeableConcept=concept("http://x.example", "ann")),
        observation(valueBoolean=True, effectiveDateTime="2024"),
        CONDITION,
        condition(),
        encounter(period={"start": "2024-03-01"}),
        encounter(**{"class": {"display": "visit"}}),
        PATIENT,
        patient(deceasedBoolean=False),
        patient(),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_what_is_given_out_is_valid_fhir(resource: dict, stored: bool):  # noqa: FBT001 - a case, not a switch
    """With an id and references where it is stored, and without where it is not."""
    absent = {
        "resource_id": None,
        "version": None,
        "updated_at": None,
        "subject_reference": None,
        "encounter_reference": None,
    }

    given = rendered(resource, **({} if stored else absent))

    text = msgspec.json.Encoder(decimal_format="number").encode(given)
    get_fhir_model_class(given["resourceType"]).model_validate_json(text)
    assert given["meta"]["tag"] == [TAG]
    assert ("lastUpdated" in given["meta"]) == stored


def test_an_observation_is_given_out_with_our_labels_and_units():
    """The words are ours, the number is as it was written, the day has no time."""
    assert rendered(BLOOD_PRESSURE) == {
        "resourceType": "Observation",
        "id": "hub-12",
        "meta": {
            "versionId": "3",
            "lastUpdated": "2023-11-14T22:13:20.123+00:00",
            "tag": [TAG],
        },
        "status": "final",
        "category": [concept(f"{HL7}/observation-category", "vital-signs")],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": "8480-6", "display": "Systolic"}
            ]
        },
        "subject": {"reference": "Patient/hub-7"},
        "encounter": {"reference": "Encounter/hub-9"},
        "effectiveDateTime": "2024-03-01",
        "component": [
            {
                "code": {
                    "coding": [
                        {
                            "system": "http://loinc.org",
                            "code": "8480-6",
                            "display": "Systolic",
                        }
                    ]
                },
                "valueQuantity": {
                    "value": Decimal("120.50"),
                    "comparator": ">",
                    "unit": "mm[Hg]",
                    "system": "http://unitsofmeasure.org",
                    "code": "mm[Hg]",
                },
            },
            {
                "code": {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/"
                            "data-absent-reason",
                            "valueCode": "masked",
                        }
                    ]
                },
                "dataAbsentReason": concept(f"{HL7}/data-absent-reason", "unknown"),
            },
        ],
    }


def test_dates_are_given_out_to_the_precision_that_is_kept():
    """A month of birth is a month, not its first day."""
    given = rendered(CONDITION)
    person = rendered(PATIENT)

    assert given["onsetDateTime"] == "2020-05"
    assert given["abatementDateTime"] == "2023"
    assert given["recordedDate"] == "2020-06-01"
    assert person["birthDate"] == "1985-03"
    assert person["deceasedDateTime"] == "2024-02"
    assert "deceasedBoolean" not in person
    assert person["address"] == [{"state": "MA", "postalCode": "021", "country": "US"}]

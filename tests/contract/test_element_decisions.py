"""Every element of the accepted types has a decision: it is read, or it is dropped."""

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.fhir import elements

TABLES = {
    "Observation": elements.OBSERVATION,
    "ObservationComponent": elements.COMPONENT,
    "Observation, of a ward": elements.SUMMARY,
    "Condition": elements.CONDITION,
    "Encounter": elements.ENCOUNTER,
    "Patient": elements.PATIENT,
    "PatientLink": elements.LINK,
    "Meta": elements.META,
    "Identifier": elements.IDENTIFIER,
    "Reference": elements.REFERENCE,
    "CodeableConcept": elements.CODEABLE_CONCEPT,
    "Coding": elements.CODING,
    "Quantity": elements.QUANTITY,
    "Period": elements.PERIOD,
    "Period, of a ward": elements.WHOLE_PERIOD,
    "MeasureReport": elements.MEASURE_REPORT,
    "MeasureReportGroup": elements.REPORT_GROUP,
    "MeasureReportGroupPopulation": elements.REPORT_POPULATION,
    "Timing": elements.TIMING,
    "Address": elements.ADDRESS,
}
NOT_IN_JSON = {"resource_type", "fhir_comments"}


@pytest.mark.parametrize("name", TABLES)
def test_every_element_of_r4_has_a_decision(name: str):
    """What a later release adds can't slip in, nor an old one be forgotten."""
    model = get_fhir_model_class(name.partition(",")[0])
    in_json = {
        field.alias or field_name
        for field_name, field in model.model_fields.items()
        if field_name not in NOT_IN_JSON and not field_name.endswith("__ext")
    }
    if model.model_fields.keys() & {"meta"}:
        in_json.add("resourceType")

    decided = {path for path in TABLES[name].paths if not path.startswith("_")}

    assert decided == in_json

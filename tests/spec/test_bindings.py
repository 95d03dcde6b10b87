"""Our table of required bindings against what the models let us know."""

from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from app.fhir.bindings import CODES, CONCEPTS, PATTERNS, RESOURCE_TYPES, UNBOUND
from app.fhir.model_elements import reached_elements

CUT_OFF = {"+", "etc."}


def code_elements() -> set[str]:
    return {
        f"{owner}.{element.name}"
        for owner, elements in reached_elements().items()
        for element in elements
        if element.type == "code"
    }


def test_every_code_is_bound_or_known_to_be_free():
    """A new version of the models cannot bring a code that nobody thought of."""
    listed = {*CODES, *PATTERNS, *UNBOUND}

    assert code_elements() == listed
    assert len(listed) == len(CODES) + len(PATTERNS) + len(UNBOUND)


def test_our_codes_are_those_that_the_models_list():
    """fhir.resources repeats FHIR's short text, cut off where it is long."""
    compared = 0
    for path, codes in CODES.items():
        owner, name = path.split(".")
        extra = get_fhir_model_class(owner).model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        listed: Any = extra.get("enum_values")
        if listed:
            compared += 1
            assert set(listed) - CUT_OFF <= set(codes)
            assert CUT_OFF & set(listed) or set(listed) == set(codes)

    assert compared == 27


def test_concepts_with_a_required_binding_are_concepts():
    """A slip of the pen in a path would bind nothing."""
    concepts = {
        f"{owner}.{element.name}"
        for owner, elements in reached_elements().items()
        for element in elements
        if element.type == "CodeableConcept"
    }

    assert set(CONCEPTS) <= concepts


def test_r4_has_its_146_resource_types():
    """FHIR R4 (4.0.1), resourcelist: without the two abstract ones."""
    assert len(set(RESOURCE_TYPES)) == 146
    assert "NutritionProduct" not in RESOURCE_TYPES

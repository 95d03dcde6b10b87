"""What fhir.resources' own R4B models think of a resource, and what we think."""

from typing import Any

import pydantic
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.validation import Issue, validate

KEPT = ("Observation", "Condition", "Patient", "Encounter")
REACHED = (*KEPT, "Bundle")


def models_refuse(resource: dict[str, Any]) -> bool:
    """Tell whether the model of the resource's type refuses it."""
    model = get_fhir_model_class(resource["resourceType"])
    try:
        model.model_validate(without_other_types(resource))
    except (pydantic.ValidationError, ValueError, KeyError, TypeError):
        return True
    return False


def without_other_types(resource: dict[str, Any]) -> dict[str, Any]:
    """Take the resources of types that we do not keep out of a Bundle."""
    if resource["resourceType"] != "Bundle" or "entry" not in resource:
        return resource
    entries = [
        {key: value for key, value in entry.items() if key != "resource" or ours(value)}
        for entry in resource["entry"]
    ]
    return resource | {"entry": entries}


def ours(resource: Any) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") in REACHED


def issues_of(resource: dict[str, Any]) -> tuple[Issue, ...]:
    """Return what we find wrong with a resource, in a Bundle with its entries'."""
    found = validate(resource)
    if resource.get("resourceType") == "Bundle":
        for index, entry in enumerate(resource.get("entry", ())):
            if ours(entry.get("resource")):
                at = f"Bundle.entry[{index}].resource"
                found += validate(entry["resource"], at=at)
    return found

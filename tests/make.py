"""Resources and Bundles, valid and as small as can be; a test states what matters."""

from typing import Any

from tests.deidentification import (
    MRN,
    concept,
    condition,
    encounter,
    observation,
    patient,
)

__all__ = [
    "MRN",
    "batch",
    "bundle",
    "concept",
    "condition",
    "delete",
    "encounter",
    "identifier",
    "lab",
    "observation",
    "patient",
    "post",
    "put",
    "reference",
    "summary_report",
    "transaction",
]

UCUM = "http://unitsofmeasure.org"


def reference(text: str) -> dict:
    return {"reference": text}


def identifier(value: str, system: str = MRN) -> dict:
    return {"system": system, "value": value}


def lab(value: float, *, day: Any = "2024-03-01", **elements: Any) -> dict:
    """Return an HbA1c in per cent."""
    quantity = {"value": value, "unit": "%", "system": UCUM, "code": "%"}
    stated = {
        "code": concept("http://loinc.org", "4548-4"),
        "effectiveDateTime": day,
        "valueQuantity": quantity,
    }
    return observation(**(stated | elements))


def post(resource: dict, **entry: Any) -> dict:
    """Return an entry that creates *resource*."""
    return _entry(resource, "POST", resource["resourceType"], **entry)


def put(resource: dict, **entry: Any) -> dict:
    """Return an entry that updates *resource* by its id."""
    return _entry(
        resource, "PUT", f"{resource['resourceType']}/{resource['id']}", **entry
    )


def _entry(
    resource: dict, method: str, url: str, *, request: dict | None = None, **entry: Any
) -> dict:
    stated = {"method": method, "url": url} | (request or {})
    return {"resource": resource, "request": stated} | entry


def delete(url: str) -> dict:
    return {"request": {"method": "DELETE", "url": url}}


def bundle(kind: str, *entries: Any) -> dict:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def batch(*entries: Any) -> dict:
    return bundle("batch", *entries)


def transaction(*entries: Any) -> dict:
    return bundle("transaction", *entries)


def summary_report(
    numerator: int, denominator: int, *, year: int = 2024, **elements: Any
) -> dict:
    """Return a clinic's own count of a June: infections in line days."""
    counts = {"numerator": numerator, "denominator": denominator}
    system = "http://terminology.hl7.org/CodeSystem/measure-population"
    populations = [
        {"code": concept(system, code), "count": count}
        for code, count in counts.items()
    ]
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": "https://hub.example/fhir/Measure/clabsi-rate",
        "period": {"start": f"{year}-06-01", "end": f"{year}-06-30"},
        "group": [{"population": populations}],
    } | elements

"""De-identified record -> FHIR R4 JSON: what the hub gives out of what it keeps."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.domain.calendar import date_of_day, first_day, instant_of
from app.domain.records import (
    Component,
    Condition,
    Content,
    Encounter,
    Observation,
    PartialDate,
    Patient,
    Precision,
    Quantity,
    Summary,
    SummaryReport,
    Value,
)
from app.domain.terminology import (
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    DEIDENTIFIED,
    LOCAL,
    MEASURE_POPULATION,
    UCUM,
    Coding,
)

Json = dict[str, Any]
Label = Callable[[Coding], str | None]
"""What our own tables call a code, if they know it."""

WITHHELD: Json = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "masked",
        }
    ]
}
"""Stands for an element that FHIR demands and the record does not hold."""

_TYPE_NAMES: dict[type[Content], str] = {
    Summary: "Observation",
    SummaryReport: "MeasureReport",
}
"""Of what is not called by its type."""
_DATE_FORMATS = {
    Precision.DAY: "%Y-%m-%d",
    Precision.MONTH: "%Y-%m",
    Precision.YEAR: "%Y",
}


def render_record(
    content: Content,
    *,
    resource_id: str | None,
    version: int | None,
    updated_at: int | None,
    subject_reference: str | None,
    encounter_reference: str | None,
    label: Label,
) -> Json:
    """
    Return *content* as a FHIR resource that bears the hub's own tag.

    Args:
        content: What is kept of a resource.
        resource_id: The id to call it by; None where it is not stored.
        version: meta.versionId; None where it is not stored.
        updated_at: when that version was made, in epoch milliseconds; likewise.
        subject_reference: A reference to its subject, such as ``Patient/hub-7``.
        encounter_reference: A reference to its Encounter.
        label: What to display for a code.

    Returns:
        A JSON object; its decimals are Decimal, as written.
    """
    meta: Json = {} if version is None else {"versionId": str(version)}
    if updated_at is not None:
        meta["lastUpdated"] = instant_of(updated_at)
    meta["tag"] = [{"system": DEIDENTIFIED.system, "code": DEIDENTIFIED.code}]
    resource = {
        "resourceType": _TYPE_NAMES.get(type(content)) or type(content).__name__,
        "id": resource_id,
        "meta": meta,
        **_elements(content, label),
    }
    if isinstance(content, Summary | SummaryReport):
        resource["subject"] = _ward(content.ward)
    elif not isinstance(content, Patient):
        resource["subject"] = _reference(subject_reference) or _demanded(content)
    if isinstance(content, Observation | Condition):
        resource["encounter"] = _reference(encounter_reference)
    return {name: value for name, value in resource.items() if value is not None}


def _elements(content: Content, label: Label) -> Json:
    """Return the elements of any content; None where there is nothing to say."""
    if isinstance(content, Summary):
        return _summary(content, label)
    if isinstance(content, SummaryReport):
        return _report(content)
    if isinstance(content, Observation):
        return _observation(content, label)
    if isinstance(content, Condition):
        return _condition(content, label)
    if isinstance(content, Encounter):
        return _encounter(content, label)
    return _patient(content)


def _observation(content: Observation, label: Label) -> Json:
    """Return the elements of an Observation."""
    return {
        "status": content.status,
        "category": _concepts(content.category, label),
        "code": _concept(content.code, label) or WITHHELD,
        "effectiveDateTime": _date(content.effective),
        **_value(content.value, label),
        "component": [_component(part, label) for part in content.components] or None,
    }


def _summary(content: Summary, label: Label) -> Json:
    """Return the elements of an Observation of a Group or Location."""
    return {
        "status": content.status,
        "code": _concept(content.code, label) or WITHHELD,
        "effectiveDateTime": _date(content.effective),
        "valueQuantity": _quantity(content.quantity) if content.quantity else None,
    }


def _report(content: SummaryReport) -> Json:
    """Return the elements of a summary MeasureReport."""
    last = first_day(content.month + 1) - timedelta(days=1)
    counts = {"numerator": content.numerator, "denominator": content.denominator}
    populations = [
        {"code": {"coding": [_population(name)]}, "count": count}
        for name, count in counts.items()
        if count is not None
    ]
    return {
        "status": content.status,
        "type": "summary",
        "measure": f"Measure/{content.measure}",
        "period": {
            "start": first_day(content.month).isoformat(),
            "end": last.isoformat(),
        },
        "group": [{"population": populations}] if populations else None,
    }


def _population(name: str) -> Json:
    return {"system": MEASURE_POPULATION, "code": name}


def _component(component: Component, label: Label) -> Json:
    """Return a component of an Observation."""
    code = _concept(component.code, label) or WITHHELD
    value = _value(component.value, label)
    return {"code": code, **{k: v for k, v in value.items() if v is not None}}


def _condition(content: Condition, label: Label) -> Json:
    """Return the elements of a Condition."""
    clinical, verification = content.clinical_status, content.verification_status
    return {
        "clinicalStatus": _status(CONDITION_CLINICAL, clinical, label),
        "verificationStatus": _status(CONDITION_VERIFICATION, verification, label),
        "category": _concepts(content.category, label),
        "code": _concept(content.code, label),
        "onsetDateTime": _date(content.onset),
        "abatementDateTime": _date(content.abatement),
        "recordedDate": _date(content.recorded),
    }


def _encounter(content: Encounter, label: Label) -> Json:
    """Return the elements of an Encounter."""
    return {
        "status": content.status,
        "class": _coding(content.class_, label) if content.class_ else WITHHELD,
        "period": {"start": _date(content.start)} if content.start else None,
    }


def _patient(content: Patient) -> Json:
    """Return the elements of a Patient; deceased has one type only."""
    written = _year if content.years_only else _month
    death = written(content.death_month)
    address = {"state": content.state, "postalCode": content.zip3, "country": "US"}
    lives_somewhere = content.state or content.zip3
    return {
        "gender": content.sex,
        "birthDate": written(content.birth_month),
        "deceasedDateTime": death,
        "deceasedBoolean": None if death else content.deceased,
        "address": [{k: v for k, v in address.items() if v}]
        if lives_somewhere
        else None,
    }


def _value(value: Value, label: Label) -> Json:
    """Return the value[x] of an Observation or component, or why there is none."""
    return {
        "valueQuantity": _quantity(value.quantity) if value.quantity else None,
        "valueCodeableConcept": _concept(value.codings, label),
        "valueBoolean": value.boolean,
        "dataAbsentReason": _concept((value.absent,), label) if value.absent else None,
    }


def _quantity(quantity: Quantity) -> Json:
    """Return a Quantity."""
    rendered: Json = {"value": Decimal(quantity.value)}
    if quantity.comparator:
        rendered["comparator"] = quantity.comparator
    if quantity.unit:
        rendered |= {"unit": quantity.unit, "system": UCUM, "code": quantity.unit}
    return rendered


def _concepts(codings: Iterable[Coding], label: Label) -> list[Json] | None:
    """Return a CodeableConcept for each coding."""
    return [{"coding": [_coding(coding, label)]} for coding in codings] or None


def _concept(codings: Iterable[Coding], label: Label) -> Json | None:
    """Return one CodeableConcept of all codings."""
    rendered = [_coding(coding, label) for coding in codings]
    return {"coding": rendered} if rendered else None


def _status(system: str, code: str | None, label: Label) -> Json | None:
    """Return a status as the CodeableConcept that it is in FHIR."""
    return _concept((Coding(system, code),), label) if code else None


def _coding(coding: Coding, label: Label) -> Json:
    """Return a Coding with our own label."""
    display = label(coding)
    rendered = {"system": coding.system, "code": coding.code}
    return rendered | {"display": display} if display else rendered


def _reference(reference: str | None) -> Json | None:
    """Return a Reference."""
    return {"reference": reference} if reference else None


def _ward(key: str) -> Json | None:
    """Return a Group or Location as the keyed hash that is kept of it."""
    return {"identifier": {"system": LOCAL, "value": key}} if key else None


def _demanded(content: Content) -> Json | None:
    """Return what stands for a subject that is not given: a Condition must have one."""
    return WITHHELD if isinstance(content, Condition) else None


def _date(kept: PartialDate | None) -> str | None:
    """Return a date to its precision."""
    if kept is None:
        return None
    return date_of_day(kept.day).strftime(_DATE_FORMATS[kept.precision])


def _month(month: int | None) -> str | None:
    """Return a month number as FHIR writes a month."""
    return None if month is None else first_day(month).strftime("%Y-%m")


def _year(month: int | None) -> str | None:
    """Return the year of a month number, as FHIR writes it."""
    return None if month is None else first_day(month).strftime("%Y")

"""Identified record -> the same, without the elements that a policy takes away."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.domain.errors import BusinessRuleError
from app.domain.identified import (
    IdentifiedContent,
    IdentifiedObservation,
    IdentifiedRecord,
    IdentifiedSummary,
    StatedValue,
)

_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "Patient.gender": {"gender": None},
    "Patient.birthDate": {"birth_date": None},
    "Patient.deceased": {"death_date": None, "deceased": None},
    "Patient.address.state": {"state": None},
    "Patient.address.postalCode": {"postal_code": None},
    "Encounter.class": {"class_": ()},
    "Encounter.period": {"start": None},
    "Condition.category": {"category": ()},
    "Condition.code": {"code": ()},
    "Condition.onset": {"onset": None},
    "Condition.abatement": {"abatement": None},
    "Condition.recordedDate": {"recorded": None},
    "Observation.category": {"category": ()},
    "Observation.code": {"code": ()},
    "Observation.effective": {"effective": None},
    "Observation.component": {"components": ()},
}
"""What fields of a content are where an element is taken away."""
_OF_VALUE: Mapping[str, Mapping[str, Any]] = {
    "Observation.value": {"quantity": None, "codings": (), "boolean": None},
    "Observation.dataAbsentReason": {"absent": ()},
}
_BESIDE: Mapping[str, Mapping[str, Any]] = {
    "encounter": {"encounter": None},
    "meta.lastUpdated": {"sent_order": None},
}
"""What a record has beside its content, whatever its type."""
_OF_A_NUMBER = frozenset(
    {"Observation.code", "Observation.effective", "Observation.value"}
)

Emptied = dict[str, Mapping[str, Any]]
"""The elements that are taken away of what was sent, with the fields to empty."""


def without(
    identified: IdentifiedRecord, taken_away: frozenset[str]
) -> IdentifiedRecord:
    """
    Return *identified* without what is *taken_away*, which is noted as dropped.

    Raises:
        BusinessRuleError: it is a number of nobody known, which says nothing without.
    """
    if not taken_away:
        return identified
    if isinstance(identified.content, IdentifiedSummary) and taken_away & _OF_A_NUMBER:
        msg = "The policy takes away what such a number is made of"
        raise BusinessRuleError(msg, expression="Observation")
    root = identified.type.fhir_name
    beside = {f"{root}.{element}": fields for element, fields in _BESIDE.items()}
    emptied = _emptied(identified, taken_away, beside)
    content, of_content = _content_without(identified.content, root, taken_away)
    return msgspec.structs.replace(
        identified,
        **_fields(emptied),
        content=content,
        dropped=identified.dropped | emptied.keys() | of_content.keys(),
    )


def _content_without(
    content: IdentifiedContent, root: str, taken_away: frozenset[str]
) -> tuple[IdentifiedContent, Emptied]:
    own = frozenset(e for e in taken_away if e.startswith(f"{root}."))
    emptied = _emptied(content, own, _FIELDS)
    fields = _fields(emptied)
    if isinstance(content, IdentifiedObservation):
        of_value = _emptied(content.value, own, _OF_VALUE)
        value: StatedValue = msgspec.structs.replace(content.value, **_fields(of_value))
        emptied, fields = emptied | of_value, fields | {"value": value}
    left: IdentifiedContent = msgspec.structs.replace(content, **fields)
    return left, emptied


def _emptied(
    stated: object, taken_away: frozenset[str], fields: Mapping[str, Mapping[str, Any]]
) -> Emptied:
    """Return the elements that *stated* has and is not to have."""
    return {
        element: fields[element]
        for element in taken_away & fields.keys()
        if any(getattr(stated, n) != empty for n, empty in fields[element].items())
    }


def _fields(emptied: Emptied) -> dict[str, Any]:
    return {name: empty for each in emptied.values() for name, empty in each.items()}

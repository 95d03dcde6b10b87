"""OBX-2, -5 and -6 -> the value[x] of an Observation."""

import re
from decimal import Decimal
from typing import Any

from app.domain.errors import BusinessRuleError, InvalidElementError
from app.domain.terminology import DATA_ABSENT_REASON, UCUM
from app.hl7v2.codes import codings_of
from app.hl7v2.dialects import Dialect
from app.hl7v2.messages import Element, Segment
from app.hl7v2.timestamps import date_time_of
from app.ucum.units import canonical_unit

Json = dict[str, Any]

VALUE_TYPE, VALUE, UNITS = 2, 5, 6
CODED = frozenset({"CE", "CNE", "CWE", "CF", "ID", "IS"})
TIMES = frozenset({"DT", "TS", "DTM"})
TEXTS = frozenset({"ST", "TX", "FT"})
COMPARATORS = frozenset({"<", "<=", ">", ">="})
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_UNIT_TRIPLETS = ((1, 3), (4, 6))
_UCUM_NAMES = frozenset({"UCUM", "2.16.840.1.113883.6.8", "HTTP://UNITSOFMEASURE.ORG"})


def value_of(obx: Segment, *, dialect: Dialect, facility: str) -> tuple[Json, str]:
    """
    Return the elements that say the value, and why there is none where there is none.

    Raises:
        InvalidElementError: it is not of the type that OBX-2 says.
        BusinessRuleError: there are several, which are no one value.
    """
    stated = obx.repetitions(VALUE)
    if not stated:
        return _absent("unknown"), "There is no value"
    kind = obx.text(VALUE_TYPE).upper()
    if kind in TEXTS:
        return _absent("unsupported"), "A text is not taken as a value, even of digits"
    if len(stated) > 1:
        msg = "Several values are no one value"
        raise BusinessRuleError(msg, expression=obx.at(VALUE))
    if kind == "NM":
        return _quantity(_number(stated[0].text(), obx), obx), ""
    if kind == "SN":
        return _structured(stated[0], obx)
    if kind in CODED:
        codings = codings_of(stated[0], dialect=dialect, facility=facility)
        if codings:
            return {"valueCodeableConcept": {"coding": codings}}, ""
        return _absent("unsupported"), "A text without a code is not taken as a value"
    if kind in TIMES:
        moment = date_time_of(stated[0], time_zone=dialect.time_zone, at=obx.at(VALUE))
        return {"valueDateTime": moment}, ""
    return _absent("unsupported"), "A value of this type is not taken"


def _absent(reason: str) -> Json:
    """Return why there is no value, in FHIR's code for it."""
    coding = {"system": DATA_ABSENT_REASON, "code": reason}
    return {"dataAbsentReason": {"coding": [coding]}}


def _structured(stated: Element, obx: Segment) -> tuple[Json, str]:
    """Return an SN: a number that may have a comparator; else it is no one number."""
    comparator = stated.text(1)
    if stated.text(3) or stated.text(4):
        return _absent("unsupported"), "A range or ratio is not taken as a value"
    if comparator not in COMPARATORS | {"", "="}:
        return _absent("unsupported"), "This comparison is not taken as a value"
    number = _number(stated.text(2), obx)
    if comparator in COMPARATORS:
        return _quantity(number, obx, comparator=comparator), ""
    return _quantity(number, obx), ""


def _number(text: str, obx: Segment) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        msg = "The value is not a number, as OBX-2 says"
        raise InvalidElementError(msg, expression=obx.at(VALUE))
    return Decimal(text)


def _quantity(number: Decimal, obx: Segment, **beside: str) -> Json:
    return {"valueQuantity": {"value": number} | beside | _unit(obx.first(UNITS))}


def _unit(stated: Element) -> Json:
    """Return a unit: as UCUM where it is said to be, or is; else by its text alone."""
    for code_at, system_at in _UNIT_TRIPLETS:
        code = stated.text(code_at)
        if code and stated.text(system_at).upper() in _UCUM_NAMES:
            return {"unit": code, "system": UCUM, "code": code}
    text = stated.text(1) or stated.text(2)
    if not text:
        return {}
    if canonical_unit(text) == text:
        return {"unit": text, "system": UCUM, "code": text}
    return {"unit": text}

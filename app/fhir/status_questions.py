"""The Parameters of ``$patient-status``: whom a clinic asks about, as of when."""

from collections.abc import Mapping
from typing import Any

from app.domain.calendar import month_number
from app.domain.clinics import Source
from app.domain.errors import (
    InvalidElementError,
    MalformedError,
    MissingElementError,
    TooLargeError,
)
from app.domain.identified import Identified
from app.domain.records import RecordType
from app.fhir.criteria import parse_token
from app.fhir.questions import Question, checked_reference
from app.fhir.references import own_id_of, parse_reference
from app.fhir.report_questions import days_of

MOST_PATIENTS = 500


class StatusQuestion(Identified, frozen=True, kw_only=True):
    """The patients asked about, in order; ``month`` None is the current one."""

    patients: tuple[Question, ...]
    month: int | None


def parse_status_question(body: Mapping[str, Any], *, source: Source) -> StatusQuestion:
    """
    Return who is asked about.

    A ``patient`` is a Reference, an Identifier or a text: an id, a reference or
    ``system|value``. ``asOf`` is a month, or a date in it.

    Raises:
        MalformedError: the body is no Parameters.
        TooLargeError: more than MOST_PATIENTS are asked about.
        InvalidElementError, MissingElementError, BusinessRuleError: one of them can't
            be read; its place is told.
    """
    parameters = body.get("parameter", [])
    if body.get("resourceType") != "Parameters" or not isinstance(parameters, list):
        msg = "The body is no Parameters"
        raise MalformedError(msg, expression="resourceType")
    if len(parameters) > MOST_PATIENTS + 1:
        raise _too_many()
    patients: list[Question] = []
    months: list[int] = []
    for index, parameter in enumerate(parameters):
        path = f"Parameters.parameter[{index}]"
        name, value = _stated(parameter, path)
        if name == "patient":
            patients.append(_patient(value, source, path))
        elif name == "asOf":
            months.append(_month(value, path))
        else:
            msg = "A parameter is called patient or asOf"
            raise InvalidElementError(msg, expression=f"{path}.name")
    if len(months) > 1:
        msg = "asOf stands there more than once"
        raise InvalidElementError(msg, expression="Parameters.parameter")
    if len(patients) > MOST_PATIENTS:
        raise _too_many()
    return StatusQuestion(patients=tuple(patients), month=next(iter(months), None))


def _too_many() -> TooLargeError:
    msg = f"At most {MOST_PATIENTS} patients may be asked about at once"
    return TooLargeError(msg, expression="Parameters.parameter")


def _stated(parameter: object, path: str) -> tuple[object, object]:
    """Return the name and the one value of a parameter."""
    if not isinstance(parameter, dict):
        msg = "A parameter is an object"
        raise MalformedError(msg, expression=path)
    values = [value for name, value in parameter.items() if name.startswith("value")]
    if len(values) != 1:
        msg = "A parameter has one value"
        raise MissingElementError(msg, expression=path)
    return parameter.get("name"), values[0]


def _patient(value: object, source: Source, path: str) -> Question:
    """Return whom a reference, an identifier or a text means."""
    stated: object = value
    if isinstance(value, str):
        stated = _reference_of(value)
    elif isinstance(value, dict) and "value" in value:
        stated = {"identifier": value}
    reference = parse_reference(
        checked_reference(stated, path),
        target=RecordType.PATIENT,
        source=source,
        path=path,
    )
    return Question(type=RecordType.PATIENT, reference=reference, path=path)


def _reference_of(text: str) -> dict[str, Any]:
    """Return what a text means as a reference: an id, ``system|value`` or a URL."""
    own_id = own_id_of(text, target=RecordType.PATIENT)
    if own_id is not None:
        return {"reference": f"{RecordType.PATIENT.fhir_name}/{own_id}"}
    token = None if "?" in text else parse_token(text)
    if token is not None:
        return {"identifier": {"system": token.system, "value": token.value}}
    return {"reference": text}


def _month(value: object, path: str) -> int:
    """Return the month number of a date, of the last month of a year."""
    days = days_of(value) if isinstance(value, str) else None
    if days is None:
        msg = "asOf is a date such as 2024-03"
        raise InvalidElementError(msg, expression=path)
    return month_number(days.end.year, days.end.month) - (days.end.day == 1)

"""PID and PV1 -> Patient and Encounter: what the hub keeps of them, and no name."""

from typing import Any

from app.domain.errors import InvalidElementError
from app.domain.terminology import ACT_CODE
from app.hl7v2.codes import (
    GENDER,
    OWN_PATIENT_CLASSES,
    PATIENT_CLASS,
    PATIENT_CLASSES,
)
from app.hl7v2.dialects import Dialect
from app.hl7v2.identifiers import stable_id, whole
from app.hl7v2.messages import NOTHING, Element, Segment
from app.hl7v2.problems import Problem, left_out, refused
from app.hl7v2.timestamps import date_of, date_time_of

Json = dict[str, Any]

BIRTH, SEX, ADDRESS, DEATH, IS_DEAD = 7, 8, 11, 29, 30
CLASS, VISIT, ADMITTED, DISCHARGED = 2, 19, 44, 45
HOME = frozenset({"H", "L", "P"})
"""Types of address (HL7 table 0190): home, legal, permanent."""


def patient_of(
    pid: Segment, identifiers: list[Json], problems: list[Problem]
) -> Json | None:
    """Return the Patient; None where nothing but identifiers is said of one."""
    said = {
        **_date("birthDate", pid, BIRTH, problems),
        **_gender(pid, problems),
        **_death(pid, problems),
        **_address(pid),
    }
    if not said:
        return None
    return {"resourceType": "Patient", "identifier": identifiers} | said


def _date(name: str, segment: Segment, field: int, problems: list[Problem]) -> Json:
    """Return a date by its name; one that can't be read is told, and left out."""
    try:
        day = date_of(segment.first(field), at=segment.at(field))
    except InvalidElementError as error:
        problems.append(left_out(segment.at(field), error.message))
        return {}
    return {} if day is None else {name: day}


def _gender(pid: Segment, problems: list[Problem]) -> Json:
    code = pid.text(SEX).upper()
    if code and code not in GENDER:
        problems.append(left_out(pid.at(SEX), "The sex is in no code that is known"))
    return {"gender": GENDER[code]} if code in GENDER else {}


def _death(pid: Segment, problems: list[Problem]) -> Json:
    """Return when, or else whether, the person died."""
    when = _date("deceasedDateTime", pid, DEATH, problems)
    if when:
        return when
    dead = {"Y": True, "N": False}.get(pid.text(IS_DEAD).upper())
    return {} if dead is None else {"deceasedBoolean": dead}


def _address(pid: Segment) -> Json:
    """Return the state, ZIP and country of the home, and nothing smaller."""
    stated = pid.repetitions(ADDRESS)
    home = next((each for each in stated if each.text(7).upper() in HOME), None)
    chosen: Element = home or next(iter(stated), NOTHING)
    parts = {
        "state": chosen.text(4),
        "postalCode": chosen.text(5),
        "country": chosen.text(6),
    }
    address = {name: text for name, text in parts.items() if text}
    return {"address": [address]} if address else {}


def encounter_of(
    pv1: Segment,
    person: Json,
    *,
    dialect: Dialect,
    problems: list[Problem],
) -> Json | None:
    """
    Return the visit; None where its number, class or begin is not said.

    Its id is made of the person and the visit number, so that it is one visit in every
    message. An ORU does not say how a visit stands unless it has ended.
    """
    number, code = pv1.first(VISIT), pv1.text(CLASS).upper()
    if number.is_empty or not code or pv1.first(ADMITTED).is_empty:
        return None
    if code not in PATIENT_CLASS and code not in OWN_PATIENT_CLASSES:
        problems.append(
            left_out(pv1.at(CLASS), "The class is in no code that is known")
        )
        return None
    try:
        start = date_time_of(
            pv1.first(ADMITTED), time_zone=dialect.time_zone, at=pv1.at(ADMITTED)
        )
    except InvalidElementError as error:
        problems.append(refused(error))
        return None
    is_over = not pv1.first(DISCHARGED).is_empty
    return {
        "resourceType": "Encounter",
        "id": stable_id("visit", person["system"], person["value"], whole(number)),
        "status": "finished" if is_over else _status(code),
        "class": _class(code),
        "subject": {"type": "Patient", "identifier": person},
        "period": {"start": start},
    }


def _status(code: str) -> str:
    return "planned" if code == "P" else "unknown"


def _class(code: str) -> Json:
    if code in PATIENT_CLASS:
        return {"system": ACT_CODE, "code": PATIENT_CLASS[code]}
    return {"system": PATIENT_CLASSES, "code": code}

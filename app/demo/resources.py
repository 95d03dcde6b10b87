"""Patients and visits of one clinic as FHIR R4 resources, in the clinic's accent."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from app.demo.deliveries import Json
from app.demo.diseases import Disease, Instrument, Reading
from app.demo.habits import Accent, Clinic, Flaw
from app.demo.patients import Patient, Person, Visit
from app.domain.terminology import ACT_CODE, ICD_10_CM, NETWORK, SNOMED_CT, UCUM

HL7 = "http://terminology.hl7.org/CodeSystem"
ICD_CODE = {
    Disease.OLIGOARTHRITIS: "M08.40",
    Disease.POLYARTHRITIS: "M08.3",
    Disease.COLITIS: "K51.90",
    Disease.CROHN: "K50.90",
    Disease.DIABETES: "E11.9",
    Disease.HYPERTENSION: "I10",
}
SNOMED_CODE = {
    Disease.COLITIS: "64766004",
    Disease.CROHN: "34000006",
    Disease.DIABETES: "44054006",
    Disease.HYPERTENSION: "59621000",
}
VISIT_LENGTH = timedelta(minutes=25)
SPOKEN_UNIT = {"mm[Hg]": "mmHg"}
"""What people write where UCUM has a code of its own."""


def _own_id(clinic: Clinic, resource_type: str, key: str) -> str:
    """Return the id of a clinic's record; *key* is unique in its type."""
    if clinic.accent == Accent.TRANSACTIONS:
        name = f"{clinic.base_url}/{resource_type}/{key}"
        return str(uuid5(NAMESPACE_URL, name))
    return f"{resource_type[:3].lower()}-{key}"


def patient_resource(clinic: Clinic, patient: Patient) -> Json:
    """Return the Patient, with everything that a hub must not keep."""
    person = patient.person
    body: Json = {
        "active": True,
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "telecom": [{"system": "phone", "value": person.phone, "use": "home"}],
        "gender": person.gender,
        "birthDate": person.birth_date.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [person.street],
                "city": clinic.city,
                "state": clinic.state,
                "postalCode": f"{clinic.zip3}{patient.record_number % 100:02}",
                "country": "US",
            }
        ],
    }
    record = _record(clinic, "Patient", str(patient.record_number), body)
    record["identifier"] = [_record_number(clinic, patient)]
    return record


def condition_resources(clinic: Clinic, patient: Patient) -> Iterator[Json]:
    """Yield one Condition for each disease of a patient."""
    for position, (disease, onset) in enumerate(patient.onsets.items()):
        body = {
            **_onset(clinic, onset),
            "code": {"coding": _diagnosis(clinic, disease), "text": disease.value},
            "subject": _condition_subject(clinic, patient),
        }
        key = f"{patient.record_number}-{position}"
        yield _record(clinic, "Condition", key, body)


def visit_resources(clinic: Clinic, patient: Patient, visit: Visit) -> Iterator[Json]:
    """Yield the Encounter of a visit and the Observations made in it."""
    visit_key = f"{patient.record_number}-{visit.day:%Y%m%d}"
    subject = _subject(clinic, patient)
    start, end = _times(clinic, visit)
    yield _record(
        clinic,
        "Encounter",
        visit_key,
        {
            "status": "finished",
            "class": {"system": ACT_CODE, "code": "AMB"},
            "subject": subject,
            "period": {"start": start, "end": end},
        },
    )
    common = {
        "subject": subject,
        "encounter": _reference(clinic, "Encounter", visit_key),
        "effectiveDateTime": start,
    }
    for instrument, found in _observed(clinic, visit):
        body = {
            "status": "final",
            "category": [_concept(f"{HL7}/observation-category", instrument.category)],
            "code": _code(clinic, instrument, visit.flaw),
            **common,
            **found,
        }
        key = f"{visit_key}-{instrument.code}"
        yield _record(clinic, "Observation", key, body)


def unneeded_resources(clinic: Clinic, patient: Patient) -> Iterator[Json]:
    """Yield what whole records contain and a hub of measures has no use for."""
    key = str(patient.record_number)
    subject = _subject(clinic, patient)
    onset = min(patient.onsets.values()).isoformat()
    yield _record(
        clinic,
        "MedicationRequest",
        key,
        {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "Medication as discussed"},
            "subject": subject,
            "authoredOn": onset,
        },
    )
    yield _record(
        clinic,
        "Claim",
        key,
        {
            "status": "active",
            "type": _concept(f"{HL7}/claim-type", "professional"),
            "use": "claim",
            "patient": subject,
            "created": onset,
            "provider": {"display": clinic.name},
            "priority": _concept(f"{HL7}/processpriority", "normal"),
            "insurance": [
                {"sequence": 1, "focal": True, "coverage": {"display": "Own plan"}}
            ],
        },
    )


def _record(clinic: Clinic, resource_type: str, key: str, body: Json) -> Json:
    """Return a resource under the id and identifier that the clinic gives it."""
    own_id = _own_id(clinic, resource_type, key)
    record: Json = {"resourceType": resource_type, "id": own_id}
    if clinic.accent != Accent.TRANSACTIONS:
        value = f"{resource_type[:3].upper()}{key}"
        record["identifier"] = [{"system": clinic.identifier_system, "value": value}]
    return record | body


def _record_number(clinic: Clinic, patient: Patient) -> Json:
    kind = _concept(f"{HL7}/v2-0203", "MR")
    value = f"MRN{patient.record_number}"
    return {"type": kind, "system": clinic.identifier_system, "value": value}


def _reference(clinic: Clinic, resource_type: str, key: str) -> Json:
    own_id = _own_id(clinic, resource_type, key)
    match clinic.accent:
        case Accent.TRANSACTIONS:
            return {"reference": f"urn:uuid:{own_id}"}
        case Accent.UPDATES:
            return {"reference": f"{clinic.base_url}/{resource_type}/{own_id}"}
        case Accent.INTERFACE_ENGINE:
            return {"reference": f"{resource_type}/{own_id}"}


def _subject(clinic: Clinic, patient: Patient) -> Json:
    """Return the patient's reference; an interface engine writes the name with it."""
    reference = _reference(clinic, "Patient", str(patient.record_number))
    if clinic.accent == Accent.INTERFACE_ENGINE:
        reference["display"] = _full_name(patient.person)
    return reference


def _condition_subject(clinic: Clinic, patient: Patient) -> Json:
    """Return a literal reference, or an interface engine's logical one."""
    if clinic.accent != Accent.INTERFACE_ENGINE:
        return _subject(clinic, patient)
    identifier = _record_number(clinic, patient)
    display = _full_name(patient.person)
    return {"type": "Patient", "identifier": identifier, "display": display}


def _full_name(person: Person) -> str:
    return f"{person.given} {person.family}"


def _onset(clinic: Clinic, onset: date) -> Json:
    """An interface engine knows no status and no onset, only when it was told."""
    if clinic.accent == Accent.INTERFACE_ENGINE:
        return {"recordedDate": onset.isoformat()}
    return {
        "clinicalStatus": _concept(f"{HL7}/condition-clinical", "active"),
        "verificationStatus": _concept(f"{HL7}/condition-ver-status", "confirmed"),
        "onsetDateTime": onset.isoformat(),
    }


def _diagnosis(clinic: Clinic, disease: Disease) -> list[Json]:
    icd = ICD_CODE[disease]
    if clinic.accent == Accent.INTERFACE_ENGINE:
        icd = icd.replace(".", "")
    codings = [{"system": ICD_10_CM, "code": icd}]
    if clinic.accent == Accent.UPDATES and disease in SNOMED_CODE:
        codings.insert(0, {"system": SNOMED_CT, "code": SNOMED_CODE[disease]})
    return codings


def _times(clinic: Clinic, visit: Visit) -> tuple[str, str]:
    """Return start and end of a visit as the clinic writes them."""
    if clinic.accent == Accent.INTERFACE_ENGINE:
        return visit.day.isoformat(), visit.day.isoformat()
    clock = time(*divmod(visit.minute, 60), tzinfo=ZoneInfo(clinic.time_zone))
    start = datetime.combine(visit.day, clock)
    end = start + VISIT_LENGTH
    if clinic.accent == Accent.TRANSACTIONS:
        return start.isoformat(), end.isoformat()
    return _in_utc(start), _in_utc(end)


def _in_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _observed(clinic: Clinic, visit: Visit) -> Iterator[tuple[Instrument, Json]]:
    """Yield each Observation of a visit as its instrument and what it found."""
    for readings in visit.readings:
        missing = visit.flaw is Flaw.PART_MISSING
        kept = readings[:-1] if missing else readings
        panel = _panel(clinic, readings)
        if panel is not None:
            yield panel, {"component": _components(clinic, kept, visit.flaw)}
            continue
        for reading in kept:
            sent = _as_measured(clinic, reading)
            yield sent.instrument, _value(clinic, sent, visit.flaw)


def _panel(clinic: Clinic, readings: Sequence[Reading]) -> Instrument | None:
    """Return the panel in which the clinic sends these readings together, if any."""
    instruments = {reading.instrument for reading in readings}
    if Instrument.SYSTOLIC in instruments:
        return Instrument.BLOOD_PRESSURE
    if Instrument.ACTIVE_JOINTS in instruments and clinic.panels:
        return Instrument.CJADAS10_PANEL
    return None


def _components(
    clinic: Clinic, readings: Sequence[Reading], flaw: Flaw | None
) -> list[Json]:
    return [
        {"code": _code(clinic, reading.instrument, flaw)}
        | _value(clinic, reading, flaw)
        for reading in readings
    ]


def _as_measured(clinic: Clinic, reading: Reading) -> Reading:
    """An interface engine's laboratory gives HbA1c in mmol/mol, the IFCC's unit."""
    if (
        reading.instrument is not Instrument.HBA1C
        or clinic.accent != Accent.INTERFACE_ENGINE
    ):
        return reading
    ifcc = round((float(reading.value) - 2.152) / 0.09148)
    return Reading(Instrument.HBA1C_IFCC, ifcc)


def _code(clinic: Clinic, instrument: Instrument, flaw: Flaw | None) -> Json:
    if flaw is Flaw.LOCAL_CODES:
        return _concept(clinic.local_system, f"LOC-{instrument.name}")
    return _concept(instrument.system, instrument.code)


def _value(clinic: Clinic, reading: Reading, flaw: Flaw | None) -> Json:
    if isinstance(reading.value, str):
        return {"valueCodeableConcept": _concept(NETWORK, reading.value)}
    unit = {} if flaw is Flaw.NO_UNITS else _unit(clinic, reading.instrument.unit)
    return {"valueQuantity": {"value": reading.value, **unit}}


def _unit(clinic: Clinic, code: str) -> Mapping[str, str]:
    """Interface engines write what people say, and some call that UCUM."""
    spoken = SPOKEN_UNIT.get(code, code)
    if not clinic.claims_ucum:
        return {"unit": spoken}
    claimed = spoken if clinic.accent == Accent.INTERFACE_ENGINE else code
    return {"unit": spoken, "system": UCUM, "code": claimed}


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}

"""One thing wrong with a valid resource: what is done to it, and what is said of it."""

import re
from typing import Any, NamedTuple

CANARY = "Zq9canary7x"
ABSENT: Any = object()
CHOICE = re.compile(r"(value|effective|onset|abatement|deceased|multipleBirth)[A-Z]")
LOINC = "http://loinc.org"

Json = dict[str, Any]


class Fault(NamedTuple):
    """
    The elements to set (or ``ABSENT``), and the answer.

    ``expression`` is FHIRPath of the element at fault; the answer's one issue has it.
    """

    type_name: str
    changes: Json
    expression: str
    status_code: int = 400

    @property
    def name(self) -> str:
        """Return what the fault is called in a report."""
        told = {
            element: "absent" if value is ABSENT else value
            for element, value in self.changes.items()
        }
        return f"{self.type_name} {told}"[:100]


def spoiled(resource: Json, changes: Json) -> Json:
    """Return a copy of *resource* with *changes*; a choice has no other type."""
    stems = {match[1] for name in changes if (match := CHOICE.match(name))}
    kept = {
        name: value
        for name, value in resource.items()
        if (match := CHOICE.match(name)) is None or match[1] not in stems
    }
    if "value" in stems:
        kept.pop("dataAbsentReason", None)
    set_ = {name: value for name, value in changes.items() if value is not ABSENT}
    return {n: v for n, v in kept.items() if changes.get(n) is not ABSENT} | set_


def observation(expression: str, status_code: int = 400, /, **changes: Any) -> Fault:
    return Fault("Observation", changes, f"Observation{expression}", status_code)


def condition(expression: str, status_code: int = 400, /, **changes: Any) -> Fault:
    return Fault("Condition", changes, f"Condition{expression}", status_code)


def patient(expression: str, status_code: int = 400, /, **changes: Any) -> Fault:
    return Fault("Patient", changes, f"Patient{expression}", status_code)


def encounter(expression: str, status_code: int = 400, /, **changes: Any) -> Fault:
    return Fault("Encounter", changes, f"Encounter{expression}", status_code)


def coded(**coding: Any) -> Json:
    return {"coding": [coding]}


def of(reference: str) -> Json:
    return {"reference": reference}


WRONG_KINDS = [
    observation(".status", status=7),
    observation(".code", code=CANARY),
    observation(".code.coding", code={"coding": {"code": CANARY}}),
    observation(".category", category={"text": CANARY}),
    observation(".subject", subject=[{"reference": "Patient/p1"}]),
    observation(".subject.reference", subject=of(["Patient/p1"])),  # type: ignore[arg-type]
    observation(".effective.ofType(dateTime)", effectiveDateTime=2024),
    observation(".value.ofType(Quantity).value", valueQuantity={"value": CANARY}),
    observation(".value.ofType(Quantity)", valueQuantity=7.1),
    observation(".value.ofType(boolean)", valueBoolean="true"),
    observation(".value.ofType(integer)", valueInteger=1.5),
    observation(".value.ofType(string)", valueString=True),
    observation(".status", status=None),
    observation(".note[0]", note=[CANARY]),
    condition(".clinicalStatus", clinicalStatus=[coded(code=CANARY)]),
    condition(".onset.ofType(Period)", onsetPeriod=CANARY),
    patient(".gender", gender=[CANARY]),
    patient(".active", active="yes"),
    patient(".name", name={"family": CANARY}),
    patient(".multipleBirth.ofType(integer)", multipleBirthInteger="2"),
    encounter(".class", **{"class": CANARY}),
    encounter(".period", period=[{"start": "2024"}]),
]
MISSING = [
    observation(".status", status=ABSENT),
    observation(".code", code=ABSENT),
    observation(".subject", 422, subject=ABSENT),
    observation(".component[0].code", component=[{"valueString": CANARY}]),
    condition(".subject", subject=ABSENT),
    encounter(".status", status=ABSENT),
    encounter(".class", **{"class": ABSENT}),
    encounter(".subject", 422, subject=ABSENT),
    patient(".link[0].other", link=[{"type": "seealso"}]),
]
BAD_CODES = [
    observation(".status", status=CANARY),
    observation(".status", status="FINAL"),
    observation(
        ".value.ofType(Quantity).comparator",
        valueQuantity={"value": 7.1, "comparator": CANARY},
    ),
    condition(
        ".clinicalStatus.coding",
        clinicalStatus=coded(system="urn:test:local", code=CANARY),
        abatementString=ABSENT,
    ),
    condition(
        ".verificationStatus.coding",
        verificationStatus=coded(system="urn:test:local", code="confirmed"),
    ),
    patient(".gender", gender=CANARY),
    patient(".address[0].use", address=[{"use": CANARY}]),
    encounter(".status", status="done"),
]
TWO_CHOICES = [
    observation(".value", valueString=CANARY, valueBoolean=True),
    observation(".value", valueInteger=1, valueQuantity={"value": 7.1}),
    observation(
        ".effective", effectiveDateTime="2024", effectivePeriod={"start": "2024"}
    ),
    condition(".onset", onsetString=CANARY, onsetDateTime="2024"),
    patient(".deceased", deceasedBoolean=True, deceasedDateTime="2024"),
]
BAD_SYNTAX = [
    observation(".effective.ofType(dateTime)", effectiveDateTime="2024-02-30"),
    observation(".effective.ofType(dateTime)", effectiveDateTime="2024-02-03T10:00"),
    observation(".effective.ofType(dateTime)", effectiveDateTime=CANARY),
    observation(".effective.ofType(instant)", effectiveInstant="2024-02-03"),
    observation(".effective.ofType(Period).start", effectivePeriod={"start": "3/2/24"}),
    observation(".issued", issued="2024-02-03T25:00:00Z"),
    observation(".value.ofType(Quantity).value", valueQuantity={"value": 10**18}),
    observation(".value.ofType(integer)", valueInteger=2**31),
    observation(".code.coding[0].system", code=coded(system=f"{CANARY} x", code="a")),
    observation(".code.coding[0].code", code=coded(system=LOINC, code=f" {CANARY}")),
    observation(".id", id=f"{CANARY}_1"),
    observation(".id", id="x" * 65),
    observation(".meta.lastUpdated", meta={"lastUpdated": "2024-02-03"}),
    observation(".value.ofType(time)", valueTime="10:00"),
    condition(".recordedDate", recordedDate="20240203"),
    patient(".birthDate", birthDate="1970-13-01"),
    patient(".birthDate", birthDate="1970-01-01T00:00:00Z"),
    patient(".multipleBirth.ofType(integer)", multipleBirthInteger=-(2**31) - 1),
    encounter(".period.end", period={"end": CANARY}),
]
EMPTY = [
    observation(".value.ofType(string)", valueString=""),
    observation(".category", category=[]),
    observation(".code", code={}),
    observation(".performer[0]", performer=[{}]),
    observation(".code.coding[0].display", code={"coding": [{"display": ""}]}),
    condition(".category[0]", category=[{}]),
    patient(".name", name=[]),
    patient(".name[0].given[1]", name=[{"given": [CANARY, ""]}]),
    encounter(".period", period={}),
    encounter(".subject", subject={}),
]
UNKNOWN = [
    observation("", **{CANARY: CANARY}),
    observation(".code", code={"text": "x", CANARY: 1}),
    observation(".component[0]", component=[{"code": {"text": "x"}, CANARY: True}]),
    condition("", **{CANARY: {"text": CANARY}}),
    patient(".name[0]", name=[{"family": "x", CANARY: CANARY}]),
    encounter(".period", period={"start": "2024", CANARY: "2024"}),
]
BAD_REFERENCES = [
    observation(".subject.reference", subject=of(f"{CANARY} 1")),
    observation(".subject.reference", subject=of("Patient")),
    observation(".subject.reference", subject=of(f"Practitioner/{CANARY}")),
    observation(".subject", 422, subject={"display": CANARY}),
    observation(".subject.identifier", 422, subject={"identifier": {"value": CANARY}}),
    observation(
        ".subject.identifier",
        422,
        subject={"identifier": {"system": "urn:test:other", "value": CANARY}},
    ),
    observation(
        ".subject.reference",
        422,
        subject=of(f"https://elsewhere.example/Patient/{CANARY}"),
    ),
    observation(".encounter.reference", encounter=of(f"Patient/{CANARY}")),
    condition(".subject", 422, subject=of("Group/g1")),
    encounter(".subject.reference", subject=of(f"/{CANARY}")),
    patient(
        ".link[0].other",
        422,
        link=[{"type": "replaces", "other": of("RelatedPerson/r1")}],
    ),
]

FAULTS = [
    *WRONG_KINDS,
    *MISSING,
    *BAD_CODES,
    *TWO_CHOICES,
    *BAD_SYNTAX,
    *EMPTY,
    *UNKNOWN,
    *BAD_REFERENCES,
]

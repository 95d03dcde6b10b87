"""Valid resources of each kept type, with what FHIR lets them have beside the rest."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from app.fhir.bindings import CODES, CONCEPTS
from tests.make import MRN

HL7 = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
UNITS = ["%", "mg/dL", "mm[Hg]", "kg", "/min", "mmol/mol"]

Json = dict[str, Any]
Built = st.SearchStrategy[Json]


def thing(*, required: Json, **optional: st.SearchStrategy) -> Built:
    """Build an object with all that is *required* and any of the *optional*."""
    always = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in required.items()
    }
    return st.fixed_dictionaries(always, optional=optional)


def several(of: Built) -> st.SearchStrategy[list[Json]]:
    return st.lists(of, min_size=1, max_size=2)


def either(**choices: st.SearchStrategy) -> Built:
    """Build an object with at most one of the *choices*."""
    one = (st.fixed_dictionaries({name: of}) for name, of in choices.items())
    return st.one_of(st.just({}), *one)


def merged(*parts: Built) -> Built:
    """Build one object of several."""
    return st.tuples(*parts).map(
        lambda each: {k: v for p in each for k, v in p.items()}
    )


letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"])
texts = st.text(letters, min_size=1, max_size=12)
days = st.dates(date(1995, 1, 2), date(2030, 1, 1))
times = st.times().map(lambda time: time.isoformat(timespec="seconds"))
instants = st.builds(
    lambda day, time, zone: f"{day}T{time}{zone}",
    days,
    times,
    st.sampled_from(["Z", "+00:00", "-05:00", "+05:30", "+14:00"]),
)
dates = days.map(date.isoformat)
partial_dates = st.builds(
    lambda day, known: day[:known], dates, st.sampled_from([4, 7, 10])
)
moments = partial_dates | instants
amounts = st.integers(0, 10**7).map(lambda hundredths: hundredths / 100)
extensions = several(thing(required={"url": "urn:test:note", "valueString": texts}))


def concepts(*codings: tuple[str, str]) -> Built:
    """Build a CodeableConcept with one or two of these."""
    coding = st.builds(
        lambda pair, more: {"system": pair[0], "code": pair[1]} | more,
        st.sampled_from(codings),
        thing(required={}, display=texts, userSelected=st.booleans()),
    )
    return thing(required={"coding": several(coding)}, text=texts)


def bound(element: str, *codes: str) -> Built:
    """Build a CodeableConcept with one of *codes* of the element's required binding."""
    system = CONCEPTS[element].system
    return concepts(*((system, code) for code in codes))


findings = concepts(
    ("http://loinc.org", "4548-4"),
    ("http://loinc.org", "8480-6"),
    ("http://snomed.info/sct", "34000006"),
    ("urn:test:local", "a1c"),
)
parts = concepts(("http://loinc.org", "8462-4"), ("urn:test:local", "part"))
words = thing(required={"text": texts})
practitioners = thing(required={"reference": "Practitioner/d1"}, display=texts)
patients_named = thing(
    required={
        "reference": st.sampled_from(
            [
                "Patient/p1",
                "https://ehr.example/fhir/Patient/p1",
                "urn:uuid:00000000-0000-4000-8000-000000000001",
                f"Patient?identifier={MRN}|p1",
            ]
        )
    },
    display=texts,
)
visits_named = thing(required={"reference": "Encounter/e1"})
quantities = thing(
    required={"value": amounts, "system": UCUM, "code": st.sampled_from(UNITS)},
    unit=texts,
    comparator=st.sampled_from(CODES["Quantity.comparator"]),
)
periods = st.lists(dates, min_size=2, max_size=2).map(
    lambda pair: {"start": min(pair), "end": max(pair)}
)
findings_of_any_kind = either(
    valueQuantity=quantities,
    valueCodeableConcept=findings,
    valueBoolean=st.booleans(),
    valueInteger=st.integers(-1000, 1000),
    valueString=texts,
    valueDateTime=moments,
    valueTime=times,
    valuePeriod=periods,
    dataAbsentReason=concepts((f"{HL7}/data-absent-reason", "asked-unknown")),
)
whatever = thing(
    required={},
    meta=thing(required={"source": "urn:test:feed"}, lastUpdated=instants),
    language=st.just("en-US"),
    extension=extensions,
    identifier=several(thing(required={"system": "urn:test:other", "value": texts})),
)
noted = thing(required={}, note=several(thing(required={"text": texts}, time=moments)))

observations = merged(
    thing(
        required={
            "resourceType": "Observation",
            "status": st.sampled_from(
                ["registered", "preliminary", "final", "unknown"]
            ),
            "code": findings,
            "subject": patients_named,
        },
        encounter=visits_named,
        category=several(concepts((f"{HL7}/observation-category", "laboratory"))),
        issued=instants,
        performer=several(practitioners),
        interpretation=several(words),
        bodySite=words,
        component=several(
            merged(thing(required={"code": parts}), findings_of_any_kind)
        ),
    ),
    either(
        effectiveDateTime=moments,
        effectivePeriod=periods,
        effectiveInstant=instants,
    ),
    findings_of_any_kind,
    whatever,
    noted,
)
conditions = merged(
    thing(
        required={
            "resourceType": "Condition",
            "subject": patients_named,
            "clinicalStatus": bound("Condition.clinicalStatus", "resolved", "inactive"),
        },
        code=findings,
        verificationStatus=bound(
            "Condition.verificationStatus", "confirmed", "refuted"
        ),
        category=several(concepts((f"{HL7}/condition-category", "problem-list-item"))),
        severity=words,
        encounter=visits_named,
        recordedDate=moments,
        recorder=practitioners,
    ),
    either(onsetDateTime=moments, onsetPeriod=periods, onsetString=texts),
    either(abatementDateTime=moments, abatementString=texts),
    whatever,
    noted,
)
patients = merged(
    thing(
        required={"resourceType": "Patient"},
        gender=st.sampled_from(CODES["Patient.gender"]),
        birthDate=partial_dates,
        name=several(
            thing(required={"family": texts}, given=st.lists(texts, min_size=1))
        ),
        telecom=several(thing(required={"system": "phone", "value": texts})),
        address=several(
            thing(required={"state": "OH", "postalCode": "45229"}, city=texts)
        ),
        active=st.booleans(),
        generalPractitioner=several(practitioners),
    ),
    either(deceasedBoolean=st.booleans(), deceasedDateTime=moments),
    either(multipleBirthBoolean=st.booleans(), multipleBirthInteger=st.integers(1, 5)),
    whatever,
)
encounters = merged(
    thing(
        required={
            "resourceType": "Encounter",
            "status": st.sampled_from(["arrived", "in-progress", "finished"]),
            "class": st.sampled_from(
                [
                    {"system": f"{HL7}/v3-ActCode", "code": "AMB"},
                    {"system": "urn:test:local", "code": "clinic"},
                ]
            ),
            "subject": patients_named,
        },
        period=periods,
        type=several(words),
        participant=several(thing(required={"individual": practitioners})),
        reasonCode=several(findings),
    ),
    whatever,
)

BUILT: dict[str, Built] = {
    "Observation": observations,
    "Condition": conditions,
    "Patient": patients,
    "Encounter": encounters,
}

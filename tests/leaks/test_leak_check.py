"""`catchment leak-check`: the leaks of published data, rebuilt, and what has none."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deid.leak_kinds import KINDS, Basis, Severity
from app.deid.leaks import Finding, Terms, leaks_in
from app.fhir.element_names import element_names
from app.services.leak_checks import documents_in
from tests import make
from tests.hubs import Caller
from tests.leaks.mints import Mint
from tests.leaks.plants import TURNS, Planter

LOINC = "http://loinc.org"
EPIC = "urn:oid:1.2.840.114350.1.13.999.2.7.2.696580"
STRICT = Terms(Basis.SAFE_HARBOR, 2026, element_names())
LIMITED = Terms(Basis.LIMITED_DATA_SET, 2026, element_names())
ANONYMISED = {
    "security": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
            "code": "ANONYED",
        }
    ]
}


def patient(**elements: Any) -> dict:
    return {"resourceType": "Patient", "gender": "female"} | elements


def observation(**elements: Any) -> dict:
    code = {"coding": [{"system": LOINC, "code": "8480-6"}]}
    return {"resourceType": "Observation", "status": "final", "code": code} | elements


def told(resource: Any, terms: Terms = STRICT) -> dict[str, str]:
    """Return the kind of finding at each path."""
    return {found.path: found.kind.name for found in leaks_in(resource, terms)}


def digest(text: str, name: str = "sha256") -> str:
    return hashlib.new(name, text.encode()).hexdigest()


PUBLISHED: list[tuple[dict, str, str, str]] = [
    (
        observation(issued="2016-03-28T15:22:09.000-05:00"),
        "Observation.issued",
        "time-of-day",
        "C",
    ),
    (
        observation(effectiveDateTime="2016-03-28"),
        "Observation.effectiveDateTime",
        "date",
        "C",
    ),
    (
        observation(effectiveDateTime="2016-03"),
        "Observation.effectiveDateTime",
        "date",
        "C",
    ),
    (observation(valueTime="13:14:15"), "Observation.valueTime", "time-of-day", "C"),
    (
        {
            "resourceType": "Encounter",
            "location": [{"location": {"display": "Holy Example Hospital"}}],
        },
        "Encounter.location[0].location.display",
        "display-of-reference",
        "A",
    ),
    (
        patient(address=[{"postalCode": "03600"}]),
        "Patient.address[0].postalCode",
        "zip3-restricted",
        "B",
    ),
    (
        patient(address=[{"postalCode": "036"}]),
        "Patient.address[0].postalCode",
        "zip3-restricted",
        "B",
    ),
    (
        patient(address=[{"postalCode": "090"}]),
        "Patient.address[0].postalCode",
        "zip3-restricted",
        "B",
    ),
    (
        patient(address=[{"postalCode": "00000-1234"}]),
        "Patient.address[0].postalCode",
        "zip-plus-4",
        "B",
    ),
    (
        patient(address=[{"postalCode": "02139"}]),
        "Patient.address[0].postalCode",
        "zip5",
        "B",
    ),
    (
        patient(address=[{"postalCode": "SW1A 1AA"}]),
        "Patient.address[0].postalCode",
        "postal-code",
        "B",
    ),
    (patient(address=[{"city": "Smallville"}]), "Patient.address[0].city", "town", "B"),
    (
        patient(address=[{"line": ["1 Main St"]}]),
        "Patient.address[0].line",
        "street",
        "B",
    ),
    (
        patient(address=[{"state": "near Boston"}]),
        "Patient.address[0].state",
        "state",
        "B",
    ),
    (
        patient(telecom=[{"system": "phone", "value": "5550177"}]),
        "Patient.telecom[0].value",
        "phone",
        "D",
    ),
    (
        patient(telecom=[{"system": "fax", "value": "5550177"}]),
        "Patient.telecom[0].value",
        "fax",
        "E",
    ),
    (
        patient(telecom=[{"system": "email", "value": "a@b.example"}]),
        "Patient.telecom[0].value",
        "e-mail",
        "F",
    ),
    (patient(name=[{"family": "Miller"}]), "Patient.name[0]", "name", "A"),
    (
        patient(contact=[{"name": {"text": "Ann"}}]),
        "Patient.contact[0].name",
        "name",
        "A",
    ),
    (patient(birthDate="1985-03-17"), "Patient.birthDate", "birth-date", "C"),
    (patient(birthDate="1985-03"), "Patient.birthDate", "birth-date", "C"),
    (patient(birthDate="1931"), "Patient.birthDate", "birth-year", "C"),
    (
        patient(text={"status": "generated", "div": "<div>Ann Miller</div>"}),
        "Patient.text.div",
        "free-text",
        "A",
    ),
    (
        patient(photo=[{"contentType": "image/png", "data": "iVBORw0KGgo="}]),
        "Patient.photo[0]",
        "photograph",
        "Q",
    ),
    (patient(id="12345678"), "Patient.id", "raw-id", "R"),
    (patient(id="MRN-0012345"), "Patient.id", "raw-id", "R"),
    (
        patient(id="6fa459ea-ee8a-3ca4-894e-db77e160355e"),
        "Patient.id",
        "uuid-of-name",
        "R",
    ),
    (
        patient(id="a8098c1a-f86e-11da-bd1a-00112444be1e"),
        "Patient.id",
        "uuid-of-time",
        "O",
    ),
    (patient(id=digest("x1")), "Patient.id", "hash", "R"),
    (patient(gender="Ann Miller"), "Patient.gender", "not-a-code", "R"),
    (
        patient(
            identifier=[{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "x999"}]
        ),
        "Patient.identifier[0].value",
        "ssn",
        "G",
    ),
    (
        patient(identifier=[{"value": "999-45-6781"}]),
        "Patient.identifier[0].value",
        "ssn",
        "G",
    ),
    (
        patient(
            identifier=[{"system": "http://hospital.example.org/mrn", "value": "77"}]
        ),
        "Patient.identifier[0].value",
        "medical-record",
        "H",
    ),
    (
        patient(
            identifier=[{"system": "http://hospital.example.org/x", "value": "77"}]
        ),
        "Patient.identifier[0].system",
        "identifier-system",
        "N",
    ),
    (
        observation(subject={"reference": "Patient/1234567"}),
        "Observation.subject.reference",
        "raw-id",
        "R",
    ),
    (
        observation(subject={"reference": f"Patient/{digest('x')}"}),
        "Observation.subject.reference",
        "hash",
        "R",
    ),
    (
        observation(subject={"reference": "https://ehr.hospital.org/fhir/Patient/a"}),
        "Observation.subject.reference",
        "web-address",
        "N",
    ),
    (
        observation(subject={"reference": "Patient?identifier=x|1"}),
        "Observation.subject.reference",
        "identifier",
        "R",
    ),
    (
        observation(subject={"reference": "Patient/a", "display": "Miller, Ann"}),
        "Observation.subject.display",
        "display-of-reference",
        "A",
    ),
    (
        observation(meta={"source": "https://ehr.hospital.org/fhir"}),
        "Observation.meta.source",
        "web-address",
        "N",
    ),
    (
        observation(valueString="seen with her mother"),
        "Observation.valueString",
        "free-text",
        "A",
    ),
    (observation(note=[{"text": "Ann"}]), "Observation.note[0].text", "text", "A"),
    (observation(code={"text": "BP of Ann"}), "Observation.code.text", "text", "A"),
    (
        observation(code={"coding": [{"system": EPIC, "code": "ANN MILLER"}]}),
        "Observation.code.coding[0].code",
        "local-code",
        "R",
    ),
    (
        observation(code={"coding": [{"system": EPIC, "code": "1", "display": "Ann"}]}),
        "Observation.code.coding[0].display",
        "display-local",
        "A",
    ),
    (
        observation(code={"coding": [{"system": LOINC, "code": "8480-7"}]}),
        "Observation.code.coding[0].code",
        "not-a-code",
        "R",
    ),
    (
        observation(extension=[{"url": "http://x.example", "valueString": "Ann"}]),
        "Observation.extension[0].valueString",
        "free-text",
        "A",
    ),
    (
        observation(contained=[patient(id="p")]),
        "Observation.contained[0]",
        "contained",
        "A",
    ),
    (
        observation(referenceRange=[{"age": {"low": {"value": 93}}}]),
        "Observation.referenceRange[0].age",
        "age",
        "C",
    ),
    (
        {"resourceType": "Condition", "onsetAge": {"value": 92, "unit": "a"}},
        "Condition.onsetAge",
        "age",
        "C",
    ),
    (
        {"resourceType": "Condition", "onsetAge": {"value": 1104, "code": "mo"}},
        "Condition.onsetAge",
        "age",
        "C",
    ),
    (
        {"resourceType": "Device", "serialNumber": "SN 7"},
        "Device.serialNumber",
        "device",
        "M",
    ),
    (
        {"resourceType": "Organization", "name": "Holy Example Hospital"},
        "Organization.name",
        "place",
        "B",
    ),
    (
        {
            "resourceType": "Location",
            "position": {"latitude": 42.26, "longitude": -72.6},
        },
        "Location.position",
        "position",
        "B",
    ),
    (
        {"resourceType": "Binary", "contentType": "text/plain", "data": "QW5u"},
        "Binary",
        "attachment",
        "Q",
    ),
    ({"resourceType": "Claim", "created": "2024-01-02"}, "Claim.created", "date", "C"),
    (
        {"resourceType": "Patient", "Ann Miller": 1},
        "Patient.<unknown>",
        "unknown-element",
        "R",
    ),
]


@pytest.mark.parametrize(
    ("resource", "path", "kind", "letter"),
    PUBLISHED,
    ids=[f"{path}-{kind}" for _, path, kind, _ in PUBLISHED],
)
def test_what_published_data_leak_is_found(
    resource: dict, path: str, kind: str, letter: str
):
    """By its place, with HIPAA's letter, and what to do about it."""
    found = {f.path: f for f in leaks_in(resource, STRICT)}

    assert found[path].kind.name == kind
    assert found[path].kind.letter == letter
    assert found[path].kind.advice


RECIPES = [
    "Ann|Miller|1985-03-17|Test",
    "annmiller1985-03-17",
    "MILLER,ANN,19850317",
    "Miller Ann 03/17/1985",
    "1985-03-17",
    "Miller|1985-03-17",
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_an_unkeyed_hash_of_who_somebody_is_is_proven(recipe: str, name: str):
    """Whoever knows a name and a birth date can find the person again, as we can."""
    person = patient(
        id=digest(recipe, name)[:64],
        name=[{"given": ["Ann"], "family": "Miller"}],
        birthDate="1985-03-17",
        identifier=[{"system": "urn:x", "value": digest(recipe, name)}],
    )

    found = told(person)

    assert found["Patient.identifier[0].value"] == "unkeyed-hash"
    assert KINDS["unkeyed-hash"].severity is Severity.HIGH


def test_a_hash_of_what_stands_beside_is_proven():
    """A record number in clear, and its hash as the id."""
    person = patient(id=digest("A-1"), identifier=[{"system": "urn:x", "value": "A-1"}])

    assert told(person)["Patient.id"] == "unkeyed-hash"


def test_a_hash_that_cannot_be_made_again_is_asked_about():
    """It may be keyed: only who made it can show that."""
    assert told(patient(id=digest("?"), birthDate="1985"))["Patient.id"] == "hash"


def test_only_who_died_old_is_over_89():
    """A year of birth tells an age at death, not today."""
    assert told(patient(birthDate="1931", deceasedDateTime="1990")) == {}
    assert "Patient.birthDate" in told(patient(birthDate="1931"))
    assert told(patient(birthDate="1937")) == {}
    assert told(patient(birthDate="1931", deceasedDateTime="2021")) != {}


def test_a_limited_data_set_may_keep_dates_and_places():
    """And names, numbers and streets no more than any other."""
    address = {"city": "Boston", "postalCode": "02139", "state": "MA"}
    person = patient(birthDate="1985-03-17", address=[address])
    event = observation(effectiveDateTime="2024-01-31")

    assert told(person, LIMITED) == told(event, LIMITED) == {}
    assert told(person) != {}
    assert told(event) != {}
    named = patient(name=[{"text": "Ann"}], address=[{"line": ["1 Main St"]}])
    assert set(told(named, LIMITED).values()) == {"name", "street"}


def test_a_label_that_says_anonymised_is_held_to_it():
    """Whoever reads the label looks no further."""
    leaking = patient(meta=ANONYMISED, name=[{"text": "Ann"}])

    assert told(leaking)["Patient.meta"] == "false-claim"
    assert told(patient(meta=ANONYMISED)) == {}


CLEAN = [
    patient(
        id="5a0c3b52-8f0e-4c0a-9a3e-3a1b7d2c9e10",
        birthDate="1985",
        address=[{"state": "MA", "postalCode": "021", "country": "US"}],
        name=[{"text": "REDACTED"}],
        telecom=[{"system": "phone", "value": "***"}],
    ),
    patient(address=[{"postalCode": "000"}, {"postalCode": "02100"}]),
    observation(
        subject={"reference": "Patient/5a0c3b52-8f0e-4c0a-9a3e-3a1b7d2c9e10"},
        effectiveDateTime="2024",
        valueQuantity={
            "value": 143,
            "unit": "mm[Hg]",
            "system": "http://unitsofmeasure.org",
            "code": "mm[Hg]",
        },
        text={"status": "empty", "div": "<div xmlns='http://www.w3.org/1999/xhtml'/>"},
    ),
    {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "fullUrl": "urn:uuid:5a0c3b52-8f0e-4c0a-9a3e-3a1b7d2c9e10",
                "resource": observation(effectiveDateTime="2024"),
            }
        ],
    },
    {
        "resourceType": "ValueSet",
        "name": "Colours",
        "date": "2024-01-31",
        "description": "What colours there are",
        "url": "https://hospital.example.org/ValueSet/colours",
    },
    {
        "resourceType": "MeasureReport",
        "type": "summary",
        "period": {"start": "2024-06-01", "end": "2024-06-30"},
    },
    observation(subject={"reference": "Group/ward"}, effectiveDateTime="2024-06-01"),
]


@pytest.mark.parametrize("resource", CLEAN)
def test_what_was_made_properly_raises_no_alarm(resource: dict):
    """A tool that cries at everything is soon not listened to."""
    assert told(resource) == {}


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_this_hub_gives_out_is_clean(ehr: Caller):
    """What comes of a resource full of identifiers, examined and read back."""
    given = [(await ehr.call("POST", "/$de-identify", make.lab(7.1))).json()]
    assert "Hemoglobin" in str(given)  # a label of the hub's own
    for root in TURNS:
        for turn in range(min(TURNS[root], 12)):
            resource = Planter(Mint(), turn=turn).resource(root)
            given.append((await ehr.call("POST", "/$de-identify", resource)).json())
            stored = await ehr.post(resource | {"id": f"of-{root}-{turn}"})
            assert stored.status_code in {200, 201}, stored.text
            path = stored.headers["Location"].partition("/fhir/")[2]
            given.append((await ehr.read(path.partition("/_history")[0])).json())

    assert {one["resourceType"] for one in given} > {"Parameters", "Patient"}
    assert {path for one in given for path in told(one, LIMITED)} == set()


def test_no_finding_repeats_what_it_found():
    """A report of leaks that leaks would be one."""
    for root in TURNS:
        mint = Mint()
        resource = Planter(mint, turn=0).resource(root)
        said = " ".join(told(resource | {"zqxcan": {"birthDate": "1985-03-17"}}))
        assert len(said) > 1000
        assert not any(token in said for token in (*mint.planted, "zqxcan"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(element_names())) | st.text(), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_anything_can_be_looked_at(anything: Any):
    """Invalid FHIR is where identifiers hide."""
    for found in leaks_in(anything, STRICT):
        assert isinstance(found, Finding)


def test_every_example_of_the_standard_can_be_looked_at(shared: Path):
    """Whatever its type: Claims and Media leak as Observations do."""
    folder = shared / "data/hl7_r4_examples"
    looked = [
        told(document.value)
        for path in sorted(folder.rglob("*.json"))[::4]
        for document in documents_in(io.BytesIO(path.read_bytes()))
    ]
    assert len(looked) > 50
    assert {"name", "date", "raw-id"} <= {
        kind for each in looked for kind in each.values()
    }


NDJSON = b"\n".join(
    json.dumps(one).encode() for one in (patient(id="a1"), patient(id="12345678"))
)


def lines_of(text: bytes) -> list[int]:
    return [document.line for document in documents_in(io.BytesIO(text))]


def test_lines_are_taken_one_at_a_time():
    """A file of ten gigabytes needs the memory of its longest line."""
    taken = []

    def endless():
        for number in range(10**9):
            taken.append(number)
            yield b'{"resourceType": "Patient"}\n'

    documents = documents_in(endless())
    for _ in range(5):
        next(documents)

    assert len(taken) == 5


def test_a_document_may_take_many_lines():
    """Written for people, a resource begins on one line and ends on another."""
    assert lines_of(b'\xef\xbb\xbf{\n "resourceType":\n "Patient"\n}\n') == [1]
    assert lines_of(NDJSON + b"\n\n" + NDJSON) == [1, 2, 4, 5]
    assert lines_of(b"\n\n") == []


def test_what_is_not_json_is_said_and_skipped():
    """The lines after it are looked at all the same."""
    for text in (b"not json\n" + NDJSON, NDJSON + b"\n{broken\n" + NDJSON):
        values = [d.value for d in documents_in(io.BytesIO(text))]
        assert values.count(None) == 1
        assert len(values) >= 3

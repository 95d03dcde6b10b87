"""What a reference means, in each of the forms that FHIR gives it."""

import pytest

from app.deid.pseudonyms import id_aliases, identifier_aliases
from app.domain.errors import (
    BusinessRuleError,
    InvalidElementError,
    MissingElementError,
    ServiceError,
)
from app.domain.records import AliasTarget, EntryTarget, HubTarget, RecordType
from app.fhir.references import full_url_id, hub_id, record_id_of
from tests.deidentification import (
    BASE,
    KEYS,
    MRN,
    SOURCE,
    condition,
    deidentified,
    encounter,
    observation,
    patient,
)

UUID = "c5f3a1c2-6b0e-4a57-9d5e-0d9f4f6b7a11"
P1 = AliasTarget(
    id_aliases(RecordType.PATIENT, "p1", keys=KEYS, source=SOURCE), RecordType.PATIENT
)
M1 = AliasTarget(
    identifier_aliases(RecordType.PATIENT, MRN, "M1", keys=KEYS, source=SOURCE),
    RecordType.PATIENT,
)


def subject_of(element: dict, **around):
    return deidentified(observation(subject=element), **around).subject


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "Patient/p1/_history/4",
        f"{BASE}/Patient/p1",
        f"{BASE}/Patient/p1/_history/4",
        "urn:uuid:p1",
        "urn:oid:p1",
    ],
)
def test_one_patient_is_one_alias_however_it_is_referred_to(reference: str):
    """A relative, absolute, versioned or urn reference to id p1 means one record."""
    assert subject_of({"reference": reference}) == P1


@pytest.mark.parametrize(
    "element",
    [
        {"identifier": {"system": MRN, "value": "M1"}},
        {"type": "Patient", "identifier": {"system": MRN, "value": "M1"}},
        {"reference": f"Patient?identifier={MRN}|M1"},
        {"reference": "Patient?identifier=http%3A%2F%2Fclinic.example%2Fmrn%7CM1"},
    ],
)
def test_a_logical_and_a_conditional_reference_mean_the_same_identifier(element):
    """The clinic's record number finds the patient whatever the source's ids are."""
    assert subject_of(element) == M1


def test_a_reference_wins_over_an_identifier_beside_it():
    """The identifier of another system must not refuse what the reference says."""
    element = {"reference": "Patient/p1", "identifier": {"system": "x", "value": "1"}}

    assert subject_of(element) == P1


def test_the_hubs_own_id_is_read_and_never_hashed():
    """hub-12 in a reply comes back as record 12, by a relative reference or a base."""
    assert hub_id(12) == "hub-12"
    assert record_id_of("hub-12") == 12
    assert record_id_of("hub-0012") is None
    assert record_id_of("hub-x") is None
    for text in ("Patient/hub-12", f"{BASE}/Patient/hub-12"):
        assert subject_of({"reference": text}) == HubTarget(12, RecordType.PATIENT)


@pytest.mark.parametrize(
    "full_url",
    [f"urn:uuid:{UUID}", "Patient/p1", "https://elsewhere.example/r4/Patient/p1"],
)
def test_a_reference_to_a_fullurl_means_that_entry(full_url: str):
    """Within a Bundle its own entries come first, even of a base that is unknown."""
    target = subject_of({"reference": full_url}, entries={full_url: 2})

    assert target == EntryTarget(2)


def test_an_unknown_base_is_refused():
    """Another server's Patient/p1 is another patient."""
    with pytest.raises(BusinessRuleError, match="base") as refusal:
        subject_of({"reference": "https://elsewhere.example/r4/Patient/p1"})

    assert refusal.value.expression == "Observation.subject.reference"


@pytest.mark.parametrize(
    ("element", "error", "expression"),
    [
        ({"reference": "Practitioner/g"}, BusinessRuleError, "Observation.subject"),
        ({"reference": "Device/d"}, BusinessRuleError, "Observation.subject"),
        ({"reference": f"{BASE}/Device/l"}, BusinessRuleError, "Observation.subject"),
        (
            {"reference": f"urn:uuid:{UUID}", "type": "Device"},
            BusinessRuleError,
            "Observation.subject",
        ),
        ({"reference": "#p"}, BusinessRuleError, "Observation.subject.reference"),
        ({"display": "Ann"}, MissingElementError, "Observation.subject"),
        ({}, MissingElementError, "Observation.subject"),
        ({"reference": "p1"}, InvalidElementError, "Observation.subject.reference"),
        (
            {"reference": "Patient/" + "x" * 65},
            InvalidElementError,
            "Observation.subject.reference",
        ),
        (
            {"reference": "Patient?name=Ann"},
            InvalidElementError,
            "Observation.subject.reference",
        ),
        (
            {"reference": "Patient?identifier=M1"},
            InvalidElementError,
            "Observation.subject.reference",
        ),
        (
            {"identifier": {"system": "http://x.example", "value": "M1"}},
            BusinessRuleError,
            "Observation.subject.identifier",
        ),
        (
            {"identifier": {"value": "M1"}},
            InvalidElementError,
            "Observation.subject.identifier",
        ),
    ],
)
def test_what_can_t_be_a_subject_is_refused(
    element: dict, error: type[ServiceError], expression: str
):
    """An event that can't be counted for a person must not be stored for none."""
    with pytest.raises(error) as refusal:
        subject_of(element)

    assert type(refusal.value) is error
    assert refusal.value.expression == expression


@pytest.mark.parametrize("make", [observation, condition, encounter])
def test_an_event_without_subject_is_refused(make):
    """Every event is about someone."""
    resource = make()
    del resource["subject"]

    with pytest.raises(MissingElementError):
        deidentified(resource)


def test_an_encounter_is_referred_to_as_a_subject_is():
    """The same forms, of another type: Encounter/p1 is not Patient/p1."""
    record = deidentified(observation(encounter={"reference": "Encounter/p1"}))

    assert isinstance(record.encounter, AliasTarget)
    assert record.encounter.type is RecordType.ENCOUNTER
    assert record.encounter.aliases != P1.aliases
    with pytest.raises(BusinessRuleError) as refusal:
        deidentified(observation(encounter={"reference": "EpisodeOfCare/1"}))
    assert refusal.value.expression == "Observation.encounter"


def test_links_that_join_patients_are_kept_and_others_are_not():
    """Links to see also, or to refer to, say nothing of identity."""
    links = [
        {"other": {"reference": "Patient/p1"}, "type": "replaces"},
        {"other": {"reference": "Patient/p2"}, "type": "seealso"},
        {"other": {"reference": "Patient/hub-9"}, "type": "replaced-by"},
    ]

    record = deidentified(patient(link=links))

    assert record.links == (P1, HubTarget(9, RecordType.PATIENT))
    assert record.dropped == ("Patient.link",)


def test_the_id_of_a_fullurl_is_the_sources_own_id():
    """A urn is for this delivery only; another base is not ours to read."""
    assert full_url_id(f"{BASE}/Patient/p1", source=SOURCE) == "p1"
    assert full_url_id("Patient/p1", source=SOURCE) == "p1"
    assert full_url_id(f"urn:uuid:{UUID}", source=SOURCE) is None
    assert full_url_id("https://elsewhere.example/Patient/p1", source=SOURCE) is None

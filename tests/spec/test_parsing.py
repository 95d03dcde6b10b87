"""What is read of a resource, what is dropped, and what refuses it."""

from decimal import Decimal
from typing import Any

import pytest

from app.deid.pseudonyms import id_aliases, identifier_aliases
from app.domain.errors import BusinessRuleError, InvalidElementError, UnknownTypeError
from app.domain.records import RecordType
from app.fhir.parsing import parse_resource
from tests.deidentification import (
    KEYS,
    MRN,
    SOURCE,
    concept,
    condition,
    deidentified,
    encounter,
    observation,
    patient,
)

LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (Decimal("1.10"), "1.10"),
        (1.5, "1.5"),
        (7, "7"),
        (Decimal("-0.00"), "-0.00"),
    ],
)
def test_a_decimal_stays_as_it_was_written(number, written: str):
    """1.10 was measured to two places; 1.1 to one."""
    record = deidentified(observation(valueQuantity={"value": number}))

    assert record.content.value.quantity.value == written


def test_a_record_is_known_by_its_ids_and_its_unique_identifiers():
    """The body's id, the URL's, and the identifiers of declared systems; once each."""
    resource = patient(
        id="p1",
        identifier=[
            {"system": MRN, "value": "M1"},
            {"system": MRN, "value": "M1"},
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-45-6781"},
        ],
    )

    record = deidentified(resource, ids=("p1", "p2"))

    assert record.aliases == (
        *id_aliases(RecordType.PATIENT, "p1", keys=KEYS, source=SOURCE),
        *id_aliases(RecordType.PATIENT, "p2", keys=KEYS, source=SOURCE),
        *identifier_aliases(RecordType.PATIENT, MRN, "M1", keys=KEYS, source=SOURCE),
    )
    assert record.dropped == ("Patient.identifier",)


def test_the_hubs_own_ids_are_never_hashed_nor_taken_from_a_body():
    """PUT to hub-7 names record 7; a new resource that calls itself hub-7 is not it."""
    assert deidentified(patient(id="hub-7"), ids=("hub-7",)).aliases == ()
    with pytest.raises(BusinessRuleError) as refusal:
        deidentified(patient(id="hub-7"))
    assert refusal.value.expression == "Patient.id"


def test_what_the_hub_gave_out_is_not_taken_back():
    """A client that reads, changes and writes would store coarsened data as new."""
    tag = {"system": "https://catchment.example/fhir/tag", "code": "deidentified"}

    with pytest.raises(BusinessRuleError) as refusal:
        deidentified(observation(meta={"tag": [{"code": "x"}, tag]}))

    assert refusal.value.expression == "Observation.meta.tag"


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        (
            observation(modifierExtension=[{"url": "x"}]),
            "Observation.modifierExtension",
        ),
        (
            observation(
                component=[{}, {"modifierExtension": [{"url": "http://ann.example"}]}]
            ),
            "Observation.component[1]",
        ),
        (
            observation(referenceRange=[{"low": {"modifierExtension": []}}]),
            "Observation.referenceRange[0]",
        ),
        (
            observation(effectiveTiming={"modifierExtension": []}),
            "Observation.effective.ofType(Timing)",
        ),
        (patient(ann={"modifierExtension": []}), "Patient"),
        (patient(ann=[{"modifierExtension": []}]), "Patient"),
    ],
)
def test_a_modifier_that_is_not_understood_refuses_the_resource(resource, expression):
    """It may say that the very opposite is meant."""
    with pytest.raises(BusinessRuleError) as refusal:
        deidentified(resource)

    assert refusal.value.expression == expression


def test_text_that_speaks_of_modifiers_is_no_modifier():
    """Only a key changes what an element means."""
    note = [{"text": 'see "modifierExtension":'}, {"text": "modifierExtension"}]

    assert deidentified(observation(note=note)).dropped == ("Observation.note",)


def test_what_is_not_kept_is_counted_by_path():
    """By FHIR's own names only: a name that someone invented may be a person's."""
    resource = observation(
        _status={"extension": [{"url": "x", "valueString": "Ann"}]},
        AnnMiller="Ann",
        note=[{"text": "Ann"}],
        meta={"versionId": "1", "lastUpdated": "2024-01-01T00:00:00Z"},
        subject={"reference": "Patient/p1", "display": "Ann"},
        component=[
            {"code": concept(LOINC, "8480-6") | {"text": "Ann"}, "id": "ann"},
            {"code": {"AnnMiller": "Ann"}, "valueString": "Ann"},
        ],
    )

    assert deidentified(resource).dropped == (
        "Observation.<unknown>",
        "Observation.component.code.<unknown>",
        "Observation.component.code.text",
        "Observation.component.id",
        "Observation.component.value.ofType(string)",
        "Observation.meta.versionId",
        "Observation.note",
        "Observation.status.extension",
        "Observation.subject.display",
    )


def test_the_order_in_which_versions_were_sent_is_kept_in_milliseconds():
    """1,704,067,200 seconds had passed at the beginning of 2024."""
    meta = {"lastUpdated": "2023-12-31T19:00:00.123-05:00"}

    assert deidentified(patient(meta=meta)).sent_order == 1_704_067_200_123
    assert deidentified(patient()).sent_order is None
    for text in ("yesterday", "2024-01-01", "2024-01-01T00:00:00"):
        with pytest.raises(InvalidElementError) as refusal:
            deidentified(patient(meta={"lastUpdated": text}))
        assert refusal.value.expression == "Patient.meta.lastUpdated"


@pytest.mark.parametrize(
    ("resource", "in_error", "needs_identity"),
    [
        (observation(status="final"), False, False),
        (observation(status="corrected"), False, True),
        (observation(status="amended"), False, True),
        (observation(status="entered-in-error"), True, True),
        (encounter(status="entered-in-error"), True, True),
        (encounter(), False, False),
        (
            condition(
                verificationStatus=concept(
                    "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                    "entered-in-error",
                )
            ),
            True,
            True,
        ),
        (condition(), False, False),
        (patient(), False, False),
    ],
)
def test_a_status_says_whether_a_record_stands(resource, in_error, needs_identity):
    """What replaces or takes back something must say what."""
    record = deidentified(resource)

    assert record.entered_in_error is in_error
    assert record.needs_identity is needs_identity


def digests(**elements: Any) -> Any:
    return deidentified(observation(**elements)).content_digests


def test_the_digest_of_a_delivery_is_blind_to_what_changes_between_deliveries():
    """Ids, versions, labels, references made up for one Bundle, the order of keys."""
    quantity = {"value": Decimal("1.10"), "unit": "mg"}
    first = digests(
        id="a",
        meta={"versionId": "1"},
        issued="2024-01-01T00:00:00Z",
        text={"div": "<div/>"},
        performer=[{"reference": "urn:uuid:1", "display": "Ann"}],
        encounter={"reference": "urn:uuid:2"},
        valueQuantity=quantity,
    )
    again = digests(
        valueQuantity=dict(reversed(quantity.items())),
        performer=[{"reference": "urn:uuid:3"}],
        subject={"reference": "urn:uuid:4"},
    )

    assert first == again


def test_the_digest_of_a_delivery_sees_all_else_at_full_precision():
    """Also what is dropped later: a time of day, a note, a trailing zero."""
    variants: list[dict[str, Any]] = [
        {},
        {"effectiveDateTime": "2024-01-01T10:00:00-05:00"},
        {"effectiveDateTime": "2024-01-01T10:00:01-05:00"},
        {"note": [{"text": "a"}]},
        {"valueQuantity": {"value": Decimal("1.1")}},
        {"valueQuantity": {"value": Decimal("1.10")}},
        {"performer": [{"reference": "Practitioner/1"}]},
        {"code": {"text": "pressure"}},
    ]

    assert len({digests(**elements) for elements in variants}) == len(variants)


def test_a_resource_nested_too_deep_is_refused():
    """Or it would end the process's stack instead."""
    deep: dict = {}
    for _ in range(2_000):
        deep = {"extension": [deep]}

    with pytest.raises(InvalidElementError, match="deep"):
        deidentified(observation(**deep))


def test_a_type_that_is_not_kept_is_unknown():
    """Claims have no place to go."""
    with pytest.raises(UnknownTypeError):
        parse_resource({"resourceType": "Claim"}, source=SOURCE)


def test_an_identified_record_shows_nothing():
    """Not to repr, not to str, not to a pretty traceback with locals."""
    identified = parse_resource(patient(id="ann", gender="female"), source=SOURCE)

    for struct in (identified, identified.content):
        assert repr(struct) == str(struct) == f"<{type(struct).__name__}>"
        assert struct.__rich_repr__() == []

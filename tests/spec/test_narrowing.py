"""Rules of other tools can only take away from what a policy keeps."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deid.narrowing import parse_narrowing
from app.deid.policies import Policy
from app.deid.stored_elements import NEEDED, chains_of_elements
from app.domain.errors import BusinessRuleError, InvalidElementError
from app.domain.records import Value
from tests.deidentification import (
    POLICY,
    POLICY_TEXT,
    concept,
    condition,
    deidentified,
    encounter,
    observation,
    patient,
    policy,
)

Stated = tuple[str, str]
ADDRESS = {"state": "MA", "postalCode": "02139"}
OF_CODES = ("nodesByType('Coding').code", "redact")


def rules(*stated: Stated, **more: Any) -> str:
    """Return a file of rules of a path and a method each."""
    listed = [{"path": path, "method": method} for path, method in stated]
    return json.dumps({"fhirVersion": "R4", "fhirPathRules": listed} | more)


def taken(*stated: Stated) -> set[str]:
    return set(parse_narrowing(rules(*stated), origin="rules.json").taken_away)


def narrowed(*stated: Stated) -> Policy:
    text = 'narrowed_by = ["rules.json"]\n' + POLICY_TEXT
    return policy(text, rules=rules(*stated))


@pytest.mark.parametrize(
    ("path", "elements"),
    [
        ("Patient.birthDate", {"Patient.birthDate"}),
        ("Patient.address.postalCode", {"Patient.address.postalCode"}),
        (
            "nodesByType('Address')",
            {"Patient.address.state", "Patient.address.postalCode"},
        ),
        ("nodesByType('Address').state", {"Patient.address.state"}),
        ('nodesByName("postalCode")', {"Patient.address.postalCode"}),
        ("Patient.nodesByType('date')", {"Patient.birthDate"}),
        ("Patient.deceased as dateTime", {"Patient.deceased"}),
        ("Patient.deceased.ofType(boolean)", {"Patient.deceased"}),
        ("Patient.deceased as Age", set()),
        ("Condition.onset | Condition.abatement as Age", {"Condition.onset"}),
        (
            "nodesByType('Period').start",
            {
                "Encounter.period",
                "Condition.onset",
                "Condition.abatement",
                "Observation.effective",
            },
        ),
        (
            "Resource.meta.lastUpdated",
            {
                f"{name}.meta.lastUpdated"
                for name in ("Patient", "Encounter", "Condition", "Observation")
            },
        ),
        ("DomainResource.encounter", {"Condition.encounter", "Observation.encounter"}),
        ("Observation.component.value", {"Observation.component"}),
        ("Observation.value.ofType(Quantity).value", {"Observation.value"}),
        ("Patient.address.where(use = 'home').state", {"Patient.address.state"}),
        (
            "Patient.address.where(use='home' and country='US').state",
            {"Patient.address.state"},
        ),
        ("Observation.note | Patient.name | Bundle.entry.fullUrl", set()),
        ("gender", {"Patient.gender"}),
    ],
)
def test_a_rule_takes_away_what_its_path_may_select(path: str, elements: set[str]):
    """A choice is taken as a whole, and a condition as if it held."""
    method = "cryptoHash" if "encounter" in path else "redact"
    if method == "cryptoHash":
        assert taken((path, method)) == set()
        method = "redact"
    assert taken((path, method)) == elements


@pytest.mark.parametrize(
    "method", ["redact", "substitute", "perturb", "generalize", "cryptoHash", "ENCRYPT"]
)
def test_whatever_would_change_a_value_takes_it_away(method: str):
    """A value that is not the one found would be counted as if it were."""
    assert taken(("Observation.value", method)) == {"Observation.value"}


def test_ids_are_hashed_in_any_case():
    """What those tools do to ids is what the hub does, under keys of its own."""
    assert not taken(
        ("Resource.id", "cryptoHash"),
        ("nodesByType('Identifier').value", "pseudonymize"),
        ("nodesByType('Reference').reference", "cryptoHash"),
        ("nodesByType('Identifier')", "encrypt"),
    )


def test_the_first_rule_that_matches_decides_on_a_node_and_all_within_it():
    """As in those tools: `keep` shields, whichever comes first."""
    shield = ("Condition.clinicalStatus | Condition.verificationStatus", "keep")
    code = ("Observation.code", "keep")

    assert "Observation.code" in taken(shield, OF_CODES, code)
    assert "Observation.code" not in taken(shield, code, OF_CODES)
    assert "Condition.code" in taken(shield, code, OF_CODES)


def test_a_keep_under_a_condition_does_not_shield():
    """Nobody knows yet whether it will hold."""
    kept = ("Patient.address.where(use='home')", "keep")

    assert taken(kept, ("nodesByType('Address')", "redact")) == {
        "Patient.address.state",
        "Patient.address.postalCode",
    }


def test_keep_never_widens():
    """What the policy has no place for stays out, whoever wants it kept."""
    wide = narrowed(("Patient.name | Patient.telecom | Resource", "keep"))
    whole = patient(name=[{"family": "Miller"}], address=[ADDRESS], gender="female")

    assert wide.keeping == POLICY.keeping
    assert deidentified(whole, under=wide).content == deidentified(whole).content


PATHS = sorted(
    {
        ".".join(name for name, _ in chain[:n])
        for chains in chains_of_elements().values()
        for chain in chains
        for n in range(1, len(chain) + 1)
    }
)
METHODS = ["keep", "redact", "substitute", "perturb", "generalize", "cryptoHash"]


@given(
    st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(METHODS)), max_size=5)
)
def test_no_rules_ever_keep_more(stated: list[Stated]):
    """Each element of a record is as without them, or is not there."""
    try:
        under = narrowed(*stated)
    except InvalidElementError:
        return
    for resource in (
        patient(gender="female", birthDate="1985-03-17", address=[ADDRESS]),
        observation(effectiveDateTime="2024-03-01", valueBoolean=True),
    ):
        whole = deidentified(resource)
        less = deidentified(resource, under=under)
        for name in whole.content.__struct_fields__:
            found, before = getattr(less.content, name), getattr(whole.content, name)
            assert found in (before, None, (), Value())
        assert set(less.dropped) >= set(whole.dropped)


def test_what_is_taken_away_is_neither_kept_nor_passed_over():
    """$de-identify tells it as dropped, where it was sent."""
    under = narrowed(
        ("Patient.gender | Patient.birthDate | Observation.value", "redact"),
        ("Encounter.period | Condition.onset | Resource.meta", "redact"),
        ("DomainResource.encounter | nodesByName('postalCode')", "redact"),
    )
    meta = {"lastUpdated": "2024-03-01T08:00:00Z"}
    person = deidentified(
        patient(gender="female", birthDate="1985-03-17", address=[ADDRESS], meta=meta),
        under=under,
    )
    found = deidentified(
        observation(
            valueBoolean=True,
            effectiveDateTime="2024-03-01",
            encounter={"reference": "Encounter/e"},
        ),
        under=under,
    )
    visit = deidentified(encounter(period={"start": "2024-03-01"}), under=under)
    ill = deidentified(condition(onsetDateTime="2020"), under=under)

    content = person.content
    assert (content.sex, content.birth_month, content.zip3) == (None, None, None)
    assert content.state == "MA"
    assert person.sent_order is None
    assert {"Patient.gender", "Patient.birthDate", "Patient.address.postalCode"} <= set(
        person.dropped
    )
    assert (found.content.value.boolean, found.encounter) == (None, None)
    assert found.content.effective is not None
    assert {"Observation.value", "Observation.encounter"} <= set(found.dropped)
    assert (visit.content.start, ill.content.onset) == (None, None)


def test_a_number_of_a_ward_is_refused_where_its_value_is_taken_away():
    """Without its number it would be one event."""
    ward = observation(
        subject={"reference": "Location/picu"},
        code=concept(
            "https://catchment.example/fhir/CodeSystem/network", "pucai-total"
        ),
        effectiveDateTime="2024-06-01",
        valueInteger=7,
    )

    with pytest.raises(BusinessRuleError):
        deidentified(ward, under=narrowed(("Observation.value", "redact")))


@pytest.mark.parametrize("element", NEEDED)
def test_what_nothing_can_be_counted_without_is_not_taken_away(element: str):
    """A refuted diagnosis would count, a correction beside what it corrects."""
    with pytest.raises(InvalidElementError) as refused:
        taken(("Patient.name", "redact"), (f"Resource.{element}", "redact"))

    assert refused.value.message.startswith("rules.json, rule 2, path: it takes away ")


@pytest.mark.parametrize("method", ["dateShift", "dateshift", "DATESHIFT"])
def test_a_shift_of_dates_is_refused_with_the_reason(method: str):
    """One known pair of dates undoes it, and no month would count right."""
    with pytest.raises(InvalidElementError) as refused:
        taken(("Patient.name", "redact"), ("nodesByType('date')", method))

    assert refused.value.message.startswith("rules.json, rule 2, method: a shift of ")
    assert "another month" in refused.value.message


def test_a_fixed_shift_is_refused_too():
    """It moves events over the ends of intervals, and hides nothing."""
    text = rules(parameters={"dateShiftFixedOffsetInDays": 7})

    with pytest.raises(
        InvalidElementError, match="dateShiftFixedOffsetInDays: a fixed"
    ):
        parse_narrowing(text, origin="rules.json")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "rules.json: neither"),
        ("[]", "rules.json: not a mapping"),
        ("{}", "rules.json, fhirPathRules:"),
        (rules(profile="x"), "rules.json, profile:"),
        (rules(fhirVersion="Stu3"), "rules.json, fhirVersion:"),
        (rules(parameters={"salt": "x"}), "rules.json, parameters, salt:"),
        (rules(("Patient.name", "shred")), "rules.json, rule 1, method:"),
        ('{"fhirPathRules": [{"path": "Patient"}]}', "rules.json, rule 1, method:"),
        ('{"fhirPathRules": [{"method": "keep"}]}', "rules.json, rule 1, path:"),
        ('{"fhirPathRules": ["Patient"]}', "rules.json, rule 1: not a mapping"),
        (
            '{"fhirPathRules": [{"path": "Patient", "method": "keep", "span": 1}]}',
            "rules.json, rule 1, span:",
        ),
        (rules(("Patient.name.exists()", "keep")), "rules.json, rule 1, path:"),
        (rules(("Patient.name or true", "keep")), "rules.json, rule 1, path:"),
        (rules(("Patient.", "keep")), "rules.json, rule 1, path:"),
        (rules(("", "keep")), "rules.json, rule 1, path:"),
    ],
)
def test_what_can_t_be_read_is_named_by_rule_and_key(text: str, where: str):
    """A rule that is half understood would be obeyed by half."""
    with pytest.raises(InvalidElementError) as refused:
        parse_narrowing(text, origin="rules.json")

    assert refused.value.message.startswith(where)


def test_yaml_is_read_likewise():
    """The pseudonymizer's own form, with the keys that only it has."""
    text = """
fhirVersion: R4
fhirPathRules:
  - path: nodesByType('HumanName')
    method: redact
  - path: Patient.gender
    method: generalize
    cases: {"$this = 'other'": "'female'"}
    otherValues: keep
  - path: nodesByType('Identifier').where(type.coding.code='MR').value
    method: pseudonymize
    domain: PATIENT
  - path: Resource.id
    method: cryptoHash
    truncateToMaxLength: 16
parameters:
  cryptoHashKey: fhir-pseudonymizer
  cryptoHashAlgorithm: blake3
"""
    assert parse_narrowing(text, origin="rules.yaml").taken_away == {
        "Patient.gender": 2
    }

"""What a client may do: SMART scopes of systems, v2 and v1 (SMART 2.2.0, "Scopes")."""

from typing import get_args

import pytest

from app.smart.errors import InvalidScopeError
from app.smart.scopes import (
    SUPPORTED,
    Interaction,
    allows,
    intersection,
    is_scope,
)

ALLOWED = ("system/Observation.cud", "system/Condition.rs", "system/bulk-submit")
LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
VITAL = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


def categorised(token: str) -> dict:
    system, _, code = token.partition("|")
    return {"category": [{"coding": [{"system": system, "code": code}]}]}


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ("system/Observation.cud", "system/Observation.cud"),
        ("system/Observation.cruds", "system/Observation.cud"),
        ("system/Observation.u", "system/Observation.u"),
        ("system/*.cruds", "system/Observation.cud system/Condition.rs"),
        ("system/*.rs", "system/Condition.rs"),
        ("system/*.r system/*.rs", "system/Condition.r system/Condition.rs"),
        ("system/*.rs system/Condition.rs", "system/Condition.rs"),
        ("system/bulk-submit", "system/bulk-submit"),
        ("launch/patient openid system/Condition.r", "system/Condition.r"),
        ("system/Patient.rs system/Condition.rs", "system/Condition.rs"),
        ("  system/Condition.r  ", "system/Condition.r"),
    ],
)
def test_what_is_both_asked_for_and_allowed_is_granted(requested, granted):
    """Real clients always ask for more; they stop working when that is refused."""
    assert " ".join(intersection(requested, ALLOWED)) == granted


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ("system/Condition.read", "system/Condition.read"),
        ("system/Observation.write", "system/Observation.write"),
        ("system/Observation.*", "system/Observation.write"),
        ("system/Condition.*", "system/Condition.read"),
        ("system/*.read", "system/Condition.read"),
        ("system/*.write", "system/Observation.write"),
        ("system/*.*", "system/Observation.write system/Condition.read"),
    ],
)
def test_a_v1_scope_is_answered_as_one(requested, granted):
    """Who asks in v1 may know no other (@127): read is rs, write is cud (@128)."""
    assert " ".join(intersection(requested, ALLOWED)) == granted


def test_what_v1_cannot_say_is_said_in_v2():
    """Of a v1 write, only the create may be allowed."""
    assert intersection("system/Patient.write", ["system/Patient.cr"]) == (
        "system/Patient.c",
    )


@pytest.mark.parametrize("allowed", ["system/*.cruds", "system/*.*"])
def test_an_allowed_wildcard_grants_each_type_that_is_asked_for(allowed):
    """A wildcard may stand on either side, or on both."""
    requested = "system/Observation.cu system/*.read"

    assert intersection(requested, [allowed]) == (
        "system/Observation.cu",
        "system/*.read",
    )


@pytest.mark.parametrize(
    "requested",
    [
        "",
        " ",
        "system/Patient.rs",
        "system/Observation.rs",
        "patient/Observation.cud",
        "user/Observation.cud",
        "system/Observation",
        "system/Observation.",
        "system/Observation.duc",
        "system/Observation.cc",
        "system/Observation.crudsx",
        "system/observation.c",
        "System/Observation.c",
        "system/Observation.c\n",
        "system/Observation.write?code=1",
        "system/purge",
        "offline_access",
    ],
)
def test_nothing_in_common_is_an_invalid_scope(requested):
    """A16: only the empty intersection is refused; disorder is not guessed at."""
    with pytest.raises(InvalidScopeError) as refusal:
        intersection(requested, ALLOWED)

    assert refusal.value.code == "invalid_scope"


def test_a_query_narrows_what_is_granted():
    """From either side, and from both together."""
    lab, vital = f"category={LAB}", f"category={VITAL}"
    plain = "system/Observation.cu"

    assert intersection(plain, [f"{plain}?{lab}"]) == (f"{plain}?{lab}",)
    assert intersection(f"{plain}?{lab}", [plain]) == (f"{plain}?{lab}",)
    assert intersection(f"{plain}?{lab}", [f"{plain}?{lab}"]) == (f"{plain}?{lab}",)
    assert intersection("system/Observation.read", [f"system/*.rs?{lab}"]) == (
        f"system/Observation.rs?{lab}",
    )
    assert intersection(f"{plain}?{lab}", [f"{plain}?{vital}"]) == (
        f"{plain}?{lab}&{vital}",
    )


@pytest.mark.parametrize("query", ["patient=1", "code=1&_id=2", "code:in=x", "x", "="])
def test_a_query_that_cannot_be_enforced_is_no_scope(query):
    """Granting it without looking would grant more than was asked for."""
    assert not is_scope(f"system/Observation.r?{query}")


@pytest.mark.parametrize(
    ("token", "covered"),
    [
        (LAB, True),
        (VITAL, False),
        ("laboratory", True),
        (f"{VITAL},{LAB}", True),
        ("|laboratory", False),
        ("http://terminology.hl7.org/CodeSystem/observation-category|", True),
        ("http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category|", True),
        (f"{LAB}&category={VITAL}", False),
        (f"{LAB}&code=1", False),
        ("", False),
        ("|", False),
    ],
)
def test_a_query_covers_the_resources_it_matches(token, covered):
    """FHIR's token search: system|code, comma for or, ampersand for and."""
    scopes = (f"system/Observation.cu?category={token}",)
    lab_result = categorised(LAB)

    assert covered is allows(
        scopes, resource_type="Observation", interaction="c", resource=lab_result
    )


@pytest.mark.parametrize(
    "resource",
    [
        None,
        {},
        {"category": "laboratory"},
        {"category": ["laboratory"]},
        {"category": [{"coding": "laboratory"}]},
        {"category": [{"coding": ["laboratory"]}]},
        {"code": {"coding": [{"code": "laboratory"}]}},
    ],
)
def test_a_query_covers_nothing_it_cannot_see(resource):
    """Scopes are checked before a resource is validated, so anything may come."""
    scopes = ("system/Observation.c?category=laboratory",)

    assert not allows(
        scopes, resource_type="Observation", interaction="c", resource=resource
    )


def test_a_code_without_a_system_is_asked_for_by_a_bar_alone():
    """FHIR's ``|code``: the system must be missing, not whatever."""
    bare = {"category": [{"coding": [{"code": "laboratory"}]}]}
    scopes = ("system/Observation.c?category=|laboratory",)

    assert allows(scopes, resource_type="Observation", interaction="c", resource=bare)


def test_a_code_is_one_concept_and_a_category_many():
    """Both shapes of FHIR elements are read."""
    glucose = {"code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]}}
    scopes = ("system/Observation.c?code=http://loinc.org|2339-0",)

    assert allows(
        scopes, resource_type="Observation", interaction="c", resource=glucose
    )


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("system/Observation.cruds", "cruds"),
        ("system/Observation.cud", "cud"),
        ("system/Observation.r", "r"),
        ("system/*.rs", "rs"),
        ("system/Observation.read", "rs"),
        ("system/Observation.write", "cud"),
        ("system/*.*", "cruds"),
        ("system/Condition.cruds", ""),
        ("system/bulk-submit", ""),
        ("system/Observation.x", ""),
    ],
)
def test_a_token_covers_the_interactions_of_its_scopes(scope, covered):
    """Letters: c create, r read, u update and update-as-create, d delete, s search."""
    for interaction in get_args(Interaction):
        assert allows(
            [scope], resource_type="Observation", interaction=interaction
        ) is (interaction in covered)


def test_scopes_add_up():
    """Two halves make a whole; none makes nothing."""
    scopes = ("system/Observation.c", "system/Observation.u")

    assert allows(scopes, resource_type="Observation", interaction="u")
    assert not allows((), resource_type="Observation", interaction="u")


@pytest.mark.parametrize("scope", SUPPORTED)
def test_every_scope_that_is_announced_can_be_granted(scope):
    """S220: a listed scope SHALL work."""
    assert is_scope(scope)
    assert intersection(scope, [scope]) == (scope,)

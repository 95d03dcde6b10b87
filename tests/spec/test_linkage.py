"""Who is told to be one person by keyed tokens, and who never is."""

import itertools
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deid.clusters import clusters, link_between
from app.deid.names import FORMAL, sound
from app.deid.pseudonyms import KeyRing
from app.domain.errors import InvalidElementError
from app.domain.linkage import LinkageToken, Person, TokenKind
from tests.deidentification import (
    KEYS,
    POLICY,
    ROOT,
    deidentified,
    linking,
    policy,
    source,
)
from tests.reference.namesakes import (
    ANNA,
    MISSED,
    MISTAKEN,
    ONE_PERSON,
    OTHER_PEOPLE,
    Case,
    someone,
)


def tokens(
    resource: dict[str, Any], *, keys: KeyRing = KEYS, **changes: Any
) -> frozenset[LinkageToken]:
    """Return the tokens of a Patient under a policy that allows them."""
    by = source(**changes)
    return frozenset(deidentified(resource, by=by, keys=keys, under=linking()).linkage)


def person(resource: dict[str, Any], *, clinic: int = 1) -> Person:
    return Person(clinic, tokens(resource))


def strength(case: Case) -> int:
    return link_between(person(case.one, clinic=1), person(case.other, clinic=2))


def named(cases: Iterable[Case]) -> dict[str, Any]:
    """Return what parametrizes a test with *cases*."""
    chosen = list(cases)
    return {"argvalues": chosen, "ids": [case.about for case in chosen]}


@pytest.mark.parametrize("case", **named([*ONE_PERSON, *MISTAKEN]))
def test_two_clinics_patients_who_are_one_person_are_linked(case: Case):
    """However a clerk, an interface engine or a marriage changed the name."""
    assert strength(case) > 0


@pytest.mark.parametrize("case", **named([*OTHER_PEOPLE, *MISSED]))
def test_two_people_are_not_linked(case: Case):
    """A twin's or a father's values would be counted as somebody else's."""
    assert strength(case) == 0


def test_without_the_policys_leave_no_token_is_made():
    """The switch is off where a policy says nothing of it."""
    assert not POLICY.terms.linkage
    assert deidentified(ANNA).linkage == ()


def test_safe_harbor_has_no_place_for_tokens():
    """No code may be derived from who it is about (45 CFR 164.514(c))."""
    text = (ROOT / "app/deid/safe_harbor.toml").read_text()

    with pytest.raises(InvalidElementError):
        policy(f"{text}\nlinkage = true\n")


def test_only_a_patient_has_tokens():
    """An Observation names nobody, even where a sender wrote a name into it."""
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "subject": {"reference": "Patient/p1", "display": "Anna Kowalski"},
    }

    assert deidentified(observation, under=linking()).linkage == ()


def test_clinics_share_the_key_and_networks_do_not():
    """Tokens that were leaked from one network fit no other's."""
    elsewhere = KeyRing(network="another", current=1, masters=dict(KEYS.masters))

    here = tokens(ANNA)
    assert here == tokens(ANNA, source_id=99, clinic_id=55)
    assert not here & tokens(ANNA, keys=elsewhere)


def test_tokens_are_made_under_each_active_key_version():
    """What a clinic sent before a rotation still meets what another sends after it."""
    rotated = KeyRing(
        network="test", current=2, masters={**KEYS.masters, 2: b"\2" * 32}
    )

    both = tokens(ANNA, keys=rotated)
    assert tokens(ANNA) < both
    assert {token.key_version for token in both} == {1, 2}
    old, new = Person(1, tokens(ANNA)), Person(2, both)
    assert link_between(old, new) == 3


def test_no_two_kinds_of_token_are_alike():
    """Each has its kind in what is hashed: names that are exchanged are others."""
    everyone = [case.one for case in ONE_PERSON]

    found = set().union(*map(tokens, everyone))
    assert len({token.token for token in found}) == len(found)
    assert {token.kind for token in found} == set(TokenKind)
    swapped = someone("Kowalski", "Anna")
    assert not tokens(ANNA) & tokens(swapped)


def test_a_patient_with_many_names_has_few_tokens():
    """A resource with a thousand names is work for nobody."""
    names = [
        {"given": [f"A{chr(97 + i % 26)}x" * 2], "family": f"B{i}x"} for i in range(999)
    ]

    assert len(tokens(ANNA | {"name": names})) < 200


def test_no_part_of_a_name_is_in_what_is_kept():
    """A token has twenty bytes, whatever it is of."""
    record = deidentified(ANNA, under=linking())

    kept = msgspec.json.encode(record.content).decode() + repr(record)
    assert "nna" not in kept.lower().replace("\\", "")
    assert "kowalski" not in kept.lower()
    assert {len(token.token) for token in record.linkage} == {20}


def test_short_forms_stand_for_one_name_only():
    """A formal name that is itself a short form would depend on the order."""
    assert not FORMAL.keys() & set(FORMAL.values())


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("smith", "smyth", True),
        ("johnson", "jonsen", True),
        ("catherine", "kathryn", True),
        ("stephen", "steven", True),
        ("meghan", "megan", True),
        ("roger", "rodger", True),
        ("jane", "joan", False),
        ("anna", "anne", False),
        ("tim", "tom", False),
        ("maria", "marie", False),
        ("ким", "кем", False),
    ],
)
def test_how_a_name_sounds(one: str, other: str, *, alike: bool):
    """Finer than Soundex: it keeps the first vowel and the last."""
    assert (sound(one) == sound(other)) is alike


A1, A2, B1, B2, C1 = range(5)


def test_a_chain_that_holds_two_subjects_of_one_clinic_is_cut():
    """Which of two namesakes at one clinic it is at the other, nobody knows."""
    people = {
        A1: person(ANNA, clinic=1),
        A2: person(ANNA, clinic=1),
        B1: person(ANNA, clinic=2),
    }

    assert clusters(people) == set()
    assert clusters({i: people[i] for i in (A1, B1)}) == {frozenset({A1, B1})}


def test_a_stronger_link_stands_where_a_weaker_one_is_cut():
    """Jayden is found at both; Jaden, who sounds alike, parts him from nobody."""
    jayden, jaden = someone("Jayden", "Ott"), someone("Jaden", "Ott")
    people = {
        A1: person(jayden, clinic=1),
        B1: person(jayden, clinic=2),
        B2: person(jaden, clinic=2),
    }

    assert clusters(people) == {frozenset({A1, B1})}


def test_triplets_at_two_clinics_are_three_people():
    """Each is linked with themselves."""
    triplets = [someone(name, "Ott") for name in ("Mia", "Mila", "Marie")]
    people = {
        (clinic - 1) * 3 + number: person(child, clinic=clinic)
        for clinic in (1, 2)
        for number, child in enumerate(triplets)
    }

    assert clusters(people) == {frozenset({n, n + 3}) for n in range(3)}


def test_two_who_contradict_each_other_are_not_joined_by_a_third():
    """Maria Garcia may be Maria Elena or Maria Teresa, and not both."""
    people = {
        A1: person(someone("Maria Elena", "Garcia"), clinic=1),
        B1: person(someone("Maria", "Garcia"), clinic=2),
        C1: person(someone("Maria Teresa", "Garcia"), clinic=3),
    }

    assert clusters(people) == set()


def test_three_clinics_have_one_person():
    """Links are followed: the second clinic knows both of her names."""
    people = {
        A1: person(someone("Anna", "Kowalski"), clinic=1),
        B1: person(someone("Anna", "Kowalski-Berg"), clinic=2),
        C1: person(someone("Anna", "Berg"), clinic=3),
    }

    assert clusters(people) == {frozenset({A1, B1, C1})}


CROWD = [
    tokens(case)
    for each in ONE_PERSON + OTHER_PEOPLE
    for case in (each.one, each.other)
]
people_drawn = st.lists(
    st.builds(Person, st.integers(1, 4), st.sampled_from(CROWD)), max_size=9
)


@given(people_drawn, st.randoms(use_true_random=False))
def test_the_clusters_do_not_depend_on_numbers_or_order(drawn, order):
    """Who came first has a lower number, and must not count for more."""
    numbers = order.sample(range(100), len(drawn))

    found = clusters(dict(enumerate(drawn)))
    renumbered = clusters(dict(zip(numbers, drawn, strict=True)))

    assert renumbered == {frozenset(numbers[i] for i in group) for group in found}


@given(people_drawn)
def test_no_cluster_holds_two_of_one_clinic_and_each_subject_is_in_one(drawn):
    """Whatever the links, a clinic's patient stays one patient."""
    found = clusters(dict(enumerate(drawn)))

    for group in found:
        assert len({drawn[i].clinic_id for i in group}) == len(group) >= 2
    for one, other in itertools.combinations(found, 2):
        assert not one & other

"""What a ConceptMap lets a local code count as, and what of it is not used."""

import pytest

from app.deid.concept_maps import KeyedMap, Mapped, Skipped, keyed_map
from app.deid.pseudonyms import KeyRing, local_codings
from app.domain.errors import ServiceError
from app.domain.terminology import NETWORK, Coding
from app.fhir.concept_maps import parse_concept_map
from tests.concept_maps import (
    LAB,
    LOINC,
    SNOMED,
    concept_map,
    element,
    group,
    one_code,
    target,
)
from tests.deidentification import KEYS, SOURCE

SYSTOLIC = Coding(LOINC, "8480-6")


def keyed(resource: dict, keys: KeyRing = KEYS) -> KeyedMap:
    return keyed_map(
        parse_concept_map(resource),
        keys=keys,
        source=SOURCE,
        network_codes=frozenset({"pucai-total"}),
    )


def digest(code: str, system: str | None = LAB, keys: KeyRing = KEYS) -> str:
    return local_codings(system, code, keys=keys, source=SOURCE)[0].code


def test_a_local_code_is_kept_as_the_digest_that_its_records_have():
    """Or the map would find none of them; the code itself is kept nowhere."""
    made = keyed(one_code("SYS", "8480-6"))

    assert made.mapped == {Mapped(digest("SYS"), 1, SYSTOLIC)}
    assert (made.codes, made.skipped.total()) == (1, 0)
    assert "SYS" not in repr(made)


def test_every_active_key_has_its_digest():
    """Records of before a rotation have the old one."""
    old = KEYS.masters[1]
    both = KeyRing(network="test", current=2, masters={1: old, 2: b"\x02" * 32})

    made = keyed(one_code("SYS", "8480-6"), both)

    assert made.mapped == {
        Mapped(digest("SYS", keys=both), 2, SYSTOLIC),
        Mapped(digest("SYS"), 1, SYSTOLIC),
    }
    assert made.codes == 1


@pytest.mark.parametrize("equivalence", ["equal", "equivalent", "wider", "subsumes"])
def test_what_means_the_same_or_more_holds_of_every_record(equivalence: str):
    """Whoever has a local kind of diabetes has diabetes."""
    stated = group(LAB, LOINC, element("SYS", target("8480-6", equivalence)))

    assert keyed(concept_map(stated)).mapped


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        (element("A", target("8480-6", "narrower")), Skipped.NOT_HOLDING),
        (element("A", target("8480-6", "specializes")), Skipped.NOT_HOLDING),
        (element("A", target("8480-6", "inexact")), Skipped.NOT_HOLDING),
        (element("A", target("8480-6", "relatedto")), Skipped.NOT_HOLDING),
        (element("A", target("8480-6", "disjoint")), Skipped.NO_TARGET),
        (element("A", target(None, "unmatched")), Skipped.NO_TARGET),
        (element("A"), Skipped.NO_TARGET),
        (element("A", target("8480-6", dependsOn=[{}])), Skipped.CONDITIONAL),
    ],
)
def test_what_would_say_more_than_was_found_is_not_used(stated: dict, reason: Skipped):
    """A narrower target would give people a diagnosis that nobody made."""
    made = keyed(concept_map(group(LAB, LOINC, stated)))

    assert (made.mapped, made.skipped) == (frozenset(), {reason: 1})


def test_a_listed_code_is_kept_as_it_is_whatever_a_map_says():
    """Only what left as a digest is looked up; a mistyped listed code did."""
    codes = [element(code, target("8480-6")) for code in ("8462-4", "8462-5")]

    made = keyed(concept_map(group(LOINC, LOINC, *codes)))

    assert made.skipped == {Skipped.LISTED: 1}
    assert {each.digest for each in made.mapped} == {digest("8462-5", LOINC)}


def test_systems_may_be_oids_or_missing_and_targets_the_networks_own():
    """As in the records themselves."""
    oid = "urn:oid:2.16.840.1.113883.6.1"
    made = keyed(
        concept_map(
            group(None, oid, element("SYS", target("8480-6"))),
            group(LAB, NETWORK, element("P", target("pucai-total"))),
        )
    )

    assert {(each.digest, each.target) for each in made.mapped} == {
        (digest("SYS", None), SYSTOLIC),
        (digest("P"), Coding(NETWORK, "pucai-total")),
    }


TARGET = "ConceptMap.group[0].element[0].target[0]"
SECRET = "Ann Miller"


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        ({"resourceType": "ValueSet"}, "resourceType"),
        (one_code(SECRET, "8480-7"), f"{TARGET}.code"),
        (one_code(SECRET, SECRET), f"{TARGET}.code"),
        (one_code(SECRET, SECRET, system=SNOMED), f"{TARGET}.code"),
        (one_code(SECRET, SECRET, system="urn:other"), f"{TARGET}.code"),
        (one_code(SECRET, SECRET, system=NETWORK), f"{TARGET}.code"),
        (one_code(SECRET, "M", system="urn:catchment:local"), f"{TARGET}.code"),
        (concept_map({"element": SECRET}), "ConceptMap.group[0].element"),
        (concept_map({"element": [SECRET]}), "ConceptMap.group[0].element[0]"),
        (concept_map({"element": [{"display": SECRET}]}), None),
        (
            concept_map(group(LAB, None, element(SECRET, target("8480-6")))),
            "ConceptMap.group[0].target",
        ),
        (
            concept_map(group(LAB, LOINC, element(SECRET, target("8480-6", SECRET)))),
            f"{TARGET}.equivalence",
        ),
        (
            concept_map(group(LAB, LOINC, element(SECRET, {"code": "8480-6"}))),
            f"{TARGET}.equivalence",
        ),
        (
            concept_map(
                group(
                    LAB,
                    LOINC,
                    element(SECRET, {"code": "8480-6", "relationship": "equivalent"}),
                )
            ),
            f"{TARGET}.relationship",
        ),
    ],
)
def test_a_fault_is_told_by_its_path_and_never_by_its_value(
    resource: dict, where: str | None
):
    """A code of the clinic's own may be a name; so may what is mistyped."""
    with pytest.raises(ServiceError) as refusal:
        keyed(resource)

    assert refusal.value.expression == (where or "ConceptMap.group[0].element[0].code")
    assert SECRET not in str(refusal.value)

"""What a value set holds: codes, families of codes, and what is taken out of it."""

import json

import pytest
from fhir.resources.R4B.valueset import ValueSet as R4bValueSet

from app.domain.errors import ConflictError, MalformedError
from app.measures.definitions import coding_of
from app.measures.documents import Document
from app.measures.libraries import FaultyDefinitionError, read_value_set
from app.measures.value_sets import Filter, ValueSet, expanded, written
from app.services.value_set_imports import Stated, from_csv, from_fhir
from app.services.value_sets import check_place
from tests.reference.library import FILES, READ
from tests.reference.value_sets import value_set

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
SETS = {name: text for name, text in FILES.items() if name.endswith(".json")}


def codes(found: ValueSet, *known: str) -> list[str]:
    """Return which of the *known* codes are in a set."""
    numbers = {coding_of(code): number for number, code in enumerate(known)}
    return [known[number] for number in expanded(found.rules, numbers)]


@pytest.mark.parametrize("name", SETS)
def test_a_file_of_the_library_is_a_fhir_value_set(name: str):
    """Other programs read it too; and it's written as `valueset import` writes it."""
    read = R4bValueSet.model_validate_json(SETS[name])
    (found, faults) = read_value_set(Document(SETS[name], origin=name))

    assert faults == ()
    assert found is not None
    assert read.url == f"https://catchment.example/fhir/ValueSet/{found.id}"
    assert written(found) == SETS[name]


@pytest.mark.parametrize(
    ("name", "member", "stranger"),
    [
        ("juvenile-idiopathic-arthritis", "icd-10-cm|L40.54", "icd-10-cm|L40.50"),
        ("juvenile-idiopathic-arthritis", "icd-10-cm|M08.20", "icd-10-cm|M06.9"),
        ("juvenile-arthritis", "icd-10-cm|M08.40", "icd-10-cm|M08.20"),
        ("juvenile-arthritis", "icd-10-cm|M08.3", "icd-10-cm|L40.54"),
        ("inflammatory-bowel-disease", "icd-10-cm|K50.90", "icd-10-cm|K58.9"),
        ("inflammatory-bowel-disease", "icd-10-cm|K51.90", "icd-10-cm|K52.9"),
        ("inflammatory-bowel-disease", "snomed-ct|24526004", "snomed-ct|10743008"),
        ("diabetes", "icd-10-cm|E11.9", "icd-10-cm|E08.9"),
    ],
)
def test_the_librarys_sets_hold_the_disease_and_not_its_neighbours(
    name: str, member: str, stranger: str
):
    """M08 misses psoriatic JIA, which ICD has elsewhere; K58 is another illness."""
    assert codes(READ.value_sets[name], member, stranger) == [member]


def test_a_family_is_every_code_that_begins_so():
    """A prefix stops at no dot, and M08.0 is a member of itself."""
    known = ["icd-10-cm|M08.0", "icd-10-cm|M08.00", "icd-10-cm|M08.1", "icd-10|M08.0"]

    assert codes(value_set("a", "icd-10-cm|M08.0*"), *known) == known[:2]


def test_what_is_excluded_is_never_in_the_set():
    """Whatever puts it in: a family may be excluded from a family, or one code."""
    known = [f"icd-10-cm|M08.{rest}" for rest in ("0", "1", "10", "20", "21")]

    found = value_set(
        "a", "icd-10-cm|M08*", "not icd-10-cm|M08.1*", "not icd-10-cm|M08.20"
    )

    assert codes(found, *known) == [known[0], known[4]]


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        (["loinc|1-1", "loinc|1-2", "not loinc|1-2"], ("loinc|1-1",)),
        (
            ["icd-10-cm|K50.1", "icd-10-cm|K51", "not icd-10-cm|K50*"],
            ("icd-10-cm|K51",),
        ),
        (["icd-10-cm|K50*", "not icd-10-cm|K58*"], ("icd-10-cm|K50*",)),
        (["loinc|1-2", "loinc|1-1"], ("loinc|1-1", "loinc|1-2")),
    ],
)
def test_rules_say_no_more_than_they_must(rules: list[str], kept: tuple[str, ...]):
    """A measure's digest is over them: what changes nothing must not change it."""
    assert value_set("a", *rules).rules == kept


@pytest.mark.parametrize(
    ("value", "prefix"),
    [
        (r"M08\.0.*", "M08.0"),
        ("K50.*", "K50"),
        (r"K50\..*", "K50."),
        ("401.*", "401"),
        ("M08.0.*", None),
        (r"M08\.0", None),
        (r"M08\.(0|3).*", None),
        (r"^M08\.0.*", None),
        (".*", None),
        ("m08.*", None),
    ],
)
def test_only_the_first_letters_of_a_code_are_a_filter(value: str, prefix: str | None):
    """An unescaped dot is any letter: M08.0.* would hold M0810 too."""
    assert Filter(value=value).prefix == prefix


def imported(resource: dict, **stated: str) -> ValueSet:
    """Return a FHIR ValueSet as it is brought in."""
    text = json.dumps(resource, indent=1)
    return from_fhir(text, origin="a.json", stated=Stated(**stated))


def resource(**about: object) -> dict:
    """Return a ValueSet of a server's own."""
    return {
        "resourceType": "ValueSet",
        "id": "jia",
        "meta": {"versionId": "7"},
        "version": "20240326",
        "name": "JIA",
        "copyright": "Somebody's",
        "compose": {"include": [{"system": ICD, "concept": [{"code": "m0840"}]}]},
        **about,
    }


def test_what_is_imported_is_kept_in_canonical_form_with_its_copyright():
    """A code without its dot would match no record, and a licence is no decoration."""
    found = imported(resource())

    assert found.rules == ("icd-10-cm|M08.40",)
    assert (found.version, found.title, found.copyright) == (
        "20240326",
        "JIA",
        "Somebody's",
    )
    assert found.compose.include[0].concept[0].display is None


def test_an_expansion_is_what_it_contains():
    """Servers send it nested; what is abstract stands for the codes below it."""
    contains = [
        {
            "abstract": True,
            "system": ICD,
            "code": "M08",
            "contains": [{"system": "urn:oid:2.16.840.1.113883.6.90", "code": "M08.3"}],
        },
        {"system": SNOMED, "code": "410502007", "display": "JIA"},
    ]

    found = imported(resource(expansion={"total": 2, "contains": contains}))

    assert found.rules == ("icd-10-cm|M08.3", "snomed-ct|410502007")
    assert found.compose.include[1].concept[0].display == "JIA"


def test_a_branch_of_icd_becomes_a_family():
    """`is-a` and the first letters are one in ICD, and in no other system."""
    branch = {"property": "concept", "op": "is-a", "value": "K50"}
    include = [{"system": ICD, "filter": [branch]}]

    assert imported(resource(compose={"include": include})).rules == ("icd-10-cm|K50*",)


@pytest.mark.parametrize(
    ("changes", "line", "told"),
    [
        ({"id": "2.16.840.1"}, 3, "say one with --id"),
        ({"version": "latest"}, 7, "or --version"),
        ({"compose": {"include": [{"system": ICD}]}}, 12, "whole system"),
        ({"compose": {"include": [{"valueSet": ["x"]}]}}, 13, "an expansion of it"),
        (
            {"compose": {"include": [{"system": "urn:x", "concept": [{"code": "1"}]}]}},
            16,
            "unknown code system",
        ),
        (
            {"compose": {"include": [{"system": SNOMED, "concept": [{"code": "1"}]}]}},
            16,
            "`1` is no code of http://snomed.info/sct",
        ),
        (
            {
                "compose": {
                    "include": [
                        {
                            "system": SNOMED,
                            "filter": [
                                {"property": "concept", "op": "is-a", "value": "1"}
                            ],
                        }
                    ]
                }
            },
            14,
            "only a filter of the first letters",
        ),
        ({"expansion": {"total": 9, "contains": []}}, 23, "these are 0 of 9 codes"),
    ],
)
def test_what_could_not_be_counted_as_it_is_meant_is_not_imported(
    changes: dict, line: int, told: str
):
    """Half a set counts fewer people, and says nothing about it."""
    with pytest.raises(FaultyDefinitionError) as refused:
        imported(resource(**changes))

    found = [str(fault) for fault in refused.value.faults]
    assert any(each.startswith(f"a.json:{line}: ") and told in each for each in found)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"resourceType": "CodeSystem"}'])
def test_what_is_no_value_set_is_not_imported(text: str):
    """A file of another kind is said to be one."""
    with pytest.raises(MalformedError):
        from_fhir(text, origin="a.json", stated=Stated())


TABLE = f"system,code,display\r\n{ICD},L40.54,Psoriatic\r\nsnomed-ct,410502007,\r\n"


def test_a_table_of_codes_is_a_value_set():
    """Analysts keep code lists as tables; a system may go by its short name."""
    stated = Stated(id="jia", version="1.0.0", title="JIA")

    found = from_csv(TABLE, origin="jia.csv", stated=stated)

    assert found.rules == ("icd-10-cm|L40.54", "snomed-ct|410502007")
    assert (found.name, found.url) == (
        "Jia",
        "https://catchment.example/fhir/ValueSet/jia",
    )


def test_a_table_is_told_every_line_that_is_wrong():
    """All at once, and the name that it lacks too."""
    text = "system,code\nloinc,1234-5\nlonic,4548-4\nloinc,4548-4\nloinc,\n"

    with pytest.raises(FaultyDefinitionError) as refused:
        from_csv(text, origin="a.csv", stated=Stated(version="1.0.0", title="A"))

    assert [fault.line for fault in refused.value.faults] == [1, 2, 3, 5]
    with pytest.raises(MalformedError, match="system,code"):
        from_csv("code\n4548-4\n", origin="a.csv", stated=Stated())


def test_a_version_is_what_it_was():
    """Who cites version 1.0.0 must find in it what was there."""
    first = value_set("a", "loinc|1-1", version="1.2.0")
    text = written(first)

    assert check_place(first, None, origin="a.json")
    assert not check_place(first, text, origin="a.json")
    later = value_set("a", "loinc|1-2", version="1.10.0")
    assert check_place(later, text, origin="a.json")
    for version in ("1.2.0", "1.1.0"):
        with pytest.raises(ConflictError):
            check_place(
                value_set("a", "loinc|1-2", version=version), text, origin="a.json"
            )

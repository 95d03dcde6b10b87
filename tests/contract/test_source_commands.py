"""`catchment source`: the systems of a clinic in the administrator's hands."""

import pytest

from tests.commands import refusal

BASE = "https://lab.example/fhir"
MRN = "urn:oid:1.2.3"
HEADER = [
    "clinic",
    "source",
    "time zone",
    "base urls",
    "identifier systems",
    "padded dates",
]


@pytest.fixture
def clinic(catchment) -> str:
    """An enrolled clinic with its EHR."""
    ended = catchment(
        *("clinic", "add", "alder", "--base-url", "https://ehr.example/fhir/"),
        *("--identifier-system", MRN),
    )
    assert ended.code == 0
    return "alder"


def listed(catchment, *words: str) -> list[list[str]]:
    """Return the cells of ``source list``, its header apart."""
    header, *lines = catchment("source", "list", *words).output.splitlines()
    assert header.split("\t") == HEADER
    return [line.split("\t") for line in lines]


def test_a_clinic_gets_a_second_source_and_a_client_of_it(catchment, clinic):
    """A lab system is another EHR: its own zone, bases, clients."""
    added = catchment(
        *("source", "add", clinic, "lab", "--time-zone", "America/Chicago"),
        *("--base-url", BASE, "--base-url", "http://10.0.0.7:8080/r4/"),
        *("--identifier-system", MRN, "--identifier-system", "urn:a"),
        "--padded-dates",
    )
    client = catchment(
        *("client", "add", "lab", "--clinic", clinic, "--source", "lab"),
        *("--jwks-url", "https://lab.example/jwks"),
    )

    assert (added.code, client.code) == (0, 0)
    ehr = ["ehr", "America/New_York", "https://ehr.example/fhir", MRN, "no"]
    bases = f"{BASE} http://10.0.0.7:8080/r4"
    lab = ["lab", "America/Chicago", bases, f"urn:a {MRN}", "yes"]
    assert listed(catchment) == [[clinic, *ehr], [clinic, *lab]]


def test_sources_are_listed_for_one_clinic(catchment, clinic):
    """Or for all; a clinic that is not there is said so."""
    catchment("clinic", "add", "birch")

    assert [row[0] for row in listed(catchment)] == [clinic, "birch"]
    assert listed(catchment, "birch") == [
        ["birch", "ehr", "America/New_York", "-", "-", "no"]
    ]
    assert "No clinic" in refusal(catchment("source", "list", "cedar"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("alder", "ehr"), "a source of that name already"),
        (("cedar", "lab"), "No clinic of that code"),
        (("alder", "The Lab"), "A source's name is"),
        (("alder", "lab", "--time-zone", "Mars/Base"), "The time zone is"),
        (("alder", "lab", "--base-url", "lab.example/fhir"), "A base URL is"),
        (("alder", "lab", "--base-url", "ftp://lab.example"), "A base URL is"),
        (("alder", "lab", "--base-url", f"{BASE}?a=1"), "A base URL is"),
        (("alder", "lab", "--base-url", f"{BASE}/a b"), "A base URL is"),
        (("alder", "lab", "--base-url", "https://u:p@lab.example"), "A base URL is"),
        (("alder", "lab", "--base-url", "https://lab.example:x/r4"), "A base URL is"),
        (("alder", "lab", "--base-url", ""), "A base URL is"),
        (("alder", "lab", "--base-url", BASE, "--base-url", f"{BASE}/"), "given twice"),
        (
            ("alder", "lab", "--base-url", "https://ehr.example/fhir"),
            "Another source of the clinic has that base URL",
        ),
        (("alder", "lab", "--identifier-system", "a b"), "An identifier system is"),
        (
            ("alder", "lab", "--identifier-system", MRN, "--identifier-system", MRN),
            "given twice",
        ),
    ],
)
def test_a_source_that_could_not_serve_is_not_added(
    catchment, clinic, words: tuple[str, ...], said: str
):
    """One line says why, and nothing is there of it."""
    before = listed(catchment, clinic)

    assert said in refusal(catchment("source", "add", *words))
    assert listed(catchment, clinic) == before


def test_a_change_replaces_what_is_given_and_nothing_else(catchment, clinic):
    """The EHR of `clinic add` as well; an empty one takes all away."""
    assert catchment("source", "add", clinic, "lab", "--base-url", BASE).code == 0

    def changed(*words: str) -> list[str]:
        assert catchment("source", "change", clinic, "ehr", *words).code == 0
        (_, _, _, *said), _ = listed(catchment)
        return said

    other = "https://new.example/r4"
    assert changed("--base-url", other) == [other, MRN, "no"]
    assert changed("--identifier-system", "urn:b") == [other, "urn:b", "no"]
    assert changed("--padded-dates") == [other, "urn:b", "yes"]
    assert changed("--identifier-system", "") == [other, "-", "yes"]
    assert changed("--base-url", "", "--no-padded-dates") == ["-", "-", "no"]
    assert listed(catchment)[1][3] == BASE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ehr",), "Say what is to change"),
        (("pacs", "--padded-dates"), "no source of that name"),
        (("ehr", "--base-url", "lab.example"), "A base URL is"),
        (("ehr", "--base-url", BASE), "Another source of the clinic"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    catchment, clinic, words: tuple[str, ...], said: str
):
    """A source half changed would send by the wrong base."""
    catchment("source", "add", clinic, "lab", "--base-url", BASE)
    before = listed(catchment)

    assert said in refusal(catchment("source", "change", clinic, *words))
    assert listed(catchment) == before


def test_the_help_warns_of_identifiers_that_are_not_unique(catchment):
    """Who declares an order number loses every result of an order but the last."""
    for command in ("add", "change"):
        shown = catchment("source", command, "--help").output
        assert "order number" in " ".join(shown.replace("│", " ").split())

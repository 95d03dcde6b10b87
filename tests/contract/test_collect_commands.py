"""`catchment connect`, `connection` and `collect`, from nothing to first data."""

import json
import time
from collections.abc import Iterator

import pytest

from tests import make
from tests.commands import refusal
from tests.fake_ehr import BASE_PATH, FakeEhr, Reply, fhir, outcome, serving

GROUP = ("--group", "everyone")


@pytest.fixture
def ehr() -> Iterator[FakeEhr]:
    resources = [make.patient(id="p1"), make.lab(7.1, id="o1")]
    fake = FakeEhr(
        clock=lambda: int(time.time() * 1000), resources=resources, members=["p1"]
    )
    with serving(fake):
        yield fake


@pytest.fixture
def clinic(catchment) -> str:
    assert catchment("clinic", "add", "alder").code == 0
    return "alder"


def told(output: str) -> dict[str, str]:
    """Return how each step ended."""
    lines = (line.split(maxsplit=2) for line in output.splitlines())
    return {words[1]: words[0] for words in lines if words[0] in VERDICTS}


VERDICTS = {"ok", "note", "failed"}
STEPS = ["address", "metadata", "discovery", "key", "token", "people", "export"]


def test_from_nothing_to_first_data(catchment, clinic, ehr):
    """The key is asked for to be registered; then all works, and data are here."""
    ehr.key_set = {"keys": []}
    ehr.resources += [make.lab(7.2, id="o2"), make.lab(7.3, id="o3")]
    ehr.lines_a_file = 2
    base = ("connect", clinic, "--fhir-base", ehr.fhir_base, *GROUP)
    first = catchment(*base)
    ehr.key_set = json.loads(catchment("connection", "keys", clinic).output)
    second = catchment("connect", clinic, "--client-id", ehr.client_id)
    collected = catchment("collect", clinic)

    assert first.code == 1
    assert told(first.output)["key"] == "failed"
    assert "ask the EHR's administrator for: registration of this hub" in first.output
    assert second.code == 0, second.output
    assert told(second.output) == dict.fromkeys(STEPS, "ok")
    assert collected.code == 0, collected.output
    assert "Observation\tcreated\t3" in collected.output  # in two files
    shown = catchment("job", "show", "1").output
    assert "collect 1: done, 4 lines received" in shown
    assert "Observation\tcreated\t3" in shown
    assert ehr.exports["1"].deleted


def test_a_hub_registers_itself_where_the_server_takes_it(catchment, clinic, ehr):
    """RFC 7591, with its key set inline, as this machine has no URL for others."""
    ehr.key_set, ehr.has_registration = {"keys": []}, True

    connected = catchment(
        *("connect", clinic, "--fhir-base", ehr.fhir_base, *GROUP),
        *("--register", "--try-export"),
    )

    assert connected.code == 0, connected.output
    said = json.loads(ehr.asked("POST", "/oauth/register")[0].body)
    assert said["token_endpoint_auth_method"] == "private_key_jwt"
    assert said["grant_types"] == ["client_credentials"]
    assert ehr.exports["1"].deleted


def test_a_server_without_es384_gets_an_rsa_key(catchment, clinic, ehr):
    """One of the connection's own, sealed, in the hub's key set and in the printed."""
    ehr.key_set = {"keys": []}
    catchment("connect", clinic, "--fhir-base", ehr.fhir_base, *GROUP, "--rs384")
    ehr.key_set = json.loads(catchment("connection", "keys", clinic).output)

    connected = catchment("connect", clinic, "--client-id", ehr.client_id)

    assert connected.code == 0, connected.output
    assert [key["alg"] for key in ehr.key_set["keys"]] == ["RS384"]
    assert "d" not in ehr.key_set["keys"][0]


def _hide_token_endpoint(ehr: FakeEhr):
    ehr.has_smart_configuration = ehr.has_oauth_uris = False


@pytest.mark.parametrize(
    ("fault", "step", "ask"),
    [
        (lambda ehr: ehr.says("GET", "/metadata", Reply(status=404)), "metadata", "R4"),
        (
            lambda ehr: ehr.says("GET", "/metadata", fhir({"fhirVersion": "3.0.2"})),
            "metadata",
            "R4",
        ),
        (_hide_token_endpoint, "discovery", "--token-url"),
        (lambda ehr: setattr(ehr, "client_id", "another"), "token", "whether client"),
        (
            lambda ehr: ehr.says("GET", "export", fhir(outcome("login"), status=403)),
            "export",
            "Bulk Data export of a group",
        ),
    ],
)
def test_the_step_that_fails_says_what_to_ask_for(
    catchment, clinic, ehr, fault, step, ask
):
    """Later steps are not tried: they stand on it."""
    options = ("--fhir-base", ehr.fhir_base, *GROUP, "--client-id", ehr.client_id)
    catchment("connect", clinic, *options)
    ehr.key_set = json.loads(catchment("connection", "keys", clinic).output)
    fault(ehr)

    ended = catchment("connect", clinic, "--try-export")

    steps = told(ended.output)
    assert ended.code == 1
    assert list(steps) == STEPS[: STEPS.index(step) + 1]
    assert steps[step] == "failed"
    assert ask in ended.output.splitlines()[-1]


def test_scopes_that_were_not_granted_are_named(catchment, clinic, ehr):
    """Observations alone would be exported, and nobody would know why."""
    ehr.scopes_granted = "system/Patient.read system/Observation.rs"
    options = ("--fhir-base", ehr.fhir_base, *GROUP, "--client-id", ehr.client_id)
    catchment("connect", clinic, *options)
    ehr.key_set = json.loads(catchment("connection", "keys", clinic).output)

    ended = catchment("connect", clinic)

    assert told(ended.output)["token"] == "note"
    lacking = "system/Group.rs system/Encounter.rs system/Condition.rs"
    assert f"the scopes {lacking}" in ended.output


def test_an_open_server_needs_no_client(catchment, clinic, ehr):
    """A server within the clinic's own network often lets everybody in."""
    ehr.has_smart_configuration = ehr.has_oauth_uris = False

    connected = catchment(
        *("connect", clinic, "--fhir-base", f"{ehr.fhir_base}/", "--level", "system")
    )

    assert connected.code == 0, connected.output
    assert catchment("collect").code == 0
    assert all(seen.token is None for seen in ehr.seen)


def test_connections_are_listed_and_removed(catchment, clinic, ehr):
    """With what they collect, how often, and up to when all is here."""
    catchment(
        *("connect", clinic, "--fhir-base", ehr.fhir_base, *GROUP, "--every", "24h"),
        *("--type", "Patient", "--type", "Observation", "--snapshot"),
    )
    listed = catchment("connection", "list").output.splitlines()
    removed = catchment("connection", "remove", clinic)

    cells = dict(zip(*(line.split("\t") for line in listed), strict=True))
    assert cells["fhir base"] == ehr.fhir_base
    assert cells["level"] == "group everyone"
    assert cells["types"] == "Patient Observation"
    assert (cells["snapshot"], cells["every"], cells["since"]) == ("yes", "24h", "-")
    assert removed.code == 0
    assert "no such connection" in refusal(catchment("collect", clinic))


@pytest.mark.conforms("P3", mutation="a filter would sort, or is of another type")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fhir-base", "http://ehr.example/r4"), "https"),
        (("--fhir-base", "https://ehr.example/r4?x=1"), "base URL"),
        (("--fhir-base", "https://ehr.example", "--level", "group"), "group's id"),
        (("--fhir-base", "https://ehr.example", "--type", "Claim"), "types"),
        (("--fhir-base", "https://ehr.example", "--filter", "Claim?x=1"), "filter"),
        (
            ("--fhir-base", "https://ehr.example", "--filter", "Observation?_sort=a"),
            "filter",
        ),
        (("--fhir-base", "https://ehr.example", "--host", "a b"), "host"),
        (("--fhir-base", "https://ehr.example", "--every", "1m"), "600"),
        (
            (
                *("--fhir-base", "https://ehr.example", "--snapshot"),
                *("--filter", "Observation?code=x"),
            ),
            "snapshot",
        ),
        ((), "FHIR base"),
    ],
)
def test_a_connection_that_could_not_work_is_refused(catchment, clinic, options, said):
    """Before anybody is asked."""
    assert said in refusal(catchment("connect", clinic, *options))


def test_a_held_snapshot_is_approved_by_its_number(catchment, clinic, ehr):
    """What it would withdraw is told first."""
    ehr.resources += [make.lab(8, id=f"x{number}") for number in range(5)]
    catchment("connect", clinic, "--fhir-base", ehr.fhir_base, *GROUP, "--snapshot")
    catchment("collect", clinic)
    del ehr.resources[-3:]

    held = catchment("collect", clinic, "--full")
    assert held.code == 1
    assert "catchment job approve 2" in held.output
    approved = catchment("job", "approve", "2")
    again = catchment("job", "approve", "2")

    assert approved.code == 0
    assert "not held" in refusal(again)
    assert ehr.seen[-1].path.startswith(f"{BASE_PATH}/bulk/")

"""`@medplum/core` for Node: gets its own token, creates, upserts, sends Bundles."""

from typing import Any

import pytest

from app.services.hub import Hub
from tests import make
from tests.clients.conftest import Kept
from tests.clients.drivers import Call, drive, statuses
from tests.hubs import Caller

A1 = f"identifier={make.MRN}|a1"


@pytest.fixture
def registration() -> dict[str, Any]:
    """It asks for no scope, and is registered as one that does not."""
    return {"scope_optional": True}


def called(hub: Hub, ehr: Caller, *calls: Call, **settings: Any) -> list[dict]:
    """Return what became of *calls* of a client that logs in for itself."""
    usual = {"baseUrl": hub.base_url, "clientId": ehr.client_id}
    login = ("startJwtAssertionLogin", ehr.assertion())
    return drive("medplum.mjs", usual | settings, login, *calls)


def made_by(ehr: Caller, *calls: Call, hub: Hub) -> list[dict]:
    """Return what became of *calls* after a login that succeeded."""
    login, *answers = called(hub, ehr, *calls)
    assert login == {"answer": None}  # there is no profile of a system
    return answers


@pytest.mark.parametrize("registration", [{}])
@pytest.mark.conforms("A4", mutation="no scope, as @medplum/core asks by itself")
async def test_its_login_is_refused_where_nobody_knew_of_it(
    served_hub: Hub, ehr: Caller
):
    """SMART requires a scope; only an operator may say that a client needs none."""
    (login,) = called(served_hub, ehr)

    assert login["refusal"]["message"] == "scope is missing"


@pytest.mark.conforms("A21")
async def test_it_finds_its_own_name_in_the_token(served_hub: Hub, ehr: Caller):
    """It reads `client_id` in a token, and takes none that names another."""
    its_own, anothers = (
        called(served_hub, ehr, clientId=client_id)[0]
        for client_id in (ehr.client_id, "another")
    )

    assert its_own == {"answer": None}
    assert "not issued for this audience" in anothers["refusal"]["message"]


async def test_what_it_creates_is_kept_once_however_often_it_is_sent(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """A retry after a lost answer is the same Observation."""
    create = ("createResource", make.lab(7.1))
    first, second = made_by(ehr, create, create, hub=served_hub)

    assert kept() == {"Observation": 1}
    assert first["answer"]["id"] == second["answer"]["id"]
    read = (await ehr.read(f"Observation/{first['answer']['id']}")).json()
    assert read["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("R4")
async def test_what_it_creates_if_none_exists_is_created_once(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """The second answer is what is there, and the value sent with it is not."""
    first, second = made_by(
        ehr,
        *[("createResourceIfNoneExist", make.lab(value), A1) for value in (7.1, 8.2)],
        hub=served_hub,
    )

    assert kept() == {"Observation": 1}
    assert second["answer"] == first["answer"]
    assert second["answer"]["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("R5")
async def test_what_it_upserts_is_one_row(served_hub: Hub, ehr: Caller, kept: Kept):
    """The first of them creates, the second updates what the identifier names."""
    first, second = made_by(
        ehr,
        *[("upsertResource", make.lab(value), A1) for value in (7.1, 8.2)],
        hub=served_hub,
    )

    assert kept() == {"Observation": 1}
    assert second["answer"]["id"] == first["answer"]["id"]
    read = (await ehr.read(f"Observation/{first['answer']['id']}")).json()
    assert read["valueQuantity"]["value"] == 8.2


@pytest.mark.conforms("R3")
async def test_what_it_updates_and_deletes_it_reads_back(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """By the clinic's own id, which stays the resource's id."""
    old, new, read, _, gone = made_by(
        ehr,
        ("updateResource", make.lab(7.1, id="o1")),
        ("updateResource", make.lab(8.2, id="o1")),
        ("readResource", "Observation", "o1"),
        ("deleteResource", "Observation", "o1"),
        ("readResource", "Observation", "o1"),
        hub=served_hub,
    )

    assert old["answer"]["id"] == new["answer"]["id"] == "o1"
    assert read["answer"]["valueQuantity"]["value"] == 8.2
    assert gone["refusal"]["outcome"]["issue"][0]["code"] == "deleted"
    assert kept() == {}


@pytest.mark.conforms("R10")
async def test_its_batch_is_kept_once_however_often_it_is_sent(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """It posts to the base without a slash; each entry is answered in its place."""
    bundle = make.batch(
        make.put(make.patient(id="p1")), make.post(make.lab(7.1)), {"request": {}}
    )
    first, second = made_by(ehr, *[("executeBatch", bundle)] * 2, hub=served_hub)

    assert statuses(first) == ["201", "201", "400"]
    assert statuses(second) == ["200", "200", "400"]
    assert kept() == {"Observation": 1, "Patient": 1}


async def test_it_is_told_which_element_is_at_fault(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """By `$validate` before it sends, and by the refusal where it did not ask."""
    bad = make.lab(7.1, status="?")
    asked, sent = made_by(
        ehr, ("validateResource", bad), ("createResource", bad), hub=served_hub
    )

    for outcome in (asked["answer"], sent["refusal"]["outcome"]):
        assert outcome["issue"][0]["expression"] == ["Observation.status"]
    assert kept() == {}

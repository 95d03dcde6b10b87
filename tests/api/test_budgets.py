"""A client that asks for too much is told when to come back, and nothing doubles."""

import dataclasses
from collections import Counter

import pytest

from app.services.budgets import Budgets
from app.services.hub import Hub
from tests import make
from tests.hubs import Caller, Clock, Network, bearer, count_of, current_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """A hub on which each client may have ten resources at once, two a second."""
    return dataclasses.replace(hub, budgets=Budgets(per_second=2, burst=10))


def labs(count: int, *, first: int = 0) -> list[dict]:
    return [
        make.put(make.lab(7.1, id=f"o{number}"))
        for number in range(first, first + count)
    ]


def statuses_of(bundle: dict) -> Counter:
    return Counter(entry["response"]["status"] for entry in bundle["entry"])


@pytest.mark.conforms("R19", mutation="one resource more than the burst")
async def test_the_eleventh_of_ten_waits(ehr: Caller, hub: Hub, clock: Clock):
    """429, how long to wait, and nothing stored; after that it goes through."""
    answers = [await ehr.put(make.lab(7.1, id=f"o{n}")) for n in range(11)]

    last = answers[-1]
    assert Counter(a.status_code for a in answers) == {201: 10, 429: 1}
    assert last.headers["Retry-After"] == "1"
    assert last.headers["Content-Type"] == "application/fhir+json"
    assert last.json()["issue"][0]["code"] == "throttled"
    assert current_of(hub.engine) == {"Observation": 10}
    clock.pass_seconds(float(last.headers["Retry-After"]))
    assert (await ehr.put(make.lab(7.1, id="o10"))).status_code == 201


@pytest.mark.conforms("R19")
async def test_within_the_budget_nothing_is_refused(ehr: Caller, clock: Clock):
    """Two a second for a minute, after a burst of ten."""
    for number in range(10):
        assert (await ehr.put(make.lab(7, id=f"a{number}"))).status_code == 201
    for number in range(60):
        clock.pass_seconds(0.5)
        assert (await ehr.read(f"Observation/a{number % 10}")).status_code == 200


@pytest.mark.conforms("R19", mutation="a batch goes on beyond the budget")
async def test_what_a_batch_has_beyond_the_budget_is_refused_entry_by_entry(
    ehr: Caller, hub: Hub, clock: Clock
):
    """The outer status says so too, or a client that reads no entries never knows."""
    await ehr.call("POST", "", make.batch(*labs(4)))

    response = await ehr.call("POST", "", make.batch(*labs(9, first=10)))

    assert response.status_code == 429
    assert statuses_of(response.json()) == {"201": 6, "429": 3}
    last = response.json()["entry"][-1]["response"]
    issue = last["outcome"]["issue"][0]
    assert issue["code"] == "throttled"
    assert issue["expression"] == ["Bundle.entry[8]"]
    assert current_of(hub.engine) == {"Observation": 10}
    clock.pass_seconds(float(response.headers["Retry-After"]))
    again = await ehr.call("POST", "", make.batch(*labs(9, first=10)))
    assert again.status_code == 200
    assert statuses_of(again.json()) == {"200": 6, "201": 3}
    assert current_of(hub.engine) == {"Observation": 13}


async def test_a_reference_to_an_entry_that_waits_is_not_misread(
    ehr: Caller, hub: Hub, clock: Clock
):
    """A placeholder of its own would make the result double when all is sent again."""
    await ehr.call("POST", "", make.batch(*labs(9)))
    patient = "urn:uuid:00000000-0000-4000-8000-0000000000a1"
    entries = [
        make.post(make.lab(8.8, subject=make.reference(patient))),
        make.post(make.patient(gender="female"), fullUrl=patient),
    ]

    response = await ehr.call("POST", "", make.batch(*entries))
    clock.pass_seconds(float(response.headers["Retry-After"]))
    again = await ehr.send(make.batch(*entries))

    assert response.status_code == 429
    assert again == ["201", "201"]
    assert current_of(hub.engine) == {"Observation": 10, "Patient": 1}


@pytest.mark.conforms("R19", mutation="a transaction goes on beyond the budget")
async def test_a_transaction_waits_as_a_whole(ehr: Caller, hub: Hub, clock: Clock):
    """All or nothing: one OperationOutcome, nothing stored, no budget spent."""
    await ehr.call("POST", "", make.batch(*labs(4)))
    before = count_of(hub.engine)
    whole = make.transaction(*labs(9, first=10))

    response = await ehr.call("POST", "", whole)

    assert response.status_code == 429
    assert response.json()["issue"][0]["code"] == "throttled"
    assert response.headers["Retry-After"] == "2"  # three more, at two a second
    assert count_of(hub.engine) == before
    clock.pass_seconds(1)
    assert (await ehr.call("POST", "", whole)).status_code == 429
    clock.pass_seconds(1)
    assert (await ehr.call("POST", "", whole)).status_code == 200


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_bundle_larger_than_the_burst_passes_after_a_pause(
    ehr: Caller, clock: Clock, kind: str
):
    """It would be refused for ever; it leaves a debt, which is paid by waiting."""
    first = await ehr.call("POST", "", make.bundle(kind, *labs(30)))
    single = await ehr.put(make.lab(7.1, id="next"))

    assert [first.status_code, single.status_code] == [200, 429]
    assert single.headers["Retry-After"] == "11"  # twenty beyond, and the one
    clock.pass_seconds(11)
    assert (await ehr.put(make.lab(7.1, id="next"))).status_code == 201


async def test_a_client_pays_for_itself_alone(network: Network, ehr: Caller):
    """Whoever imports years of records leaves the others their share."""
    other = network.ehr("beta-ehr")
    await ehr.call("POST", "", make.batch(*labs(10)))

    assert (await ehr.read("Observation/o1")).status_code == 429
    assert (await other.put(make.lab(7.1, id="o1"))).status_code == 201


async def test_reads_of_measures_count_too(network: Network):
    """In the format of that door: a problem document."""
    partner = network.partner()
    token = await partner.fresh_token()
    asked = bearer(token)

    answers = [await partner.http.get("/v1/measures", headers=asked) for _ in range(11)]

    assert [a.status_code for a in answers] == [200] * 10 + [429]
    assert answers[-1].headers["Content-Type"] == "application/problem+json"
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[-1].json()["type"].endswith("throttled")


async def test_what_the_hub_says_of_itself_costs_nothing(ehr: Caller):
    """Without a token there is nobody to charge."""
    await ehr.call("POST", "", make.batch(*labs(10)))

    assert (await ehr.http.get("/fhir/metadata")).status_code == 200


async def test_an_empty_bundle_is_a_request_too(ehr: Caller):
    """Or asking would be free for who asks for nothing."""
    empty = {"resourceType": "Bundle", "type": "batch"}

    answers = [await ehr.call("POST", "", empty) for _ in range(11)]

    assert [a.status_code for a in answers] == [200] * 10 + [429]


@pytest.mark.conforms("R17")
async def test_the_budget_is_stated(ehr: Caller):
    """A client can pace itself before it is refused."""
    statement = (await ehr.http.get("/fhir/metadata")).json()

    assert "2 resources a second, 10 at once" in statement["rest"][0]["documentation"]

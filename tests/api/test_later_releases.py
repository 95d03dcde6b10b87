"""Releases over time: who joins, who leaves, and a definition that changes."""

import dataclasses
from typing import Any

import msgspec
import pytest

from app.domain.clinics import ClinicStatus
from app.domain.errors import ConflictError
from app.measures.definitions import Comparison, Measure, Predicate
from app.services.hub import Hub
from app.store import clinics as store
from app.store.sessions import write_session
from tests.api.networks import (
    A_MONTH,
    GOOD,
    MEASURE,
    enrol,
    low,
    points,
    publish,
    send_people,
    series,
)
from tests.hubs import Caller, Clock, Network

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

FOUR_MONTHS = 4 * A_MONTH
"""Closed are November up to February."""


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """The hub with low thresholds."""
    return low(hub)


@pytest.fixture
async def clinics(network: Network) -> list[Caller]:
    """Four clinics of sixteen people, half of them poorly controlled; published."""
    codes = ("alpha", "beta", "gamma", "delta")
    callers = [await enrol(network, code) for code in codes]
    publish(network.hub)
    return callers


@pytest.fixture
def partner(network: Network) -> Caller:
    """A member of the network without a clinic."""
    return network.partner()


async def counts(caller: Caller, **asked: str) -> dict[str, tuple[int, int]]:
    """Return n and d of each month that is told."""
    found = await points(caller, interval="month", **asked)
    return {m: (p["n"], p["d"]) for m, p in found.items() if p["d"] is not None}


def leave(hub: Hub, code: str, *, status: ClinicStatus = ClinicStatus.LEFT) -> None:
    with write_session(hub.engine) as session:
        store.set_status(session, code, status=status)


@pytest.mark.usefixtures("clinics")
async def test_a_new_clinic_is_in_no_interval_of_before(
    hub: Hub, network: Network, partner: Caller, clock: Clock
):
    """Whoever has the release without it and that with it finds no month in both."""
    before = await counts(partner)
    await enrol(network, "epsilon", poor=10, good=6)
    publish(hub)
    at_once = await counts(partner)
    clock.pass_seconds(FOUR_MONTHS)
    publish(hub)

    later = await counts(partner)
    own = await counts(partner, clinic="epsilon")

    assert at_once == before
    assert {m: later[m] for m in before} == before
    assert later["2026-12"] == (32, 64), "the quarter had begun without it"
    assert later["2027-01"] == (42, 80)
    assert min(own) == "2027-01"


async def test_a_clinic_that_leaves_is_in_no_new_interval(
    hub: Hub, clinics: list[Caller], partner: Caller, clock: Clock
):
    """What was published stays, its own cells too; its people are in nothing new."""
    before = await counts(partner)
    own = await counts(partner, clinic="alpha")
    leave(hub, "alpha")
    clock.pass_seconds(FOUR_MONTHS)
    publish(hub)

    later = await counts(partner)

    assert {m: later[m] for m in before} == before
    assert later["2026-11"] == (24, 48), "of the three that are left"
    assert await counts(partner, clinic="alpha") == own
    assert max(own) == "2026-10"
    assert len(clinics) == 4


async def test_the_clients_of_a_clinic_that_left_are_refused(
    hub: Hub, clinics: list[Caller], clock: Clock
):
    """They get no token, and the one that they have opens nothing any more."""
    alpha, beta = clinics[0], clinics[1]
    await alpha.call("GET", "/Patient/p1")
    leave(hub, "alpha")
    clock.pass_seconds(6)

    held = await alpha.call("GET", "/Patient/p1")
    asked = await alpha.http.post("/oauth/token", data=alpha.form())
    other = await beta.call("GET", "/Patient/p1")

    assert held.status_code == 401
    assert (asked.status_code, asked.json()["error"]) == (401, "invalid_client")
    assert other.status_code == 200


@pytest.mark.usefixtures("clinics")
async def test_a_clinic_comes_back_only_before_a_release_is_without_it(hub: Hub):
    """After that its months would be told apart; under a new code it may begin anew."""
    leave(hub, "alpha")
    leave(hub, "alpha", status=ClinicStatus.ACTIVE)
    leave(hub, "alpha")
    publish(hub)

    with pytest.raises(ConflictError):
        leave(hub, "alpha", status=ClinicStatus.ACTIVE)


def laxer(measure: Measure) -> Measure:
    """Return a version for which above 6 is poor control: everybody is."""
    if measure.id != MEASURE:
        return measure
    poor = Predicate(value=Comparison(of="hba1c", above=6))
    missing = Predicate(not_=Predicate(measured="hba1c"))
    return msgspec.structs.replace(
        measure, version="2.0.0", numerator=Predicate(any=(missing, poor))
    )


async def test_no_month_is_told_by_two_definitions(
    hub: Hub, clinics: list[Caller], partner: Caller, clock: Clock
):
    """A threshold moved by a little would tell of those who are between the two."""
    before = await series(partner, interval="month")
    changed = dataclasses.replace(hub, measures=tuple(map(laxer, hub.measures)))
    await send_people(clinics[0], range(20, 26), value=5.0)
    for ehr in clinics[1:]:
        await send_people(ehr, range(20, 23), value=5.0)
    publish(changed)
    at_once = await series(partner, interval="month")
    clock.pass_seconds(FOUR_MONTHS)
    publish(changed)

    later = await series(partner, interval="month")

    assert at_once["measure"]["version"] == "1.0.0"
    assert told(at_once) == told(before)
    assert later["measure"]["version"] == "2.0.0"
    assert min(told(later)) == "2026-11-01"
    assert told(later)["2026-11-01"] == (64, 79)
    (old,) = later["earlier_versions"]
    assert old["measure"]["version"] == "1.0.0"
    assert told(old) == told(before)


async def test_a_measure_that_is_put_away_for_a_time_is_not_told_twice(
    hub: Hub, clinics: list[Caller], partner: Caller
):
    """A release that lacks it does not make its intervals new again."""
    before = await counts(partner)
    without = tuple(m for m in hub.measures if m.id != MEASURE)
    publish(dataclasses.replace(hub, measures=without))
    await send_people(clinics[0], range(20, 22), value=GOOD)

    publish(hub)

    assert await counts(partner) == before


def told(answer: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return n and d of each month that a series tells of."""
    return {p["interval_start"]: (p["n"], p["d"]) for p in answer["points"] if p["d"]}

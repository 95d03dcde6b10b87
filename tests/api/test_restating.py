"""What was published stays, until a whole block may be told anew."""

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.clinics import Audience
from app.services import recounts, restatements
from app.services.hub import Hub
from app.services.restatements import Outcome
from app.store.sessions import write_session
from tests.api.networks import (
    A_MONTH,
    GOOD,
    K_PUBLIC,
    MEASURE,
    POOR,
    K,
    enrol,
    low,
    points,
    publish,
    send_people,
)
from tests.api.test_counting import count, result
from tests.hubs import Caller, Clock, Network, bearer

pytestmark = pytest.mark.anyio

on_one = pytest.mark.parametrize("dialect", ["sqlite"])
"""What no SQL of its own is in is shown on one database."""
NOVEMBER = 12 * 2026 + 10
"""The first month of which nothing is published."""
QUARTERS = 4
"""Those of 2026: of the last one October is published."""


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """The hub with low thresholds."""
    return low(hub)


@pytest.fixture
async def clinics(network: Network) -> list[Caller]:
    """Four clinics of sixteen people, half of them poorly controlled; published."""
    callers = [
        await enrol(network, code) for code in ("alpha", "beta", "gamma", "delta")
    ]
    publish(network.hub)
    return callers


@pytest.fixture
def partner(network: Network) -> Caller:
    """A member of the network without a clinic."""
    return network.partner()


def restate(hub: Hub, **changes: Any) -> Outcome:
    count(hub)
    asked: dict[str, Any] = {"measure_id": None, "dry_run": False} | changes
    with write_session(hub.engine) as session:
        return restatements.restate(session, hub, **asked)


async def purge(ehr: Caller, numbers: range) -> None:
    for number in numbers:
        answer = await ehr.call("POST", f"/Patient/p{number}/$purge")
        assert answer.status_code == 200, answer.text


async def correct(ehr: Caller, numbers: range, value: float) -> None:
    for number in numbers:
        name = f"p{number}"
        await ehr.put(result(name, value, day="2026-02-03", own_id=f"{name}-r"))


async def counts(caller: Caller, **asked: str) -> dict[str, tuple[int, int]]:
    """Return n and d by month."""
    found = await points(caller, **asked)
    return {month: (point["n"], point["d"]) for month, point in found.items()}


async def releases_of(caller: Caller) -> list[dict[str, Any]]:
    """Return the record of each release that a caller may read, the newest first."""
    token = await caller.fresh_token("system/MeasureReport.rs")
    answer = await caller.http.get("/v1/releases", headers=bearer(token))
    found: list[dict[str, Any]] = answer.json()["releases"]
    return found


async def test_a_block_is_told_anew_when_enough_went(
    hub: Hub, clinics: list[Caller], partner: Caller
):
    """Of 32 poorly controlled four are erased: 28 of 60, and the release says so."""
    before = await points(partner)
    await purge(clinics[0], range(K_PUBLIC))

    found = restate(hub)

    after = await points(partner)
    newest, *_, first = await releases_of(partner)
    assert found.changed == len(found.allowed) == QUARTERS
    assert (before["2026-03"]["n"], before["2026-03"]["d"]) == (32, 64)
    assert (after["2026-03"]["n"], after["2026-03"]["d"]) == (28, 60)
    assert {point["restated_in"] for point in before.values()} == {None}
    assert {point["restated_in"] for point in after.values()} == {newest["id"]}
    assert first["restated"] == []
    assert newest["restated"][0] == {
        "measure": MEASURE,
        "interval_start": "2026-01-01",
        "interval_end": "2026-04-01",
    }
    assert newest["restated"][-1]["interval_end"] == "2026-11-01", "up to October"


async def one_goes(clinics: list[Caller]) -> None:
    await clinics[0].delete("Observation/p9-r")


async def as_many_as_the_public_asks_for_less_one(clinics: list[Caller]) -> None:
    await purge(clinics[0], range(K_PUBLIC - 1))


async def one_goes_beside_enough_of_another_clinic(clinics: list[Caller]) -> None:
    await purge(clinics[0], range(K_PUBLIC))
    await purge(clinics[1], range(1))


async def as_many_come_as_go(clinics: list[Caller]) -> None:
    await correct(clinics[0], range(1), GOOD)
    await correct(clinics[1], range(8, 9), POOR)


async def so_many_go_that_a_cell_would_be_hidden(clinics: list[Caller]) -> None:
    await purge(clinics[0], range(8 - K + 1))


FEW = [
    one_goes,
    as_many_as_the_public_asks_for_less_one,
    one_goes_beside_enough_of_another_clinic,
    as_many_come_as_go,
    so_many_go_that_a_cell_would_be_hidden,
]


@on_one
@pytest.mark.parametrize("change", FEW, ids=lambda each: each.__name__)
async def test_a_block_stays_where_the_difference_would_tell_of_few(
    hub: Hub, clinics: list[Caller], partner: Caller, change: Any
):
    """Live numbers follow at once; the published ones are as they were."""
    before = await points(partner)
    await change(clinics)

    found = restate(hub)

    assert (found.changed, len(found.allowed)) == (QUARTERS, 0)
    assert await points(partner) == before
    assert all(not each["restated"] for each in await releases_of(partner))


@on_one
async def test_a_release_of_every_day_restates_nothing(
    hub: Hub, clinics: list[Caller], partner: Caller
):
    """Nor does one that only asks what it might; the clinic itself sees its own."""
    before = await counts(partner)
    await purge(clinics[0], range(K_PUBLIC))

    asked = restate(hub, dry_run=True)
    publish(hub)
    other = restate(hub, measure_id="hypertension-control")

    assert (asked.changed, len(asked.allowed), asked.made) == (QUARTERS, QUARTERS, {})
    assert (other.changed, len(other.allowed)) == (0, 0)
    assert await counts(partner) == before
    own = await counts(clinics[0], clinic="alpha", interval="month")
    assert own["2026-03"] == (4, 12)


@on_one
async def test_each_edition_that_somebody_holds_is_compared(
    hub: Hub, clinics: list[Caller], partner: Caller
):
    """Five went, told; four came back: one less than at first, and that is one."""
    await correct(clinics[0], range(5), GOOD)
    first = restate(hub)
    told = await counts(partner)

    await correct(clinics[0], range(4), POOR)
    second = restate(hub)
    unchanged = await counts(partner)
    await correct(clinics[0], range(4, 5), POOR)
    third = restate(hub)

    assert told["2026-03"] == (27, 64)
    assert len(first.allowed) == QUARTERS
    assert (second.changed, len(second.allowed)) == (QUARTERS, 0)
    assert unchanged == told
    assert len(third.allowed) == QUARTERS, "as at first, and five more than told since"
    assert (await counts(partner))["2026-03"] == (32, 64)


@on_one
async def test_who_counts_late_is_not_taken_for_a_change_of_what_came_after(
    hub: Hub, clinics: list[Caller], partner: Caller, clock: Clock
):
    """Four more of alpha are in November's first edition, and late in October's."""
    await send_people(clinics[0], range(20, 24), value=POOR)
    count(hub)
    clock.pass_seconds(A_MONTH)
    publish(hub)
    before = await counts(partner)

    found = restate(hub)

    after = await points(partner)
    assert (before["2026-10"], before["2026-11"]) == ((32, 64), (36, 68))
    assert len(found.allowed) == QUARTERS
    assert (after["2026-10"]["n"], after["2026-10"]["d"]) == (36, 68)
    assert after["2026-10"]["restated_in"] == found.made[Audience.MEMBERS]
    assert after["2026-11"]["n"] == 36


async def test_a_full_count_is_not_a_change(hub: Hub, clinics: list[Caller]):
    """A refresh makes all events again; of these only what differs is late."""
    await clinics[0].delete("Observation/p9-r")
    count(hub)
    before = late(hub)

    recounts.refresh(hub)

    assert late(hub) == before != []


async def test_what_is_undone_leaves_nothing_behind(hub: Hub, clinics: list[Caller]):
    """A correction that is taken back is no change, and no row about anybody."""
    await correct(clinics[0], range(2), GOOD)
    count(hub)
    meanwhile = late(hub)
    await correct(clinics[0], range(2), POOR)
    count(hub)

    assert meanwhile
    assert late(hub) == []


async def test_no_row_is_about_one_who_was_erased(hub: Hub, clinics: list[Caller]):
    """What was published of erased people is kept as a sum for each clinic."""
    await correct(clinics[0], range(2), GOOD)
    count(hub)
    await purge(clinics[0], range(4))
    count(hub)

    assert {row.subject_id for row in late(hub)} == {0}
    told = [row for row in late(hub) if row.month < NOVEMBER]
    ends = [row for row in late(hub) if row.month == NOVEMBER]
    assert sum(row.numerator for row in told) == -4
    assert sum(row.numerator for row in ends) == 4


def late(hub: Hub) -> list[Any]:
    """Return what is noted of the measure as changed since publication."""
    query = text(
        "SELECT e.* FROM late_event e JOIN measure m ON m.id = e.measure_id "
        "WHERE m.code = :code ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"
    )
    with hub.engine.connect() as connection:
        return list(connection.execute(query, {"code": MEASURE}))

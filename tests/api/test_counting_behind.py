"""Who is counted when, while a clinic delivers in bulk."""

import httpx
import pytest
from sqlalchemy import text

from app.services.hub import Hub
from app.store import jobs
from app.store.jobs import COLLECT, IMPORT, WEBHOOK, JobState
from app.store.sessions import connection_of, read_session, write_session
from tests.api.test_counting import count, diabetic
from tests.hubs import Clock, Network
from tests.make import batch

MINUTE = 60


@pytest.fixture(autouse=True)
async def _two_clinics(hub: Hub, network: Network) -> None:
    """Of each of them somebody waits to be counted."""
    callers = [network.ehr(f"{code}-ehr") for code in ("alpha", "beta")]
    count(hub)
    for caller in callers:
        await caller.send(batch(*diabetic("a")))
    assert waiting(hub) == {"alpha", "beta"}


def waiting(hub: Hub) -> set[str]:
    """Return the clinics of who is yet to be counted."""
    query = "SELECT c.code FROM dirty d JOIN clinic c ON c.id = d.clinic_id"
    with read_session(hub.engine) as session:
        return set(connection_of(session).execute(text(query)).scalars())


def deliver(hub: Hub, clinic: str, *, kind: str = IMPORT) -> jobs.Job:
    """Let a delivery of a clinic begin."""
    query = text(
        "SELECT s.id, c.id FROM source s JOIN clinic c ON c.id = s.clinic_id "
        "WHERE c.code = :code"
    )
    with write_session(hub.engine) as session:
        row = connection_of(session).execute(query, {"code": clinic}).one()
        job_id = jobs.add_job(
            session,
            kind=kind,
            source_id=row[0],
            clinic_id=row[1],
            client_id=f"{clinic}-ehr",
            state=JobState.RECEIVING,
            request="{}",
            now=hub.clock(),
        )
        job = jobs.find_job(session, job_id)
    assert job is not None
    return job


def go_on(hub: Hub, job: jobs.Job) -> None:
    """Let more of a delivery come."""
    with write_session(hub.engine) as session:
        assert jobs.note_alive(session, job, now=hub.clock())


def end(hub: Hub, job: jobs.Job) -> None:
    """Let a delivery be stored to its end."""
    with write_session(hub.engine) as session:
        changed = jobs.change_job(
            session, job, state=JobState.DONE.value, updated_at=hub.clock()
        )
    assert changed


async def is_ready(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/health/ready")
    return bool(answer.json()["counted_in_time"])


@pytest.mark.parametrize("kind", [IMPORT, COLLECT])
async def test_the_people_of_a_delivery_are_counted_behind_it(hub: Hub, kind: str):
    """Others do not wait, and these no longer than the delivery."""
    job = deliver(hub, "alpha", kind=kind)
    count(hub)
    during = waiting(hub)
    end(hub, job)
    count(hub)

    assert during == {"alpha"}
    assert waiting(hub) == set()


async def test_what_is_fetched_one_by_one_holds_nobody_up(hub: Hub):
    """A webhook comes at any time, and is about a few."""
    deliver(hub, "alpha", kind=WEBHOOK)
    count(hub)

    assert waiting(hub) == set()


async def test_nobody_waits_for_a_delivery_that_has_stopped(hub: Hub, clock: Clock):
    deliver(hub, "alpha")
    clock.pass_seconds(6)
    count(hub)

    assert waiting(hub) == set()


async def test_a_long_delivery_holds_people_up_for_five_minutes(
    hub: Hub, clock: Clock, client: httpx.AsyncClient
):
    """And the hub is ready meanwhile; a minute after that it no longer is."""
    job = deliver(hub, "alpha")
    count(hub)
    clock.pass_seconds(5 * MINUTE - 1)
    go_on(hub, job)
    count(hub)
    before, ready = waiting(hub), await is_ready(client)
    clock.pass_seconds(MINUTE)
    go_on(hub, job)
    still_ready = await is_ready(client)
    clock.pass_seconds(2)
    go_on(hub, job)
    late = await is_ready(client)
    count(hub)

    assert (before, ready, still_ready, late) == ({"alpha"}, True, True, False)
    assert waiting(hub) == set()
    assert await is_ready(client)


async def test_the_end_of_a_delivery_makes_nobody_late(
    hub: Hub, clock: Clock, client: httpx.AsyncClient
):
    """Who waited for it has not waited for a worker."""
    job = deliver(hub, "alpha")
    count(hub)
    clock.pass_seconds(4 * MINUTE)
    end(hub, job)

    assert waiting(hub) == {"alpha"}
    assert await is_ready(client)


async def test_without_a_delivery_a_minute_is_late(
    hub: Hub, clock: Clock, client: httpx.AsyncClient
):
    """And a delivery of one clinic is no excuse for another."""
    deliver(hub, "alpha")
    clock.pass_seconds(59)
    early = await is_ready(client)
    clock.pass_seconds(2)

    assert early
    assert not await is_ready(client)

"""Uploads that are cut off, continued, repeated, cancelled, or wait their turn."""

import dataclasses
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI

from app.domain.clinics import ClientStatus, ClinicStatus, Source
from app.domain.deliveries import LineBatch
from app.services.budgets import Budgets
from app.services.bulk.jobs import work
from app.services.bulk.readers import Readers
from app.services.hub import Hub
from app.services.workers import STEPS
from app.store import clinics
from app.store.sessions import write_session
from tests import make
from tests.hubs import Caller, Clock, Network, count_of, current_of
from tests.importing import (
    counts,
    cut_off,
    lines,
    manifest_of,
    path_of,
    push,
    push_in_pieces,
    status_of,
    stored,
)

pytestmark = pytest.mark.anyio
SQLITE = pytest.mark.parametrize("dialect", ["sqlite"])
BODY = lines(*(make.lab(5 + i / 10, id=f"o{i}") for i in range(4)))
HALF = BODY[: BODY.index(b'"o2"')]
"""Two lines, and some of the third."""
SOURCE = Source(
    source_id=1,
    clinic_id=1,
    base_urls=(),
    identifier_systems=frozenset(),
    time_zone="UTC",
)
REST = b"".join(line + b"\n" for line in BODY.splitlines()[2:])
NAMED = {"Idempotency_Key": "the export of last night"}
FOUR = {"Observation": 4}


async def offset_of(ehr: Caller) -> tuple[str, str]:
    """Ask how much of the named upload is here."""
    answer = await ehr.call("HEAD", "/$import", **NAMED)
    assert answer.status_code == 200
    return answer.headers["Upload-Offset"], answer.headers["Upload-Complete"]


async def test_an_upload_that_is_cut_off_goes_on_where_it_was(
    ehr: Caller, hub: Hub, clock: Clock
):
    """Whole lines count, a line that was cut is sent again."""
    assert await offset_of(ehr) == ("0", "?0")
    broken = await push_in_pieces(ehr, cut_off(HALF), **NAMED)
    between = await offset_of(ehr)
    stored(hub)
    early = current_of(hub.engine)
    clock.pass_seconds(1)

    rest = await push(ehr, REST, Upload_Offset=between[0], **NAMED)
    stored(hub)

    assert broken.status_code == 400
    assert between == ("2", "?0")
    assert early == {"Observation": 2}
    assert await offset_of(ehr) == ("4", "?1")
    manifest = (await status_of(ehr, rest)).json()
    assert counts(manifest) == {("Observation", "created"): 4}
    assert manifest["extension"]["lines"] == 4
    assert current_of(hub.engine) == FOUR


async def test_the_lines_of_the_rest_are_numbered_on(ehr: Caller, hub: Hub):
    """As if it had come at once."""
    await push_in_pieces(ehr, cut_off(HALF), **NAMED)
    wrong = lines(make.lab(5, id="o3", status="bogus"))

    rest = await push(ehr, wrong, Upload_Offset="2", **NAMED)
    stored(hub)

    path = f"{path_of(rest)}/outcome.ndjson"
    assert '"Line 3"' in (await ehr.call("GET", path)).text


@SQLITE
@pytest.mark.parametrize("offset", ["1", "3"])
async def test_an_upload_goes_on_nowhere_else(ehr: Caller, offset: str):
    """Lines would be lost or come twice; the refusal says where it is."""
    await push_in_pieces(ehr, cut_off(HALF), **NAMED)

    answer = await push(ehr, REST, Upload_Offset=offset, **NAMED)

    assert answer.status_code == 409
    assert "after line 2" in answer.text
    assert await offset_of(ehr) == ("2", "?0")


@SQLITE
async def test_what_was_never_begun_does_not_go_on(ehr: Caller):
    """Nor what belongs to another client, whose name for it is the same."""
    answer = await push(ehr, REST, Upload_Offset="2", **NAMED)

    assert answer.status_code == 409
    assert "first line" in answer.text


@SQLITE
async def test_names_are_each_clients_own(network: Network):
    """Two systems of a clinic that both count their uploads do not meet."""
    one, other = network.ehr("alpha-one"), network.ehr("alpha-two", clinic="alpha")
    await push(one, BODY, **NAMED)

    assert await offset_of(one) == ("4", "?1")
    assert await offset_of(other) == ("0", "?0")


async def test_an_upload_may_be_repeated_instead(ehr: Caller, hub: Hub):
    """From its first line, with nothing stored twice; what was begun is set aside."""
    await push_in_pieces(ehr, cut_off(HALF), **NAMED)

    whole = await push(ehr, BODY, **NAMED)
    again = await push(ehr, BODY, **NAMED)
    stored(hub)

    assert path_of(again) == path_of(whole)
    assert (await status_of(ehr, whole)).status_code == 200
    assert await offset_of(ehr) == ("4", "?1")
    assert current_of(hub.engine) == FOUR


async def test_without_a_name_what_came_is_stored_and_said(ehr: Caller, hub: Hub):
    """Nobody is told of it, so the operator sees it; sending again doubles nothing."""
    broken = await push_in_pieces(ehr, cut_off(HALF))
    stored(hub)
    told = await ehr.call("GET", "/jobs/1")
    first = current_of(hub.engine)

    manifest = await manifest_of(ehr, BODY)

    assert broken.status_code == 400
    assert told.status_code == 409
    assert "after line 2" in told.text
    assert first == {"Observation": 2}
    assert counts(manifest) == {
        ("Observation", "created"): 2,
        ("Observation", "unchanged"): 2,
    }


@SQLITE
async def test_of_an_upload_of_which_nothing_came_nothing_is_left(
    ehr: Caller, hub: Hub
):
    """An operator is not shown what never was."""
    empty = await push(ehr, b"")
    broken = await push_in_pieces(ehr, cut_off(HALF[:20]))

    assert [empty.status_code, broken.status_code] == [400, 400]
    assert count_of(hub.engine)["job"] == 0


@SQLITE
async def test_an_upload_that_is_never_continued_ends(
    ehr: Caller, hub: Hub, clock: Clock
):
    """After a day; what came of it is stored, and the status says how far that is."""
    await push_in_pieces(ehr, cut_off(HALF), **NAMED)
    stored(hub)
    open_still = await ehr.call("GET", "/jobs/1")
    clock.pass_seconds(25 * 3600)

    stored(hub)

    assert open_still.status_code == 202
    assert (await ehr.call("GET", "/jobs/1")).status_code == 409
    assert await offset_of(ehr) == ("0", "?0")
    assert current_of(hub.engine) == {"Observation": 2}


async def test_of_two_at_once_by_one_name_one_goes_through(ehr: Caller, hub: Hub):
    """Whoever begins later; the other is told, and nothing is doubled."""
    begun, going = anyio.Event(), anyio.Event()
    answers = {}

    async def slow() -> AsyncIterator[bytes]:
        yield BODY
        begun.set()
        await going.wait()
        yield REST

    async def first() -> None:
        answers["first"] = await push_in_pieces(ehr, slow(), **NAMED)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await begun.wait()
            answers["second"] = await push(ehr, BODY, **NAMED)
            going.set()
    stored(hub)

    assert {name: a.status_code for name, a in answers.items()} == {
        "first": 409,
        "second": 202,
    }
    assert current_of(hub.engine) == FOUR
    assert await offset_of(ehr) == ("4", "?1")


async def test_a_job_is_cancelled_by_its_sender(ehr: Caller, hub: Hub):
    """Before its turn: nothing of it is stored, and nothing is left of it."""
    path = path_of(await push(ehr, BODY, **NAMED))

    cancelled = await ehr.call("DELETE", path)
    stored(hub)

    assert cancelled.status_code == 202
    for at in (path, f"{path}/outcome.ndjson"):
        assert (await ehr.call("GET", at)).status_code == 404
    assert current_of(hub.engine) == {}
    assert count_of(hub.engine)["staged"] == 0
    assert await offset_of(ehr) == ("0", "?0")


async def test_what_a_job_came_to_is_forgotten_on_request(ehr: Caller, hub: Hub):
    """After its end, as Bulk Data has it; what it stored stays."""
    path = path_of(await push(ehr, BODY))
    stored(hub)

    await ehr.call("DELETE", path)

    assert (await ehr.call("GET", path)).status_code == 404
    assert current_of(hub.engine) == FOUR


async def test_an_upload_that_is_cancelled_under_way_ends(ehr: Caller, hub: Hub):
    """Its sender is told at the next lines, and keeps no connection for nothing."""

    async def cancelled() -> AsyncIterator[bytes]:
        yield HALF
        await ehr.call("DELETE", "/jobs/1")
        yield BODY[len(HALF) :]

    answer = await push_in_pieces(ehr, cancelled())
    stored(hub)

    assert answer.status_code == 409
    assert current_of(hub.engine) == {}
    assert count_of(hub.engine)["staged"] == 0


async def test_another_worker_goes_on_where_one_died(
    ehr: Caller, hub: Hub, clock: Clock
):
    """The server was restarted between staging and storing, and its lease ran out."""
    response = await push(ehr, BODY)

    def dies(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(hub, {"import": dies}, holder="dead")  # type: ignore[dict-item]
    early = work(hub, STEPS, holder="alive")
    clock.pass_seconds(11)
    stored(hub)

    assert not early
    assert (await status_of(ehr, response)).status_code == 200
    assert current_of(hub.engine) == FOUR


@SQLITE
async def test_what_was_acknowledged_is_stored_though_the_client_is_revoked(
    ehr: Caller, hub: Hub
):
    """The clinic's lines are the clinic's; the operator cancels what is not."""
    await push(ehr, BODY)
    with write_session(hub.engine) as session:
        row = clinics.required_client(session, ehr.client_id)
        row.status = ClientStatus.REVOKED

    stored(hub)

    assert current_of(hub.engine) == FOUR


@SQLITE
async def test_who_is_revoked_sends_no_further(ehr: Caller, hub: Hub):
    """A body may take hours, a token five minutes."""

    async def revoked() -> AsyncIterator[bytes]:
        yield LONG
        with write_session(hub.engine) as session:
            row = clinics.required_client(session, ehr.client_id)
            row.status = ClientStatus.REVOKED
        yield LONG

    answer = await push_in_pieces(ehr, revoked())

    assert answer.status_code == 401


LONG = (b" " * 1023 + b"\n") * 1024
"""A batch of lines that are blank."""


@SQLITE
async def test_of_a_clinic_that_has_left_nothing_more_is_stored(ehr: Caller, hub: Hub):
    """Though its lines wait."""
    await push(ehr, BODY)
    with write_session(hub.engine) as session:
        clinics.set_status(session, "alpha", status=ClinicStatus.LEFT)

    stored(hub)

    assert current_of(hub.engine) == {}


@SQLITE
async def test_a_budget_lets_lines_wait(app: FastAPI, network: Network, hub: Hub):
    """A body is as fast as its client may be; it is not refused for being large."""
    now = time.monotonic()
    paced = dataclasses.replace(
        hub,
        budgets=Budgets(per_second=2, burst=2),
        clock=lambda: int(1000 * (hub.clock() / 1000 + time.monotonic() - now)),
    )
    app.state.hub = paced
    ehr = network.ehr()
    two = lines(make.lab(5), make.lab(6))

    async def slowly() -> AsyncIterator[bytes]:
        yield two

    answers = [await push_in_pieces(ehr, slowly()) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert time.monotonic() - now >= 1


def test_a_reader_that_dies_is_replaced(shared_parts: Hub):
    """Killed for its memory, say: the lines are read by another, none is lost."""
    readers = Readers(count=1)
    body = lines(*(make.lab(5, id=f"o{i}") for i in range(300)))
    batches = [
        LineBatch(first=1, body=body),
        LineBatch(first=301, body=body),
        LineBatch(first=601, body=body),
    ]

    def killing():
        yield batches[0]
        yield batches[1]
        kill_readers(readers)
        yield batches[2]

    try:
        read = readers.read(
            shared_parts, SOURCE, killing(), scopes=None, max_line_bytes=10_000
        )
        found = [(each.first, each.last, each.resources) for each in read]
    finally:
        readers.close()

    assert found == [(1, 300, 300), (301, 600, 300), (601, 900, 300)]


def kill_readers(readers: Readers) -> None:
    """Kill the processes that *readers* has forked."""
    nursery = readers._nursery  # noqa: SLF001
    assert nursery is not None
    parent = nursery._process.pid  # noqa: SLF001
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    children = [int(pid) for pid in listed.split()]
    assert children
    for pid in children:
        os.kill(pid, signal.SIGKILL)

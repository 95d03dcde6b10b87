"""Requests that come while the store is held, so that they wait and go together."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, text

from app.services.waiting import WaitingRoom

Call = Awaitable[httpx.Response]


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Let nobody write while the block runs."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:  # BEGIN IMMEDIATE
            connection.execute(text("SELECT 1"))
            yield
        return
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE alias IN ACCESS EXCLUSIVE MODE"))
        yield


async def started(app: FastAPI, calls: Sequence[Call]) -> list[asyncio.Task[Any]]:
    """
    Start *calls* of one client while the store is held; return their tasks.

    The first has its turn, alone, and the others wait behind it; but those that are
    refused at the door are done.
    """
    room: WaitingRoom = app.state.waiting_room
    tasks: list[asyncio.Task[Any]] = []
    for call in calls:
        tasks.append(asyncio.ensure_future(call))
        # It is a thread that makes it true.
        while _known(room, tasks) != len(tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return tasks


def _known(room: WaitingRoom, tasks: Sequence[asyncio.Task[Any]]) -> int:
    return sum(room.census()) + sum(task.done() for task in tasks)


async def together(
    app: FastAPI, engine: Engine, calls: Sequence[Call]
) -> list[httpx.Response]:
    """Return the answers to *calls*, which came while another was being stored."""
    room: WaitingRoom = app.state.waiting_room
    while room.census() != (0, 0):  # noqa: ASYNC110  (of those before, told already)
        await asyncio.sleep(0.001)
    with held(engine):
        tasks = await started(app, calls)
    return list(await asyncio.gather(*tasks))


def wait_until(is_so: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait for what another thread or process does; nothing tells when it has."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            msg = "it did not come to be"
            raise TimeoutError(msg)
        time.sleep(0.02)

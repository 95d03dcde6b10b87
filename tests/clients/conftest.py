"""A clinic of its own for each test, and what is kept of it."""

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from app.services.hub import Hub
from tests.hubs import Caller, Network, kept_by

NUMBERS = itertools.count(1)
Kept = Callable[[], dict[str, int]]


@pytest.fixture
def registration() -> dict[str, Any]:
    """What is said of the test's client when it is registered."""
    return {}


@pytest.fixture
async def ehr(served_hub: Hub, registration: dict[str, Any]) -> AsyncIterator[Caller]:
    """The registered client of a new clinic; others may speak in its name."""
    async with httpx.AsyncClient(base_url=served_hub.base_url) as http:
        yield Network(served_hub, http).ehr(
            f"clinic{next(NUMBERS)}-ehr", **registration
        )


@pytest.fixture
def kept(served_hub: Hub, ehr: Caller) -> Kept:
    """How many records of each type count now at the test's clinic."""

    def count() -> dict[str, int]:
        return kept_by(served_hub.engine, str(ehr.clinic))

    return count

"""A clinic of its own for each test, and what is kept of it."""

import itertools
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from sqlalchemy import text

from app.domain.records import RecordType
from app.services.hub import Hub
from tests.hubs import Caller, Network

NUMBERS = itertools.count(1)
KEPT = text(
    "SELECT record.type, COUNT(*) FROM record"
    " JOIN source ON source.id = record.source_id"
    " JOIN clinic ON clinic.id = source.clinic_id"
    " WHERE clinic.code = :clinic AND record.state = 1 GROUP BY record.type"
)

Kept = Callable[[], dict[str, int]]


@pytest.fixture
async def ehr(served_hub: Hub) -> AsyncIterator[Caller]:
    """The registered client of a new clinic; others may speak in its name."""
    async with httpx.AsyncClient(base_url=served_hub.base_url) as http:
        yield Network(served_hub, http).ehr(f"clinic{next(NUMBERS)}-ehr")


@pytest.fixture
def kept(served_hub: Hub, ehr: Caller) -> Kept:
    """How many records of each type count now at the test's clinic."""

    def count() -> dict[str, int]:
        with served_hub.engine.connect() as connection:
            rows = connection.execute(KEPT, {"clinic": ehr.clinic}).all()
        return {RecordType(type_).fhir_name: number for type_, number in rows}

    return count

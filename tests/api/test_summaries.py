"""What clinics count themselves: in at the doors, about nobody known."""

from typing import Any

import pytest
from sqlalchemy import text

from app.services.hub import Hub
from tests.hubs import Caller, Network
from tests.make import UCUM, batch, bundle, concept, identifier, post, put, reference

pytestmark = pytest.mark.anyio

NETWORK_CODES = "https://catchment.example/fhir/CodeSystem/network"
JUNE = {"start": "2024-06-01", "end": "2024-06-30"}


def summary(code: str = "central-line-days", **elements: Any) -> dict:
    """Return an Observation of a ward in June 2024."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(NETWORK_CODES, code),
        "subject": reference("Location/picu"),
        "effectivePeriod": JUNE,
    } | elements


def infection(day: str, **elements: Any) -> dict:
    """Return one infection: an Observation without a value."""
    return summary("clabsi", effectiveDateTime=day, **elements) | {
        "effectivePeriod": None
    }


def facts(hub: Hub) -> list[tuple]:
    """Return what was counted: month, day and thousandths."""
    query = text(
        "SELECT month, day, value FROM summary_fact ORDER BY month, day, value"
    )
    with hub.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def wards(hub: Hub) -> set[str]:
    with hub.engine.connect() as connection:
        return set(connection.execute(text("SELECT ward FROM summary_fact")).scalars())


JUNE_2024 = 2024 * 12 + 5
LINE_DAYS = summary(valueInteger=412)


async def test_a_ward_s_number_is_kept_once_however_often_it_is_sent(
    hub: Hub, ehr: Caller
):
    """412 line days of June are one fact of June, not about anybody."""
    first = await ehr.post(LINE_DAYS)
    again = await ehr.post(LINE_DAYS)

    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert facts(hub) == [(JUNE_2024, None, 412_000)]
    with hub.engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM subject")).scalar() == 0
        assert connection.execute(text("SELECT COUNT(*) FROM dirty")).scalar() == 0

"""A small network under low thresholds: who met a measure, was published, and left."""

import dataclasses
from typing import Any

from app.disclosure.audiences import AudienceRules, Audiences, ClinicsShown
from app.domain.clinics import Audience
from app.services import registry, releases
from app.services.hub import Hub
from app.store.sessions import write_session
from tests.api.test_counting import count, diabetic, result
from tests.hubs import Caller, Network, bearer
from tests.make import batch, encounter, put, reference

MEASURE = "hba1c-poor-control"
K, K_PUBLIC = 3, 4
LOW = Audiences(
    lock_days=60,
    public=AudienceRules(k=K_PUBLIC, min_clinics=3, clinics=ClinicsShown.NONE),
    members=AudienceRules(k=K, min_clinics=3, clinics=ClinicsShown.NAMED),
)
GOOD, POOR = 7.0, 9.5
A_MONTH = 31 * 86_400


def low(hub: Hub) -> Hub:
    """Return the hub with thresholds that a test can write by hand."""
    return dataclasses.replace(hub, audiences=LOW)


async def send_people(ehr: Caller, numbers: range, *, value: float) -> None:
    """Send diabetics seen in January and December 2026, and measured in February."""
    entries: list[dict[str, Any]] = []
    for number in numbers:
        name = f"p{number}"
        entries += diabetic(name)
        found = result(name, value, day="2026-02-03", own_id=f"{name}-r")
        again = {"start": "2026-12-10"}
        about = reference(f"Patient/{name}")
        entries.append(put(encounter(id=f"{name}-v2", period=again, subject=about)))
        entries.append(put(found))
    await ehr.send(batch(*entries))


async def enrol(network: Network, code: str, *, poor: int = 8, good: int = 8) -> Caller:
    """Enrol a clinic whose first *poor* people are poorly controlled."""
    scopes = (*registry.CLINIC_SCOPES, "system/purge")
    ehr = network.ehr(f"{code}-ehr", clinic=code, scopes=scopes)
    await send_people(ehr, range(poor), value=POOR)
    await send_people(ehr, range(poor, poor + good), value=GOOD)
    return ehr


def publish(hub: Hub) -> dict[Audience, int]:
    """Count what waits, and publish it."""
    count(hub)
    with write_session(hub.engine) as session:
        return releases.publish(session, hub)


async def points(caller: Caller, **asked: str) -> dict[str, dict[str, Any]]:
    """Return what a caller reads of the measure, by the start of each interval."""
    answer = await series(caller, **asked)
    return {point["interval_start"][:7]: point for point in answer["points"]}


async def series(caller: Caller, **asked: str) -> dict[str, Any]:
    """Return the series that a caller reads."""
    token = await caller.fresh_token("system/MeasureReport.rs")
    answer = await caller.http.get(
        f"/v1/measures/{MEASURE}/series", params=asked, headers=bearer(token)
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found

"""NDJSON that is pushed in bulk: what becomes of each line, told by one URL."""

import json
from typing import Any

import httpx

from app.services.hub import Hub
from app.services.jobs import work
from app.services.workers import STEPS
from tests import make
from tests.hubs import Caller, current_of

NDJSON = "application/fhir+ndjson"


def lines(*resources: dict[str, Any] | str) -> bytes:
    """Return resources, or texts as they are, as NDJSON."""
    texts = (r if isinstance(r, str) else json.dumps(r) for r in resources)
    return "".join(f"{text}\n" for text in texts).encode()


async def push(ehr: Caller, body: bytes, **headers: str) -> httpx.Response:
    """Send NDJSON."""
    return await ehr.call(
        "POST", "/$import", body, **({"Content_Type": NDJSON} | headers)
    )


def stored(hub: Hub) -> None:
    """Let the worker do all there is to do."""
    while work(hub, STEPS, holder="test"):
        pass


async def status_of(ehr: Caller, response: httpx.Response) -> httpx.Response:
    """Ask what became of an upload."""
    assert response.status_code == 202, response.text
    path = response.headers["Content-Location"].partition("/fhir")[2]
    return await ehr.call("GET", path)


def counts(manifest: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Return the counts of a manifest by type and outcome."""
    rows = manifest["extension"]["counts"]
    return {(row["type"], row["outcome"]): row["count"] for row in rows}


async def test_lines_are_stored_as_single_resources_are(ehr: Caller, hub: Hub):
    """The same resource has the same fate by every door."""
    body = lines(
        make.patient(id="p1"),
        make.observation(id="o1", subject={"reference": "Patient/p1"}),
        make.observation(id="o2", subject={"reference": "Patient/p1"}, status="bogus"),
        {"resourceType": "Claim", "id": "c1"},
    )

    response = await push(ehr, body)
    before = await status_of(ehr, response)
    stored(hub)
    after = await status_of(ehr, response)

    assert before.status_code == 202
    assert after.status_code == 200, after.text
    assert counts(after.json()) == {
        ("Patient", "created"): 1,
        ("Observation", "created"): 1,
        ("Observation", "refused"): 1,
        ("Claim", "discarded"): 1,
    }
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}

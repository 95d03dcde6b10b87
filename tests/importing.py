"""NDJSON that a clinic pushes: how it is sent, stored, and asked about."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
from starlette.requests import ClientDisconnect

from app.services.bulk.jobs import work
from app.services.hub import Hub
from app.services.workers import STEPS
from tests.hubs import Caller, bearer

Json = dict[str, Any]

NDJSON = "application/fhir+ndjson"


def lines(*resources: Json | str) -> bytes:
    """Return resources, or texts as they are, as NDJSON."""
    texts = (r if isinstance(r, str) else json.dumps(r) for r in resources)
    return "".join(f"{text}\n" for text in texts).encode()


async def push(ehr: Caller, body: bytes, **headers: str) -> httpx.Response:
    """Send NDJSON."""
    return await ehr.call(
        "POST", "/$import", body, **({"Content_Type": NDJSON} | headers)
    )


async def push_in_pieces(
    ehr: Caller, pieces: AsyncIterator[bytes], **headers: str
) -> httpx.Response:
    """Send NDJSON as it comes."""
    sent = bearer(await ehr.fresh_token()) | {"Content-Type": NDJSON}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await ehr.http.post("/fhir/$import", content=pieces, headers=sent)


async def cut_off(*pieces: bytes) -> AsyncIterator[bytes]:
    """Yield *pieces* as a client does who is gone after the last."""
    for piece in pieces:
        yield piece
    raise ClientDisconnect


def stored(hub: Hub) -> None:
    """Let the worker do all there is to do."""
    while work(hub, STEPS, holder="test"):
        pass


def path_of(response: httpx.Response) -> str:
    """Return the path of an upload's status, under the FHIR base."""
    assert response.status_code == 202, response.text
    return response.headers["Content-Location"].partition("/fhir")[2]


async def status_of(ehr: Caller, response: httpx.Response) -> httpx.Response:
    """Ask what became of an upload."""
    return await ehr.call("GET", path_of(response))


async def manifest_of(ehr: Caller, body: bytes, **headers: str) -> Json:
    """Send NDJSON, let it be stored, and return what it came to."""
    response = await push(ehr, body, **headers)
    stored(ehr.hub)
    told = await status_of(ehr, response)
    assert told.status_code == 200, told.text
    manifest: Json = told.json()
    return manifest


def counts(manifest: Json) -> dict[tuple[str | None, str], int]:
    """Return the counts of a manifest by type and outcome."""
    rows = manifest["extension"]["counts"]
    return {(row["type"], row["outcome"]): row["count"] for row in rows}


async def issues_of(ehr: Caller, manifest: Json) -> list[Json]:
    """Return the issues of a manifest's outcome file, in its order."""
    if not manifest["error"]:
        return []
    (file,) = manifest["error"]
    answer = await ehr.call("GET", file["url"].partition("/fhir")[2])
    assert answer.headers["Content-Type"] == NDJSON
    outcomes = [json.loads(line) for line in answer.text.splitlines()]
    assert len(outcomes) == file["count"]
    return [issue for outcome in outcomes for issue in outcome["issue"]]


def lines_of(issue: Json) -> list[int]:
    """Return the numbers of the lines that an issue tells of."""
    (told,) = (
        each["valueString"]
        for each in issue["extension"]
        if each["url"] == "urn:catchment:lines"
    )
    return [int(number) for number in told.split(", ")]


def refused_lines(issues: Iterable[Json]) -> set[int]:
    """Return the lines of which something is told that is an error."""
    errors = (issue for issue in issues if issue["severity"] == "error")
    return {line for issue in errors for line in lines_of(issue)}

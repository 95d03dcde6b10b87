"""A submitter at work: its calls, and what it reads of what becomes of them."""

import json
from typing import Any

import httpx
import pytest

from app.services.bulk.jobs import work
from app.services.hub import Hub
from app.services.workers import STEPS
from tests import make
from tests.hubs import Caller

Json = dict[str, Any]

BASE = "https://ehr.example/fhir"
SUBMITTER = {"system": "urn:oid:2.16.840.1.113883.4.6", "value": "1234567893"}


def parameters(**stated: Any) -> Json:
    """Return Parameters, whose values are of the kinds that the draft gives them."""
    listed = [
        {"name": name, **_value(name, each)}
        for name, value in stated.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return {"resourceType": "Parameters", "parameter": listed}


def _value(name: str, value: Any) -> Json:
    if name == "submitter":
        return {"valueIdentifier": value}
    if name == "submissionStatus":
        system = "http://hl7.org/fhir/event-status"
        return {"valueCoding": {"system": system, "code": value}}
    if name == "fileRequestHeader":
        return {
            "part": [
                {"name": "headerName", "valueString": value[0]},
                {"name": "headerValue", "valueString": value[1]},
            ]
        }
    kind = "valueUrl" if name.lower().endswith("url") else "valueString"
    return {kind: value}


async def call(ehr: Caller, *, submission: str = "s1", **stated: Any) -> httpx.Response:
    """Make a call of ``$bulk-submit``."""
    if "manifestUrl" in stated:
        stated.setdefault("fhirBaseUrl", BASE)
    named = {"submitter": SUBMITTER, "submissionId": submission} | stated
    return await ehr.call("POST", "/$bulk-submit", parameters(**named))


async def submit(ehr: Caller, **stated: Any) -> None:
    """Make a call that is taken."""
    response = await call(ehr, **stated)
    assert response.status_code == 200, response.text
    assert response.json()["resourceType"] == "OperationOutcome"


def worked(hub: Hub) -> None:
    """Let the worker do all there is to do now."""
    for _ in range(1000):
        if not work(hub, STEPS, holder="test"):
            return
    pytest.fail("the worker does not come to an end")


async def status_url(ehr: Caller, submission: str = "s1") -> str:
    """Ask for the status of a submission; return its path."""
    body = parameters(submitter=SUBMITTER, submissionId=submission)
    response = await ehr.call("POST", "/$bulk-submit-status", body)
    assert response.status_code == 202, response.text
    return response.headers["Content-Location"].partition("/fhir")[2]


async def status(ehr: Caller, submission: str = "s1") -> Json:
    """Return the status manifest of a submission that is done."""
    response = await ehr.call("GET", await status_url(ehr, submission))
    assert response.status_code == 200, response.text
    return response.json()


async def ndjson(ehr: Caller, url: str) -> list[Json]:
    """Return the resources of a file of a status manifest."""
    response = await ehr.call("GET", url.partition("/fhir")[2])
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/fhir+ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


async def outcomes(ehr: Caller, submission: str = "s1") -> list[Json]:
    """Return all issues that are told of a submission."""
    manifest = await status(ehr, submission)
    lines = [
        line for each in manifest["outcome"] for line in await ndjson(ehr, each["url"])
    ]
    return [issue for line in lines for issue in line["issue"]]


def counts(manifest: Json) -> dict[tuple[str, str], int]:
    rows = manifest["extension"]["counts"]
    return {(row["type"], row["outcome"]): row["count"] for row in rows}


def lab(id_: str, value: float = 7.0, patient: str = "p1") -> Json:
    return make.lab(value, id=id_, subject={"reference": f"Patient/{patient}"})


PATIENT = make.patient(id="p1")

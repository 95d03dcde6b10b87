"""
Every door that a resource can come in by, and every way to be turned away there.

A new door is one more entry: what it does with a resource, and what it must answer.
"""

import gzip
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, cast

import httpx

from app.services.bulk import collections, webhooks
from app.smart.bulk_exports import Level
from app.store.jobs import WEBHOOK, list_jobs
from app.store.sessions import read_session, write_session
from tests import make
from tests.collecting import CLINIC, SOURCE, Collector, collecting_hub
from tests.fake_ehr import FakeEhr, serving
from tests.hubs import Caller, Clock, bearer
from tests.importing import NDJSON, path_of, stored
from tests.leaks.mints import Mint
from tests.notifying import Notifier, naming, opened

Json = dict[str, Any]
Answer = Awaitable[httpx.Response]
TOO_MANY_BYTES = 33 * 1024 * 1024


class Door(NamedTuple):
    """How a resource is sent, and with what statuses that may be answered."""

    send: Callable[[Caller, Json], Answer]
    statuses: frozenset[int]


def _taking(send: Callable[[Caller, Json], Answer]) -> Door:
    return Door(send, frozenset({200, 201}))


def _failing(status: int, send: Callable[[Caller, Json], Answer]) -> Door:
    return Door(send, frozenset({status}))


def _type(resource: Json) -> str:
    return str(resource["resourceType"])


def _entry(resource: Json, method: str, **request: str) -> Json:
    url = _type(resource) if method == "POST" else f"{_type(resource)}/{resource['id']}"
    full = f"https://ehr.example/fhir/{_type(resource)}/{resource['id']}"
    stated = {"method": method, "url": url} | request
    return {"fullUrl": full, "resource": resource, "request": stated}


def _own(resource: Json) -> str:
    """Return the value of the identifier that is unique in the clinic."""
    return next(i["value"] for i in resource["identifier"] if i["system"] == make.MRN)


def _parameters(*parameters: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


async def _pushed(ehr: Caller, *texts: bytes, **headers: str) -> httpx.Response:
    """Push lines of NDJSON, which stay staged: here nobody works."""
    named = {"Content_Type": NDJSON} | headers
    return await ehr.call("POST", "/$import", b"\n".join(texts), **named)


async def _told_of_lines(ehr: Caller, *texts: bytes) -> httpx.Response:
    """Push lines, have them stored, and ask what was wrong with them."""
    pushed = await _pushed(ehr, *texts)
    assert pushed.status_code == 202, pushed.text
    stored(ehr.hub)
    path = path_of(pushed)
    status = await ehr.call("GET", path)
    assert status.status_code == 200, status.text
    return await ehr.call("GET", f"{path}/outcome.ndjson")


def _submission_name(text: str) -> list[Json]:
    return [
        {"name": "submitter", "valueIdentifier": {"system": text, "value": text}},
        {"name": "submissionId", "valueString": text},
    ]


def _submission(resource: Json, scheme: str = "https") -> Json:
    """Return a call that names by an id all that can be named."""
    own = resource["id"]
    header = {"headerName": "X-Key", "headerValue": own}
    parts = [{"name": name, "valueString": value} for name, value in header.items()]
    return _parameters(
        *_submission_name(own),
        {"name": "manifestUrl", "valueUrl": f"{scheme}://files.example/{own}?k={own}"},
        {"name": "fhirBaseUrl", "valueUrl": "https://ehr.example/fhir"},
        {"name": "oauthMetadataUrl", "valueUrl": f"https://as.example/{own}"},
        {"name": "fileRequestHeader", "part": parts},
        {"name": "metadata", "part": [{"name": own, "valueString": own}]},
    )


async def _validated(ehr: Caller, resource: Json) -> httpx.Response:
    """Ask whether a resource is valid; the answer says so in words."""
    response = await ehr.call("POST", f"/{_type(resource)}/$validate", resource)
    assert [i["severity"] for i in response.json()["issue"]] == ["information"]
    return response


async def _bundled(ehr: Caller, bundle: Json) -> httpx.Response:
    """Send a Bundle, each of whose entries must be taken."""
    response = await ehr.call("POST", "", bundle)
    for entry in response.json()["entry"]:
        assert entry["response"]["status"][:3] in {"200", "201"}, entry
    return response


TAKING: dict[str, Door] = {
    "create": _taking(lambda ehr, r: ehr.post(r)),
    "update": _taking(lambda ehr, r: ehr.put(r)),
    "update by identifier": _taking(
        lambda ehr, r: ehr.call(
            "PUT", f"/{_type(r)}?identifier={make.MRN}%7C{_own(r)}", r
        )
    ),
    "create if none exists": _taking(
        lambda ehr, r: ehr.post(r, If_None_Exist=f"identifier={make.MRN}|{_own(r)}")
    ),
    "create, gzipped": _taking(
        lambda ehr, r: ehr.call(
            "POST",
            f"/{_type(r)}",
            gzip.compress(json.dumps(r).encode()),
            Content_Encoding="gzip",
        )
    ),
    "create, answered in full": _taking(
        lambda ehr, r: ehr.post(r, Prefer="return=representation")
    ),
    "batch": _taking(
        lambda ehr, r: _bundled(ehr, make.batch(_entry(r, "PUT"), make.post(r)))
    ),
    "transaction": _taking(
        lambda ehr, r: _bundled(ehr, make.transaction(_entry(r, "PUT")))
    ),
    "NDJSON that is stored": _taking(
        lambda ehr, r: _told_of_lines(ehr, json.dumps(r).encode())
    ),
    "$validate": _taking(_validated),
    "$de-identify": _taking(lambda ehr, r: ehr.call("POST", "/$de-identify", r)),
    "$trace": _taking(
        lambda ehr, r: ehr.call(
            "POST",
            "/$trace",
            _parameters(
                {"name": "reference", "valueString": f"{_type(r)}/{r['id']}"},
                {
                    "name": "identifier",
                    "valueReference": {
                        "type": _type(r),
                        "identifier": {"system": make.MRN, "value": _own(r)},
                    },
                },
            ),
        )
    ),
    "$bulk-submit": _taking(
        lambda ehr, r: ehr.call("POST", "/$bulk-submit", _submission(r))
    ),
    "$patient-status": _taking(
        lambda ehr, r: ehr.call(
            "POST",
            "/Measure/hba1c-poor-control/$patient-status",
            _parameters(
                {"name": "patient", "valueString": r["id"]},
                {
                    "name": "patient",
                    "valueReference": {
                        "display": r["id"],
                        "reference": f"Patient/{r['id']}",
                    },
                },
            ),
        )
    ),
    "read": _taking(lambda ehr, r: ehr.call("GET", f"/{_type(r)}/{r['id']}")),
}
"""Doors that take a resource which is in order; the last give it back."""


async def _collected(ehr: Caller, resource: Json, level: Level) -> httpx.Response:
    """Have the hub fetch a resource by itself; answer with all that is told of it."""
    hub = ehr.hub
    person = str(resource.get("subject", {}).get("reference", resource["id"]))
    fake = FakeEhr(
        clock=hub.clock,
        resources=[resource],
        members=[person.rpartition("/")[2]],
        complaints=[
            {"issue": [{"code": resource["id"], "diagnostics": resource["id"]}]}
        ],
        progress=resource["id"],
        polls=1,
    )
    with serving(fake), collecting_hub(hub) as collecting:
        operator = Collector(hub=collecting, ehr=fake, clock=cast("Clock", hub.clock))
        operator.connect(level=level, types=(_type(resource),))
        job_id = operator.order(is_full=True)
        told = []
        while not (job := operator.job(job_id)).is_ended:
            told.append(collections.told(job))
            collecting.servers.close()
            if not operator.work(turns=1):
                cast("Clock", hub.clock).pass_seconds(60)
        assert job.state == "done", job.failure
        came = {outcome for _, outcome in operator.counts(job_id)}
        # Searches are for patients: a count of a ward is not found by them.
        assert came == {"unchanged"} or (not came and level is Level.SEARCH)
    said = [told, operator.counts(job_id), operator.issues(job_id)]
    return httpx.Response(200, text=repr(said), request=httpx.Request("GET", "x:"))


TAKING["collection by export"] = _taking(
    lambda ehr, r: _collected(ehr, r, Level.SYSTEM)
)
TAKING["collection by searches"] = _taking(
    lambda ehr, r: _collected(ehr, r, Level.SEARCH)
)


async def _notified(ehr: Caller, resource: Json) -> httpx.Response:
    """Notify the hub of a resource, which it then fetches; answer with all it tells."""
    hub, own_id = ehr.hub, str(resource["id"])
    fake = FakeEhr(clock=hub.clock, resources=[resource])
    with serving(fake), collecting_hub(hub) as collecting:
        operator = Collector(hub=collecting, ehr=fake, clock=cast("Clock", hub.clock))
        operator.connect(types=(_type(resource),))
        webhook = opened(collecting)
        notifier = Notifier(ehr.http, webhook)
        unknown = f"{_type(resource)}/{own_id[:60]}-no"
        notification = naming(f"{_type(resource)}/{own_id}", unknown)
        notification["entry"][0]["resource"] |= {
            "subscription": {"reference": f"Subscription/{own_id}"},
            "topic": own_id,
        }
        answers = [
            await notifier.post(notification),
            await notifier.post(notification, X_Hub_Signature=f"sha256={own_id}"),
            await notifier.post(naming(f"https://{own_id}.example/Patient/{own_id}")),
            await notifier.post(json.dumps(resource).encode()[:-1]),
        ]
        assert [each.status_code for each in answers] == [200, 403, 422, 400]
        with read_session(hub.engine) as session:
            job_id = list_jobs(session, kind=WEBHOOK)[0].id
        job = operator.rest(job_id)
        assert job.state == "done", job.failure
        assert {outcome for _, outcome in operator.counts(job_id)} == {"unchanged"}
        with write_session(hub.engine) as session:
            webhooks.remove(session, clinic=CLINIC, source=SOURCE)
    texts = [each.text for each in answers]
    said = [texts, operator.counts(job_id), operator.issues(job_id)]
    return httpx.Response(200, text=repr(said), request=httpx.Request("GET", "x:"))


TAKING["a notification"] = _taking(_notified)

OF_BUNDLES = frozenset({"batch", "transaction"})
"""Whose answers repeat an id that stood in an entry's URL."""


def _as(resource: Json, **changes: Any) -> Json:
    return resource | changes


def _half(resource: Json) -> bytes:
    return json.dumps(resource).encode()[:-1]


def _twice(resource: Json) -> bytes:
    text = json.dumps(resource).encode()
    return text[:-1] + b', "id": "zqxcanffffff"}'


FAILING: dict[str, Door] = {
    "a code that is none": _failing(
        400, lambda ehr, r: ehr.post(_as(r, gender=r["id"], status=r["id"]))
    ),
    "an element of no name in FHIR": _failing(
        400, lambda ehr, r: ehr.post(_as(r, **{r["id"]: {r["id"]: [r["id"]]}}))
    ),
    "a modifier": _failing(
        422,
        lambda ehr, r: ehr.post(
            _as(r, modifierExtension=[{"url": r["id"], "valueString": r["id"]}])
        ),
    ),
    "a list where there is none": _failing(
        400, lambda ehr, r: ehr.post(_as(r, id=[r["id"]]))
    ),
    "another type in the address": _failing(
        400,
        lambda ehr, r: ehr.call("POST", "/Observation", _as(r, resourceType=r["id"])),
    ),
    "no type": _failing(
        400,
        lambda ehr, r: ehr.call("POST", f"/{_type(r)}", _as(r, resourceType=[r["id"]])),
    ),
    "a type that is not kept": _failing(
        404, lambda ehr, r: ehr.call("POST", "/Claim", _as(r, resourceType="Claim"))
    ),
    "a type of no name in FHIR": _failing(
        404,
        lambda ehr, r: ehr.call("POST", f"/{r['id']}", _as(r, resourceType=r["id"])),
    ),
    "half of it": _failing(
        400, lambda ehr, r: ehr.call("POST", f"/{_type(r)}", _half(r))
    ),
    "a name twice": _failing(
        400, lambda ehr, r: ehr.call("POST", f"/{_type(r)}", _twice(r))
    ),
    "another media type": _failing(
        415, lambda ehr, r: ehr.post(r, Content_Type=f"text/{r['id']}")
    ),
    "another encoding": _failing(
        415, lambda ehr, r: ehr.post(r, Content_Encoding=r["id"])
    ),
    "gzip that is none": _failing(
        415, lambda ehr, r: ehr.post(r, Content_Encoding="gzip")
    ),
    "an answer that is not given": _failing(
        406, lambda ehr, r: ehr.post(r, Accept=f"text/{r['id']}")
    ),
    "a token that is none": _failing(
        401, lambda ehr, r: ehr.post(r, Authorization=f"Bearer {r['id']}")
    ),
    "another version": _failing(412, lambda ehr, r: ehr.put(r, If_Match='W/"99"')),
    "a version that is none": _failing(
        400, lambda ehr, r: ehr.put(r, If_Match=r["id"])
    ),
    "another id in the address": _failing(
        400, lambda ehr, r: ehr.put(r, own_id=f"{r['id']}x")
    ),
    "criteria that are not taken": _failing(
        400, lambda ehr, r: ehr.call("PUT", f"/{_type(r)}?name={r['id']}", r)
    ),
    "a Bundle of what is refused": _failing(
        400,
        lambda ehr, r: ehr.call(
            "POST",
            "",
            make.transaction(_entry(_as(r, gender="x", status="x"), "PUT")),
        ),
    ),
    "a Bundle of another type": _failing(
        400,
        lambda ehr, r: ehr.call("POST", "", make.bundle(r["id"], _entry(r, "PUT"))),
    ),
    "an address in a Bundle that is none": _failing(
        400,
        lambda ehr, r: ehr.call(
            "POST", "", make.transaction(_entry(r, "PUT", url=f"{r['id']}/{r['id']}"))
        ),
    ),
    "lines that are refused": _failing(
        200,
        lambda ehr, r: _told_of_lines(
            ehr,
            _half(r),
            _twice(r),
            json.dumps(_as(r, gender=r["id"], status=r["id"])).encode(),
            json.dumps(_as(r, resourceType=r["id"])).encode(),
            json.dumps(_as(r, resourceType="Claim")).encode(),
            json.dumps(_as(r, **{r["id"]: [r["id"]]})).encode("utf-16"),
        ),
    ),
    "lines of another encoding": _failing(
        415,
        lambda ehr, r: _pushed(ehr, _half(r), Content_Encoding=r["id"]),
    ),
    "lines that go on with nothing": _failing(
        409,
        lambda ehr, r: _pushed(
            ehr, _half(r), Upload_Offset="7", Idempotency_Key=f"{r['id']}-7"
        ),
    ),
    "lines from a place that is none": _failing(
        422, lambda ehr, r: _pushed(ehr, _half(r), Upload_Offset=r["id"])
    ),
    "a job that is none": _failing(
        400, lambda ehr, r: ehr.call("GET", f"/jobs/{r['id']}")
    ),
    "a question of unknown parts": _failing(
        422,
        lambda ehr, r: ehr.call(
            "POST", "/$trace", _parameters({"name": r["id"], "valueString": r["id"]})
        ),
    ),
    "a submission by another way": _failing(
        422, lambda ehr, r: ehr.call("POST", "/$bulk-submit", _submission(r, r["id"]))
    ),
    "a submission that never was": _failing(
        404,
        lambda ehr, r: ehr.call(
            "POST",
            "/$bulk-submit-status",
            _parameters(*_submission_name(f"{r['id']}x")),
        ),
    ),
    "a search": _failing(
        400, lambda ehr, r: ehr.call("GET", f"/{_type(r)}?patient={r['id']}")
    ),
    "a notification that is not signed": _failing(
        401, lambda ehr, r: ehr.http.post(f"/fhir/webhooks/{r['id']}", json=r)
    ),
    "a notification to nobody": _failing(
        404,
        lambda ehr, r: ehr.http.post(
            f"/fhir/webhooks/{r['id']}", json=r, headers={"X-Hub-Signature": r["id"]}
        ),
    ),
    "a method that is none": _failing(
        405, lambda ehr, r: ehr.call("PATCH", f"/{_type(r)}/{r['id']}", r)
    ),
    "a deeper address": _failing(
        404, lambda ehr, r: ehr.call("GET", f"/{_type(r)}/{r['id']}/{r['id']}")
    ),
    "a page that is none": _failing(
        404, lambda ehr, r: ehr.http.get(f"/{r['id']}", params={"clinic": r["id"]})
    ),
    "a measure that is none": _failing(
        404,
        lambda ehr, r: ehr.http.get(
            f"/v1/measures/{r['id']}/series", headers=bearer(ehr.token)
        ),
    ),
    "a measure, asked by nobody": _failing(
        401, lambda ehr, r: ehr.http.get(f"/v1/measures/{r['id']}")
    ),
    "metrics, asked for somebody": _failing(
        404, lambda ehr, r: ehr.http.get("/metrics", params={"patient": r["id"]})
    ),
    "an assertion that is none": _failing(
        401,
        lambda ehr, r: ehr.http.post(
            "/oauth/token", data=ehr.form(client_assertion=r["id"], scope=r["id"])
        ),
    ),
    "a scope that is none": _failing(
        400, lambda ehr, r: ehr.http.post("/oauth/token", data=ehr.form(scope=r["id"]))
    ),
    "a token asked for in JSON": _failing(
        400, lambda ehr, r: ehr.http.post("/oauth/token", json=r)
    ),
}
"""Ways to be turned away, each with the one status that says so."""


async def staged(ehr: Caller, resources: Sequence[Json]) -> httpx.Response:
    """Push resources that wait to be stored, and one that is refused then."""
    texts = [json.dumps(resource).encode() for resource in resources]
    return await _pushed(ehr, *texts, _half(resources[0]))


async def too_large(ehr: Caller, resource: Json) -> httpx.Response:
    """Send more than a body may have, in few bytes."""
    text = json.dumps(resource).encode()
    body = gzip.compress(text * (1 + TOO_MANY_BYTES // len(text)), 1)
    return await ehr.call("POST", f"/{_type(resource)}", body, Content_Encoding="gzip")


HEADERS = (
    *("Cookie", "User_Agent", "X_Request_Id", "X_Forwarded_For", "Referer", "Origin"),
    *("If_Modified_Since", "Traceparent", "X_Patient"),
)


async def with_strange_headers(ehr: Caller, mint: Mint) -> httpx.Response:
    """Put a token in headers that the hub has no use for."""
    headers = {name: mint.text(f"header {name}") for name in HEADERS}
    return await ehr.call("GET", "/metadata", **headers)


HL7_FIELDS = {"PID": 39, "PV1": 52, "ORC": 31, "OBR": 50, "NTE": 8, "OBX": 25, "ZZZ": 9}
"""How many fields a segment of HL7 v2.8 has."""
HL7_TAKEN: dict[str, dict[int, str]] = {
    "PID": {8: "F", 30: "N"},
    "PV1": {2: "O", 44: "20240301", 45: ""},
    "ORC": {},
    "OBR": {7: "20240301"},
    "NTE": {},
    "OBX": {
        2: "NM",
        3: "4548-4^{0}^LN^{1}^{2}^L^{3}^{4}^{5}",
        5: "7.1",
        6: "%^{0}^UCUM",
        11: "F",
        14: "20240301",
    },
    "ZZZ": {},
}
"""What has a message taken; ``{n}`` is a token of its own."""
HL7_FAILING: dict[str, dict[str, dict[int, str]]] = {
    "another type": {"MSH": {9: "{0}^{1}^{2}"}},
    "training": {"MSH": {11: "{0}"}},
    "another character set": {"MSH": {18: "{0}"}},
    "nobody known": {"PID": {3: "{0}^{1}^{2}^{3}&{4}&{5}^{6}"}},
    "dates that are none": {
        "PID": {7: "{0}", 8: "{1}", 29: "{2}"},
        "PV1": {2: "{0}", 44: "{1}"},
        "OBX": HL7_TAKEN["OBX"] | {14: "{0}"},
    },
    "a number that is none": {"OBX": HL7_TAKEN["OBX"] | {5: "{0}"}},
    "a text": {"OBX": HL7_TAKEN["OBX"] | {2: "ST", 5: "{0}"}},
    "a type that is none": {"OBX": HL7_TAKEN["OBX"] | {2: "{1}", 5: "{0}"}},
    "several values": {"OBX": HL7_TAKEN["OBX"] | {5: "{0}~{1}"}},
    "a structured number": {"OBX": HL7_TAKEN["OBX"] | {2: "SN", 5: "{0}^{1}^{2}^{3}"}},
    "a code of their own": {"OBX": HL7_TAKEN["OBX"] | {2: "CWE", 5: "{0}^{1}^{2}^{3}"}},
    "a unit that is none": {"OBX": HL7_TAKEN["OBX"] | {6: "{0}^{1}^{2}"}},
    "a status that is none": {"OBX": HL7_TAKEN["OBX"] | {11: "{0}"}},
    "no code": {"OBX": HL7_TAKEN["OBX"] | {3: "^{0}"}},
}
"""Ways to have all or some of a message refused, or a part of it left out."""


def hl7_message(mint: Mint, changes: dict[str, dict[int, str]] | None = None) -> bytes:
    """Return an ORU with a token in each field; *changes* are to what is taken."""
    stated = {name: dict(fields) for name, fields in HL7_TAKEN.items()}
    stated["PID"][3] = f"{{0}}^{{1}}^{{2}}^{{3}}&{make.MRN}&URI^MR^{{4}}"
    for name, fields in (changes or {}).items():
        stated[name] = stated.get(name, {}) | fields
    lines = [_hl7_header(mint, stated.pop("MSH", {}))]
    for name, count in HL7_FIELDS.items():
        written = (
            _hl7_field(mint, stated[name].get(n, "{0}^{1}&{2}~{3}"), f"{name}-{n}")
            for n in range(1, count + 1)
        )
        lines.append("|".join([name, *written]))
    return "".join(f"{line}\r" for line in lines).encode()


def _hl7_header(mint: Mint, changes: dict[int, str]) -> str:
    known = dict.fromkeys(range(3, 22), "{0}^{1}")
    known |= {7: "20240301093000-0500", 9: "ORU^R01", 10: "N1", 11: "P", 18: ""}
    stated = (known | changes).items()
    fields = [_hl7_field(mint, text, f"MSH-{n}") for n, text in sorted(stated)]
    return "|".join([r"MSH|^~\&", *fields])


def _hl7_field(mint: Mint, text: str, path: str) -> str:
    tokens = (mint.text(path) for _ in range(7))
    return text.format(*tokens) if "{" in text else text

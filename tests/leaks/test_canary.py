"""
No identifier is ever written: a token in every place, looked for in every byte.

Each canary resource goes through each door, as it is (refused) and mended until it is
taken. Then all that the hub wrote or said is searched for every token, in plain, in
other case, encoded, and hashed without a key. Days of events may stay under the policy
in force; instants, birth days and times of day never.
"""

import base64
import copy
import hashlib
import json
import logging
import re
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from app.domain.errors import ServiceError
from app.fhir.schemas import schemas
from app.fhir.validation import validate
from app.services.hub import Hub
from app.services.registry import CLINIC_SCOPES
from tests import make
from tests.deidentification import deidentified
from tests.hubs import Caller, Network, current_of
from tests.leaks.traces import Logs, Replies, database_bytes, everything_logged

pytestmark = pytest.mark.anyio

TAKEN = ("patient", "observation", "condition", "condition_age")
RAW = (
    *(f"{name}_canary" for name in TAKEN),
    "observation_canary_nomod",
    "observation_malformed",
    "patient_malformed",
    "unknown_resource",
    "no_resourcetype",
    "bundle_canary",
)
TIME_OF_DAY = re.compile(r"\d\d:\d\d")
TOO_SHORT = 4


@pytest.fixture
def logs() -> Iterator[Logs]:
    """Everything is logged, from before the database is opened."""
    with everything_logged() as kept:
        yield kept


@pytest.fixture(scope="module")
def canary(shared: Path) -> Path:
    return shared / "golden/deid/canary"


@pytest.fixture(scope="module")
def tokens(canary: Path) -> list[dict]:
    """The manifest's tokens that may stand nowhere."""
    manifest = json.loads((canary / "manifest.json").read_text())["tokens"]
    return [t for t in manifest if t["kind"] != "date" or may_not_stay(t)]


def may_not_stay(token: dict) -> bool:
    """Return whether a date says more than the day of an event."""
    return "T" in token["token"] or "birth" in token["path"].lower()


def load(canary: Path, name: str) -> dict:
    resource: dict = json.loads((canary / f"{name}.json").read_text())
    return resource


def faults_of(resource: dict) -> tuple[int, set[str]]:
    """Return how far a resource comes, and what stops it there; 3 is taken."""
    issues = {f"{issue.expression} {issue.message}" for issue in validate(resource)}
    if issues:
        well_formed = validator_of(resource).is_valid(resource)
        return int(well_formed), issues
    try:
        deidentified(resource)
    except ServiceError as error:
        return 2, {f"{error.expression} {error.message}"}
    return 3, set()


def is_better(new: tuple[int, set[str]], old: tuple[int, set[str]]) -> bool:
    return new[0] > old[0] or (new[0] == old[0] and new[1] < old[1])


def parts_of(node: Any) -> Iterator[tuple[int, Any, Any]]:
    """Yield each object or array in *node* with each of its keys, and the size."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield len(str(node[key])), node, key
        if isinstance(node[key], dict | list):
            yield from parts_of(node[key])


def validator_of(resource: dict) -> Any:
    """Return what a resource of ours is held against."""
    validator = schemas().validator(resource["resourceType"])
    assert validator is not None
    return validator


def without_unknown(resource: dict) -> dict:
    """Return *resource* without the elements that FHIR does not have."""
    known = copy.deepcopy(resource)
    validator = validator_of(resource)
    for error in list(validator.iter_errors(known)):
        kind: Any = error.kind
        if kind.name == "additionalProperties":
            node: Any = known
            for step in error.instance_path:
                node = node[step]
            for name in kind.unexpected:
                del node[name]
    return known


def mended(resource: dict) -> dict:
    """Return *resource* without the smallest parts that keep it from being taken."""
    found = without_unknown(resource)
    while (faults := faults_of(found))[1]:
        for _, parent, key in sorted(parts_of(found), key=lambda part: part[0]):
            if key in {"resourceType", "subject"}:
                continue
            before = parent.copy()
            del parent[key]
            if is_better(faults_of(found), faults):
                break
            parent.clear()
            parent.update(before) if isinstance(parent, dict) else parent.extend(before)
        else:
            raise AssertionError(faults)
    return found


def forms_of(plain: str) -> Iterator[bytes]:
    """Yield how a token could be written."""
    raw = plain.encode()
    yield from (raw, raw.lower(), raw.upper(), raw.replace(b'": ', b'":'))
    yield urllib.parse.quote(plain, safe="").encode()
    yield base64.b64encode(raw).rstrip(b"=")
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256"):
        digest = hashlib.new(name, raw).digest()
        yield from (digest[:16], digest.hex().encode())
        yield base64.b64encode(digest).rstrip(b"=")


def stands_in(written: bytes, token: dict) -> bool:
    """Return whether a token stands in *written* in any form; a ZIP by itself only."""
    forms = [form for form in forms_of(token["token"]) if len(form) >= TOO_SHORT]
    if not any(form in written for form in forms):
        return False
    if token["kind"] != "zip":
        return True
    alone = rb"(?<![0-9A-Za-z.])" + re.escape(forms[0]) + rb"(?![0-9A-Za-z])"
    return re.search(alone, written) is not None


def leaks(written: bytes, tokens: list[dict]) -> list[str]:
    """Return the paths of the tokens that stand in *written* in any form."""
    return [token["path"] for token in tokens if stands_in(written, token)]


async def through_every_door(ehr: Caller, resource: dict, heard: Replies) -> None:
    """Send *resource* by each door, and as what no door takes."""
    type_ = resource.get("resourceType", "Observation")
    own_id = str(resource.get("id", "none"))
    posted = make.post({"resourceType": type_} | resource)
    put = make.put({"resourceType": type_, "id": own_id} | resource)
    for path, body in (
        (f"/{type_}", resource),
        ("", make.batch(posted)),
        ("", make.transaction(posted)),
        (f"/{type_}/$validate", resource),
        ("/$de-identify", resource),
        ("", resource),
        (f"/{type_}/", resource),
        ("/Claim", resource),
    ):
        heard.add(await ehr.call("POST", path, body))
    heard.add(await ehr.call("PUT", f"/{type_}/{own_id}", resource), own_id=own_id)
    heard.add(await ehr.call("GET", f"/{type_}/{own_id}"), own_id=own_id)
    for kind in ("batch", "transaction"):
        heard.add(await ehr.call("POST", "", make.bundle(kind, put)), own_id=own_id)
    half = json.dumps(resource).encode()[:-1]
    heard.add(await ehr.call("POST", f"/{type_}", half))
    heard.add(await ehr.call("POST", f"/{type_}", resource, Content_Type="text/xml"))


def questions(token: str) -> dict:
    """Return Parameters that ask what became of *token*, in every form."""
    identifier = make.identifier(token)
    reference = {"type": "Patient", "identifier": identifier}
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "reference", "valueString": f"Observation/{token}"},
            {"name": "reference", "valueReference": make.reference(f"Claim/{token}")},
            {"name": "identifier", "valueReference": reference},
        ],
    }


async def test_no_name_stays_of_who_is_asked_for_or_erased(
    logs: Logs, network: Network, hub: Hub, tokens: list[dict]
):
    """The doors that take nothing but names: they answer by place and by count."""
    token = "Zqx001v"
    ehr = network.ehr(scopes=(*CLINIC_SCOPES, "system/purge"))
    heard = Replies()
    patient = make.patient(id=token, identifier=[make.identifier(token)])
    about = make.lab(7.1, id=token, subject=make.reference(f"Patient/{token}"))
    refused = about | {"status": token}

    for _ in range(2):
        for resource in (patient, about, refused):
            await ehr.put(resource)
        heard.add(await ehr.call("POST", "/$trace", questions(token)))
        heard.add(await ehr.call("POST", f"/Patient/{token}/$purge"))
        heard.add(await ehr.call("POST", "/$trace", questions(token)))
    for path in (f"/Patient/{token}|/$purge", f"/Observation/{token}/$purge"):
        heard.add(await ehr.call("POST", path, questions(token)))
    unread = {"name": "reference", "valueString": token}
    wrong = {"resourceType": "Parameters", "parameter": [unread]}
    heard.add(await ehr.call("POST", "/$trace", wrong))
    heard.add(await ehr.call("POST", f"/$trace?patient={token}", questions(token)))

    stored, said, log = (
        database_bytes(hub.engine),
        heard.everything(),
        logs.everything(),
    )
    assert b"placeholder" in said or b"refused" in said
    assert [leaks(each, tokens) for each in (stored, said, log)] == [[], [], []]


@pytest.mark.parametrize("kind", ["Group", "Location"])
async def test_no_name_of_a_ward_stays(
    logs: Logs,
    network: Network,
    hub: Hub,
    tokens: list[dict],
    kind: str,
):
    """A group may be called after the one who is in it: not even its id is kept."""
    token = "Zqx001v"
    ehr = network.ehr()
    heard = Replies()
    group = {"resourceType": kind, "id": token, "name": token}
    by_id = {"reference": f"{kind}/{token}", "display": token}
    by_number = {"type": kind, "identifier": make.identifier(token), "display": token}

    for subject in (by_id, by_number, {"type": token, **by_id}, {"reference": token}):
        number = make.observation(
            id=token,
            code={"coding": [{"system": token, "code": token}], "text": token},
            subject=subject,
            effectiveDateTime="2024-06",
            valueQuantity={"value": 3, "unit": "d"},
            contained=[group | {"id": "g"}] if subject is by_number else None,
        )
        number = {name: value for name, value in number.items() if value is not None}
        await through_every_door(ehr, number, heard)
        for measure in ("clabsi-rate", token):
            report = {
                "resourceType": "MeasureReport",
                "id": token,
                "status": "complete",
                "type": "summary",
                "measure": f"https://hub.example/fhir/Measure/{measure}",
                "subject": subject,
                "reporter": {"display": token, "reference": f"Practitioner/{token}"},
                "period": {"start": "2024-06-01", "end": "2024-06-30"},
                "group": [
                    {
                        "id": token,
                        "population": [
                            {
                                "code": make.concept(
                                    "http://terminology.hl7.org/CodeSystem/"
                                    "measure-population",
                                    name,
                                ),
                                "count": 7,
                            }
                            for name in ("numerator", "denominator", token)
                        ],
                    }
                ],
            }
            await through_every_door(ehr, report, heard)
    await through_every_door(ehr, group, heard)

    stored, said, log = (
        database_bytes(hub.engine),
        heard.everything(),
        logs.everything(),
    )
    assert current_of(hub.engine) == {"Observation": 1, "MeasureReport": 1}
    assert [leaks(each, tokens) for each in (stored, said, log)] == [[], [], []]


async def by_wrong_ways(ehr: Caller, token: str, heard: Replies) -> None:
    """Put *token* where no token belongs."""
    lab = make.lab(7.1)
    for method, path, body in (
        ("GET", f"/{token}", None),
        ("GET", f"/Observation/{token}/{token}", None),
        ("GET", f"/Observation?patient={token}", None),
        ("GET", f"/Observation/x?_format={token}", None),
        ("POST", f"/Observation?patient={token}", lab),
        ("POST", f"/{token}/$validate", lab),
        ("PUT", f"/Observation/{token}", lab),
        ("PUT", f"/Observation?identifier={make.MRN}|{token}", lab),
        ("PUT", f"/Observation?name={token}", lab),
        ("DELETE", f"/Observation/{token}", None),
        ("PATCH", f"/Observation/{token}", lab),
    ):
        heard.add(await ehr.call(method, path, body))
    for header in ("Prefer", "If_None_Exist", "Content_Type", "Accept", "Cookie"):
        heard.add(await ehr.post(lab, **{header: token, "X_Patient": token}))
    exists = f"identifier={make.MRN}|{token}"
    heard.add(await ehr.post(lab, If_None_Exist=exists))
    heard.add(await ehr.put(make.lab(7.1, id="o1"), If_Match=token))
    heard.add(await ehr.read("Patient/p1", Authorization=f"Bearer {token}"))
    for path in (
        f"/v1/measures/{token}",
        f"/{token}",
        f"/v1/clinics/{token}/scorecard",
    ):
        heard.add(await ehr.http.get(path, params={"clinic": token}))
    form = ehr.form(client_assertion=token, scope=token)
    heard.add(await ehr.http.post("/oauth/token", data=form))
    heard.add(await ehr.http.post("/oauth/token", data=ehr.form(scope=token)))
    heard.add(await ehr.http.post("/oauth/token", json={token: token}))


async def test_no_canary_is_found_in_any_byte(
    logs: Logs,
    network: Network,
    hub: Hub,
    canary: Path,
    tokens: list[dict],
):
    """Every canary through every door, as it is and mended; none stays anywhere."""
    ehr = network.ehr()
    heard = Replies()
    sent = b""
    whole = [load(canary, name) for name in RAW]
    taken = [mended(load(canary, f"{name}_canary")) for name in TAKEN]

    for resource in (*whole, *taken):
        sent += json.dumps(resource, ensure_ascii=False).encode()
        await through_every_door(ehr, resource, heard)
    for token in ("Zqx001v", "999-45-6781", "quilliam@mail.example"):
        await by_wrong_ways(ehr, token, heard)

    assert len(leaks(sent, tokens)) > 400
    assert len(leaks(json.dumps(taken).encode(), tokens)) > 300
    assert current_of(hub.engine).keys() == {"Patient", "Observation", "Condition"}
    stored, said, log = (
        database_bytes(hub.engine),
        heard.everything(),
        logs.everything(),
    )
    assert len(stored) > 1000
    assert b"refused" in log
    assert leaks(said, tokens) == []
    assert leaks(log, tokens) == []
    assert leaks(stored, tokens) == []
    assert b"1931-03" in said  # the months of birth and death are kept
    assert b"2024-02-29" not in said + log + stored
    assert contents_with_a_time(hub.engine) == []


def contents_with_a_time(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = text("SELECT content FROM record WHERE content IS NOT NULL")
        contents = [row.content for row in connection.execute(query)]
    return [content for content in contents if TIME_OF_DAY.search(content)]


@pytest.mark.parametrize(
    "spelling",
    [
        str,
        str.upper,
        lambda token: base64.b64encode(token.encode()).decode(),
        lambda token: hashlib.sha256(token.encode()).hexdigest(),
    ],
    ids=["plain", "upper", "base64", "sha256"],
)
async def test_the_search_finds_what_is_planted(
    logs: Logs,
    hub: Hub,
    tokens: list[dict],
    spelling: Callable[[str], str],
):
    """A search that can't fail proves nothing."""
    planted = spelling("Zqx001v")
    with hub.engine.begin() as connection:
        values = {"code": planted[:64]}
        connection.execute(
            text("INSERT INTO concept (system, code) VALUES ('x', :code)"), values
        )
    logging.getLogger("app.routers").info("refused", extra={"expression": planted})

    assert leaks(database_bytes(hub.engine), tokens) == ["Patient.id"]
    assert leaks(logs.everything(), tokens) == ["Patient.id"]

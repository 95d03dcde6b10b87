"""
Who gets a token, over HTTP: each rule holds, and each fault alone is refused.

The rows are those of docs/conformance.md. The faults of assertions are the same that
``tests/spec/test_smart_assertions.py`` puts to the room itself.
"""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI

from app.domain.clinics import Audience, ClientStatus
from app.routers.fhir_interactions import EXAMPLES
from app.services import authorization, registry
from app.services.hub import Hub
from app.smart.scopes import SUPPORTED
from app.store.sessions import write_session
from tests import make
from tests.hubs import BASE_URL, Clock, Network, bearer
from tests.reference.faults import FAULTS, Fault
from tests.reference.jwts import jwk_of, unb64url
from tests.reference.parties import (
    EC_KEY,
    NOW,
    STRANGER,
    TOKEN_URL,
    assertion,
    key_set,
    rsa_key,
)

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

FORM = "application/x-www-form-urlencoded"
SCOPES = ("system/Observation.cruds", "system/Condition.rs")
EC_SET = key_set(jwk_of(EC_KEY, kid="k1"))
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def shows(row: str, mutation: str, *values: Any) -> Any:
    """Return the parameters of a test that refuses *mutation*."""
    marks = pytest.mark.conforms(row, mutation=mutation)
    return pytest.param(*values, marks=marks, id=f"{row}: {mutation}")


def form_of(**changes: Any) -> dict[str, str]:
    """Return the form of a token request of clinic-a, good but for *changes*."""
    stated = {
        "grant_type": "client_credentials",
        "scope": " ".join(SCOPES),
        "client_assertion_type": (
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        ),
        "client_assertion": assertion(),
    }
    return {k: v for k, v in (stated | changes).items() if v is not None}


def add_client(hub: Hub, client_id: str, **changes: Any) -> None:
    """Register a partner's client with the key of the assertions here."""
    members: dict[str, Any] = {
        "client_id": client_id,
        "name": client_id,
        "audience": Audience.PUBLIC,
        "scopes": SCOPES,
        "key_set": EC_SET,
    }
    new = registry.NewClient(**(members | changes))
    with write_session(hub.engine) as session:
        registry.register_client(session, new, dev_mode=False)


@pytest.fixture
def door(client: httpx.AsyncClient, hub: Hub) -> httpx.AsyncClient:
    """A hub that knows clinic-a and clinic-b, each by the key k1."""
    add_client(hub, "clinic-a")
    add_client(hub, "clinic-b")
    return client


async def ask(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Ask for a token."""
    return await http.post("/oauth/token", data=form_of(**changes))


def check_refusal(answer: httpx.Response, error: str, *, status: int) -> str:
    """Return the reason of a refusal in OAuth's form, which nobody may keep."""
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert NO_STORE.items() <= dict(answer.headers).items()
    assert answer.headers["Content-Type"] == "application/json"
    return str(answer.json()["error_description"])


@pytest.mark.conforms("A1")
@pytest.mark.conforms("A2")
@pytest.mark.conforms("A3")
@pytest.mark.conforms("A4")
@pytest.mark.conforms("A11")
@pytest.mark.conforms("A17")
async def test_a_good_request_is_answered_with_a_token(door: httpx.AsyncClient):
    """Every fault below is refused for itself, since without any this is the answer."""
    answer = await ask(door)

    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json()["token_type"].lower() == "bearer"
    assert 0 < answer.json()["expires_in"] <= 300
    assert answer.json()["scope"] == " ".join(SCOPES)
    assert NO_STORE.items() <= dict(answer.headers).items()


@pytest.mark.conforms("A1")
async def test_a_form_may_state_its_charset(door: httpx.AsyncClient):
    """Some libraries always do."""
    answer = await door.post(
        "/oauth/token",
        content=urlencode(form_of()),
        headers={"Content-Type": f"{FORM}; charset=UTF-8"},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "media_type",
    [
        shows("A1", "the body is said to be JSON", "application/json"),
        shows("A1", "the body is said to be multipart", "multipart/form-data"),
        shows("A1", "the body is said to be text", "text/plain"),
        shows("A1", "the body's type is not said", None),
    ],
)
async def test_only_forms_are_taken(door: httpx.AsyncClient, media_type: str | None):
    """The same bytes under another name."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    body = urlencode(form_of()).encode()

    answer = await door.post("/oauth/token", content=body, headers=headers)

    assert FORM in check_refusal(answer, "invalid_request", status=400)


@pytest.mark.conforms("A1", mutation="the body is JSON")
async def test_json_is_not_taken(door: httpx.AsyncClient):
    """However the parameters are named in it."""
    answer = await door.post("/oauth/token", json=form_of())

    assert FORM in check_refusal(answer, "invalid_request", status=400)


@pytest.mark.conforms("A1", mutation="the form is larger than 64 kB")
async def test_a_form_is_small(door: httpx.AsyncClient):
    """Whoever is not known yet fills no memory."""
    answer = await ask(door, padding="p" * 65536)

    check_refusal(answer, "invalid_request", status=413)


@pytest.mark.parametrize(
    ("changes", "error", "status"),
    [
        shows(
            "A2", "grant_type is missing", {"grant_type": None}, "invalid_request", 400
        ),
        shows("A2", "grant_type is empty", {"grant_type": ""}, "invalid_request", 400),
        *(
            shows(
                "A2",
                f"grant_type is {other}",
                {"grant_type": other},
                "unsupported_grant_type",
                400,
            )
            for other in ("password", "authorization_code", "Client_Credentials")
        ),
        shows(
            "A17",
            "a refresh token is presented",
            {"grant_type": "refresh_token", "refresh_token": "x"},
            "unsupported_grant_type",
            400,
        ),
        shows(
            "A3",
            "client_assertion_type is missing",
            {"client_assertion_type": None},
            "invalid_client",
            401,
        ),
        shows(
            "A3",
            "client_assertion_type is another",
            {"client_assertion_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
            "invalid_client",
            401,
        ),
        shows("A4", "scope is missing", {"scope": None}, "invalid_scope", 400),
        shows("A4", "scope is empty", {"scope": ""}, "invalid_scope", 400),
        shows("A4", "scope is not SMART's", {"scope": "read"}, "invalid_scope", 400),
        shows(
            "A4",
            "scope is longer than 4096",
            {"scope": "system/Observation.r " + "s" * 4096},
            "invalid_scope",
            400,
        ),
        shows(
            "A15",
            "nothing says who asks",
            {"client_assertion_type": None, "client_assertion": None},
            "invalid_client",
            401,
        ),
        shows(
            "A15",
            "client_assertion is missing",
            {"client_assertion": None},
            "invalid_client",
            401,
        ),
        shows(
            "A15",
            "client_assertion is no JWT",
            {"client_assertion": "x.y.z"},
            "invalid_client",
            401,
        ),
        shows(
            "A15",
            "client_id is another than the assertion's",
            {"client_id": "clinic-b"},
            "invalid_client",
            401,
        ),
        shows(
            "A15",
            "a secret comes beside the assertion",
            {"client_secret": "s"},
            "invalid_request",
            400,
        ),
        shows(
            "A16",
            "no scope that is asked for is allowed",
            {"scope": "system/Patient.rs system/Claim.c"},
            "invalid_scope",
            400,
        ),
    ],
)
async def test_each_parameter_has_its_own_error(
    door: httpx.AsyncClient, changes: dict, error: str, status: int
):
    """RFC 6749, 5.2: a client's developer finds the fault by the code."""
    answer = await ask(door, **changes)

    assert check_refusal(answer, error, status=status)


@pytest.mark.conforms("A15", mutation="a parameter is repeated")
async def test_a_repeated_parameter_is_refused(door: httpx.AsyncClient):
    """RFC 6749, 3.2."""
    body = f"{urlencode(form_of())}&scope=system%2FObservation.r"

    answer = await door.post(
        "/oauth/token", content=body, headers={"Content-Type": FORM}
    )

    assert "repeated" in check_refusal(answer, "invalid_request", status=400)


@pytest.mark.parametrize(
    "fault", [shows(fault.row, fault.mutation, fault) for fault in FAULTS]
)
async def test_one_fault_of_an_assertion_is_refused(
    door: httpx.AsyncClient, fault: Fault
):
    """invalid_client, with the reason; and what was refused has spent nothing."""
    answer = await ask(door, client_assertion=fault.assertion())

    assert fault.reason in check_refusal(answer, "invalid_client", status=401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert (await ask(door)).status_code == 200


@pytest.mark.conforms("A5", mutation="a byte of the claims is changed")
async def test_a_changed_assertion_is_refused(door: httpx.AsyncClient):
    """The signature is over every byte."""
    header, claims, signature = assertion().split(".")
    later = assertion(claims={"exp": NOW + 241}).split(".")[1]
    assert later != claims

    answer = await ask(door, client_assertion=f"{header}.{later}.{signature}")

    assert "signature" in check_refusal(answer, "invalid_client", status=401)


@pytest.mark.conforms("A5", mutation="the assertion is longer than 8192 characters")
async def test_an_assertion_of_more_than_8_kb_is_refused(door: httpx.AsyncClient):
    """Signed as it should be, but whoever asks decides how much work that is."""
    answer = await ask(door, client_assertion=assertion(claims={"pad": "p" * 8192}))

    assert "8192" in check_refusal(answer, "invalid_client", status=401)


@pytest.mark.conforms("A5")
@pytest.mark.conforms("A6")
@pytest.mark.conforms("A12")
@pytest.mark.parametrize("alg", ["RS384", "ES384"])
async def test_both_algorithms_of_smart_are_taken(
    client: httpx.AsyncClient, hub: Hub, alg: str
):
    """Each by the one key of its name, though the set has keys of both types."""
    keys = {"RS384": rsa_key(), "ES384": EC_KEY}
    jwks = [jwk_of(key, kid=name) for name, key in keys.items()]
    add_client(hub, "clinic-a", key_set=key_set(*jwks))
    signed = assertion({"alg": alg, "kid": alg}, key=keys[alg])

    assert (await ask(client, client_assertion=signed)).status_code == 200


@pytest.mark.conforms("A12", mutation="kid names a key of the other type")
async def test_a_key_of_the_other_type_does_not_answer(
    client: httpx.AsyncClient, hub: Hub
):
    """Both are registered, but ES384 is not what an RSA key does."""
    keys = (jwk_of(rsa_key(), kid="r1"), jwk_of(EC_KEY, kid="k1"))
    add_client(hub, "clinic-a", key_set=key_set(*keys))

    answer = await ask(client, client_assertion=assertion({"kid": "r1"}))

    assert "No registered key" in check_refusal(answer, "invalid_client", status=401)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        pytest.param({}, {}, marks=pytest.mark.conforms("A7"), id="aud alone"),
        pytest.param(
            {},
            {"aud": ["https://other.example", TOKEN_URL]},
            marks=pytest.mark.conforms("A7"),
            id="aud in a list",
        ),
        pytest.param(
            {}, {"exp": NOW + 300}, marks=pytest.mark.conforms("A8"), id="300 s ahead"
        ),
        pytest.param(
            {}, {"exp": NOW + 1}, marks=pytest.mark.conforms("A8"), id="1 s ahead"
        ),
        pytest.param({"x-vendor": 1}, {"extension": [1]}, id="what nobody here reads"),
    ],
)
async def test_what_stands_just_inside_a_limit_is_taken(
    door: httpx.AsyncClient, header: dict, claims: dict
):
    """The bounds belong to what is allowed."""
    signed = assertion(header, claims)

    assert (await ask(door, client_assertion=signed)).status_code == 200


@pytest.mark.conforms("A9")
async def test_two_clients_may_use_one_jti_and_one_client_two(door: httpx.AsyncClient):
    """A jti is its issuer's own."""
    other = {"iss": "clinic-b", "sub": "clinic-b"}
    answers = [
        await ask(door),
        await ask(door, client_assertion=assertion(claims=other)),
        await ask(door, client_assertion=assertion(claims={"jti": "twice"})),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.conforms("A9", mutation="the assertion is sent again")
async def test_an_assertion_is_good_once(door: httpx.AsyncClient):
    """However good the rest of it is."""
    await ask(door)

    again = await ask(door)

    assert "jti" in check_refusal(again, "invalid_client", status=401)


@pytest.mark.conforms("A9", mutation="another assertion has the same jti")
async def test_a_jti_is_good_once(door: httpx.AsyncClient):
    """Another expiry, another signature, the same jti."""
    await ask(door)

    again = await ask(door, client_assertion=assertion(claims={"exp": NOW + 100}))

    assert "jti" in check_refusal(again, "invalid_client", status=401)


@pytest.mark.conforms("A9", mutation="the first use asked for no allowed scope")
async def test_a_jti_is_spent_by_a_request_that_got_nothing(door: httpx.AsyncClient):
    """Who saw that request must not use its assertion."""
    await ask(door, scope="system/Claim.r")

    again = await ask(door)

    assert "jti" in check_refusal(again, "invalid_client", status=401)


@pytest.mark.conforms("A15")
@pytest.mark.parametrize(
    "status",
    [
        shows("A15", "the client waits for approval", ClientStatus.PENDING),
        shows("A15", "the client was revoked", ClientStatus.REVOKED),
    ],
)
async def test_only_active_clients_get_tokens(
    client: httpx.AsyncClient, hub: Hub, status: ClientStatus
):
    """All the rest is in order."""
    add_client(hub, "clinic-a", status=status)

    answer = await ask(client)

    assert "not approved" in check_refusal(answer, "invalid_client", status=401)


TYPES = """
AllergyIntolerance CarePlan CareTeam Condition Device DiagnosticReport DocumentReference
Encounter Goal Immunization Location Medication MedicationRequest Observation
Organization Patient Practitioner PractitionerRole Procedure Provenance ServiceRequest
"""
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LABORATORY = f"system/Observation.cu?category={CATEGORY}|laboratory"


@pytest.mark.conforms("A16")
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (
            " ".join(f"system/{name}.read" for name in TYPES.split()),
            "system/Condition.read system/Observation.read",
        ),
        ("system/*.cruds", "system/Observation.cruds system/Condition.rs"),
        ("system/*.rs", "system/Observation.rs system/Condition.rs"),
        ("system/Observation.cud", "system/Observation.cud"),
        ("system/Observation.write", "system/Observation.write"),
        ("system/Condition.*", "system/Condition.read"),
        (LABORATORY, LABORATORY),
        ("launch/patient openid system/Condition.r", "system/Condition.r"),
    ],
)
async def test_what_is_asked_for_and_allowed_is_granted(
    door: httpx.AsyncClient, asked: str, granted: str
):
    """smart-fetch asks for 21 scopes, and dies of invalid_scope; v1 stays v1."""
    answer = await ask(door, scope=asked)

    assert answer.status_code == 200
    assert answer.json()["scope"] == granted


@pytest.mark.conforms("A16")
async def test_an_allowed_wildcard_covers_each_type(client, hub: Hub):
    """The other way round: the client may have all, and asks for one."""
    add_client(hub, "clinic-a", scopes=("system/*.rs",))

    answer = await ask(client, scope="system/Observation.cruds")

    assert answer.json()["scope"] == "system/Observation.rs"


WORKING = {
    "system/Condition.crud": ("PUT", "/fhir/Condition/c1", make.condition(id="c1")),
    "system/Encounter.crud": ("PUT", "/fhir/Encounter/e1", make.encounter(id="e1")),
    "system/Observation.crud": ("PUT", "/fhir/Observation/o1", make.lab(7, id="o1")),
    "system/Patient.crud": ("PUT", "/fhir/Patient/p1", make.patient(id="p1")),
    "system/Measure.rs": ("GET", "/v1/measures", None),
    "system/MeasureReport.rs": ("GET", "/v1/releases", None),
    "system/bulk-submit": (
        "POST",
        "/fhir/$bulk-submit",
        EXAMPLES["SubmissionParameters"],
    ),
    "system/purge": ("POST", "/fhir/Patient/p9/$purge", None),
}


@pytest.mark.conforms("A16")
@pytest.mark.parametrize("scope", SUPPORTED)
async def test_every_scope_that_is_announced_works(
    network: Network, client: httpx.AsyncClient, scope: str
):
    """S220: it is granted as it is listed, and opens what it names."""
    token = await network.ehr(scopes=SUPPORTED).fresh_token(scope)
    method, path, body = WORKING[scope]
    headers = bearer(token)

    answer = await client.request(method, path, json=body, headers=headers)

    assert json.loads(unb64url(token.split(".")[1]))["scope"] == scope
    assert answer.is_success, answer.text


SECRET = "Zq9secret7x"


async def test_what_no_one_expected_is_said_in_oauths_words(
    door: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """server_error, and nothing of what it was."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(authorization, "authenticated_client", fail)
    answer = await ask(door)

    reason = check_refusal(answer, "server_error", status=500)
    assert SECRET not in reason


async def read(http: httpx.AsyncClient, token: str) -> httpx.Response:
    """Read a record that is not there, so that 404 says the token was good."""
    headers = bearer(token)
    return await http.get("/fhir/Observation/none", headers=headers)


@pytest.mark.conforms("A18")
@pytest.mark.conforms("A21")
async def test_a_token_holds_for_300_seconds_and_names_its_client(
    network: Network, client: httpx.AsyncClient, clock: Clock
):
    """MedplumClient refuses a token without its own client_id."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    claims = json.loads(unb64url(token.split(".")[1]))
    clock.pass_seconds(299)

    answer = await read(client, token)

    assert claims["client_id"] == ehr.client_id
    assert answer.status_code == 404


@pytest.mark.conforms("A18", mutation="the token is 300 seconds old")
async def test_a_token_ends_at_300_seconds(
    network: Network, client: httpx.AsyncClient, clock: Clock
):
    """401, in FHIR's words and in HTTP's."""
    token = await network.ehr().fresh_token()
    await read(client, token)
    clock.pass_seconds(300)

    answer = await read(client, token)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json()["issue"][0]["code"] == "expired"


@pytest.mark.conforms("A21", mutation="client_id of the token is changed")
async def test_a_token_is_nobody_elses(network: Network, client: httpx.AsyncClient):
    """Who it speaks for stands under the signature."""
    tokens = [await network.ehr(name).fresh_token() for name in ("a-ehr", "b-ehr")]
    header, _, signature = tokens[0].split(".")
    forged = f"{header}.{tokens[1].split('.')[1]}.{signature}"

    answer = await read(client, forged)

    assert answer.status_code == 401
    assert answer.json()["issue"][0]["code"] == "login"


@pytest.mark.conforms("A18", mutation="the token is signed by a stranger")
async def test_a_strangers_token_is_none(network: Network, client: httpx.AsyncClient):
    """Good in all but the signature."""
    token = await network.ehr().fresh_token()
    signed = token.rpartition(".")[0]
    foreign = assertion(key=STRANGER).rpartition(".")[2]

    assert (await read(client, f"{signed}.{foreign}")).status_code == 401


@pytest.mark.conforms("A20")
@pytest.mark.parametrize(
    ("scheme", "peer"), [("https", "203.0.113.9"), ("http", "127.0.0.1")]
)
async def test_https_is_open_to_all_and_http_to_this_machine(
    app: FastAPI, network: Network, scheme: str, peer: str
):
    """TLS may end at a proxy on this machine."""
    transport = httpx.ASGITransport(app=app, client=(peer, 4711))
    base_url = BASE_URL.replace("https", scheme)
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as http:
        answer = await http.post("/oauth/token", data=network.ehr().form())

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        shows("A20", "a token is asked for by plain http", "POST", "/oauth/token"),
        shows("A20", "a token is used by plain http", "GET", "/fhir/Observation/none"),
        shows("A20", "a release is read by plain http", "GET", "/v1/releases"),
    ],
)
async def test_plain_http_from_another_machine_is_refused(
    app: FastAPI, network: Network, method: str, path: str
):
    """Before the body is read: what came so is known to others."""
    ehr = network.ehr()
    headers = bearer(await ehr.fresh_token())
    transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.example"
    ) as http:
        answer = await http.request(method, path, data=ehr.form(), headers=headers)
        health = await http.get("/health/live")

    assert answer.status_code == 403
    assert "https" in answer.text
    assert health.status_code == 200

"""Tokens asked about (RFC 7662) and taken back (RFC 7009), by whom they were given."""

import base64
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.domain.clinics import Audience
from app.services import registry
from app.services.authorization import REMEMBERED_SECONDS
from app.services.hub import Hub
from app.smart.client_secrets import secret_hash
from app.smart.vocabulary import ASSERTION_TYPE, AuthMethod
from app.store.sessions import write_session
from tests.hubs import BASE_URL, NOON, Caller, Clock, Network, bearer

pytestmark = pytest.mark.anyio

ONE_DIALECT = pytest.mark.parametrize("dialect", ["sqlite"])
ENDPOINTS = ("introspect", "revoke")
INACTIVE = {"active": False}
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
SECRET = "a-secret-of-the-tests"


def add_secret_app(hub: Hub, client_id: str, method: AuthMethod) -> None:
    """Register a partner's app that has SECRET."""
    new = registry.NewClient(
        client_id=client_id,
        name=client_id,
        audience=Audience.PUBLIC,
        scopes=registry.PARTNER_SCOPES,
        secret_hash=secret_hash(SECRET),
        auth_method=method,
    )
    with write_session(hub.engine) as session:
        registry.register_client(session, new, dev_mode=False)


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    """Return the header of a client with a secret."""
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


async def ask(
    http: httpx.AsyncClient, endpoint: str, token: str, caller: Caller
) -> httpx.Response:
    """Send *token* to an endpoint as *caller*, who signs an assertion."""
    form = {"token": token} | caller.proof()
    answer = await http.post(f"/oauth/{endpoint}", data=form)
    assert NO_STORE.items() <= dict(answer.headers).items()
    return answer


async def read(http: httpx.AsyncClient, token: str) -> int:
    """Return the status of a read that is 404 where the token is good."""
    answer = await http.get("/fhir/Patient/none", headers=bearer(token))
    return answer.status_code


async def test_a_client_learns_of_its_own_token(network: Network, client):
    """The members that SMART requires, and what else is known."""
    ehr = network.ehr()
    token = await ehr.fresh_token("system/Observation.cruds system/Claim.r")

    answer = await ask(client, "introspect", token, ehr)

    assert answer.status_code == 200
    assert answer.json() == {
        "active": True,
        "scope": "system/Observation.cruds",
        "client_id": "alpha-ehr",
        "exp": NOON // 1000 + 300,
        "iat": NOON // 1000,
        "token_type": "bearer",
        "iss": BASE_URL,
        "aud": f"{BASE_URL}/fhir",
        "sub": "alpha-ehr",
    }


@ONE_DIALECT
async def test_of_anything_else_a_caller_learns_nothing(
    network: Network, client, clock: Clock
):
    """Unknown, garbage, another's, an assertion, expired: one answer, and no more."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    token = await ehr.fresh_token()
    tokens = ["x", "x.y.z", "é", token[:-2], ehr.assertion(), await other.fresh_token()]

    answers = [await ask(client, "introspect", each, ehr) for each in tokens]
    clock.pass_seconds(300)
    answers.append(await ask(client, "introspect", token, ehr))

    assert [a.status_code for a in answers] == [200] * 7
    assert [a.json() for a in answers] == [INACTIVE] * 7


@pytest.mark.conforms("A18", mutation="the token was revoked")
async def test_a_revoked_token_is_out_within_moments(
    network: Network, client, clock: Clock
):
    """At once for who asks, in two seconds for who remembered it; others live on."""
    ehr = network.ehr()
    token, other = await ehr.fresh_token(), await ehr.fresh_token()
    before = await read(client, token)

    done = await ask(client, "revoke", token, ehr)
    told = await ask(client, "introspect", token, ehr)
    clock.pass_seconds(REMEMBERED_SECONDS)
    after = await read(client, token)

    assert [done.status_code, done.json()] == [200, {}]
    assert told.json() == INACTIVE
    assert [before, after, await read(client, other)] == [404, 401, 404]


async def test_revoking_again_changes_nothing(network: Network, client):
    """RFC 7009, 2.2: what is not valid needs no revocation."""
    ehr = network.ehr()
    token = await ehr.fresh_token()

    answers = [
        await ask(client, "revoke", each, ehr) for each in (token, token, "x", "x.y.z")
    ]

    assert [a.status_code for a in answers] == [200] * 4


async def test_another_clients_token_cannot_be_revoked(network: Network, client):
    """RFC 7009, 2.1: refused, and the token holds."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    token = await other.fresh_token()

    answer = await ask(client, "revoke", token, ehr)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert (await ask(client, "introspect", token, other)).json()["active"]


@pytest.mark.conforms("A18", mutation="the client of the token was revoked")
async def test_a_revoked_client_can_neither_ask_nor_revoke(
    network: Network, client, hub: Hub
):
    """It proves who it is, and that is nobody any more."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE client SET status = 'revoked'"))

    for endpoint in ENDPOINTS:
        by_assertion = await ask(client, endpoint, token, ehr)
        by_token = await client.post(
            f"/oauth/{endpoint}", data={"token": token}, headers=bearer(token)
        )

        assert [by_assertion.status_code, by_token.status_code] == [401, 401]
    assert await read(client, token) == 401


@ONE_DIALECT
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("aud", ["token", "introspect", "revoke"])
async def test_an_assertion_is_for_the_token_endpoint_or_this_one(
    network: Network, client, endpoint: str, aud: str
):
    """What was made for another door opens this one no more than a stranger's."""
    ehr = network.ehr()
    url = f"{BASE_URL}/oauth/{aud}"
    form = {"token": "x"} | ehr.proof(token_endpoint=url)

    answer = await client.post(f"/oauth/{endpoint}", data=form)

    assert answer.status_code == (200 if aud in {"token", endpoint} else 401)


@ONE_DIALECT
@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_token_of_its_own_authenticates_a_caller(
    network: Network, client, endpoint: str
):
    """SMART's way for a protected introspection endpoint."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    headers = bearer(await ehr.fresh_token())

    answer = await client.post(
        f"/oauth/{endpoint}", data={"token": token}, headers=headers
    )

    assert answer.status_code == 200
    expected = {"introspect": True, "revoke": None}
    assert answer.json().get("active") == expected[endpoint]
    left = await ask(client, "introspect", token, ehr)
    assert left.json()["active"] == (endpoint == "introspect")


@ONE_DIALECT
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("headers", "form", "status", "error", "scheme"),
    [
        ({}, {}, 401, "invalid_client", "Basic"),
        (bearer("x.y.z"), {}, 401, "invalid_token", "Bearer"),
        (basic("nobody"), {}, 401, "invalid_client", "Basic"),
        ({}, {"client_assertion_type": ASSERTION_TYPE}, 401, "invalid_client", "Basic"),
        (bearer("x.y.z"), {"client_secret": "s"}, 400, "invalid_request", None),
        (basic("nobody"), {"client_secret": "s"}, 400, "invalid_request", None),
    ],
)
async def test_who_does_not_say_who_it_is_learns_nothing(
    network: Network, client, endpoint, headers, form, status, error, scheme
):
    """Else anyone could try tokens, or end a clinic's (RFC 7662, 4)."""
    token = await network.ehr().fresh_token()

    answer = await client.post(
        f"/oauth/{endpoint}", data={"token": token} | form, headers=headers
    )

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert NO_STORE.items() <= dict(answer.headers).items()
    challenge = answer.headers.get("WWW-Authenticate", "").partition(" ")[0]
    assert challenge == (scheme or "")
    assert await read(client, token) == 404


@ONE_DIALECT
@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_form_without_a_token_is_malformed(
    network: Network, client, endpoint: str
):
    """As is what is no form."""
    ehr = network.ehr()

    empty = await client.post(f"/oauth/{endpoint}", data=ehr.proof())
    json = await client.post(f"/oauth/{endpoint}", json={"token": "x"} | ehr.proof())

    for answer in (empty, json):
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"


async def test_what_has_expired_is_forgotten(
    network: Network, client, hub: Hub, clock: Clock
):
    """A revocation is of no more use than the token was."""
    ehr = network.ehr()
    await ask(client, "revoke", await ehr.fresh_token(), ehr)
    clock.pass_seconds(400)
    await ask(client, "revoke", await ehr.fresh_token(), ehr)

    with hub.engine.connect() as connection:
        query = text("SELECT COUNT(*), MIN(expires_at) FROM revoked_token")
        kept = connection.execute(query).one()

    assert tuple(kept) == (1, NOON // 1000 + 400 + 300)


async def test_a_revocation_keeps_no_token(network: Network, client, hub: Hub):
    """What lies in the database opens nothing."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    await ask(client, "revoke", token, ehr)

    with hub.engine.connect() as connection:
        row = connection.execute(text("SELECT token_key FROM revoked_token")).one()

    assert len(bytes(row.token_key)) == 20
    assert bytes(row.token_key) not in token.encode()


def secret_form(client_id: str, secret: str = SECRET) -> dict[str, str]:
    """Return the parameters of a client that posts its secret."""
    return {"client_id": client_id, "client_secret": secret}


TOKEN_FORM = {"grant_type": "client_credentials", "scope": "system/Measure.rs"}


@pytest.mark.conforms("A15")
@pytest.mark.parametrize(
    ("method", "headers", "form"),
    [
        (AuthMethod.CLIENT_SECRET_BASIC, basic("app"), {}),
        (AuthMethod.CLIENT_SECRET_POST, {}, secret_form("app")),
    ],
)
async def test_a_partners_app_may_have_a_secret(
    client, hub: Hub, method: AuthMethod, headers: dict, form: dict
):
    """At all three endpoints, in the way that it registered."""
    add_secret_app(hub, "app", method)
    granted = await client.post("/oauth/token", data=TOKEN_FORM | form, headers=headers)
    token = granted.json()["access_token"]
    opened = await client.get("/v1/measures", headers=bearer(token))
    others = [
        await client.post(
            f"/oauth/{endpoint}", data={"token": token} | form, headers=headers
        )
        for endpoint in ENDPOINTS
    ]

    assert [granted.status_code, opened.status_code] == [200, 200]
    assert [answer.status_code for answer in others] == [200, 200]


def refused(mutation: str, *values: Any, error: str = "invalid_client") -> Any:
    """Return the parameters of a request that is refused for *mutation* alone."""
    marks = pytest.mark.conforms("A15", mutation=mutation)
    return pytest.param(*values, error, marks=marks, id=mutation)


@ONE_DIALECT
@pytest.mark.parametrize(
    ("headers", "form", "error"),
    [
        refused("the secret is wrong", basic("by-basic", SECRET + "x"), {}),
        refused("the secret is empty", basic("by-basic", ""), {}),
        refused("the posted secret is wrong", {}, secret_form("by-post", "x")),
        refused("the secret's client is unknown", basic("nobody"), {}),
        refused("a posting client sends a header", basic("by-post"), {}),
        refused("a header's client posts its secret", {}, secret_form("by-basic")),
        refused("a signing client sends a secret", basic("alpha-ehr"), {}),
        refused("a secret without client_id", {}, {"client_secret": SECRET}),
        refused("Basic is not base64", {"Authorization": "Basic !"}, {}),
        refused(
            "client_id is another than the header's",
            basic("by-basic"),
            {"client_id": "by-post"},
        ),
        refused(
            "two secrets at once",
            basic("by-basic"),
            secret_form("by-basic"),
            error="invalid_request",
        ),
    ],
)
async def test_a_secret_opens_only_as_it_was_registered(
    network: Network, client, hub: Hub, headers: dict, form: dict, error: str
):
    """And nobody is told which part was wrong."""
    network.ehr("alpha-ehr")
    add_secret_app(hub, "by-basic", AuthMethod.CLIENT_SECRET_BASIC)
    add_secret_app(hub, "by-post", AuthMethod.CLIENT_SECRET_POST)

    answer = await client.post("/oauth/token", data=TOKEN_FORM | form, headers=headers)

    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.json()["error"] == error
    assert SECRET not in answer.text


@ONE_DIALECT
async def test_a_client_with_a_secret_signs_nothing(network: Network, client, hub: Hub):
    """An assertion in its name is refused, whoever signed it."""
    add_secret_app(hub, "app", AuthMethod.CLIENT_SECRET_POST)
    ehr = network.ehr()
    form = TOKEN_FORM | ehr.proof(client_id="app")

    answer = await client.post("/oauth/token", data=form)

    assert answer.status_code == 401


def test_a_secret_is_kept_as_a_digest(hub: Hub):
    """Whoever reads the database cannot call."""
    add_secret_app(hub, "app", AuthMethod.CLIENT_SECRET_BASIC)

    with hub.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM client")).one()

    assert SECRET not in str(row)
    assert SECRET.encode() not in bytes(row.secret_hash)

"""Clients that register themselves (RFC 7591), and who lets them in."""

import json
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy import text

from app.domain.clinics import Audience
from app.domain.errors import ConflictError, InvalidElementError, NotFoundError
from app.services import registrations, registry
from app.services.hub import Hub
from app.smart.errors import InvalidScopeError
from app.store.sessions import write_session
from tests import make
from tests.hubs import PUBLIC, Caller, Clock, Network
from tests.reference.jwts import ABSENT, changed, jwk_of
from tests.reference.parties import EC_KEY

pytestmark = pytest.mark.anyio

ONE_DIALECT = pytest.mark.parametrize("dialect", ["sqlite"])
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
JWK = jwk_of(EC_KEY, kid="k1")
ASKED = "system/Observation.cruds system/Patient.r system/MeasureReport.rs"


def metadata(**changes: Any) -> dict:
    """Return what a clinic's agent says of itself, but for *changes*."""
    stated = {
        "client_name": "Alder Creek's agent",
        "jwks": PUBLIC,
        "scope": ASKED,
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "contacts": ["it@alder-creek.example"],
    }
    return changed(stated, **changes)


def secret_metadata(method: str = "client_secret_basic") -> dict:
    """Return what a partner's app says of itself."""
    return metadata(
        jwks=ABSENT, token_endpoint_auth_method=method, scope="system/Measure.rs"
    )


async def register(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Register as a stranger."""
    return await http.post("/oauth/register", json=metadata(**changes))


def approve(hub: Hub, client_id: str, **changes: Any) -> tuple[str, ...]:
    """Approve a client as the administrator does."""
    how: dict[str, Any] = {
        "clinic": None,
        "source": registry.MAIN_SOURCE,
        "audience": Audience.PUBLIC,
        "scopes": registry.PARTNER_SCOPES,
    }
    with write_session(hub.engine) as session:
        return registrations.approve(session, client_id, **(how | changes))


def caller(client: httpx.AsyncClient, hub: Hub, client_id: str) -> Caller:
    """Return the registered client at work."""
    return Caller(
        http=client, hub=hub, client_id=client_id, clinic="alder", scope=ASKED
    )


def enrol(network: Network) -> None:
    """Enrol the clinic of the tests."""
    network.ehr("alder-other", clinic="alder")


@pytest.mark.conforms("A14")
async def test_a_client_waits_until_it_is_approved(
    network: Network, client, hub: Hub, clock: Clock
):
    """Then it writes for its clinic, with no more than it asked for and is allowed."""
    enrol(network)

    answer = await register(client)

    assert answer.status_code == 201
    assert NO_STORE.items() <= dict(answer.headers).items()
    body = answer.json()
    assert body == metadata() | {
        "client_id": body["client_id"],
        "client_id_issued_at": clock() // 1000,
    }
    agent = caller(client, hub, body["client_id"])
    early = await client.post("/oauth/token", data=agent.form())
    granted = approve(hub, agent.client_id, clinic="alder", scopes=("system/*.cru",))
    stored = await agent.post(make.lab(7.1))
    assert (early.status_code, early.json()["error"]) == (401, "invalid_client")
    assert granted == (
        "system/Observation.cru",
        "system/Patient.r",
        "system/MeasureReport.r",
    )
    assert stored.status_code == 201


async def test_who_registers_keys_proves_itself_by_them(client):
    """The method need not be said where there is only one for what is there."""
    answer = await register(client, token_endpoint_auth_method=ABSENT)

    assert answer.status_code == 201
    assert answer.json()["token_endpoint_auth_method"] == "private_key_jwt"


@pytest.mark.conforms("A14")
async def test_a_key_sets_url_is_registered_and_not_fetched(client):
    """A stranger makes the hub call nobody; respx would refuse it."""
    with respx.mock:
        answer = await register(
            client, jwks=ABSENT, jwks_uri="https://clinic.example/jwks.json"
        )

    assert answer.status_code == 201
    assert answer.json()["jwks_uri"] == "https://clinic.example/jwks.json"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", None])
async def test_a_partners_app_gets_its_secret_once(client, hub: Hub, method):
    """256 bits; a method that is not stated is client_secret_basic (RFC 7591, 2)."""
    said = secret_metadata(method) if method else secret_metadata()
    if method is None:
        del said["token_endpoint_auth_method"]

    answers = [await client.post("/oauth/register", json=said) for _ in range(2)]
    first, second = (answer.json() for answer in answers)
    approve(hub, first["client_id"])

    assert first["token_endpoint_auth_method"] == (method or "client_secret_basic")
    assert first["client_secret_expires_at"] == 0
    assert len(first["client_secret"]) >= 43
    assert first["client_secret"] != second["client_secret"]
    auth = (first["client_id"], first["client_secret"])
    posted = {"client_id": auth[0], "client_secret": auth[1]}
    by_post = method == "client_secret_post"
    form = {"grant_type": "client_credentials", "scope": "system/Measure.rs"}
    granted = await client.post(
        "/oauth/token",
        data=form | (posted if by_post else {}),
        **({} if by_post else {"auth": auth}),
    )
    assert granted.status_code == 200


def faulty(mutation: str, **changes: Any) -> Any:
    """Return the parameters of a registration that is refused for *mutation*."""
    marks = pytest.mark.conforms("A14", mutation=f"registering itself, {mutation}")
    return pytest.param(changes, marks=marks, id=mutation)


def jwks(*keys: dict) -> dict:
    return {"keys": list(keys)}


@ONE_DIALECT
@pytest.mark.parametrize(
    "changes",
    [
        faulty("a private key", jwks=jwks(JWK | {"d": "c2VjcmV0"})),
        faulty("a symmetric key", jwks=jwks({"kty": "oct", "kid": "o", "k": "c2Vj"})),
        faulty("a key without kid", jwks=jwks(changed(JWK, kid=ABSENT))),
        faulty("a key without kty", jwks=jwks(changed(JWK, kty=ABSENT))),
        faulty("a key without x", jwks=jwks(changed(JWK, x=ABSENT))),
        faulty("two keys of one kid", jwks=jwks(JWK, JWK)),
        faulty("no keys", jwks=jwks()),
        faulty("neither keys nor a URL", jwks=ABSENT),
        faulty("keys and a URL", jwks_uri="https://clinic.example/jwks.json"),
        faulty("a set that is text", jwks="keys"),
        faulty("a URL of http", jwks=ABSENT, jwks_uri="http://clinic.example/jwks"),
        faulty(
            "a URL of the hub's machine", jwks=ABSENT, jwks_uri="https://localhost/"
        ),
        faulty("a URL that is a number", jwks=ABSENT, jwks_uri=1),
        faulty("keys beside a secret", token_endpoint_auth_method="client_secret_post"),
        faulty("an unknown method", token_endpoint_auth_method="none"),
        faulty("another grant", grant_types=["authorization_code"]),
        faulty("no scope", scope=ABSENT),
        faulty("an unknown scope", scope="read"),
        faulty("a name that moves the cursor", client_name="a\x1b[2J"),
        faulty("a name that is too long", client_name="a" * 201),
        faulty("contacts that are no array", contacts="it@clinic.example"),
        faulty("too many contacts", contacts=["a"] * 6),
        faulty("a contact of two lines", contacts=["a\nb"]),
    ],
)
async def test_what_could_not_be_served_is_not_registered(
    client, hub: Hub, changes: dict
):
    """invalid_client_metadata, and nothing is kept."""
    answer = await register(client, **changes)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"
    assert NO_STORE.items() <= dict(answer.headers).items()
    assert count(hub) == 0


@ONE_DIALECT
@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"scope":"a","scope":"b"}', "application/json", 400),
        (json.dumps(metadata()).encode(), "text/plain", 400),
        (b" " * 65537, "application/json", 413),
    ],
)
async def test_a_strangers_body_is_small_and_json(
    client, hub: Hub, content: bytes, media_type: str, status: int
):
    """Refused in OAuth's words, and never with a part of it."""
    answer = await client.post(
        "/oauth/register", content=content, headers={"Content-Type": media_type}
    )

    assert answer.status_code == status
    assert set(answer.json()) == {"error", "error_description"}
    assert count(hub) == 0


@ONE_DIALECT
@pytest.mark.parametrize("depth", [200, 300, 400, 500, 700, 900, 990, 5000])
@pytest.mark.parametrize("member", ["jwks", "contacts", "unknown"])
async def test_no_depth_of_nesting_is_a_failure(client, depth: int, member: str):
    """Each reader and writer of JSON has a limit of its own."""
    nested = '{"keys":[' * depth + "]}" * depth
    inner = jwks(JWK) | {"x": "NESTED"} if member == "jwks" else "NESTED"
    said = json.dumps(metadata(**{member: inner})).replace('"NESTED"', nested)

    answer = await client.post(
        "/oauth/register", content=said, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {201, 400}


async def test_strangers_fill_no_database(client, hub: Hub, clock: Clock):
    """So many wait and no more; whom nobody approves for a month is forgotten."""
    for _ in range(registrations.MOST_PENDING):
        assert (await register(client)).status_code == 201

    refused = await register(client)
    clock.pass_seconds(registrations.PENDING_DAYS * registrations.DAY_SECONDS + 1)
    later = await register(client)

    assert refused.status_code == 429
    assert refused.json()["error"] == "temporarily_unavailable"
    assert later.status_code == 201
    assert count(hub) == 1


def count(hub: Hub) -> int:
    """Return how many clients there are."""
    with hub.engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM client")).scalar_one())


async def test_an_approved_client_is_not_forgotten(client, hub: Hub, clock: Clock):
    """Nor one that was revoked: its id is never given again."""
    ids = [(await register(client)).json()["client_id"] for _ in range(2)]
    for client_id in ids:
        approve(hub, client_id)
    with write_session(hub.engine) as session:
        registrations.revoke(session, ids[1])
    clock.pass_seconds(registrations.PENDING_DAYS * registrations.DAY_SECONDS + 1)

    await register(client)

    assert count(hub) == 3


@pytest.mark.conforms("A14", mutation="a clinic's client is to have a secret")
async def test_a_clinics_client_has_no_secret(network: Network, client, hub: Hub):
    """Whoever sends people's records proves it by a key that never travels."""
    enrol(network)
    answer = await client.post("/oauth/register", json=secret_metadata())

    with pytest.raises(InvalidElementError):
        approve(hub, answer.json()["client_id"], clinic="alder")


async def test_a_partners_app_cannot_write(client, hub: Hub):
    """Though it asked for scopes of a clinic's."""
    client_id = (await register(client)).json()["client_id"]
    granted = approve(hub, client_id)
    partner = caller(client, hub, client_id)
    partner.scope = " ".join(granted)

    answer = await partner.post(make.lab(7.1))

    assert granted == ("system/MeasureReport.rs",)
    assert answer.status_code == 403


async def test_approval_gives_nothing_that_was_not_asked_for(client, hub: Hub):
    """An empty intersection is a mistake of somebody's."""
    client_id = (await register(client, scope="system/Patient.r")).json()["client_id"]

    with pytest.raises(InvalidScopeError):
        approve(hub, client_id)


async def test_only_who_waits_is_approved_or_rejected(client, hub: Hub):
    """A revoked client does not come back by a slip of the hand."""
    client_id = (await register(client)).json()["client_id"]
    approve(hub, client_id)

    with pytest.raises(ConflictError):
        approve(hub, client_id)
    with write_session(hub.engine) as session, pytest.raises(ConflictError):
        registrations.reject(session, client_id)
    with pytest.raises(NotFoundError):
        approve(hub, "nobody")


async def test_a_rejected_client_is_forgotten(client, hub: Hub):
    """Nothing of a stranger stays."""
    client_id = (await register(client)).json()["client_id"]

    with write_session(hub.engine) as session:
        registrations.reject(session, client_id)

    assert count(hub) == 0

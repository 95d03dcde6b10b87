"""The hub as a client: its assertions pass its own door, its errors repeat nothing."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from app.smart.clients import client_assertion, fetch_token, generate_key
from app.smart.credentials import parse_form
from app.smart.errors import TokenRefusedError
from app.smart.key_sets import parse_key_set
from tests.reference.jwts import unb64url
from tests.reference.parties import NOW, TOKEN_URL, Door, clinic

HTTP = httpx.Client(trust_env=False)
PRIVATE, PUBLIC = generate_key()
ASKED: dict[str, Any] = {
    "token_endpoint": TOKEN_URL,
    "client_id": "clinic-a",
    "key": PRIVATE,
    "now": NOW,
    "jti": "j1",
}


@pytest.fixture
def server() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(TOKEN_URL).respond(
            json={"access_token": "secret", "token_type": "Bearer", "expires_in": 300}
        )


@pytest.mark.parametrize(("kty", "alg"), [("EC", "ES384"), ("RSA", "RS384")])
def test_a_generated_key_opens_the_hubs_own_door(kty, alg):
    """The public set is what is registered; nothing private is in it."""
    private, public = generate_key(kty)
    text = client_assertion(**(ASKED | {"key": private}))
    client = clinic(key_set=json.dumps(public))

    assert Door(client).admit(text) == client
    assert [key.alg for key in parse_key_set(json.dumps(public)).values()] == [alg]


def test_an_assertion_says_what_smart_asks_for():
    """SMART 2.2.0: alg, kid, typ; iss, sub, aud, exp within 5 minutes, jti."""
    header, claims, _ = client_assertion(**ASKED).split(".")

    assert json.loads(unb64url(header)) == {
        "alg": "ES384",
        "typ": "JWT",
        "kid": PRIVATE["kid"],
    }
    assert json.loads(unb64url(claims)) == {
        "iss": "clinic-a",
        "sub": "clinic-a",
        "aud": TOKEN_URL,
        "iat": NOW,
        "exp": NOW + 240,
        "jti": "j1",
    }


def test_a_token_is_fetched_with_a_form_that_the_hub_understands(server: respx.Route):
    """Both ends of one protocol are in one house."""
    got = fetch_token(HTTP, scope="system/Patient.rs", **ASKED)

    request = server.calls.last.request
    form = parse_form(parse_qsl(request.content.decode()))
    assert got == ("secret", 300)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form["scope"] == "system/Patient.rs"
    door = Door(clinic(key_set=json.dumps(PUBLIC)))
    assert door.admit(form["client_assertion"]).client_id == "clinic-a"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(400, json={"error": "invalid_scope"}), "400, invalid_scope"),
        (httpx.Response(401, json={"error": "CANARY"}), "401, no known error"),
        (httpx.Response(500, text="CANARY"), "500"),
        (httpx.Response(302, headers={"Location": "https://CANARY.example"}), "302"),
        (httpx.Response(200, text="CANARY"), "not a bearer token"),
        (httpx.Response(200, json={"access_token": "CANARY"}), "not a bearer token"),
        (
            httpx.Response(200, json={"token_type": "bearer", "access_token": 5}),
            "not a bearer token",
        ),
    ],
)
def test_a_refusal_is_told_without_the_servers_words(
    server: respx.Route, response: httpx.Response, reason
):
    """An error page of a foreign server may hold anything."""
    server.mock(return_value=response)

    with pytest.raises(TokenRefusedError, match=reason) as refusal:
        fetch_token(HTTP, scope="system/Patient.rs", **ASKED)

    assert "CANARY" not in refusal.value.message


def test_a_server_that_is_down_is_a_refusal(server: respx.Route):
    """Whoever collects tries again later."""
    server.mock(side_effect=httpx.ConnectError("down"))

    with pytest.raises(TokenRefusedError, match="does not answer"):
        fetch_token(HTTP, scope="system/Patient.rs", **ASKED)

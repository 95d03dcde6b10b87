"""
Keys behind a URL, as the token endpoint meets them: only the registered one is fetched.

The clinic's server is the only thing faked. What is fetched how often is what its own
network sees.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from app.services.hub import Hub
from app.smart.key_sets import KeySetCache
from tests.api.test_token_endpoint import add_client, ask, check_refusal, shows
from tests.hubs import Clock
from tests.reference.faults import STRANGERS_JKU
from tests.reference.jwts import jwk_of
from tests.reference.parties import EC_KEY, NOW, STRANGER, assertion

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

URL = "https://clinic.example/keys/jwks.json"
ADDRESS = "93.184.215.14"
PINNED = f"https://{ADDRESS}/keys/jwks.json"
FIRST = jwk_of(EC_KEY, kid="k1")
SECOND = jwk_of(STRANGER, kid="k2")


@pytest.fixture
def addresses() -> list[str]:
    """What the clinic's name resolves to."""
    return [ADDRESS]


@pytest.fixture
def hub(hub: Hub, clock: Clock, addresses: list[str]) -> Hub:
    """A hub whose resolver and time are the test's, with clinic-a's keys by URL."""
    key_sets = KeySetCache(
        httpx.Client(trust_env=False),
        dev_mode=False,
        clock=lambda: clock() / 1000,
        resolve=lambda _host, _port: addresses,
    )
    opened = dataclasses.replace(hub, key_sets=key_sets)
    add_client(opened, "clinic-a", key_set=None, jwks_uri=URL)
    return opened


@pytest.fixture
def server() -> Iterator[respx.Route]:
    """The clinic's key set, at the address that its name resolves to."""
    with respx.mock:
        yield respx.get(PINNED).respond(
            json={"keys": [FIRST]}, headers={"Cache-Control": "max-age=60"}
        )


class Signer:
    """Signs with either key, each time with a new jti."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0

    def __call__(self, header: dict[str, Any] | None = None, key: Any = EC_KEY) -> str:
        """Return a good assertion, but for *header* and *key*."""
        self._count += 1
        now = self._clock() // 1000
        claims = {"jti": str(self._count), "exp": now + 240}
        return assertion(header, claims, key)

    def second(self) -> str:
        """Return one signed by the key that the clinic rotates to."""
        return self({"kid": "k2"}, STRANGER)


@pytest.fixture
def sign(clock: Clock) -> Signer:
    """The clinic's signing."""
    return Signer(clock)


@pytest.mark.conforms("A10")
@pytest.mark.conforms("A11")
@pytest.mark.conforms("A14")
@pytest.mark.parametrize("header", [{}, {"jku": URL}])
async def test_the_registered_set_is_fetched(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer, header: dict
):
    """Whether or not the assertion says where it is."""
    answer = await ask(client, client_assertion=sign(header))

    assert answer.status_code == 200
    assert server.call_count == 1


@pytest.mark.parametrize(
    "jku",
    [
        shows("A10", "jku is a stranger's, the set is by URL", STRANGERS_JKU),
        shows("A10", "jku has a query more than registered", f"{URL}?"),
        shows("A10", "jku is http", URL.replace("https", "http")),
        shows("A10", "jku names the cloud's own address", "http://169.254.169.254/"),
    ],
)
async def test_another_jku_is_never_fetched(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer, jku: str
):
    """Anyone could make the hub call any address: not even the registered is asked."""
    answer = await ask(client, client_assertion=sign({"jku": jku}))

    assert "jku" in check_refusal(answer, "invalid_client", status=401)
    assert not server.called


@pytest.mark.conforms("A10", mutation="jku is registered by another client")
async def test_a_jku_of_another_client_is_not_fetched(
    client: httpx.AsyncClient, hub: Hub, server: respx.Route, sign: Signer
):
    """Registered, but not by who signs."""
    other = "https://other.example/jwks.json"
    add_client(hub, "clinic-b", key_set=None, jwks_uri=other)

    answer = await ask(client, client_assertion=sign({"jku": other}))

    assert "jku" in check_refusal(answer, "invalid_client", status=401)
    assert not server.called


@pytest.mark.conforms("A13")
async def test_a_set_is_kept_for_max_age_and_then_fetched_anew(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer, clock: Clock
):
    """The key that the clinic rotated to works at the latest then."""
    await ask(client, client_assertion=sign())
    clock.pass_seconds(59)
    kept = await ask(client, client_assertion=sign())
    fetches_before = server.call_count
    server.respond(json={"keys": [SECOND]})
    clock.pass_seconds(1)

    rotated = await ask(client, client_assertion=sign.second())

    assert [kept.status_code, rotated.status_code] == [200, 200]
    assert [fetches_before, server.call_count] == [1, 2]


@pytest.mark.conforms("A13", mutation="the key was taken out of the set, max-age ago")
async def test_a_removed_key_stops_when_the_set_expires(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer, clock: Clock
):
    """This is how a clinic takes back a stolen key."""
    assert (await ask(client, client_assertion=sign())).status_code == 200
    server.respond(json={"keys": [SECOND]})
    clock.pass_seconds(60)

    answer = await ask(client, client_assertion=sign())

    assert "No registered key" in check_refusal(answer, "invalid_client", status=401)


@pytest.mark.conforms("A13", mutation="kid is unknown, again and again")
async def test_unknown_kids_cost_the_clinic_one_request(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer
):
    """Names cost nothing to invent."""
    await ask(client, client_assertion=sign())

    for kid in ("a", "b", "c", "d"):
        answer = await ask(client, client_assertion=sign({"kid": kid}))
        check_refusal(answer, "invalid_client", status=401)

    assert server.call_count == 2


@pytest.mark.conforms("A13")
async def test_a_new_kid_works_within_max_age(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer
):
    """By the one look that an unknown name is worth."""
    await ask(client, client_assertion=sign())
    server.respond(json={"keys": [FIRST, SECOND]})

    answer = await ask(client, client_assertion=sign.second())

    assert answer.status_code == 200


def redirect(to: str) -> httpx.Response:
    return httpx.Response(302, headers={"Location": to})


@pytest.mark.parametrize(
    "response",
    [
        shows("A11", "the key set's server is down", httpx.ConnectError("down")),
        shows("A11", "the key set's server is slow", httpx.ReadTimeout("slow")),
        shows("A11", "the key set's server fails", httpx.Response(503)),
        shows("A11", "the key set is no JSON", httpx.Response(200, text="<html>")),
        shows("A11", "the key set is huge", httpx.Response(200, content=b" " * 65537)),
        shows("A11", "the key set is elsewhere", redirect("https://x.example/jwks")),
        shows(
            "A11",
            "the key set's server redirects to a private address",
            redirect("http://169.254.169.254/latest/meta-data"),
        ),
        shows(
            "A14",
            "the set behind the URL holds a private key",
            httpx.Response(200, json={"keys": [FIRST | {"d": "c2VjcmV0"}]}),
        ),
        shows(
            "A14",
            "the set behind the URL holds a symmetric key",
            httpx.Response(200, json={"keys": [FIRST, {"kty": "oct", "kid": "o"}]}),
        ),
        shows(
            "A12",
            "two keys of the set behind the URL have the kid",
            httpx.Response(200, json={"keys": [FIRST, SECOND | {"kid": "k1"}]}),
        ),
    ],
)
async def test_without_a_sound_key_set_nobody_gets_in(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer, response: Any
):
    """One request, nowhere but there; respx would refuse any other."""
    is_response = isinstance(response, httpx.Response)
    server.mock(**{"return_value" if is_response else "side_effect": response})

    answer = await ask(client, client_assertion=sign())

    check_refusal(answer, "invalid_client", status=401)
    assert server.call_count == 1


@pytest.mark.conforms("A11", mutation="the key set drips")
async def test_a_set_that_drips_is_given_up(
    client: httpx.AsyncClient, server: respx.Route, sign: Signer, clock: Clock
):
    """Each byte in time, the whole never: after five seconds it is enough."""

    def drip() -> Iterator[bytes]:
        while True:
            clock.pass_seconds(1)
            yield b" "

    server.side_effect = lambda _request: httpx.Response(200, content=drip())

    answer = await ask(client, client_assertion=sign())

    check_refusal(answer, "invalid_client", status=401)
    assert clock() // 1000 - NOW == 6


@pytest.mark.parametrize(
    "address",
    [
        shows("A11", "the key set's name is of a private address", "10.0.0.7"),
        shows("A11", "the key set's name is of this machine", "127.0.0.1"),
        shows("A11", "the key set's name is of the cloud's own", "169.254.169.254"),
        shows("A11", "the key set's name is of a private IPv6 address", "fd00::1"),
    ],
)
async def test_an_inner_address_is_never_asked(
    client: httpx.AsyncClient,
    server: respx.Route,
    sign: Signer,
    addresses: list[str],
    address: str,
):
    """One among the name's addresses is enough; nothing is sent at all."""
    addresses.append(address)

    answer = await ask(client, client_assertion=sign())

    check_refusal(answer, "invalid_client", status=401)
    assert not server.called

"""Which keys a client may register, and how the set behind a URL is kept."""

import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import ec

from app.domain.errors import InvalidElementError
from app.smart.errors import InvalidClientError
from app.smart.key_sets import KeySetCache, matching_key, parse_key_set
from tests.reference.jwts import ABSENT, b64url, changed, jwk_of
from tests.reference.parties import (
    EC_KEY,
    STRANGER,
    Door,
    assertion,
    clinic,
    key_set,
    rsa_key,
)

URL = "https://clinic.example/keys/jwks.json"
ADDRESS = "93.184.215.14"
PINNED = f"https://{ADDRESS}/keys/jwks.json"
FIRST = jwk_of(EC_KEY, kid="k1")
SECOND = jwk_of(STRANGER, kid="k2")
HTTP = httpx.Client(trust_env=False)


class Clock:
    """Seconds that pass when the test says so; it knows which threads asked."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.threads: set[int] = set()

    def __call__(self) -> float:
        """Tell the time."""
        self.threads.add(threading.get_ident())
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        """Let time go on."""
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[respx.Route]:
    """The clinic's key set, at the address that its name resolves to."""
    with respx.mock:
        yield respx.get(PINNED).respond(json={"keys": [FIRST]})


def cache_of(clock: Clock, *addresses: str, dev_mode: bool = False) -> KeySetCache:
    found = list(addresses) or [ADDRESS]
    return KeySetCache(
        HTTP, dev_mode=dev_mode, clock=clock, resolve=lambda _host, _port: found
    )


def refused(text: str) -> InvalidElementError:
    with pytest.raises(InvalidElementError) as refusal:
        parse_key_set(text)
    return refusal.value


def test_a_set_may_hold_keys_for_both_algorithms():
    """Each is found by its kid and answers for the algorithm of its type."""
    keys = parse_key_set(key_set(FIRST, jwk_of(rsa_key(), kid="r1")))

    assert {kid: key.alg for kid, key in keys.items()} == {"k1": "ES384", "r1": "RS384"}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"kty": ABSENT}, "keys[1].kty"),
        ({"kid": ABSENT}, "keys[1].kid"),
        ({"kid": ""}, "keys[1].kid"),
        ({"kid": "k1"}, "keys[1].kid"),
        ({"crv": ABSENT}, "keys[1].crv"),
        ({"x": ABSENT}, "keys[1].x"),
        ({"y": 5}, "keys[1].y"),
        ({"y": FIRST["y"]}, "keys[1]"),
        ({"x": "not base64url!"}, "keys[1]"),
        ({"d": "c2VjcmV0"}, "keys[1]"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "keys[1]"),
        ({"kty": "oct"}, "keys[1]"),
        ({"kty": "RSA"}, "keys[1].n"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "keys[1].n"),
    ],
)
def test_one_wrong_key_refuses_the_whole_set(changes, at):
    """A14, RFC 7517: public keys only, each with type, name and parameters."""
    refusal = refused(key_set(FIRST, changed(SECOND, **changes)))

    assert refusal.expression == at


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth"])
def test_a_private_member_refuses_the_set_even_beside_other_types(member):
    """Who published a private key must learn it before anyone else uses it."""
    assert "public" in refused(key_set({"kty": "OKP", "kid": "o", member: "x"})).message


@pytest.mark.parametrize("bits", [1024, 2047, 4097])
def test_an_rsa_key_of_a_size_out_of_use_is_refused(bits):
    """Too short is forgeable, too long makes each check slow."""
    modulus = (1 << (bits - 1)) + 1
    n = b64url(modulus.to_bytes((bits + 7) // 8))

    refusal = refused(key_set({"kty": "RSA", "kid": "r", "e": "AQAB", "n": n}))

    assert refusal.expression == "keys[0].n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys":[]}',
        '{"keys":{}}',
        '{"keys":["k1"]}',
        '{"keys":NaN}',
        '{"keys":[],"keys":[]}',
        "[" * 9999,
        key_set(FIRST) + " " * 65536,
    ],
)
def test_what_is_no_key_set_is_refused(text):
    """One object, one array of objects, 64 kB."""
    refused(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"alg": "ES256"},
        {"alg": ["ES384"]},
        {"key_ops": ["deriveKey"]},
        {"key_ops": 5},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "AKP"},
    ],
)
def test_a_sound_key_for_another_purpose_is_left_out(changes):
    """Real sets hold encryption keys too; RFC 7517, 5, wants unknown types ignored."""
    keys = parse_key_set(key_set(FIRST, changed(SECOND, **changes)))

    assert set(keys) == {"k1"}


def test_a_key_on_another_curve_is_left_out():
    """ES384 is P-384 and nothing else (RFC 7518, 3.4)."""
    p256 = jwk_of(ec.generate_private_key(ec.SECP256R1()), kid="k2")

    assert set(parse_key_set(key_set(FIRST, p256))) == {"k1"}


@pytest.mark.parametrize(("kid", "alg"), [("k2", "ES384"), ("k1", "RS384")])
def test_a_key_is_chosen_by_name_and_type_together(kid, alg):
    """A12: not one of two is enough."""
    with pytest.raises(InvalidClientError):
        matching_key(parse_key_set(key_set(FIRST)), kid=kid, alg=alg)


def test_a_key_set_by_url_admits_its_client(server: respx.Route, clock: Clock):
    """The request names the host, but goes to the address that was checked."""
    client = clinic(key_set=None, jwks_uri=URL)
    door = Door(client, key_sets=cache_of(clock))

    assert door.admit(assertion({"jku": URL})) == client
    assert door.admit(assertion(claims={"jti": "2"})) == client
    assert server.call_count == 1
    request = server.calls.last.request
    assert request.headers["Host"] == "clinic.example"
    assert request.extensions["sni_hostname"] == "clinic.example"


def test_a_foreign_jku_is_never_fetched(server: respx.Route, clock: Clock):
    """A10: otherwise anyone could make the hub call any address."""
    client = clinic(key_set=None, jwks_uri=URL)
    door = Door(client, key_sets=cache_of(clock))

    with pytest.raises(InvalidClientError, match="jku"):
        door.admit(assertion({"jku": URL + "?"}))
    assert not server.called


def test_rubbish_fetches_no_key_set(server: respx.Route, clock: Clock):
    """What can be refused without a key is."""
    door = Door(clinic(key_set=None, jwks_uri=URL), key_sets=cache_of(clock))

    with pytest.raises(InvalidClientError, match="exp"):
        door.admit(assertion(claims={"exp": 1}))
    assert not server.called


@pytest.mark.parametrize(
    ("headers", "kept_seconds"),
    [
        ({}, 300),
        ({"Cache-Control": "max-age=20"}, 20),
        ({"Cache-Control": "public, Max-Age=20, must-revalidate"}, 20),
        ({"Cache-Control": "s-maxage=900, max-age=20"}, 20),
        ({"Cache-Control": "max-age=20", "Age": "15"}, 5),
        ({"Cache-Control": "max-age=99999"}, 3600),
        ({"Cache-Control": "public"}, 300),
    ],
)
def test_a_set_is_kept_as_long_as_its_server_says(
    server: respx.Route, clock: Clock, headers, kept_seconds
):
    """A13: not a second longer, and never more than an hour."""
    server.respond(json={"keys": [FIRST]}, headers=headers)
    cache = cache_of(clock)
    cache.keys(URL, kid="k1")

    clock.pass_by(kept_seconds - 0.5)
    cache.keys(URL, kid="k1")
    assert server.call_count == 1
    clock.pass_by(0.5)
    cache.keys(URL, kid="k1")
    assert server.call_count == 2


@pytest.mark.parametrize(
    "cache_control", ["no-store", "no-cache, max-age=60", "max-age=0"]
)
def test_a_set_that_may_not_be_kept_is_fetched_each_time(
    server: respx.Route, clock: Clock, cache_control
):
    """A13 again: the clinic decides."""
    server.respond(json={"keys": [FIRST]}, headers={"Cache-Control": cache_control})
    cache = cache_of(clock)

    for _ in range(3):
        cache.keys(URL, kid="k1")

    assert server.call_count == 3


def test_a_rotated_key_works_at_once_and_the_old_one_stops_with_it(
    server: respx.Route, clock: Clock
):
    """An unknown kid fetches the set anew although the kept one is fresh."""
    cache = cache_of(clock)
    cache.keys(URL, kid="k1")
    server.respond(json={"keys": [SECOND]})

    assert set(cache.keys(URL, kid="k2")) == {"k2"}
    assert "k1" not in cache.keys(URL, kid="k1")


def test_a_removed_key_stops_working_when_the_set_expires(
    server: respx.Route, clock: Clock
):
    """This is how a clinic takes back a stolen key."""
    server.respond(
        json={"keys": [FIRST, SECOND]}, headers={"Cache-Control": "max-age=1"}
    )
    cache = cache_of(clock)
    assert set(cache.keys(URL, kid="k1")) == {"k1", "k2"}
    server.respond(json={"keys": [SECOND]})

    clock.pass_by(1)
    assert set(cache.keys(URL, kid="k1")) == {"k2"}


def test_unknown_kids_fetch_the_set_once_in_ten_seconds(
    server: respx.Route, clock: Clock
):
    """Names cost nothing to invent; requests to a clinic's server do."""
    cache = cache_of(clock)
    for kid in ("k1", "a", "b", "c"):
        cache.keys(URL, kid=kid)
    assert server.call_count == 2

    clock.pass_by(10)
    cache.keys(URL, kid="d")
    assert server.call_count == 3


def test_a_first_fetch_without_the_kid_is_not_repeated(
    server: respx.Route, clock: Clock
):
    """What was just fetched will not have changed."""
    cache_of(clock).keys(URL, kid="unknown")

    assert server.call_count == 1


def test_a_failed_renewal_keeps_nothing_past_its_time(
    server: respx.Route, clock: Clock
):
    """Within its time a set outlives a failure; after it, nobody gets in."""
    cache = cache_of(clock)
    cache.keys(URL, kid="k1")
    server.respond(503)

    assert set(cache.keys(URL, kid="k2")) == {"k1"}
    clock.pass_by(300)
    with pytest.raises(InvalidClientError):
        cache.keys(URL, kid="k1")
    server.respond(json={"keys": [FIRST]})
    assert set(cache.keys(URL, kid="k1")) == {"k1"}


def test_many_at_once_share_one_fetch_and_its_failure(
    server: respx.Route, clock: Clock
):
    """A slow server costs one request, not one for each caller."""
    failures: list[InvalidClientError] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        while len(clock.threads) < 8:
            time.sleep(0.001)
        clock.pass_by(0.001)
        return httpx.Response(500)

    def ask() -> None:
        try:
            cache.keys(URL, kid="k1")
        except InvalidClientError as error:
            failures.append(error)

    server.side_effect = answer
    cache = cache_of(clock)
    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(failures) == 8
    assert server.call_count == 1


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(302, headers={"Location": URL + "?moved"}),
        httpx.Response(404),
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, json={"keys": []}),
        httpx.Response(200, json={"keys": [FIRST | {"d": "c2VjcmV0"}]}),
        httpx.Response(200, text=json.dumps({"keys": [FIRST]}) + " " * 65536),
        httpx.ConnectError("down"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("odd"),
    ],
)
def test_no_answer_but_a_sound_small_set_is_used(
    server: respx.Route, clock: Clock, response
):
    """Redirecting, failing, huge, private: all the same to whoever asks."""
    is_response = isinstance(response, httpx.Response)
    server.mock(**{"return_value" if is_response else "side_effect": response})

    with pytest.raises(InvalidClientError, match="cannot be fetched or is not valid"):
        cache_of(clock).keys(URL, kid="k1")
    assert server.call_count == 1


def test_a_set_that_drips_is_given_up_after_five_seconds(
    server: respx.Route, clock: Clock
):
    """Each piece in time, the whole never: such a server holds no thread for long."""
    sent = []

    def drip() -> Iterator[bytes]:
        while True:
            clock.pass_by(1)
            sent.append(1)
            yield b" "

    server.side_effect = lambda _request: httpx.Response(200, content=drip())

    with pytest.raises(InvalidClientError):
        cache_of(clock).keys(URL, kid="k1")
    assert len(sent) == 6


def test_no_more_than_64_kb_is_read(server: respx.Route, clock: Clock):
    """The hub's memory is not the clinic's to fill."""
    sent = []

    def pour() -> Iterator[bytes]:
        for _ in range(1000):
            sent.append(1)
            yield b" " * 1024

    server.side_effect = lambda _request: httpx.Response(200, content=pour())

    with pytest.raises(InvalidClientError):
        cache_of(clock).keys(URL, kid="k1")
    assert len(sent) == 65


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.7",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a00:7",
        "2002:a00:7::",
    ],
)
def test_a_name_of_an_inner_address_is_never_asked(
    server: respx.Route, clock: Clock, address
):
    """One inner address among the host's is enough; nothing is sent at all."""
    with pytest.raises(InvalidClientError):
        cache_of(clock, ADDRESS, address).keys(URL, kid="k1")
    assert not server.called


def test_the_next_address_is_tried_where_one_does_not_answer(
    server: respx.Route, clock: Clock
):
    """A host of two protocols may be reachable by one."""
    respx.get("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/keys/jwks.json").mock(
        side_effect=httpx.ConnectError("no route")
    )
    cache = cache_of(clock, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", ADDRESS)

    assert set(cache.keys(URL, kid="k1")) == {"k1"}
    assert server.called


@pytest.mark.parametrize(
    ("url", "dev_mode"),
    [
        ("http://clinic.example/jwks", True),
        ("ftp://clinic.example/jwks", True),
        ("https://user@clinic.example/jwks", True),
        ("https:///jwks", True),
        ("jwks", True),
        ("https://[::1", True),
        ("https://localhost/jwks", False),
        ("http://127.0.0.1/jwks", False),
        ("https://[::1]/jwks", False),
        ("file://localhost/jwks", True),
    ],
)
def test_an_address_that_may_not_be_registered_is_not_fetched_either(
    clock: Clock, url, dev_mode
):
    """Both ends hold the rule: a row may be older than the rule, or the mode."""
    with respx.mock, pytest.raises(InvalidClientError):
        cache_of(clock, "127.0.0.1", dev_mode=dev_mode).keys(url, kid="k1")


def test_this_machine_may_be_named_in_dev_mode(clock: Clock):
    """The demo and the tests of a clinic run everything on one machine."""
    with respx.mock:
        respx.get("http://127.0.0.1:8001/jwks").respond(json={"keys": [FIRST]})
        cache = cache_of(clock, "127.0.0.1", dev_mode=True)

        assert set(cache.keys("http://localhost:8001/jwks", kid="k1")) == {"k1"}


def test_a_name_of_this_machine_that_resolves_elsewhere_is_refused(clock: Clock):
    """Dev mode opens loopback, and nothing beyond it."""
    with respx.mock, pytest.raises(InvalidClientError):
        cache_of(clock, "10.0.0.7", dev_mode=True).keys("http://localhost/j", kid="k1")
    with respx.mock, pytest.raises(InvalidClientError):
        cache_of(clock, "127.0.0.1", dev_mode=True).keys(URL, kid="k1")


def test_an_rsa_set_by_url_admits_its_client(server: respx.Route, clock: Clock):
    """The same door for both algorithms."""
    server.respond(json={"keys": [jwk_of(rsa_key(), kid="k1", alg="RS384")]})
    client = clinic(key_set=None, jwks_uri=URL)
    door = Door(client, key_sets=cache_of(clock))

    assert door.admit(assertion({"alg": "RS384"}, key=rsa_key())) == client

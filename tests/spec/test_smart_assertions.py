"""
Who gets a token: SMART's asymmetric client authentication, one fault at a time.

Each fault is the only one of an assertion that is otherwise good, and the reason must
be its own. The letters A5 to A12 stand for SMART App Launch 2.2.0, "Authentication of
the client": header, parties, audience, expiry, jti, jku, key choice.
"""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384

from app.domain.clinics import ClientStatus
from app.smart.errors import InvalidClientError
from app.smart.vocabulary import AuthMethod
from tests.reference.faults import FAULTS, Fault
from tests.reference.jwts import b64url, jwk_of, jwt_of
from tests.reference.parties import (
    EC_KEY,
    NOW,
    STRANGER,
    TOKEN_URL,
    Door,
    assertion,
    claims_of,
    clinic,
    header_of,
    key_set,
    rsa_key,
)

ACCEPTED = [
    ({}, {"exp": NOW + 300}),
    ({}, {"exp": NOW + 1}),
    ({}, {"aud": ["https://other.example", TOKEN_URL]}),
    ({}, {"iat": NOW + 60, "nbf": NOW + 60}),
    ({}, {"iat": NOW - 9999}),
    ({}, {"jti": "j" * 255}),
    ({"cty": "anything", "x-vendor": {"a": 1}}, {"extension": [1]}),
]


def refusal_of(door: Door, text: str, *, now: int = NOW) -> str:
    """Return why *text* is refused; nothing may be spent by it."""
    before = set(door.spent)

    with pytest.raises(InvalidClientError) as refusal:
        door.admit(text, now=now)

    assert refusal.value.code == "invalid_client"
    assert door.spent == before
    return refusal.value.message


def test_a_good_assertion_of_an_ec_key_is_admitted():
    """ES384, the shorter and quicker of SMART's two algorithms."""
    assert Door().admit(assertion()) == clinic()


def test_a_good_assertion_of_an_rsa_key_is_admitted():
    """RS384, which every EHR can do."""
    client = clinic(key_set=key_set(jwk_of(rsa_key(), kid="k1")))

    assert Door(client).admit(assertion({"alg": "RS384"}, key=rsa_key())) == client


@pytest.mark.parametrize(("header", "claims"), ACCEPTED)
def test_what_the_rules_leave_open_is_admitted(header, claims):
    """Each of these stands just inside a limit or is nobody's business."""
    assert Door().admit(assertion(header, claims)) == clinic()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.mutation)
def test_one_fault_alone_is_refused(fault: Fault):
    """A5 to A12: header, parties, audience, lifetime, jti, and which key."""
    door = Door(clinic(), clinic(client_id="clinic-b"))

    assert fault.reason in refusal_of(door, fault.assertion())


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_part_breaks_the_signature(part):
    """The same JSON spelled with one space more is another message."""
    parts = assertion().split(".")
    loose = [json.dumps(header_of()), json.dumps(claims_of())]
    other = [b64url(loose[0].encode()), b64url(loose[1].encode()), b64url(b"s" * 96)]
    parts[part] = other[part]

    assert refusal_of(Door(), ".".join(parts)) == "The signature does not verify"


def test_a_signature_in_der_does_not_verify():
    """JWS wants r and s side by side (RFC 7518, 3.4)."""
    signing_input = assertion().rpartition(".")[0]
    der = EC_KEY.sign(signing_input.encode(), ec.ECDSA(SHA384()))

    assert "signature" in refusal_of(Door(), f"{signing_input}.{b64url(der)}")


def test_an_rsa_key_does_not_answer_for_es384():
    """A12: the key's type must suit the algorithm."""
    client = clinic(key_set=key_set(jwk_of(rsa_key(), kid="k1")))

    assert "No registered key" in refusal_of(Door(client), assertion())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a.b",
        assertion().rpartition(".")[0],
        assertion() + ".",
        assertion().replace(".", "=.", 1),
        "é" + assertion(),
        jwt_of("[]", claims_of(), EC_KEY),
        jwt_of(header_of(), '"claims"', EC_KEY),
        jwt_of('{"alg":"none","alg":"ES384","typ":"JWT","kid":"k1"}', {}, EC_KEY),
        jwt_of(header_of(), '{"exp":1,"exp":2}', EC_KEY),
        jwt_of(header_of(), '{"exp":NaN}', EC_KEY),
        jwt_of(header_of(), "[" * 5000, EC_KEY),
    ],
)
def test_what_is_no_jwt_with_distinct_members_is_refused(text):
    """Two readers of a repeated member may believe different things."""
    assert refusal_of(Door(), text).startswith("The assertion is not a JWT")


def test_an_assertion_has_at_most_8192_characters():
    """Whoever asks decides how much work he makes, up to here."""
    spare = 8192 - len(assertion(claims={"pad": ""}))
    longest = assertion(claims={"pad": "p" * (spare * 3 // 4)})

    assert 8188 <= len(longest) <= 8192
    assert Door().admit(longest) == clinic()
    too_long = assertion(claims={"pad": "p" * (spare * 3 // 4 + 4)})
    assert "8192" in refusal_of(Door(), too_long)


@pytest.mark.parametrize("status", [ClientStatus.PENDING, ClientStatus.REVOKED])
def test_a_client_that_is_not_active_is_refused(status: ClientStatus):
    """Its keys may be fine; its registration is not."""
    assert "not approved" in refusal_of(Door(clinic(status=status)), assertion())


def test_a_client_with_a_secret_does_not_sign():
    """Only by the way that it registered."""
    secret = clinic(auth_method=AuthMethod.CLIENT_SECRET_POST)

    assert "register keys" in refusal_of(Door(secret), assertion())


def test_a_jti_is_good_once():
    """A9: the second time is a replay, however good the rest is."""
    door = Door()
    text = assertion()
    door.admit(text)

    assert refusal_of(door, text) == "jti was used before"
    assert door.admit(assertion(claims={"jti": "twice"})) == clinic()


def test_two_clients_may_use_the_same_jti():
    """A jti is the issuer's own."""
    door = Door(clinic(), clinic(client_id="clinic-b"))
    other = assertion(claims={"iss": "clinic-b", "sub": "clinic-b"})

    assert door.admit(assertion()).client_id == "clinic-a"
    assert door.admit(other).client_id == "clinic-b"


def test_a_refused_assertion_does_not_spend_its_jti():
    """Nobody can burn another's jti without his key."""
    door = Door()
    refusal_of(door, assertion(key=STRANGER))

    assert door.admit(assertion()) == clinic()


def test_a_key_set_that_went_bad_is_the_clients_problem():
    """Registration refuses such a set; should one be there, nobody gets in."""
    refusal = refusal_of(Door(clinic(key_set='{"keys":[]}')), assertion())

    assert refusal == "The registered key set is not valid"

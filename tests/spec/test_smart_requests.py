"""The form of a token request, what may be registered, and what is announced."""

import base64
from typing import Any
from urllib.parse import quote_plus

import pytest

from app.domain.errors import InvalidElementError
from app.smart.credentials import Assertion, Secret, parse_form
from app.smart.discovery import smart_configuration
from app.smart.errors import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)
from app.smart.registration import check_registration
from app.smart.token_requests import TokenRequest, parse_token_request
from app.smart.vocabulary import AuthMethod
from tests.reference.jwts import ABSENT, changed, jwk_of
from tests.reference.parties import EC_KEY, clinic, key_set

FORM = {
    "grant_type": "client_credentials",
    "scope": "system/Observation.cud",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "a.b.c",
}


def request(*, authorization: str | None = None, **changes: Any) -> TokenRequest:
    """Return what a form says that is good but for *changes*."""
    pairs = changed(FORM, **changes).items()
    return parse_token_request(parse_form(pairs), authorization=authorization)


def basic(client_id: str, secret: str) -> str:
    """Return a Basic header, as RFC 6749 2.3.1 has it."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def test_a_token_request_names_the_assertion_and_the_scope():
    """Parameters that are not known are ignored (RFC 6749, 3.2)."""
    assert request(resource="x", client_id="") == TokenRequest(
        credentials=Assertion(text="a.b.c"), scope="system/Observation.cud"
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": ABSENT}, InvalidRequestError),
        ({"grant_type": ""}, InvalidRequestError),
        ({"grant_type": "authorization_code"}, UnsupportedGrantTypeError),
        ({"scope": "s" * 4097}, InvalidScopeError),
        ({"client_assertion_type": ABSENT}, InvalidClientError),
        ({"client_assertion_type": "jwt-bearer"}, InvalidClientError),
        ({"client_assertion": ABSENT}, InvalidClientError),
        ({"client_assertion": ""}, InvalidClientError),
    ],
)
def test_each_parameter_is_needed_and_has_its_own_error(changes, error):
    """A2 and A3; no client authentication is ``invalid_client`` (RFC 6749, 5.2)."""
    with pytest.raises(error):
        request(**changes)


@pytest.mark.parametrize("scope", [ABSENT, ""])
def test_whether_a_scope_is_needed_depends_on_the_client(scope):
    """It is known only once the client is; an empty one is none (RFC 6749, 3.2)."""
    assert request(scope=scope).scope is None


def test_a_repeated_parameter_is_refused():
    """Which of two assertions was meant is not for the hub to choose."""
    with pytest.raises(InvalidRequestError):
        parse_form([*FORM.items(), ("client_assertion", "d.e.f")])


NO_ASSERTION: dict[str, Any] = {
    "client_assertion_type": ABSENT,
    "client_assertion": ABSENT,
}


@pytest.mark.parametrize(
    ("client_id", "secret"), [("app", "s3cret"), ("a:b", "c:d"), ("ä +%", "&= %41")]
)
def test_a_secret_comes_in_a_header_or_in_the_form(client_id: str, secret: str):
    """In a header each part is encoded as in a form (RFC 6749, 2.3.1)."""
    by_header = request(**NO_ASSERTION, authorization=basic(client_id, secret))
    by_form = request(**NO_ASSERTION, client_id=client_id, client_secret=secret)

    assert by_header.credentials == Secret(
        client_id=client_id, secret=secret, method=AuthMethod.CLIENT_SECRET_BASIC
    )
    assert by_form.credentials == Secret(
        client_id=client_id, secret=secret, method=AuthMethod.CLIENT_SECRET_POST
    )
    assert secret not in repr(by_header)


@pytest.mark.parametrize(
    ("authorization", "changes"),
    [
        (basic("app", "s"), {}),
        (basic("app", "s"), {**NO_ASSERTION, "client_secret": "s"}),
        (basic("app", "s"), {"client_assertion": ABSENT}),
        (None, {"client_id": "app", "client_secret": "s"}),
    ],
)
def test_two_ways_at_once_are_refused(authorization, changes):
    """RFC 6749, 2.3: which of them was meant is not for the hub to choose."""
    with pytest.raises(InvalidRequestError):
        request(**changes, authorization=authorization)


@pytest.mark.parametrize(
    ("authorization", "changes"),
    [
        ("Basic", {}),
        ("Basic !", {}),
        ("Basic w6Q6cw==", {}),
        ("Basic OnM=", {}),
        (basic("a\0", "s"), {}),
        (basic("a" * 256, "s"), {}),
        (None, {"client_secret": "s"}),
        (None, {"client_secret": "s", "client_id": "a\0"}),
        ("Bearer x.y.z", {}),
    ],
)
def test_incomplete_credentials_are_none(authorization, changes):
    """Nothing that a database could fail on gets as far as that."""
    with pytest.raises(InvalidClientError):
        request(**NO_ASSERTION, **changes, authorization=authorization)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scopes": ("system/*.read", "system/bulk-submit")},
        {"key_set": None, "jwks_uri": "https://clinic.example/jwks.json"},
    ],
)
def test_a_client_registers_keys_and_scopes(changes):
    """The set itself, or where it is."""
    check_registration(clinic(**changes), dev_mode=False)


@pytest.mark.parametrize(
    ("changes", "expression"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "c" * 65}, "client_id"),
        ({"client_id": "clinic\n"}, "client_id"),
        ({"key_set": None}, "jwks"),
        ({"jwks_uri": "https://clinic.example/jwks.json"}, "jwks"),
        ({"key_set": "{}"}, "keys"),
        ({"key_set": key_set(jwk_of(EC_KEY, kid="k1", use="enc"))}, "keys"),
        ({"key_set": key_set(jwk_of(EC_KEY, kid="k1", d="x"))}, "keys[0]"),
        ({"key_set": None, "jwks_uri": "http://clinic.example/jwks"}, "jwks_uri"),
        ({"key_set": None, "jwks_uri": "https://localhost/jwks"}, "jwks_uri"),
        ({"key_set": None, "jwks_uri": "https://u@clinic.example/j"}, "jwks_uri"),
        ({"key_set": None, "jwks_uri": "https:///jwks"}, "jwks_uri"),
        ({"key_set": None, "jwks_uri": "https://[::1"}, "jwks_uri"),
        ({"scopes": ()}, "scopes"),
        ({"scopes": ("system/Observation.",)}, "scopes"),
        ({"scopes": ("system/Observation.cud", "openid")}, "scopes"),
        ({"scopes": ("system/Observation.r?patient=1",)}, "scopes"),
        ({"key_set": None, "jwks_uri": "https://clinic.example/\u202e"}, "jwks_uri"),
        ({"key_set": None, "jwks_uri": "https://c.example/" + "j" * 2000}, "jwks_uri"),
        ({"key_set": key_set(*2 * [jwk_of(EC_KEY, kid="k1")])}, "keys[1].kid"),
        ({"key_set": key_set({"kty": "oct", "kid": "k", "k": "c2s"})}, "keys[0]"),
        ({"secret_hash": b"s"}, "token_endpoint_auth_method"),
        ({"auth_method": AuthMethod.CLIENT_SECRET_POST}, "token_endpoint_auth_method"),
        (
            {"auth_method": AuthMethod.CLIENT_SECRET_BASIC, "key_set": None},
            "client_secret",
        ),
    ],
)
def test_a_client_that_could_not_be_served_is_not_registered(changes, expression):
    """Better the coordinator learns it now than the clinic in the night."""
    with pytest.raises(InvalidElementError) as refusal:
        check_registration(clinic(**changes), dev_mode=False)

    assert refusal.value.expression == expression


def test_a_url_on_this_machine_is_registered_in_dev_mode_only():
    """The mode is the caller's to know."""
    local = clinic(key_set=None, jwks_uri="http://localhost:8001/jwks.json")

    check_registration(local, dev_mode=True)
    with pytest.raises(InvalidElementError):
        check_registration(local, dev_mode=False)


def test_discovery_announces_backend_services_and_nothing_else():
    """SMART 2.2.0, Conformance: no authorization endpoint, so no issuer."""
    methods = ["private_key_jwt", "client_secret_basic", "client_secret_post"]

    assert smart_configuration(
        token_endpoint="https://hub.example/oauth/token",
        introspection_endpoint="https://hub.example/oauth/introspect",
        revocation_endpoint="https://hub.example/oauth/revoke",
        registration_endpoint="https://hub.example/oauth/register",
    ) == {
        "token_endpoint": "https://hub.example/oauth/token",
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "introspection_endpoint": "https://hub.example/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": "https://hub.example/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": methods,
        "registration_endpoint": "https://hub.example/oauth/register",
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": [
            "system/Condition.crud",
            "system/Encounter.crud",
            "system/Observation.crud",
            "system/Patient.crud",
            "system/Measure.rs",
            "system/MeasureReport.rs",
            "system/bulk-submit",
            "system/purge",
        ],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "client-confidential-asymmetric",
            "client-confidential-symmetric",
            "permission-v1",
            "permission-v2",
        ],
    }

"""The form of a token request, what may be registered, and what is announced."""

import pytest

from app.domain.errors import InvalidElementError
from app.smart.discovery import smart_configuration
from app.smart.errors import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)
from app.smart.registration import check_registration
from app.smart.token_requests import TokenRequest, parse_token_request
from tests.reference.jwts import ABSENT, changed, jwk_of
from tests.reference.parties import EC_KEY, clinic, key_set

FORM = {
    "grant_type": "client_credentials",
    "scope": "system/Observation.cud",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "a.b.c",
}


def form(**changes: object) -> list[tuple[str, str]]:
    return list(changed(FORM, **changes).items())


def test_a_token_request_names_the_assertion_and_the_scope():
    """Parameters that are not known are ignored (RFC 6749, 3.2)."""
    assert parse_token_request(form(resource="x", client_id="")) == TokenRequest(
        client_assertion="a.b.c", scope="system/Observation.cud"
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": ABSENT}, InvalidRequestError),
        ({"grant_type": ""}, InvalidRequestError),
        ({"grant_type": "authorization_code"}, UnsupportedGrantTypeError),
        ({"scope": ABSENT}, InvalidScopeError),
        ({"scope": ""}, InvalidScopeError),
        ({"scope": "s" * 4097}, InvalidScopeError),
        ({"client_assertion_type": ABSENT}, InvalidClientError),
        ({"client_assertion_type": "jwt-bearer"}, InvalidClientError),
        ({"client_assertion": ABSENT}, InvalidClientError),
        ({"client_assertion": ""}, InvalidClientError),
    ],
)
def test_each_parameter_is_needed_and_has_its_own_error(changes, error):
    """A2 to A4; no client authentication is ``invalid_client`` (RFC 6749, 5.2)."""
    with pytest.raises(error):
        parse_token_request(form(**changes))


def test_a_repeated_parameter_is_refused():
    """Which of two assertions was meant is not for the hub to choose."""
    with pytest.raises(InvalidRequestError):
        parse_token_request([*form(), ("client_assertion", "d.e.f")])


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
    assert smart_configuration(token_endpoint="https://hub.example/oauth/token") == {
        "token_endpoint": "https://hub.example/oauth/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": [
            "system/Condition.crud",
            "system/Encounter.crud",
            "system/Observation.crud",
            "system/Patient.crud",
            "system/Measure.rs",
            "system/MeasureReport.rs",
            "system/purge",
        ],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "client-confidential-asymmetric",
            "permission-v1",
            "permission-v2",
        ],
    }


def test_discovery_announces_further_endpoints_where_they_exist():
    """Each by its own."""
    announced = smart_configuration(
        token_endpoint="https://hub.example/oauth/token",
        introspection_endpoint="https://hub.example/oauth/introspect",
    )

    assert announced["introspection_endpoint"] == "https://hub.example/oauth/introspect"
    assert "revocation_endpoint" not in announced

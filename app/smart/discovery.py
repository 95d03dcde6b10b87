"""What SMART clients may know of this hub before they have a token."""

from typing import Any

from app.smart.assertions import ALGORITHMS
from app.smart.scopes import SUPPORTED
from app.smart.vocabulary import GRANT_TYPE, AuthMethod


def smart_configuration(
    *,
    token_endpoint: str,
    introspection_endpoint: str,
    revocation_endpoint: str,
    registration_endpoint: str,
) -> dict[str, Any]:
    """
    Return the hub's ``.well-known/smart-configuration``; all URLs are absolute.

    There are no users to sign in, hence no authorization endpoint and no issuer.

    Source: SMART App Launch 2.2.0, Conformance; RFC 8414 2.
    """
    methods = [method.value for method in AuthMethod]
    return {
        "token_endpoint": token_endpoint,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint": introspection_endpoint,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": revocation_endpoint,
        "revocation_endpoint_auth_methods_supported": methods,
        "registration_endpoint": registration_endpoint,
        "grant_types_supported": [GRANT_TYPE],
        "scopes_supported": list(SUPPORTED),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "client-confidential-asymmetric",
            "client-confidential-symmetric",
            "permission-v1",
            "permission-v2",
        ],
    }

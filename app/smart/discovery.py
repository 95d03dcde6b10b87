"""What SMART clients may know of this hub before they have a token."""

from typing import Any

from app.smart.assertions import ALGORITHMS
from app.smart.scopes import SUPPORTED
from app.smart.token_requests import GRANT_TYPE


def smart_configuration(
    *,
    token_endpoint: str,
    introspection_endpoint: str | None = None,
    revocation_endpoint: str | None = None,
) -> dict[str, Any]:
    """
    Return the hub's ``.well-known/smart-configuration``; all URLs are absolute.

    There are no users to sign in, hence no authorization endpoint and no issuer.

    Source: SMART App Launch 2.2.0, Conformance.
    """
    configuration: dict[str, Any] = {
        "token_endpoint": token_endpoint,
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": list(SUPPORTED),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "client-confidential-asymmetric",
            "permission-v1",
            "permission-v2",
        ],
    }
    optional = {
        "introspection_endpoint": introspection_endpoint,
        "revocation_endpoint": revocation_endpoint,
    }
    return configuration | {name: url for name, url in optional.items() if url}

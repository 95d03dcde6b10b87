"""What the form of a token request says, before anyone is believed."""

from collections.abc import Iterable

import msgspec

from app.smart.errors import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# A granted scope stands in the token, and that in a header of each request.
MAX_SCOPE_LENGTH = 4096


class TokenRequest(msgspec.Struct, frozen=True):
    """Who asks, to be verified, and for which scopes."""

    client_assertion: str
    scope: str


def parse_token_request(form: Iterable[tuple[str, str]]) -> TokenRequest:
    """
    Return what the parameters of a form ask for.

    A parameter without a value counts as missing; unknown ones are ignored, repeated
    ones refused (RFC 6749 3.2). SMART requires a scope, so there is no default one.

    Raises:
        OAuthError: the subclass says what is missing, repeated or not supported.

    """
    pairs = [(name, value) for name, value in form if value]
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        msg = "A parameter is repeated"
        raise InvalidRequestError(msg)
    if "grant_type" not in parameters:
        msg = "grant_type is missing"
        raise InvalidRequestError(msg)
    if parameters["grant_type"] != GRANT_TYPE:
        msg = "grant_type must be client_credentials"
        raise UnsupportedGrantTypeError(msg)
    if "scope" not in parameters:
        msg = "scope is missing"
        raise InvalidScopeError(msg)
    if len(parameters["scope"]) > MAX_SCOPE_LENGTH:
        msg = "scope is longer than 4096 characters"
        raise InvalidScopeError(msg)
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        msg = f"client_assertion_type must be {ASSERTION_TYPE}"
        raise InvalidClientError(msg)
    if "client_assertion" not in parameters:
        msg = "client_assertion is missing"
        raise InvalidClientError(msg)
    return TokenRequest(parameters["client_assertion"], parameters["scope"])

"""What the form of a token request says, before anyone is believed."""

from collections.abc import Mapping

import msgspec

from app.smart.credentials import Credentials, parse_credentials
from app.smart.errors import (
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)
from app.smart.vocabulary import GRANT_TYPE

# A granted scope stands in the token, and that in a header of each request.
MAX_SCOPE_LENGTH = 4096


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, to be verified, and for which scopes."""

    credentials: Credentials
    scope: str


def parse_token_request(
    parameters: Mapping[str, str], *, authorization: str | None = None
) -> TokenRequest:
    """
    Return what the parameters of a form ask for; unknown ones are ignored.

    SMART requires a scope, so there is no default one.

    Raises:
        OAuthError: the subclass says what is missing or not supported.

    """
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
    return TokenRequest(
        credentials=parse_credentials(parameters, authorization=authorization),
        scope=parameters["scope"],
    )

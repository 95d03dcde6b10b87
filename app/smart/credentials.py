"""How a client says who it is, before anyone is believed: an assertion or a secret."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus

import msgspec
from typing_extensions import override

from app.smart.documents import is_name
from app.smart.errors import InvalidClientError, InvalidRequestError
from app.smart.vocabulary import ASSERTION_TYPE, AuthMethod


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """A signed assertion; *client_id* where the form names the client beside it."""

    text: str
    client_id: str | None = None


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A client's id and secret, and by which of the two ways they came."""

    client_id: str
    secret: str
    method: AuthMethod

    @override
    def __repr__(self) -> str:
        """Return nothing of the secret: a representation may end in a log."""
        return f"Secret({self.method})"


Credentials = Assertion | Secret


def parse_form(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    Return the parameters of a form.

    A parameter without a value counts as missing; repeated ones are refused
    (RFC 6749 3.2).

    Raises:
        InvalidRequestError: a parameter is repeated.

    """
    stated = [(name, value) for name, value in pairs if value]
    parameters = dict(stated)
    if len(parameters) != len(stated):
        msg = "A parameter is repeated"
        raise InvalidRequestError(msg)
    return parameters


def parse_credentials(
    parameters: Mapping[str, str], *, authorization: str | None
) -> Credentials:
    """
    Return the one thing by which a request says who sends it.

    *authorization* is the request's header; a scheme other than Basic is not looked at.

    Raises:
        InvalidClientError: there is nothing, or it is incomplete or malformed.
        InvalidRequestError: there is more than one (RFC 6749 2.3).

    """
    scheme, _, basic = (authorization or "").partition(" ")
    is_basic = scheme.lower() == "basic"
    has_assertion = bool(
        {"client_assertion", "client_assertion_type"} & parameters.keys()
    )
    if is_basic + has_assertion + ("client_secret" in parameters) > 1:
        msg = "A client authenticates in one way only"
        raise InvalidRequestError(msg)
    if is_basic:
        return _basic(basic, named=parameters.get("client_id"))
    if "client_secret" in parameters:
        return _posted(parameters)
    return _assertion(parameters)


def _assertion(parameters: Mapping[str, str]) -> Assertion:
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        msg = f"client_assertion_type must be {ASSERTION_TYPE}"
        raise InvalidClientError(msg)
    if "client_assertion" not in parameters:
        msg = "client_assertion is missing"
        raise InvalidClientError(msg)
    return Assertion(
        text=parameters["client_assertion"], client_id=parameters.get("client_id")
    )


def _posted(parameters: Mapping[str, str]) -> Secret:
    return _secret(
        parameters.get("client_id"),
        parameters["client_secret"],
        method=AuthMethod.CLIENT_SECRET_POST,
    )


def _basic(encoded: str, *, named: str | None) -> Secret:
    """Return the id and secret of a Basic header, each encoded as in a form."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        msg = "The Authorization header is malformed"
        raise InvalidClientError(msg) from None
    client_id, secret = map(unquote_plus, text.partition(":")[::2])
    if named not in {None, client_id}:
        msg = "client_id is not the client of the Authorization header"
        raise InvalidClientError(msg)
    return _secret(client_id, secret, method=AuthMethod.CLIENT_SECRET_BASIC)


def _secret(client_id: str | None, secret: str, *, method: AuthMethod) -> Secret:
    if not is_name(client_id):
        msg = "client_id is missing or not a short string"
        raise InvalidClientError(msg)
    return Secret(client_id=client_id, secret=secret, method=method)

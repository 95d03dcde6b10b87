"""What a client says of itself when it registers, before anyone looked at it."""

import json
from typing import Any

import msgspec

from app.smart.documents import parse_document
from app.smart.errors import InvalidClientMetadataError
from app.smart.vocabulary import GRANT_TYPE, AuthMethod

_TEXTS = (
    "client_name",
    "jwks_uri",
    "scope",
    "token_endpoint_auth_method",
)


class ClientMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of it; ``key_set`` is the text of its ``jwks``."""

    auth_method: AuthMethod
    scopes: tuple[str, ...]
    client_name: str | None = None
    key_set: str | None = None
    jwks_uri: str | None = None
    contacts: tuple[str, ...] = ()


def parse_client_metadata(body: bytes) -> ClientMetadata:
    """
    Return the client metadata in *body*; members not known here are ignored.

    A method that is not stated is ``private_key_jwt`` where there are keys, which the
    standard lets a server put in, and else ``client_secret_basic``, its default.

    Raises:
        InvalidClientMetadataError: a member is of another type than the standard's, or
            asks for what this hub does not do.

    Source: RFC 7591 2.

    """
    try:
        document = parse_document(body)
    except ValueError:
        msg = "The body is not a JSON object of distinct members"
        raise InvalidClientMetadataError(msg) from None
    texts = {name: _text(document, name) for name in _TEXTS}
    grants = _list(document, "grant_types")
    if grants and GRANT_TYPE not in grants:
        msg = f"grant_types: {GRANT_TYPE} is the one there is"
        raise InvalidClientMetadataError(msg)
    has_keys = bool(document.keys() & {"jwks", "jwks_uri"})
    usual = AuthMethod.PRIVATE_KEY_JWT if has_keys else AuthMethod.CLIENT_SECRET_BASIC
    return ClientMetadata(
        auth_method=_auth_method(texts["token_endpoint_auth_method"] or usual),
        scopes=tuple((texts["scope"] or "").split()),
        client_name=texts["client_name"],
        key_set=_key_set(document),
        jwks_uri=texts["jwks_uri"],
        contacts=_list(document, "contacts"),
    )


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        msg = f"{name} is not a string"
        raise InvalidClientMetadataError(msg)
    return value


def _list(document: dict[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name, [])
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        msg = f"{name} is not an array of strings"
        raise InvalidClientMetadataError(msg)
    return tuple(values)


def _auth_method(name: str) -> AuthMethod:
    try:
        return AuthMethod(name)
    except ValueError:
        msg = f"token_endpoint_auth_method is one of {', '.join(AuthMethod)}"
        raise InvalidClientMetadataError(msg) from None


def _key_set(document: dict[str, Any]) -> str | None:
    if "jwks" not in document:
        return None
    if not isinstance(document["jwks"], dict):
        msg = "jwks is not a JSON object"
        raise InvalidClientMetadataError(msg)
    return json.dumps(document["jwks"])

"""What is registered of a client, and what may be."""

import msgspec

from app.domain.errors import InvalidElementError
from app.smart.documents import is_name
from app.smart.fetches import FetchError, parse_url
from app.smart.key_sets import parse_key_set
from app.smart.scopes import is_scope

MAX_CLIENT_ID = 64


class RegisteredClient(msgspec.Struct, frozen=True, kw_only=True):
    """
    A client as it was registered; exactly one of ``key_set`` and ``jwks_uri`` is set.

    ``key_set`` is the text of a JWK Set, ``scopes`` are those it was pre-authorised
    for.
    """

    client_id: str
    scopes: tuple[str, ...]
    key_set: str | None = None
    jwks_uri: str | None = None
    revoked: bool = False


def check_registration(client: RegisteredClient, *, dev_mode: bool) -> None:
    """
    Refuse a client that could not be served, before it is registered.

    The key set behind a ``jwks_uri`` is not fetched here. *dev_mode* allows a URL on
    this machine.

    Raises:
        InvalidElementError: a part is missing or wrong; the expression names it.

    """
    if not is_name(client.client_id, max_length=MAX_CLIENT_ID):
        msg = "A client id has 1 to 64 printable characters"
        raise InvalidElementError(msg, expression="client_id")
    if (client.key_set is None) == (client.jwks_uri is None):
        msg = "A client registers either a key set or the URL of one"
        raise InvalidElementError(msg, expression="jwks")
    if client.key_set is not None and not parse_key_set(client.key_set):
        msg = "No key of the set verifies RS384 or ES384"
        raise InvalidElementError(msg, expression="keys")
    if client.jwks_uri is not None:
        _check_url(client.jwks_uri, dev_mode=dev_mode)
    if not client.scopes or not all(map(is_scope, client.scopes)):
        msg = "A client registers SMART scopes of this hub"
        raise InvalidElementError(msg, expression="scopes")


def _check_url(url: str, *, dev_mode: bool) -> None:
    try:
        parse_url(url, dev_mode=dev_mode)
    except FetchError as error:
        raise InvalidElementError(str(error), expression="jwks_uri") from None

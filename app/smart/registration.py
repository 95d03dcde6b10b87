"""What is registered of a client, and what may be."""

import msgspec

from app.domain.clinics import ClientStatus
from app.domain.errors import InvalidElementError
from app.smart.documents import is_name
from app.smart.fetches import FetchError, parse_url
from app.smart.key_sets import parse_key_set
from app.smart.scopes import is_scope
from app.smart.vocabulary import AuthMethod

MAX_CLIENT_ID = 64
MAX_NAME = 200
MAX_URL = 2000
MAX_CONTACTS = 5


class RegisteredClient(msgspec.Struct, frozen=True, kw_only=True):
    """
    A client as it was registered, with the one thing that its *auth_method* needs.

    ``key_set`` is the text of a JWK Set, ``jwks_uri`` the URL of one, ``secret_hash``
    the digest of a secret; ``scopes`` are those it was pre-authorised for.
    """

    client_id: str
    status: ClientStatus
    scopes: tuple[str, ...]
    auth_method: AuthMethod = AuthMethod.PRIVATE_KEY_JWT
    key_set: str | None = None
    jwks_uri: str | None = None
    secret_hash: bytes | None = None

    @property
    def is_active(self) -> bool:
        """Return whether it may ask for tokens."""
        return self.status is ClientStatus.ACTIVE


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
    if client.auth_method.has_secret:
        _check_secret(client)
    else:
        _check_keys(client, dev_mode=dev_mode)
    if not client.scopes or not all(map(is_scope, client.scopes)):
        msg = "A client registers SMART scopes of this hub"
        raise InvalidElementError(msg, expression="scopes")


def check_description(name: str, contacts: tuple[str, ...]) -> None:
    """
    Refuse what could not be shown to an administrator as it is.

    Raises:
        InvalidElementError: a part is too long or not printable.

    """
    if not is_name(name, max_length=MAX_NAME):
        msg = "A client's name has 1 to 200 printable characters"
        raise InvalidElementError(msg, expression="client_name")
    if len(contacts) > MAX_CONTACTS or not all(map(is_name, contacts)):
        msg = "Contacts are at most 5 printable texts"
        raise InvalidElementError(msg, expression="contacts")


def _check_secret(client: RegisteredClient) -> None:
    if client.key_set is not None or client.jwks_uri is not None:
        msg = "A client has a secret or keys, never both"
        raise InvalidElementError(msg, expression="token_endpoint_auth_method")
    if client.secret_hash is None:
        msg = "A client that authenticates by a secret needs one"
        raise InvalidElementError(msg, expression="client_secret")


def _check_keys(client: RegisteredClient, *, dev_mode: bool) -> None:
    if (client.key_set is None) == (client.jwks_uri is None):
        msg = "A client registers either a key set or the URL of one"
        raise InvalidElementError(msg, expression="jwks")
    if client.secret_hash is not None:
        msg = "A client has a secret or keys, never both"
        raise InvalidElementError(msg, expression="token_endpoint_auth_method")
    if client.key_set is not None and not parse_key_set(client.key_set):
        msg = "No key of the set verifies RS384 or ES384"
        raise InvalidElementError(msg, expression="keys")
    if client.jwks_uri is not None:
        _check_url(client.jwks_uri, dev_mode=dev_mode)


def _check_url(url: str, *, dev_mode: bool) -> None:
    if not is_name(url, max_length=MAX_URL):
        msg = "The URL is too long or not printable"
        raise InvalidElementError(msg, expression="jwks_uri")
    try:
        parse_url(url, dev_mode=dev_mode)
    except FetchError as error:
        raise InvalidElementError(str(error), expression="jwks_uri") from None

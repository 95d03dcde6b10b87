"""OAuth's words, as both of its ends spell them."""

from enum import StrEnum

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AuthMethod(StrEnum):
    """How a client proves who it is, by RFC 7591's names."""

    PRIVATE_KEY_JWT = "private_key_jwt"
    CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105  (a method's name)
    CLIENT_SECRET_POST = "client_secret_post"  # noqa: S105  (a method's name)

    @property
    def has_secret(self) -> bool:
        """Return whether it is by a secret that both sides know."""
        return self is not AuthMethod.PRIVATE_KEY_JWT

"""The shapes of the answers of the OAuth endpoints."""

from typing import Any, Literal

from app.routers.answers import Answer


class TokenAnswer(Answer):
    """An access token, and for how many seconds it holds (RFC 6749 section 5.1)."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    scope: str


class TokenProblem(Answer):
    """A refusal of an OAuth endpoint (RFC 6749 section 5.2)."""

    error: str
    error_description: str


class IntrospectionAnswer(Answer):
    """Whether a token holds; only then the rest is there (RFC 7662 section 2.2)."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    exp: int | None = None
    iat: int | None = None
    token_type: str | None = None
    iss: str | None = None
    aud: str | None = None
    sub: str | None = None


class RevocationAnswer(Answer):
    """Nothing: that the status is 200 says all (RFC 7009 section 2.2)."""


class RegistrationAnswer(Answer):
    """A client as it was registered (RFC 7591 section 3.2.1)."""

    client_id: str
    client_id_issued_at: int
    client_name: str
    token_endpoint_auth_method: str
    grant_types: list[str]
    scope: str
    contacts: list[str]
    client_secret: str | None = None
    client_secret_expires_at: int | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None

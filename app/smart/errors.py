"""Refusals of the OAuth endpoints, each with its error code (RFC 6749 5.2)."""

from typing import ClassVar

from app.domain.errors import IssueType, ServiceError


class OAuthError(ServiceError):
    """
    Base of every refusal at an OAuth endpoint.

    ``code`` is OAuth's ``error``, the message its ``error_description``. Like every
    message it names the parameter, header or claim at fault and never quotes it.
    """

    code: ClassVar[str]


class InvalidClientError(OAuthError):
    """The client is unknown, not approved or revoked, or did not prove who it is."""

    issue_type = IssueType.LOGIN
    code = "invalid_client"


class InvalidGrantError(OAuthError):
    """The token was issued to another client."""

    issue_type = IssueType.FORBIDDEN
    code = "invalid_grant"


class InvalidClientMetadataError(OAuthError):
    """What a client says of itself at registration is not fit (RFC 7591 3.2.2)."""

    issue_type = IssueType.STRUCTURE
    code = "invalid_client_metadata"


class InvalidRequestError(OAuthError):
    """A parameter of the request is missing, repeated or malformed."""

    issue_type = IssueType.STRUCTURE
    code = "invalid_request"


class UnsupportedGrantTypeError(OAuthError):
    """The grant type is not ``client_credentials``."""

    issue_type = IssueType.NOT_SUPPORTED
    code = "unsupported_grant_type"


class InvalidScopeError(OAuthError):
    """No scope was asked for, or none of those asked for is allowed."""

    issue_type = IssueType.FORBIDDEN
    code = "invalid_scope"


class TokenRefusedError(ServiceError):
    """Another authorization server did not give this hub a token."""

    issue_type = IssueType.TRANSIENT

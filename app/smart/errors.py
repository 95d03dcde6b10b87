"""Refusals of the token endpoint, each with its OAuth error code (RFC 6749 5.2)."""

from typing import ClassVar

from app.domain.errors import IssueType, ServiceError


class OAuthError(ServiceError):
    """
    Base of every refusal at the token endpoint.

    ``code`` is OAuth's ``error``, the message its ``error_description``. Like every
    message it names the parameter, header or claim at fault and never quotes it.
    """

    code: ClassVar[str]


class InvalidClientError(OAuthError):
    """The client is unknown or revoked, or did not prove who it is."""

    issue_type = IssueType.LOGIN
    code = "invalid_client"


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

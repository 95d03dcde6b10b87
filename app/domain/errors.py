"""Typed errors in FHIR's vocabulary."""

from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """How bad an issue is, as FHIR says it; information refuses nothing."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


class IssueType(StrEnum):
    """The codes of FHIR's issue-type value set that Catchment uses."""

    STRUCTURE = "structure"
    REQUIRED = "required"
    VALUE = "value"
    INVARIANT = "invariant"
    CODE_INVALID = "code-invalid"
    BUSINESS_RULE = "business-rule"
    NOT_SUPPORTED = "not-supported"
    NOT_ACCEPTABLE = "not-acceptable"
    UNSUPPORTED_MEDIA = "unsupported-media"
    LOGIN = "login"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    SUPPRESSED = "suppressed"
    NOT_FOUND = "not-found"
    DELETED = "deleted"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    TOO_LONG = "too-long"
    TOO_COSTLY = "too-costly"
    THROTTLED = "throttled"
    EXCEPTION = "exception"
    TRANSIENT = "transient"


PASSING = frozenset({IssueType.TRANSIENT, IssueType.THROTTLED})
"""What is no fault of the request's: the same may succeed later."""


class ServiceError(Exception):
    """
    Base of every deliberate error.

    *message* and *expression* name the element at fault, never its content: both
    are logged and returned to the caller, so neither may be able to carry PHI.
    ``retry_after_seconds`` is when the same request may succeed, where it may.
    """

    issue_type: ClassVar[IssueType] = IssueType.EXCEPTION
    retry_after_seconds: int | None = None

    def __init__(self, message: str, *, expression: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression


class MalformedError(ServiceError):
    """The body is not what its content type says: JSON, a form, a resource."""

    issue_type = IssueType.STRUCTURE


class InvalidElementError(ServiceError):
    """An element's value breaks a rule of FHIR or of this hub."""

    issue_type = IssueType.VALUE


class MissingElementError(ServiceError):
    """An element that must be present is not."""

    issue_type = IssueType.REQUIRED


class InvalidCodeError(ServiceError):
    """A code is not in the value set or syntax that its element demands."""

    issue_type = IssueType.CODE_INVALID


class BusinessRuleError(ServiceError):
    """The resource is valid FHIR that this hub does not take."""

    issue_type = IssueType.BUSINESS_RULE


class UnknownTypeError(ServiceError):
    """The resource type, page or operation does not exist here."""

    issue_type = IssueType.NOT_FOUND


class NotSupportedError(ServiceError):
    """The interaction or parameter is not supported."""

    issue_type = IssueType.NOT_SUPPORTED


class UnsupportedMediaError(ServiceError):
    """The content type of the request is not accepted here."""

    issue_type = IssueType.UNSUPPORTED_MEDIA


class NotAcceptableError(ServiceError):
    """No format that the caller accepts is available."""

    issue_type = IssueType.NOT_ACCEPTABLE


class NotAuthenticatedError(ServiceError):
    """No valid access token came with the request."""

    issue_type = IssueType.LOGIN


class TokenExpiredError(NotAuthenticatedError):
    """The access token was valid once."""

    issue_type = IssueType.EXPIRED


class ForbiddenError(ServiceError):
    """The token's scope or clinic does not cover the request."""

    issue_type = IssueType.FORBIDDEN


class NotFoundError(ServiceError):
    """Nothing of that id is visible to the caller."""

    issue_type = IssueType.NOT_FOUND


class WithdrawnError(ServiceError):
    """The record was here and has been withdrawn."""

    issue_type = IssueType.DELETED


class ConflictError(ServiceError):
    """The request meets a state that it cannot be reconciled with."""

    issue_type = IssueType.CONFLICT


class ReleaseRefusedError(ServiceError):
    """A release would give somebody away, so none is published."""

    issue_type = IssueType.SUPPRESSED


class PreconditionFailedError(ServiceError):
    """If-Match, If-None-Match or a conditional criterion does not hold."""

    issue_type = IssueType.PRECONDITION


class TooLargeError(ServiceError):
    """The body, or the number of entries, is over the limit."""

    issue_type = IssueType.TOO_LONG


class BusyError(ServiceError):
    """The store is busy; the same request may succeed later."""

    issue_type = IssueType.TRANSIENT
    retry_after_seconds = 1


class NotAnswerableError(ServiceError):
    """What the policy keeps is too little to answer it."""

    issue_type = IssueType.BUSINESS_RULE


class IntakeStoppedError(ServiceError):
    """The policy holds no longer; the same request may succeed once it is renewed."""

    issue_type = IssueType.TRANSIENT
    retry_after_seconds = 3600


class ThrottledError(ServiceError):
    """Too much was asked for already; the same request may succeed later."""

    issue_type = IssueType.THROTTLED

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

"""What may go wrong with a server that the hub fetches from; nothing is quoted."""

from app.domain.errors import IssueType, ServiceError


class ServerError(ServiceError):
    """
    Base of what another server did or would not do.

    The message names the step and the status, and of an OperationOutcome only codes
    that FHIR lists: whatever else it says may be about somebody.
    """


class AddressRefusedError(ServerError):
    """A URL leads where this hub does not go: by its form, its host or its address."""

    issue_type = IssueType.FORBIDDEN


class ServerUnavailableError(ServerError):
    """The server does not answer, breaks off, or says that it will pass."""

    issue_type = IssueType.TRANSIENT

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BrokenOffError(ServerUnavailableError):
    """A body ended before its end."""


class ServerThrottlesError(ServerError):
    """The server asks for patience: another export runs, or too much was asked for."""

    issue_type = IssueType.THROTTLED

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ServerRefusedError(ServerError):
    """The server understood, and will not; the same request would fare no better."""

    issue_type = IssueType.BUSINESS_RULE

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class AccessRefusedError(ServerRefusedError):
    """The server does not let this hub in (401, 403), though it has a token."""

    issue_type = IssueType.LOGIN


class NoLongerThereError(ServerRefusedError):
    """What was there is not, or not any more (404, 410)."""

    issue_type = IssueType.NOT_FOUND


class UnboundedError(ServerError):
    """A body, a file or an export goes beyond what this hub waits for."""

    issue_type = IssueType.TOO_LONG


class UnreadableAnswerError(ServerError):
    """An answer is not what the standard says it is; the expression says where."""

    issue_type = IssueType.STRUCTURE

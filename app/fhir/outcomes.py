"""Issues and errors -> OperationOutcome, and the one table of HTTP statuses."""

from collections.abc import Sequence
from typing import Any

from app.domain.errors import IssueType, ServiceError
from app.fhir.validation import InvalidResourceError, Issue

HTTP_STATUS: dict[IssueType, int] = {
    IssueType.STRUCTURE: 400,
    IssueType.REQUIRED: 422,
    IssueType.VALUE: 422,
    IssueType.INVARIANT: 422,
    IssueType.CODE_INVALID: 422,
    IssueType.BUSINESS_RULE: 422,
    IssueType.NOT_SUPPORTED: 400,
    IssueType.NOT_ACCEPTABLE: 406,
    IssueType.UNSUPPORTED_MEDIA: 415,
    IssueType.LOGIN: 401,
    IssueType.EXPIRED: 401,
    IssueType.FORBIDDEN: 403,
    IssueType.SUPPRESSED: 403,
    IssueType.NOT_FOUND: 404,
    IssueType.DELETED: 410,
    IssueType.CONFLICT: 409,
    IssueType.PRECONDITION: 412,
    IssueType.TOO_LONG: 413,
    IssueType.TOO_COSTLY: 422,
    IssueType.THROTTLED: 429,
    IssueType.EXCEPTION: 500,
    IssueType.TRANSIENT: 503,
}
"""
The status of an error by its type.

FHIR answers 400 to what is not a valid resource and 422 to what is valid but breaks a
rule of the server (R4, http.html#create). ``InvalidResourceError``, whatever its
issues, is therefore a structure error; a value, code or element that is refused by
itself was found after validation, and is the server's rule.
"""


def operation_outcome(problem: ServiceError | Sequence[Issue]) -> dict[str, Any]:
    """Return a FHIR R4 OperationOutcome; one that says so where there are no issues."""
    if isinstance(problem, InvalidResourceError):
        issues = [_rendered_issue(issue) for issue in problem.issues]
    elif isinstance(problem, ServiceError):
        issues = [_rendered_error(problem)]
    else:
        issues = [_rendered_issue(issue) for issue in problem] or [_NO_ISSUE]
    return {"resourceType": "OperationOutcome", "issue": issues}


_NO_ISSUE = {
    "severity": "information",
    "code": "informational",
    "diagnostics": "No issues found",
}


def _rendered_error(error: ServiceError) -> dict[str, Any]:
    expression = [error.expression] if error.expression is not None else None
    rendered = {
        "severity": "error",
        "code": error.issue_type.value,
        "diagnostics": error.message,
    }
    return rendered | ({"expression": expression} if expression else {})


def _rendered_issue(issue: Issue) -> dict[str, Any]:
    return {
        "severity": issue.severity.value,
        "code": issue.issue_type.value,
        "diagnostics": issue.message,
        "expression": [issue.expression],
    }

"""What is wrong, as an OperationOutcome and as an HTTP status."""

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from app.domain import errors
from app.domain.errors import IssueType, ServiceError, Severity
from app.fhir.outcomes import HTTP_STATUS, operation_outcome
from app.fhir.validation import InvalidResourceError, Issue

ISSUES = (
    Issue(
        issue_type=IssueType.REQUIRED,
        message="Must be present",
        expression="Observation.code",
    ),
    Issue(
        issue_type=IssueType.NOT_SUPPORTED,
        message="This type is not kept",
        expression="Bundle.entry[1].resource",
        severity=Severity.INFORMATION,
    ),
)


def subclasses(base: type[ServiceError]) -> list[type[ServiceError]]:
    return [base, *(kind for sub in base.__subclasses__() for kind in subclasses(sub))]


def test_every_issue_type_has_one_status():
    """A new issue type is not answered until someone decides how."""
    assert set(HTTP_STATUS) == set(IssueType)
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.MalformedError, 400),
        (InvalidResourceError, 400),
        (errors.NotSupportedError, 400),
        (errors.NotAuthenticatedError, 401),
        (errors.TokenExpiredError, 401),
        (errors.ForbiddenError, 403),
        (errors.UnknownTypeError, 404),
        (errors.NotFoundError, 404),
        (errors.NotAcceptableError, 406),
        (errors.ConflictError, 409),
        (errors.WithdrawnError, 410),
        (errors.PreconditionFailedError, 412),
        (errors.TooLargeError, 413),
        (errors.UnsupportedMediaError, 415),
        (errors.BusinessRuleError, 422),
        (errors.InvalidElementError, 422),
        (errors.MissingElementError, 422),
        (errors.InvalidCodeError, 422),
        (errors.ServiceError, 500),
        (errors.BusyError, 503),
    ],
)
def test_an_error_has_the_status_that_fhir_gives_it(
    error: type[ServiceError], status: int
):
    """R4 http: 400 for no valid resource, 422 where a rule of ours is broken."""
    assert HTTP_STATUS[error.issue_type] == status


def test_every_error_of_the_domain_can_be_rendered():
    """Its type is a code of FHIR's issue-type value set, and of the table."""
    for kind in subclasses(ServiceError):
        if kind is not InvalidResourceError:
            error = kind.__new__(kind)
            ServiceError.__init__(error, "Something")
            outcome = operation_outcome(error)
            assert outcome["issue"][0]["code"] == kind.issue_type
            assert "expression" not in outcome["issue"][0]


@pytest.mark.parametrize(
    "problem",
    [
        ISSUES,
        (),
        InvalidResourceError(ISSUES),
        errors.BusinessRuleError("Not counted", expression="Observation.status"),
    ],
)
def test_an_outcome_is_valid_fhir(problem):
    """fhir.resources' own model takes it, and nothing is lost on the way."""
    outcome = operation_outcome(problem)

    assert OperationOutcome.model_validate(outcome).model_dump() == outcome


def test_each_issue_is_rendered_with_its_place():
    """Severity, code, the rule and where it is broken: no more, no less."""
    outcome = operation_outcome(InvalidResourceError(ISSUES))

    assert outcome["issue"] == [
        {
            "severity": "error",
            "code": "required",
            "diagnostics": "Must be present",
            "expression": ["Observation.code"],
        },
        {
            "severity": "information",
            "code": "not-supported",
            "diagnostics": "This type is not kept",
            "expression": ["Bundle.entry[1].resource"],
        },
    ]
    assert operation_outcome(())["issue"][0]["severity"] == "information"

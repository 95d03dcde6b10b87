"""The bodies that people's words come in, and how they are read."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.annotations import AnnotationKind
from app.domain.errors import InvalidElementError, MalformedError
from app.routers.bodies import SmallBody, check_media_type
from app.routers.descriptions import JSON

MONTH_OR_DAY = r"^(19|20)\d\d-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$"
MONTH = r"^(19|20)\d\d-(0[1-9]|1[0-2])$"
LONGEST = 2000
"""Characters that are read of a text; how many may be kept is the service's say."""

Text = Annotated[str, Field(max_length=LONGEST)]
Code = Annotated[str, Field(max_length=64)]
Codes = Annotated[list[Code], Field(max_length=500)]
Q = TypeVar("Q", bound="Question")


class Question(BaseModel):
    """Base of every body."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SignedQuestion(Question):
    """What somebody signs."""

    author: Text = Field(description="Who says so: a name or a role.")
    reason: Text = Field(description="Why.")


class NewAnnotationQuestion(SignedQuestion):
    """
    Something said or decided about charts.

    Texts hold nothing about a patient: what looks like an identifier is refused.
    """

    kind: Literal["test-of-change", "shift", "baseline", "exclusion"] = Field(
        description="The last three decide about one measure's chart: a coordinator's."
    )
    month: str = Field(
        pattern=MONTH_OR_DAY,
        description="As 2026-03, of a test of change also 2026-03-15. The first month "
        "of a shift's new phase; the last one of a baseline.",
    )
    clinic: Code | None = Field(default=None, description="The code of a clinic.")
    cohort: Code | None = Field(
        default=None, description="Of a cohort; neither: the network."
    )
    measures: Codes = Field(default=[], description="Ids; none: all measures.")
    what: Text | None = Field(default=None, description="What was changed.")
    hypothesis: Text | None = Field(default=None, description="What it should do.")

    @property
    def annotation_kind(self) -> AnnotationKind:
        """Return the kind."""
        return AnnotationKind(self.kind)


class WithdrawalQuestion(SignedQuestion):
    """Why something is taken back."""


def read_as(kind: type[Q]) -> Callable[[Request, bytes], Awaitable[Q]]:
    """Return a dependency that reads a JSON body as one *kind* of question."""

    async def read(request: Request, body: SmallBody) -> Q:
        check_media_type(request, frozenset({JSON}))
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise _refusal(error, kind) from None

    return read


def _refusal(error: ValidationError, kind: type[Question]) -> Exception:
    """Return what is wrong with a body; only names that are ours are told."""
    first = error.errors(include_input=False, include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return MalformedError("The body is no JSON")
    if first["type"] == "extra_forbidden" or not first["loc"]:
        names = ", ".join(kind.model_fields)
        return MalformedError(f"The body is an object with no elements but: {names}")
    return InvalidElementError("The element is missing or not fit", expression=path)


def described(kind: type[Question]) -> dict[str, Any]:
    """
    Return what the OpenAPI document says of a body of one *kind*.

    Generated clients call it after the operation: ``AddCohortBody``.
    """
    schema = kind.model_json_schema() | {"title": "Body"}
    definitions = schema.pop("$defs", {})
    content = {JSON: {"schema": _inlined(schema, definitions)}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
    """Return a schema in which nothing refers to another."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _inlined(definitions[name], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}


class NewCohortQuestion(SignedQuestion):
    """A named set of clinics, which never changes: others are another cohort."""

    code: Code = Field(description="Its name in URLs.")
    name: Text
    clinics: Codes = Field(description="The codes of its clinics.")


class PhaseQuestion(Question):
    """Clinics that join a project together."""

    kind: Literal["pilot", "incubator", "all"]
    name: Text
    month: str = Field(pattern=MONTH, description="From which on, as 2026-03.")
    clinics: Codes = Field(
        default=[],
        description="Codes; none for all: every active clinic that has not joined.",
    )


class NewPhaseQuestion(PhaseQuestion, SignedQuestion):
    """Further clinics that join a project."""


class NewProjectQuestion(SignedQuestion):
    """What some clinics set out to improve, and which of them join when."""

    code: Code = Field(description="Its name in URLs.")
    name: Text
    aim: Text = Field(description="What is to become how much better by when.")
    measures: Codes
    phases: Annotated[list[PhaseQuestion], Field(max_length=20)]


class EndQuestion(SignedQuestion):
    """Why a project is at its end."""

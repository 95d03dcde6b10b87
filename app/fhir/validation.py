"""
One resource -> what is wrong with it by FHIR R4, told without a word of it.

Messages and expressions are made of FHIR's own names and codes. A value, or a name
that FHIR does not have, never stands in them, whatever the sender wrote.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import jsonschema_rs
import msgspec

from app.domain.errors import IssueType, ServiceError, Severity
from app.fhir.internals import Path, internal_findings
from app.fhir.primitives import RULE, Schema
from app.fhir.schemas import Schemas, schemas

MAX_ISSUES = 20
"""More than a person reads of one resource."""

MAX_HINTS = 5
MAX_COMPARED = 8
MAX_NAME_LENGTH = 40
"""
In how many of the first issues unknown names are compared with FHIR's, how many of
each, and up to which length: a sender of thousands is not to keep the hub busy.
"""

NEARNESS = 0.75
"""How like a name of FHIR's an unknown one is that is told as near to it (difflib)."""

STU3_NAMES: dict[str, dict[str, str]] = {
    "Observation": {
        "comment": "note",
        "context": "encounter",
        "related": "hasMember or derivedFrom",
    },
    "Condition": {"assertedDate": "recordedDate", "context": "encounter"},
    "Patient": {"animal": "an extension"},
    "Encounter": {"incomingReferral": "basedOn", "reason": "reasonCode"},
}
"""Elements of FHIR STU3 that R4 does not have, and what took their place."""

STU3_CODES = {"Condition": ("clinicalStatus", "verificationStatus")}
"""Elements that are a code in STU3 and a CodeableConcept in R4."""

STRUCTURAL: dict[str, tuple[IssueType, str]] = {
    "additionalProperties": (IssueType.STRUCTURE, "Has an unknown element"),
    "const": (IssueType.STRUCTURE, "Not what is expected here"),
    "minItems": (IssueType.STRUCTURE, "A list may not be empty"),
    "minLength": (IssueType.STRUCTURE, "A text may not be empty"),
    "minProperties": (IssueType.STRUCTURE, "An object may not be empty"),
    "required": (IssueType.REQUIRED, "Must be present"),
    "type": (IssueType.STRUCTURE, "Not the kind of JSON value that belongs here"),
}
"""What to say where no rule of FHIR's is broken but one of its JSON."""


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """
    One thing to say of a resource: the rule, and the element it is about.

    ``expression`` is FHIRPath from the resource's type, or from the place of the
    resource in its Bundle. An element with a choice of types is written with its type:
    ``Observation.value.ofType(Quantity).unit``.
    """

    issue_type: IssueType
    message: str
    expression: str
    severity: Severity = Severity.ERROR


class InvalidResourceError(ServiceError):
    """The resource is not FHIR R4; ``issues`` says why and where."""

    issue_type = IssueType.STRUCTURE

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__(issues[0].message, expression=issues[0].expression)
        self.issues = tuple(issues)


def validate(resource: dict[str, Any], *, at: str | None = None) -> tuple[Issue, ...]:
    """
    Return what is wrong with *resource* by FHIR R4; nothing where it is valid.

    Of a Bundle only the shell is looked at: each entry's resource is validated by
    itself, with its place as *at*. A type that is not one of ours has no issues; a
    resource in FHIR STU3 has one, which says so.

    Args:
        resource: As ``read_json`` returns it.
        at: FHIRPath of the resource where it is a part: ``Bundle.entry[3].resource``.
    """
    kind = resource.get("resourceType")
    if type(kind) is not str or not kind:
        text = "resourceType must be present, and the name of a type"
        missing = IssueType.STRUCTURE
        return (Issue(issue_type=missing, message=text, expression=at or "Resource"),)
    compiled = schemas()
    validator = compiled.validator(kind)
    if validator is None:
        return ()
    root = at or kind
    if validator.is_valid(resource):
        findings = internal_findings(resource)[:MAX_ISSUES]
        return tuple(_internal_issue(*found, compiled, root) for found in findings)
    if stu3 := _stu3_issue(resource, kind, root):
        return (stu3,)
    issues: dict[Issue, None] = {}
    for error in validator.iter_errors(resource):
        hints = len(issues) < MAX_HINTS
        issues[_issue(error, compiled, root, hints=hints)] = None
        if len(issues) == MAX_ISSUES:
            break
    return tuple(issues)


def _internal_issue(path: Path, text: str, compiled: Schemas, root: str) -> Issue:
    expression = _expression(path, compiled, root)
    invariant = IssueType.INVARIANT
    return Issue(issue_type=invariant, message=text, expression=expression)


def _stu3_issue(resource: dict[str, Any], kind: str, root: str) -> Issue | None:
    """Return the one issue of a resource that has STU3's elements."""
    found = {
        name: f"{name} is now {now}"
        for name, now in STU3_NAMES.get(kind, {}).items()
        if name in resource
    } | {
        name: f"{name} is now a CodeableConcept"
        for name in STU3_CODES.get(kind, ())
        if type(resource.get(name)) is str
    }
    if not found:
        return None
    return Issue(
        issue_type=IssueType.STRUCTURE,
        message=f"This looks like FHIR STU3, not R4: {', '.join(found.values())}",
        expression=f"{root}.{next(iter(found))}",
    )


def _issue(
    error: jsonschema_rs.ValidationError, compiled: Schemas, root: str, *, hints: bool
) -> Issue:
    """Put an error of the schema in FHIR's words; its own words quote input."""
    keyword = error.kind.name
    path: Path = tuple(error.instance_path)
    rule = _broken_rule(error.schema_path, compiled)
    if rule is None or keyword in {"type", "additionalProperties"}:
        code, text = STRUCTURAL[keyword]
    else:
        code, text = rule["code"], rule["text"]
        # One of a choice's elements is there too many: the rule is about the choice.
        path = path[:-1] if keyword == "falseSchema" else path
        path += (rule["at"],) if rule["at"] else ()
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        path += (error.kind.property,)
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        known = _known_beside(error, compiled) if hints else ()
        text = _unknown(error.kind.unexpected, known)
    expression = _expression(path, compiled, root)
    return Issue(issue_type=code, message=text, expression=expression)


def _known_beside(
    error: jsonschema_rs.ValidationError, compiled: Schemas
) -> tuple[str, ...]:
    """Return FHIR's names for what may stand where an unknown element does."""
    node: Any = {"$defs": compiled.definitions}
    for step in error.schema_path[:-1]:
        node = node[step]
    return tuple(node["properties"])


def _unknown(names: Sequence[str], known: Sequence[str]) -> str:
    """Say how many *names* are not FHIR's, and which of the *known* are near them."""
    count = len(names)
    _, one = STRUCTURAL["additionalProperties"]
    text = f"Has {count} unknown elements" if count > 1 else one
    by_lower_case = {name.lower(): name for name in known}
    compared = (n.lower() for n in names[:MAX_COMPARED] if len(n) <= MAX_NAME_LENGTH)
    near = {
        by_lower_case[match]
        for name in compared
        for match in get_close_matches(name, by_lower_case, n=1, cutoff=NEARNESS)
    }
    return f"{text}; near to {', '.join(sorted(near))}" if near else text


def _broken_rule(path: Sequence[str | int], compiled: Schemas) -> Schema | None:
    """Return the innermost rule on the way through the schema to what was broken."""
    node: Any = {"$defs": compiled.definitions}
    rule = None
    for step in path:
        node = node[step]
        if type(node) is dict and RULE in node:
            rule = node[RULE]
    return rule


def _expression(path: Path, compiled: Schemas, root: str) -> str:
    """Write a path in the JSON as FHIRPath, up to the last name that FHIR has."""
    expression = root
    for step in path:
        if isinstance(step, int):
            expression += f"[{step}]"
            continue
        name = step.removeprefix("_")
        if name not in compiled.names:
            break
        base, type_ = compiled.choices.get(name, (name, None))
        expression += f".{base}.ofType({type_})" if type_ else f".{base}"
    return expression

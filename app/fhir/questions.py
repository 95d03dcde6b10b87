"""The Parameters of ``$trace``: which of its own resources a clinic asks about."""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.clinics import Source
from app.domain.errors import (
    InvalidElementError,
    MalformedError,
    MissingElementError,
    TooLargeError,
)
from app.domain.identified import Identified, Reference
from app.domain.records import RecordType
from app.fhir.references import parse_reference

MOST_QUESTIONS = 1_000
_TYPE = re.compile(
    r"(?:https?://\S+/)?([A-Z][A-Za-z]+)(?:/[^/?]+(?:/_history/.+)?|\?.*)"
)


class Question(Identified, frozen=True, kw_only=True):
    """One resource asked about; ``type`` is None where such are not kept."""

    type: RecordType | None
    reference: Reference | None
    path: str


def parse_questions(body: Mapping[str, Any], *, source: Source) -> list[Question]:
    """
    Return what is asked for, in order.

    Each parameter is a ``reference`` (a Reference, or its string) or an ``identifier``
    (with the resource's type in a part of it).

    Raises:
        MalformedError: the body is no Parameters.
        TooLargeError: more than MOST_QUESTIONS are asked.
        InvalidElementError, MissingElementError, BusinessRuleError: one of them can't
            be read; its place is told.
    """
    parameters = body.get("parameter", [])
    if body.get("resourceType") != "Parameters" or not isinstance(parameters, list):
        msg = "The body is no Parameters"
        raise MalformedError(msg, expression="resourceType")
    if len(parameters) > MOST_QUESTIONS:
        msg = f"At most {MOST_QUESTIONS} resources may be asked about at once"
        raise TooLargeError(msg, expression="Parameters.parameter")
    return [
        _question(parameter, source, f"Parameters.parameter[{index}]")
        for index, parameter in enumerate(parameters)
    ]


def _question(parameter: object, source: Source, path: str) -> Question:
    """Read one parameter."""
    if not isinstance(parameter, dict):
        msg = "A parameter is an object"
        raise MalformedError(msg, expression=path)
    name = parameter.get("name")
    if name == "reference":
        return _by_reference(_reference(parameter, path), source, path)
    if name == "identifier":
        return _by_reference(_identified(parameter, path), source, path)
    msg = "A parameter is called reference or identifier"
    raise InvalidElementError(msg, expression=f"{path}.name")


def _reference(parameter: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a reference that stands as such, or as its string."""
    stated = parameter.get("valueReference")
    if stated is None:
        stated = {"reference": parameter.get("valueString")}
    return checked_reference(stated, path)


def _identified(parameter: dict[str, Any], path: str) -> dict[str, Any]:
    """Return an identifier with its resource's type as a logical reference."""
    if "valueReference" in parameter:
        return checked_reference(parameter["valueReference"], path)
    parts = parameter.get("part", [])
    named = {
        part.get("name"): part
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict)
    }
    of_type = named.get("type", {})
    inner = named.get("identifier") or named.get("value") or parameter
    return checked_reference(
        {
            "type": of_type.get("valueCode", of_type.get("valueString")),
            "identifier": inner.get("valueIdentifier"),
        },
        path,
    )


def checked_reference(stated: object, path: str) -> dict[str, Any]:
    """
    Return the parts of a reference that are read here; texts are texts.

    Raises:
        MalformedError: it is of another kind of JSON.
        MissingElementError: it names nothing.
    """
    if not isinstance(stated, dict):
        msg = "A reference is an object"
        raise MalformedError(msg, expression=path)
    known = {n: stated[n] for n in ("reference", "type", "identifier") if stated.get(n)}
    identifier = known.get("identifier", {})
    texts = [known.get("reference", ""), known.get("type", "")]
    if isinstance(identifier, dict):
        texts += [identifier.get("system", ""), identifier.get("value", "")]
    if not isinstance(identifier, dict) or not all(isinstance(t, str) for t in texts):
        msg = "Not the kind of JSON value that belongs here"
        raise MalformedError(msg, expression=path)
    if not {"reference", "identifier"} & known.keys():
        msg = "There is neither a reference nor an identifier"
        raise MissingElementError(msg, expression=path)
    return known


def _by_reference(stated: dict[str, Any], source: Source, path: str) -> Question:
    match = _TYPE.fullmatch(stated.get("reference", ""))
    type_name = match[1] if match else stated.get("type")
    if type_name is None:
        msg = "The type of the resource is needed"
        raise MissingElementError(msg, expression=path)
    type_ = RecordType.of(type_name.rpartition("/")[2])
    if type_ is None:
        return Question(type=None, reference=None, path=path)
    reference = parse_reference(stated, target=type_, source=source, path=path)
    return Question(type=type_, reference=reference, path=path)

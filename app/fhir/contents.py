"""What a resource says, in one canonical form, and a look for what changes it."""

from typing import Any

import msgspec

from app.domain.errors import BusinessRuleError, InvalidElementError
from app.fhir.elements import Elements

NOT_CONTENT = frozenset({"id", "meta", "text", "issued", "subject", "encounter"})
"""Elements that differ between two deliveries of one record, or are compared apart."""

_MODIFIER = "modifierExtension"
_MODIFIER_KEY = b'"modifierExtension":'
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")


def canonical_content(resource: dict[str, Any], *, known: Elements) -> bytes:
    """
    Return *resource* as JSON with sorted keys and decimals as written.

    Left out are NOT_CONTENT, every ``display``, and every reference that is a ``urn:``,
    since a sender makes up new ones for each Bundle.

    Raises:
        BusinessRuleError: It holds a modifierExtension; none is understood here.
        InvalidElementError: It is nested too deep.
    """
    content = {k: v for k, v in resource.items() if k not in NOT_CONTENT}
    try:
        canonical = _ENCODER.encode(_without_labels(content))
    except RecursionError:
        msg = "The resource is nested too deep"
        raise InvalidElementError(msg, expression=resource["resourceType"]) from None
    # A string that holds these bytes has its quotes escaped: only a key can match.
    if _MODIFIER_KEY in canonical:
        msg = "No modifierExtension is understood here"
        raise BusinessRuleError(msg, expression=_modified(resource, known=known))
    return canonical


def _without_labels(element: dict[str, Any]) -> dict[str, Any]:
    """Return *element* without displays and urn references, at any depth."""
    content: dict[str, Any] = {}
    for name, value in element.items():
        kind = type(value)
        if kind is dict:
            content[name] = _without_labels(value)
        elif kind is list:
            content[name] = [
                _without_labels(item) if type(item) is dict else item for item in value
            ]
        elif not (
            name == "display"
            or (name == "reference" and kind is str and value.startswith("urn:"))
        ):
            content[name] = value
    return content


def _modified(resource: dict[str, Any], *, known: Elements) -> str:
    """Return the path of the outermost element that a modifierExtension changes."""
    root: str = resource["resourceType"]
    for name, value in resource.items():
        path = f"{root}.{known.paths[name]}" if name in known.paths else root
        if isinstance(value, list) and name != _MODIFIER:
            for index, item in enumerate(value):
                if _holds_modifier(item):
                    return path if path == root else f"{path}[{index}]"
        elif name == _MODIFIER or _holds_modifier(value):
            return path
    return root


def _holds_modifier(value: object) -> bool:
    """Return whether a modifierExtension stands anywhere in *value*."""
    if isinstance(value, dict):
        return _MODIFIER in value or any(map(_holds_modifier, value.values()))
    return isinstance(value, list) and any(map(_holds_modifier, value))

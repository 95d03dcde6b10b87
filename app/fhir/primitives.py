"""
The primitive types of FHIR R4 as JSON Schema.

The patterns are those that FHIR publishes, except that days are also those of the
calendar. None looks around or back, so a linear-time engine can run them.

Source: https://hl7.org/fhir/R4/datatypes.html#primitive
"""

from typing import Any

from app.domain.errors import IssueType

Schema = dict[str, Any]

RULE = "x-rule"
"""Annotation that carries what to say where its schema is broken: ``rule()``."""

ID = r"[A-Za-z0-9\-.]{1,64}"
MAX_STRING_LENGTH = 1_048_576
MAX_INTEGER = 2_147_483_647
MAX_DECIMAL = 10**18
"""FHIR's decimals have at most 18 digits before the point."""

_YEAR = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP_YEAR = (
    r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
)
_MONTH = rf"{_YEAR}-(0[1-9]|1[0-2])"
_DAY = (
    rf"({_YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))"
    rf"|{_LEAP_YEAR}-02-29)"
)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|[+\-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"


def rule(text: str, *, code: IssueType, at: str | None = None) -> Schema:
    """Return the annotation for a broken rule; *at* is the child element at fault."""
    return {RULE: {"text": text, "code": code, "at": at}}


def _text(name: str, pattern: str, form: str) -> Schema:
    return {
        "type": "string",
        "pattern": f"^(?:{pattern})$",
        **rule(f"Not a FHIR {name}: {form}", code=IssueType.VALUE),
    }


def _string(name: str) -> Schema:
    # FHIR's pattern for strings says no more than that they are not empty.
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_STRING_LENGTH,
        **rule(
            f"Not a FHIR {name}: 1 to {MAX_STRING_LENGTH} characters",
            code=IssueType.VALUE,
        ),
    }


def _integer(name: str, minimum: int) -> Schema:
    text = f"Not a FHIR {name}: a whole number from {minimum} to {MAX_INTEGER}"
    return {
        "type": "integer",
        "minimum": minimum,
        "maximum": MAX_INTEGER,
        **rule(text, code=IssueType.VALUE),
    }


PRIMITIVES: dict[str, Schema] = {
    "base64Binary": _text(
        "base64Binary", r"(\s*([0-9a-zA-Z+/=]){4}\s*)+", "groups of four characters"
    ),
    "boolean": {"type": "boolean"},
    "canonical": _text("canonical", r"\S+", "a URI without blanks"),
    "code": _text("code", r"[^\s]+(\s[^\s]+)*", "no blank at either end, none doubled"),
    "date": _text(
        "date",
        rf"{_YEAR}|{_MONTH}|{_DAY}",
        "YYYY, YYYY-MM or YYYY-MM-DD, of a day that exists",
    ),
    "dateTime": _text(
        "dateTime",
        rf"{_YEAR}|{_MONTH}|{_DAY}(T{_TIME}{_ZONE})?",
        "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset, "
        "of a day that exists",
    ),
    "decimal": {
        "type": "number",
        "exclusiveMinimum": -MAX_DECIMAL,
        "exclusiveMaximum": MAX_DECIMAL,
        **rule(
            "A decimal has at most 18 digits before the point here",
            code=IssueType.VALUE,
        ),
    },
    "id": _text("id", ID, "1 to 64 letters, digits, '-' and '.'"),
    "instant": _text(
        "instant",
        rf"{_DAY}T{_TIME}{_ZONE}",
        "YYYY-MM-DDThh:mm:ss with Z or an offset, of a day that exists",
    ),
    "integer": _integer("integer", -MAX_INTEGER - 1),
    "markdown": _string("markdown"),
    "oid": _text("oid", r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+", "urn:oid: and the OID"),
    "positiveInt": _integer("positiveInt", 1),
    "string": _string("string"),
    "time": _text("time", _TIME, "hh:mm:ss"),
    "unsignedInt": _integer("unsignedInt", 0),
    "uri": _text("uri", r"\S+", "a URI without blanks"),
    "url": _text("url", r"\S+", "a URL without blanks"),
    "uuid": _text(
        "uuid",
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "urn:uuid: and the UUID in lower case",
    ),
    "xhtml": _string("xhtml"),
}

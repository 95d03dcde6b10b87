"""Conditions that a request may state: one identifier, versions, or nothing there."""

import re
from urllib.parse import parse_qsl

import msgspec
from typing_extensions import override

from app.domain.errors import MalformedError, NotSupportedError

_CRITERIA = re.compile(r"(?:(?P<type>[A-Za-z]*)\?)?(?P<query>.*)", re.DOTALL)
_TOKEN = re.compile(r"(?P<system>(?:[^\\,|]|\\.)+)\|(?P<value>(?:[^\\,|]|\\.)+)")
_ESCAPED = re.compile(r"\\([\\,|$])")
_ENTITY_TAG = r'(?:W/)?"([\x21\x23-\x7e]*)"'
_ENTITY_TAGS = re.compile(rf"{_ENTITY_TAG}(?:\s*,\s*{_ENTITY_TAG})*")


class Criterion(msgspec.Struct, frozen=True):
    """An identifier that a record has, or is to have. It is PHI: it has no repr."""

    system: str
    value: str

    @override
    def __repr__(self) -> str:
        return "<Criterion>"


class VersionMatch(msgspec.Struct, frozen=True):
    """The versions that an If-Match names; None stands for whatever is there."""

    versions: frozenset[str] | None

    def allows(self, version: int) -> bool:
        """Return whether a record of *version* is what the sender has seen."""
        return self.versions is None or str(version) in self.versions


def parse_criterion(
    criteria: str, *, type_name: str, expression: str | None = None
) -> Criterion:
    """
    Return the criterion that search parameters state about a *type_name*.

    ``identifier=system|value`` is the one form; a leading ``?`` or ``Type?`` is fine.

    Raises:
        NotSupportedError: They are of any other form, or about another type.
    """
    stated = _CRITERIA.fullmatch(criteria)
    assert stated is not None  # everything matches
    about = stated["type"] or type_name
    parameters = parse_qsl(stated["query"], keep_blank_values=True)
    names = [name for name, _ in parameters]
    found = parse_token(parameters[0][1]) if names == ["identifier"] else None
    if about != type_name or found is None:
        msg = "A condition is of the form identifier=system|value, and no other"
        raise NotSupportedError(msg, expression=expression)
    return found


def parse_token(text: str) -> Criterion | None:
    """
    Return the identifier that ``system|value`` means; None where it means no one.

    A comma would mean "or", unless it is escaped (R4 search, 3.1.1.5.6).
    """
    token = _TOKEN.fullmatch(text)
    if token is None:
        return None
    system, value = (_ESCAPED.sub(r"\1", part) for part in token.groups())
    return Criterion(system, value)


def parse_if_match(
    text: str | None, *, expression: str | None = None
) -> VersionMatch | None:
    """
    Return what an If-Match asks for; tags are compared weakly, ``*`` is any version.

    Raises:
        MalformedError: It is no list of entity tags (RFC 9110 section 13.1.1).
    """
    if text is None:
        return None
    if text.strip() == "*":
        return VersionMatch(None)
    return VersionMatch(_entity_tags(text, name="If-Match", expression=expression))


def parse_if_none_match(text: str | None, *, expression: str | None = None) -> bool:
    """
    Return whether the If-None-Match of a write asks that there be no record yet.

    Raises:
        NotSupportedError: It names versions, which only a read may.
    """
    if text is not None and text.strip() != "*":
        msg = "If-None-Match takes * only where something is written"
        raise NotSupportedError(msg, expression=expression)
    return text is not None


def is_unchanged(if_none_match: str | None, *, version: str) -> bool:
    """
    Return whether a reader has *version* already, and needs no second copy.

    Raises:
        MalformedError: The If-None-Match is no list of entity tags.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return version in _entity_tags(if_none_match, name="If-None-Match", expression=None)


def _entity_tags(text: str, *, name: str, expression: str | None) -> frozenset[str]:
    """Return the opaque parts of a list of entity tags."""
    if _ENTITY_TAGS.fullmatch(text.strip()) is None:
        msg = f'{name} is a list of versions such as W/"1"'
        raise MalformedError(msg, expression=expression)
    return frozenset(re.findall(_ENTITY_TAG, text))

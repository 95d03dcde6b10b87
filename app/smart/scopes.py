"""SMART scopes of systems: what is asked for, what is granted, what that covers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

from app.smart.errors import InvalidScopeError

#: Create, read, update (and update-as-create), delete, search.
Interaction = Literal["c", "r", "u", "d", "s"]

#: What the network's coordinator does: decide about charts, name cohorts and projects.
COORDINATION = "system/coordination"

#: Scopes that name an operation and no resource type.
OPERATIONS = frozenset({"system/bulk-submit", "system/purge", COORDINATION})

#: What discovery lists: each of these works here.
SUPPORTED = (
    "system/Condition.crud",
    "system/Encounter.crud",
    "system/Observation.crud",
    "system/Patient.crud",
    "system/Measure.rs",
    "system/MeasureReport.rs",
    "system/bulk-submit",
    "system/purge",
)

_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_V1_WORDS = {interactions: word for word, interactions in _V1.items()}
_SCOPE = re.compile(
    r"system/(?P<type>\*|[A-Z][A-Za-z]{0,63})\."
    r"(?:(?P<v1>read|write|\*)"
    r"|(?P<v2>(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>[!#-\[\]-~]{1,500}))?)"
)
_QUERY_PARAMETERS = frozenset({"category", "code"})


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """
    One scope on resources: a type or ``*``, and interactions in the order "cruds".

    ``query`` narrows it to the resources it matches; ``v1`` says that it was written
    as ``.read``, ``.write`` or ``.*``.
    """

    resource_type: str
    interactions: str
    query: str = ""
    v1: bool = False


@lru_cache(maxsize=1024)
def parse_scope(text: str) -> Scope | None:
    """
    Return the scope on resources that *text* spells in SMART v1 or v2, or None.

    A query may narrow by ``category`` and ``code``; one with any other parameter is
    none of ours, because it could not be enforced.
    """
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    query = match["query"] or ""
    if query and not _QUERY_PARAMETERS.issuperset(name for name, _ in _tokens(query)):
        return None
    return Scope(
        resource_type=match["type"],
        interactions=_V1[match["v1"]] if match["v1"] else match["v2"],
        query=query,
        v1=match["v1"] is not None,
    )


def is_scope(text: str) -> bool:
    """Tell whether *text* is a scope that may be registered here."""
    return text in OPERATIONS or parse_scope(text) is not None


def intersection(requested: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """
    Return the scopes to grant: what is both *requested* and *allowed*.

    Scopes unknown here are ignored, wildcards narrowed, v1 answered as v1 where the
    rest of it can be said so. Queries of both sides hold together.

    Raises:
        InvalidScopeError: nothing is left.

    Source: SMART App Launch 2.2.0, Scopes; RFC 6749 3.3.

    """
    pre_authorised = tuple(allowed)
    granted = dict.fromkeys(
        scope
        for text in requested.split(" ")
        for scope in _granted(text, pre_authorised)
    )
    if not granted:
        msg = "None of the scopes asked for is allowed to this client"
        raise InvalidScopeError(msg)
    return tuple(granted)


def allows(
    scopes: Iterable[str],
    *,
    resource_type: str,
    interaction: Interaction,
    resource: Mapping[str, Any] | None = None,
) -> bool:
    """
    Tell whether *scopes* cover an *interaction* with a resource of *resource_type*.

    A scope with a query covers only a *resource* that it matches; for an update, ask
    for the submitted and for the stored one.
    """
    return any(
        scope.resource_type in {"*", resource_type}
        and interaction in scope.interactions
        and (not scope.query or _matches(scope.query, resource or {}))
        for scope in map(parse_scope, scopes)
        if scope is not None
    )


def _granted(text: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if text in OPERATIONS and text in allowed:
        yield text
    asked = parse_scope(text)
    for scope in map(parse_scope, allowed):
        if asked is not None and scope is not None:
            narrowed = _narrowed(asked, to=scope)
            if narrowed is not None:
                yield _spelled(narrowed)


def _narrowed(asked: Scope, *, to: Scope) -> Scope | None:
    resource_types = {asked.resource_type, to.resource_type}
    if len(resource_types) > 1:
        resource_types.discard("*")
    interactions = "".join(i for i in asked.interactions if i in to.interactions)
    if len(resource_types) > 1 or not interactions:
        return None
    queries = dict.fromkeys(query for query in (asked.query, to.query) if query)
    return Scope(
        resource_type=resource_types.pop(),
        interactions=interactions,
        query="&".join(queries),
        v1=asked.v1,
    )


def _spelled(scope: Scope) -> str:
    if scope.v1 and not scope.query and scope.interactions in _V1_WORDS:
        return f"system/{scope.resource_type}.{_V1_WORDS[scope.interactions]}"
    query = scope.query and f"?{scope.query}"
    return f"system/{scope.resource_type}.{scope.interactions}{query}"


def _tokens(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _matches(query: str, resource: Mapping[str, Any]) -> bool:
    return all(
        any(
            _has_token(coding, token)
            for coding in _codings(resource.get(name))
            for token in tokens.split(",")
        )
        for name, tokens in _tokens(query)
    )


def _codings(concepts: object) -> Iterator[Mapping[str, Any]]:
    """Yield the codings of one CodeableConcept or of several, if that is what it is."""
    for concept in concepts if isinstance(concepts, list) else [concepts]:
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, dict):
                yield coding


def _has_token(coding: Mapping[str, Any], token: str) -> bool:
    """Match FHIR's ``code``, ``system|code``, ``|code`` and ``system|``."""
    system, bar, code = token.rpartition("|")
    if code and coding.get("code") != code:
        return False
    if bar and (system or None) != coding.get("system"):
        return False
    return bool(code or system)

"""Connections: which server the hub collects a source from, and how it is let in."""

import json
import re
from collections.abc import Collection
from typing import Any

import msgspec

from app.domain.errors import ConflictError, InvalidElementError, NotFoundError
from app.domain.records import RecordType
from app.fhir.references import normal_base
from app.services.hub import Hub
from app.services.registry import SourceChanges, change_source, check_base_urls
from app.services.sealing import seal, unseal
from app.smart.bulk_exports import Level
from app.smart.clients import Jwk, generate_key
from app.smart.fetches import FetchError, parse_url
from app.smart.outbound import Reach
from app.smart.tokens import public_jwks
from app.store import connections
from app.store.clinics import required_source
from app.store.connections import Connection
from app.store.sessions import ReadSession, WriteSession, read_session

USUAL_TYPES = ("Patient", "Encounter", "Observation", "Condition")
SHORTEST_INTERVAL_SECONDS = 600
_HOST = re.compile(r"(https?://)?([A-Za-z0-9.\-]+|\[[0-9a-f:]+\])(:\d{1,5})?")
_GROUP_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_FILTER = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?(?P<query>[^\s#]+)")
_NOT_FILTERED_BY = re.compile(r"(^|&)(_include|_revinclude|_sort|_count|patient)\b")


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be so of a connection; None leaves it as it is, or as is usual."""

    fhir_base: str | None = None
    client_id: str | None = None
    token_url: str | None = None
    scope: str | None = None
    level: Level | None = None
    group_id: str | None = None
    types: tuple[str, ...] | None = None
    type_filters: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    token_hosts: tuple[str, ...] | None = None
    is_snapshot: bool | None = None
    every_seconds: int | None = None


class ConnectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A connection in words, as a list shows it; its fields are the list's columns."""

    clinic: str
    source: str
    fhir_base: str
    client_id: str
    level: str
    types: str
    snapshot: str
    every: str
    since: str
    next: str


def save(
    session: WriteSession, hub: Hub, *, clinic: str, source: str, wishes: Wishes
) -> Connection:
    """
    Keep a connection as it was, but for *wishes*; a new one has what is usual.

    Another FHIR base begins from nothing: its ids, and its instants, are others'.

    Raises:
        NotFoundError: there is no such clinic or source.
        InvalidElementError: the base, a host, a type or a filter is not fit.
    """
    known = required_source(session, clinic=clinic, name=source)
    before = connections.find_connection(session, known.source_id)
    given = {k: v for k, v in msgspec.structs.asdict(wishes).items() if v is not None}
    if "fhir_base" in given:
        given["fhir_base"] = given["fhir_base"].rstrip("/")
    if before is None:
        after = _new(known.source_id, given)
    else:
        after = msgspec.structs.replace(before, **given)
        if after.fhir_base != before.fhir_base:
            after = msgspec.structs.replace(after, since=None)
    _check(after, hub)
    after = _resealed(after, hub)
    connections.save_connection(session, after)
    if normal_base(after.fhir_base) not in map(normal_base, known.base_urls):
        bases = (*known.base_urls, after.fhir_base)
        change_source(session, clinic, source, SourceChanges(base_urls=bases))
    return after


def _new(source_id: int, given: dict[str, Any]) -> Connection:
    if "fhir_base" not in given:
        msg = "A new connection needs the FHIR base of the server"
        raise InvalidElementError(msg, expression="fhir_base")
    is_of_group = given.get("group_id") is not None
    usual: dict[str, Any] = {
        "source_id": source_id,
        "client_id": None,
        "token_url": None,
        "scope": "",
        "level": Level.GROUP if is_of_group else Level.PATIENT,
        "group_id": None,
        "types": USUAL_TYPES,
        "type_filters": (),
        "hosts": (),
        "token_hosts": (),
        "is_snapshot": False,
        "every_seconds": None,
    }
    return Connection(**(usual | given))


def _resealed(connection: Connection, hub: Hub) -> Connection:
    """Return a connection whose own key, if any, is under the current master key."""
    if connection.sealed is None:
        return connection
    sealed = seal(hub.keys, unseal(hub.keys, connection.sealed))
    return msgspec.structs.replace(connection, sealed=sealed)


def _check(connection: Connection, hub: Hub) -> None:
    """Refuse what could not be collected from, or leads where it must not."""
    check_base_urls([connection.fhir_base])
    for name in ("fhir_base", "token_url"):
        url = getattr(connection, name)
        try:
            if url is not None:
                parse_url(url, dev_mode=hub.is_local or hub.outbound.dev_mode)
        except FetchError as error:
            raise InvalidElementError(str(error), expression=name) from None
    hosts = (*connection.hosts, *connection.token_hosts)
    if not all(map(_HOST.fullmatch, hosts)):
        msg = "A host is a name, and a port where it is not the usual one"
        raise InvalidElementError(msg, expression="hosts")
    if connection.level is Level.GROUP and not connection.group_id:
        msg = "An export of a group needs the group's id"
        raise InvalidElementError(msg, expression="group_id")
    if connection.group_id and not _GROUP_ID.fullmatch(connection.group_id):
        msg = "A group's id is letters, digits, hyphens and points, at most 64"
        raise InvalidElementError(msg, expression="group_id")
    if not connection.types or None in map(RecordType.of, connection.types):
        msg = f"The types are some of {', '.join(USUAL_TYPES)}"
        raise InvalidElementError(msg, expression="types")
    _check_filters(connection)
    if connection.is_snapshot and connection.type_filters:
        msg = "A snapshot is of all of its types: it has no filters"
        raise InvalidElementError(msg, expression="type_filters")
    seconds = connection.every_seconds
    if seconds is not None and seconds < SHORTEST_INTERVAL_SECONDS:
        msg = f"It is collected every {SHORTEST_INTERVAL_SECONDS} seconds at most"
        raise InvalidElementError(msg, expression="every")


def _check_filters(connection: Connection) -> None:
    for each in connection.type_filters:
        match = _FILTER.fullmatch(each)
        if match is None or match["type"] not in connection.types:
            msg = "A filter is Type?parameters, of a type that is collected"
            raise InvalidElementError(msg, expression="type_filters")
        if _NOT_FILTERED_BY.search(match["query"]):
            msg = "A filter does not include, sort, count or name a patient"
            raise InvalidElementError(msg, expression="type_filters")


def required(
    session: ReadSession, *, clinic: str, source: str
) -> tuple[int, Connection]:
    """
    Return the clinic's id and the connection of a source.

    Raises:
        NotFoundError: there is no such clinic, source or connection.
    """
    known = required_source(session, clinic=clinic, name=source)
    found = connections.find_connection(session, known.source_id)
    if found is None:
        msg = "The source has no connection: `catchment connect` makes one"
        raise NotFoundError(msg)
    return known.clinic_id, found


def remove(session: WriteSession, *, clinic: str, source: str) -> None:
    """Forget a connection; what was collected stays."""
    _, found = required(session, clinic=clinic, source=source)
    connections.remove_connection(session, found.source_id)


def schedule(session: WriteSession, connection: Connection, *, now: int) -> None:
    """Let a connection be collected by itself from now on, if it has an interval."""
    next_at = None if connection.every_seconds is None else now
    changed = msgspec.structs.replace(connection, next_at=next_at)
    connections.save_connection(session, changed)


def make_rsa_key(session: WriteSession, hub: Hub, connection: Connection) -> Connection:
    """
    Give a connection an RSA key of its own, for a server that takes RS384 only.

    Raises:
        ConflictError: it has one.
    """
    if connection.public_key is not None:
        msg = "The connection has a key of its own already"
        raise ConflictError(msg)
    private, public = generate_key("RSA")
    changed = msgspec.structs.replace(
        connection,
        sealed=seal(hub.keys, json.dumps(private).encode()),
        public_key=json.dumps(public["keys"][0]),
    )
    connections.save_connection(session, changed)
    return changed


def private_key(hub: Hub, connection: Connection) -> Jwk:
    """Return the key by which the hub proves itself at a server."""
    if connection.sealed is None:
        return hub.client_key.as_dict(private=True)
    return dict(json.loads(unseal(hub.keys, connection.sealed)))


def public_key_set(hub: Hub, connection: Connection) -> dict[str, Any]:
    """Return the JWK Set that is to be registered for a connection."""
    if connection.public_key is None:
        return public_jwks(hub.client_key)
    return {"keys": [json.loads(connection.public_key)]}


def published_keys(hub: Hub) -> dict[str, Any]:
    """Return every key that others verify this hub by: its tokens, its assertions."""
    with read_session(hub.engine) as session:
        own = connections.public_keys(session)
    return {"keys": [*public_jwks(hub.signing_key, hub.client_key)["keys"], *own]}


def reach_of(connection: Connection) -> Reach:
    """Return where requests for a connection may go."""
    return Reach.around(
        connection.fhir_base,
        hosts=connection.hosts,
        token_hosts=connection.token_hosts,
    )


def usual_scope(connection: Connection, *, capabilities: Collection[str]) -> str:
    """Return the scopes to ask for: reading and, where it is understood, searching."""
    types = list(connection.types)
    if connection.level in {Level.GROUP, Level.SEARCH} and connection.group_id:
        types.insert(0, "Group")
    verb = "rs" if "permission-v2" in capabilities else "read"
    return " ".join(f"system/{type_}.{verb}" for type_ in types)

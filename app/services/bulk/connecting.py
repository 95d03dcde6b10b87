"""
A new connection, tried step by step: what works, what failed, and whom to ask for what.

Each step stands on those before it, so the first that fails is the one to be mended.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from app.domain.errors import ServiceError
from app.services.bulk.connections import private_key, public_key_set, usual_scope
from app.services.bulk.ehrs import server_of
from app.services.bulk.own_registrations import jwks_url
from app.services.hub import Hub
from app.smart.bulk_errors import (
    AccessRefusedError,
    AddressRefusedError,
    NoLongerThereError,
    ServerThrottlesError,
)
from app.smart.bulk_exports import FHIR_JSON, Level, Order, clear_away, kick_off
from app.smart.bulk_tokens import Credentials, ask_token
from app.smart.ehr_discovery import (
    Endpoints,
    capability_statement,
    discover,
    exports_stated,
)
from app.smart.vocabulary import GRANT_TYPE
from app.store.connections import Connection


class Verdict(StrEnum):
    """How a step ended; a note is worth reading, and stops nothing."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step, how it ended, and what to ask the administrator of the EHR for."""

    name: str
    verdict: Verdict
    said: str
    ask: str | None = None


def _ok(name: str, said: str) -> Step:
    return Step(name=name, verdict=Verdict.OK, said=said)


def _note(name: str, said: str, ask: str | None = None) -> Step:
    return Step(name=name, verdict=Verdict.NOTE, said=said, ask=ask)


def _failed(name: str, error: ServiceError | str, ask: str) -> Step:
    said = error if isinstance(error, str) else error.message
    return Step(name=name, verdict=Verdict.FAILED, said=said, ask=ask)


class Trial:
    """One try of a connection; ``steps`` yields until a step fails."""

    def __init__(self, hub: Hub, connection: Connection, *, tries_export: bool) -> None:
        self._hub = hub
        self._connection = connection
        self._tries_export = tries_export
        self._server = server_of(hub, connection)
        self._endpoints: Endpoints | None = None
        self._exports: frozenset[str] = frozenset()
        self.scope = connection.scope

    def steps(self) -> Iterator[Step]:
        """Yield each step as it ends; the one that failed is the last."""
        for step in (
            self._address,
            self._statement,
            self._discovery,
            self._key,
            self._token,
            self._people,
            self._export,
        ):
            done = step()
            yield done
            if done.verdict is Verdict.FAILED:
                return

    def _address(self) -> Step:
        try:
            count = self._hub.outbound.check(self._connection.fhir_base)
        except AddressRefusedError as error:
            ask = "a FHIR base by https on a public address, or route one to it"
            return _failed("address", error, ask)
        except ServiceError as error:
            return _failed("address", error, "the right host of the FHIR base")
        return _ok("address", f"the host has {count} address(es), all allowed")

    def _statement(self) -> Step:
        base = self._connection.fhir_base
        try:
            statement = capability_statement(self._server, base)
        except ServiceError as error:
            ask = (
                "access for this hub's address (firewall), and a certificate for the "
                "host by an authority that this machine trusts"
            )
            return _failed("metadata", error, ask)
        if statement is None:
            return _failed(
                "metadata",
                "The base answers no CapabilityStatement at /metadata",
                "the exact FHIR R4 base URL, with its whole path",
            )
        version = str(statement.get("fhirVersion"))
        if not version.startswith("4."):
            ask = "the base of its FHIR R4 (4.0.1) interface"
            return _failed("metadata", "The server is not of FHIR R4", ask)
        self._exports = exports_stated(statement)
        named = ", ".join(sorted(self._exports)) or "none"
        return _ok("metadata", f"FHIR R4; exports that it names: {named}")

    def _discovery(self) -> Step:
        connection = self._connection
        try:
            found = discover(
                self._server, connection.fhir_base, token_url=connection.token_url
            )
        except ServiceError as error:
            return _failed("discovery", error, "a working smart-configuration")
        self._endpoints = found
        if found is None:
            if connection.client_id is None:
                return _note("discovery", "no token endpoint; going on without a token")
            ask = "the URL of its token endpoint, for --token-url"
            return _failed("discovery", "Nothing says where it gives tokens", ask)
        lacking = _lacking(found, alg=str(private_key(self._hub, connection)["alg"]))
        if lacking:
            said = f"tokens at {found.token_endpoint}; it does not name {lacking}"
            return _note("discovery", said, f"whether it takes {lacking}")
        return _ok("discovery", f"tokens at {found.token_endpoint}")

    def _key(self) -> Step:
        connection, hub = self._connection, self._hub
        (key,) = public_key_set(hub, connection)["keys"]
        if connection.client_id is not None:
            return _ok("key", f"{key['alg']}, kid {key['kid']}, as registered")
        if self._endpoints is None:
            return _ok("key", "none is needed")
        where = (
            "with the key set that `catchment connection keys` prints"
            if hub.is_local
            else f"with the JWK Set URL {jwks_url(hub)}"
        )
        ask = (
            f"registration of this hub as a SMART Backend Services client {where}, for "
            f"the scopes {self._scope()}; and the client id it gets, for --client-id"
        )
        said = "The hub has no client id at this server"
        if self._endpoints.registration_endpoint:
            said += "; it takes registrations: try --register"
        return _failed("key", said, ask)

    def _token(self) -> Step:
        connection, found = self._connection, self._endpoints
        if connection.client_id is None or found is None:
            return _ok("token", "none is needed")
        scope = self._scope()
        credentials = Credentials(
            token_endpoint=found.token_endpoint,
            client_id=connection.client_id,
            key=private_key(self._hub, connection),
            scope=scope,
        )
        try:
            grant = ask_token(
                self._hub.outbound, credentials, now=self._hub.clock() // 1000
            )
        except ServiceError as error:
            ask = (
                f"whether client {connection.client_id} is active, knows the key "
                f"{credentials.key['kid']} ({credentials.key['alg']}) and may have "
                f"{scope}; the clocks may differ by a minute"
            )
            return _failed("token", error, ask)
        self.scope = scope
        granted = set((grant.scope or scope).split())
        without = [s for s in scope.split() if not _covers(granted, s)]
        held = f"a token for {grant.seconds} seconds"
        if without:
            lacking = " ".join(without)
            return _note("token", f"{held}, without {lacking}", f"the scopes {lacking}")
        return _ok("token", held)

    def _scope(self) -> str:
        capabilities = self._endpoints.capabilities if self._endpoints else ()
        return self._connection.scope or usual_scope(
            self._connection, capabilities=capabilities
        )

    def _people(self) -> Step:
        connection = self._connection
        is_needed = connection.level == Level.SEARCH
        path = "Patient?_count=1"
        if connection.group_id:
            path = f"Group/{connection.group_id}"
        elif not is_needed:
            return _ok("people", "not asked for: the export names them")
        try:
            self._server.ask(
                "GET",
                f"{connection.fhir_base}/{path}",
                headers={"Accept": FHIR_JSON},
                with_token=True,
            )
        except ServiceError as error:
            ask = "why it can't be read"
            if isinstance(error, NoLongerThereError):
                ask = "the id of the group of this programme's patients"
            if isinstance(error, AccessRefusedError):
                ask = "the scope to read Group and Patient"
            if is_needed:
                return _failed("people", error, ask)
            return _note("people", f"{error.message}; an export may work still", ask)
        return _ok("people", "the group can be read" if connection.group_id else "yes")

    def _export(self) -> Step:
        connection = self._connection
        if connection.level == Level.SEARCH:
            return _ok("export", "not asked for: patients are searched for one by one")
        ask = (
            f"Bulk Data export of a {connection.level} for this client; where there is "
            "none, collect with --level search"
        )
        if not self._tries_export:
            if connection.level in self._exports:
                return _ok("export", "named by the server; --try-export tries one")
            said = f"The server names no {connection.level} export; try --try-export"
            return _note("export", said, ask)
        return self._tried_export(ask)

    def _tried_export(self, ask: str) -> Step:
        connection = self._connection
        order = Order(
            level=Level(connection.level),
            group_id=connection.group_id,
            types=connection.types[:1],
        )
        try:
            url = kick_off(self._server, connection.fhir_base, order)
            clear_away(self._server, url)
        except ServerThrottlesError as error:
            return _note("export", f"{error.message}; another export runs")
        except ServiceError as error:
            return _failed("export", error, ask)
        return _ok("export", "one was started, and cancelled")


def _lacking(found: Endpoints, *, alg: str) -> str:
    """Return what a configuration lists without the hub's way among it, if any."""
    wanted = (
        (found.grant_types_supported, GRANT_TYPE),
        (found.token_endpoint_auth_methods_supported, "private_key_jwt"),
        (found.token_endpoint_auth_signing_alg_values_supported, alg),
    )
    return ", ".join(one for listed, one in wanted if listed and one not in listed)


def _covers(granted: set[str], scope: str) -> bool:
    """Return whether a scope was granted, in either version of SMART, or for all."""
    kind, _, rest = scope.partition("/")
    type_name, _, verbs = rest.partition(".")
    return any(
        f"{kind}/{name}.{verb}" in granted
        for name in (type_name, "*")
        for verb in (verbs, "read", "rs", "*", "cruds")
    )

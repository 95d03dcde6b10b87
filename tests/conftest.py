"""What every test may use: the shared inputs, a hub on both databases, its doors."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import hypothesis
import psycopg
import pytest
from fastapi import FastAPI

from app.services.hub import Hub
from app.settings import Settings
from app.store.sessions import open_engine
from tests.conformance import Conformance
from tests.fake_ehr import FakeEhr
from tests.file_servers import FileServer, serving_files
from tests.hubs import (
    BASE_URL,
    Caller,
    Clock,
    Databases,
    Network,
    app_of,
    first_hub,
    hub_on,
    settings_in,
)
from tests.reference.databases import Database
from tests.served import served_by_a_process
from tests.skips import (  # noqa: F401  (hooks of pytest)
    pytest_make_collect_report,
    pytest_runtest_makereport,
)

ROOT = Path(__file__).parent.parent
DIALECTS = ("sqlite", "postgresql")


def shared_folder() -> Path:
    """Return the folder of real inputs and golden vectors, which may be absent."""
    return Path(os.environ.get("CATCHMENT_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real inputs and golden vectors; the test skips by name where they are absent."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip("the shared inputs are not here (set CATCHMENT_SHARED)")
    return folder


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run tests of the doors on asyncio, as uvicorn does."""
    return "asyncio"


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """
    Databases of both kinds; PostgreSQL is one server for the whole run.

    Not in pytest's own folder: each new run closes that to all users but its own, and
    started by root PostgreSQL runs as another.
    """
    with TemporaryDirectory(prefix="catchment-") as folder:
        opened = Databases(Path(folder))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgresql(databases: Databases) -> Iterator[Database]:
    """The tables that counting reads, empty, on PostgreSQL."""
    with psycopg.connect(databases.empty("postgresql")) as connection:
        yield Database(connection, mark="%s")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a hub whose worker is off."""
    return settings_in(tmp_path_factory.mktemp("settings"))


@pytest.fixture(scope="session")
def shared_parts(settings: Settings) -> Iterator[Hub]:
    """What all hubs have in common, made once: the policy, the measures, the keys."""
    hub = first_hub(settings)
    yield hub
    hub.readers.close()


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Each of the databases that the hub runs on."""
    return str(request.param)


@pytest.fixture
def database_url(databases: Databases, dialect: str) -> Iterator[str]:
    """A migrated database without a row."""
    url = databases.fresh(dialect)
    yield url
    databases.give_back(url)


@pytest.fixture
def clock() -> Clock:
    """The hub's clock; a test moves it."""
    return Clock()


@pytest.fixture
def hub(shared_parts: Hub, database_url: str, clock: Clock) -> Iterator[Hub]:
    """A hub on an empty database."""
    engine = open_engine(database_url)
    yield hub_on(shared_parts, engine, clock)
    engine.dispose()


@pytest.fixture(scope="session")
def served_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that a process of its own serves on SQLite, for callers from outside."""
    with served_by_a_process(tmp_path_factory.mktemp("served")) as hub:
        yield hub


@pytest.fixture
def app(hub: Hub, settings: Settings) -> FastAPI:
    """The application, as it is served."""
    return app_of(hub, settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to the application, without a token."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        yield http


@pytest.fixture
def network(hub: Hub, client: httpx.AsyncClient) -> Network:
    """Enrols who takes part."""
    return Network(hub, client)


@pytest.fixture
async def ehr(network: Network) -> Caller:
    """The EHR of a clinic."""
    return network.ehr()


@pytest.fixture
def files(clock: Clock) -> Iterator[FileServer]:
    """The server of the submitter's files."""
    with serving_files(FakeEhr(clock=clock)) as served:
        yield served


def pytest_addoption(parser: pytest.Parser):
    """Let a run write the page of what the doors conform to."""
    help_ = "run what shows a row of the standards, and write the page of them here"
    parser.addoption("--conformance", type=Path, help=help_)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]):
    """Begin with what takes long to make: no other process helps with, and makes it."""
    items.sort(key=lambda item: item.get_closest_marker("early") is None)


def pytest_configure(config: pytest.Config):
    """
    Gather results for that page where it is asked for.

    Of several processes none keeps examples for the next run: it may go to another.
    What failed is found again by the run's seed.
    """
    path = config.getoption("--conformance", default=None)
    if path is not None:
        config.pluginmanager.register(Conformance(path))
    if hasattr(config, "workerinput"):
        hypothesis.settings.register_profile("worker", database=None)
        hypothesis.settings.load_profile("worker")

"""The hub that a command works on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, make_url

from app.domain.terminology import Coding
from app.main import check_store, hub_of, read_settings
from app.services import admissions, value_sets
from app.services.admissions import Policy
from app.services.hub import Hub
from app.services.keys import check_keys
from app.settings import Settings
from app.store.migrations import is_current
from app.store.sessions import open_engine, read_session


def open_hub(settings: Settings | None = None) -> Hub:
    """Return the hub of the settings, whose database is one that it may work on."""
    hub = hub_with_any_keys(settings)
    check_keys(hub)
    return hub


@contextmanager
def reaching_out() -> Iterator[Hub]:
    """Yield a hub that asks other servers; let go of them at the end."""
    hub = open_hub()
    try:
        yield hub
    finally:
        hub.servers.close()
        hub.outbound.close()
        hub.readers.close()


def hub_with_any_keys(settings: Settings | None = None) -> Hub:
    """Return the hub of the settings, for who is to put its keys in order."""
    hub = hub_of(settings or read_settings())
    check_store(hub)
    return hub


def listable_concepts(settings: Settings) -> Mapping[Coding, int] | None:
    """
    Return the codes that many people of the database have; None where there is none.

    Who looks at them is not the clinic that sent them, so rare codes are left out.
    """
    engine = _engine_that_is_there(settings)
    if engine is None:
        return None
    with read_session(engine) as session:
        return value_sets.listable_concepts(session)


def stored_conflicts(settings: Settings, policy: Policy) -> list[str]:
    """Return why a policy can't go on with what the database holds, if it is there."""
    engine = _engine_that_is_there(settings)
    if engine is None:
        return []
    with read_session(engine) as session:
        return list(admissions.conflicts(session, policy))


def _engine_that_is_there(settings: Settings) -> Engine | None:
    """Return the engine of a database with this version's schema, making no file."""
    path = make_url(settings.database_url).database
    is_file = settings.database_url.startswith("sqlite")
    if is_file and not Path(path or "").is_file():
        return None
    engine = open_engine(settings.database_url)
    return engine if is_current(engine) else None

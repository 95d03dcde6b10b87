"""The hub that a command works on."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import make_url

from app.domain.terminology import Coding
from app.main import check_schema, hub_of, read_settings
from app.services import value_sets
from app.services.hub import Hub
from app.services.keys import check_keys
from app.settings import Settings
from app.store.migrations import is_current
from app.store.sessions import open_engine, read_session


def open_hub(settings: Settings | None = None) -> Hub:
    """Return the hub of the settings; its database has our schema and fits our keys."""
    hub = hub_with_any_keys(settings)
    check_keys(hub)
    return hub


def hub_with_any_keys(settings: Settings | None = None) -> Hub:
    """Return the hub of the settings, for who is to put its keys in order."""
    hub = hub_of(settings or read_settings())
    check_schema(hub)
    return hub


def listable_concepts(settings: Settings) -> Mapping[Coding, int] | None:
    """
    Return the codes that many people of the database have; None where there is none.

    Who looks at them is not the clinic that sent them, so rare codes are left out.
    """
    path = make_url(settings.database_url).database
    is_file = settings.database_url.startswith("sqlite")
    if is_file and not Path(path or "").is_file():
        return None
    engine = open_engine(settings.database_url)
    if not is_current(engine):
        return None
    with read_session(engine) as session:
        return value_sets.listable_concepts(session)

"""The hub that a command works on."""

from app.main import check_schema, hub_of, read_settings
from app.services.hub import Hub
from app.settings import Settings


def open_hub(settings: Settings | None = None) -> Hub:
    """Return the hub of the settings, whose database has this version's schema."""
    hub = hub_of(settings or read_settings())
    check_schema(hub)
    return hub

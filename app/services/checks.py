"""What an operator wants to know before the users do."""

from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.services.hub import Hub
from app.store import recounts
from app.store.migrations import is_current
from app.store.sessions import read_session

LATE_MILLISECONDS = 60_000


def readiness(hub: Hub) -> dict[str, Any]:
    """Return what can and cannot be done now; ``ready`` is all of it together."""
    try:
        schema = is_current(hub.engine)
        with read_session(hub.engine) as session:
            since = recounts.waiting_since(session, clinic_id=None) if schema else None
    except SQLAlchemyError:
        return {"ready": False, "database": False}
    in_time = since is None or hub.clock() - since < LATE_MILLISECONDS
    return {
        "ready": schema and in_time,
        "database": True,
        "schema": schema,
        "counted_in_time": in_time,
    }

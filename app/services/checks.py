"""What an operator wants to know before the users do."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from app.services.hub import Hub
from app.services.policies import WARNED_DAYS, days_left, ended, soon_to_end
from app.services.recounts import overdue_since
from app.store.migrations import is_current
from app.store.sessions import read_session

log = logging.getLogger(__name__)


def readiness(hub: Hub) -> dict[str, bool | str]:
    """
    Return what can and cannot be done now; ``ready`` is all of it together.

    A ``reason`` says why nothing is stored, a ``warning`` when that will be.
    """
    try:
        schema = is_current(hub.engine)
        with read_session(hub.engine) as session:
            in_time = not schema or overdue_since(session, hub) is None
    except SQLAlchemyError:
        return {"ready": False, "database": False}
    left = days_left(hub)
    in_force = left is None or left >= 0
    findings: dict[str, bool | str] = {
        "ready": schema and in_time and in_force,
        "database": True,
        "schema": schema,
        "counted_in_time": in_time,
        "policy_in_force": in_force,
    }
    if not in_force:
        findings["reason"] = ended(hub)
    elif left is not None and left <= WARNED_DAYS:
        findings["warning"] = soon_to_end(hub)
    return findings


def warn_of_policy(hub: Hub) -> None:
    """Write into the log that the policy has expired, or will within a month."""
    left = days_left(hub)
    if left is None or left > WARNED_DAYS:
        return
    event = "policy expires soon" if left >= 0 else "policy expired, nothing is stored"
    log.warning(event, extra={"count": max(left, 0)})

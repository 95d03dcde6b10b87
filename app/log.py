"""
Logs without PHI: a constant event name, and listed facts beside it.

Only the keys listed here are written, so that a new one is a reviewed change.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from typing_extensions import override

KEYS = (
    "client_id",
    "clinic_id",
    "count",
    "duration_ms",
    "error",
    "expression",
    "job",
    "measure",
    "method",
    "place",
    "request_id",
    "route",
    "status",
)


class EventFormatter(logging.Formatter):
    """One line of JSON for each event."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the event and its listed facts; nothing else of the record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "event": _event(record.msg),
        }
        facts = vars(record)
        line.update({key: facts[key] for key in KEYS if key in facts})
        return json.dumps(line, default=str)


def _event(message: object) -> str:
    """Return what a record says; of an error of the system's, the system's words."""
    if isinstance(message, str):
        return message
    reason = message.strerror if isinstance(message, OSError) else None
    return reason or type(message).__name__


def place_of(error: BaseException) -> str:
    """Return the innermost places of ours in the traceback of an error."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{f.filename.rpartition('/app/')[2]}:{f.lineno}" for f in frames]
    return " < ".join(reversed(ours[-4:]))


def configure_logging(level: str) -> None:
    """Send this program's events to standard error; other libraries' from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(level)

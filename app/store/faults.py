"""What goes wrong in the database: whose fault it is, and whether to try again."""

from collections.abc import Iterator

from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionError

from app.domain.errors import BusyError, IssueType, ServiceError

RETRIED_STATES = frozenset({"40001", "40P01"})
"""PostgreSQL's codes for a serialization failure and a deadlock."""


class UnavailableError(ServiceError):
    """The database can't do its work; the same request may succeed once it can."""

    issue_type = IssueType.TRANSIENT

    def __init__(self, reason: str, *, retry_after_seconds: int) -> None:
        super().__init__(f"{reason}. {_SEND_AGAIN}")
        self.retry_after_seconds = retry_after_seconds


# The answer to a commit may be lost with the connection, so "nothing was stored" would
# say too much.
_SEND_AGAIN = "Send it again later: what is here already counts once"
_UNREACHABLE = ("The database can't be reached", 5)
_STOPPED = ("The database was stopped by its operator, or took too long", 5)
_FULL = ("The disk of the database is full", 60)
_SHORT = ("The database is short of connections or memory", 5)
_READ_ONLY = ("The database can only be read now", 30)
_BROKEN = ("The database can't read or write its files", 60)
OUTAGES = {
    "08": _UNREACHABLE,
    "57": _STOPPED,
    "53100": _FULL,
    "53": _SHORT,
    "25006": _READ_ONLY,
    "25P": _STOPPED,
    "58": _BROKEN,
    "SQLITE_FULL": _FULL,
    "SQLITE_NOMEM": _SHORT,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_CANTOPEN": _BROKEN,
    "SQLITE_IOERR": _BROKEN,
}
"""
What a code of the database's means, by its beginning, and after how many seconds to ask
again. PostgreSQL's are of five characters, the first two their class.
"""
_LOST_WITHOUT_A_CODE = (OperationalError, InterfaceError)


def is_conflict(error: DBAPIError) -> bool:
    """Return whether another transaction was in the way; a second try may succeed."""
    return isinstance(error, IntegrityError) or _state(error) in RETRIED_STATES


def is_busy(error: DBAPIError) -> bool:
    """Return whether SQLite's one writer kept others waiting for too long."""
    return _sqlite_name(error).startswith("SQLITE_BUSY")


def is_of_statement(error: DBAPIError) -> bool:
    """Return whether a statement can't be run, in whatever state the store is."""
    if isinstance(error, OperationalError | InterfaceError):
        return _sqlite_name(error) == "SQLITE_ERROR"
    return not is_conflict(error)


def outage(error: BaseException) -> ServiceError | None:
    """
    Return what to tell a caller where *error* is the database's state, else None.

    The first fault counts: what was done to clean up after it may have failed too.
    """
    faults = [each for each in _chain(error) if isinstance(each, SQLAlchemyError)]
    return next(filter(None, map(_told, reversed(faults))), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, then what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _told(error: SQLAlchemyError) -> ServiceError | None:
    if isinstance(error, NoConnectionError):
        return _unavailable(_SHORT)
    if not isinstance(error, DBAPIError):
        return None
    if is_busy(error) or _state(error) in RETRIED_STATES:
        return BusyError("Other deliveries are under way")
    code = _state(error) or _sqlite_name(error)
    for start, told in OUTAGES.items():
        if code.startswith(start):
            return _unavailable(told)
    lost = error.connection_invalidated or isinstance(error, _LOST_WITHOUT_A_CODE)
    return _unavailable(_UNREACHABLE) if lost and not code else None


def _unavailable(told: tuple[str, int]) -> UnavailableError:
    reason, seconds = told
    return UnavailableError(reason, retry_after_seconds=seconds)


def _state(error: DBAPIError) -> str:
    """Return PostgreSQL's code of an error, if it told one."""
    return getattr(error.orig, "sqlstate", None) or ""


def _sqlite_name(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlite_errorname", None) or ""

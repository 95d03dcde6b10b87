"""Engines and sessions: one transaction a request, read or write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, NewType, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from app.domain.errors import BusyError, InvalidElementError
from app.store.faults import is_busy, is_conflict

T = TypeVar("T")
ReadSession = NewType("ReadSession", Session)
WriteSession = NewType("WriteSession", ReadSession)

DRIVERS = ("sqlite", "postgresql+psycopg")
POOL_SIZE = 48
"""At least as many connections as threads that may ask for one."""
OVERFLOW = 10
MOST_CONNECTIONS = POOL_SIZE + OVERFLOW
"""Of one process, at its busiest."""
TRIES = 5
"""How often what met another transaction is done over."""
REST_SECONDS = 2.0
"""After so long a connection is looked at before it is used again."""


def open_engine(database_url: str) -> Engine:
    """
    Return an engine for SQLite (a file) or PostgreSQL.

    ``sqlite:///path`` or ``postgresql+psycopg://...`` (``postgresql://`` is read as
    the same). Parameters never appear in errors or logs.

    Raises:
        InvalidElementError: the URL is of neither.
    """
    url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    if _driver(url) not in DRIVERS:
        msg = "The database's URL is none of sqlite:///PATH or postgresql://HOST/NAME"
        raise InvalidElementError(msg, expression="database_url")
    if not url.startswith("sqlite"):
        engine = create_engine(
            url, hide_parameters=True, pool_size=POOL_SIZE, max_overflow=OVERFLOW
        )
        _ping_when_in_doubt(engine)
        return engine
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        connect_args={"check_same_thread": False, "timeout": 30},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _end_sqlite)
    return engine


def _ping_when_in_doubt(engine: Engine) -> None:
    """
    Look whether a connection still leads somewhere: after a rest, or a loss of another.

    ``pool_pre_ping`` does so at each checkout, which costs as much as a statement.
    """
    lost_at = 0.0

    @event.listens_for(engine, "invalidate")
    def lose(*_: object) -> None:
        nonlocal lost_at
        lost_at = monotonic()

    @event.listens_for(engine, "checkin")
    def note(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401  (DBAPI)
        since = record.info.get("rests_since")
        if since is None or since > max(lost_at, monotonic() - REST_SECONDS):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def _driver(url: str) -> str | None:
    try:
        return make_url(url).drivername
    except (ArgumentError, ValueError):  # no URL at all, or a port that is no number
        return None


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  (DBAPI)
    """Leave transactions to us, and turn on what SQLite leaves off."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -65536",
        "mmap_size = 1073741824",  # counting reads all facts: a tenth less time
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once in a write session, so that none can deadlock."""
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _end_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  (DBAPI)
    """Take back what a commit that failed left open: it would keep all others out."""
    if connection is not None and connection.in_transaction:
        connection.rollback()


def connection_of(session: ReadSession) -> Connection:
    """Return the connection of a session's one transaction, asked for only once."""
    connection: Connection | None = session.info.get("connection")
    if connection is None:
        connection = session.info["connection"] = session.connection()
    return connection


OPERATOR = "operator"
"""Who acts where no client does: a command, the worker."""


def new_write_session(engine: Engine, *, client_id: str = OPERATOR) -> WriteSession:
    """
    Return a session for one transaction, which its first statement begins.

    What it does is done for *client_id*, and written down so where acts are.
    """
    session = Session(engine, expire_on_commit=False)
    session.info["client_id"] = client_id
    return WriteSession(ReadSession(session))


def client_of(session: WriteSession) -> str:
    """Return for whom a session acts."""
    client_id: str = session.info["client_id"]
    return client_id


@contextmanager
def write_session(
    engine: Engine, *, client_id: str = OPERATOR
) -> Iterator[WriteSession]:
    """Yield one transaction; commit it where the block ends without an error."""
    with new_write_session(engine, client_id=client_id) as session:
        yield session
        session.commit()


@contextmanager
def one_try(session: WriteSession) -> Iterator[None]:
    """
    Take back what the block wrote where it fails, and only that.

    A savepoint costs two exchanges with the database; where nothing was done before,
    the transaction itself can go.
    """
    if session.in_transaction():
        # The session's own would begin only where it is asked for its connection again.
        with connection_of(session).begin_nested():
            yield
        return
    try:
        yield
    except BaseException:
        session.info.pop("connection", None)
        session.rollback()
        raise


def tried(session: WriteSession, step: Callable[[], T]) -> T:
    """
    Return what *step* does, tried again where another transaction was in the way.

    Raises:
        BusyError: others were in the way each time.
    """
    for _ in range(TRIES):
        try:
            with one_try(session):
                return step()
        except DBAPIError as error:
            if is_busy(error):
                break
            if not is_conflict(error):
                raise
    msg = "Other deliveries are under way"
    raise BusyError(msg)


@contextmanager
def read_session(engine: Engine) -> Iterator[ReadSession]:
    """Yield one consistent view of the store; nothing is written."""
    options: dict[str, Any] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with Session(engine.execution_options(**options)) as session:
        yield ReadSession(session)
        session.rollback()

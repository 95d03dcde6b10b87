"""What a route asks for: a transaction, the hub, a caller who may."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer

from app.domain.clinics import Principal
from app.services.authorization import authenticate
from app.services.hub import Hub
from app.store import sessions

# Says in the OpenAPI document that a token is needed; ``find_caller`` judges it.
BEARER = HTTPBearer(
    scheme_name="token",
    bearerFormat="JWT",
    description="An access token of POST /oauth/token.",
    auto_error=False,
)


async def find_hub(request: Request) -> Hub:
    """Return the hub that the application was made for."""
    hub: Hub = request.app.state.hub
    return hub


HubDependency = Annotated[Hub, Depends(find_hub)]


async def find_caller(request: Request, hub: HubDependency) -> Principal:
    """Return whom the request's access token speaks for, or refuse."""
    authorization = request.headers.get("Authorization")
    known = hub.principals.remembered(authorization, now=hub.clock())
    return known or await run_in_threadpool(authenticate, hub, authorization)


Caller = Annotated[Principal, Depends(find_caller)]


async def open_write_session(
    hub: HubDependency,
) -> AsyncIterator[sessions.WriteSession]:
    """
    Yield the request's one transaction; commit if the route returns.

    What touches the database runs in a thread; opening a session does not.
    """
    session = sessions.new_write_session(hub.engine)
    try:
        yield session
    except BaseException:
        await run_in_threadpool(session.close)
        raise
    await run_in_threadpool(_commit, session)


def _commit(session: sessions.WriteSession) -> None:
    with session:
        session.commit()


def open_read_session(hub: HubDependency) -> Iterator[sessions.ReadSession]:
    """Yield one consistent view of the store."""
    with sessions.read_session(hub.engine) as session:
        yield session


# scope="function": the commit happens before the response is sent, so a failed
# commit is a 500 and never a 201 that was not stored.
WriteSession = Annotated[
    sessions.WriteSession, Depends(open_write_session, scope="function")
]
ReadSession = Annotated[
    sessions.ReadSession, Depends(open_read_session, scope="function")
]

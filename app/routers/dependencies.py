"""What a route asks for: a transaction, the hub, a caller who may."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, ParamSpec, cast

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer

from app.domain.clinics import Principal
from app.services.authorization import authenticate
from app.services.hub import Hub
from app.services.refusals import remember_noted
from app.services.waiting import WaitingRoom
from app.store import sessions

P = ParamSpec("P")

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


# Each dependency of a dependency is a tenth of what FastAPI costs a request, so those
# of the single creates take what they need from the request.
async def find_waiting_room(request: Request) -> WaitingRoom:
    """Return where single submissions wait for their turn."""
    room: WaitingRoom = request.app.state.waiting_room
    return room


Waiting = Annotated[WaitingRoom, Depends(find_waiting_room)]


async def find_caller(request: Request) -> Principal:
    """Return whom the request's access token speaks for, or refuse."""
    hub: Hub = request.app.state.hub
    authorization = request.headers.get("Authorization")
    known = hub.principals.remembered(authorization, now=hub.clock())
    if known is not None:
        return known
    return await run_in_threadpool(authenticate, hub, authorization)


async def find_paying_caller(request: Request) -> Principal:
    """Return the caller, from whose budget one resource is taken, or refuse."""
    hub: Hub = request.app.state.hub
    caller = await find_caller(request)
    grant = hub.budgets.take(caller.client_id, 1, now=hub.clock(), whole=True)
    if grant.retry_after_seconds is not None:
        raise grant.refusal()
    return caller


Caller = Annotated[Principal, Depends(find_paying_caller)]
BundleCaller = Annotated[Principal, Depends(find_caller)]
"""One who pays by the entry."""


async def new_write_session(
    hub: HubDependency, caller: BundleCaller
) -> sessions.WriteSession:
    """Return the request's one transaction, which its first statement begins."""
    return sessions.new_write_session(hub.engine, client_id=caller.client_id)


def committed(route: Callable[P, Response]) -> Callable[P, Response]:
    """
    Let *route* commit its ``session`` where it returns, and roll back where it fails.

    A failed commit is a 503 and never a 201 that was not stored. It happens in the
    thread of the route: who holds SQLite's write lock must not queue for a thread
    behind those who wait for the lock. What was refused is remembered once the
    transaction is over.
    """

    @wraps(route)
    def run(*args: P.args, **kwargs: P.kwargs) -> Response:
        session = cast("sessions.WriteSession", kwargs["session"])
        hub = cast("Hub", kwargs["hub"])
        try:
            with session:
                answer = route(*args, **kwargs)
                session.commit()
                return answer
        finally:
            remember_noted(session, hub.engine)

    return run


def open_read_session(hub: HubDependency) -> Iterator[sessions.ReadSession]:
    """Yield one consistent view of the store."""
    with sessions.read_session(hub.engine) as session:
        yield session


WriteSession = Annotated[sessions.WriteSession, Depends(new_write_session)]
ReadSession = Annotated[
    sessions.ReadSession, Depends(open_read_session, scope="function")
]

"""A route that asks for itself answers as any other would."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match

from app.routers import fhir
from app.routers.direct_routes import DirectRoute
from app.routers.fhir_document import fhir_routes

pytestmark = pytest.mark.anyio

WRITES = {"create", "update", "update_conditionally"}


async def find_said(request: Request) -> str:
    return request.headers["Said"]


def find_said_slowly(request: Request) -> str:
    return request.headers["Said"]


async def name_twice(own_id: str) -> str:
    return own_id * 2


async def whole(
    own_id: str, request: Request, said: Annotated[str, Depends(find_said)]
) -> Response:
    return Response(f"{own_id} {request.method} {said}")


async def slow(
    own_id: str, request: Request, said: Annotated[str, Depends(find_said_slowly)]
) -> Response:
    return Response(f"{own_id} {request.method} {said}")


async def nested(
    own_id: str, request: Request, said: Annotated[str, Depends(name_twice)]
) -> Response:
    return Response(f"{own_id} {request.method} {said}")


async def asking(own_id: str, request: Request, said: str = "nothing") -> Response:
    return Response(f"{own_id} {request.method} {said}")


async def plain(own_id: str, request: Request) -> dict[str, str]:
    return {own_id: request.method}


def test_single_writes_are_direct():
    """They are what clinics send most; a new parameter could make them slow unseen."""
    routes = [route for route in fhir.router.routes if isinstance(route, DirectRoute)]

    assert {route.name for route in routes if route.is_direct} == WRITES
    assert all(route.is_direct for route in routes if route.name in WRITES)


def test_a_path_that_is_spelt_out_is_never_taken_for_a_type(app: FastAPI):
    """The types' routes come early; what else lies under /fhir comes before them."""
    spelt = [route for route in fhir_routes(app) if "{" not in route.path]
    wanted = {(route.path, m) for route in spelt for m in route.methods or ()}

    missed = {
        (path, method)
        for path, method in wanted
        if _endpoint(app, path, method) not in {route.endpoint for route in spelt}
    }

    assert ("/fhir/.well-known/smart-configuration", "GET") in wanted
    assert not missed


def _endpoint(app: FastAPI, path: str, method: str) -> object:
    """Return what answers a request; a router says only that it has it."""
    scope: dict[str, Any] = {"type": "http", "path": path, "method": method}
    for context in iter_route_contexts(app.routes):
        match, found = context._effective_route.matches(dict(scope))  # noqa: SLF001
        if match is Match.FULL:
            return found.get("endpoint")
    return None


@pytest.mark.parametrize(
    ("endpoint", "is_direct"),
    [
        (whole, True),
        (slow, False),
        (nested, False),
        (asking, False),
        (plain, False),
    ],
)
async def test_a_direct_route_answers_as_any_other(endpoint, is_direct):
    """What it cannot ask for itself it leaves to FastAPI."""
    app = FastAPI()
    routers = [APIRouter(route_class=kind) for kind in (DirectRoute, APIRoute)]
    for prefix, router in zip(("/direct", "/usual"), routers, strict=True):
        router.post("/{own_id}")(endpoint)
        app.include_router(router, prefix=prefix)
    (route,) = routers[0].routes
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        direct, usual = [
            await http.post(f"/{kind}/o%201?said=x", headers={"Said": "y"})
            for kind in ("direct", "usual")
        ]

    assert isinstance(route, DirectRoute)
    assert route.is_direct is is_direct
    assert direct.status_code == usual.status_code == 200
    assert direct.content == usual.content

"""
Which answers may be kept, and for how long: by release, never of live numbers.

An answer about released numbers names its state by a strong ETag; who has it already is
told so by 304, before anything is counted or drawn (RFC 9110, section 13). A clinic's
own live numbers stay in no cache.
"""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Annotated, Any, NewType

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from typing_extensions import override

from app.charts.vega_layers import Spec
from app.routers.dependencies import HubDependency, ReadSession
from app.routers.viewers import Seer
from app.services.freshness import state_of
from app.services.pictures import MEDIA_TYPES, Picture, Pictures, drawn
from app.services.viewed_series import own_clinic

VARY = "Authorization, Accept"
LIVE = {"Cache-Control": "private, no-store", "Vary": VARY}
KEPT = {"Cache-Control": "private, no-cache", "Vary": VARY}
"""To be kept, and asked about each time: a release may come at any moment."""

Tag = NewType("Tag", str)


class NotModifiedError(Exception):
    """The caller has the answer already."""


class KeptRoute(APIRoute):
    """A route whose answers say whether they may be kept, where that is known."""

    @override
    def get_route_handler(
        self,
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, with the terms of keeping in its answers."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handler(request)
            except NotModifiedError:
                response = Response(status_code=304)
            response.headers.update(getattr(request.state, "terms", {}))
            return response

        return answer


def find_tag(
    request: Request, viewer: Seer, hub: HubDependency, session: ReadSession
) -> Tag | None:
    """
    Return the tag of an answer about released numbers; None where it is live.

    Raises:
        NotModifiedError: the caller has it.
    """
    asked = request.query_params.get("clinic")
    code = request.path_params.get("clinic", asked)
    if own_clinic(session, viewer, code) is not None:
        request.state.terms = LIVE
        return None
    state = state_of(session, hub, viewer.audience)
    if state is None:
        return None
    tag = _tag(request, viewer.audience, state)
    request.state.terms = KEPT | {"ETag": tag}
    if _has(request, tag):
        raise NotModifiedError
    return tag


def _tag(request: Request, audience: str, state: str) -> Tag:
    question = (
        request.url.path,
        sorted(request.query_params.multi_items()),
        "text/csv" in request.headers.get("Accept", ""),
    )
    digest = sha256(f"{audience} {question} {state}".encode()).hexdigest()
    return Tag(f'"{digest[:32]}"')


def _has(request: Request, tag: Tag) -> bool:
    """Return whether If-None-Match names *tag*; weak comparison, as for any GET."""
    known = request.headers.get("If-None-Match", "").split(",")
    return any(each.strip().removeprefix("W/") == tag for each in known)


def refuse_keeping(request: Request) -> None:
    """Let no cache keep what is always live."""
    request.state.terms = LIVE


KEPT_BY_RELEASE = Depends(find_tag)
NEVER_KEPT = Depends(refuse_keeping)


class Drawer:
    """Draws for one request: what was drawn before by the same tag is there."""

    def __init__(self, tag: Tag | None, known: Pictures) -> None:
        self._tag, self._known = tag, known

    def reply(self, picture: Picture, specify: Callable[[], Spec]) -> Response:
        """Return a picture, specified and drawn only where nobody asked before."""

        def draw() -> str | bytes:
            return drawn(specify(), picture)

        made = draw() if self._tag is None else self._known.find(self._tag, draw)
        return Response(made, media_type=MEDIA_TYPES[picture], headers=ALONE)


ALONE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; font-src data:"
    ),
    "X-Content-Type-Options": "nosniff",
}
"""A picture opened by itself may use the font that is in it, and nothing else."""


def find_drawer(
    request: Request, tag: Annotated[Tag | None, KEPT_BY_RELEASE]
) -> Drawer:
    """Return who draws for this request."""
    return Drawer(tag, request.app.state.pictures)


KeptDrawer = Annotated[Drawer, Depends(find_drawer)]

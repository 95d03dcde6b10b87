"""How a request came: nothing is told to who listens on the way."""

import ipaddress

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.errors import ForbiddenError
from app.routers.outcomes import error_reply

OPEN = "/health/"
"""What a supervisor asks from beside the hub; it tells nothing of anybody."""


class HttpsOnly:
    """
    Refuses what came by plain http from another machine, whatever it asks.

    The scheme is the one that a trusted proxy states (``X-Forwarded-Proto``). A token
    that came so is known to others; the client is to learn it from its first request.

    Source: SMART App Launch 2.2.0, Backend Services: TLS on all exchanges.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or refuse."""
        if scope["type"] == "http" and _is_overheard(scope):
            refusal = ForbiddenError("This hub is to be reached by https only")
            await error_reply(Request(scope), refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_overheard(scope: Scope) -> bool:
    return (
        scope["scheme"] != "https"
        and not scope["path"].startswith(OPEN)
        and not _is_loopback(scope.get("client"))
    )


def _is_loopback(client: tuple[str, int] | None) -> bool:
    """Return whether this machine asks; by a socket of its own it has no address."""
    if client is None:
        return True
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False

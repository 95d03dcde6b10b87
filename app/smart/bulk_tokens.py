"""An access token that is there when it is asked for: renewed before it ends."""

import secrets
import threading
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from app.smart.clients import Jwk, granted_scope, granted_token, token_form
from app.smart.outbound import Outbound

EARLY_SECONDS = 30
"""How long before its end a token is renewed, at most half of its life."""
FORM = "application/x-www-form-urlencoded"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who the hub is at another server, and by which private key it proves it."""

    token_endpoint: str
    client_id: str
    key: Jwk
    scope: str


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A token, for how many seconds it holds, and for what, where that was said."""

    token: str
    seconds: int
    scope: str | None


class TokenHolder:
    """
    The token of one client at one server; threads may share it.

    *ask* gets a new one; *clock* counts seconds.
    """

    def __init__(self, ask: Callable[[], Grant], *, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    def current(self) -> str:
        """
        Return a token that holds.

        Raises:
            TokenRefusedError: the authorization server gives none.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                return self._renewed()
            return self._token

    def instead_of(self, refused: str) -> str:
        """Return a newer token than *refused*, which a server did not take."""
        with self._lock:
            if self._token is None or self._token == refused:
                return self._renewed()
            return self._token

    def _renewed(self) -> str:
        asked_at = self._clock()
        grant = self._ask()
        early = min(EARLY_SECONDS, grant.seconds / 2)
        self._token, self._renew_at = grant.token, asked_at + grant.seconds - early
        return grant.token


def holder_of(
    outbound: Outbound, credentials: Credentials, *, epoch: Callable[[], int]
) -> TokenHolder:
    """Return what holds a client's token at a server; *epoch* tells epoch seconds."""
    return TokenHolder(
        lambda: ask_token(outbound, credentials, now=epoch()), clock=epoch
    )


def ask_token(outbound: Outbound, credentials: Credentials, *, now: int) -> Grant:
    """
    Ask the token endpoint, with a fresh assertion each time; *now* in epoch seconds.

    Raises:
        TokenRefusedError: the answer is not a token.
        ServerError: there is no answer.
    """
    form = token_form(
        token_endpoint=credentials.token_endpoint,
        client_id=credentials.client_id,
        key=credentials.key,
        scope=credentials.scope,
        now=now,
        jti=secrets.token_urlsafe(24),
    )
    answer = outbound.ask(
        "POST",
        credentials.token_endpoint,
        headers={"Accept": "application/json", "Content-Type": FORM},
        content=urlencode(form).encode(),
    )
    token, seconds = granted_token(answer.status, answer.body)
    return Grant(token=token, seconds=seconds, scope=granted_scope(answer.body))

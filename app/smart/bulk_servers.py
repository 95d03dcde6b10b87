"""
A server that the hub fetches from as a SMART client.

Who may see the token, what is followed, and what each status means are decided here,
for polling, manifests, files and searches alike.
"""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import urljoin

import httpx
import msgspec

from app.smart.bulk_errors import (
    AccessRefusedError,
    NoLongerThereError,
    ServerRefusedError,
    ServerThrottlesError,
    ServerUnavailableError,
    UnboundedError,
)
from app.smart.bulk_tokens import TokenHolder
from app.smart.documents import parse_document
from app.smart.outbound import Answer, Outbound, Reach, origin_of
from app.smart.retry_after import retry_after_seconds

MOST_REDIRECTS = 5
MOST_OF_A_REFUSAL = 64 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GATEWAY = frozenset({502, 503, 504})
_ISSUE_TYPES = """
invalid structure required value invariant security login unknown expired forbidden
suppressed processing not-supported duplicate multiple-matches not-found deleted
too-long code-invalid extension too-costly business-rule conflict transient
lock-error no-store exception timeout incomplete throttled informational
"""
ISSUE_TYPES = frozenset(_ISSUE_TYPES.split())
"""What FHIR lists (issue-type); nothing else of an OperationOutcome is repeated."""


class BulkServer:
    """
    One server within one reach, with or without a token.

    *epoch* tells epoch seconds. Without *tokens* no token is ever sent.
    """

    def __init__(
        self,
        outbound: Outbound,
        reach: Reach,
        *,
        epoch: Callable[[], int],
        tokens: TokenHolder | None = None,
    ) -> None:
        self.outbound = outbound
        self.reach = reach
        self._epoch = epoch
        self._tokens = tokens

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        with_token: bool,
        content: bytes | None = None,
    ) -> Answer:
        """
        Return a whole answer of status 2xx.

        Raises:
            ServerError: as the status says; see ``open``.
        """
        response = self.open(
            method, url, headers=headers, with_token=with_token, content=content
        )
        return self.outbound.read(response, url=url)

    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        with_token: bool,
        content: bytes | None = None,
    ) -> httpx.Response:
        """
        Return an answer of status 2xx, its body unread; the caller closes it.

        A redirect is followed within the reach, the token going along only to origins
        that may see it. A 401 has the token renewed, once.

        Raises:
            AddressRefusedError: a URL is out of reach.
            AccessRefusedError: 401 or 403, with a new token too.
            NoLongerThereError: 404 or 410.
            ServerThrottlesError: 429.
            ServerUnavailableError: no answer; a 5xx whose OperationOutcome says
                transient; 502, 503 or 504 without one.
            ServerRefusedError: any other status.
        """
        token = self._token_for(url, with_token=with_token)
        response = self._followed(method, url, headers, token, content=content)
        if response.status_code == httpx.codes.UNAUTHORIZED and token is not None:
            assert self._tokens is not None
            response.close()
            token = self._tokens.instead_of(token)
            response = self._followed(method, url, headers, token, content=content)
        if not response.is_success:
            self._refuse(response)
        return response

    def _token_for(self, url: str, *, with_token: bool) -> str | None:
        if not with_token or self._tokens is None:
            return None
        if origin_of(url) not in self.reach.token_origins:
            return None
        return self._tokens.current()

    def _followed(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        token: str | None,
        *,
        content: bytes | None,
    ) -> httpx.Response:
        """Return the answer where redirects end, each hop within the reach."""
        for _ in range(MOST_REDIRECTS + 1):
            self.reach.check(url)
            may_see = origin_of(url) in self.reach.token_origins
            shown = {"Authorization": f"Bearer {token}"} if token and may_see else {}
            response = self.outbound.send(
                method, url, headers={**headers, **shown}, content=content
            )
            place = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not place:
                return response
            response.close()
            url = urljoin(url, place)
        msg = "The server redirects without end"
        raise UnboundedError(msg)

    def _refuse(self, response: httpx.Response) -> NoReturn:
        """Raise what the status of *response* means."""
        status = response.status_code
        codes = _issue_codes(response, self.outbound)
        wait = retry_after_seconds(response.headers, now=self._epoch())
        said = ", ".join([str(status), *codes])
        if status == httpx.codes.TOO_MANY_REQUESTS:
            msg = f"The server asks for patience ({said})"
            raise ServerThrottlesError(msg, retry_after_seconds=wait)
        is_passing = status in _GATEWAY or wait is not None
        if codes:
            is_passing = "transient" in codes
        if response.is_server_error and is_passing:
            msg = f"The server can't answer now ({said})"
            raise ServerUnavailableError(msg, retry_after_seconds=wait)
        msg = f"The server answers {said}"
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise AccessRefusedError(msg, status=status)
        if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
            raise NoLongerThereError(msg, status=status)
        raise ServerRefusedError(msg, status=status)


class _Outcome(msgspec.Struct):
    """Of an OperationOutcome, what may be repeated."""

    issue: list[dict[str, Any]] = []


def _issue_codes(response: httpx.Response, outbound: Outbound) -> list[str]:
    """Return the listed codes of an OperationOutcome in *response*, if it is one."""
    try:
        answer = outbound.read(response, url="", max_bytes=MOST_OF_A_REFUSAL)
        document = parse_document(answer.body)
        issues = msgspec.convert(document, _Outcome).issue
    except (ServerUnavailableError, UnboundedError, ValueError):
        return []
    stated = (issue.get("code") for issue in issues)
    return list(dict.fromkeys(code for code in stated if code in ISSUE_TYPES))

"""
Requests to servers that somebody else chose: to checked addresses, within limits.

Who may be asked at all is a ``Reach``; each address of a host is looked at before it
is connected to, as ``smart.fetches`` does it.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx
import msgspec

from app.smart.bulk_errors import (
    AddressRefusedError,
    BrokenOffError,
    ServerUnavailableError,
    UnboundedError,
)
from app.smart.fetches import (
    FetchError,
    Resolve,
    parse_url,
    requests_to,
    resolve_host,
)

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""How long a server may be silent in the middle of an answer."""
ANSWER_SECONDS = 120.0
"""How long a whole document may take."""
DOCUMENT_BYTES = 32 * 1024 * 1024

_TIMEOUT = httpx.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS)
_PORTS = {"http": 80, "https": 443}


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which origins may be asked, and which of them may see a token.

    An origin is ``https://host:port`` (``origin_of``). Both sets are closed: a URL in
    an answer can't widen them.
    """

    origins: frozenset[str]
    token_origins: frozenset[str]

    @classmethod
    def around(
        cls,
        base: str,
        *,
        hosts: tuple[str, ...] = (),
        token_hosts: tuple[str, ...] = (),
    ) -> "Reach":
        """Return the reach of a server: its own origin, and those that were allowed."""
        trusted = {origin_of(base), *map(_origin_of_host, token_hosts)}
        others = map(_origin_of_host, hosts)
        return cls(
            origins=frozenset({*trusted, *others}), token_origins=frozenset(trusted)
        )

    def check(self, url: str) -> None:
        """Refuse a URL of an origin that was not allowed."""
        if origin_of(url) not in self.origins:
            msg = "A URL leads to a host that is not on the connection's list"
            raise AddressRefusedError(msg)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer that was small enough to be held."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """
    The way out of the hub: one connection pool for each host, nothing followed.

    *dev_mode* lets plain http to this machine pass. *clock* counts seconds.
    """

    def __init__(
        self,
        *,
        dev_mode: bool,
        clock: Callable[[], float] = time.monotonic,
        resolve: Resolve = resolve_host,
        verify: bool = True,
    ) -> None:
        self.dev_mode = dev_mode
        self.clock = clock
        self._resolve = resolve
        self._context = httpx.create_ssl_context(verify=verify, trust_env=False)
        self._lock = threading.Lock()
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def check(self, url: str) -> int:
        """
        Return how many addresses the host of *url* has, which may all be asked.

        Raises:
            AddressRefusedError: the URL or an address of its host may not be asked.
            ServerUnavailableError: the host's name is unknown.
        """
        try:
            parsed = parse_url(url, dev_mode=self.dev_mode)
            requests = requests_to(
                self._client(origin_of(url)),
                "GET",
                parsed,
                headers={},
                resolve=self._resolve,
            )
            return sum(1 for _ in requests)
        except FetchError as error:
            raise AddressRefusedError(str(error)) from None
        except (OSError, UnicodeError):
            msg = "The host's name is unknown"
            raise ServerUnavailableError(msg) from None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> httpx.Response:
        """
        Return an answer whose body is still to be read; the caller closes it.

        Raises:
            AddressRefusedError: the URL or an address of its host may not be asked.
            ServerUnavailableError: no address answers.
        """
        try:
            parsed = parse_url(url, dev_mode=self.dev_mode)
            client = self._client(origin_of(url))
            for request in requests_to(
                client,
                method,
                parsed,
                headers=headers,
                content=content,
                resolve=self._resolve,
                timeout=_TIMEOUT,
            ):
                try:
                    return client.send(request, stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
        except FetchError as error:
            raise AddressRefusedError(str(error)) from None
        except (httpx.HTTPError, OSError, UnicodeError):
            msg = "The server breaks off before it answers, or its name is unknown"
            raise ServerUnavailableError(msg) from None
        msg = "No address of the host answers, or its certificate is not the host's"
        raise ServerUnavailableError(msg)

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        max_bytes: int = DOCUMENT_BYTES,
    ) -> Answer:
        """
        Return a whole answer, of whatever status.

        Raises:
            UnboundedError: it is larger than *max_bytes* or takes over two minutes.
        """
        response = self.send(method, url, headers=headers, content=content)
        return self.read(response, url=url, max_bytes=max_bytes)

    def read(
        self, response: httpx.Response, *, url: str, max_bytes: int = DOCUMENT_BYTES
    ) -> Answer:
        """Return *response* with its whole body; see ``ask``."""
        deadline = self.clock() + ANSWER_SECONDS
        body = bytearray()
        with closing_response(response):
            for piece in response.iter_bytes():
                body += piece
                if len(body) > max_bytes or self.clock() > deadline:
                    msg = "An answer is larger than it may be, or takes too long"
                    raise UnboundedError(msg)
        return Answer(
            url=url,
            status=response.status_code,
            headers=response.headers,
            body=bytes(body),
        )

    def _client(self, origin: str) -> httpx.Client:
        """Return the origin's own pool: two hosts at one address never share TLS."""
        with self._lock:
            client = self._clients.get(origin)
            if client is None:
                client = self._clients[origin] = httpx.Client(
                    follow_redirects=False, trust_env=False, verify=self._context
                )
            return client


@contextmanager
def closing_response(response: httpx.Response) -> Iterator[None]:
    """Close *response* after the block; a body that breaks off is a typed error."""
    try:
        yield
    except (httpx.HTTPError, OSError):
        msg = "An answer breaks off in the middle"
        raise BrokenOffError(msg) from None
    finally:
        response.close()


def origin_of(url: str) -> str:
    """
    Return scheme, host and port of a URL, in one form of equals (RFC 6454).

    Raises:
        AddressRefusedError: the URL has none.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        msg = "A URL is malformed"
        raise AddressRefusedError(msg) from None
    port = parsed.port or _PORTS.get(parsed.scheme)
    if not parsed.host or port is None:
        msg = "A URL is not of the web, or without a host"
        raise AddressRefusedError(msg)
    return f"{parsed.scheme}://{parsed.host}:{port}"


def _origin_of_host(host: str) -> str:
    """Return the origin of ``host`` or ``host:port``; a whole URL says its scheme."""
    return origin_of(host if "://" in host else f"https://{host}")

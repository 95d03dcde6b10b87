"""Fetch a small document from a URL that somebody else chose."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

import httpx
import msgspec

MAX_BYTES = 64 * 1024
TIMEOUT_SECONDS = 5.0

Resolve = Callable[[str, int], list[str]]

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    # Two hosts at one address must not share a TLS connection.
    "Connection": "close",
}
_MAX_AGE = re.compile(r'\bmax-age="?(\d{1,9})\b', re.ASCII | re.IGNORECASE)
_NOT_KEPT = re.compile(r"\bno-(store|cache)\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_UNICAST_V6 = ipaddress.ip_network("2000::/3")


class FetchError(Exception):
    """A document may not or cannot be fetched; the message quotes nothing."""


class Fetched(msgspec.Struct, frozen=True):
    """A document, and for how many seconds its server allows to keep it, if it says."""

    body: bytes
    seconds: int | None


def parse_url(url: str, *, dev_mode: bool) -> httpx.URL:
    """
    Return *url* if it may be fetched from: https, a host, no user name.

    With *dev_mode* plain http is allowed too where the host is this machine.

    Raises:
        FetchError: it may not.

    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        msg = "The URL is malformed"
        raise FetchError(msg) from None
    if not parsed.host or parsed.userinfo:
        msg = "The URL must have a host and no user name"
        raise FetchError(msg)
    is_local = _names_loopback(parsed.host)
    if is_local and not dev_mode:
        msg = "The URL must not name this machine"
        raise FetchError(msg)
    if parsed.scheme not in ({"https", "http"} if is_local else {"https"}):
        msg = "The URL must use https"
        raise FetchError(msg)
    return parsed


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of *host* in the order in which to try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def fetch_document(
    http: httpx.Client,
    url: str,
    *,
    dev_mode: bool,
    clock: Callable[[], float],
    resolve: Resolve,
) -> Fetched:
    """
    Return the document at *url*: at most 64 kB, within 5 seconds, no redirects.

    All addresses of the host must be public (this machine's own in *dev_mode*, if the
    URL names it). The request goes to an address that was checked, not to the name,
    so a name that changes its address in between gains nothing; *http* must therefore
    connect directly. The time limit is checked at each piece of the body.

    Raises:
        FetchError: it cannot be had under these rules.

    """
    deadline = clock() + TIMEOUT_SECONDS
    try:
        parsed = parse_url(url, dev_mode=dev_mode)
        for request in requests_to(
            http, "GET", parsed, headers=_HEADERS, resolve=resolve
        ):
            try:
                response = http.send(request, stream=True, follow_redirects=False)
            except httpx.ConnectError:
                continue
            with closing(response):
                return _read(response, deadline=deadline, clock=clock)
    except (httpx.HTTPError, OSError, UnicodeError) as error:
        raise FetchError(type(error).__name__) from None
    msg = "No address of the host answers"
    raise FetchError(msg)


def requests_to(
    http: httpx.Client,
    method: str,
    url: httpx.URL,
    *,
    headers: Mapping[str, str],
    resolve: Resolve,
    content: bytes | None = None,
    timeout: httpx.Timeout | float = TIMEOUT_SECONDS,
) -> Iterator[httpx.Request]:
    """
    Yield the request to each address of a URL's host, all of which were checked.

    Raises:
        FetchError: the host has an address that is not public.
        OSError: it has none.
        UnicodeError: its name can't be looked up.

    """
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    host = url.raw_host.decode("ascii")
    addresses = resolve(host, port)
    allowed = _is_loopback if _names_loopback(url.host) else _is_public
    if not all(allowed(address) for address in addresses):
        msg = "The host has an address that is not public"
        raise FetchError(msg)
    for address in addresses:
        yield http.build_request(
            method,
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), **headers},
            content=content,
            timeout=timeout,
            extensions={"sni_hostname": host},
        )


def _read(
    response: httpx.Response, *, deadline: float, clock: Callable[[], float]
) -> Fetched:
    if response.status_code != httpx.codes.OK:
        msg = "The status is not 200"
        raise FetchError(msg)
    body = b""
    for piece in response.iter_raw():
        body += piece
        if len(body) > MAX_BYTES:
            msg = "The document is too large"
            raise FetchError(msg)
        if clock() > deadline:
            msg = "The document comes too slowly"
            raise FetchError(msg)
    return Fetched(body, _seconds_left(response.headers))


def _seconds_left(headers: httpx.Headers) -> int | None:
    """Return max-age less the Age already spent in other caches (RFC 9111 4.2)."""
    directives = headers.get("Cache-Control", "")
    if _NOT_KEPT.search(directives):
        return 0
    allowed = _MAX_AGE.search(directives)
    if allowed is None:
        return None
    age = _DIGITS.fullmatch(headers.get("Age", ""))
    return max(0, int(allowed[1]) - (int(age[0]) if age else 0))


def _names_loopback(host: str) -> bool:
    return host == "localhost" or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        # Outside 2000::/3, and in 2002::/16, an IPv4 address may be wrapped.
        public = parsed in _UNICAST_V6 and parsed.sixtofour is None
        return public and parsed.is_global
    return parsed.is_global and not parsed.is_multicast

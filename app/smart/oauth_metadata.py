"""
Where a token for somebody's files is to be had, by the metadata that they name.

Source: SMART App Launch 2.2.0, Conformance; RFC 9728 (protected resource metadata);
RFC 8414 section 3 (authorization server metadata).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from app.smart.bulk_errors import ServerError, UnreadableAnswerError
from app.smart.bulk_servers import BulkServer
from app.smart.documents import parse_document
from app.smart.outbound import Outbound, Reach, origin_of

MOST_ISSUERS = 3

_JSON = {"Accept": "application/json"}
_WELL_KNOWN = "/.well-known/"


def token_endpoint_of(
    outbound: Outbound, urls: Sequence[str], *, epoch: Callable[[], int]
) -> str:
    """
    Return the token endpoint that the first of *urls* with one leads to.

    Each is a ``smart-configuration``, or names the authorization servers of files.

    Raises:
        ServerUnavailableError: a server can't answer now.
        UnreadableAnswerError: none of them names one.
    """
    for url in urls:
        document = _document(outbound, url, epoch=epoch)
        for each in (document, *_issuers(outbound, document, epoch=epoch)):
            endpoint = each.get("token_endpoint")
            if isinstance(endpoint, str):
                return endpoint
    msg = "No token endpoint is named where the call says"
    raise UnreadableAnswerError(msg, expression="oauthMetadataUrl")


def _document(
    outbound: Outbound, url: str, *, epoch: Callable[[], int]
) -> dict[str, Any]:
    """Return the JSON object behind *url*."""
    reach = Reach(origins=frozenset({origin_of(url)}), token_origins=frozenset())
    server = BulkServer(outbound, reach, epoch=epoch)
    answer = server.ask("GET", url, headers=_JSON, with_token=False)
    try:
        return parse_document(answer.body)
    except ValueError:
        msg = "The metadata is not a JSON object"
        raise UnreadableAnswerError(msg, expression="oauthMetadataUrl") from None


def _issuers(
    outbound: Outbound, document: dict[str, Any], *, epoch: Callable[[], int]
) -> Iterator[dict[str, Any]]:
    """Yield the metadata of the authorization servers that a resource names."""
    listed = document.get("authorization_servers")
    for issuer in (listed if isinstance(listed, list) else [])[:MOST_ISSUERS]:
        if not isinstance(issuer, str):
            continue
        for url in _places(issuer):
            try:
                yield _document(outbound, url, epoch=epoch)
            except ServerError:
                continue


def _places(issuer: str) -> tuple[str, str]:
    """Return where an issuer's metadata may be: by RFC 8414, and by SMART."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{origin}{_WELL_KNOWN}oauth-authorization-server{path}",
        f"{origin}{path}{_WELL_KNOWN}smart-configuration",
    )

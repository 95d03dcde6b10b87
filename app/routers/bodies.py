"""Bodies in and out: sizes, media types, and what the caller prefers."""

import re
import zlib
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.domain.errors import (
    NotAcceptableError,
    TooLargeError,
    UnsupportedMediaError,
)
from app.fhir.json_documents import read_json
from app.routers.outcomes import FHIR_JSON

ACCEPTED = frozenset({"application/fhir+json", "application/json", "text/json"})
_ENCODER = msgspec.json.Encoder(decimal_format="number")
SOON_READ_BYTES = 64 * 1024
"""A body below this is read faster than a thread takes it over."""
SMALL_BODY_BYTES = 64 * 1024
RETURNS = ("minimal", "representation", "OperationOutcome")


async def read_body(request: Request) -> bytes:
    """Return the body, refused as soon as it is over the limit."""
    return await read_up_to(request, request.app.state.settings.max_body_bytes)


async def read_small_body(request: Request) -> bytes:
    """Return a body that a stranger may send: a form, a description of a client."""
    return await read_up_to(request, SMALL_BODY_BYTES)


async def read_up_to(request: Request, limit: int) -> bytes:
    """Return the body, refused as soon as it is over *limit* bytes."""
    declared = request.headers.get("Content-Length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"A body may have {limit} bytes; send more as NDJSON")


Body = Annotated[bytes, Depends(read_body)]
SmallBody = Annotated[bytes, Depends(read_small_body)]


async def read_fhir_body(request: Request, body: Body) -> dict[str, Any]:
    """Return a FHIR JSON body; the media type is checked, and what is accepted."""
    require_fhir_reply(request)
    check_media_type(request, ACCEPTED)
    if len(body) < SOON_READ_BYTES and "Content-Encoding" not in request.headers:
        return _fhir_document(request, body)
    return await run_in_threadpool(_fhir_document, request, body)


def _fhir_document(request: Request, body: bytes) -> dict[str, Any]:
    limit: int = request.app.state.settings.max_body_bytes
    return read_json(decompressed(request, body, limit=limit), max_bytes=limit)


FhirBody = Annotated[dict[str, Any], Depends(read_fhir_body)]


def check_media_type(request: Request, accepted: frozenset[str]) -> None:
    """Refuse a body of another media type than *accepted*, or in another charset."""
    media_type, *parameters = request.headers.get("Content-Type", "").split(";")
    if media_type.strip().lower() not in accepted:
        msg = f"The body is to be {' or '.join(sorted(accepted))}"
        raise UnsupportedMediaError(msg)
    for parameter in parameters:
        name, _, value = parameter.strip().lower().partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            msg = "FHIR JSON is in UTF-8"
            raise UnsupportedMediaError(msg)
        if name == "fhirversion" and not value.strip('"').startswith("4.0"):
            msg = "This hub speaks FHIR 4.0"
            raise UnsupportedMediaError(msg)


def decompressed(request: Request, body: bytes, *, limit: int) -> bytes:
    """Return the body as it was before Content-Encoding, up to *limit* bytes."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        msg = "A body may be compressed by gzip only"
        raise UnsupportedMediaError(msg)
    try:
        inflator = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        plain = inflator.decompress(body, limit + 1)
    except zlib.error:
        msg = "The body is no gzip"
        raise UnsupportedMediaError(msg) from None
    if len(plain) > limit:
        raise _too_large(limit)
    if not inflator.eof or inflator.unused_data:
        msg = "The body is not one whole gzip"
        raise UnsupportedMediaError(msg)
    return plain


def require_fhir_reply(request: Request) -> None:
    """Refuse a caller who wants FHIR in another format than JSON."""
    chosen = request.query_params.get("_format", "").replace(" ", "+")  # a raw plus
    wanted = chosen or request.headers.get("Accept", "")
    names = [part.split(";")[0].strip().lower() for part in wanted.split(",")]
    fine = ACCEPTED | {"json", "*/*", "application/*", ""}
    if not any(name in fine for name in names):
        msg = "FHIR is served as JSON here"
        raise NotAcceptableError(msg)


def search_parameters(request: Request) -> str:
    """Return the query, less what is about the reply (``_format`` and its like)."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name[:1] != "_"])


def preferred_return(request: Request) -> str:
    """Return what the caller wants back of a write (``Prefer: return=``)."""
    for part in re.split("[,;]", request.headers.get("Prefer", "")):
        name, _, value = part.strip().partition("=")
        if name.lower() == "return" and value in RETURNS:
            return value
    return "representation"


def fhir_reply(
    body: Mapping[str, Any] | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return FHIR JSON."""
    content = b"" if body is None else _ENCODER.encode(body)
    return Response(
        content, status_code=status, media_type=FHIR_JSON, headers=dict(headers or {})
    )

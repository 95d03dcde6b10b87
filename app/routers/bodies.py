"""Bodies in and out: sizes, media types, and what the caller prefers."""

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache, partial
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.domain.errors import (
    NotAcceptableError,
    NotSupportedError,
    TooLargeError,
    UnsupportedMediaError,
)
from app.domain.gzips import WINDOW
from app.fhir.criteria import is_unchanged
from app.fhir.json_documents import read_json
from app.routers.outcomes import FHIR_JSON

T = TypeVar("T")

ACCEPTED = frozenset({"application/fhir+json", "application/json", "text/json"})
_ENCODER = msgspec.json.Encoder(decimal_format="number")
SOON_READ_BYTES = 64 * 1024
"""A body below this is read faster than a thread takes it over."""
SMALL_BODY_BYTES = 64 * 1024
RETURNS = ("minimal", "representation", "OperationOutcome")
ABOUT_THE_REPLY = frozenset({"_format", "_pretty"})
CONDITIONS = frozenset(
    {b"if-match", b"if-none-match", b"if-none-exist", b"if-unmodified-since"}
)
"""Headers on which a write may depend."""
IF_NONE_EXIST = frozenset({b"if-none-exist"})
IF_VERSION = frozenset({b"if-match", b"if-none-match"})


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
    return TooLargeError(f"A body may have {limit} bytes here")


SmallBody = Annotated[bytes, Depends(read_small_body)]


async def read_fhir_body(request: Request) -> dict[str, Any]:
    """Return a FHIR JSON body; the media type is checked, and what is accepted."""
    body = await read_body(request)
    require_fhir_reply(request)
    check_media_type(request, ACCEPTED)
    return await soon(request, partial(_fhir_document, request, body))


async def soon(request: Request, work: Callable[[], T]) -> T:
    """Do *work* on the body: here where it is small, in a thread where it is not."""
    length = request.headers.get("Content-Length", "")
    is_small = length.isdecimal() and int(length) < SOON_READ_BYTES
    if is_small and "Content-Encoding" not in request.headers:
        return work()
    return await run_in_threadpool(work)


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


def is_document(request: Request) -> bool:
    """Return whether a body is said to be FHIR JSON."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0]
    return media_type.strip().lower() in ACCEPTED


def decompressed(request: Request, body: bytes, *, limit: int) -> bytes:
    """Return the body as it was before Content-Encoding, up to *limit* bytes."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        msg = "A body may be compressed by gzip only"
        raise UnsupportedMediaError(msg)
    try:
        inflator = zlib.decompressobj(wbits=WINDOW)
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
    """Refuse a caller who wants FHIR in another format or version than ours."""
    require_reply(request, ACCEPTED)


def require_reply(request: Request, offered: frozenset[str]) -> None:
    """Refuse a caller who wants none of the media types *offered*."""
    chosen = (_parameter(request, "_format") or "").replace(" ", "+")  # a raw plus
    if not is_acceptable(chosen or header_of(request, "Accept") or "", offered):
        msg = "FHIR 4.0 is served as JSON here"
        raise NotAcceptableError(msg)


@lru_cache(maxsize=256)
def is_acceptable(wanted: str, offered: frozenset[str] = ACCEPTED) -> bool:
    """
    Return whether what is offered is among the media ranges of Accept or ``_format``.

    The more closely a range names it the more it counts; q=0 excludes (RFC 9110
    section 12.5.1).
    """
    weights: dict[str, float] = {}
    for media_range in wanted.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        said = dict(part.partition("=")[::2] for part in parameters)
        if said.get("fhirversion", "4.0").strip('"').startswith("4.0"):
            weights[name] = max(weights.get(name, 0.0), _weight(said.get("q")))
    for names in (offered | {"json"}, {"application/*"}, {"*/*", ""}):
        if named := weights.keys() & names:
            return any(weights[name] for name in named)
    return False


def _weight(text: str | None) -> float:
    """Return a quality value; what is none weighs as if it were not there."""
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 1.0


def header_of(request: Request, name: str) -> str | None:
    """Return a header, its lines joined where it came in several."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def _parameters(request: Request) -> list[tuple[str, str]]:
    query: bytes = request.scope["query_string"]
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else []


def _parameter(request: Request, wanted: str) -> str | None:
    """Return the first parameter of a name."""
    return next((v for name, v in _parameters(request) if name == wanted), None)


def criteria_of(request: Request) -> str | None:
    """Return the parameters that are not about the reply; None where there are none."""
    stated = stated_parameters(request)
    return urlencode(stated) if stated else None


def stated_parameters(request: Request) -> list[tuple[str, str]]:
    """Return the parameters that are not about the reply."""
    return [(n, v) for n, v in _parameters(request) if n not in ABOUT_THE_REPLY]


def refuse_parameters(request: Request, *, but: str | None = None) -> None:
    """Refuse parameters that would otherwise be ignored; *but* is one that is not."""
    known = ABOUT_THE_REPLY | {but}
    if any(name not in known for name, _ in _parameters(request)):
        msg = "This takes no parameters but _format and _pretty"
        raise NotSupportedError(msg)


def refuse_conditions(request: Request, *, but: frozenset[bytes] = frozenset()) -> None:
    """Refuse conditional headers that would otherwise be ignored (R4 http, 3.1.0.5)."""
    stated = {name for name, _ in request.scope["headers"]} & CONDITIONS
    if stated - but:
        msg = "This is not done on such a condition"
        raise NotSupportedError(msg)


def preferred_return(request: Request, *, usual: str = "representation") -> str:
    """Return what the caller wants back of a write (``Prefer: return=``)."""
    for part in re.split("[,;]", header_of(request, "Prefer") or ""):
        name, _, value = (text.strip() for text in part.partition("="))
        if name.lower() == "return" and value.strip('"') in RETURNS:
            return value.strip('"')
    return usual


def version_headers(version: int, updated_at: int) -> dict[str, str]:
    """Return how a version is told; *updated_at* is in epoch milliseconds."""
    return {
        "ETag": f'W/"{version}"',
        "Last-Modified": formatdate(updated_at / 1000, usegmt=True),
    }


def document_reply(request: Request, document: Mapping[str, Any]) -> Response:
    """Return what the hub says of itself, unless the caller has it already."""
    etag = hashlib.sha256(_ENCODER.encode(document)).hexdigest()[:16]
    return read_reply(request, document, version=etag)


def read_reply(
    request: Request,
    body: Mapping[str, Any],
    *,
    version: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return what was read, or 304 where the caller has this *version* already."""
    told = {"ETag": f'W/"{version}"'} | dict(headers or {})
    if is_unchanged(header_of(request, "If-None-Match"), version=version):
        return Response(status_code=304, headers=told)
    return fhir_reply(body, headers=told)


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

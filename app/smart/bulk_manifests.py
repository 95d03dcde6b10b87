"""
The manifest of a bulk export or submission, of any version from 1.0.1 to the ballot.

Source: HL7 Bulk Data Access 1.0.1, 2.0.0, 3.0.0 and 4.0.0-ballot, "Response - Complete
Status", "Output Manifest".
"""

import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urljoin

import msgspec

from app.domain.calendar import epoch_ms_of
from app.smart.bulk_errors import UnreadableAnswerError
from app.smart.documents import parse_document

MOST_FILES = 100_000
LONGEST_URL = 8_192

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_TYPE = re.compile(r"[A-Z][A-Za-z]{0,63}", re.ASCII)


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its URL, of which type it is said to be, how many lines are stated."""

    url: str
    type: str
    count: int | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a server says is to be fetched.

    ``transaction_time`` is the server's own instant, as it wrote it; ``next_url`` the
    rest of the manifest, where it comes in pages.
    """

    transaction_time: str
    requires_token: bool
    output: tuple[ManifestFile, ...] = ()
    errors: tuple[ManifestFile, ...] = ()
    deleted: tuple[ManifestFile, ...] = ()
    next_url: str | None = None

    @property
    def transaction_ms(self) -> int:
        """Return the transaction time in epoch milliseconds."""
        return epoch_ms_of(self.transaction_time)


def parse_manifest(body: bytes, *, url: str) -> Manifest:
    """
    Return the manifest in *body*, which *url* answered with.

    ``requiresAccessToken`` may be a Boolean or a string; where it is absent no token
    is called for. ``error`` and, of the ballot, ``outcome`` are one. A relative URL is
    one beside *url*.

    Raises:
        UnreadableAnswerError: it is none, or names itself as its own part.
    """
    try:
        document = parse_document(body)
    except ValueError:
        _refuse("The manifest is not a JSON object", "manifest")
    time = document.get("transactionTime")
    if not isinstance(time, str) or not is_instant(time):
        _refuse("The manifest has no instant of its own", "transactionTime")
    return Manifest(
        transaction_time=time,
        requires_token=_token_flag(document.get("requiresAccessToken", False)),
        output=_files(document, "output", url=url),
        errors=(
            *_files(document, "error", url=url),
            *_files(document, "outcome", url=url),
        ),
        deleted=_files(document, "deleted", url=url),
        next_url=_next(document, url=url),
    )


def is_instant(text: str) -> bool:
    """Return whether *text* is a FHIR instant."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        epoch_ms_of(text)
    except ValueError:
        return False
    return True


def _token_flag(stated: object) -> bool:
    if isinstance(stated, str):
        stated = {"true": True, "false": False}.get(stated.lower())
    if not isinstance(stated, bool):
        _refuse("It is neither true nor false", "requiresAccessToken")
    return stated


def _files(
    document: Mapping[str, Any], member: str, *, url: str
) -> tuple[ManifestFile, ...]:
    listed = document.get(member) or []
    if not isinstance(listed, list) or len(listed) > MOST_FILES:
        _refuse("It is no list of files, or too long a one", member)
    return tuple(
        _file(each, at=f"{member}[{place}]", url=url)
        for place, each in enumerate(listed)
    )


def _file(stated: object, *, at: str, url: str) -> ManifestFile:
    if not isinstance(stated, dict):
        _refuse("A file is not told as an object", at)
    type_, count = stated.get("type"), stated.get("count")
    is_count = isinstance(count, int) and not isinstance(count, bool) and count >= 0
    return ManifestFile(
        url=_other_url(stated.get("url"), at=f"{at}.url", url=url),
        type=type_ if isinstance(type_, str) and _TYPE.fullmatch(type_) else "",
        count=count if is_count else None,
    )


def _next(document: Mapping[str, Any], *, url: str) -> str | None:
    links = document.get("link") or []
    for place, link in enumerate(links if isinstance(links, list) else ()):
        if isinstance(link, dict) and link.get("relation") == "next":
            return _other_url(link.get("url"), at=f"link[{place}].url", url=url)
    return None


def _other_url(stated: object, *, at: str, url: str) -> str:
    """Return a URL in a manifest, which is not the manifest's own."""
    if not isinstance(stated, str) or not 0 < len(stated) <= LONGEST_URL:
        _refuse("A file has no URL", at)
    try:
        joined = urljoin(url, stated)
    except ValueError:
        _refuse("A URL is malformed", at)
    if joined.partition("#")[0] == url.partition("#")[0]:
        _refuse("The manifest names itself as its own part", at)
    return joined


def _refuse(message: str, at: str) -> NoReturn:
    raise UnreadableAnswerError(message, expression=at) from None

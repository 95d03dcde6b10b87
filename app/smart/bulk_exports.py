"""
A bulk export at an EHR: started, asked after, and cleared away.

Source: HL7 Bulk Data Access 2.0.0 and 3.0.0, "Bulk Data Kick-off Request", "Status
Request", "Delete Request"; of the ballot 4.0.0 the kick-off by POST.
"""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urljoin

import httpx
import msgspec

from app.smart.bulk_errors import (
    NoLongerThereError,
    ServerRefusedError,
    UnreadableAnswerError,
)
from app.smart.bulk_manifests import Manifest, parse_manifest
from app.smart.bulk_servers import BulkServer
from app.smart.outbound import Answer
from app.smart.retry_after import retry_after_seconds

FHIR_JSON = "application/fhir+json"

_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)?\s*%", re.ASCII)


class Level(StrEnum):
    """Whom an export is of; ``search`` is the way round a server without one."""

    GROUP = "group"
    PATIENT = "patient"
    SYSTEM = "system"
    SEARCH = "search"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is asked for: whom, which types, by which filters, changed since when.

    ``type_filters`` are searches, as ``Observation?code=http://loinc.org|4548-4``.
    """

    level: Level
    group_id: str | None
    types: tuple[str, ...]
    type_filters: tuple[str, ...] = ()
    since: str | None = None

    @property
    def path(self) -> str:
        """Return the operation, relative to the FHIR base."""
        if self.level is Level.GROUP:
            return f"Group/{quote(self.group_id or '', safe='')}/$export"
        return "Patient/$export" if self.level is Level.PATIENT else "$export"

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield the parameters: types together, each filter in one of its own."""
        yield "_type", ",".join(self.types)
        if self.since is not None:
            yield "_since", self.since
        for each in self.type_filters:
            yield "_typeFilter", each


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """The export is not ready: how far it is, if told, and when to ask again."""

    percent: int | None
    retry_after_seconds: int | None


def kick_off(server: BulkServer, fhir_base: str, order: Order) -> str:
    """
    Start an export; return its status URL.

    A server that takes no GET is asked by POST.

    Raises:
        ServerThrottlesError: it runs another one already.
        ServerRefusedError: it does not export this.
        UnreadableAnswerError: it accepts, and does not say where to ask after it.
    """
    url = f"{fhir_base}/{order.path}"
    headers = {"Accept": FHIR_JSON, "Prefer": "respond-async"}
    # A comma within a filter would end it; so nothing stays as it is but what reads.
    query = "&".join(
        f"{name}={quote(value, safe=_safe(name))}" for name, value in order.parameters()
    )
    try:
        answer = server.ask("GET", f"{url}?{query}", headers=headers, with_token=True)
    except ServerRefusedError as error:
        if error.status != httpx.codes.METHOD_NOT_ALLOWED:
            raise
        answer = server.ask(
            "POST",
            url,
            headers=headers | {"Content-Type": FHIR_JSON},
            with_token=True,
            content=_parameters(order),
        )
    return _status_url(answer)


def poll(server: BulkServer, status_url: str, *, now: int) -> UnderWay | Manifest:
    """
    Ask once after an export; *now* is in epoch seconds.

    Raises:
        NoLongerThereError: the server knows it no more.
        ServerUnavailableError: it did not answer, and may the next time.
        ServerRefusedError: the export has failed.
    """
    answer = server.ask(
        "GET", status_url, headers={"Accept": "application/json"}, with_token=True
    )
    if answer.status != httpx.codes.ACCEPTED:
        return parse_manifest(answer.body, url=status_url)
    percent = _PERCENT.search(answer.headers.get("X-Progress", ""))
    return UnderWay(
        percent=min(100, int(percent[1])) if percent else None,
        retry_after_seconds=retry_after_seconds(answer.headers, now=now),
    )


def next_page(server: BulkServer, url: str) -> Manifest:
    """Return a further page of a manifest."""
    answer = server.ask(
        "GET", url, headers={"Accept": "application/json"}, with_token=True
    )
    return parse_manifest(answer.body, url=url)


def clear_away(server: BulkServer, status_url: str) -> None:
    """Tell the server that its files are not needed; it may know that already."""
    try:
        server.ask("DELETE", status_url, headers={"Accept": FHIR_JSON}, with_token=True)
    except NoLongerThereError:
        return


def _safe(name: str) -> str:
    return "," if name == "_type" else ""


def _status_url(answer: Answer) -> str:
    place = answer.headers.get("Content-Location")
    if answer.status != httpx.codes.ACCEPTED or not place:
        msg = "The server accepts no export: its answer is no 202 with Content-Location"
        raise UnreadableAnswerError(msg, expression="Content-Location")
    return urljoin(answer.url, place)


def _parameters(order: Order) -> bytes:
    """Return the parameters as a resource, as the ballot wants them."""
    named: list[dict[str, Any]] = [
        {"name": name, "valueInstant" if name == "_since" else "valueString": value}
        for name, value in order.parameters()
    ]
    return json.dumps({"resourceType": "Parameters", "parameter": named}).encode()

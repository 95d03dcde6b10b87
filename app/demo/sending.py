"""A clinic's agent: sends deliveries to a hub over HTTP, with a token of its own."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.demo.deliveries import Delivery
from app.smart.clients import Jwk, fetch_token

SCOPE = (
    "system/Patient.cud system/Encounter.cud "
    "system/Observation.cud system/Condition.cud"
)
RENEWED_SECONDS = 240
TRIES = 4
FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who sends: a registered client and its private key."""

    client_id: str
    key: Jwk = field(repr=False)


@dataclass(slots=True)
class Tally:
    """What became of the resources sent, by HTTP status; refusals by their reason."""

    statuses: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Return how many resources were sent."""
        return self.statuses.total()

    def add(self, other: "Tally") -> None:
        """Add what another sender counted."""
        self.statuses += other.statuses
        self.refusals += other.refusals


class Sender:
    """One clinic's connection to the hub; its token is renewed before it expires."""

    def __init__(
        self, http: httpx.Client, *, base_url: str, credentials: Credentials
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self._token = ""
        self._renewed_at = float("-inf")

    def send_all(
        self, deliveries: Iterable[Delivery], *, sent: Callable[[int], object]
    ) -> Tally:
        """Send *deliveries* in order; *sent* is told of each how many resources."""
        tally = Tally()
        for delivery in deliveries:
            tally.add(self.send(delivery))
            sent(delivery.resource_count)
        return tally

    def send(self, delivery: Delivery) -> Tally:
        """Send one delivery, again where the hub is busy; tell what became of it."""
        url = f"{self._base_url}/fhir/{delivery.path}".rstrip("/")
        response = self._request(delivery, url)
        for attempt in range(1, TRIES):
            if response.status_code not in {429, 503}:
                break
            time.sleep(min(float(response.headers.get("Retry-After", attempt)), 10))
            response = self._request(delivery, url)
        return _tally(response, delivery)

    def _request(self, delivery: Delivery, url: str) -> httpx.Response:
        return self._http.request(
            delivery.method,
            url,
            json=delivery.body,
            headers={
                "Authorization": f"Bearer {self._fresh_token()}",
                "Content-Type": FHIR_JSON,
                "Prefer": "return=minimal",
            },
        )

    def _fresh_token(self) -> str:
        if time.monotonic() - self._renewed_at > RENEWED_SECONDS:
            self._token, _ = fetch_token(
                self._http,
                token_endpoint=f"{self._base_url}/oauth/token",
                client_id=self._credentials.client_id,
                key=self._credentials.key,
                scope=SCOPE,
                now=int(time.time()),
                jti=secrets.token_urlsafe(16),
            )
            self._renewed_at = time.monotonic()
        return self._token


def _tally(response: httpx.Response, delivery: Delivery) -> Tally:
    """Count the answer: of a Bundle each entry's, else the one."""
    tally = Tally()
    entries = delivery.path == "" and response.status_code == httpx.codes.OK
    if not entries:
        tally.statuses[response.status_code] += delivery.resource_count
        if response.is_error:
            tally.refusals[_reason(response.json())] += delivery.resource_count
        return tally
    for entry in response.json()["entry"]:
        answer = entry["response"]
        status = int(answer["status"].split()[0])
        tally.statuses[status] += 1
        if status >= httpx.codes.BAD_REQUEST:
            tally.refusals[_reason(answer["outcome"])] += 1
    return tally


def _reason(outcome: dict[str, Any]) -> str:
    """Return an OperationOutcome's first issue, in the hub's words."""
    issue = outcome.get("issue", [{}])[0]
    where = (issue.get("expression") or [""])[0].rpartition("resource.")[2]
    return f"{issue.get('diagnostics', 'refused')} ({where})"

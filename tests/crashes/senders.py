"""
Clinics that send without a pause while processes die, as the documentation tells them.

What was not acknowledged is sent again, until it is. Each sender is a clinic of its own
and knows the last word of each of its resources. To have another door tested, add a
class with a ``turn`` and list it among the ``KINDS`` of test_kills.
"""

import gzip
import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
from typing_extensions import override

from app.services import registry
from tests import make
from tests.crashes.ledgers import Ledger, Upload
from tests.crashes.sites import Site
from tests.hubs import FHIR_JSON, Caller, Network, bearer

NDJSON = "application/fhir+ndjson"
FILLING = "x" * 20_000
"""What makes a line long, so that few of them are several batches: it isn't kept."""
PEOPLE, LABS = 6, 20
"""Of a delivery; each patient has a condition and a visit too."""
AGAIN = frozenset({429, 500, 502, 503, 504})
LOST = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.TimeoutException)
BETWEEN_SECONDS = 0.2
PAUSE_SECONDS = 0.2
"""Retry-After says whole seconds; the test has not so much time."""
FINISH_SECONDS = 30
CONDITION = {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]}

Words = dict[str, float | None]


class AbandonedError(Exception):
    """The test is over, or failed."""


class Sender(threading.Thread):
    """One clinic's program; ``failure`` is what it did not expect."""

    scopes: tuple[str, ...] = registry.CLINIC_SCOPES

    def __init__(self, site: Site, ledger: Ledger, *, seed: int) -> None:
        self.client_id = f"{type(self).__name__.lower()}-ehr"
        super().__init__(name=self.client_id, daemon=True)
        self.failure: BaseException | None = None
        self.chosen = random.Random(f"{self.client_id} {seed}")
        self.caller = self._enrolled(site)
        self.ledger = ledger
        self._site = site
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._token = "none"

    def _enrolled(self, site: Site) -> Caller:
        unused: Any = None
        return Network(site.hub, unused).ehr(
            self.client_id, scopes=self.scopes, base_urls=(), identifier_systems=()
        )

    @override
    def run(self) -> None:
        """Take turns until told to stop; each ends with all of it acknowledged."""
        try:
            turn = 0
            while not self._stopping.is_set():
                self.turn(turn)
                turn += 1
                self._stopping.wait(BETWEEN_SECONDS)
        except BaseException as error:  # noqa: BLE001  (told by the test's thread)
            self.failure = error

    def turn(self, number: int) -> None:
        """Send something, until it is acknowledged."""
        raise NotImplementedError

    def finish(self) -> None:
        """Return when the turn under way is acknowledged; raise what went wrong."""
        self._stopping.set()
        self.join(FINISH_SECONDS)
        assert not self.is_alive(), f"{self.client_id} is not answered"
        if self.failure is not None:
            raise self.failure

    def abandon(self) -> None:
        """Send nothing more, whatever was acknowledged."""
        self._stopping.set()
        self._abandoned.set()
        self.join()
        self._http.close()

    def check_abandoned(self) -> None:
        """Raise where nobody waits for an answer any more."""
        if self._abandoned.is_set():
            raise AbandonedError

    def asked(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return an answer, or None where none came or it says to try again."""
        self.check_abandoned()
        address = self.chosen.choice(self._site.addresses)
        sent = bearer(self._token) | {"Content-Type": FHIR_JSON} | headers
        try:
            answer = self._http.request(
                method, f"{address}/fhir{path}", content=body, headers=sent
            )
        except LOST as error:
            return self._not_acknowledged(type(error).__name__)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._renew_token(address)
            return self._not_acknowledged("token")
        if answer.status_code in AGAIN:
            return self._not_acknowledged(str(answer.status_code))
        return answer

    def _renew_token(self, address: str) -> None:
        try:
            answer = self._http.post(f"{address}/oauth/token", data=self.caller.form())
        except LOST:
            return
        if answer.is_success:
            self._token = answer.json()["access_token"]

    def _not_acknowledged(self, why: str) -> None:
        self.ledger.repeat(why)
        time.sleep(PAUSE_SECONDS)

    def answered(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return an answer, asked for until it comes."""
        while True:
            answer = self.asked(method, path, body, **headers)
            if answer is not None:
                return answer


class NamedUploads(Sender):
    """Large NDJSON under a name: what was cut off goes on where it was."""

    @override
    def turn(self, number: int) -> None:
        lines, words = delivery(self.chosen, number)
        self.upload(lines, name=f"delivery {number}")
        self.ledger.acknowledge(self.client_id, words)

    def upload(self, lines: list[bytes], *, name: str) -> None:
        """Send lines under a name until they are here, and note the status URL."""
        offset, named = 0, {"Content-Type": NDJSON, "Idempotency-Key": name}
        while True:
            headers = named | {"Upload-Offset": str(offset)}
            body = self.body(lines[offset:])
            answer = self.asked("POST", "/$import", body, **headers)
            if answer is not None:
                break
            asked = self.answered("HEAD", "/$import", **named)
            offset = int(asked.headers["Upload-Offset"])
            if asked.headers["Upload-Complete"] == "?1":
                offset = 0  # to be told the status URL
        note_upload(self, answer, len(lines))

    def body(self, lines: list[bytes]) -> Any:
        """Return lines as they are sent."""
        return b"".join(lines)


class SlowUploads(NamedUploads):
    """The same, as slowly as a system that makes its export while it sends it."""

    @override
    def body(self, lines: list[bytes]) -> Iterator[bytes]:
        """Yield lines now and then."""
        for start in range(0, len(lines), 10):
            yield b"".join(lines[start : start + 10])
            time.sleep(0.03)


class WholeUploads(Sender):
    """NDJSON by gzip and without a name: what was cut off is sent again whole."""

    @override
    def turn(self, number: int) -> None:
        lines, words = delivery(self.chosen, number)
        body = gzip.compress(b"".join(lines), 1)
        headers = {"Content-Type": NDJSON, "Content-Encoding": "gzip"}
        answer = self.answered("POST", "/$import", body, **headers)
        note_upload(self, answer, len(lines))
        self.ledger.acknowledge(self.client_id, words)


class Transactions(Sender):
    """Bundles that are stored as a whole or not at all; some people are erased."""

    scopes = (*registry.CLINIC_SCOPES, "system/purge")

    @override
    def turn(self, number: int) -> None:
        name = f"p{number}"
        resources = [r for r, _ in about_one(self.chosen, name, labs=4)]
        bundle = make.transaction(*map(make.put, resources))
        answer = self.answered("POST", "", json.dumps(bundle))
        assert answer.status_code == 200, answer.text
        words = Words({reference(r): number_in(r) for r in resources})
        self.ledger.acknowledge(self.client_id, words)
        if number % 5 == 0:
            answer = self.answered("POST", f"/Patient/{name}/$purge")
            assert answer.status_code in {200, 204, 404, 410}, answer.text
            self.ledger.acknowledge_purge(self.client_id, f"Patient/{name}", *words)


class SingleResources(Sender):
    """A few results that are corrected and withdrawn again and again."""

    @override
    def turn(self, number: int) -> None:
        if number == 0:
            for resource, _ in about_one(self.chosen, "p0", labs=0):
                self._put(resource)
        lab = make.lab(
            5 + (number % 90) / 10,
            id=f"o{self.chosen.randrange(8)}",
            subject=make.reference("Patient/p0"),
            day="2026-02-03",
        )
        if self.chosen.random() < 0.8:
            self._put(lab)
            return
        answer = self.answered("DELETE", f"/{reference(lab)}")
        assert answer.status_code in {200, 204, 404}, answer.text
        self.ledger.acknowledge(self.client_id, {reference(lab): None})

    def _put(self, resource: dict) -> None:
        path = f"/{reference(resource)}"
        answer = self.answered("PUT", path, json.dumps(resource))
        assert answer.status_code in {200, 201}, answer.text
        words = Words({reference(resource): number_in(resource)})
        self.ledger.acknowledge(self.client_id, words)


def note_upload(sender: Sender, answer: httpx.Response, lines: int) -> None:
    """Note that an upload is here."""
    assert answer.status_code == 202, answer.text
    where = answer.headers["Content-Location"]
    sender.ledger.acknowledge_upload(Upload(sender.client_id, where, lines))


def delivery(chosen: random.Random, number: int) -> tuple[list[bytes], Words]:
    """
    Return the lines of a delivery, and what they say.

    Half of the people were in the delivery before, whose results are corrected.
    """
    first = max(number - 1, 0) * PEOPLE // 2
    lines, words = [], Words()
    for person in range(first, first + PEOPLE):
        for resource, filling in about_one(chosen, f"p{person}", labs=LABS):
            lines.append(json.dumps(resource | filling).encode() + b"\n")
            words[reference(resource)] = number_in(resource)
    return lines, words


def about_one(
    chosen: random.Random, name: str, *, labs: int
) -> Iterator[tuple[dict, dict]]:
    """Yield resources about someone with diabetes, and what fills their lines."""
    about = {"subject": make.reference(f"Patient/{name}")}
    yield make.patient(id=name, birthDate="1970-05-01"), {}
    told = {"code": CONDITION, "onsetDateTime": "2020"}
    yield make.condition(id=f"{name}-dm", **told, **about), {}
    seen = {"period": {"start": "2026-01-10"}}
    yield make.encounter(id=f"{name}-v", **seen, **about), {}
    for number in range(labs):
        value = 5 + chosen.randrange(90) / 10
        day = f"2026-{1 + number % 9:02d}-03"
        lab = make.lab(value, id=f"{name}-o{number}", day=day, **about)
        yield lab, {"note": [{"text": FILLING}]}


def reference(resource: dict) -> str:
    """Return by what its sender knows a resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def number_in(resource: dict) -> float:
    """Return the number that tells one version of a resource from another; 0: none."""
    value: float = resource.get("valueQuantity", {}).get("value", 0)
    return value

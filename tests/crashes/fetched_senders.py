"""
Clinics whose data workers fetch while processes die: submissions, and collections.

What they fetch from is a server in the test's own process, which nobody kills.
"""

import json
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from app.domain.errors import ConflictError
from app.services import registry
from app.services.bulk import collections, connections
from app.services.bulk.connections import Wishes
from app.services.hub import epoch_milliseconds
from app.smart.bulk_exports import Level
from app.store.jobs import COLLECT, JobState, list_jobs
from app.store.sessions import read_session, write_session
from tests.bulk_submitters import BASE, SUBMITTER, parameters
from tests.crashes.ledgers import Ledger
from tests.crashes.senders import PAUSE_SECONDS, Sender, Words, about_one, number_in
from tests.crashes.senders import reference as reference_of
from tests.crashes.sites import Site
from tests.fake_ehr import FakeEhr, serving
from tests.file_servers import FileServer
from tests.hubs import Caller, Network

T = TypeVar("T")
PEOPLE, LABS = 4, 8


class Fetched(Sender):
    """Has a server of its own, from which the hub fetches."""

    def __init__(self, site: Site, ledger: Ledger, *, seed: int) -> None:
        super().__init__(site, ledger, seed=seed)
        self.ehr = FakeEhr(clock=epoch_milliseconds, lines_a_file=30)
        self._serving = serving(self.ehr)
        self._serving.__enter__()

    @override
    def abandon(self) -> None:
        """Serve nothing more."""
        super().abandon()
        self._serving.__exit__(None, None, None)


class Submissions(Fetched):
    """Manifests of two files and deletions, submitted and completed by one call."""

    scopes = (*registry.CLINIC_SCOPES, "system/bulk-submit")

    @override
    def _enrolled(self, site: Site) -> Caller:
        unused: Any = None
        return Network(site.hub, unused).ehr(
            self.client_id, scopes=self.scopes, base_urls=(BASE,)
        )

    @override
    def turn(self, number: int) -> None:
        files = FileServer(self.ehr)
        resources = people(self.chosen, number)
        half = len(resources) // 2
        gone = former(self.chosen, number)
        entries = [{"request": {"method": "DELETE", "url": each}} for each in gone]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        deleted = files.serve(f"/{number}/deleted", bundle)
        manifest = files.manifest(
            f"/{number}/manifest",
            files.serve(f"/{number}/first", *resources[:half]),
            files.serve(f"/{number}/second", *resources[half:]),
            deleted=[{"type": "Bundle", "url": deleted}],
        )
        body = json.dumps(
            parameters(
                submitter=SUBMITTER,
                submissionId=f"s{number}",
                manifestUrl=manifest,
                fhirBaseUrl=BASE,
                submissionStatus="completed",
            )
        )
        answer = self.answered("POST", "/$bulk-submit", body)
        assert answer.status_code == 200, answer.text
        words: Words = dict.fromkeys(gone)
        self.ledger.acknowledge(self.client_id, words | words_of(resources))


class Collections(Fetched):
    """An EHR that the hub collects from, again and again; the operator asks for it."""

    def __init__(self, site: Site, ledger: Ledger, *, seed: int) -> None:
        super().__init__(site, ledger, seed=seed)
        self._hub = site.hub
        self._place = {"clinic": str(self.caller.clinic), "source": "ehr"}
        wishes = Wishes(
            fhir_base=self.ehr.fhir_base, level=Level.SYSTEM, is_snapshot=False
        )
        with write_session(self._hub.engine) as session:
            connections.save(session, self._hub, wishes=wishes, **self._place)

    @override
    def turn(self, number: int) -> None:
        resources = people(self.chosen, number)
        self.ehr.resources = resources
        self._tried(self._order)
        while not self._tried(self._is_done):
            time.sleep(PAUSE_SECONDS)
        self.ledger.acknowledge(self.client_id, words_of(resources))

    def _tried(self, step: Callable[[], T]) -> T:
        """Return what a command says, given again where the database was away."""
        while True:
            self.check_abandoned()
            try:
                return step()
            except DBAPIError as error:
                self._not_acknowledged(type(error).__name__)

    def _order(self) -> None:
        with write_session(self._hub.engine) as session:
            clinic_id, connection = connections.required(session, **self._place)
            try:
                collections.order(
                    session, self._hub, connection, clinic_id=clinic_id, is_full=True
                )
            except ConflictError:  # the answer to the last order was lost
                return

    def _is_done(self) -> bool:
        with read_session(self._hub.engine) as session:
            latest, *_ = list_jobs(session, kind=COLLECT, limit=1)
        assert latest.state is not JobState.FAILED, latest.failure
        return latest.state is JobState.DONE


def people(chosen: random.Random, number: int) -> list[dict]:
    """Return resources about some people, half of whom were in the turn before."""
    first = max(number - 1, 0) * PEOPLE // 2
    return [
        resource
        for person in range(first, first + PEOPLE)
        for resource, _ in about_one(chosen, f"p{person}", labs=LABS)
    ]


def former(chosen: random.Random, number: int) -> list[str]:
    """Return results of the turn before, by their names; some are in this one too."""
    before = people(chosen, number - 1) if number else []
    return [name for each in before if "-o" in (name := reference_of(each))]


def words_of(resources: list[dict]) -> Words:
    """Return what resources say."""
    return {reference_of(each): number_in(each) for each in resources}

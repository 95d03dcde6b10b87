"""A hub that collects from a fake EHR: set up, and worked until all is done."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from app.domain.clinics import ClinicStatus
from app.domain.deliveries import FoldedIssue
from app.services import registry
from app.services.bulk import collections, connections
from app.services.bulk.collection_states import CollectProgress
from app.services.bulk.connections import Wishes
from app.services.bulk.jobs import work
from app.services.bulk.open_servers import OpenServers
from app.services.hub import Hub
from app.services.workers import STEPS
from app.smart.bulk_exports import Level
from app.smart.bulk_files import Limits
from app.smart.outbound import Outbound
from app.store import clinics, jobs
from app.store.job_outcomes import counts_of, issues_of
from app.store.jobs import Job
from app.store.sessions import read_session, write_session
from tests.fake_ehr import FakeEhr
from tests.hubs import Clock
from tests.make import MRN

CLINIC, SOURCE = "alpha", registry.MAIN_SOURCE


@contextmanager
def collecting_hub(hub: Hub, **limits: Any) -> Iterator[Hub]:
    """Yield *hub* as one that may ask this machine."""
    outbound = Outbound(dev_mode=True)
    servers = OpenServers(Limits(**limits))
    try:
        yield dataclasses.replace(hub, outbound=outbound, servers=servers)
    finally:
        servers.close()
        outbound.close()
        hub.readers.close()


@dataclasses.dataclass(kw_only=True)
class Collector:
    """The operator of a hub, who collects from one EHR."""

    hub: Hub
    ehr: FakeEhr
    clock: Clock

    def connect(self, **wishes: Any) -> None:
        """Make or change the connection."""
        usual: dict[str, Any] = {"fhir_base": self.ehr.fhir_base}
        if self.ehr.key_set is not None:
            usual["client_id"] = self.ehr.client_id
        if wishes.get("level", Level.GROUP) in {Level.GROUP, Level.SEARCH}:
            usual["group_id"] = "everyone"
        with write_session(self.hub.engine) as session:
            if clinics.find_clinic(session, CLINIC) is None:
                new = registry.NewClinic(
                    code=CLINIC,
                    name=CLINIC,
                    status=ClinicStatus.ACTIVE,
                    time_zone="America/New_York",
                    identifier_systems=(MRN,),
                )
                registry.enrol_clinic(session, new)
            connections.save(
                session,
                self.hub,
                clinic=CLINIC,
                source=SOURCE,
                wishes=Wishes(**(usual | wishes)),
            )

    def order(self, **how: Any) -> int:
        """File a collection."""
        with write_session(self.hub.engine) as session:
            clinic_id, connection = connections.required(
                session, clinic=CLINIC, source=SOURCE
            )
            return collections.order(
                session, self.hub, connection, clinic_id=clinic_id, **how
            )

    def work(self, *, turns: int = 10_000) -> int:
        """Let a worker do what can be done now; return how many turns it had."""
        for turn in range(turns):
            if not work(self.hub, STEPS, holder="test"):
                return turn
        return turns

    def rest(self, job_id: int, *, most: int = 10_000) -> Job:
        """Work until a job rests for good, moving the clock to its next step."""
        for _ in range(most):
            self.work()
            job = self.job(job_id)
            if job.state != "waiting":
                return job
            ahead = job.not_before - self.clock.now
            assert ahead > 0
            self.clock.pass_seconds(ahead / 1000)
        raise AssertionError(self.progress(job_id))

    def collect(self, **how: Any) -> Job:
        """File a collection and work until it is done."""
        job = self.rest(self.order(**how))
        assert job.state == "done", job.failure
        return job

    def job(self, job_id: int) -> Job:
        """Return a job."""
        with read_session(self.hub.engine) as session:
            found = jobs.find_job(session, job_id)
        assert found is not None
        return found

    def progress(self, job_id: int) -> CollectProgress:
        """Return how far a job is."""
        return msgspec.json.decode(self.job(job_id).progress, type=CollectProgress)

    def counts(self, job_id: int) -> dict[tuple[str, str], int]:
        """Return what a job came to, by type and outcome."""
        found: dict[tuple[str, str], int] = {}
        with read_session(self.hub.engine) as session:
            for row in counts_of(session, job_id):
                key = row.type, row.outcome
                found[key] = found.get(key, 0) + row.count
        return found

    def issues(self, job_id: int) -> list[FoldedIssue]:
        """Return what a job says is wrong."""
        with read_session(self.hub.engine) as session:
            return [row.issue for row in issues_of(session, job_id)]

    def since(self) -> str | None:
        """Return up to which instant of the EHR's all is here."""
        with read_session(self.hub.engine) as session:
            return connections.required(session, clinic=CLINIC, source=SOURCE)[1].since

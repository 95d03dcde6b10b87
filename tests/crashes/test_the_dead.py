"""What others make of a process that died or is told to end: nothing waits for it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.cli import SIGNALLED
from app.domain.clinics import Audience, Principal
from app.main import hub_of
from app.services import registry
from app.services.bulk import imports
from app.services.bulk.holders import holder_name, is_dead
from app.services.bulk.imports import Upload
from app.services.bulk.jobs import LEASE_SECONDS, StepEnd, let_go_of_dead, work
from app.services.hub import Hub
from app.services.workers import STEPS
from app.settings import MAX_BODY_BYTES, Settings
from app.store import clinics
from app.store.jobs import Job, JobState, find_job
from app.store.migrations import migrate
from app.store.sessions import open_engine, read_session
from tests import make
from tests.commands import START_SECONDS, environment_of, started
from tests.contract.test_several_servers import free_ports
from tests.fuzz.tokens import new_token
from tests.hubs import Clock, Network, bearer, current_of
from tests.importing import NDJSON, lines
from tests.served import wait_until_ready

UNUSED: Any = None
NAMED = "from app.services.bulk.holders import holder_name; print(holder_name())"
LABS = [make.lab(5 + n, id=f"o{n}") for n in range(3)]
GRACE_SECONDS = 15


class KilledError(BaseException):
    """Stands for the end of a process, which nothing catches."""


@pytest.fixture
def principal(hub: Hub) -> Principal:
    """A clinic's program."""
    ehr = Network(hub, UNUSED).ehr()
    with read_session(hub.engine) as session:
        source = clinics.required_source(session, clinic="alpha", name="ehr")
    return Principal(
        client_id=ehr.client_id,
        audience=Audience.MEMBERS,
        scopes=registry.CLINIC_SCOPES,
        source=source,
    )


def pushed(hub: Hub, principal: Principal, pieces: Iterable[bytes]) -> Job:
    """Push NDJSON without a name."""
    upload = Upload(is_gzip=False)
    return imports.receive(
        hub, principal, upload, pieces, max_line_bytes=MAX_BODY_BYTES
    )


def job_of(hub: Hub, job_id: int) -> Job:
    with read_session(hub.engine) as session:
        found = find_job(session, job_id)
    assert found is not None
    return found


def dies(_: object) -> StepEnd:
    raise KilledError


def killed_at_work(hub: Hub, *, holder: str):
    """Let a worker claim a job, and die over it."""
    with pytest.raises(KilledError):
        work(hub, dict.fromkeys(STEPS, dies), holder=holder)


def name_of_the_dead() -> str:
    """Return what a process of this machine was called that has ended."""
    ran = subprocess.run(
        [sys.executable, "-c", NAMED], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_process_is_known_as_dead_where_it_was_and_only_once_it_is():
    """Its number may be another's by now; elsewhere nobody can tell."""
    place, pid, began, token = holder_name().split("-")

    assert not is_dead(holder_name())
    assert is_dead(name_of_the_dead())
    assert is_dead(f"{place}-{pid}-{int(began) + 1}-{token}")
    assert not is_dead(f"elsewhere-{pid}-{int(began) + 1}-{token}")
    assert not is_dead("somebody")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_dead_workers_job_is_free_at_once(hub: Hub, principal: Principal):
    """On the same machine nobody waits for the lease; a living one keeps its job."""
    job = pushed(hub, principal, [lines(*LABS)])
    killed_at_work(hub, holder=name_of_the_dead())
    held = work(hub, STEPS, holder="another")
    let_go_of_dead(hub)

    assert not held
    assert work(hub, STEPS, holder="another")
    assert job_of(hub, job.id).state is JobState.DONE

    job = pushed(hub, principal, [lines(*LABS)])
    killed_at_work(hub, holder=holder_name())
    let_go_of_dead(hub)
    assert not work(hub, STEPS, holder="another")


def test_elsewhere_the_lease_runs_out(hub: Hub, principal: Principal, clock: Clock):
    """What a worker held on another machine is taken over after some seconds."""
    job = pushed(hub, principal, [lines(*LABS)])
    killed_at_work(hub, holder="elsewhere-1-2-3")

    clock.pass_seconds(LEASE_SECONDS - 1)
    assert not work(hub, STEPS, holder="another")
    clock.pass_seconds(2)
    assert work(hub, STEPS, holder="another")
    assert job_of(hub, job.id).state is JobState.DONE


def test_a_worker_goes_on_with_what_it_lost_hold_of(hub: Hub, principal: Principal):
    """As where the database was away when it ended its turn."""
    job = pushed(hub, principal, [lines(*LABS)])
    killed_at_work(hub, holder="the same")

    assert work(hub, STEPS, holder="the same")
    assert job_of(hub, job.id).state is JobState.DONE


def test_that_the_database_was_away_is_no_attempt(
    hub: Hub, principal: Principal, clock: Clock
):
    """However often it is: after a second the step is taken again."""
    job = pushed(hub, principal, [lines(*LABS)])

    def loses(_: object) -> StepEnd:
        raise OperationalError(
            None, None, ConnectionError(), connection_invalidated=True
        )

    for _ in range(30):
        assert work(hub, dict.fromkeys(STEPS, loses), holder="worker")
        clock.pass_seconds(1)
    assert job_of(hub, job.id).attempts == 0
    assert work(hub, STEPS, holder="worker")
    assert job_of(hub, job.id).state is JobState.DONE


@pytest.fixture
def cut_off(hub: Hub, principal: Principal, monkeypatch: pytest.MonkeyPatch) -> Job:
    """An upload of which two results came before its server was killed."""
    monkeypatch.setattr("app.fhir.ndjson.BATCH_BYTES", 1)

    def coming() -> Iterator[bytes]:
        yield lines(*LABS[:2])
        yield lines(LABS[2])[:50]
        raise KilledError

    monkeypatch.setattr(imports, "_cut_off", lambda *_: None)  # it is dead
    with pytest.raises(KilledError):
        pushed(hub, principal, coming())
    monkeypatch.undo()
    return job_of(hub, 1)


def test_an_upload_whose_server_died_ends_soon(hub: Hub, cut_off: Job, clock: Clock):
    """What came of it is stored, and its job says that the rest did not come."""
    while work(hub, STEPS, holder="worker"):
        pass
    before = job_of(hub, cut_off.id)
    clock.pass_seconds(31)
    while work(hub, STEPS, holder="worker"):
        pass
    after = job_of(hub, cut_off.id)

    assert current_of(hub.engine) == {"Observation": 2}
    assert before.state is JobState.RECEIVING
    assert after.state is JobState.FAILED
    assert after.failure is not None
    assert "cut off after line 2" in after.failure


@pytest.mark.usefixtures("cut_off")
def test_what_comes_after_an_upload_that_was_cut_off_wins(
    hub: Hub, principal: Principal, clock: Clock
):
    """Its lines came before those that were acknowledged, so they go first."""
    killed_at_work(hub, holder="elsewhere-1-2-3")
    newer = pushed(hub, principal, [lines(make.lab(9.9, id="o0"))])
    while job_of(hub, newer.id).state is not JobState.DONE:
        if not work(hub, STEPS, holder="another"):
            clock.pass_seconds(1)
    clock.pass_seconds(LEASE_SECONDS + 1)
    while work(hub, STEPS, holder="another"):
        pass

    with hub.engine.connect() as connection:
        contents = connection.execute(text("SELECT content FROM record")).scalars()
        values = {json.loads(c)["value"]["quantity"]["value"] for c in contents if c}
    assert values == {"9.9", "6"}


@pytest.fixture
def ended_hub(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, httpx.Client, str]]:
    """A server that is to be ended, a connection to it, and a token."""
    (port,) = free_ports(1)
    url = f"sqlite:///{tmp_path / 'catchment.db'}"
    environment = environment_of(tmp_path, url) | {"CATCHMENT_PORT": str(port)}
    opened = hub_of(
        Settings(database_url=url, master_key_file=tmp_path / "master.key", port=port)
    )
    migrate(opened.engine)
    with (
        started(environment, tmp_path, "serve") as process,
        httpx.Client(base_url=opened.base_url, timeout=30, trust_env=False) as http,
    ):
        wait_until_ready(opened, process)  # type: ignore[arg-type]
        yield process, http, new_token(opened, "ended")
    opened.engine.dispose()


def test_a_server_that_is_to_end_asks_for_the_rest_later(
    ended_hub: tuple[subprocess.Popen, httpx.Client, str],
):
    """An upload may last for hours; the process ends within its time all the same."""
    process, http, token = ended_hub

    def endless() -> Iterator[bytes]:
        yield lines(*LABS)
        process.send_signal(signal.SIGTERM)
        while True:
            time.sleep(0.2)
            yield b"\n"

    answer = http.post(
        "/fhir/$import",
        content=endless(),
        headers=bearer(token) | {"Content-Type": NDJSON, "Idempotency-Key": "all"},
    )

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert process.wait(GRACE_SECONDS) == -signal.SIGTERM


def test_a_worker_that_is_to_end_ends_after_its_step(tmp_path: Path):
    """It is not killed amid work: what it held is free, and its lease is no wait."""
    url = f"sqlite:///{tmp_path / 'catchment.db'}"
    environment = environment_of(tmp_path, url)
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    with started(environment, tmp_path, "worker") as process:
        until = time.monotonic() + START_SECONDS
        while "measures counted" not in (tmp_path / "errors").read_text():
            assert time.monotonic() < until, "the worker does not begin"
            time.sleep(0.02)
        process.terminate()

        assert process.wait(GRACE_SECONDS) == SIGNALLED + signal.SIGTERM

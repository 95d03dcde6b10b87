"""`catchment job`: what an operator sees of bulk work, and can do about it."""

from pathlib import Path

import msgspec
import pytest

from app.domain.clinics import ClinicStatus, Source
from app.domain.deliveries import LineBatch, packed
from app.main import hub_of
from app.services import registry
from app.services.bulk.imports import ImportRequest
from app.services.bulk.jobs import work
from app.services.bulk.reading import Reading, read_lines
from app.services.hub import Hub
from app.services.workers import STEPS
from app.settings import Settings
from app.store import jobs
from app.store.clinics import source_by_id
from app.store.jobs import IMPORT, JobState
from app.store.sessions import write_session
from app.store.staging import stage
from tests import make
from tests.commands import refusal
from tests.importing import lines

BODY = lines(
    make.lab(5, id="o1"),
    make.lab(5, id="o2", status="bogus"),
    make.lab(5, id="o3", status="bogus"),
    "{",
)


@pytest.fixture
def hub(environment: dict[str, str]) -> Hub:
    """The hub of the commands, with a clinic."""
    opened = hub_of(
        Settings(
            database_url=environment["CATCHMENT_DATABASE_URL"],
            master_key_file=Path(environment["CATCHMENT_MASTER_KEY_FILE"]),
        )
    )
    with write_session(opened.engine) as session:
        new = registry.NewClinic(
            code="alder", name="Alder", status=ClinicStatus.ACTIVE, time_zone="UTC"
        )
        registry.enrol_clinic(session, new)
    return opened


def filed(hub: Hub, *, cut_after: int | None = None) -> int:
    """File an import of four lines, of which three are refused."""
    with write_session(hub.engine) as session:
        source: Source = source_by_id(session, 1)
        reading = Reading(
            policy=hub.policy,
            keys=hub.keys,
            source=source,
            scopes=None,
            received_at=hub.clock(),
            max_line_bytes=10_000,
        )
        request = ImportRequest(scopes=(), cut_after=cut_after)
        job_id = jobs.add_job(
            session,
            kind=IMPORT,
            source_id=1,
            clinic_id=1,
            client_id="alder-ehr",
            state=JobState.WAITING,
            request=msgspec.json.encode(request).decode(),
            now=hub.clock(),
        )
        found = packed(read_lines(LineBatch(first=1, body=BODY), reading))
        stage(session, job_id, part=0, number=1, payload=found.payload)
    return job_id


def done(hub: Hub) -> None:
    while work(hub, STEPS, holder="test"):
        pass
    hub.engine.dispose()


def test_jobs_under_way_and_dead_ones_are_listed(hub: Hub, catchment):
    """What is done is not, unless it is asked for."""
    filed(hub)
    waiting = catchment("job", "list").output.splitlines()
    done(hub)
    filed(hub, cut_after=4)
    done(hub)

    left = catchment("job", "list").output.splitlines()
    everything = catchment("job", "list", "--all").output.splitlines()

    assert waiting[0].split("\t")[:4] == ["id", "kind", "clinic", "state"]
    assert [line.split("\t")[:4] for line in waiting[1:]] == [
        ["1", "import", "alder", "waiting"]
    ]
    assert [line.split("\t")[3] for line in left[1:]] == ["failed"]
    assert "cut off after line 4" in left[1]
    assert [line.split("\t")[3] for line in everything[1:]] == ["failed", "done"]


def test_a_job_is_shown_with_what_is_wrong(hub: Hub, catchment):
    """Counts by type and outcome; each issue once, with its lines."""
    filed(hub)
    done(hub)

    shown = catchment("job", "show", "1").output

    assert "import 1: done" in shown
    assert "Observation\tcreated\t1" in shown
    assert "Observation\trefused\t2" in shown
    assert "unknown\trefused\t1" in shown
    assert "Observation.status" in shown
    assert "(2 lines: 2, 3)" in shown
    assert "(Line 4)" in shown


def test_a_dead_job_is_let_go_on(hub: Hub, catchment):
    """It comes to the same end where nothing has changed."""
    filed(hub, cut_after=4)
    done(hub)

    said = catchment("job", "retry", "1").output
    listed = catchment("job", "list").output
    done(hub)

    assert "goes on" in said
    assert "\twaiting\t" in listed
    assert "\tfailed\t" in catchment("job", "list").output


def test_a_job_is_cancelled_once(hub: Hub, catchment):
    """What was staged for it goes; there is no way back but to send it again."""
    filed(hub)

    first = catchment("job", "cancel", "1")
    again = catchment("job", "cancel", "1")
    retried = catchment("job", "retry", "1")

    assert "cancelled" in first.output
    assert "ended already" in refusal(again)
    assert "neither failed" in refusal(retried)


@pytest.mark.parametrize("command", ["show", "retry", "cancel"])
@pytest.mark.parametrize("number", ["7", "9" * 25], ids=["small", "huge"])
def test_a_job_that_is_not_there_is_said_not_to_be(
    hub: Hub, catchment, command: str, number: str
):
    """In one line, of whatever number."""
    hub.engine.dispose()

    assert "no such job" in refusal(catchment("job", command, number))

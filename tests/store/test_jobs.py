"""Jobs: each step done once by whoever holds it, in order, and fair between clinics."""

import threading
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import text

from app.domain.clinics import ClinicStatus
from app.domain.errors import BusyError, ConflictError, IntakeStoppedError
from app.services import registry
from app.services.bulk import jobs as services
from app.services.bulk.jobs import Again, Finished, Held, Run, StepEnd, Steps, work
from app.services.hub import Hub
from app.store import jobs
from app.store.delivered import note_delivered
from app.store.jobs import COLLECT, Job, JobState
from app.store.sessions import connection_of, read_session, write_session
from tests.hubs import Clock

KIND = "test"
MINUTE = 60


class Done(msgspec.Struct, frozen=True):
    """How many chunks of a job are done."""

    chunks: int = 0


class Asked(msgspec.Struct, frozen=True):
    """How many chunks a job has."""

    chunks: int


class Work:
    """Chunks of jobs, noted in the database with the position that they lead to."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self.hub = hub
        self.clock = clock
        self.order: list[int] = []

    def step(self, run: Run) -> StepEnd:
        """Do a chunk, which takes a second."""
        done = run.progress(Done).chunks
        if done == run.request(Asked).chunks:
            return Finished()
        with write_session(run.hub.engine) as session:
            note = "INSERT INTO concept (system, code) VALUES ('chunk', :code)"
            code = {"code": f"{run.job.id}/{done}"}
            connection_of(session).execute(text(note), code)
            run.advance(session, progress=Done(done + 1))
        self.order.append(run.job.id)
        self.clock.pass_seconds(1)
        return Again()

    @property
    def steps(self) -> Steps:
        """Return what is done for a job."""
        return {KIND: self.step}

    def run_out(self, *, holder: str = "one", most: int = 1_000) -> None:
        """Work until there is nothing to do now."""
        for _ in range(most):
            if not work(self.hub, self.steps, holder=holder):
                return
        pytest.fail("there is no end of it")


@pytest.fixture
def doing(hub: Hub, clock: Clock) -> Work:
    return Work(hub, clock)


@pytest.fixture
def sources(hub: Hub) -> dict[str, tuple[int, int]]:
    """The source and the clinic of some codes."""
    codes = ("alpha", "beta", "gamma")
    with write_session(hub.engine) as session:
        for code in codes:
            new = registry.NewClinic(
                code=code, name=code, status=ClinicStatus.ACTIVE, time_zone="UTC"
            )
            registry.enrol_clinic(session, new)
        rows = connection_of(session).execute(
            text(
                "SELECT c.code, s.id, c.id FROM source s JOIN clinic c "
                "ON c.id = s.clinic_id"
            )
        )
        return {code: (source, clinic) for code, source, clinic in rows}


@pytest.fixture
def file(hub: Hub, sources: dict[str, tuple[int, int]]):
    """File a job of some chunks."""

    def filed(
        code: str, chunks: int, state: JobState = JobState.WAITING, kind: str = KIND
    ) -> int:
        source_id, clinic_id = sources[code]
        with write_session(hub.engine) as session:
            return jobs.add_job(
                session,
                kind=kind,
                source_id=source_id,
                clinic_id=clinic_id,
                client_id="ehr",
                state=state,
                request=msgspec.json.encode(Asked(chunks)).decode(),
                now=hub.clock(),
            )

    return filed


def found(hub: Hub, job_id: int) -> Job:
    with read_session(hub.engine) as session:
        job = jobs.find_job(session, job_id)
    assert job is not None
    return job


def chunks_done(hub: Hub) -> Counter[str]:
    with read_session(hub.engine) as session:
        rows = connection_of(session).execute(
            text("SELECT code FROM concept WHERE system = 'chunk'")
        )
        return Counter(code for (code,) in rows)


def test_a_huge_delivery_does_not_starve_a_small_one(doing: Work, file):
    """One chunk filed after fifty waits for a turn, not for all of them."""
    huge = file("alpha", 50)
    work(doing.hub, doing.steps, holder="one")
    small = file("beta", 1)

    doing.run_out()

    assert doing.order.index(small) <= 3
    assert Counter(doing.order) == {huge: 50, small: 1}


def test_many_huge_deliveries_of_one_clinic_are_one_turn(doing: Work, file):
    """Who files ten jobs does not get ten turns to another's one."""
    for _ in range(10):
        file("alpha", 5)
    small = file("beta", 5)

    doing.run_out()

    places = [i for i, job in enumerate(doing.order) if job == small]
    assert places[-1] <= 12


def test_who_waited_for_an_hour_is_served_first(doing: Work, file, clock: Clock):
    """A clinic of which nothing was done lately comes before those always served."""
    waiting = file("beta", 1)
    clock.pass_seconds(2 * 3600)
    file("alpha", 5)

    doing.run_out()

    assert doing.order[0] == waiting


def test_jobs_of_one_source_go_one_after_the_other(doing: Work, file):
    """The versions of a resource in two deliveries keep their order."""
    first, second = file("alpha", 3), file("alpha", 3)

    doing.run_out()

    assert doing.order == [first] * 3 + [second] * 3


def test_what_is_received_has_no_turn_before_there_is_something_of_it(
    doing: Work, file, clock: Clock
):
    """Nobody looks after it ten times a second; after a day somebody does."""
    file("alpha", 1, JobState.RECEIVING)

    early = work(doing.hub, doing.steps, holder="one")
    clock.pass_seconds(25 * 3600)
    late = work(doing.hub, doing.steps, holder="one")

    assert (early, late) == (False, True)


def test_several_workers_never_do_one_chunk_twice(doing: Work, file):
    """A row of a chunk would be there twice, and is not: each is one commit."""
    ids = [file(code, 12) for code in ("alpha", "beta", "gamma")]
    failures: list[BaseException] = []

    def worker(number: int) -> None:
        try:
            doing.run_out(holder=f"worker-{number}")
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=worker, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    doing.run_out()

    assert not failures
    assert chunks_done(doing.hub) == {f"{i}/{n}": 1 for i in ids for n in range(12)}
    assert {found(doing.hub, i).state for i in ids} == {JobState.DONE}


def test_who_lost_the_lease_writes_nothing(doing: Work, file, clock: Clock):
    """A worker that slept too long wakes up to a job that is another's."""
    job_id = file("alpha", 2)

    def slow(run: Run) -> StepEnd:
        clock.pass_seconds(MINUTE)
        doing.run_out(holder="quick")
        return doing.step(run)

    work(doing.hub, {KIND: slow}, holder="slow")

    assert chunks_done(doing.hub) == {f"{job_id}/0": 1, f"{job_id}/1": 1}
    assert found(doing.hub, job_id).state is JobState.DONE


def test_a_lease_that_lasts_keeps_others_away(doing: Work, file, clock: Clock):
    """Until its end, and no longer."""
    file("alpha", 1)

    def dies(_: Run) -> StepEnd:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(doing.hub, {KIND: dies}, holder="dead")
    clock.pass_seconds(services.LEASE_SECONDS - 1)
    early = work(doing.hub, doing.steps, holder="alive")
    clock.pass_seconds(1)

    assert not early
    assert work(doing.hub, doing.steps, holder="alive")


def failing(*errors: Exception) -> Steps:
    """Return steps that fail so often, and then finish."""
    left = iter(errors)

    def step(_: Run) -> StepEnd:
        error = next(left, None)
        if error is not None:
            raise error
        return Finished()

    return {KIND: step}


def test_what_may_pass_is_tried_again_after_a_while(doing: Work, file, clock: Clock):
    """Each time after twice as long, and then it is as if nothing had been."""
    job_id = file("alpha", 0)
    steps = failing(*[BusyError("others")] * 3)
    waits: list[int] = []

    while found(doing.hub, job_id).state is not JobState.DONE:
        if not work(doing.hub, steps, holder="one"):
            waits[-1] += 1
            clock.pass_seconds(1)
        else:
            waits.append(0)

    assert waits == [2, 4, 8, 0]
    assert found(doing.hub, job_id).failure is None


def test_who_asks_to_be_left_alone_is(doing: Work, file, clock: Clock):
    """For as long as is said, where that is longer."""
    file("alpha", 0)
    error = BusyError("later")
    error.retry_after_seconds = 2 * 3600
    work(doing.hub, steps := failing(error), holder="one")

    clock.pass_seconds(2 * 3600 - 1)
    early = work(doing.hub, steps, holder="one")
    clock.pass_seconds(1)

    assert not early
    assert work(doing.hub, steps, holder="one")


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([ConflictError("It is so")], "It is so"),
        ([BusyError("others")] * 10, "others"),
        ([ValueError("Jane Doe")] * 10, "The hub failed (ValueError)"),
    ],
    ids=["final", "ten times", "unexpected"],
)
def test_a_job_that_can_not_go_on_is_dead_and_seen(
    doing: Work, file, clock: Clock, errors: list[Exception], said: str
):
    """It says why in the hub's own words, and can be let go on."""
    job_id = file("alpha", 0)
    steps = failing(*errors)
    for _ in errors:
        work(doing.hub, steps, holder="one")
        clock.pass_seconds(3600)
    dead = found(doing.hub, job_id)

    retried = services.retry(doing.hub, dead)
    work(doing.hub, steps, holder="one")

    assert (dead.state, dead.failure) == (JobState.FAILED, said)
    assert retried
    assert found(doing.hub, job_id).state is JobState.DONE


def test_an_expired_policy_kills_no_job(doing: Work, file, clock: Clock):
    """It may be weeks until the operator has renewed it."""
    job_id = file("alpha", 0)
    steps = failing(*[IntakeStoppedError("expired")] * 50)

    for _ in range(50):
        assert work(doing.hub, steps, holder="one")
        clock.pass_seconds(3600)
    work(doing.hub, steps, holder="one")

    assert found(doing.hub, job_id).state is JobState.DONE


def test_an_error_that_has_passed_is_no_word_more(doing: Work, file, clock: Clock):
    """Else a job that goes on would be said to have failed."""
    job_id = file("alpha", 2)
    work(doing.hub, failing(BusyError("others")), holder="one")
    clock.pass_seconds(MINUTE)

    work(doing.hub, doing.steps, holder="one")

    job = found(doing.hub, job_id)
    assert (job.failure, job.attempts) == (None, 0)


def test_a_job_may_ask_the_operator_first(doing: Work, file):
    """It is held until it is let go on; others of its source go before it then."""
    job_id = file("alpha", 0)
    ends: Iterator[StepEnd] = iter([Held("This withdraws a lot"), Finished()])
    steps: Steps = {KIND: lambda _: next(ends)}

    work(doing.hub, steps, holder="one")
    held = found(doing.hub, job_id)
    idle = work(doing.hub, steps, holder="one")
    services.retry(doing.hub, held)
    work(doing.hub, steps, holder="one")

    assert (held.state, held.failure) == (JobState.HELD, "This withdraws a lot")
    assert not idle
    assert found(doing.hub, job_id).state is JobState.DONE


def test_a_job_that_is_cancelled_in_a_step_keeps_nothing_of_it(doing: Work, file):
    """The step's commit asks whether anybody still wants it."""
    job_id = file("alpha", 2)

    def cancelled(run: Run) -> StepEnd:
        services.cancel(doing.hub, run.job)
        return doing.step(run)

    work(doing.hub, {KIND: cancelled}, holder="one")

    assert not chunks_done(doing.hub)
    assert found(doing.hub, job_id).state is JobState.CANCELLED
    assert not services.cancel(doing.hub, found(doing.hub, job_id))


def test_what_ended_long_ago_is_forgotten(doing: Work, file, clock: Clock):
    """What failed is not: somebody is to look at it."""
    done, dead, going = file("alpha", 0), file("beta", 0), file("gamma", 9)
    work(doing.hub, {KIND: lambda _: Finished()}, holder="one")
    work(doing.hub, failing(ConflictError("no")), holder="one")
    clock.pass_seconds(31 * 24 * 3600)

    services.forget_old_jobs(doing.hub)

    with read_session(doing.hub.engine) as session:
        left = {job.id for job in jobs.list_jobs(session)}
    assert left == {dead, going}
    assert done not in left


def test_what_the_hub_fetches_itself_is_not_remembered_for_ever(
    doing: Work, file, clock: Clock
):
    """
    A collection that failed has ids of the clinic's, sealed; they go in the end.

    Also that of a snapshot, which notes the records that it held.
    """
    job_id = file("alpha", 0, kind=COLLECT)
    with write_session(doing.hub.engine) as session:
        note_delivered(session, job_id, [(1, 1)], part=1)
    work(doing.hub, {COLLECT: failing(ConflictError("no"))[KIND]}, holder="one")
    assert found(doing.hub, job_id).state is JobState.FAILED
    clock.pass_seconds(31 * 24 * 3600)

    services.forget_old_jobs(doing.hub)

    with read_session(doing.hub.engine) as session:
        assert jobs.find_job(session, job_id) is None

"""`catchment doctor`: each advice appears with its cause, and goes away with it."""

import shutil
import sqlite3
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Engine, text

from app.services import doctor
from app.services import recounts as counting
from app.services.hub import Hub
from app.services.tuning import GB, Advice, postgresql_advice
from app.store import vitals
from app.store.sessions import read_session
from tests.deidentification import built_in
from tests.hubs import Clock, Databases, hub_under

on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"])
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])

THE_SERVERS_OWN = ("fsync", "max_wal_size", "checkpoint_timeout", "work_mem")
"""What the tests' server is really told, in every test."""


@pytest.fixture
def database_url(databases: Databases, dialect: str) -> Iterator[str]:
    """A database that no test has left rows in, not even dead ones."""
    url = databases.untouched(dialect)
    yield url
    databases.give_back(url)


def found(hub: Hub, *, processes: int = 1) -> dict[str, Advice]:
    """Return what the doctor says beside what is so in every test."""
    hub.engine.dispose()  # who connects anew has the settings of now
    advice = doctor.advice(hub, processes=processes)
    return {a.what: a for a in advice if not a.what.startswith(THE_SERVERS_OWN)}


def do(engine: Engine, *statements: str) -> None:
    """Execute statements as an operator does, each by itself."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(engine.url.database))) as shell:
            shell.isolation_level = None
            for statement in statements:
                shell.execute(statement)
        return
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def soon(hub: Hub, remedy: str | None) -> Advice | None:
    """Return the advice of a *remedy*, or find nothing, once the statistics are in."""
    for _ in range(100):
        advice = {each.remedy: each for each in found(hub).values()}
        if remedy in advice or (remedy is None and not advice):
            return advice.get(remedy or "")
        time.sleep(0.1)
    pytest.fail(f"{remedy} was not told of")


def only(advice: dict[str, Advice]) -> Advice:
    """Return what alone was found."""
    (one,) = advice.values()
    return one


def test_a_new_database_has_nothing_wrong(hub: Hub):
    """So that what is said is worth reading."""
    assert found(hub) == {}


@on_postgresql
def test_the_servers_own_settings_are_told(hub: Hub):
    """The tests' server has PostgreSQL's defaults, and does without fsync."""
    advice = doctor.advice(hub, processes=1)

    wrong = [each.what for each in advice if each.is_wrong]
    told = {each.what.split()[0] for each in advice}
    assert wrong == ["fsync is off"]
    assert told == set(THE_SERVERS_OWN)
    (fsync,) = (each for each in advice if each.is_wrong)
    assert fsync.remedy == "ALTER SYSTEM SET fsync = 'on'; SELECT pg_reload_conf()"


@on_postgresql
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous_commit", "off"),
        ("default_transaction_read_only", "on"),
    ],
)
def test_a_dangerous_setting_is_wrong_until_it_is_taken_back(
    hub: Hub, setting: str, value: str
):
    """Where it was set for the database, the remedy is to reset it there."""
    name = hub.engine.url.database
    do(hub.engine, f"ALTER DATABASE {name} SET {setting} = {value}")

    advice = only(found(hub))
    do(hub.engine, "SET default_transaction_read_only = off", advice.remedy)

    assert (advice.what, advice.is_wrong) == (f"{setting} is {value}", True)
    assert found(hub) == {}


@on_postgresql
def test_memory_for_sorting_is_advised_until_there_is_enough(hub: Hub):
    """It is advice, and no more."""
    name = hub.engine.url.database
    said = []
    for value in ("15MB", "16MB"):
        do(hub.engine, f"ALTER DATABASE {name} SET work_mem = '{value}'")
        hub.engine.dispose()
        advice = doctor.advice(hub, processes=1)
        said.append([a for a in advice if a.what.startswith("work_mem")])
    do(hub.engine, f"ALTER DATABASE {name} RESET work_mem")

    (low,), enough = said
    assert (low.what, low.is_wrong) == ("work_mem is 15.0 MB", False)
    assert low.remedy == f"ALTER DATABASE {name} RESET work_mem"
    assert enough == []


@on_postgresql
def test_every_rule_of_the_server_is_kept_by_what_it_advises(hub: Hub):
    """What can't be changed for a test is changed in what the server told."""
    with read_session(hub.engine) as session:
        told = vitals.postgresql_vitals(session, old_seconds=300)

    def advised(**changes: object) -> set[str]:
        changed = msgspec.structs.replace(told, **changes)
        return {a.what.split()[0] for a in postgresql_advice(changed, processes=1)}

    def with_settings(**values: str) -> dict[str, vitals.Setting]:
        return told.settings | {
            name: msgspec.structs.replace(told.settings[name], value=value)
            for name, value in values.items()
        }

    tuned = with_settings(
        fsync="on",
        max_wal_size=str(16 * GB),
        checkpoint_timeout=str(30 * 60_000),
        work_mem=str(32 << 20),
        shared_buffers=str(4 * GB),
    )
    assert advised(settings=tuned) == set()
    assert advised(settings=tuned, size_bytes=100 * GB, hit_ratio=0.99) == set()
    assert advised(settings=tuned, hit_ratio=0.5) == {"50%"}
    off = {"full_page_writes": "off", "autovacuum": "off"}
    assert advised(settings=with_settings(**off)) == set(THE_SERVERS_OWN) | set(off)
    assert "shared_buffers" in advised(size_bytes=100 * GB)
    assert "PostgreSQL" in advised(version=130020)
    assert "the" in advised(is_standby=True)
    assert "the" in advised(encoding="LATIN1")


@on_postgresql
def test_more_processes_than_connections_are_told(hub: Hub):
    """A hundred, less three that are reserved: one process has enough, two have not."""
    one, two = found(hub), only(found(hub, processes=2))

    assert one == {}
    assert two.what == "max_connections is 100, of which 3 are reserved"
    assert "'129'; restart the server" in two.remedy


def test_a_missing_index_is_made_by_what_is_advised(hub: Hub):
    """The statement is the migration's own, whole or partial."""
    do(hub.engine, "DROP INDEX ix_alias_record_id", "DROP INDEX ix_record_digest")

    advice = found(hub)
    both = doctor.advice(hub, processes=1)
    made = [each.remedy for each in both if each.remedy.startswith("CREATE INDEX")]
    do(hub.engine, *made)

    assert only(advice).is_wrong
    assert len(made) == 2
    assert found(hub) == {}


@on_postgresql
def test_an_index_that_was_not_finished_is_told(hub: Hub):
    """As CREATE INDEX CONCURRENTLY leaves it where it was broken off."""
    mark = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass"
    do(hub.engine, mark.format("ix_alias_record_id"))

    advice = only(found(hub))
    do(hub.engine, advice.remedy)

    assert advice.what == "the index ix_alias_record_id is invalid"
    assert advice.is_wrong
    assert found(hub) == {}


@on_postgresql
def test_a_transaction_that_someone_forgot_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """With its connection, and how to end it."""
    monkeypatch.setattr(doctor, "OLD_SECONDS", 0)
    forgotten = hub.engine.connect()
    pid = forgotten.execute(text("SELECT pg_backend_pid()")).scalar_one()

    ended = f"SELECT pg_terminate_backend({pid})"
    told = {advice.remedy for advice in found(hub).values()}
    do(hub.engine, ended)
    forgotten.invalidate()
    forgotten.close()

    assert ended in told
    assert ended not in {advice.remedy for advice in found(hub).values()}


FILL = (
    "INSERT INTO concept (system, code) SELECT 'x', n FROM generate_series(1, 15000) n"
)
FLUSH = "SELECT pg_stat_force_next_flush()"


@on_postgresql
def test_rows_that_died_are_told_until_they_are_cleared_away(hub: Hub):
    """And a table that was filled and never looked at."""
    stop = "ALTER TABLE concept SET (autovacuum_enabled = {})"
    do(hub.engine, stop.format("off"), FLUSH, FILL)
    assert soon(hub, "ANALYZE concept")
    do(hub.engine, FLUSH, "DELETE FROM concept WHERE id % 5 > 0", FLUSH)
    died = soon(hub, "VACUUM (ANALYZE) concept")
    assert died is not None
    do(hub.engine, died.remedy, stop.format("on"), FLUSH)

    assert died.what == "12,000 rows of concept are dead"
    assert soon(hub, None) is None


def test_another_schema_is_told_and_nothing_else_is_asked(hub: Hub):
    """Tables may be missing, so they are left alone."""
    set_to = "UPDATE alembic_version SET version_num = '{}'"
    with hub.engine.connect() as connection:
        now = connection.execute(text("SELECT version_num FROM alembic_version"))
        current = now.scalar_one()
    do(hub.engine, set_to.format("0001"))

    advice = only(found(hub))
    do(hub.engine, set_to.format(current))

    assert (advice.remedy, advice.is_wrong) == ("catchment migrate", True)
    assert found(hub) == {}


def test_subjects_that_nobody_counts_are_told(hub: Hub, clock: Clock):
    """From a minute on, as /health/ready does; until they are counted."""
    dirty = "INSERT INTO dirty VALUES (7, 1, {}, 1), (8, 1, {}, 1)"
    do(hub.engine, dirty.format(clock.now, clock.now + 5000))
    early = found(hub)

    clock.pass_seconds(61)
    advice = only(found(hub))
    while counting.recount_dirty(hub, holder="test"):
        pass

    assert early == {}
    assert advice.what == "2 subjects wait to be counted, the first since 61 s"
    assert advice.is_wrong
    assert found(hub) == {}


@pytest.mark.parametrize(
    ("state", "wrong", "said"),
    [
        ("failed", False, "job 1 (import) is dead"),
        ("held", False, "job 1 (import) waits for you"),
        ("waiting", True, "1 jobs wait, and nobody works on them"),
    ],
)
def test_a_job_that_needs_somebody_is_told(
    hub: Hub, clock: Clock, state: str, said: str, *, wrong: bool
):
    """Until it was seen to."""
    do(
        hub.engine,
        "INSERT INTO clinic (id, code, name, status) VALUES (1, 'a', 'a', 'active')",
        "INSERT INTO source (id, clinic_id, name, base_urls, identifier_systems, "
        "time_zone, padded_dates) VALUES (1, 1, 'ehr', '[]', '[]', 'UTC', false)",
        "INSERT INTO job (id, kind, clinic_id, source_id, client_id, state, request, "
        "progress, attempts, not_before, held_until, received, served_at, created_at, "
        f"updated_at) VALUES (1, 'import', 1, 1, 'c', '{state}', '{{}}', '{{}}', 0, 0, "
        f"0, 0, 0, {clock.now}, {clock.now})",
    )
    clock.pass_seconds(61)

    advice = only(found(hub))
    do(hub.engine, "UPDATE job SET state = 'done'")

    assert (advice.what, advice.is_wrong) == (said, wrong)
    assert found(hub) == {}


def test_what_is_known_by_an_older_key_is_told(hub: Hub):
    """Until that key is retired."""
    do(
        hub.engine,
        "INSERT INTO key_version (version, fingerprint, created_at) "
        f"VALUES ({hub.keys.current + 1}, 'x', 1), ({hub.keys.current}, 'y', 2)",
    )

    advice = only(found(hub))
    do(hub.engine, "UPDATE key_version SET retired_at = 3 WHERE created_at = 1")

    assert advice.remedy.startswith(f"catchment key retire {hub.keys.current + 1}")
    assert found(hub) == {}


@contextmanager
def as_if_free(monkeypatch: pytest.MonkeyPatch, free: int) -> Iterator[None]:
    """Let the volume have so many bytes free."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    with monkeypatch.context() as here:
        here.setattr(shutil, "disk_usage", lambda _: usage(free, 0, free))
        yield


@on_sqlite
def test_a_volume_that_is_nearly_full_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """Below a gigabyte."""
    with as_if_free(monkeypatch, GB - 1):
        full = only(found(hub))
    with as_if_free(monkeypatch, GB):
        enough = found(hub)

    assert full.is_wrong
    assert full.what == "1024.0 MB are free on the volume of the database"
    assert enough == {}


@on_sqlite
def test_a_file_that_is_mostly_unused_is_told_until_it_is_made_anew(hub: Hub):
    """As after a large clinic was erased."""
    do(
        hub.engine,
        "CREATE TABLE large AS SELECT randomblob(3000000) AS some",
        "DROP TABLE large",
    )

    advice = only(found(hub))
    do(hub.engine, "VACUUM")

    assert "are unused" in advice.what
    assert not advice.is_wrong
    assert found(hub) == {}


@on_sqlite
def test_a_policy_is_told_a_month_before_it_ends_and_after(hub: Hub, clock: Clock):
    """Safe Harbor's groups the oldest until the end of 2030."""
    ending = hub_under(hub, built_in("safe_harbor"))
    long_before = found(ending)
    clock.now = 1000 * int(datetime(2030, 12, 1, 12, tzinfo=UTC).timestamp())
    soon = only(found(ending))
    clock.pass_seconds(31 * 86400)
    over = only(found(ending))

    assert long_before == {}
    assert (soon.what, soon.is_wrong) == ("the policy has 30 days left", False)
    assert (over.what, over.is_wrong) == ("the policy has expired", True)


def test_the_command_ends_with_1_only_where_something_is_wrong(catchment):
    """And says how large the database is."""
    well = catchment("doctor")
    ill = catchment("doctor", CATCHMENT_DATABASE_URL="sqlite:///new.db")

    assert well.code == 0
    assert well.output.startswith("database ")
    assert ill.code == 1
    assert "wrong: the database has another schema" in ill.output
    assert "do:  catchment migrate" in ill.output

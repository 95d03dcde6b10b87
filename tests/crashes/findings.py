"""What must hold of a store, whatever was killed while it was written to."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import text

from app.domain.clinics import Audience, Principal
from app.domain.records import Observation, RecordType, content_of
from app.services import recounts as counting
from app.services.hub import Hub
from app.services.traces import Fate, Trace, trace
from app.store import clinics, recounts
from app.store.sessions import read_session, write_session
from tests.api.test_counting import cells_of
from tests.crashes.ledgers import Ledger
from tests.crashes.senders import Sender

SETTLED_SECONDS = 60
AT_ONCE = 1_000
"""So many resources may be asked about at once."""
HALVES = {
    "names without a record": (
        "SELECT COUNT(*) FROM alias LEFT JOIN record ON record.id = record_id "
        "WHERE record.id IS NULL"
    ),
    "lines of jobs that ended": (
        "SELECT COUNT(*) FROM staged JOIN job ON job.id = job_id "
        "WHERE state IN ('done', 'failed', 'cancelled')"
    ),
    "records that others speak of, and that never came": (
        "SELECT COUNT(*) FROM record WHERE state = 0"
    ),
    "records without a subject": (
        "SELECT COUNT(*) FROM record LEFT JOIN subject ON subject.id = subject_id "
        "WHERE subject.id IS NULL"
    ),
}
FACTS = {
    RecordType.OBSERVATION: "observation",
    RecordType.CONDITION: "condition",
    RecordType.ENCOUNTER: "visit",
}
"""The facts of each type: here each record that counts has one, and no other has."""


def settle(hub: Hub) -> None:
    """Return when all that was staged is stored, and all that is stored is counted."""
    until = time.monotonic() + SETTLED_SECONDS
    while _is_under_way(hub):
        assert time.monotonic() < until, "there is still work"
        time.sleep(0.05)


def _is_under_way(hub: Hub) -> bool:
    query = (
        "SELECT (SELECT COUNT(*) FROM job WHERE state = 'waiting') "
        "+ (SELECT COUNT(*) FROM staged)"
    )
    return _number(hub, query) > 0 or not counting.is_all_counted(hub)


def half_stored(hub: Hub) -> dict[str, int]:
    """Return of what there is one half and not the other."""
    found = {what: _number(hub, query) for what, query in HALVES.items()}
    for type_, table in FACTS.items():
        counts = f"record.type = {type_.value} AND record.state = 1"
        found[f"counting records without a {table}"] = _number(
            hub,
            f"SELECT COUNT(*) FROM record WHERE {counts} AND NOT EXISTS "
            f"(SELECT 1 FROM {table} f WHERE f.record_id = record.id)",
        )
        found[f"{table}s of records that don't count"] = _number(
            hub,
            f"SELECT COUNT(*) FROM {table} f LEFT JOIN record "
            f"ON record.id = f.record_id AND {counts} WHERE record.id IS NULL",
        )
    return {what: count for what, count in found.items() if count}


def _number(hub: Hub, query: str) -> int:
    with hub.engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def current_by_sender(hub: Hub) -> Counter[tuple[str, str]]:
    """Return how many records of each type count, by the client that sent them."""
    query = text(
        "SELECT client.client_id, record.type, COUNT(*) FROM record "
        "JOIN client ON client.source_id = record.source_id "
        "WHERE record.state = 1 GROUP BY client.client_id, record.type"
    )
    with hub.engine.connect() as connection:
        rows = connection.execute(query).all()
    return Counter({(who, RecordType(t).fhir_name): n for who, t, n in rows})


def acknowledged_by_sender(ledger: Ledger) -> Counter[tuple[str, str]]:
    """Return how many of each type are to count."""
    return Counter((who, name.partition("/")[0]) for who, name in ledger.current)


def wrong_words(hub: Hub, senders: Sequence[Sender], ledger: Ledger) -> list[str]:
    """Return what the store says otherwise than its sender did last."""
    wrong = []
    for sender in senders:
        told = {
            name: said
            for (who, name), said in ledger.last.items()
            if who == sender.client_id
        }
        for (name, said), found in zip(
            told.items(), _traces(hub, sender, list(told)), strict=True
        ):
            fate = Fate.WITHDRAWN if said is None else Fate.STORED
            if found.fate is not fate and not (
                said is None and found.fate is Fate.UNKNOWN
            ):
                wrong.append(f"{sender.client_id} {name}: {found.fate}")
            elif said and _number_of(found) != said:
                wrong.append(
                    f"{sender.client_id} {name}: {_number_of(found)}, not {said}"
                )
    return wrong


def _traces(hub: Hub, sender: Sender, names: list[str]) -> Iterator[Trace]:
    with read_session(hub.engine) as session:
        source = clinics.required_source(
            session, clinic=str(sender.caller.clinic), name="ehr"
        )
        principal = Principal(
            client_id=sender.client_id,
            audience=Audience.MEMBERS,
            scopes=sender.scopes,
            source=source,
        )
        for start in range(0, len(names), AT_ONCE):
            asked = [
                {"name": "reference", "valueString": name}
                for name in names[start : start + AT_ONCE]
            ]
            body = {"resourceType": "Parameters", "parameter": asked}
            yield from trace(session, hub, principal, body)


def _number_of(found: Trace) -> float | None:
    if found.record is None or found.record.content is None:
        return None
    content = content_of(found.record.content)
    assert isinstance(content, Observation)
    quantity = content.value.quantity
    return None if quantity is None else float(quantity.value)


def uncounted_lines(senders: Sequence[Sender], ledger: Ledger) -> list[str]:
    """Return the bulk deliveries whose manifests don't add up to their lines."""
    wrong = []
    by_client = {sender.client_id: sender for sender in senders}
    for upload in ledger.uploads:
        path = upload.status_url.partition("/fhir")[2]
        answer = by_client[upload.client_id].answered("GET", path)
        assert answer.status_code == 200, (upload, answer.status_code, answer.text)
        told = answer.json()["extension"]
        counted = sum(row["count"] for row in told["counts"])
        outcomes = {row["outcome"] for row in told["counts"]}
        if {told["lines"], counted} != {upload.lines} or "refused" in outcomes:
            wrong.append(f"{upload}: {told}")
    return wrong


def cells_now_and_anew(hub: Hub) -> tuple[list[tuple], list[tuple]]:
    """Return the live cells, and those of a count from nothing."""
    live = cells_of(hub)
    with write_session(hub.engine) as session:
        for row in recounts.known_measures(session):
            counting.recount_in_full(session, hub, row.id)
    return live, cells_of(hub)

"""Facts made again from what is kept: for a measure that looks at them anew."""

from collections.abc import Sequence

from app.domain.records import NOBODY, content_of
from app.services.facts import fact_rows
from app.services.hub import Hub
from app.services.translations import as_counted
from app.store import records, subjects
from app.store.sessions import WriteSession, write_session

RECORDS_AT_ONCE = 1_000


def refresh_facts(hub: Hub) -> int:
    """
    Make the integer rows of all current records again; return of how many.

    A new definition may compare an observable in another unit than the one that its
    facts were turned into when they came; what is kept still has the unit as sent.
    A transaction for each thousand records, so that deliveries go on meanwhile.
    """
    done, last_id = 0, 0
    while True:
        with write_session(hub.engine) as session:
            chunk = records.counted_after(session, last_id, limit=RECORDS_AT_ONCE)
            if not chunk:
                return done
            remake_facts(session, hub, chunk)
        done += len(chunk)
        last_id = chunk[-1].id


def remake_facts(
    session: WriteSession, hub: Hub, chunk: Sequence[records.StoredRecord]
) -> set[int]:
    """Replace the facts of a few records that count; return for whom they count."""
    people = {record.subject_id for record in chunk} - {NOBODY}
    about = subjects.lock_subjects(session, people)
    counted = {i: subject.joined_to or i for i, subject in about.items()}
    kept = [(r, content_of(r.content)) for r in chunk if r.content is not None]
    rows = fact_rows(
        as_counted(session, kept),
        counted=counted.__getitem__,
        units=hub.units,
        keeping=hub.policy.keeping,
        concept_ids=lambda codings: hub.concepts.ids(session, codings),
    )
    records.delete_facts(session, [record.id for record in chunk])
    records.insert_facts(session, rows)
    return set(counted.values())

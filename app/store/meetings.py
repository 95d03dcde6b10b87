"""What a delivery meets in the store: read and locked at its start, in one journey."""

from collections.abc import Collection

import msgspec

from app.store import records, subjects
from app.store.bulk import array_of
from app.store.exchanges import Question, execute, fetch_together, is_postgresql
from app.store.records import StoredRecord
from app.store.sessions import WriteSession
from app.store.subjects import StoredSubject


class Met(msgspec.Struct, kw_only=True):
    """
    The records that keys and ids name, and the subjects that these are about.

    Of what is only mentioned the subjects are those of the patients.

    ``free_ids`` are for records that the delivery makes; more can be asked for.
    """

    named: dict[bytes, int]
    records: dict[int, StoredRecord]
    subjects: dict[int, StoredSubject]
    free_ids: list[int]


NAME_LOCKS = 512
FEW_MENTIONS = 100
"""To lock so few costs less than to ask once more."""
_BY_KEY = ", ".join(
    f"set_config('{name}', 'off', true)"
    for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
)
"""
All that a delivery looks up it finds by an index. Of tables that fill for the first
time PostgreSQL knows no better than to read and sort them whole, each time. Until its
version 18 what is turned off counts as so dear that it would be compiled as well.
"""
_LOCK_CLINIC = {
    False: f"SELECT pg_advisory_xact_lock_shared(8, %s), {_BY_KEY}",
    True: f"SELECT pg_advisory_xact_lock(8, %s), {_BY_KEY}",
}
_LOCK_NAMES = (
    "SELECT 0 FROM (SELECT pg_advisory_xact_lock(7, b) FROM unnest(%s::int[]) b) l "
    "UNION ALL SELECT nextval('record_id_seq') FROM generate_series(1, %s)"
)
_LOCKED = "ORDER BY r.id FOR UPDATE OF r"
_MENTIONED = f"{records.SELECT_NAMED}WHERE a.key = ANY(%s::bytea[])"
_NAMED = f"{_MENTIONED} {_LOCKED}"
_RECORDS = f"{records.SELECT}WHERE r.id = ANY(%s::bigint[]) {_LOCKED}"
_SUBJECTS = (
    f"{subjects.SELECT}WHERE id IN (SELECT r.subject_id FROM record r WHERE r.id IN "
    "(SELECT record_id FROM alias WHERE key = ANY(%s::bytea[]) "
    "UNION SELECT unnest(%s::bigint[]))) ORDER BY id FOR UPDATE"
)


def keep_others_out(session: WriteSession, clinic_id: int) -> None:
    """Let no other transaction write about a clinic until this one ends."""
    if is_postgresql(session):  # of SQLite's writers there is one anyway
        execute(session, _LOCK_CLINIC[True], (clinic_id,))


def meet(
    session: WriteSession,
    *,
    clinic_id: int,
    alone: bool,
    patients: Collection[bytes],
    names: Collection[bytes],
    mentions: Collection[bytes],
    ids: Collection[int],
    expected: int,
) -> Met:
    """
    Return what *names* and *ids* name, which no other transaction may change now.

    And what is behind *mentions*, to which the delivery only refers: that is read where
    it is much. To lock it would write to a page for each, and the subjects are locked,
    which is enough for who writes about them.

    With *alone* no other transaction writes about the clinic meanwhile: who says which
    patients are one follows their ties, and locks what it finds on its way, in no order
    that others could keep to.

    One transaction at a time writes about the patients that *patients* name. SQLite
    has one writer anyway. On PostgreSQL the names fall into 512 advisory locks (its
    lock table holds some 6,400), taken in order, so that two deliveries about a patient
    who is new meet here and not in a deadlock or a double. *expected* is how many
    records the delivery is likely to make.
    """
    if is_postgresql(session):
        lock = Question(_LOCK_CLINIC[alone], (clinic_id,))
        keys = (names, mentions)
        if len(mentions) <= FEW_MENTIONS:
            keys = ({*names, *mentions}, ())
        return _meet_on_postgresql(session, lock, patients, keys, ids, expected)
    named = records.find_by_alias(session, {*names, *mentions})
    found = records.lock_by_id(session, {*named.values(), *ids})
    about = {record.subject_id for record in found.values()}
    return Met(
        named=named,
        records=found,
        subjects=subjects.lock_subjects(session, about),
        free_ids=[],
    )


def _meet_on_postgresql(
    session: WriteSession,
    lock: Question,
    patients: Collection[bytes],
    names: tuple[Collection[bytes], Collection[bytes]],
    ids: Collection[int],
    expected: int,
) -> Met:
    """Ask all at once: each statement finds by itself what those before it found."""
    buckets = sorted({int.from_bytes(key[:2], "big") % NAME_LOCKS for key in patients})
    own, mentioned = names
    numbers = array_of(ids)
    by_name = [Question(_NAMED, (array_of(own),))]
    if mentioned:
        by_name.insert(0, Question(_MENTIONED, (array_of(mentioned),)))
    by_id = [Question(_RECORDS, (numbers,))] if ids else []
    asked = [
        lock,
        Question(_LOCK_NAMES, (array_of(buckets), expected)),
        *by_name,
        *by_id,
        Question(_SUBJECTS, (array_of({*own, *patients}), numbers)),
    ]
    _, free, *found, about = fetch_together(session, asked)
    named = [row for rows in found[: len(by_name)] for row in rows]
    rows = [row[1:] for row in named]
    rows += [row for of_ids in found[len(by_name) :] for row in of_ids]
    return Met(
        named={row[0]: row[1] for row in named},
        records={row[0]: records.record_of(row) for row in rows},
        subjects=subjects.subjects_of(about),
        free_ids=[number for (number,) in free if number],
    )

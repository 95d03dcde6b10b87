"""
The keys that names are made under: whether they fit the store, and when one may go.

Of each key the store has a fingerprint, made as the names are, so a key that is another
is told before a single name is looked for in vain.
"""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from app.deid.pseudonyms import fingerprints
from app.domain.errors import ConflictError, NotFoundError
from app.domain.records import RecordType
from app.services import intake
from app.services.hub import Hub
from app.services.sealing import head_of, seal, unseal
from app.store import clinics, key_versions, records, tables
from app.store.key_versions import KeyRow, Known
from app.store.sealed import replace_sealed, sealed_with
from app.store.sessions import ReadSession, WriteSession, read_session, write_session
from app.store.subjects import mark_dirty
from app.store.ties import delete_ties

RECORDS_AT_ONCE = 200
PAGE = "docs/privacy/codes-and-keys.md"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A key version in words, as a list shows it; its fields are the list's columns."""

    version: str
    state: str
    created: str
    names: str
    records: str
    blocks: str


def check_keys(hub: Hub) -> None:
    """
    Refuse a key file that does not fit the database; remember a version that is new.

    Raises:
        ConflictError: a version is another key, is missing or was retired; the message
            says what is lost by that, and what to do.
    """
    ours = fingerprints(hub.keys)
    with read_session(hub.engine) as session:
        known = {row.version: row for row in key_versions.all_keys(session)}
        for row in known.values():
            _check(session, row, ours.get(row.version))
    new = sorted(ours.keys() - known.keys())
    if new:
        with write_session(hub.engine) as session:
            for version in new:
                key_versions.add_key(
                    session, version, fingerprint=ours[version], now=hub.clock()
                )


def _check(session: ReadSession, row: KeyRow, ours: bytes | None) -> None:
    """Refuse a key of the store whose fingerprint of *ours* is another, or none."""
    version = row.version
    if row.retired_at is not None:
        if ours is not None:
            raise ConflictError(_retired(version))
    elif ours != row.fingerprint:
        known = key_versions.known_by_version(session).get(version, Known())
        said = _missing if ours is None else _another
        raise ConflictError(said(version, known))


def _retired(version: int) -> str:
    return (
        f"Key version {version} was retired, and its line is in the key file again:"
        f" nothing is known by it. Take it out with `catchment key retire {version}`"
    )


def _missing(version: int, known: Known) -> str:
    return (
        f"Key version {version} is not in the key file. {_lost(known)}. Put its line"
        f" back from the copy that you keep. If it is lost for good, `catchment key"
        f" retire {version} --force` drops what it named, and the clinics send that"
        f" again; see {PAGE}"
    )


def _another(version: int, known: Known) -> str:
    return (
        f"Version {version} in the key file is not the key that this database's names"
        f" were made with, or CATCHMENT_NETWORK is another. {_lost(known)}. Put the"
        f" right key file back, or the network's name. If the key is lost for good, no"
        f" one can make these names again: set this file aside, make a newer version"
        f" with `catchment key new --version {version + 1}`, and then see {PAGE}"
    )


def _lost(known: Known) -> str:
    """Return what is not to be had without a key."""
    return (
        f"Without it {known.records:,} records can't be matched with what their clinics"
        f" send again, and would count twice; nor can they be corrected, withdrawn or"
        f" erased at a clinic's wish; and {known.blocks:,} blocks of erased people end"
    )


def lines(session: ReadSession, hub: Hub) -> list[Line]:
    """Return the key versions in words, and what is still known by each."""
    known = key_versions.known_by_version(session)
    return [
        Line(
            version=str(row.version),
            state=_state(row, hub),
            created=f"{datetime.fromtimestamp(row.created_at / 1000, UTC):%Y-%m-%d}",
            names=str(of_key.aliases),
            records=str(of_key.records),
            blocks=str(of_key.blocks),
        )
        for row in key_versions.all_keys(session)
        for of_key in [known.get(row.version, Known())]
    ]


def _state(row: KeyRow, hub: Hub) -> str:
    if row.retired_at is not None:
        return "retired"
    if row.version not in hub.keys.masters:
        return "missing from the key file"
    if fingerprints(hub.keys)[row.version] != row.fingerprint:
        return "another key in the key file"
    return "current" if row.version == hub.keys.current else "active"


def retire(hub: Hub, version: int, *, force: bool) -> int:
    """
    Let nothing be known by a key version any more; return how many records go.

    With *force* the records go that only this version named: nobody could correct,
    withdraw or erase them, and they would count beside what is sent again.

    Raises:
        NotFoundError: no name was ever made under that version.
        ConflictError: it is the current one; or something is known by it, without
            *force*.
    """
    with read_session(hub.engine) as session:
        row = next(
            (r for r in key_versions.all_keys(session) if r.version == version), None
        )
        known = key_versions.known_by_version(session).get(version, Known())
    if row is None:
        msg = f"No name was made under key version {version}"
        raise NotFoundError(msg)
    if version == hub.keys.current and _state(row, hub) == "current":
        msg = "New names are made under this version; `catchment key rotate` first"
        raise ConflictError(msg)
    if row.retired_at is not None:
        return 0
    if not known.is_nothing and not force:
        raise ConflictError(_in_use(version, known))
    dropped = _drop_nameless(hub, version) if force else 0
    with write_session(hub.engine) as session:
        _seal_anew(session, hub, version)
        key_versions.retire_key(session, version, now=hub.clock())
    return dropped


def _seal_anew(session: WriteSession, hub: Hub, version: int) -> None:
    """Seal under the current key what is sealed under *version*, while that is here."""
    if version not in hub.keys.masters:
        return
    for value in sealed_with(session, head_of(version)):
        with suppress(ConflictError):  # it was broken before
            plain = unseal(hub.keys, value.sealed)
            replace_sealed(session, value, seal(hub.keys, plain))


def _in_use(version: int, known: Known) -> str:
    return (
        f"Under key version {version} there are still {known.aliases:,} names,"
        f" {known.records:,} records and {known.blocks:,} blocks of erased people. Have"
        f" the clinics send all that they have again, which names it under the current"
        f" version. --force retires it now: records that only it names can be matched"
        f" no more, so they are dropped and must be collected again, and those erased"
        f" people would be taken again"
    )


def _drop_nameless(hub: Hub, version: int) -> int:
    """Take out of every count, and delete, what only a key version names."""
    dropped = 0
    while True:
        with write_session(hub.engine) as session:
            ids = key_versions.nameless_records(session, version, limit=RECORDS_AT_ONCE)
            if not ids:
                return dropped
            dropped += _drop(session, hub, ids)


def _drop(session: WriteSession, hub: Hub, ids: list[int]) -> int:
    """Delete records; return how many of them had content."""
    found = records.find_by_id(session, ids)
    for record in found.values():
        row = session.get_one(tables.Source, record.source_id)
        intake.withdraw(session, hub, clinics.source_of(row), record.id)
    delete_ties(session, ids)
    records.delete_records(session, ids)
    people = [
        (i, r.clinic_id) for i, r in found.items() if r.type is RecordType.PATIENT
    ]
    mark_dirty(session, people, now=hub.clock())
    return sum(record.content is not None for record in found.values())

"""
Erasure: all that is kept of a person goes, and nothing of them comes in again.

What stays is a block under each name that they had, from which no name can be read, and
a line of the audit. Their counts are taken from the cells by the worker, as any others.
"""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from app.deid.pseudonyms import (
    block_key,
    hub_id_aliases,
    id_aliases,
    identifier_aliases,
)
from app.domain.clinics import Source
from app.domain.errors import InvalidElementError, NotFoundError
from app.domain.records import Alias, RecordType
from app.fhir.references import own_id_of, record_id_of
from app.services import linkage
from app.services.groups import Groups
from app.services.hub import Hub
from app.services.identities import Identities
from app.store import records, subjects
from app.store.audits import Act, record_act
from app.store.blocks import add_blocks, find_blocks, lift_blocks
from app.store.records import State
from app.store.refusals import forget_refusals
from app.store.sessions import ReadSession, WriteSession, tried
from app.store.subjects import StoredSubject
from app.store.ties import delete_ties

Erased = dict[RecordType, int]
"""How many records of each type were erased, those withdrawn before included."""


BYTE_ORDER_MARK = "\ufeff"
MOST_LINES_TOLD = 10


class Name(msgspec.Struct, frozen=True):
    """One name of a Patient, keyed; ``record_id`` is set where it is the hub's id."""

    aliases: tuple[Alias, ...]
    record_id: int | None = None

    @property
    def keys(self) -> list[bytes]:
        """Return the keys of the name under every key version."""
        return [alias.key for alias in self.aliases]


def patient_names(lines: Iterable[str], *, hub: Hub, source: Source) -> dict[int, Name]:
    """
    Return the Patients' names in *lines*, one in each, by the line's number from 1.

    Blank lines, blanks around a name and a byte order mark are passed over.

    Raises:
        InvalidElementError: a line is no name; it says which, and not what is in it.
    """
    names: dict[int, Name] = {}
    refused: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix(BYTE_ORDER_MARK).strip()
        if not text:
            continue
        try:
            names[number] = patient_name(text, hub=hub, source=source)
        except InvalidElementError as error:
            refused[number] = error.message
    if refused:
        raise InvalidElementError(_told(refused))
    return names


def _told(refused: dict[int, str]) -> str:
    """Return what is wrong with the first line, and the numbers of some others."""
    (number, message), *others = refused.items()
    told = f"Line {number}: {message}; nothing was done"
    if others:
        numbers = ", ".join(str(n) for n, _ in others[:MOST_LINES_TOLD])
        told += f". {len(others)} more can't be read, of these {numbers}"
    return told


def patient_name(text: str, *, hub: Hub, source: Source) -> Name:
    """
    Return the Patient's name that *text* is: ID, ``Patient/ID`` or ``system|value``.

    Raises:
        InvalidElementError: it is none of these, or the identifier's system is not
            unique in the clinic.
    """
    system, bar, value = text.rpartition("|")
    if not bar:
        own_id = own_id_of(text, target=RecordType.PATIENT)
        if own_id is None:
            msg = "Not an id, Patient/id, or system|value"
            raise InvalidElementError(msg)
        return name_of_id(own_id, hub=hub, source=source)
    if system not in source.identifier_systems or not value:
        msg = "The identifier's system is not declared unique in the clinic"
        raise InvalidElementError(msg)
    return Name(
        identifier_aliases(
            RecordType.PATIENT, system, value, keys=hub.keys, source=source
        )
    )


def name_of_id(own_id: str, *, hub: Hub, source: Source) -> Name:
    """Return the Patient's name that an id is, the sender's or the hub's."""
    record_id = record_id_of(own_id)
    if record_id is not None:
        return Name(hub_id_aliases(record_id, keys=hub.keys), record_id)
    kind = RecordType.PATIENT
    return Name(id_aliases(kind, own_id, keys=hub.keys, source=source))


def is_erased(session: ReadSession, name: Name) -> bool:
    """Return whether the Patient of that name was erased."""
    return bool(find_blocks(session, set(map(block_key, name.keys))))


def erase(session: WriteSession, hub: Hub, source: Source, name: Name) -> Erased:
    """
    Erase the Patient of *name* with all that is joined to it and about it.

    One who was never seen is blocked all the same: the clinic asked that nothing of
    them be here. One who was erased already is erased, with nothing left to count.

    Raises:
        NotFoundError: a hub id that the clinic was never given.
    """
    return tried(session, lambda: _erase(session, hub, source, name))


def unblock(session: WriteSession, hub: Hub, name: Name) -> int:
    """Let the person of *name* be sent again, under every name they had."""
    lifted = lift_blocks(session, set(map(block_key, name.keys)))
    if lifted:
        record_act(session, Act.UNBLOCK, 1, now=hub.clock())
    return lifted


def _erase(session: WriteSession, hub: Hub, source: Source, name: Name) -> Erased:
    identities = Identities(session, hub, source)
    members, _ = Groups(session, identities).reach(
        _start(session, identities, source, name)
    )
    erased = Counter[RecordType]()
    about = records.about(session, members)
    erased.update(row.type for row in about if row.state is not State.PLACEHOLDER)
    _delete(session, hub, members, [row.id for row in about], name)
    subjects.save_subjects(
        session, [StoredSubject(id=i, clinic_id=source.clinic_id) for i in members]
    )
    subjects.mark_dirty(
        session, [(i, source.clinic_id) for i in members], now=identities.now
    )
    counts = {type_: erased[type_] for type_ in RecordType if type_.is_of_a_person}
    for type_, count in counts.items():
        if count or type_ is RecordType.PATIENT:
            record_act(session, Act.PURGE, count, now=identities.now, record_type=type_)
    linkage.forget(session, members)
    return counts


def _start(
    session: WriteSession, identities: Identities, source: Source, name: Name
) -> set[int]:
    """Return the record that *name* names, locked; none where there is none."""
    hub_ids = () if name.record_id is None else (name.record_id,)
    identities.load(name.keys, hub_ids, patients=name.keys, expected=0, alone=True)
    if name.record_id is None:
        return identities.found(name.aliases)
    record = identities.records.get(name.record_id)
    if (
        record is not None
        and record.type is RecordType.PATIENT
        and record.clinic_id == source.clinic_id
    ):
        return {record.id}
    if is_erased(session, name):
        return set()
    msg = "No Patient of that id"
    raise NotFoundError(msg)


def _delete(
    session: WriteSession,
    hub: Hub,
    members: Collection[int],
    record_ids: Collection[int],
    name: Name,
) -> None:
    """Delete records and all that is known them by; block the names of persons."""
    aliases = records.aliases_of(session, record_ids)
    forget_refusals(session, [alias.key for alias, _ in aliases])
    forget_refusals(session, name.keys)
    names = [alias for alias, record_id in aliases if record_id in members]
    names += (a for i in members for a in hub_id_aliases(i, keys=hub.keys))
    names += name.aliases
    add_blocks(session, [(block_key(a.key), a.key_version) for a in names])
    delete_ties(session, members)
    records.delete_records(session, record_ids)

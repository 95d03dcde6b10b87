"""Single resources: create, update, read, withdraw."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.deid.pseudonyms import id_aliases, identifier_aliases
from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    WithdrawnError,
)
from app.domain.records import NOBODY, Alias, RecordType, content_of
from app.domain.translations import NO_TRANSLATIONS, Translations, annotated
from app.fhir.criteria import Criterion, VersionMatch
from app.fhir.references import hub_id, record_id_of
from app.fhir.rendering import render_record
from app.services import erasures, intake
from app.services.authorization import Allowed
from app.services.hub import Hub
from app.services.intake import Submission
from app.services.labels import label_of
from app.services.reception import deidentified
from app.services.translations import translations_of
from app.smart.scopes import Interaction
from app.store import records, subjects
from app.store.records import State, StoredRecord
from app.store.sessions import ReadSession, WriteSession


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a resource is to be stored: where it goes, and on which condition."""

    own_id: str | None = None
    criterion: Criterion | None = None
    create_only: bool = False
    if_match: VersionMatch | None = None
    if_none_match: bool = False
    interaction: Interaction = "u"
    allowed_stored: Allowed | None = None

    def check_stored(self, stored: StoredRecord) -> None:
        """Refuse to replace what the caller's scopes do not cover."""
        if self.allowed_stored is not None:
            resource = render(stored, resource_id=hub_id(stored.id))
            self.allowed_stored(stored.type.fhir_name, self.interaction, resource)


def submission_of(
    resource: dict[str, Any],
    wish: Wish,
    *,
    hub: Hub,
    source: Source,
    index: int = 0,
    own_ids: tuple[str, ...] = (),
    entries: Mapping[str, int] | None = None,
    expression: str | None = None,
) -> Submission:
    """De-identify *resource* and say how it is to be stored."""
    own_id = wish.own_id or _hub_id_of(resource, wish)
    ids = own_ids if own_id is None else (own_id, *own_ids)
    record = deidentified(
        resource, front=hub, source=source, own_ids=ids, entries=entries, at=expression
    )
    condition: tuple[Alias, ...] = ()
    if wish.criterion is not None:
        condition = condition_aliases(wish.criterion, record.type, hub, source)
    return Submission(
        index=index,
        expression=expression or record.type.fhir_name,
        record=record,
        hub_record=None if own_id is None else record_id_of(own_id),
        condition=condition,
        create_only=wish.create_only,
        if_match=wish.if_match,
        if_none_match=wish.if_none_match,
        may_replace=wish.check_stored,
    )


def _hub_id_of(resource: Mapping[str, Any], wish: Wish) -> str | None:
    """Return the hub's id in the body of a conditional update, which may state it."""
    body_id = resource.get("id")
    if wish.criterion is None or wish.create_only or not isinstance(body_id, str):
        return None
    return None if record_id_of(body_id) is None else body_id


def condition_aliases(
    criterion: Criterion, type_: RecordType, hub: Hub, source: Source
) -> tuple[Alias, ...]:
    """Return what the record that *criterion* names is known by."""
    if criterion.system not in source.identifier_systems:
        msg = "The identifier's system is not declared unique in the clinic"
        raise BusinessRuleError(msg)
    return identifier_aliases(
        type_, criterion.system, criterion.value, keys=hub.keys, source=source
    )


def find(
    session: ReadSession, hub: Hub, source: Source, type_: RecordType, own_id: str
) -> StoredRecord | None:
    """Return the record that *own_id*, the source's or the hub's, names."""
    record_id = record_id_of(own_id)
    if record_id is None:
        keys = [
            alias.key
            for alias in id_aliases(type_, own_id, keys=hub.keys, source=source)
        ]
        record_id = next(iter(records.find_by_alias(session, keys).values()), None)
    if record_id is None:
        return None
    stored = records.find_by_id(session, [record_id]).get(record_id)
    if stored is None or stored.clinic_id != source.clinic_id:
        return None
    return stored if stored.type is type_ else None


def read(
    session: ReadSession, hub: Hub, source: Source, type_: RecordType, own_id: str
) -> tuple[dict[str, Any], StoredRecord]:
    """Return the de-identified record, as FHIR and as it is stored."""
    stored = find(session, hub, source, type_, own_id)
    if stored is not None and stored.state is State.PLACEHOLDER:
        stored = _joined_patient(session, stored)
    if stored is None and type_ is RecordType.PATIENT:
        _refuse_erased(session, hub, source, own_id)
    if stored is None:
        msg = f"No {type_.fhir_name} of that id"
        raise NotFoundError(msg)
    if stored.state is State.WITHDRAWN:
        msg = f"The {type_.fhir_name} was withdrawn"
        raise WithdrawnError(msg)
    rendered = render(
        stored,
        resource_id=own_id,
        patient_id=subjects.patient_of(session, stored.subject_id),
        translations=_translations(session, stored),
    )
    return rendered, stored


def _translations(session: ReadSession, stored: StoredRecord) -> Translations:
    """Return what a record's local codes count as."""
    if stored.content is None:
        return {}
    content = content_of(stored.content)
    return translations_of(session, content, source_id=stored.source_id)


def _refuse_erased(session: ReadSession, hub: Hub, source: Source, own_id: str) -> None:
    name = erasures.name_of_id(own_id, hub=hub, source=source)
    if erasures.is_erased(session, name):
        msg = "The Patient was erased"
        raise WithdrawnError(msg)


def _joined_patient(
    session: ReadSession, placeholder: StoredRecord
) -> StoredRecord | None:
    """Return the Patient that is known by another name than *placeholder*'s."""
    if placeholder.type is not RecordType.PATIENT:
        return None
    record_id = subjects.patient_of(session, placeholder.id)
    if record_id is None:
        return None
    return records.find_by_id(session, [record_id])[record_id]


def render(
    stored: StoredRecord,
    *,
    resource_id: str,
    patient_id: int | None = None,
    translations: Translations = NO_TRANSLATIONS,
) -> dict[str, Any]:
    """
    Return a stored record as FHIR, its references by hub ids.

    *patient_id* is the Patient whom the name that it came under is known for;
    *translations* are shown beside the local codes that they are of.
    """
    if stored.content is None:
        msg = "Nothing is kept of this record yet"
        raise NotFoundError(msg)
    about = None
    if stored.type is not RecordType.PATIENT and stored.subject_id != NOBODY:
        about = f"Patient/{hub_id(patient_id or stored.subject_id)}"
    visit = f"Encounter/{hub_id(stored.encounter_id)}" if stored.encounter_id else None
    return render_record(
        annotated(content_of(stored.content), translations),
        resource_id=resource_id,
        version=stored.version,
        updated_at=stored.received_at,
        subject_reference=about,
        encounter_reference=visit,
        label=label_of,
    )


def withdraw(
    session: WriteSession, hub: Hub, source: Source, type_: RecordType, own_id: str
) -> int | None:
    """
    Take a record out of every count; a later delivery of it brings it back.

    Returns:
        The hub's number of the record; None where there is none of that id.
    """
    stored = find(session, hub, source, type_, own_id)
    if stored is None:
        return None
    if record_id_of(own_id) is not None and stored.source_id != source.source_id:
        msg = "The record belongs to another source of the clinic"
        raise ForbiddenError(msg)
    intake.withdraw(session, hub, source, stored.id)
    return stored.id


def kept_type(name: str) -> RecordType:
    """Return the record type of a resource type that is kept, or refuse."""
    type_ = RecordType.of(name)
    if type_ is None:
        msg = "This hub has no such resource type"
        raise NotFoundError(msg)
    return type_


def check_type(resource: Mapping[str, Any], type_: RecordType) -> None:
    """Refuse a body that is not of the type in the URL."""
    if resource.get("resourceType") != type_.fhir_name:
        msg = f"The body is no {type_.fhir_name}"
        raise MalformedError(msg, expression="resourceType")

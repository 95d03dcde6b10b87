"""Validated FHIR JSON -> identified record: reads what may be kept, counts the rest."""

from collections.abc import Callable
from typing import Any

from app.domain.calendar import epoch_ms_of
from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    InvalidElementError,
    MissingElementError,
    UnknownTypeError,
)
from app.domain.identified import (
    IdentifiedCondition,
    IdentifiedContent,
    IdentifiedEncounter,
    IdentifiedObservation,
    IdentifiedPatient,
    IdentifiedRecord,
    Reference,
    StatedComponent,
    StatedDate,
    StatedName,
    StatedWard,
)
from app.domain.records import RecordType
from app.domain.terminology import DEIDENTIFIED
from app.fhir.contents import canonical_content
from app.fhir.datatypes import (
    coded,
    codings_of,
    concepts_called,
    date_called,
    effective_of,
    start_of,
    value_of,
)
from app.fhir.elements import (
    ADDRESS,
    COMPONENT,
    CONDITION,
    ENCOUNTER,
    IDENTIFIER,
    LINK,
    MEASURE_REPORT,
    META,
    OBSERVATION,
    PATIENT,
    PERIOD,
    REFERENCE,
    SUMMARY,
    Elements,
    note_dropped,
)
from app.fhir.references import parse_reference, record_id_of
from app.fhir.summary_reports import (
    read_report,
    read_summary,
    report_ward,
    ward_called,
    ward_type,
)

Json = dict[str, Any]

JOINING_LINKS = frozenset({"replaced-by", "replaces"})
OF_NOBODY = (SUMMARY, MEASURE_REPORT)
"""The elements of what is about no person."""
UNITED_STATES = frozenset({"US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA"})


def parse_resource(
    resource: Json, *, source: Source, ids: tuple[str, ...] = ()
) -> IdentifiedRecord:
    """
    Read a resource that has passed validation.

    Args:
        resource: A JSON object; its numbers may be int, float or Decimal.
        source: Where it comes from.
        ids: The sender's ids for it beside the body's: of its URL, of its fullUrl.

    Raises:
        UnknownTypeError: The type is not one that is kept.
        MissingElementError: An event has no subject.
        InvalidElementError: A reference, number or instant can't be read.
        BusinessRuleError: A modifier is not understood, a reference is not one that is
            taken here, or the body is what this hub gave out.
    """
    type_ = RecordType.of(resource.get("resourceType", ""))
    if type_ is None:
        msg = "This type of resource is not kept"
        raise UnknownTypeError(msg)
    root = type_.fhir_name
    known, content_of = _reader_of(resource, type_)
    is_of_nobody = known in OF_NOBODY
    meta = resource.get("meta", {})
    _refuse_own(meta, root)
    canonical = canonical_content(resource, known=known)
    dropped: set[str] = set()
    note_dropped(resource, known, root, dropped)
    note_dropped(meta, META, f"{root}.meta", dropped)
    return IdentifiedRecord(
        type=type_,
        content=content_of(resource, dropped),
        ids=_own_ids(resource.get("id"), ids, root),
        identifiers=_identifiers(resource, source, root, dropped),
        subject=_subject(resource, source, root, dropped)
        if "subject" in known.read and not is_of_nobody
        else None,
        encounter=_encounter(resource, source, root, dropped)
        if "encounter" in known.read
        else None,
        ward=_ward(resource, type_, source, dropped) if is_of_nobody else None,
        links=_links(resource.get("link", ()), source, dropped)
        if "link" in known.read
        else (),
        sent_order=_sent_order(meta.get("lastUpdated"), root),
        canonical=canonical,
        dropped=frozenset(dropped),
    )


def _reader_of(resource: Json, type_: RecordType) -> tuple[Elements, "_Reader"]:
    """Return which elements are read, and how; an Observation may be of nobody."""
    if type_ is RecordType.OBSERVATION and ward_type(resource.get("subject", {})):
        return SUMMARY, read_summary
    return _READERS[type_]


def _ward(
    resource: Json, type_: RecordType, source: Source, dropped: set[str]
) -> StatedWard | None:
    """Return the Group or Location that a number of nobody known is of."""
    if type_ is RecordType.MEASURE_REPORT:
        return report_ward(resource, source=source, dropped=dropped)
    return ward_called("subject", of=resource, source=source, dropped=dropped)


def _refuse_own(meta: Json, root: str) -> None:
    """Refuse what this hub gave out: it would store coarsened data as new."""
    own = (DEIDENTIFIED.system, DEIDENTIFIED.code)
    for tag in meta.get("tag", ()):
        if (tag.get("system"), tag.get("code")) == own:
            msg = "A record that was read from this hub is not taken back"
            raise BusinessRuleError(msg, expression=f"{root}.meta.tag")


def _own_ids(body_id: str | None, ids: tuple[str, ...], root: str) -> tuple[str, ...]:
    """Return the sender's ids, each once; the hub's own ids are none of them."""
    others = [id_ for id_ in dict.fromkeys(ids) if record_id_of(id_) is None]
    if body_id is None or body_id in ids:
        return tuple(others)
    if record_id_of(body_id) is not None:
        msg = "Ids of this form are the hub's own"
        raise BusinessRuleError(msg, expression=f"{root}.id")
    return (body_id, *others)


def _identifiers(
    resource: Json, source: Source, root: str, dropped: set[str]
) -> tuple[tuple[str, str], ...]:
    """Return the identifiers of systems that are unique in the clinic."""
    unique = []
    path = f"{root}.identifier"
    for identifier in resource.get("identifier", ()):
        system, value = identifier.get("system"), identifier.get("value")
        if value and system in source.identifier_systems:
            note_dropped(identifier, IDENTIFIER, path, dropped)
            unique.append((system, value))
        else:
            dropped.add(path)
    return tuple(dict.fromkeys(unique))


def _subject(resource: Json, source: Source, root: str, dropped: set[str]) -> Reference:
    """Return whom an event is about."""
    path = f"{root}.subject"
    element = resource.get("subject", {})
    note_dropped(element, REFERENCE, path, dropped)
    subject = parse_reference(
        element, target=RecordType.PATIENT, source=source, path=path
    )
    if subject is None:
        msg = "The subject is missing: a Patient, by reference or identifier"
        raise MissingElementError(msg, expression=path)
    return subject


def _encounter(
    resource: Json, source: Source, root: str, dropped: set[str]
) -> Reference | None:
    """Return the visit at which an Observation or Condition was made."""
    element = resource.get("encounter")
    if element is None:
        return None
    path = f"{root}.encounter"
    note_dropped(element, REFERENCE, path, dropped)
    return parse_reference(
        element, target=RecordType.ENCOUNTER, source=source, path=path
    )


def _links(
    links: list[Json], source: Source, dropped: set[str]
) -> tuple[Reference, ...]:
    """Return the records that are said to be of the same Patient."""
    joined = []
    for index, link in enumerate(links):
        if link.get("type") not in JOINING_LINKS:
            dropped.add("Patient.link")
            continue
        note_dropped(link, LINK, "Patient.link", dropped)
        other = parse_reference(
            link.get("other"),
            target=RecordType.PATIENT,
            source=source,
            path=f"Patient.link[{index}].other",
        )
        if other is not None:
            joined.append(other)
    return tuple(joined)


def _sent_order(last_updated: str | None, root: str) -> int | None:
    """Return an instant in epoch milliseconds."""
    if last_updated is None:
        return None
    try:
        return epoch_ms_of(last_updated)
    except (TypeError, ValueError):
        msg = "The instant can't be read"
        raise InvalidElementError(msg, expression=f"{root}.meta.lastUpdated") from None


def _observation(resource: Json, dropped: set[str]) -> IdentifiedObservation:
    """Read an Observation."""
    path = "Observation"
    return IdentifiedObservation(
        status=_status(resource),
        category=concepts_called("category", of=resource, path=path, dropped=dropped),
        code=codings_of(resource.get("code"), path=f"{path}.code", dropped=dropped),
        effective=effective_of(resource, dropped=dropped),
        value=value_of(resource, path=path, dropped=dropped),
        components=tuple(
            _component(component, index, dropped)
            for index, component in enumerate(resource.get("component", ()))
        ),
    )


def _status(resource: Json) -> str:
    """Return a status; FHIR takes one that only says why it is absent, we do not."""
    status = resource.get("status")
    if not isinstance(status, str):
        msg = "Without a status nobody knows whether it counts"
        raise MissingElementError(msg, expression=f"{resource['resourceType']}.status")
    return status


def _component(component: Json, index: int, dropped: set[str]) -> StatedComponent:
    """Read a component of an Observation."""
    path = "Observation.component"
    note_dropped(component, COMPONENT, path, dropped)
    return StatedComponent(
        code=codings_of(component.get("code"), path=f"{path}.code", dropped=dropped),
        value=value_of(component, path=path, index=f"[{index}]", dropped=dropped),
    )


def _condition(resource: Json, dropped: set[str]) -> IdentifiedCondition:
    """Read a Condition."""
    path = "Condition"
    return IdentifiedCondition(
        clinical_status=codings_of(
            resource.get("clinicalStatus"),
            path=f"{path}.clinicalStatus",
            dropped=dropped,
        ),
        verification_status=codings_of(
            resource.get("verificationStatus"),
            path=f"{path}.verificationStatus",
            dropped=dropped,
        ),
        category=concepts_called("category", of=resource, path=path, dropped=dropped),
        code=codings_of(resource.get("code"), path=f"{path}.code", dropped=dropped),
        onset=start_of("onset", of=resource, path=path, dropped=dropped),
        abatement=start_of("abatement", of=resource, path=path, dropped=dropped),
        recorded=date_called("recordedDate", of=resource, path=path),
    )


def _visit(resource: Json, dropped: set[str]) -> IdentifiedEncounter:
    """Read an Encounter."""
    path = "Encounter.period"
    period = resource.get("period", {})
    note_dropped(period, PERIOD, path, dropped)
    classes = [resource["class"]] if "class" in resource else []
    return IdentifiedEncounter(
        status=_status(resource),
        class_=coded(classes, path="Encounter.class", dropped=dropped),
        start=date_called("start", of=period, path=path),
    )


def _patient(resource: Json, dropped: set[str]) -> IdentifiedPatient:
    """Read a Patient."""
    address = _home(resource.get("address", ()), dropped)
    died = resource.get("deceasedDateTime")
    death_date = died and StatedDate(died, "Patient.deceased.ofType(dateTime)")
    return IdentifiedPatient(
        names=tuple(map(_name, resource.get("name", ()))),
        gender=resource.get("gender"),
        birth_date=date_called("birthDate", of=resource, path="Patient"),
        death_date=death_date,
        deceased=True if death_date else resource.get("deceasedBoolean"),
        state=address.get("state"),
        postal_code=address.get("postalCode"),
    )


def _name(name: Json) -> StatedName:
    """Read a name, which goes no further than to a keyed token."""
    return StatedName(
        use=name.get("use"),
        family=name.get("family"),
        given=tuple(part for part in name.get("given", ()) if part is not None),
    )


def _home(addresses: list[Json], dropped: set[str]) -> Json:
    """Return the home address in the United States, or else the first one there."""
    here = []
    for address in addresses:
        note_dropped(address, ADDRESS, "Patient.address", dropped)
        if address.get("country", "US").strip().upper() in UNITED_STATES:
            here.append(address)
    homes = [address for address in here if address.get("use") == "home"]
    return next(iter(homes + here), {})


_Reader = Callable[[Json, set[str]], IdentifiedContent]
_READERS: dict[RecordType, tuple[Elements, _Reader]] = {
    RecordType.OBSERVATION: (OBSERVATION, _observation),
    RecordType.CONDITION: (CONDITION, _condition),
    RecordType.ENCOUNTER: (ENCOUNTER, _visit),
    RecordType.PATIENT: (PATIENT, _patient),
    RecordType.MEASURE_REPORT: (MEASURE_REPORT, read_report),
}

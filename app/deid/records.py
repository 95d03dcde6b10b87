"""Identified record -> de-identified record: built field by field from allow-lists."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from app.deid.codes import (
    COMPARATORS,
    ENCOUNTER_STATUSES,
    OBSERVATION_STATUSES,
    SEXES,
    listed_code,
    listed_coding,
    system_of,
)
from app.deid.dates import kept_birth, kept_date, kept_month
from app.deid.linkage import linkage_tokens
from app.deid.omissions import without
from app.deid.places import kept_state, kept_zip3
from app.deid.policies import Policy
from app.deid.pseudonyms import (
    KeyRing,
    content_digests,
    id_aliases,
    identifier_aliases,
    local_codings,
    report_aliases,
)
from app.deid.summaries import (
    Ward,
    check_number,
    kept_report,
    kept_span,
    ward_of,
)
from app.domain.clinics import Source
from app.domain.errors import BusinessRuleError, InvalidCodeError
from app.domain.identified import (
    HubReference,
    IdentifiedCondition,
    IdentifiedContent,
    IdentifiedEncounter,
    IdentifiedObservation,
    IdentifiedPatient,
    IdentifiedRecord,
    IdentifiedReport,
    IdentifiedSummary,
    IdentifierReference,
    Reference,
    StatedCoding,
    StatedQuantity,
    StatedValue,
)
from app.domain.keeping import Keeping
from app.domain.linkage import LinkageToken
from app.domain.records import (
    Alias,
    AliasTarget,
    Component,
    Condition,
    Content,
    DeidentifiedRecord,
    Encounter,
    EntryTarget,
    HubTarget,
    Observation,
    Patient,
    Precision,
    Quantity,
    RecordType,
    Summary,
    SummaryReport,
    Target,
    Value,
)
from app.domain.terminology import (
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    DATA_ABSENT_REASON,
    UCUM,
    Coding,
)
from app.ucum.units import canonical_unit

ENTERED_IN_ERROR = "entered-in-error"
REPORTED_IN_ERROR = "error"
TAKEN_BACK = frozenset({ENTERED_IN_ERROR, REPORTED_IN_ERROR})
REPLACING = TAKEN_BACK | {"corrected", "amended"}


class _Rules(NamedTuple):
    """All that decides what stays, beside the record itself."""

    policy: Policy
    keys: KeyRing
    source: Source
    entries: Mapping[str, int]
    received_at: int
    former_codes: dict[str, tuple[str, ...]]
    """Filled as local codes are met."""

    @property
    def keeping(self) -> Keeping:
        """Return what the policy keeps."""
        return self.policy.keeping

    @property
    def keeps_days(self) -> bool:
        """Return whether days are kept, and so what tells them: when it was sent."""
        return self.keeping.dates is Precision.DAY


def deidentify(
    identified: IdentifiedRecord,
    *,
    policy: Policy,
    keys: KeyRing,
    source: Source,
    entries: Mapping[str, int],
    received_at: int,
) -> DeidentifiedRecord:
    """
    Build the record that may be stored of *identified*.

    Args:
        identified: What was read of a resource.
        policy: What may be kept.
        keys: Under which names and local codes are hashed.
        source: Where the resource comes from: the scope of its ids, its time zone.
        entries: The index of each fullUrl of the Bundle around it; none outside one.
        received_at: When it came, epoch milliseconds.

    Raises:
        InvalidCodeError: A status, sex, comparator or unit is not understood.
        InvalidElementError: A date can't be read, or is beyond 1900-2100.
        BusinessRuleError: A reference has a base that is not the source's.
    """
    rules = _Rules(policy, keys, source, entries, received_at, {})
    root = identified.type.fhir_name
    identified = without(identified, policy.keeping.taken_away)
    ward = ward_of(
        identified.ward,
        path=f"{root}.subject",
        keys=keys,
        source=source,
        entries=entries,
    )
    content = _content(identified.content, rules, ward)
    status = _status(content)
    return DeidentifiedRecord(
        type=identified.type,
        content=content,
        aliases=_aliases(identified, content, rules, ward),
        subject=_target(
            identified.subject, RecordType.PATIENT, f"{root}.subject", rules
        ),
        encounter=_target(
            identified.encounter, RecordType.ENCOUNTER, f"{root}.encounter", rules
        ),
        links=_links(identified.links, rules),
        linkage=_linkage(identified.content, rules),
        entered_in_error=status in TAKEN_BACK,
        needs_identity=status in REPLACING,
        sent_order=identified.sent_order if rules.keeps_days else None,
        content_digests=content_digests(
            identified.canonical + ward.name, keys=keys, source=source
        ),
        former_codes=rules.former_codes,
        former_wards={ward.key: ward.former} if ward.former else {},
        policy_digest=policy.digest,
        dropped=tuple(sorted(identified.dropped)),
    )


def _content(content: IdentifiedContent, rules: _Rules, ward: Ward) -> Content:
    """Return what may be kept of any content."""
    if isinstance(content, IdentifiedSummary):
        return _summary(content, rules, ward)
    if isinstance(content, IdentifiedReport):
        return kept_report(
            content,
            ward,
            measures=rules.policy.reported,
            source=rules.source,
            keeping=rules.keeping,
            received_at=rules.received_at,
        )
    if isinstance(content, IdentifiedObservation):
        return _observation(content, rules)
    if isinstance(content, IdentifiedCondition):
        return _condition(content, rules)
    if isinstance(content, IdentifiedEncounter):
        return _encounter(content, rules)
    return _patient(content, rules)


def _status(content: Content) -> str | None:
    """Return the status that says whether a record stands."""
    if isinstance(content, Condition):
        return content.verification_status
    return None if isinstance(content, Patient) else content.status


def _observation(stated: IdentifiedObservation, rules: _Rules) -> Observation:
    """Return what may be kept of an Observation."""
    return Observation(
        status=_one_of(OBSERVATION_STATUSES, stated.status, "Observation.status"),
        category=_codings(stated.category, rules),
        code=_codings(stated.code, rules),
        effective=kept_date(
            stated.effective, source=rules.source, keeping=rules.keeping
        ),
        value=_value(stated.value, rules),
        components=tuple(
            Component(
                code=_codings(component.code, rules),
                value=_value(component.value, rules),
            )
            for component in stated.components
        ),
    )


def _summary(stated: IdentifiedSummary, rules: _Rules, ward: Ward) -> Summary:
    """Return what may be kept of an Observation of a Group or Location."""
    status = _one_of(OBSERVATION_STATUSES, stated.status, "Observation.status")
    if status == ENTERED_IN_ERROR:
        return Summary(status=status, ward=ward.key)
    check_number(stated.quantity)
    return Summary(
        status=status,
        code=_codings(stated.code, rules),
        effective=kept_span(
            stated.start, stated.end, source=rules.source, keeping=rules.keeping
        ),
        quantity=None if stated.quantity is None else _quantity(stated.quantity),
        ward=ward.key,
    )


def _condition(stated: IdentifiedCondition, rules: _Rules) -> Condition:
    """Return what may be kept of a Condition."""
    dated = partial(kept_date, source=rules.source, keeping=rules.keeping)
    return Condition(
        clinical_status=_required_code(
            stated.clinical_status, CONDITION_CLINICAL, "Condition.clinicalStatus"
        ),
        verification_status=_required_code(
            stated.verification_status,
            CONDITION_VERIFICATION,
            "Condition.verificationStatus",
        ),
        category=_codings(stated.category, rules),
        code=_codings(stated.code, rules),
        onset=dated(stated.onset),
        abatement=dated(stated.abatement),
        recorded=dated(stated.recorded),
    )


def _encounter(stated: IdentifiedEncounter, rules: _Rules) -> Encounter:
    """Return what may be kept of an Encounter."""
    classes = _codings(stated.class_, rules)
    return Encounter(
        status=_one_of(ENCOUNTER_STATUSES, stated.status, "Encounter.status"),
        class_=classes[0] if classes else None,
        start=kept_date(stated.start, source=rules.source, keeping=rules.keeping),
    )


def _patient(stated: IdentifiedPatient, rules: _Rules) -> Patient:
    """Return what may be kept of a Patient."""
    keeping, source = rules.keeping, rules.source
    return Patient(
        sex=_one_of(SEXES, stated.gender, "Patient.gender") if stated.gender else None,
        birth_month=kept_birth(stated.birth_date, source=source, keeping=keeping),
        death_month=kept_month(stated.death_date, source=source, keeping=keeping),
        years_only=keeping.dates is Precision.YEAR,
        deceased=_boolean(stated.deceased),
        state=kept_state(stated.state),
        zip3=kept_zip3(stated.postal_code),
    )


def _value(stated: StatedValue, rules: _Rules) -> Value:
    """Return a finding: a quantity, codes or a boolean, or why there is none."""
    if stated.quantity is not None:
        return Value(quantity=_quantity(stated.quantity))
    if stated.codings:
        return Value(codings=_codings(stated.codings, rules))
    if stated.boolean is not None:
        return Value(boolean=_boolean(stated.boolean))
    reason = listed_code(stated.absent, DATA_ABSENT_REASON)
    return Value(absent=Coding(DATA_ABSENT_REASON, reason)) if reason else Value()


def _quantity(stated: StatedQuantity) -> Quantity:
    """Return a decimal and its unit; a unit that is not understood refuses it."""
    is_ucum = stated.code is not None and system_of(stated.system) == UCUM
    stated_unit = stated.code if is_ucum else stated.unit
    unit = canonical_unit(stated_unit) if stated_unit else None
    if stated_unit and unit is None:
        msg = "The unit is not understood; state it in UCUM"
        raise InvalidCodeError(msg, expression=f"{stated.element}.code")
    comparator = stated.comparator and _one_of(
        COMPARATORS, stated.comparator, f"{stated.element}.comparator"
    )
    return Quantity(value=stated.value, unit=unit, comparator=comparator)


def _codings(stated: tuple[StatedCoding, ...], rules: _Rules) -> tuple[Coding, ...]:
    """Return each coding as it is listed, or else as a keyed hash."""
    return tuple(dict.fromkeys(_coding(coding, rules) for coding in stated))


def _coding(stated: StatedCoding, rules: _Rules) -> Coding:
    """Return a coding as it is listed, or else as a keyed hash."""
    listed = listed_coding(stated, network_codes=rules.policy.network_codes)
    if listed is not None:
        return listed
    system = system_of(stated.system)
    kept, *former = local_codings(
        system, stated.code, keys=rules.keys, source=rules.source
    )
    if former:
        rules.former_codes[kept.code] = tuple(coding.code for coding in former)
    return kept


def _required_code(
    stated: tuple[StatedCoding, ...], system: str, element: str
) -> str | None:
    """Return the code of a status that changes what a Condition means."""
    code = listed_code(stated, system)
    if stated and code is None:
        msg = "No code of the value set that FHIR requires"
        raise InvalidCodeError(msg, expression=element)
    return code


def _one_of(codes: frozenset[str], stated: str, element: str) -> str:
    """Return *stated* if it is one of *codes*."""
    if stated not in codes:
        msg = "Not a code of the value set that FHIR requires"
        raise InvalidCodeError(msg, expression=element)
    return stated


def _boolean(stated: object) -> bool | None:
    """Return a boolean, and nothing that merely stands in its place."""
    return stated if isinstance(stated, bool) else None


def _aliases(
    identified: IdentifiedRecord, content: Content, rules: _Rules, ward: Ward
) -> tuple[Alias, ...]:
    """Return what the record is known by, names of the current key version first."""
    keys, source, type_ = rules.keys, rules.source, identified.type
    aliases = [
        alias
        for id_ in identified.ids
        for alias in id_aliases(type_, id_, keys=keys, source=source)
    ]
    for system, value in identified.identifiers:
        aliases += identifier_aliases(type_, system, value, keys=keys, source=source)
    if isinstance(content, SummaryReport):
        aliases += report_aliases(
            content.measure, content.month, ward.name, keys=keys, source=source
        )
    return tuple(sorted(aliases, key=lambda alias: alias.key_version != keys.current))


def _links(links: tuple[Reference, ...], rules: _Rules) -> tuple[Target, ...]:
    """Return the records that are of the same Patient."""
    path = "Patient.link.other"
    targets = (_target(link, RecordType.PATIENT, path, rules) for link in links)
    return tuple(target for target in targets if target is not None)


def _linkage(content: IdentifiedContent, rules: _Rules) -> tuple[LinkageToken, ...]:
    """Return the tokens of a Patient, where the policy lets there be any."""
    if not rules.policy.terms.linkage or not isinstance(content, IdentifiedPatient):
        return ()
    return linkage_tokens(content, keys=rules.keys, source=rules.source)


def _target(
    reference: Reference | None, type_: RecordType, path: str, rules: _Rules
) -> Target | None:
    """Return the record that a reference means."""
    return target_of(
        reference,
        type_,
        path=path,
        keys=rules.keys,
        source=rules.source,
        entries=rules.entries,
    )


def target_of(
    reference: Reference | None,
    type_: RecordType,
    *,
    path: str,
    keys: KeyRing,
    source: Source,
    entries: Mapping[str, int],
) -> Target | None:
    """
    Return the record that a reference at *path* means, its name hashed.

    Raises:
        BusinessRuleError: its base is not one of the source's.
    """
    if reference is None:
        return None
    if isinstance(reference, HubReference):
        return HubTarget(reference.record_id, type_)
    if isinstance(reference, IdentifierReference):
        aliases = identifier_aliases(
            type_, reference.system, reference.value, keys=keys, source=source
        )
        return AliasTarget(aliases, type_)
    index = entries.get(reference.url)
    if index is not None:
        return EntryTarget(index)
    if reference.id is None:
        msg = "The base of the reference is unknown: it is not one of the source's"
        raise BusinessRuleError(msg, expression=f"{path}.reference")
    aliases = id_aliases(type_, reference.id, keys=keys, source=source)
    return AliasTarget(aliases, type_)

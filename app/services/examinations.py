"""What the hub would do with a resource, and what it can do at all."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    MalformedError,
    MissingElementError,
    NotFoundError,
    NotSupportedError,
    ServiceError,
)
from app.domain.records import DeidentifiedRecord, HubTarget, RecordType
from app.domain.terminology import LOCAL, Coding
from app.domain.translations import annotated
from app.fhir.capabilities import Limits
from app.fhir.capabilities import capability_statement as statement
from app.fhir.operations import operation_definition as definition
from app.fhir.outcomes import HTTP_STATUS, operation_outcome
from app.fhir.references import hub_id
from app.fhir.rendering import render_record
from app.fhir.validation import validate
from app.services.bundles import MAX_ENTRIES
from app.services.hub import Hub
from app.services.labels import label_of
from app.services.preconditions import check_identity
from app.services.resources import Wish, check_type, find, submission_of
from app.services.translations import translations_of
from app.store.sessions import ReadSession

Json = dict[str, Any]
MODES = ("create", "update")
REFUSED = 500
"""Statuses below this are verdicts on the resource; from it on the hub has failed."""


class Examinee(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation looks at: a resource, and the mode of ``$validate``."""

    resource: Json
    mode: str = "create"

    @property
    def type_name(self) -> str:
        """Return the type that the resource says it is of."""
        stated = self.resource.get("resourceType")
        return stated if isinstance(stated, str) else ""


def capability_statement(hub: Hub, *, version: str, body_bytes: int) -> Json:
    """Return what this server can do."""
    limits = Limits(
        body_bytes=body_bytes,
        bundle_entries=MAX_ENTRIES,
        per_second=hub.budgets.per_second,
        burst=hub.budgets.burst,
    )
    return statement(
        base_url=hub.fhir_base,
        # The extension has no places for introspection and revocation.
        oauth_uris={
            "token": hub.token_endpoint,
            "register": hub.registration_endpoint,
        },
        version=version,
        limits=limits,
    )


def operation_definition(hub: Hub, code: str) -> Json:
    """Return what an operation takes and gives."""
    found = definition(code, base_url=hub.fhir_base)
    if found is None:
        msg = "This hub has no such operation"
        raise NotFoundError(msg)
    return found


def deidentified_parameters(
    session: ReadSession, hub: Hub, source: Source, resource: Json
) -> Json:
    """
    Return what would be kept of *resource*, and what would not, as Parameters.

    Nothing is stored; references are left out, since no record is behind them.
    """
    record = _examined(session, hub, source, resource)
    translations = translations_of(session, record.content, source_id=source.source_id)
    kept = render_record(
        annotated(record.content, translations),
        resource_id=None,
        version=None,
        updated_at=None,
        subject_reference=None,
        encounter_reference=None,
        label=label_of,
    )
    dropped = [{"name": "dropped", "valueString": path} for path in record.dropped]
    policy = hub.policy
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "return", "resource": kept},
            {"name": "policy", "valueString": policy.terms.id},
            {"name": "policyVersion", "valueString": policy.terms.version},
            {"name": "policyDigest", "valueString": policy.digest},
            {"name": "linkage", "valueBoolean": policy.terms.linkage},
            *(_translation(code, to) for code, to in sorted(translations.items())),
            *dropped,
        ],
    }


def _translation(code: str, targets: Iterable[Coding]) -> Json:
    """Return as what a local code counts, by the map that was loaded for the source."""
    named = [("from", Coding(LOCAL, code)), *(("to", target) for target in targets)]
    parts = [
        {"name": name, "valueCoding": {"system": each.system, "code": each.code}}
        for name, each in named
    ]
    return {"name": "translation", "part": parts}


def validation_outcome(
    session: ReadSession, hub: Hub, source: Source, type_: RecordType, given: Examinee
) -> Json:
    """Return every fault of a resource, or its first reason not to be taken."""
    resource = given.resource
    try:
        check_type(resource, type_)
        if given.mode == "update" and "id" not in resource:
            msg = "An update needs an id"
            raise MissingElementError(msg, expression=f"{type_.fhir_name}.id")
        if issues := validate(resource):
            return operation_outcome(issues)
        _examined(session, hub, source, resource)
    except ServiceError as error:
        if HTTP_STATUS[error.issue_type] >= REFUSED:
            raise
        return operation_outcome(error)
    return operation_outcome(())


def _examined(
    session: ReadSession, hub: Hub, source: Source, resource: Json
) -> DeidentifiedRecord:
    """
    Return what a create would store of *resource*, which is refused as there.

    The records that it refers to by the hub's own ids are looked up, never written.
    """
    submission = submission_of(resource, Wish(), hub=hub, source=source)
    check_identity(submission)
    record = submission.record
    for target, element in _named_records(record):
        own_id = hub_id(target.record_id)
        if find(session, hub, source, target.type, own_id) is None:
            msg = f"The reference names no {target.type.fhir_name} of this clinic"
            at = f"{record.type.fhir_name}.{element}"
            raise BusinessRuleError(msg, expression=at)
    return record


def _named_records(record: DeidentifiedRecord) -> Iterator[tuple[HubTarget, str]]:
    """Yield what *record* refers to by the hub's own ids, as a create looks it up."""
    elements = (
        *((link, "link") for link in record.links),
        (record.encounter, "encounter"),
        (record.subject, "subject"),
    )
    for target, element in elements:
        if isinstance(target, HubTarget):
            yield target, element


def examinee(body: Json, *, mode: str | None = None) -> Examinee:
    """
    Return what an operation is to look at: the body, or what its Parameters hold.

    Raises:
        MalformedError: The Parameters hold no resource, or several.
        NotSupportedError: They hold what is not supported here, such as a profile.
    """
    if body.get("resourceType") != "Parameters":
        return Examinee(resource=body, mode=_known_mode(mode or "create"))
    resources: list[Json] = []
    modes: list[object] = [] if mode is None else [mode]
    for part in _parts(body):
        if part.get("name") == "resource" and isinstance(part.get("resource"), dict):
            resources.append(part["resource"])
        elif part.get("name") == "mode":
            modes.append(part.get("valueCode"))
        else:
            msg = "The parameters are resource and mode; a profile is not supported"
            raise NotSupportedError(msg, expression="Parameters.parameter")
    if len(resources) != 1 or len(modes) > 1:
        msg = "One resource is looked at, in one mode"
        raise MalformedError(msg, expression="Parameters.parameter")
    return Examinee(resource=resources[0], mode=_known_mode(*modes or ["create"]))


def _parts(body: Json) -> Iterator[Mapping[str, Any]]:
    """Yield the parameters of a Parameters resource."""
    parts = body.get("parameter")
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict):
            msg = "A parameter is an object"
            raise MalformedError(msg, expression="Parameters.parameter")
        yield part


def _known_mode(mode: object) -> str:
    if mode not in MODES:
        msg = "The mode is create or update"
        raise NotSupportedError(msg, expression="Parameters.parameter")
    return str(mode)

"""Bundles: a batch entry by entry, a transaction all or nothing."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec

from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    InvalidElementError,
    MalformedError,
    NotSupportedError,
    ServiceError,
    TooLargeError,
)
from app.domain.records import RecordType
from app.fhir.criteria import Criterion, parse_criterion
from app.fhir.references import full_url_id
from app.fhir.validation import InvalidResourceError, validate
from app.services import intake, resources
from app.services.authorization import Allowed
from app.services.hub import Hub
from app.services.intake import Receipt, Submission
from app.services.refusals import note_refused_entry
from app.services.resources import Wish
from app.smart.scopes import Interaction
from app.store.sessions import WriteSession

MAX_ENTRIES = 5_000

INTERACTIONS: dict[str, Interaction] = {"POST": "c", "PUT": "u", "DELETE": "d"}
REQUEST_TEXTS = ("method", "url", "ifNoneExist", "ifMatch", "ifNoneMatch")
TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry:
    """One entry of a Bundle, its request taken apart."""

    index: int
    method: str
    type_name: str
    own_id: str | None
    full_url: str | None
    resource: dict[str, Any] | None
    criterion: Criterion | None = None
    create_only: bool = False
    if_match: int | None = None
    if_none_match: bool = False

    @property
    def expression(self) -> str:
        """Return the FHIRPath of the entry."""
        return f"Bundle.entry[{self.index}]"


class Discarded(msgspec.Struct, frozen=True):
    """An entry of a type that is acknowledged and not kept."""


class Withdrawn(msgspec.Struct, frozen=True):
    """An entry that took a record back."""


EntryOutcome = Receipt | Discarded | Withdrawn | ServiceError


class BundleReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each entry, in the order of the Bundle."""

    type: str
    entries: tuple[Entry | None, ...]
    outcomes: tuple[EntryOutcome, ...]


def receive_bundle(
    session: WriteSession,
    hub: Hub,
    source: Source,
    bundle: Mapping[str, Any],
    *,
    allowed: Allowed,
    allowed_stored: Allowed | None,
) -> BundleReply:
    """
    Store the entries of a batch or transaction Bundle of one source.

    *allowed* is asked for each entry of a kept type, *allowed_stored* for what such an
    entry would replace. A transaction raises its first refusal, with the entry's
    expression; a batch answers it in its entry. Either is remembered for who asks.
    """
    try:
        reply = _received(
            session,
            hub,
            source,
            bundle,
            allowed=allowed,
            allowed_stored=allowed_stored,
        )
    except ServiceError as error:
        note_refused_entry(session, hub, source, bundle, error)
        raise
    for outcome in reply.outcomes:
        if isinstance(outcome, ServiceError):
            note_refused_entry(session, hub, source, bundle, outcome)
    return reply


def _received(
    session: WriteSession,
    hub: Hub,
    source: Source,
    bundle: Mapping[str, Any],
    *,
    allowed: Allowed,
    allowed_stored: Allowed | None,
) -> BundleReply:
    kind, raw_entries = _shell(bundle)
    atomic = kind == "transaction"
    outcomes: dict[int, EntryOutcome] = {}

    def attempt(index: int, step: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return step()
        except ServiceError as error:
            placed = _placed(error, f"Bundle.entry[{index}]")
            if atomic:
                raise placed from None
            outcomes[index] = placed
            return None

    entries = [attempt(i, partial(_entry, i, raw)) for i, raw in enumerate(raw_entries)]
    full_urls: dict[str, int] = {}
    for entry in entries:
        if entry is None:
            continue
        attempt(entry.index, partial(_note_full_url, entry, full_urls))
        if RecordType.of(entry.type_name) is None:
            outcomes[entry.index] = Discarded()
        else:
            interaction = INTERACTIONS[entry.method]
            attempt(
                entry.index,
                partial(allowed, entry.type_name, interaction, entry.resource),
            )
    todo = [e for e in entries if e is not None and e.index not in outcomes]
    for entry in todo:
        if entry.method == "DELETE":
            attempt(entry.index, partial(_withdraw, session, hub, source, entry))
            outcomes.setdefault(entry.index, Withdrawn())
    submissions = [
        attempt(
            e.index, partial(_submission, e, hub, source, full_urls, allowed_stored)
        )
        for e in todo
        if e.method != "DELETE"
    ]
    ready = [submission for submission in submissions if submission is not None]
    if atomic:
        _refuse_twins(ready)
    outcomes.update(intake.store(session, hub, source, ready, atomic=atomic))
    ordered = tuple(outcomes[i] for i in range(len(raw_entries)))
    return BundleReply(type=kind, entries=tuple(entries), outcomes=ordered)


def _note_full_url(entry: Entry, full_urls: dict[str, int]) -> None:
    """Note which entry a fullUrl names; refuse one that names two (bdl-7)."""
    if entry.full_url is None:
        return
    if entry.full_url in full_urls:
        msg = "Another entry has the same fullUrl"
        raise MalformedError(msg, expression=f"{entry.expression}.fullUrl")
    full_urls[entry.full_url] = entry.index


def _shell(bundle: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Return a Bundle's type and entries; refuse what is no batch or transaction."""
    if bundle.get("resourceType") != "Bundle":
        msg = "The body is no Bundle"
        raise MalformedError(msg, expression="resourceType")
    entries = bundle.get("entry", [])
    shell = {name: value for name, value in bundle.items() if name != "entry"}
    if issues := validate(shell):
        raise InvalidResourceError(issues)
    kind = bundle.get("type")
    if kind not in {"batch", "transaction"}:
        msg = "A Bundle is taken as batch or transaction"
        raise BusinessRuleError(msg, expression="Bundle.type")
    if not isinstance(entries, list):
        msg = "Entries are a list"
        raise MalformedError(msg, expression="Bundle.entry")
    if len(entries) > MAX_ENTRIES:
        msg = f"A Bundle may have {MAX_ENTRIES} entries"
        raise TooLargeError(msg, expression="Bundle.entry")
    return kind, entries


def _entry(index: int, raw: object) -> Entry:
    """Take an entry's request apart."""
    where = f"Bundle.entry[{index}]"
    if not isinstance(raw, dict):
        msg = "An entry is an object"
        raise MalformedError(msg, expression=where)
    request = raw.get("request")
    if not isinstance(request, dict):
        msg = "An entry needs a request"
        raise MalformedError(msg, expression=f"{where}.request")
    for name, value in request.items():
        if name in REQUEST_TEXTS and not isinstance(value, str):
            msg = "Not the kind of JSON value that belongs here"
            raise MalformedError(msg, expression=f"{where}.request.{name}")
    method, url = request.get("method", ""), request.get("url")
    if url is None:
        msg = "A request needs a url"
        raise MalformedError(msg, expression=f"{where}.request.url")
    path, _, query = url.lstrip("/").partition("?")
    type_name, _, own_id = path.partition("/")
    if TYPE_NAME.fullmatch(type_name) is None:
        msg = "The url begins with a resource type"
        raise MalformedError(msg, expression=f"{where}.request.url")
    full_url = raw.get("fullUrl")
    entry = Entry(
        index=index,
        method=method,
        type_name=type_name,
        own_id=own_id or None,
        full_url=full_url if isinstance(full_url, str) else None,
        resource=raw.get("resource"),
    )
    if RecordType.of(type_name) is None:
        return entry
    return _checked(_conditional(entry, request, query))


def _conditional(entry: Entry, request: Mapping[str, str], query: str) -> Entry:
    """Return *entry* with the conditions of its request."""
    where = f"{entry.expression}.request"
    if entry.method not in INTERACTIONS:
        msg = "Entries may POST, PUT and DELETE"
        raise NotSupportedError(msg, expression=f"{where}.method")
    if query and entry.method != "PUT":
        msg = "Only PUT takes a condition in its url"
        raise NotSupportedError(msg, expression=f"{where}.url")
    condition = request.get("ifNoneExist") if entry.method == "POST" else query
    return replace(
        entry,
        criterion=parse_criterion(condition, expression=where) if condition else None,
        create_only=bool(condition) and entry.method == "POST",
        if_match=version_of(request.get("ifMatch"), expression=f"{where}.ifMatch"),
        if_none_match=create_only(
            request.get("ifNoneMatch"), expression=f"{where}.ifNoneMatch"
        ),
    )


def _checked(entry: Entry) -> Entry:
    """Refuse a request that does not go with its resource."""
    if entry.method == "DELETE":
        if entry.own_id is None:
            msg = "DELETE names one resource"
            raise NotSupportedError(msg, expression=f"{entry.expression}.request.url")
        return entry
    if not isinstance(entry.resource, dict):
        msg = "The entry has no resource"
        raise MalformedError(msg, expression=f"{entry.expression}.resource")
    if entry.resource.get("resourceType") != entry.type_name:
        msg = "The url names another type than the resource"
        raise MalformedError(msg, expression=f"{entry.expression}.request.url")
    if entry.method == "PUT":
        check_own_id(entry.resource, entry.own_id, criterion=entry.criterion)
    elif entry.own_id is not None:
        msg = "POST goes to a type"
        raise MalformedError(msg, expression=f"{entry.expression}.request.url")
    return entry


def check_own_id(
    resource: Mapping[str, Any], own_id: str | None, *, criterion: Criterion | None
) -> None:
    """Refuse an update whose URL and body name different resources, or none."""
    if own_id is None and criterion is None:
        msg = "PUT names one resource, by id or identifier"
        raise MalformedError(msg)
    if own_id is not None and resource.get("id") != own_id:
        msg = "The id in the URL and the id in the body differ"
        raise MalformedError(msg, expression=f"{resource.get('resourceType')}.id")


def version_of(etag: str | None, *, expression: str | None = None) -> int | None:
    """Return the version that an If-Match asks for."""
    if etag is None:
        return None
    text = etag.strip().removeprefix("W/").strip('"')
    if not text.isdecimal():
        msg = 'If-Match is a version as W/"1"'
        raise InvalidElementError(msg, expression=expression)
    return int(text)


def create_only(etag: str | None, *, expression: str | None = None) -> bool:
    """Return whether an If-None-Match asks that there be no record yet."""
    if etag not in {None, "*"}:
        msg = "If-None-Match takes * only"
        raise NotSupportedError(msg, expression=expression)
    return etag == "*"


def _submission(
    entry: Entry,
    hub: Hub,
    source: Source,
    full_urls: Mapping[str, int],
    allowed_stored: Allowed | None,
) -> Submission:
    assert entry.resource is not None
    known_id = None
    if entry.full_url is not None:
        known_id = full_url_id(entry.full_url, source=source)
    wish = Wish(
        own_id=entry.own_id,
        criterion=entry.criterion,
        create_only=entry.create_only,
        if_match=entry.if_match,
        if_none_match=entry.if_none_match,
        interaction=INTERACTIONS[entry.method],
        allowed_stored=allowed_stored,
    )
    return resources.submission_of(
        entry.resource,
        wish,
        hub=hub,
        source=source,
        index=entry.index,
        own_ids=() if known_id is None else (known_id,),
        entries=full_urls,
        expression=f"{entry.expression}.resource",
    )


def _withdraw(session: WriteSession, hub: Hub, source: Source, entry: Entry) -> None:
    assert entry.own_id is not None
    type_ = resources.kept_type(entry.type_name)
    resources.withdraw(session, hub, source, type_, entry.own_id)


def _refuse_twins(submissions: Sequence[Submission]) -> None:
    """Refuse a transaction in which one resource stands twice."""
    seen: set[bytes] = set()
    for submission in submissions:
        keys = {alias.key for alias in submission.record.aliases}
        if seen & keys:
            msg = "Two entries of a transaction are the same resource"
            raise InvalidElementError(msg, expression=submission.expression)
        seen |= keys


def _placed(error: ServiceError, entry: str) -> ServiceError:
    """Say of an error where it stands in the Bundle; *entry* is its FHIRPath."""
    within = error.expression
    if within is None:
        error.expression = entry
    elif not within.startswith("Bundle."):
        root, dot, rest = within.partition(".")
        error.expression = f"{entry}.resource{dot}{rest}" if root else entry
    return error

"""Bundles: a batch entry by entry, a transaction all or nothing."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec

from app.deid.pseudonyms import id_aliases
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
from app.fhir.criteria import (
    Criterion,
    VersionMatch,
    parse_criterion,
    parse_if_match,
    parse_if_none_match,
)
from app.fhir.references import full_url_id
from app.fhir.validation import InvalidResourceError, validate
from app.services import intake, resources
from app.services.authorization import Allowed
from app.services.budgets import Grant
from app.services.hub import Hub
from app.services.intake import Receipt, Submission
from app.services.refusals import note_refused_entry
from app.services.resources import Wish
from app.smart.scopes import Interaction
from app.store.sessions import WriteSession

MAX_ENTRIES = 5_000

INTERACTIONS: dict[str, Interaction] = {"POST": "c", "PUT": "u", "DELETE": "d"}
REQUEST_TEXTS = ("method", "url", "ifNoneExist", "ifMatch", "ifNoneMatch")
ORDER = ("DELETE", "POST", "PUT")
"""In which a transaction's entries are dealt with (R4, http.html#trules)."""
CONDITIONS = {
    "POST": frozenset({"ifNoneExist"}),
    "PUT": frozenset({"ifMatch", "ifNoneMatch"}),
    "DELETE": frozenset[str](),
}
ALL_CONDITIONS = ("ifMatch", "ifModifiedSince", "ifNoneExist", "ifNoneMatch")
TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{0,63}")
OF_TYPE = re.compile(
    r"(?:/(?P<id>[A-Za-z0-9.\-]{1,64}))?/?(?:\?(?P<query>.*))?", re.DOTALL
)
"""What may follow the type in an entry's URL."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry:
    """One entry of a Bundle, its request taken apart."""

    index: int
    method: str
    type_name: str
    full_url: str | None
    resource: dict[str, Any] | None
    own_id: str | None = None
    criterion: Criterion | None = None
    create_only: bool = False
    if_match: VersionMatch | None = None
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
    retry_after_seconds: int | None = None


def receive_bundle(
    session: WriteSession,
    hub: Hub,
    source: Source,
    bundle: Mapping[str, Any],
    *,
    client_id: str,
    allowed: Allowed,
    allowed_stored: Allowed | None,
) -> BundleReply:
    """
    Store the entries of a batch or transaction Bundle of one source.

    The client pays for each entry; what a batch has beyond its budget is refused entry
    by entry. *allowed* is asked for each entry of a kept type, *allowed_stored* for
    what such an entry would replace. A transaction raises its first refusal, with the
    entry's expression; a batch answers it in its entry. Either is remembered for who
    asks what became of it.
    """
    try:
        reply = _received(
            session,
            hub,
            source,
            bundle,
            client_id=client_id,
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
    client_id: str,
    allowed: Allowed,
    allowed_stored: Allowed | None,
) -> BundleReply:
    kind, raw_entries = _shell(bundle)
    atomic = kind == "transaction"
    grant = _granted(hub, client_id, len(raw_entries), whole=atomic)
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

    entries = [
        attempt(i, partial(_entry, i, raw, hub.fhir_base))
        for i, raw in enumerate(raw_entries)
    ]
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
    for index in range(grant.resources, len(raw_entries)):
        outcomes[index] = _placed(grant.refusal(), f"Bundle.entry[{index}]")
    todo = [e for e in entries if e is not None and e.index not in outcomes]
    if atomic:
        todo.sort(key=lambda entry: ORDER.index(entry.method))
    deletions = [entry for entry in todo if entry.method == "DELETE"]
    submissions = [
        attempt(
            e.index, partial(_submission, e, hub, source, full_urls, allowed_stored)
        )
        for e in todo
        if e.method != "DELETE"
    ]
    ready = [submission for submission in submissions if submission is not None]
    if atomic:
        _refuse_twins(_names(ready, deletions, hub, source))
    withdrawn: dict[int, int | None] = {}
    for entry in deletions:
        taken = attempt(entry.index, partial(_withdraw, session, hub, source, entry))
        withdrawn[entry.index] = taken
        outcomes.setdefault(entry.index, Withdrawn())
    stored = intake.store(session, hub, source, ready, atomic=atomic)
    if atomic:
        _refuse_meetings(ready, stored, withdrawn)
    outcomes.update(stored)
    return BundleReply(
        type=kind,
        entries=tuple(entries),
        outcomes=tuple(outcomes[i] for i in range(len(raw_entries))),
        retry_after_seconds=grant.retry_after_seconds,
    )


def _granted(hub: Hub, client_id: str, entries: int, *, whole: bool) -> Grant:
    """Return how many entries are in the budget; an empty Bundle counts as one."""
    grant = hub.budgets.take(client_id, max(1, entries), now=hub.clock(), whole=whole)
    if grant.retry_after_seconds is not None and (whole or not entries):
        raise grant.refusal()
    return grant


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


def _entry(index: int, raw: object, base: str) -> Entry:
    """Take an entry's request apart; *base* is how URLs of this hub may begin."""
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
    url = request.get("url")
    if url is None:
        msg = "A request needs a url"
        raise MalformedError(msg, expression=f"{where}.request.url")
    relative = url.removeprefix(f"{base}/").lstrip("/")
    type_name = TYPE_NAME.match(relative)
    if type_name is None or relative[type_name.end() :][:1] not in {"", "/", "?"}:
        msg = "The url begins with a resource type"
        raise MalformedError(msg, expression=f"{where}.request.url")
    full_url = raw.get("fullUrl")
    entry = Entry(
        index=index,
        method=request.get("method", ""),
        type_name=type_name[0],
        full_url=full_url if isinstance(full_url, str) else None,
        resource=raw.get("resource"),
    )
    if RecordType.of(entry.type_name) is None:
        return entry
    match = OF_TYPE.fullmatch(relative, type_name.end())
    if match is None:
        msg = "The url is of the form Type, Type/id or Type?identifier=system|value"
        raise MalformedError(msg, expression=f"{where}.request.url")
    addressed = replace(entry, own_id=match["id"])
    return _checked(_conditional(addressed, request, match["query"]))


def _conditional(entry: Entry, request: Mapping[str, str], query: str | None) -> Entry:
    """Return *entry* with the conditions of its request, all of them understood."""
    where = f"{entry.expression}.request"
    if entry.method not in INTERACTIONS:
        msg = "Entries may POST, PUT and DELETE"
        raise NotSupportedError(msg, expression=f"{where}.method")
    for name in ALL_CONDITIONS:
        if name in request and name not in CONDITIONS[entry.method]:
            msg = f"{entry.method} takes no such condition"
            raise NotSupportedError(msg, expression=f"{where}.{name}")
    if query is not None and (entry.method == "DELETE" or entry.own_id is not None):
        msg = "Only a type takes a condition in its url, for POST and PUT"
        raise NotSupportedError(msg, expression=f"{where}.url")
    criterion = only_criterion(
        query,
        request.get("ifNoneExist"),
        type_name=entry.type_name,
        expression=f"{where}.{'ifNoneExist' if query is None else 'url'}",
    )
    return replace(
        entry,
        criterion=criterion,
        create_only=criterion is not None and entry.method == "POST",
        if_match=parse_if_match(request.get("ifMatch"), expression=f"{where}.ifMatch"),
        if_none_match=parse_if_none_match(
            request.get("ifNoneMatch"), expression=f"{where}.ifNoneMatch"
        ),
    )


def only_criterion(
    query: str | None,
    if_none_exist: str | None,
    *,
    type_name: str,
    expression: str | None = None,
) -> Criterion | None:
    """Return the condition of a write, which stands in its URL or in If-None-Exist."""
    if query is not None and if_none_exist is not None:
        msg = "One condition is enough: in the url or in If-None-Exist"
        raise NotSupportedError(msg, expression=expression)
    stated = if_none_exist if query is None else query
    if stated is None:
        return None
    return parse_criterion(stated, type_name=type_name, expression=expression)


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


def _withdraw(
    session: WriteSession, hub: Hub, source: Source, entry: Entry
) -> int | None:
    """Take the record of an entry back; return its number, None where none is here."""
    assert entry.own_id is not None
    type_ = resources.kept_type(entry.type_name)
    return resources.withdraw(session, hub, source, type_, entry.own_id)


Names = tuple[str, frozenset[bytes]]
"""An entry's place, and what it calls its record."""


def _names(
    submissions: Iterable[Submission],
    deletions: Iterable[Entry],
    hub: Hub,
    source: Source,
) -> Iterable[Names]:
    """Yield what each entry of a transaction calls its record."""
    for entry in deletions:
        assert entry.own_id is not None
        type_ = resources.kept_type(entry.type_name)
        aliases = id_aliases(type_, entry.own_id, keys=hub.keys, source=source)
        yield entry.expression, frozenset(alias.key for alias in aliases)
    for submission in submissions:
        names = frozenset(alias.key for alias in submission.names)
        yield submission.expression, names


def _refuse_twins(named: Iterable[Names]) -> None:
    """Refuse a transaction in which one name stands twice."""
    seen: set[bytes] = set()
    for expression, names in named:
        if seen & names:
            raise _twin(expression)
        seen |= names


def _refuse_meetings(
    submissions: Iterable[Submission],
    stored: Mapping[int, Receipt | ServiceError],
    withdrawn: Mapping[int, int | None],
) -> None:
    """Refuse a transaction in which two names turned out to mean one record."""
    seen = {record_id for record_id in withdrawn.values() if record_id is not None}
    for submission in submissions:
        receipt = stored[submission.index]
        if isinstance(receipt, ServiceError) or not _is_named(submission):
            continue
        if receipt.record_id in seen:
            raise _twin(submission.expression)
        seen.add(receipt.record_id)


def _is_named(submission: Submission) -> bool:
    return bool(submission.names) or submission.hub_record is not None


def _twin(expression: str) -> InvalidElementError:
    msg = "Two entries of a transaction are the same resource"
    return InvalidElementError(msg, expression=expression)


def _placed(error: ServiceError, entry: str) -> ServiceError:
    """Say of an error where it stands in the Bundle; *entry* is its FHIRPath."""
    within = error.expression
    if within is None:
        error.expression = entry
    elif not within.startswith("Bundle."):
        root, dot, rest = within.partition(".")
        error.expression = f"{entry}.resource{dot}{rest}" if root else entry
    return error

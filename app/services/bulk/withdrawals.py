"""What a server says is no more, taken out of every count."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from app.deid.pseudonyms import KeyRing, id_aliases
from app.domain.clinics import Source
from app.domain.deliveries import (
    KeyedName,
    LineBatch,
    LineIssue,
    LineOutcome,
    ReadDeletions,
)
from app.domain.errors import ServiceError, Severity
from app.domain.records import RecordType
from app.fhir.deletions import deleted_name, deletion_entries
from app.fhir.ndjson import LONGEST_LINE_BYTES
from app.services import intake
from app.services.bulk.deliveries import folded
from app.services.bulk.reading import numbered, object_in
from app.services.hub import Hub
from app.store.job_outcomes import add_counts, add_issues
from app.store.records import find_by_alias, find_by_id
from app.store.sessions import WriteSession


def read_deletions(
    batch: LineBatch, hub: Hub, source: Source, *, up_to: int
) -> ReadDeletions:
    """Return what each line of *batch* says is deleted, and what is wrong with it."""
    names: list[KeyedName] = []
    issues: list[LineIssue] = []
    for line, body in numbered(batch):
        for found in _deleted_by(body, batch, source):
            if isinstance(found, ServiceError):
                issues.append(_issue(line, found))
            else:
                names.append(_keyed(*found, keys=hub.keys, source=source))
    return ReadDeletions(
        first=batch.first,
        last=batch.last,
        received_at=hub.clock(),
        up_to=up_to,
        names=tuple(names),
        issues=tuple(issues),
    )


def _deleted_by(
    body: bytes, batch: LineBatch, source: Source
) -> Iterator[tuple[RecordType, str] | ServiceError]:
    """Yield what a line deletes, and in the place of what can't be read why not."""
    try:
        bundle = object_in(body, batch, max_bytes=LONGEST_LINE_BYTES)
        entries = deletion_entries(bundle)
    except ServiceError as error:
        yield error
        return
    for entry in entries:
        try:
            named = deleted_name(entry, source=source)
        except ServiceError as error:
            yield error
        else:
            if named is not None:
                yield named


def _issue(line: int, error: ServiceError) -> LineIssue:
    return LineIssue(
        line=line,
        type_name="Bundle",
        severity=Severity.ERROR,
        issue_type=error.issue_type.value,
        diagnostics=error.message,
        expression=error.expression,
    )


def _keyed(
    type_: RecordType, own_id: str, *, keys: KeyRing, source: Source
) -> KeyedName:
    aliases = id_aliases(type_, own_id, keys=keys, source=source)
    return KeyedName(type_, tuple(alias.key for alias in aliases))


def withdraw_read(
    session: WriteSession,
    hub: Hub,
    source: Source,
    read: ReadDeletions,
    *,
    job_id: int,
    part: int,
) -> dict[int, RecordType]:
    """
    Take back what was read to be deleted; return what counted of it, with its type.

    A part of a job is told how many that were, and of the lines that can't be read.
    """
    taken = _withdraw(
        session, hub, source, read.names, up_to=read.up_to, came=read.received_at
    )
    add_issues(session, job_id, folded(read.issues), part=part)
    add_withdrawn(session, job_id, taken, part=part)
    return taken


def withdraw_named(
    session: WriteSession,
    hub: Hub,
    source: Source,
    named: Iterable[tuple[RecordType, str]],
    *,
    up_to: int,
) -> dict[int, RecordType]:
    """
    Take back what a source calls by type and id; return what counted of it.

    Not what is newer than *up_to*, by the sender's order (epoch milliseconds).
    """
    names = [_keyed(*each, keys=hub.keys, source=source) for each in named]
    return _withdraw(session, hub, source, names, up_to=up_to, came=None)


def _withdraw(
    session: WriteSession,
    hub: Hub,
    source: Source,
    names: Iterable[KeyedName],
    *,
    up_to: int,
    came: int | None,
) -> dict[int, RecordType]:
    types = {key: name.type for name in names for key in name.keys}
    found = find_by_alias(session, types.keys())
    stored = find_by_id(session, set(found.values()))
    wanted = {
        record_id
        for key, record_id in found.items()
        if stored[record_id].type is types[key]
    }
    return intake.withdraw_all(
        session, hub, source, sorted(wanted), up_to=up_to, came=came
    )


def add_withdrawn(
    session: WriteSession, job_id: int, taken: Mapping[int, RecordType], *, part: int
) -> None:
    """Add what was taken back to the counts of a part of a job."""
    outcome = LineOutcome.WITHDRAWN.value
    counts = Counter((type_.fhir_name, outcome) for type_ in taken.values())
    add_counts(session, job_id, counts, part=part)

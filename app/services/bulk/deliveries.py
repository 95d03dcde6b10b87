"""Read lines into the store: one transaction's worth, and what became of each line."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from app.domain.clinics import Source
from app.domain.deliveries import (
    FoldedIssue,
    LineIssue,
    LineOutcome,
    ReadLine,
    ReadLines,
)
from app.domain.errors import PASSING, IssueType, ServiceError, Severity
from app.domain.records import AliasKind
from app.services import intake
from app.services.admissions import check_admitted
from app.services.blocks import ErasedError
from app.services.hub import Hub
from app.services.intake import Effect, Outcome, Receipt, Submission
from app.services.refusals import LONGEST_EXPRESSION, MOST_OF_A_REQUEST
from app.services.submissions import MayReplace
from app.store.delivered import note_delivered
from app.store.job_outcomes import add_counts, add_issues
from app.store.records import State
from app.store.refusals import StoredRefusal, add_refusals
from app.store.sessions import WriteSession

DISCARDED = "This type is not kept; the resource was discarded"
EFFECTS = {
    Effect.CREATED: LineOutcome.CREATED,
    Effect.UPDATED: LineOutcome.UPDATED,
    Effect.UNCHANGED: LineOutcome.UNCHANGED,
}


def store_lines(
    session: WriteSession,
    hub: Hub,
    source: Source,
    read: ReadLines,
    *,
    job_id: int,
    part: int = 0,
    may_replace: MayReplace | None = None,
    notes_records: bool = False,
) -> None:
    """
    Store what was read, and add to what a part of a job came to.

    Each line stands for itself: a refused one leaves the others alone. Comes first in
    its transaction, which what it meets may make it do over. With *notes_records* the
    part remembers which records it held.

    Raises:
        BusyError: others were in the way each time; nothing is stored.
        IntakeStoppedError: the policy has expired.
        ConflictError: they were read under a policy that kept more.
    """
    for each in read.records[:1]:
        check_admitted(hub, each.record.policy_digest)
    submissions = [
        Submission(
            index=each.line,
            expression=each.record.type.fhir_name,
            record=each.record,
            hub_record=each.hub_record,
            may_replace=may_replace,
            received_at=read.received_at,
        )
        for each in read.records
    ]
    outcomes = intake.store(session, hub, source, submissions, atomic=False)
    refused = [*read.issues, *_refused(read.records, outcomes)]
    add_issues(session, job_id, folded([*refused, *_discarded(read)]), part=part)
    add_counts(session, job_id, _counts(read, outcomes, refused), part=part)
    add_refusals(session, _refusals(refused, source, at=read.received_at))
    if notes_records:
        held = [o for o in outcomes.values() if isinstance(o, Receipt)]
        latest = {each.record_id: each.version for each in held}
        note_delivered(session, job_id, latest.items(), part=part)


def _refused(
    records: Iterable[ReadLine], outcomes: Mapping[int, Outcome]
) -> Iterator[LineIssue]:
    """Yield what was found wrong when it came to storing."""
    for read in records:
        error = outcomes[read.line]
        if isinstance(error, ServiceError):
            yield LineIssue(
                line=read.line,
                type_name=read.record.type.fhir_name,
                severity=Severity.ERROR,
                issue_type=error.issue_type.value,
                diagnostics=error.message,
                expression=error.expression,
                names=() if isinstance(error, ErasedError) else _names(read),
            )


def _names(read: ReadLine) -> tuple[bytes, ...]:
    """Return by what a refused resource may be asked about."""
    version = read.record.key_version
    return tuple(
        alias.key
        for alias in read.record.aliases
        if alias.key_version == version and alias.kind is not AliasKind.REPORT
    )


def _discarded(read: ReadLines) -> Iterator[LineIssue]:
    """Yield that types are not kept, once for each resource of them."""
    for type_name, lines in read.discarded.items():
        for line in lines:
            yield LineIssue(
                line=line,
                type_name=type_name,
                severity=Severity.INFORMATION,
                issue_type=IssueType.NOT_SUPPORTED,
                diagnostics=DISCARDED,
                expression=type_name,
            )


def folded(issues: Iterable[LineIssue]) -> Iterator[FoldedIssue]:
    """Yield each different issue once, with the lines that have it, if only once."""
    lines: dict[tuple[Severity, str, str | None, str], set[int]] = defaultdict(set)
    for issue in issues:
        said = (
            issue.severity,
            issue.issue_type,
            issue.expression,
            issue.diagnostics,
        )
        lines[said].add(issue.line)
    for (severity, issue_type, expression, diagnostics), found in lines.items():
        yield FoldedIssue(
            severity=severity,
            issue_type=issue_type,
            expression=expression,
            diagnostics=diagnostics,
            count=len(found),
            lines=tuple(sorted(found)),
        )


def _counts(
    read: ReadLines, outcomes: Mapping[int, Outcome], refused: Iterable[LineIssue]
) -> Counter[tuple[str, str]]:
    """Return how many resources of each type came to what."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in read.records:
        outcome = outcomes[each.line]
        if isinstance(outcome, Receipt):
            counts[each.record.type.fhir_name, _outcome(outcome)] += 1
    for type_name, _ in {(issue.type_name, issue.line) for issue in refused}:
        counts[type_name, LineOutcome.REFUSED] += 1
    for type_name, lines in read.discarded.items():
        counts[type_name, LineOutcome.DISCARDED] += len(lines)
    return counts


def _outcome(receipt: Receipt) -> LineOutcome:
    if receipt.stored.state is State.WITHDRAWN and receipt.effect is Effect.UPDATED:
        return LineOutcome.WITHDRAWN
    return EFFECTS[receipt.effect]


def _refusals(
    refused: Iterable[LineIssue], source: Source, *, at: int
) -> list[StoredRefusal]:
    """Return what is remembered for who asks what became of a resource."""
    told = [
        StoredRefusal(
            name,
            source.source_id,
            issue.issue_type,
            (issue.expression or "")[:LONGEST_EXPRESSION] or None,
            at,
        )
        for issue in refused
        if issue.issue_type not in PASSING
        for name in issue.names
    ]
    return told[:MOST_OF_A_REQUEST]

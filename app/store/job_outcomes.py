"""What became of a job's lines: counts, and each issue once for all that have it."""

import hashlib
import json
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import text

from app.domain.deliveries import FoldedIssue
from app.domain.errors import Severity
from app.store import job_tables
from app.store.bulk import insert_rows
from app.store.sessions import ReadSession, WriteSession, connection_of

MOST_LINES = 20
"""How many line numbers are told of one issue."""
MOST_ISSUES = 10_000
"""Different ones of a job: a flood of them fills no disk."""


class CountRow(msgspec.Struct, frozen=True):
    """How many resources of a type came to an outcome in a part of a job."""

    part: int
    type: str
    outcome: str
    count: int


class IssueRow(msgspec.Struct, frozen=True):
    """An issue of a part of a job."""

    part: int
    issue: FoldedIssue


_ADD_ISSUE = text(
    "INSERT INTO job_issue (job_id, part, key, severity, issue_type, expression, "
    "diagnostics, count, lines) VALUES (:job_id, :part, :key, :severity, :issue_type, "
    ":expression, :diagnostics, :count, :lines) ON CONFLICT (job_id, part, key) "
    "DO UPDATE SET count = job_issue.count + excluded.count, lines = :lines"
)
_KNOWN = text(
    "SELECT key, lines FROM job_issue WHERE job_id = :job_id AND part = :part"
)
_ISSUES = text(
    "SELECT part, severity, issue_type, expression, diagnostics, count, lines "
    "FROM job_issue WHERE job_id = :job_id ORDER BY part, key"
)
_COUNTS = text(
    "SELECT part, type, outcome, count FROM job_count WHERE job_id = :job_id "
    "ORDER BY part, type, outcome"
)


def add_issues(
    session: WriteSession, job_id: int, issues: Iterable[FoldedIssue], *, part: int
) -> None:
    """Add what was found wrong; of issues beyond the limit no more is told."""
    found = {_key(issue): issue for issue in issues}
    if not found:
        return
    connection = connection_of(session)
    rows = connection.execute(_KNOWN, {"job_id": job_id, "part": part})
    known = {bytes(key): json.loads(lines) for key, lines in rows}
    for key, issue in sorted(found.items()):
        lines = known.get(key)
        if lines is None and len(known) >= MOST_ISSUES:
            continue
        told = [*(lines or ()), *issue.lines][:MOST_LINES]
        known[key] = told
        values = msgspec.structs.asdict(issue)
        values |= {"job_id": job_id, "part": part, "key": key}
        connection.execute(_ADD_ISSUE, values | {"lines": json.dumps(told)})


def add_remark(
    session: WriteSession,
    job_id: int,
    severity: Severity,
    issue_type: str,
    diagnostics: str,
    *,
    part: int,
    expression: str | None = None,
    count: int = 1,
) -> None:
    """Add what there is to say of a part as a whole, of no line of it."""
    remark = FoldedIssue(
        severity=severity,
        issue_type=issue_type,
        expression=expression,
        diagnostics=diagnostics,
        count=count,
        lines=(),
    )
    add_issues(session, job_id, [remark], part=part)


def _key(issue: FoldedIssue) -> bytes:
    """Return what tells an issue from others of its job: a digest of what is said."""
    said = [issue.severity, issue.issue_type, issue.expression, issue.diagnostics]
    return hashlib.sha256(json.dumps(said).encode()).digest()[:20]


def issues_of(session: ReadSession, job_id: int) -> list[IssueRow]:
    """Return what is wrong with a job's lines, what concerns most of them first."""
    rows = connection_of(session).execute(_ISSUES, {"job_id": job_id}).mappings()
    found = [
        IssueRow(
            row["part"],
            FoldedIssue(
                **{name: row[name] for name in FoldedIssue.__struct_fields__[1:-1]},
                severity=Severity(row["severity"]),
                lines=tuple(json.loads(row["lines"])),
            ),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (row.part, -row.issue.count, row.issue.lines))


def add_counts(
    session: WriteSession,
    job_id: int,
    counts: Mapping[tuple[str, str], int],
    *,
    part: int,
) -> None:
    """Add to the counts of a part, by type and outcome."""
    rows = [(job_id, part, *key, count) for key, count in sorted(counts.items())]
    columns = ("job_id", "part", "type", "outcome", "count")
    insert_rows(session, job_tables.JobCount.__table__, columns, rows, add=("count",))  # type: ignore[attr-defined]


def counts_of(session: ReadSession, job_id: int) -> list[CountRow]:
    """Return how many resources came to which outcome."""
    rows = connection_of(session).execute(_COUNTS, {"job_id": job_id})
    return [CountRow(*row) for row in rows]


def totals(counts: Iterable[CountRow]) -> dict[tuple[str, str], int]:
    """Return counts of a job's parts together, by type and outcome."""
    summed: dict[tuple[str, str], int] = {}
    for row in counts:
        key = (row.type, row.outcome)
        summed[key] = summed.get(key, 0) + row.count
    return dict(sorted(summed.items()))


def forget_outcomes(session: WriteSession, job_id: int, *, part: int) -> None:
    """Forget what became of a part, which is taken back or begun anew."""
    for table in ("job_issue", "job_count"):
        query = text(f"DELETE FROM {table} WHERE job_id = :job_id AND part = :part")
        connection_of(session).execute(query, {"job_id": job_id, "part": part})

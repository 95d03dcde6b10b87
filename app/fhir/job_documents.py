"""What a bulk job came to: its manifest, and OperationOutcomes as NDJSON."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from app.domain.deliveries import FoldedIssue

Json = dict[str, Any]

LINES = "urn:catchment:lines"
COUNT = "urn:catchment:count"
"""Extensions of an issue: the first lines that it is about, and how many there are."""


def outcome_of_lines(issue: FoldedIssue) -> Json:
    """Return one issue of some lines as an OperationOutcome."""
    stated: Json = {
        "extension": [
            {"url": LINES, "valueString": ", ".join(map(str, issue.lines))},
            {"url": COUNT, "valueInteger": issue.count},
        ],
        "severity": issue.severity,
        "code": issue.issue_type,
        "details": {"text": in_words(issue)},
        "diagnostics": issue.diagnostics,
    }
    if issue.expression is not None:
        stated["expression"] = [issue.expression]
    return {"resourceType": "OperationOutcome", "issue": [stated]}


def in_words(issue: FoldedIssue) -> str:
    """Return how many lines an issue is about, and which are the first of them."""
    if not issue.lines:
        return "All of it"
    if issue.count == 1:
        return f"Line {issue.lines[0]}"
    listed = ", ".join(map(str, issue.lines))
    more = "" if issue.count <= len(issue.lines) else ", ..."
    return f"{issue.count:,} lines: {listed}{more}"


def ndjson(resources: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield each resource as a line."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    for resource in resources:
        yield encoder.encode(resource) + b"\n"

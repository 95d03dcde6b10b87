"""`catchment leak-check`, `catchment elements`: what a privacy officer can see."""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from app.services.leak_checks import (
    KINDS,
    Basis,
    Finding,
    Located,
    Severity,
    findings_in,
)
from app.services.privacy_pages import elements_page

GZIPPED = b"\x1f\x8b"
STANDARD_INPUT = "-"


class FailOn(StrEnum):
    """From which severity on a finding makes the command end with 1."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def severity(self) -> Severity:
        """Return it as the number that findings have."""
        return Severity[self.name]


def show_elements() -> None:
    """Print what becomes of every element of FHIR, as a page in Markdown."""
    typer.echo(elements_page(), nl=False)


def check(
    files: Annotated[
        list[str],
        typer.Argument(help="NDJSON, JSON or Bundles, gzipped or not; - reads input."),
    ],
    basis: Annotated[
        Basis, typer.Option(help="By which rule the data are de-identified.")
    ] = Basis.SAFE_HARBOR,
    fail_on: Annotated[
        FailOn, typer.Option(help="From this severity on, end with 1.")
    ] = FailOn.MEDIUM,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each finding.")
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Only how many there are of each kind.")
    ] = False,
) -> None:
    """
    Look for what can identify somebody in FHIR that calls itself de-identified.

    Each finding is told with its file and line, its place as FHIRPath, HIPAA's letter,
    how bad it is and what to do; never with the value. Finding nothing proves nothing:
    a name in a code cannot be told from a code.
    """
    counts: Counter[str] = Counter()
    worst = Severity.NONE
    year = datetime.now(UTC).year
    for file in files:
        with _lines_of(file) as lines:
            for found in findings_in(lines, basis=basis, year=year):
                counts[found.finding.kind.name] += 1
                worst = max(worst, found.finding.severity)
                if not summary:
                    typer.echo(_told(file, found, as_json=as_json))
    _sum_up(counts, basis, as_json=as_json)
    if worst >= fail_on.severity:
        raise typer.Exit(1)


@contextmanager
def _lines_of(file: str) -> Iterator[Iterable[bytes]]:
    """Open a file, or standard input; gzip is known by its first bytes."""
    with ExitStack() as opened:
        stream = cast("BufferedReader", sys.stdin.buffer)
        if file != STANDARD_INPUT:
            stream = opened.enter_context(Path(file).open("rb"))
        if not stream.peek(len(GZIPPED)).startswith(GZIPPED):
            yield stream
            return
        with gzip.open(cast("BinaryIO", stream)) as plain:
            yield cast("Iterable[bytes]", plain)


def _told(file: str, found: Located, *, as_json: bool) -> str:
    """Return a finding as one line."""
    finding = found.finding
    if as_json:
        return json.dumps({"file": file, "line": found.line, **_facts(finding)})
    kind = finding.kind
    letter = f" ({kind.letter})" if kind.letter else ""
    severity = finding.severity.name.lower()
    return (
        f"{file}:{found.line}: {finding.path}: {severity}: {kind.name}{letter}: "
        f"{kind.advice}"
    )


def _facts(finding: Finding) -> dict[str, str | None]:
    return {
        "path": finding.path,
        "kind": finding.kind.name,
        "letter": finding.kind.letter or None,
        "severity": finding.severity.name.lower(),
        "advice": finding.kind.advice,
    }


def _sum_up(counts: Counter[str], basis: Basis, *, as_json: bool) -> None:
    """Tell how many there are of each kind, the worst first."""
    if as_json:
        typer.echo(json.dumps({"summary": dict(sorted(counts.items()))}))
        return
    if not counts:
        typer.echo("Nothing was found")
        return
    kinds = [KINDS[name] for name in counts]
    kinds.sort(key=lambda kind: (-kind.severity_under(basis), kind.name))
    for kind in kinds:
        severity = kind.severity_under(basis).name.lower()
        letter = kind.letter or "-"
        typer.echo(f"{counts[kind.name]:8,}  {severity:6}  {letter}  {kind.name}")

"""`catchment quality`: what is wrong with the data of one clinic, for the operator."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.commands.hubs import open_hub
from app.domain.calendar import first_day
from app.domain.terminology import LOCAL, Coding
from app.fhir.references import hub_id
from app.services import quality
from app.services.network_shares import NetworkShares
from app.services.quality import Compared, QualityReport, SourceReport
from app.store import clinics
from app.store.sessions import read_session

CODE_DIGITS = 12
"""So much of a local code's digest tells it from others."""


def show_quality(
    clinic: Annotated[str, typer.Argument(help="The clinic's code.")],
) -> None:
    """Tell what is wrong with a clinic's data of the last twelve closed months."""
    hub = replace(open_hub(), network_shares=NetworkShares(wait_ms=sys.maxsize))
    with read_session(hub.engine) as session:
        row = clinics.required_clinic(session, clinic)
        report = quality.find_report(session, hub, row, quality.usual_window(hub))
    console = Console()
    console.print(_head(report))
    console.print(_findings("All sources", report.findings))
    for source in report.sources:
        console.print(_findings(f"Source {source.name}", source.findings))
        console.print(_codes(source))
        if source.untranslated:
            console.print(_untranslated(source))
        if source.refusals:
            console.print(_refusals(source))


def _head(report: QualityReport) -> str:
    """Return what comes before the tables."""
    since, until = first_day(report.window.since), first_day(report.window.until)
    empty = [
        f"{first_day(month.month):%Y-%m} {month.reason}"
        for month in report.months
        if month.reason
    ]
    capture = report.visit_capture
    expected = capture.reason if capture.expected is None else f"{capture.expected:,}"
    return (
        f"{report.clinic}, {since} up to {until}\n"
        f"Observations: {report.observations:,}\n"
        f"Qualifying visits: {capture.recorded:,} "
        f"({report.visits_with_value:,} with a value asked for); "
        f"expected: {expected}\n"
        f"Months without data: {', '.join(empty) or 'none'}"
    )


def _findings(title: str, findings: Iterable[Compared]) -> Table:
    """Return findings as a table, with the network's quartiles or why not."""
    table = Table(
        "finding", "found", "of", "share", "network", "for example", title=title
    )
    for each in findings:
        share, network = each.share, each.network
        shown = each.reason or ""
        if network is not None:
            low, high = network.lower_quartile, network.upper_quartile
            shown = f"{network.median:.0%} ({low:.0%} to {high:.0%})"
        table.add_row(
            share.finding,
            f"{share.found:,}",
            f"{share.looked:,}",
            "" if share.proportion is None else f"{share.proportion:.1%}",
            shown,
            hub_id(share.examples[0]) if share.examples else "",
        )
    return table


def _codes(source: SourceReport) -> Table:
    """Return the codes of a source as a table, with what was found in each."""
    last = source.last_received_at
    received = "nothing yet"
    if last is not None:
        received = f"{datetime.fromtimestamp(last / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    title = f"Codes of {source.name}, which sent last: {received}"
    table = Table("code", "use", "observations", "units as sent", "found", title=title)
    for code in source.codes:
        units = code.units.items()
        found = [e.share for e in code.findings if e.share.found]
        table.add_row(
            _named(code.coding),
            code.use,
            f"{code.observations:,}",
            ", ".join(f"{unit or 'none'} {count:,}" for unit, count in units),
            ", ".join(f"{share.finding} {share.found:,}" for share in found),
        )
    return table


def _untranslated(source: SourceReport) -> Table:
    """Return the local codes that count as nothing as a table."""
    title = f"Codes of {source.name} without a translation, of all that is kept"
    table = Table("code", "at", "records", title=title)
    for each in source.untranslated:
        named = _named(Coding(LOCAL, each.code))
        table.add_row(named, each.element, f"{each.records:,}")
    return table


def _refusals(source: SourceReport) -> Table:
    """Return what was refused as a table."""
    table = Table("refused for", "at", "times", title=f"Refused from {source.name}")
    for each in source.refusals:
        table.add_row(each.issue_type, each.element or "", f"{each.count:,}")
    return table


def _named(coding: Coding) -> str:
    """Return a code for people; of a local one the beginning of its digest."""
    if coding.system == LOCAL:
        return f"local {coding.code[:CODE_DIGITS]}"
    return f"{coding.system}|{coding.code}"

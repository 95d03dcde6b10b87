"""Pages as HTML: the templates, what they may call, and the headers of every page."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any
from urllib.parse import urlencode

import yaml
from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from app.charts.completeness import completeness_description, completeness_of
from app.charts.descriptions import ZONES, chart_subtitle, interval_label
from app.disclosure.summaries import Share
from app.domain.annotations import AnnotationKind
from app.domain.calendar import first_day
from app.domain.counts import Basis, ReleasedCell
from app.services.dashboards import Panel, stratum_label
from app.services.findings import sentences, verdict

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
}

COUNTED_BY = {
    Basis.VISITS: "At each visit",
    Basis.INDEX_EVENTS: "From an event on",
    Basis.LATEST_STATUS: "By the latest status of each patient",
    Basis.SUMMARIES: "By the clinics themselves",
}


KINDS_OF_NOTE = {
    AnnotationKind.TEST_OF_CHANGE: "Test of change",
    AnnotationKind.SHIFT: "A new level was accepted from here on",
    AnnotationKind.BASELINE: "The lines come from the months up to here",
    AnnotationKind.EXCLUSION: "Left out of the lines: its cause is known",
}


def page(template: str, *, status: int = 200, **context: object) -> Response:
    """Return a page made from *template*."""
    return Response(
        environment().get_template(template).render(**context),
        status_code=status,
        media_type="text/html",
        headers=PAGE_HEADERS,
    )


@cache
def environment() -> Environment:
    """Return the templates; a name that they lack is an error, never a blank."""
    made = Environment(
        loader=PackageLoader("app", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "percent": percent,
        "count": "{:,}".format,
        "when": interval_of,
        "day": day_in_words,
        "moment": moment_in_words,
        "month": month_in_words,
        "kind_of_note": KINDS_OF_NOTE.__getitem__,
        "query": query,
        "completeness": completeness_of,
        "completeness_words": completeness_description,
        "findings": findings_of,
        "percent_of": percent_of,
        "share_of": share_of,
        "verdict": verdict,
        "stratum": stratum_label,
        "picture_caption": chart_subtitle,
        "yaml": partial(yaml.safe_dump, sort_keys=False, allow_unicode=True),
    }
    made.globals |= {"zones": ZONES, "counted_by": COUNTED_BY}
    return made


def percent(proportion: float) -> str:
    """Return a proportion as people read it."""
    return f"{proportion:.1%}"


def interval_of(cell: ReleasedCell) -> str:
    """Return a cell's interval as people write it."""
    return interval_label(cell.interval_start, cell.interval)


def share_of(part: Share) -> float:
    """Return a share in [0, 1]; of nothing it is 0."""
    return part.shown / part.total if part.total else 0.0


def percent_of(part: Share) -> str:
    """Return a share as people read it, or a dash where it is one of nothing."""
    return f"{share_of(part):.0%}" if part.total else "\N{EN DASH}"


def findings_of(panel: Panel) -> list[str]:
    """Return what a panel's chart says, sentence by sentence."""
    found = panel.found
    return [] if found is None else [*sentences(found.chart, found.shift)]


def day_in_words(month: int) -> str:
    """Return the first day of a month number in words."""
    return _in_words(first_day(month))


def month_in_words(month: int) -> str:
    """Return a month number in words: October 2026."""
    return f"{first_day(month):%B %Y}"


def moment_in_words(milliseconds: int) -> str:
    """Return the day of epoch *milliseconds*, in UTC, in words."""
    return _in_words(datetime.fromtimestamp(milliseconds / 1000, UTC).date())


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def query(parameters: Mapping[str, Any]) -> str:
    """Return *parameters* that are set as a URL's query, question mark included."""
    stated = {name: str(value) for name, value in parameters.items() if value}
    return f"?{urlencode(stated)}" if stated else ""

"""`catchment report`: the two pages that a clinic takes to its monthly meeting."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.commands.hubs import open_hub
from app.domain.calendar import month_number
from app.domain.errors import InvalidElementError
from app.printing import find_browser, printed
from app.routers.templates import environment
from app.services.clinic_reports import Report, find_report
from app.services.hub import Hub
from app.services.pictures import font_face
from app.store.sessions import read_session

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
PRIVATE = 0o600
"""The report has the clinic's own true numbers, of however few people."""


class Paper(StrEnum):
    """The paper that it is printed on; both hold the same two pages."""

    A4 = "a4"
    LETTER = "letter"


def report(
    clinic: Annotated[str, typer.Option(help="The clinic's code.")],
    month: Annotated[str, typer.Option(help="The last month told, as 2026-10.")],
    pdf: Annotated[Path | None, typer.Option(help="Print it to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    *,
    paper: Annotated[Paper, typer.Option(help="The paper.")] = Paper.A4,
    released: Annotated[
        bool, typer.Option("--released", help="Only numbers that members are told.")
    ] = False,
) -> None:
    """
    Write the two-page report that a clinic takes to its monthly meeting.

    It has the clinic's own true numbers, and is for the clinic alone; with --released
    it has what members of the network are told.
    """
    if pdf is None and html is None:
        msg = "Say where to: --pdf FILE, or --html FILE"
        raise InvalidElementError(msg)
    last = _month(month)
    if pdf is not None:
        find_browser()
    hub = open_hub()
    with read_session(hub.engine) as session:
        found = find_report(session, hub, clinic, month=last, released=released)
    page = rendered(found, hub, paper=paper)
    if html is not None:
        _write(html, page.encode())
    if pdf is not None:
        _write(pdf, printed(page))


def rendered(found: Report, hub: Hub, *, paper: Paper) -> str:
    """Return a report as a page of HTML that needs no other file."""
    template = environment().get_template("report.html")
    return template.render(
        report=found,
        card=found.card,
        network=hub.keys.network.replace("-", " ").capitalize(),
        paper=paper.value,
        font=font_face(),
    )


def _month(text: str) -> int:
    found = MONTH.fullmatch(text)
    if found is None:
        msg = "A month is written as 2026-10"
        raise InvalidElementError(msg, expression="month")
    return month_number(int(found[1]), int(found[2]))


def _write(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    file.touch(mode=PRIVATE)
    file.chmod(PRIVATE)
    file.write_bytes(content)

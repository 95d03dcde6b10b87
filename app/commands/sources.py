"""`catchment source`: the systems of a clinic that send, and what is unique in it."""

from typing import Annotated

import typer

from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.services import registry
from app.store.sessions import read_session, write_session

app = typer.Typer(
    help="Systems of a clinic that send: an EHR, a lab.", no_args_is_help=True
)

Clinic = Annotated[str, typer.Argument(help="The clinic's code.")]
Name = Annotated[str, typer.Argument(help="What the source is called, as lab.")]
TimeZone = Annotated[str, typer.Option(help="IANA name of the system's zone.")]
BaseUrls = Annotated[
    list[str] | None, typer.Option(help="A FHIR base of the system; may be repeated.")
]
IdentifierSystems = Annotated[
    list[str] | None,
    typer.Option(
        help="A system whose identifiers count as unique in the clinic; repeatable. "
        "Two different results that share one would become one record, the later "
        "replacing the earlier: never declare an order number."
    ),
]
PaddedDates = Annotated[bool, typer.Option(help="Its dates come as midnight UTC.")]
PaddedOrNot = Annotated[
    bool | None, typer.Option(help="Whether its dates come as midnight UTC.")
]


@app.command("add")
def add_source(
    clinic: Clinic,
    name: Name,
    time_zone: TimeZone = registry.USUAL_TIME_ZONE,
    base_url: BaseUrls = None,
    identifier_system: IdentifierSystems = None,
    padded_dates: PaddedDates = False,
) -> None:
    """
    Give a clinic another source; its first, ehr, came with the clinic.

    Its ids are its own: Patient/123 of two sources are two people. They are one by an
    identifier of a system that both declare.
    """
    new = registry.NewSource(
        clinic=clinic,
        name=name,
        time_zone=time_zone,
        base_urls=tuple(base_url or ()),
        identifier_systems=tuple(identifier_system or ()),
        padded_dates=padded_dates,
    )
    with write_session(open_hub().engine) as session:
        registry.add_source(session, new)
    typer.echo(f"Clinic {clinic} has a source {name}")


@app.command("change")
def change_source(
    clinic: Clinic,
    name: Name,
    base_url: BaseUrls = None,
    identifier_system: IdentifierSystems = None,
    padded_dates: PaddedOrNot = None,
) -> None:
    """
    Replace a source's base URLs, identifier systems or padded dates.

    What is given replaces all of its kind, and one that is empty takes all away;
    what is not given stays. What is stored already is not read again, nor is
    what comes again unchanged.
    """
    changes = registry.SourceChanges(
        base_urls=_replacing(base_url),
        identifier_systems=_replacing(identifier_system),
        padded_dates=padded_dates,
    )
    with write_session(open_hub().engine) as session:
        registry.change_source(session, clinic, name, changes)
    typer.echo(f"Source {name} of {clinic} is changed")


@app.command("list")
def list_sources(
    clinic: Annotated[
        str | None, typer.Argument(help="The clinic's code; none: all.")
    ] = None,
) -> None:
    """List sources: clinic, name, zone, bases, identifier systems, padded dates."""
    with read_session(open_hub().engine) as session:
        lines = registry.source_lines(session, clinic=clinic)
    echo_table(registry.SourceLine, lines)


def _replacing(given: list[str] | None) -> tuple[str, ...] | None:
    if not given:
        return None
    return () if given == [""] else tuple(given)

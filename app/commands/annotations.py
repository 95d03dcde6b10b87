"""`catchment annotation`, `catchment shift`: what is said and decided about charts."""

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.domain.annotations import AnnotationKind
from app.domain.calendar import first_day, month_number
from app.domain.errors import NotFoundError
from app.services import annotations
from app.services.annotations import AnnotationsWanted, NewAnnotation
from app.services.catalogue import find_measure, scale_of
from app.services.parties import CONSOLE
from app.services.series import Wanted
from app.store.annotations import Annotation
from app.store.clinics import required_clinic
from app.store.sessions import read_session, write_session

app = typer.Typer(
    help="Tests of change, and decisions about charts.", no_args_is_help=True
)
shift_app = typer.Typer(
    help="Shifts that charts suggest, and a person accepts.", no_args_is_help=True
)

Author = Annotated[str, typer.Option(help="Who says so: a name or a role.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Clinic = Annotated[str | None, typer.Option(help="The code of a clinic.")]
Cohort = Annotated[
    str | None, typer.Option(help="Of a cohort; neither: of the network.")
]
Month = Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="As 2026-03.")]
Measures = Annotated[
    list[str] | None, typer.Option("--measure", help="A measure's id; repeatable.")
]


class AnnotationLine(msgspec.Struct, frozen=True, kw_only=True):
    """An annotation as a list shows it; its fields are the list's columns."""

    id: str
    kind: str
    month: str
    about: str
    measures: str
    what: str
    author: str
    reason: str
    withdrawn: str


@app.command("add")
def add_annotation(
    kind: AnnotationKind,
    month: Month,
    author: Author,
    reason: Reason,
    clinic: Clinic = None,
    cohort: Cohort = None,
    measure: Measures = None,
    what: Annotated[
        str | None, typer.Option(help="What was changed, in a test of change.")
    ] = None,
    hypothesis: Annotated[
        str | None, typer.Option(help="What it was to do, in a test of change.")
    ] = None,
) -> None:
    """
    Write down a test of change, or decide about the chart of one measure.

    Of a shift the month is the first of the new phase, of a baseline its last.
    """
    new = NewAnnotation(
        kind=kind,
        month=month_number(month.year, month.month),
        clinic=clinic,
        cohort=cohort,
        measures=tuple(measure or ()),
        what=what,
        hypothesis=hypothesis,
        author=author,
        reason=reason,
    )
    _write(new)


@app.command("list")
def list_annotations(
    clinic: Clinic = None,
    cohort: Cohort = None,
    measure: Annotated[str | None, typer.Option(help="A measure's id.")] = None,
    withdrawn: Annotated[
        bool, typer.Option("--withdrawn", help="Also what was taken back.")
    ] = False,
) -> None:
    """List what was said and decided, the first one first."""
    hub = open_hub()
    wanted = AnnotationsWanted(
        clinic=clinic, cohort=cohort, measure=measure, include_withdrawn=withdrawn
    )
    with read_session(hub.engine) as session:
        found = annotations.find_annotations(session, hub, CONSOLE, wanted)
    echo_table(AnnotationLine, [*map(_line, found)])


@app.command("withdraw")
def withdraw_annotation(
    annotation_id: Annotated[int, typer.Argument(help="Its number in the list.")],
    author: Author,
    reason: Reason,
) -> None:
    """Take back what was said or decided; it stays in the audit."""
    hub = open_hub()
    with write_session(hub.engine) as session:
        annotations.withdraw(
            session, hub, CONSOLE, annotation_id, author=author, reason=reason
        )
    typer.echo(f"Annotation {annotation_id} is withdrawn")


@app.command("blank")
def blank_annotation(
    annotation_id: Annotated[int, typer.Argument(help="Its number in the list.")],
    author: Author,
    reason: Reason,
) -> None:
    """Overwrite words that name a patient; that something was said stays."""
    hub = open_hub()
    with write_session(hub.engine) as session:
        annotations.blank(session, hub, annotation_id, author=author, reason=reason)
    typer.echo(f"Annotation {annotation_id} is withdrawn, and its words are gone")


@shift_app.command("suggested")
def show_suggestion(
    measure: Annotated[str, typer.Argument(help="A measure's id.")],
    clinic: Clinic = None,
    cohort: Cohort = None,
) -> None:
    """Say which month the members' chart suggests, and on what evidence."""
    _, told = _suggested(measure, clinic, cohort)
    typer.echo(told)


@shift_app.command("accept")
def accept_shift(
    measure: Annotated[str, typer.Argument(help="A measure's id.")],
    author: Author,
    reason: Reason,
    clinic: Clinic = None,
    cohort: Cohort = None,
) -> None:
    """Accept the shift that the members' chart suggests; it keeps its evidence."""
    month, told = _suggested(measure, clinic, cohort)
    typer.echo(told)
    new = NewAnnotation(
        kind=AnnotationKind.SHIFT,
        month=month,
        clinic=clinic,
        cohort=cohort,
        measures=(measure,),
        author=author,
        reason=reason,
    )
    _write(new)


def _suggested(measure: str, clinic: str | None, cohort: str | None) -> tuple[int, str]:
    """Return the month that is suggested, and a sentence about it."""
    hub = open_hub()
    scale = scale_of(find_measure(hub, measure))
    with read_session(hub.engine) as session:
        if clinic is not None:
            required_clinic(session, clinic)
        wanted = Wanted(clinic=clinic, cohort=cohort)
        shift = annotations.find_suggestion(session, hub, measure, wanted)
    if shift is None:
        msg = "The members' chart suggests no shift"
        raise NotFoundError(msg)
    told = (
        f"{scale.text(shift.before)} to {scale.text(shift.after)} in "
        f"{_month(shift.interval_start)} ({_month(shift.first)} to "
        f"{_month(shift.last)}, evidence {shift.evidence:.1f})"
    )
    return shift.interval_start, told


def _write(new: NewAnnotation) -> None:
    hub = open_hub()
    with write_session(hub.engine) as session:
        written = annotations.annotate(session, hub, CONSOLE, new)
    typer.echo(f"Annotation {written.id} is written down")


def _line(found: Annotation) -> AnnotationLine:
    taken = found.withdrawn
    return AnnotationLine(
        id=str(found.id),
        kind=found.kind.value,
        month=_month(found.month),
        about=found.clinic or found.cohort or "network",
        measures=" ".join(found.measures) or "all",
        what=found.what or "-",
        author=found.signed.author,
        reason=found.signed.reason,
        withdrawn="-" if taken is None else f"{taken.author}: {taken.reason}",
    )


def _month(month: int) -> str:
    return f"{first_day(month):%Y-%m}"

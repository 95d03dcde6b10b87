"""Projects: what some clinics set out to improve, and which joined when."""

import json
from collections import defaultdict

import msgspec
from sqlmodel import col, select

from app.domain.annotations import PhaseKind, Signature
from app.store import tables
from app.store.annotations import signature_of
from app.store.sessions import ReadSession, WriteSession


class ProjectPhase(msgspec.Struct, frozen=True, kw_only=True):
    """The clinics (ids) that join a project from a month on."""

    kind: PhaseKind
    name: str
    month: int
    clinics: tuple[int, ...]
    signed: Signature


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What some clinics set out to improve; ``ended`` is who ended it, and why."""

    id: int = 0
    code: str
    name: str
    aim: str
    measures: tuple[str, ...]
    phases: tuple[ProjectPhase, ...]
    signed: Signature
    ended: Signature | None = None

    @property
    def starts(self) -> dict[int, int]:
        """Return the month number in which each clinic joins, by its id."""
        return {
            clinic_id: phase.month
            for phase in self.phases
            for clinic_id in phase.clinics
        }


def add_project(session: WriteSession, new: Project) -> int:
    """Write a project down with its phases; return its id."""
    row = tables.Project(
        code=new.code,
        name=new.name,
        aim=new.aim,
        measures=json.dumps(new.measures),
        **msgspec.structs.asdict(new.signed),
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    for number, phase in enumerate(new.phases, start=1):
        add_phase(session, row.id, number, phase)
    return row.id


def add_phase(
    session: WriteSession, project_id: int, number: int, phase: ProjectPhase
) -> None:
    """Write down that further clinics join a project."""
    session.add(
        tables.ProjectPhase(
            project_id=project_id,
            number=number,
            kind=phase.kind.value,
            name=phase.name,
            month=phase.month,
            clinics=json.dumps(phase.clinics),
            **msgspec.structs.asdict(phase.signed),
        )
    )
    session.flush()


def end(session: WriteSession, project_id: int, signed: Signature) -> None:
    """Write down who ended a project."""
    said = msgspec.structs.asdict(signed)
    session.add(tables.EndedProject(project_id=project_id, **said))
    session.flush()


def all_projects(session: ReadSession) -> list[Project]:
    """Return every project in the order of its code."""
    query = (
        select(tables.Project, tables.EndedProject)
        .join(tables.EndedProject, isouter=True)
        .order_by(col(tables.Project.code))
    )
    phases = _phases(session)
    return [
        Project(
            id=row.id,
            code=row.code,
            name=row.name,
            aim=row.aim,
            measures=tuple(json.loads(row.measures)),
            phases=tuple(phases[row.id]),
            signed=signature_of(row),
            ended=None if ended is None else signature_of(ended),
        )
        for row, ended in session.exec(query)
        if row.id is not None
    ]


def find_project(session: ReadSession, code: str) -> Project | None:
    """Return the project of *code*, if there is one."""
    return next((each for each in all_projects(session) if each.code == code), None)


def _phases(session: ReadSession) -> dict[int, list[ProjectPhase]]:
    """Return the phases of every project, in order."""
    found: dict[int, list[ProjectPhase]] = defaultdict(list)
    query = select(tables.ProjectPhase).order_by(col(tables.ProjectPhase.number))
    for row in session.exec(query):
        phase = ProjectPhase(
            kind=PhaseKind(row.kind),
            name=row.name,
            month=row.month,
            clinics=tuple(json.loads(row.clinics)),
            signed=signature_of(row),
        )
        found[row.project_id].append(phase)
    return found

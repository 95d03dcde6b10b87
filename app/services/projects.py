"""Projects: clinics that set out to improve something, and join in phases."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from app.domain.annotations import PhaseKind, Signature
from app.domain.calendar import month_of_day
from app.domain.errors import ConflictError, InvalidElementError, NotFoundError
from app.services.annotations import check_measures
from app.services.cohorts import clinic_ids, require_sight_of_clinics, seen_codes
from app.services.free_texts import check_stated
from app.services.hub import Hub
from app.services.participation import active_clinics
from app.services.parties import Party, as_read_by, require_coordinator, signed_by
from app.services.registry import check_code
from app.services.releases import today_number
from app.store import projects
from app.store.projects import Project, ProjectPhase
from app.store.sessions import ReadSession, WriteSession


class ProjectStatus(StrEnum):
    """Where a project stands."""

    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"


class NewPhase(msgspec.Struct, frozen=True, kw_only=True):
    """
    Clinics that are to join, by their codes; ``month`` is a month number.

    None given for the last phase, ``all``: every active clinic that has not joined.
    """

    kind: PhaseKind
    name: str
    month: int
    clinics: tuple[str, ...] = ()


class NewProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is to be."""

    code: str
    name: str
    aim: str
    measures: tuple[str, ...]
    phases: tuple[NewPhase, ...]
    author: str
    reason: str


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True):
    """A project as a reader sees it; ``codes`` are those of clinics, by id."""

    project: Project
    status: ProjectStatus
    codes: Mapping[int, str]
    remarks: tuple[str, ...]

    def clinics(self, phase: ProjectPhase) -> list[str]:
        """Return the codes of the clinics of a phase that the reader may know of."""
        return sorted(self.codes[i] for i in phase.clinics if i in self.codes)


def add_project(
    session: WriteSession, hub: Hub, party: Party, new: NewProject
) -> ProjectPage:
    """
    Write a project down.

    Raises:
        ForbiddenError: the party is no coordinator.
        InvalidElementError: a part is not fit; MissingElementError: one is not there.
        ConflictError: there is one of that code.
    """
    require_coordinator(party)
    check_code(new.code)
    check_stated({"code": new.code, "name": new.name, "aim": new.aim})
    signed = signed_by(party, hub, author=new.author, reason=new.reason)
    if not new.measures:
        msg = "A project has a measure to improve"
        raise InvalidElementError(msg, expression="measures")
    check_measures(hub, new.measures)
    if not new.phases:
        msg = "A project has a phase in which clinics join"
        raise InvalidElementError(msg, expression="phases")
    if projects.find_project(session, new.code) is not None:
        msg = "A project of that code is there already"
        raise ConflictError(msg)
    phases: list[ProjectPhase] = []
    for phase in new.phases:
        phases.append(_phase(session, phase, phases, signed))
    made = Project(
        code=new.code,
        name=new.name,
        aim=new.aim,
        measures=new.measures,
        phases=tuple(phases),
        signed=signed,
    )
    made = msgspec.structs.replace(made, id=projects.add_project(session, made))
    return _page(session, hub, party, made)


def add_phase(
    session: WriteSession,
    hub: Hub,
    party: Party,
    code: str,
    new: NewPhase,
    *,
    author: str,
    reason: str,
) -> ProjectPage:
    """
    Let further clinics join a project.

    Raises:
        ConflictError: the project has ended; and as ``add_project``.
    """
    require_coordinator(party)
    found = _running(session, code)
    signed = signed_by(party, hub, author=author, reason=reason)
    phase = _phase(session, new, found.phases, signed)
    projects.add_phase(session, found.id, len(found.phases) + 1, phase)
    changed = msgspec.structs.replace(found, phases=(*found.phases, phase))
    return _page(session, hub, party, changed)


def end_project(
    session: WriteSession,
    hub: Hub,
    party: Party,
    code: str,
    *,
    author: str,
    reason: str,
) -> ProjectPage:
    """
    End a project; it stays to be read.

    Raises:
        ConflictError: it has ended already.
    """
    require_coordinator(party)
    found = _running(session, code)
    signed = signed_by(party, hub, author=author, reason=reason)
    projects.end(session, found.id, signed)
    return _page(session, hub, party, msgspec.structs.replace(found, ended=signed))


def find_projects(session: ReadSession, hub: Hub, party: Party) -> list[ProjectPage]:
    """
    Return every project, for whoever sees single clinics.

    Raises:
        ForbiddenError: the party does not.
    """
    require_sight_of_clinics(hub, party)
    return [_page(session, hub, party, each) for each in projects.all_projects(session)]


def find_project(
    session: ReadSession, hub: Hub, party: Party, code: str
) -> ProjectPage:
    """Return the project of *code*, for whoever sees single clinics."""
    require_sight_of_clinics(hub, party)
    return _page(session, hub, party, _required(session, code))


def _required(session: ReadSession, code: str) -> Project:
    found = projects.find_project(session, code)
    if found is None:
        msg = "No project of that code"
        raise NotFoundError(msg)
    return found


def _running(session: ReadSession, code: str) -> Project:
    found = _required(session, code)
    if found.ended is not None:
        msg = "The project has ended"
        raise ConflictError(msg)
    return found


def _phase(
    session: ReadSession,
    new: NewPhase,
    before: Sequence[ProjectPhase],
    signed: Signature,
) -> ProjectPhase:
    """Return a phase that comes after others."""
    check_stated({"name": new.name})
    joined = {clinic_id for phase in before for clinic_id in phase.clinics}
    ids = set(clinic_ids(session, new.clinics).values())
    if new.kind is PhaseKind.ALL and not ids:
        ids = active_clinics(session) - joined
    if not ids or ids & joined:
        msg = "A phase has clinics, and none that joined before"
        raise InvalidElementError(msg, expression="clinics")
    if before and new.month < before[-1].month:
        msg = "Phases begin one after the other"
        raise InvalidElementError(msg, expression="month")
    return ProjectPhase(
        kind=new.kind,
        name=new.name,
        month=new.month,
        clinics=tuple(sorted(ids)),
        signed=signed,
    )


def _page(
    session: ReadSession, hub: Hub, party: Party, project: Project
) -> ProjectPage:
    return ProjectPage(
        project=_as_read_by(party, project),
        status=_status(hub, project),
        codes=seen_codes(session, party),
        remarks=tuple(_remarks(project)),
    )


def _as_read_by(party: Party, project: Project) -> Project:
    """Return a project without the clients that wrote it, which are the audit's."""
    return msgspec.structs.replace(
        project,
        signed=as_read_by(party, project.signed),
        phases=tuple(
            msgspec.structs.replace(phase, signed=as_read_by(party, phase.signed))
            for phase in project.phases
        ),
        ended=project.ended and as_read_by(party, project.ended),
    )


def _status(hub: Hub, project: Project) -> ProjectStatus:
    if project.ended is not None:
        return ProjectStatus.ENDED
    has_begun = project.phases[0].month <= month_of_day(today_number(hub))
    return ProjectStatus.RUNNING if has_begun else ProjectStatus.PLANNED


def _remarks(project: Project) -> Iterator[str]:
    """Yield where a project departs from the framework's numbers of clinics."""
    for phase in project.phases:
        sizes = phase.kind.sizes
        if sizes is not None and len(phase.clinics) not in sizes:
            yield (
                f"The learning-and-improvement framework has {sizes.start} to "
                f"{sizes.stop - 1} clinics in a phase of kind {phase.kind}; "
                f"{phase.name} has {len(phase.clinics)}."
            )

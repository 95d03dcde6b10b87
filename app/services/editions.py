"""A release opened for reading: its cells, and the clinics that readers may know."""

from collections.abc import Mapping, Sequence

import msgspec

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.domain.clinics import Audience
from app.domain.counts import ReleasedCell
from app.domain.errors import ForbiddenError, NotFoundError
from app.measures.definitions import Measure
from app.services.chart_notes import Notes, find_notes
from app.services.definitions import definition_of, released_measures, told_rows
from app.services.hub import Hub
from app.services.participation import active_clinics
from app.services.releases import latest
from app.store import clinics, releases, restatements, tables
from app.store.recounts import MeasureRow
from app.store.releases import ReleaseRow
from app.store.restatements import RestatementRow
from app.store.sessions import ReadSession


class EarlierVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What was published of a measure by a definition of before: no month is twice."""

    measure: Measure
    cells: Sequence[ReleasedCell]
    restated: Sequence[RestatementRow]


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """
    A release opened for reading, whole or one measure of it.

    ``measures`` are the definitions that it was counted by, ``cells`` what it shows, by
    the measure's id; ``earlier`` is what it shows by definitions of before, the oldest
    first, and ``restated`` which blocks got new numbers. ``clinics`` are those that its
    readers may know of: the active ones, and any that it tells of; none where they see
    no clinics. ``notes`` are what people said and decided, as they may know it.
    """

    hub: Hub
    release: ReleaseRow
    rules: AudienceRules
    measures: Mapping[str, Measure]
    cells: Mapping[str, Sequence[ReleasedCell]]
    earlier: Mapping[str, Sequence[EarlierVersion]]
    restated: Mapping[str, Sequence[RestatementRow]]
    clinics: Mapping[int, tables.Clinic]
    notes: Notes = Notes()

    @property
    def names(self) -> dict[str, str]:
        """Return what readers may call each clinic, by its code."""
        return {each.code: self.name_of(i) for i, each in self.clinics.items()}

    def name_of(self, clinic_id: int) -> str:
        """Return what the readers of the release may call a clinic."""
        clinic = self.clinics[clinic_id]
        is_named = self.rules.clinics is ClinicsShown.NAMED
        return clinic.name if is_named else clinic.code


def open_edition(
    session: ReadSession, hub: Hub, audience: Audience, *, measure_id: str | None = None
) -> Edition | None:
    """Return the newest release of an audience, if there is one."""
    release = latest(session, audience)
    if release is None:
        return None
    told = releases.measures_told(session, release.id)
    served = released_measures(session, hub, told)
    only = served.get(measure_id) if measure_id else None
    kept = releases.read_cells(
        session, release.id, measure_id=None if only is None else only.row.id
    )
    wanted = served if only is None else {only.row.code: only}
    restated = _restated(session, release)
    earlier = {
        name: _earlier(session, hub, release.id, rows, restated)
        for name, told_by in told_rows(session, told).items()
        if name in wanted
        and (rows := [row for row in told_by if row.id != wanted[name].row.id])
    }
    told_of = {cell.clinic_id for cells in kept.values() for cell in cells}
    rules = hub.audiences.rules(audience)
    if rules.clinics is not ClinicsShown.NONE:
        told_of |= active_clinics(session)
    return Edition(
        hub=hub,
        release=release,
        rules=rules,
        measures={name: each.measure for name, each in served.items()},
        cells={
            name: kept.get(each.row.id, [])
            for name, each in served.items()
            if each.measure.variant_of is None
        },
        earlier=earlier,
        restated={name: restated.get(each.row.id, []) for name, each in served.items()},
        clinics={
            row.id: row
            for row in clinics.all_clinics(session)
            if row.id is not None and row.id in told_of
        },
        notes=find_notes(session, rules),
    )


def _restated(
    session: ReadSession, release: ReleaseRow
) -> dict[int, list[RestatementRow]]:
    """Return what a release or one before it restated, by the measure's row."""
    found: dict[int, list[RestatementRow]] = {}
    for row in restatements.restatements_of(session, release.audience):
        if row.release_id <= release.id:
            found.setdefault(row.measure_id, []).append(row)
    return found


def _earlier(
    session: ReadSession,
    hub: Hub,
    release_id: int,
    rows: Sequence[MeasureRow],
    restated: Mapping[int, Sequence[RestatementRow]],
) -> list[EarlierVersion]:
    """Return what a release shows of definitions of before."""
    return [
        EarlierVersion(
            measure=measure,
            cells=releases.read_cells(session, release_id, measure_id=row.id)[row.id],
            restated=restated.get(row.id, ()),
        )
        for row in rows
        if (measure := definition_of(session, hub, row)) is not None
    ]


def required_edition(
    session: ReadSession,
    hub: Hub,
    audience: Audience,
    *,
    measure_id: str | None = None,
) -> Edition:
    """Return the newest release of an audience, whole or one measure, or refuse."""
    edition = open_edition(session, hub, audience, measure_id=measure_id)
    if edition is None:
        msg = "Nothing has been released yet"
        raise NotFoundError(msg)
    return edition


def check_sees_clinics(edition: Edition) -> None:
    """Refuse readers of a release that shows no single clinic."""
    if edition.rules.clinics is ClinicsShown.NONE:
        msg = "Single clinics are shown to members only. Open your members' link first."
        raise ForbiddenError(msg)


def find_clinic(edition: Edition, code: str) -> tables.Clinic:
    """Return the clinic of *code* where the readers of the release see clinics."""
    check_sees_clinics(edition)
    for clinic in edition.clinics.values():
        if clinic.code == code:
            return clinic
    msg = "This release tells nothing of a clinic of that code"
    raise NotFoundError(msg)

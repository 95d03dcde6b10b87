"""Which clinics releases count, and from when to when: settled at each release."""

from collections.abc import Collection, Mapping

from app.disclosure.terms import Term, new_term
from app.domain.calendar import FOREVER
from app.domain.clinics import ClinicStatus
from app.store import clinics, tables
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession, WriteSession


def settle_terms(session: WriteSession, rows: Collection[MeasureRow]) -> None:
    """
    Fix the terms of clinics that became active or left since the last release.

    Who is new begins where nothing is published yet of any measure in *rows*, and who
    left ends there: what was published stays as it was.
    """
    published = max((row.published_before for row in rows), default=0)
    for clinic in clinics.all_clinics(session):
        assert clinic.id is not None
        if clinic.status == ClinicStatus.ACTIVE and clinic.first_month is None:
            begins, ends = new_term(published)
        elif clinic.status != ClinicStatus.ACTIVE and _is_open(clinic):
            begins, ends = clinic.first_month or 0, published
        else:
            continue
        clinics.set_term(session, clinic.id, begins=begins, ends=ends)


def terms_of(session: ReadSession) -> Mapping[int, Term]:
    """Return the terms of all clinics that ever were in a release."""
    return {
        clinic.id: Term(
            clinic.first_month,
            FOREVER if clinic.end_month is None else clinic.end_month,
        )
        for clinic in clinics.all_clinics(session)
        if clinic.id is not None and clinic.first_month is not None
    }


def active_clinics(session: ReadSession) -> set[int]:
    """Return the clinics that new lines are about."""
    return {
        clinic.id
        for clinic in clinics.all_clinics(session)
        if clinic.id is not None and clinic.status == ClinicStatus.ACTIVE
    }


def _is_open(clinic: tables.Clinic) -> bool:
    return clinic.first_month is not None and clinic.end_month is None

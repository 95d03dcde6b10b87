"""Cohorts: clinics that are looked at together, under a name."""

from collections.abc import Mapping

import msgspec

from app.disclosure.audiences import ClinicsShown
from app.domain.errors import ConflictError, ForbiddenError, InvalidElementError
from app.services.chart_notes import onboarding_clinics
from app.services.free_texts import check_stated
from app.services.hub import Hub
from app.services.parties import Party, as_read_by, require_coordinator, signed_by
from app.services.registry import check_code
from app.store import clinics, cohorts
from app.store.cohorts import Cohort
from app.store.sessions import ReadSession, WriteSession

FEWEST = 2


class NewCohort(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort that is to be: clinics by their codes."""

    code: str
    name: str
    clinics: tuple[str, ...]
    author: str
    reason: str


class CohortPage(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort, and the codes of its clinics that the reader may know."""

    cohort: Cohort
    clinics: tuple[str, ...]


def add_cohort(
    session: WriteSession, hub: Hub, party: Party, new: NewCohort
) -> CohortPage:
    """
    Give some clinics a name.

    A cohort never changes, so that no series does by a stroke of the pen: other clinics
    are another cohort, under another code.

    Raises:
        ForbiddenError: the party is no coordinator.
        InvalidElementError: a part is not fit, or a clinic is unknown.
        ConflictError: there is one of that code.
    """
    require_coordinator(party)
    check_code(new.code)
    check_stated({"code": new.code, "name": new.name})
    signed = signed_by(party, hub, author=new.author, reason=new.reason)
    ids = clinic_ids(session, new.clinics)
    if len(ids) < FEWEST:
        msg = f"A cohort has at least {FEWEST} clinics"
        raise InvalidElementError(msg, expression="clinics")
    if cohorts.find_cohort(session, new.code) is not None:
        msg = "A cohort of that code is there already; other clinics need another code"
        raise ConflictError(msg)
    made = Cohort(
        code=new.code, name=new.name, clinics=frozenset(ids.values()), signed=signed
    )
    made = msgspec.structs.replace(made, id=cohorts.add_cohort(session, made))
    return CohortPage(cohort=made, clinics=tuple(sorted(ids)))


def find_cohorts(session: ReadSession, hub: Hub, party: Party) -> list[CohortPage]:
    """
    Return every cohort, for whoever sees single clinics.

    Raises:
        ForbiddenError: the party does not.
    """
    require_sight_of_clinics(hub, party)
    codes = seen_codes(session, party)
    return [
        CohortPage(
            cohort=msgspec.structs.replace(each, signed=as_read_by(party, each.signed)),
            clinics=tuple(sorted(codes[i] for i in each.clinics if i in codes)),
        )
        for each in cohorts.all_cohorts(session)
    ]


def require_sight_of_clinics(hub: Hub, party: Party) -> None:
    """Refuse an audience that single clinics are not shown to."""
    if hub.audiences.rules(party.audience).clinics is ClinicsShown.NONE:
        msg = "Sets of clinics are shown to members only"
        raise ForbiddenError(msg)


def seen_codes(session: ReadSession, party: Party) -> Mapping[int, str]:
    """Return the codes of the clinics that a party may know of, by id."""
    hidden = set() if party.coordinates else onboarding_clinics(session)
    hidden.discard(party.clinic or 0)
    return {
        row.id: row.code
        for row in clinics.all_clinics(session)
        if row.id is not None and row.id not in hidden
    }


def clinic_ids(session: ReadSession, codes: tuple[str, ...]) -> dict[str, int]:
    """
    Return the ids of clinics by their codes.

    Raises:
        InvalidElementError: one is unknown, or given twice.
    """
    known = {
        row.code: row.id for row in clinics.all_clinics(session) if row.id is not None
    }
    if len(set(codes)) < len(codes) or not known.keys() >= set(codes):
        msg = "There is no clinic of that code, or it is given twice"
        raise InvalidElementError(msg, expression="clinics")
    return {code: known[code] for code in codes}

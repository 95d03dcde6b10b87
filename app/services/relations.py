"""Whether the measures are to each other what they say, by all that is counted."""

from app.domain.calendar import month_of_day
from app.measures.relations import Breach, breaches
from app.services.counts import true_cells
from app.services.definitions import served_measures
from app.services.hub import Hub
from app.services.releases import today_number
from app.store import clinics
from app.store.sessions import ReadSession


def broken_relations(session: ReadSession, hub: Hub) -> list[Breach]:
    """Return the cells of all clinics in which a declared relation does not hold."""
    everybody = {
        clinic.id for clinic in clinics.all_clinics(session) if clinic.id is not None
    }
    this_month = month_of_day(today_number(hub))
    served = served_measures(session, hub)
    related = {
        name
        for each in served.values()
        if each.measure.subset_of or each.measure.sum_of
        for name in (
            each.measure.id,
            *each.measure.subset_of,
            *each.measure.sum_of,
        )
    }
    cells = {
        name: true_cells(
            session,
            each.measure,
            each.row,
            clinics=everybody,
            before_month=this_month + 1,
            keeping=hub.policy.keeping,
        )
        for name, each in served.items()
        if name in related
    }
    return list(breaches([each.measure for each in served.values()], cells))

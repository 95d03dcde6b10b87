"""A small chart of every clinic on one measure, from the cells of a release."""

from operator import attrgetter

import msgspec

from app.charts.vega_multiples import Multiples, SmallChart
from app.domain.errors import NotFoundError
from app.services.catalogue import MeasurePage
from app.services.charts import clinics_beside
from app.services.editions import Edition, check_sees_clinics
from app.services.released_series import released_series
from app.services.series import Wanted


class MultiplesOf(msgspec.Struct, frozen=True, kw_only=True):
    """Every clinic that a release's readers may know, on one measure."""

    page: MeasurePage
    multiples: Multiples


def find_multiples(edition: Edition, measure_id: str, wanted: Wanted) -> MultiplesOf:
    """
    Return each clinic's released series and the network's, all of one width.

    Without an interval asked for, it is the width at which most clinics publish.

    Raises:
        ForbiddenError: the audience does not see clinics.
        NotFoundError: nothing of the measure is published, or it is a variant.
    """
    check_sees_clinics(edition)
    network, _ = clinics_beside(edition, measure_id, wanted)
    if not network.cells:
        msg = "Nothing is published of this measure at this width"
        raise NotFoundError(msg)
    page = network.page
    panels = [
        SmallChart(
            name=edition.name_of(clinic_id),
            cells=released_series(
                edition,
                measure_id,
                msgspec.structs.replace(
                    wanted, clinic=clinic.code, interval=network.interval
                ),
            ).cells,
        )
        for clinic_id, clinic in edition.clinics.items()
    ]
    return MultiplesOf(
        page=page,
        multiples=Multiples(
            panels=tuple(sorted(panels, key=attrgetter("name"))),
            network=network.cells,
            interval=network.interval,
            scale=page.scale,
            improvement=page.improvement_notation,
        ),
    )

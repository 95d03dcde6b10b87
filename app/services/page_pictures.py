"""The pictures of the dashboard: of one release, or of a clinic's own live numbers."""

from enum import StrEnum

import msgspec

from app.charts.completeness import completeness_of, completeness_spec
from app.charts.schemes import in_dark
from app.charts.vega_layers import Spec
from app.domain.clinics import Audience
from app.domain.errors import NotFoundError
from app.services import specifications
from app.services.dashboards import Panel, find_panel
from app.services.editions import Edition
from app.services.multiples import find_multiples
from app.services.pictures import Picture, drawn
from app.services.series import Wanted
from app.services.standings import find_beside


class PictureKind(StrEnum):
    """The pictures of a measure."""

    CHART = "chart"
    SPARK_LINE = "spark"
    COMPLETENESS = "completeness"
    FUNNEL = "clinics"
    MULTIPLES = "every-clinic"


class Scheme(StrEnum):
    """The ground that a picture is drawn for."""

    LIGHT = "light"
    DARK = "dark"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a picture is drawn.

    ``titled`` is one that goes elsewhere alone; on a page the page says what it is of.
    """

    picture: Picture
    scheme: Scheme = Scheme.LIGHT
    titled: bool = False


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """All that a picture of a release depends on."""

    audience: Audience
    release_id: int
    measure_id: str
    kind: PictureKind
    part: Wanted
    look: Look
    notes: str
    """The mark of what was said and decided: decisions change lines."""


def draw(edition: Edition, drawing: Drawing) -> str | bytes:
    """
    Return a picture of a release.

    Raises:
        NotFoundError: nothing that it shows is published.
    """
    if drawing.kind is PictureKind.FUNNEL:
        spec = _funnel(edition, drawing.measure_id, drawing.part)
    elif drawing.kind is PictureKind.MULTIPLES:
        found = find_multiples(edition, drawing.measure_id, Wanted())
        spec = specifications.multiples_of(found)
    else:
        panel = find_panel(edition, drawing.measure_id, drawing.part)
        spec = panel_spec(panel, drawing.kind)
    return draw_spec(spec, drawing.look)


def panel_spec(panel: Panel, kind: PictureKind) -> Spec:
    """Return the Vega-Lite specification of a panel's picture."""
    if kind is PictureKind.COMPLETENESS:
        cells = panel.series.cells
        if not any(completeness_of(cell) is not None for cell in cells):
            raise _nothing()
        return completeness_spec(cells, title=f"Completeness, {panel.title}")
    if panel.found is None:
        raise _nothing()
    if kind is PictureKind.SPARK_LINE:
        return specifications.spark_line_of(panel.found, title=panel.title)
    return specifications.chart_of(panel.found, title=panel.title)


def draw_spec(spec: Spec, look: Look) -> str | bytes:
    """Return a Vega-Lite specification drawn."""
    shown = spec if look.titled else spec | {"title": None}
    dark = look.scheme is Scheme.DARK
    return drawn(in_dark(shown) if dark else shown, look.picture)


def _funnel(edition: Edition, measure_id: str, part: Wanted) -> Spec:
    """Return the funnel plot of clinics; one that is asked for is named in it."""
    found = find_beside(edition, measure_id).comparison
    if found is None:
        msg = "No interval of this measure can be compared"
        raise NotFoundError(msg)
    asked = [i for i, clinic in edition.clinics.items() if clinic.code == part.clinic]
    return specifications.funnel_of(found, own=next(iter(asked), None))


def _nothing() -> NotFoundError:
    return NotFoundError("Nothing is published of this series")

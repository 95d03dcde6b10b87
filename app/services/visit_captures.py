"""Visit capture: the visits that a clinic recorded beside those that it declares."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from app.domain.counts import ReleasedCell
from app.domain.quality import Window
from app.domain.terminology import EXPECTED_VISITS, Coding
from app.domain.visit_capture import WHOLE_CLINIC_ONLY, VisitCapture, visit_capture
from app.measures.definitions import Measure
from app.measures.summaries import ONE
from app.measures.value_sets import expanded
from app.store import summaries
from app.store.concepts import all_concepts
from app.store.sessions import ReadSession
from app.store.visits import visits_by_month


def find_captures(
    session: ReadSession,
    measure: Measure,
    clinic_id: int,
    cells: Sequence[ReleasedCell],
) -> dict[int, VisitCapture]:
    """
    Return the visit capture of the intervals of *cells*, by the month each begins.

    It is of the whole clinic, whatever people the measure is about: visits are declared
    of all of them together, and of no stratum.
    """
    if measure.summary is not None or not cells:
        return {}
    if any(cell.stratum for cell in cells):
        return {cell.interval_start: WHOLE_CLINIC_ONLY for cell in cells}
    spans = [_months(cell) for cell in cells]
    window = Window(
        since=min(span.start for span in spans), until=max(span.stop for span in spans)
    )
    concepts = all_concepts(session)
    classes = visit_classes([measure], concepts)
    recorded = visits_by_month(session, clinic_id, window, classes=classes)
    declared = declared_visits(session, clinic_id, concepts)
    return {
        span.start: visit_capture(span, recorded=recorded, declared=declared)
        for span in spans
    }


def declared_visits(
    session: ReadSession, clinic_id: int, concepts: Mapping[Coding, int]
) -> dict[int, Fraction]:
    """Return how many visits a clinic declares to have had, its wards added up."""
    concept_id = concepts.get(EXPECTED_VISITS)
    if concept_id is None:
        return {}
    declared: dict[int, Fraction] = {}
    for each in summaries.read_sums(
        session, concept_ids=[concept_id], clinic_ids=[clinic_id]
    ):
        before = declared.get(each.month, Fraction())
        declared[each.month] = before + Fraction(each.value, ONE)
    return declared


def visit_classes(
    measures: Iterable[Measure], concepts: Mapping[Coding, int]
) -> set[int]:
    """Return the ids of the classes of visits that some of *measures* count."""
    return {
        concept_id
        for measure in measures
        for concept_id in expanded(
            measure.value_sets.get(measure.visit_classes, ()), concepts
        )
    }


def _months(cell: ReleasedCell) -> range:
    return range(cell.interval_start, cell.interval_start + cell.interval.months)

"""The record of a release: how much it shows, and why not more."""

from functools import partial

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.releases import release_measure
from app.disclosure.summaries import Share, is_about_few, summarize
from app.domain.counts import Basis, Cell, Interval
from tests.released import OUTCOMES

JANUARY = 12 * 2024
MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)


def test_the_record_adds_up():
    """
    Clinic 1 has 3 people who meet the measure; 2 and 3 are hidden to hide it.

    Shown are 50 people each of clinics 4 and 5, and all 210 of the network. All could
    be scored in clinic 5, so its population is not shown. Clinic 6 has no interval;
    it says so in the year's line, whose total nothing can make safe.
    """
    counts = {1: (20, 3), 2: (40, 20), 3: (50, 25), 4: (50, 25), 5: (50, 25)}
    cells = [
        Cell(
            clinic_id=clinic,
            interval=Interval.MONTH,
            interval_start=JANUARY,
            population=denominator + (0 if clinic == 5 else 10),
            scored=denominator,
            denominator=denominator,
            numerator=numerator,
        )
        for clinic, (denominator, numerator) in counts.items()
    ]
    yearly = Cell(
        clinic_id=6,
        interval=Interval.YEAR,
        interval_start=JANUARY,
        population=2,
        scored=2,
        denominator=2,
        numerator=1,
    )
    released = release_measure(
        [*cells, yearly],
        rules=MEMBERS,
        basis=Basis.VISITS,
        judgement=OUTCOMES,
        blocks=[],
        intervals=dict.fromkeys(counts, Interval.MONTH),
        earlier=(),
        within=(),
        closed_before=JANUARY + 12,
    )
    january = [cell for cell in released if cell.interval_start == JANUARY]

    summary = summarize(
        [*cells, yearly],
        january,
        rules=MEMBERS,
        is_small=partial(is_about_few, judgement=OUTCOMES),
    )

    assert summary.cells == Share(shown=3, total=8)
    assert summary.clinics == Share(shown=2, total=6)
    assert summary.people == Share(shown=310, total=2 * 210 + 2 * 2)
    assert summary.small == 2
    assert summary.complementary == 2
    assert summary.not_published == 1
    assert summary.without_population == 1

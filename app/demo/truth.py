"""What was planted in the synthetic network, for charts and tests to find again."""

from datetime import date

import msgspec


class DemoTruth(msgspec.Struct, frozen=True, kw_only=True):
    """
    The planted facts; clinics are named by slug.

    Every clinic but ``improving_clinic`` is stable. Proportions are the chance that a
    JIA visit of the improving clinic finds low disease activity (cJADAS10): before the
    first day of the change, ``changed_on``, and from it on. ``late_clinic`` has sent
    nothing that happened after ``last_sent_day``. ``people_at_two_clinics`` counts
    people, each of whom is a patient of two clinics.
    """

    improving_clinic: str
    changed_on: date
    proportion_before: float
    proportion_after: float
    poorly_coding_clinic: str
    late_clinic: str
    last_sent_day: date
    people_at_two_clinics: int

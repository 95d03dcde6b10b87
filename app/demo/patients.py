"""Invented people, and what their visits to a clinic found."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from random import Random

import msgspec

from app.demo.diseases import JIA, Disease, Reading, findings, monthly_course
from app.demo.habits import (
    IMPROVING,
    PROPORTION_AFTER,
    PROPORTION_BEFORE,
    Clinic,
    Diseases,
    Flaw,
)
from app.domain.calendar import month_number

GIVEN_NAMES = {
    "female": """Ada Bea Clara Daphne Edith Fern Greta Hazel Ines Joy Kaya Lena Maren
        Nora Odile Petra Rosa Selma Thea Una Vera Willa Yara Zoe""",
    "male": """Abel Boris Caleb Dario Emil Felix Gus Hugo Ivo Jonas Kofi Leo Milo Nils
        Otto Pablo Rafi Silas Theo Umar Viktor Wendell Yusuf Zeke""",
}
FAMILY_NAMES = """Abernathy Birchwood Castellan Dunmore Ellsworth Fairweather Garrick
    Hollis Ironwood Jessup Kestrel Lockridge Marchetti Northcott Okonjo Pemberton
    Quillfeather Ravenel Stillwater Thackeray Underhill Vantongeren Whitlock Yarrow
    Zielony Ashgrove Bellweather Coppersmith Drinkwater Eastlake"""
STREETS = ("Maple", "Second", "Orchard", "Station", "Lakeview", "Chapel", "Foundry")
CHILDREN = (*JIA, Disease.COLITIS, Disease.CROHN)
AGES = {"child": (3, 14), "adult": (38, 72)}
"""Years of age at the first day; children are 17 at most on the last."""
FIRST_RECORD_NUMBER = 10_001
COMES_OR_GOES = 0.1
"""Chance that a patient joins after the first day; the same that one leaves early."""
SHORTEST_GAP_DAYS = 21
FIRST_MINUTE, QUARTER_HOURS = 8 * 60, 39
SATURDAY = 5


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """
    An invented person.

    ``courses`` holds, by disease, how the person fares in each month from the first
    on: a quantile (``app.demo.diseases``).
    """

    given: str
    family: str
    gender: str
    birth_date: date
    street: str
    phone: str
    courses: dict[Disease, tuple[float, ...]]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """
    One visit, at ``minute`` of the clinic's local day.

    ``readings`` are grouped by disease; ``flaw`` is what the clinic's record of the
    visit gets wrong.
    """

    day: date
    minute: int
    readings: tuple[tuple[Reading, ...], ...]
    flaw: Flaw | None


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """A person at one clinic, under its record number, with visits in time order."""

    record_number: int
    person: Person
    onsets: dict[Disease, date]
    visits: tuple[Visit, ...]


class Period(msgspec.Struct, frozen=True):
    """The days that the network is about, both included."""

    first: date
    last: date

    def month(self, day: date) -> int:
        """Return the position of a day's month among the period's months."""
        start = month_number(self.first.year, self.first.month)
        return month_number(day.year, day.month) - start


def invented_people(clinic: Clinic, rng: Random, *, period: Period) -> list[Person]:
    """Return the people of a clinic's cohorts, in no particular order."""
    people = [
        _person(rng, diseases, period)
        for diseases, size in clinic.cohorts.items()
        for _ in range(size)
    ]
    rng.shuffle(people)
    return people


def patients(
    clinic: Clinic,
    people: Sequence[Person],
    rng: Random,
    *,
    period: Period,
    changed_on: date,
) -> tuple[Patient, ...]:
    """
    Return *people* as patients of a clinic, with the visits they made in the period.

    At the improving clinic the proportion of JIA visits at target steps up on the day
    *changed_on*.
    """
    return tuple(
        Patient(
            record_number=number,
            person=person,
            onsets=_onsets(person, rng, period),
            visits=tuple(_visits(clinic, person, rng, period, changed_on)),
        )
        for number, person in zip(count(FIRST_RECORD_NUMBER), people, strict=False)
    )


def _person(rng: Random, diseases: Diseases, period: Period) -> Person:
    gender = rng.choice(("female", "male"))
    youngest, oldest = AGES["child" if diseases[0] in CHILDREN else "adult"]
    age_days = rng.randint(youngest * 365, oldest * 365)
    months = period.month(period.last) + 1
    return Person(
        given=rng.choice(GIVEN_NAMES[gender].split()),
        family=rng.choice(FAMILY_NAMES.split()),
        gender=gender,
        birth_date=period.first - timedelta(days=age_days),
        street=f"{rng.randint(1, 980)} {rng.choice(STREETS)} Street",
        phone=f"555-01{rng.randint(0, 99):02}",
        courses={disease: monthly_course(rng, months=months) for disease in diseases},
    )


def _onsets(person: Person, rng: Random, period: Period) -> dict[Disease, date]:
    """Every disease began in the two years before the period, as far as is known."""
    return {
        disease: period.first - timedelta(days=rng.randint(10, 700))
        for disease in person.courses
    }


def _visits(
    clinic: Clinic, person: Person, rng: Random, period: Period, changed_on: date
) -> Iterator[Visit]:
    for day in _visit_days(clinic.visit_gap, rng, period):
        yield Visit(
            day=day,
            minute=FIRST_MINUTE + 15 * rng.randint(0, QUARTER_HOURS),
            readings=tuple(
                findings(
                    disease,
                    course[period.month(day)],
                    proportion_at_target=_proportion(clinic, disease, day, changed_on),
                    rng=rng,
                )
                for disease, course in person.courses.items()
            ),
            flaw=_flaw(clinic, rng),
        )


def _visit_days(gap: int, rng: Random, period: Period) -> Iterator[date]:
    """Yield working days about *gap* days apart, from a random phase on."""
    length = (period.last - period.first).days
    joined = rng.uniform(0, length) if rng.random() < COMES_OR_GOES else 0
    left = rng.uniform(0, length) if rng.random() < COMES_OR_GOES else length
    offset = joined + rng.uniform(0, gap)
    while offset <= left:
        day = period.first + timedelta(days=int(offset))
        weekend = day.weekday() - SATURDAY + 1
        yield max(period.first, day - timedelta(days=max(0, weekend)))
        offset += max(SHORTEST_GAP_DAYS, rng.gauss(gap, gap * 0.15))


def _proportion(clinic: Clinic, disease: Disease, day: date, changed_on: date) -> float:
    if clinic.slug != IMPROVING or disease not in JIA:
        return clinic.proportion_at_target(disease)
    return PROPORTION_AFTER if day >= changed_on else PROPORTION_BEFORE


def _flaw(clinic: Clinic, rng: Random) -> Flaw | None:
    draw = rng.random()
    for flaw, chance in clinic.flaws.items():
        if draw < chance:
            return flaw
        draw -= chance
    return None

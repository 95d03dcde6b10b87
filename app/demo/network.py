"""The synthetic network: a dozen clinics, three years of visits, a planted truth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from random import Random

import msgspec

from app.demo.accents import clinic_deliveries
from app.demo.deliveries import Delivery
from app.demo.habits import (
    CHANGE_MONTHS_AGO,
    CLINICS,
    IMPROVING,
    LATE,
    LATE_BY_DAYS,
    POORLY_CODING,
    PROPORTION_AFTER,
    PROPORTION_BEFORE,
    SHARED_PEOPLE,
    Accent,
    Clinic,
)
from app.demo.patients import Period, Person, invented_people, patients
from app.demo.truth import DemoTruth
from app.domain.calendar import first_day, month_number

THREE_YEARS = timedelta(days=3 * 365)


class DemoClinic(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic of the network, as a hub would enrol it.

    ``identifier_system`` is the one system whose values are unique in the clinic.
    ``deliveries()`` yields its requests in the order sent; every call the same ones.
    """

    slug: str
    name: str
    time_zone: str
    accent: Accent
    identifier_system: str
    base_url: str
    patient_count: int
    deliveries: Callable[[], Iterator[Delivery]]


class DemoNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """The synthetic network, and what was planted in it."""

    clinics: tuple[DemoClinic, ...]
    truth: DemoTruth


def demo_network(*, seed: int, last_day: date) -> DemoNetwork:
    """
    Return the network of three years of visits up to and including *last_day*.

    The same arguments give the same network, to the byte.
    """
    truth = _truth(last_day)
    period = Period(last_day - THREE_YEARS, last_day)
    people = {
        clinic.slug: invented_people(clinic, _draws(seed, clinic), period=period)
        for clinic in CLINICS
    }
    clinics = tuple(
        _demo_clinic(
            clinic,
            _people_seen(clinic, people),
            _draws(seed, clinic, "visits"),
            period=_sent_period(clinic, period, truth),
            changed_on=truth.changed_on,
        )
        for clinic in CLINICS
    )
    return DemoNetwork(clinics=clinics, truth=truth)


def _draws(seed: int, clinic: Clinic, purpose: str = "people") -> Random:
    """Return random numbers of the clinic's own, whatever the other clinics draw."""
    return Random(f"{seed}/{clinic.slug}/{purpose}")  # noqa: S311 - keeps no secret


def _truth(last_day: date) -> DemoTruth:
    last_month = month_number(last_day.year, last_day.month)
    return DemoTruth(
        improving_clinic=IMPROVING,
        changed_on=first_day(last_month - CHANGE_MONTHS_AGO),
        proportion_before=PROPORTION_BEFORE,
        proportion_after=PROPORTION_AFTER,
        poorly_coding_clinic=POORLY_CODING,
        late_clinic=LATE,
        last_sent_day=last_day - timedelta(days=LATE_BY_DAYS),
        people_at_two_clinics=sum(number for _, _, number in SHARED_PEOPLE),
    )


def _people_seen(
    clinic: Clinic, people: Mapping[str, Sequence[Person]]
) -> list[Person]:
    """Return a clinic's own people and those it shares with another clinic."""
    seen = list(people[clinic.slug])
    for home, elsewhere, number in SHARED_PEOPLE:
        if elsewhere == clinic.slug:
            seen.extend(people[home][:number])
    return seen


def _sent_period(clinic: Clinic, period: Period, truth: DemoTruth) -> Period:
    if clinic.slug != truth.late_clinic:
        return period
    return Period(period.first, truth.last_sent_day)


def _demo_clinic(
    clinic: Clinic,
    people: Sequence[Person],
    rng: Random,
    *,
    period: Period,
    changed_on: date,
) -> DemoClinic:
    seen = patients(clinic, people, rng, period=period, changed_on=changed_on)
    return DemoClinic(
        slug=clinic.slug,
        name=clinic.name,
        time_zone=clinic.time_zone,
        accent=clinic.accent,
        identifier_system=clinic.identifier_system,
        base_url=clinic.base_url,
        patient_count=len(seen),
        deliveries=partial(clinic_deliveries, clinic, seen, last_day=period.last),
    )

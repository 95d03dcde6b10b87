"""The three ways in which the clinics of the synthetic network deliver."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain, islice

from app.demo.deliveries import Delivery, Json, bundle_delivery, update
from app.demo.habits import Accent, Clinic
from app.demo.patients import Patient
from app.demo.resources import (
    condition_resources,
    patient_resource,
    unneeded_resources,
    visit_resources,
)

BATCH_SIZE = 80
LIVE_DAYS = 30
"""A clinic that sends updates sends those of its last days one by one."""
WHOLE_RECORD_EVERY = 25
"""One patient in so many comes with resources that a hub does not keep."""


def clinic_deliveries(
    clinic: Clinic, patients: tuple[Patient, ...], *, last_day: date
) -> Iterator[Delivery]:
    """Yield what a clinic sends of its patients' visits, in the order sent."""
    match clinic.accent:
        case Accent.TRANSACTIONS:
            return _transactions(clinic, patients)
        case Accent.UPDATES:
            return _updates(clinic, patients, last_day - timedelta(days=LIVE_DAYS))
        case Accent.INTERFACE_ENGINE:
            return _conditional_creates(clinic, patients)


def _transactions(clinic: Clinic, patients: Iterable[Patient]) -> Iterator[Delivery]:
    """One transaction a patient, every so often with the whole record in it."""
    for position, patient in enumerate(patients):
        resources = _known(clinic, patient, until=date.max)
        if position % WHOLE_RECORD_EVERY == 0:
            resources = chain(resources, unneeded_resources(clinic, patient))
        entries = [_creation(clinic, resource) for resource in resources]
        yield bundle_delivery("transaction", entries)


def _updates(
    clinic: Clinic, patients: tuple[Patient, ...], live_from: date
) -> Iterator[Delivery]:
    """The history in batches, then the last days as single updates."""
    history = chain.from_iterable(
        _known(clinic, patient, until=live_from) for patient in patients
    )
    yield from _batches(_update_entry(clinic, resource) for resource in history)
    for patient in patients:
        for visit in patient.visits:
            if visit.day >= live_from:
                yield from map(update, visit_resources(clinic, patient, visit))


def _conditional_creates(
    clinic: Clinic, patients: Iterable[Patient]
) -> Iterator[Delivery]:
    """Everything in batches, each resource unless its identifier is there already."""
    everything = chain.from_iterable(
        _known(clinic, patient, until=date.max) for patient in patients
    )
    return _batches(map(_conditional_creation, everything))


def _known(clinic: Clinic, patient: Patient, *, until: date) -> Iterator[Json]:
    """Yield a patient's registration, conditions, and visits before a day."""
    yield patient_resource(clinic, patient)
    yield from condition_resources(clinic, patient)
    for visit in patient.visits:
        if visit.day < until:
            yield from visit_resources(clinic, patient, visit)


def _batches(entries: Iterator[Json]) -> Iterator[Delivery]:
    while batch := list(islice(entries, BATCH_SIZE)):
        yield bundle_delivery("batch", batch)


def _creation(clinic: Clinic, resource: Json) -> Json:
    entry = {
        "fullUrl": f"urn:uuid:{resource['id']}",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }
    if not clinic.sends_ids:
        del resource["id"]
    return entry


def _update_entry(clinic: Clinic, resource: Json) -> Json:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {
        "fullUrl": f"{clinic.base_url}/{url}",
        "resource": resource,
        "request": {"method": "PUT", "url": url},
    }


def _conditional_creation(resource: Json) -> Json:
    identifier = resource["identifier"][0]
    criterion = f"identifier={identifier['system']}|{identifier['value']}"
    request = {
        "method": "POST",
        "url": resource["resourceType"],
        "ifNoneExist": criterion,
    }
    return {"resource": resource, "request": request}

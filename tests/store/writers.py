"""
Eight writers of one source's data: what they send, and how.

``python -m tests.store.writers URL FOLDER`` runs them, each in a process of its own.
"""

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from app.domain.clinics import Source
from app.services import intake
from app.services.hub import Hub
from app.services.intake import Submission
from app.services.reception import deidentified, make_ready
from app.store import clinics
from app.store.records import find_by_alias
from app.store.sessions import open_engine, read_session, write_session
from tests import make
from tests.hubs import Clock, first_hub, hub_on, settings_in

WRITERS = 8
PATIENTS = 18
RESULTS = 10
"""Of each patient; the first ends entered in error, the second is taken back too."""
NAMELESS = 2
"""Of each patient, without an id."""
VERSIONS = 3
SIZES = (100, 400)
"""How many submissions a delivery has, at least and at most."""
DIABETES = make.concept("http://snomed.info/sct", "44054006")


def whole() -> list[dict[str, Any]]:
    """Return all that there is to send: each version of each resource."""
    return [each for n in range(PATIENTS) for each in (*_person(n), *_results(n))]


def value_of(patient: int, number: int, version: int) -> float:
    """Return what a version of a result found; no two found the same."""
    return round(1 + patient + number / 20 + version / 100, 2)


def nameless_value(patient: int, number: int) -> int:
    """Return what a result without an id found."""
    return 100 + patient * NAMELESS + number


def _person(n: int) -> Iterator[dict[str, Any]]:
    """Yield a Patient's versions, a visit and a diagnosis; every sixth has a twin."""
    about = {"subject": make.reference(f"Patient/p{n}")}
    for version in range(VERSIONS):
        other = {"other": make.reference(f"Patient/p{n - 1}"), "type": "replaces"}
        yield make.patient(
            id=f"p{n}",
            identifier=[make.identifier(f"m{n}")],
            birthDate=f"19{50 + n}-0{version + 1}-01",
            meta=_updated(version),
            **({"link": [other]} if n % 6 == 5 and version else {}),
        )
    yield make.encounter(id=f"e{n}", period={"start": "2026-01-10"}, **about)
    yield make.condition(id=f"c{n}", code=DIABETES, onsetDateTime="2020", **about)


def _results(n: int) -> Iterator[dict[str, Any]]:
    """Yield results by either name of their patient, with and without a visit."""
    by_id = {"subject": make.reference(f"Patient/p{n}")}
    by_number = {"subject": {"identifier": make.identifier(f"m{n}")}}
    for number in range(RESULTS):
        for version in range(VERSIONS):
            ends = number == 0 and version == VERSIONS - 1
            visit = {"encounter": make.reference(f"Encounter/e{n}")}
            yield make.lab(
                value_of(n, number, version),
                day=f"2026-0{number % 6 + 1}-03",
                id=f"p{n}-r{number}",
                status="entered-in-error" if ends else "final",
                meta=_updated(version),
                **(by_id if (number + version) % 2 else by_number),
                **(visit if number % 3 else {}),
            )
    for number in range(NAMELESS):
        yield make.lab(nameless_value(n, number), day="2026-02-04", **by_id)


def _updated(version: int) -> dict[str, str]:
    return {"lastUpdated": f"2026-07-0{version + 1}T00:00:00Z"}


def write(hub: Hub, seed: int) -> None:
    """Send all there is in an order of one's own, some of it twice."""
    with read_session(hub.engine) as session:
        source = clinics.required_source(session, clinic="alpha", name="ehr")
    random = Random(seed)
    for delivery in _deliveries(random):
        deliver(hub, source, delivery)
        _take_back(hub, source, f"p{random.randrange(PATIENTS)}-r1")


def _deliveries(random: Random) -> list[list[dict[str, Any]]]:
    """Return all there is in deliveries; Patients, who come alone, in the first."""
    resources = whole()
    resources += random.sample(resources, len(resources) // 4)
    random.shuffle(resources)
    people = [r for r in resources if r["resourceType"] == "Patient"]
    others = [r for r in resources if r["resourceType"] != "Patient"]
    deliveries = []
    while others:
        size = random.randint(*SIZES)
        deliveries.append(others[:size])
        del others[:size]
    deliveries[0] += people
    random.shuffle(deliveries)
    return deliveries


def deliver(hub: Hub, source: Source, resources: Sequence[dict[str, Any]]) -> None:
    """Store a delivery, of which nothing may be refused."""
    submissions = [
        Submission(
            index=index,
            expression="Bundle",
            record=deidentified(resource, front=hub, source=source),
        )
        for index, resource in enumerate(resources)
    ]
    with write_session(hub.engine) as session:
        outcomes = intake.store(session, hub, source, submissions, atomic=True)
    assert len(outcomes) == len(resources)


def _take_back(hub: Hub, source: Source, own_id: str) -> None:
    """Withdraw the result of *own_id*, if it is here already."""
    result = make.lab(7, id=own_id)
    (alias,) = deidentified(result, front=hub, source=source).aliases
    with write_session(hub.engine) as session:
        for record_id in find_by_alias(session, [alias.key]).values():
            intake.withdraw(session, hub, source, record_id)


def _write_alone(parts: Hub, url: str, seed: int) -> None:
    """Write with connections of one's own."""
    engine = open_engine(url)
    write(hub_on(parts, engine, Clock()), seed)
    engine.dispose()


def main(url: str, folder: Path) -> None:
    """Run the writers; fail where one of them did."""
    parts = first_hub(settings_in(folder))
    make_ready()  # once, and not in each process
    forking = multiprocessing.get_context("fork")
    processes = [
        forking.Process(target=_write_alone, args=(parts, url, seed))
        for seed in range(WRITERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if failed := sum(process.exitcode != 0 for process in processes):
        sys.exit(f"{failed} of {WRITERS} writers failed")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

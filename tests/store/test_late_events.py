"""What is noted of published intervals is the difference, and nothing else."""

import dataclasses
from collections import defaultdict
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.counts import COUNTS
from app.services import recounts
from app.services.hub import Hub
from app.services.registry import CLINIC_SCOPES
from app.services.releases import closed_before
from tests.api.networks import A_MONTH, publish
from tests.api.test_counting import count, diabetic, result
from tests.hubs import Caller, Clock, Network
from tests.make import batch, condition, encounter, patient, put, reference

pytestmark = pytest.mark.anyio

NAMES = [f"p{n}" for n in range(8)]
MEASURES = {"hba1c-poor-control", "ibd-visit-completeness"}
"""A latest status, and visits in months, quarters and years."""
CROHN = {"coding": [{"system": "http://snomed.info/sct", "code": "34000006"}]}
SINCE = 12 * 2024
"""Before this month nobody in the test counts."""
States = dict[tuple, tuple[int, ...]]
"""By measure, subject (0: who was erased), grain, stratum, bin and interval."""


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """The hub with two measures, so that counting is quick."""
    few = tuple(measure for measure in hub.measures if measure.id in MEASURES)
    return dataclasses.replace(hub, measures=few)


def someone(name: str) -> list[dict]:
    """Return entries about someone whom both measures count."""
    about = {"subject": reference(f"Patient/{name}")}
    disease = condition(id=f"{name}-cd", code=CROHN, onsetDateTime="2020", **about)
    return [*diabetic(name), put(disease)]


async def something(ehr: Caller, random: Random) -> None:
    """Do one of the things that change who counted when."""
    name = random.choice(NAMES)
    month = f"202{random.randrange(5, 7)}-{random.randrange(1, 13):02d}"
    own_id = f"{name}-r{random.randrange(3)}"
    choice = random.randrange(10)
    if choice < 4:
        value = random.choice([6.5, 8.5, 9.5])
        await ehr.put(result(name, value, day=f"{month}-03", own_id=own_id))
    elif choice < 6:
        await ehr.delete(f"Observation/{own_id}")
    elif choice < 8:
        about = reference(f"Patient/{name}")
        visit = encounter(
            id=f"{name}-w", period={"start": f"{month}-10"}, subject=about
        )
        await ehr.put(visit)
    elif choice == 8 and random.randrange(2):
        await join(ehr, name)
    elif choice == 8:
        await ehr.put(patient(id=name, birthDate="1970-05-01"))
    else:
        await ehr.delete(f"Encounter/{name}-v")


async def join(ehr: Caller, name: str) -> None:
    """Say that someone is the first of all."""
    link = [{"other": reference(f"Patient/{NAMES[0]}"), "type": "replaces"}]
    about = link if name != NAMES[0] else []
    await ehr.put(patient(id=name, birthDate="1970-05-01", link=about))


def states(hub: Hub, table: str, *, before: int) -> States:
    """Return who counts in which interval that ends before a month, by its events."""
    query = text(
        f"SELECT measure_id, CASE WHEN subject_id IN (SELECT id FROM record) "
        f"THEN subject_id ELSE 0 END, grain, stratum, bin, month, {', '.join(COUNTS)} "
        f"FROM {table}"
    )
    found: dict[tuple, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
    with hub.engine.connect() as connection:
        for *key, month, p, x, e, s, d, n, v, w in connection.execute(query):
            grain = key[2]
            first = -(-max(month, SINCE) // grain) * grain
            for start in range(first, before - grain + 1, grain):
                for index, people in enumerate((p, x, e, s, d, n, v, w)):
                    found[(*key, start)][index] += people
    return {key: tuple(counts) for key, counts in found.items() if any(counts)}


def nameless(found: States, hub: Hub) -> States:
    """Return *found* with those who are erased by now added up."""
    with hub.engine.connect() as connection:
        known = set(connection.execute(text("SELECT id FROM record")).scalars())
    summed: dict[tuple, Any] = defaultdict(lambda: (0,) * len(COUNTS))
    for (measure, subject, *rest), counts in found.items():
        key = (measure, subject if subject in known else 0, *rest)
        summed[key] = tuple(map(sum, zip(summed[key], counts, strict=True)))
    return {key: counts for key, counts in summed.items() if any(counts)}


async def test_what_is_noted_is_the_difference_to_what_was_published(
    hub: Hub, network: Network, clock: Clock
):
    """
    Random deliveries, corrections, withdrawals, joins, erasures and a full count.

    Two releases, so that some intervals were published with what was late for others.
    """
    random = Random(11)
    ehr = network.ehr(scopes=(*CLINIC_SCOPES, "system/purge"))
    await ehr.send(batch(*(entry for name in NAMES for entry in someone(name))))
    published: States = {}
    told = 0
    for _ in range(2):
        for _ in range(20):
            await something(ehr, random)
        publish(hub)
        before = closed_before(hub)
        now = states(hub, "subject_event", before=before)
        published |= {
            key: counts for key, counts in now.items() if key[-1] + key[2] > told
        }
        told = before
        for _ in range(20):
            await something(ehr, random)
            count(hub)
        clock.pass_seconds(2 * A_MONTH)
    await ehr.call("POST", f"/Patient/{NAMES[3]}/$purge")
    await join(ehr, NAMES[5])
    recounts.refresh(hub)
    count(hub)

    late = states(hub, "late_event", before=told)

    now = states(hub, "subject_event", before=told)
    was = nameless(published, hub)
    nobody = (0,) * len(COUNTS)
    difference = {
        key: tuple(
            a - b
            for a, b in zip(now.get(key, nobody), was.get(key, nobody), strict=True)
        )
        for key in now.keys() | was.keys()
    }
    assert late == {key: counts for key, counts in difference.items() if any(counts)}
    assert {key[2] for key in late} == {1, 3, 12}
    assert any(key[1] == 0 for key in late), "who was erased was published"
    after = states(hub, "late_event", before=told + 24)
    assert {k: c for k, c in after.items() if k[-1] + k[2] > told} == {}

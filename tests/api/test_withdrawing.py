"""Taken back: by DELETE or as entered in error, through each door, and brought back."""

from collections.abc import Callable
from typing import Any

import pytest

from app.services.hub import Hub
from tests import make
from tests.api.test_counting import cells_of, count, diabetic, result
from tests.api.test_joins import acts_of
from tests.hubs import Caller, Network, current_of

pytestmark = pytest.mark.anyio

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
TYPES = {"Patient": 1, "Encounter": 2, "Observation": 3, "Condition": 4}


def someone() -> dict[str, dict]:
    """Return one resource of each type that counts, by its path."""
    resources = [entry["resource"] for entry in diabetic("a")]
    resources.append(result("a", 9.5, day="2026-02-03", own_id="r"))
    return {f"{each['resourceType']}/{each['id']}": each for each in resources}


PATHS = list(someone())


def in_error(resource: dict) -> dict:
    """Return the version that says that *resource* was a mistake."""
    if resource["resourceType"] == "Condition":
        status: Any = make.concept(VERIFICATION, "entered-in-error")
        return resource | {"verificationStatus": status}
    return resource | {"status": "entered-in-error"}


async def by_delete(ehr: Caller, path: str) -> int:
    return (await ehr.delete(path)).status_code


def by_delete_in(kind: str) -> Callable:
    async def send(ehr: Caller, path: str) -> int:
        return int((await ehr.send(make.bundle(kind, make.delete(path))))[0])

    return send


async def by_status(ehr: Caller, path: str) -> int:
    return (await ehr.put(in_error(someone()[path]))).status_code


def by_status_in(kind: str) -> Callable:
    async def send(ehr: Caller, path: str) -> int:
        entry = make.put(in_error(someone()[path]))
        return int((await ehr.send(make.bundle(kind, entry)))[0])

    return send


DELETES = (by_delete, by_delete_in("batch"), by_delete_in("transaction"))
STATUSES = (by_status, by_status_in("batch"), by_status_in("transaction"))
WAYS = [
    pytest.param(way, path, marks=pytest.mark.conforms(row), id=f"{n}-{path}")
    for row, ways in (("R16", DELETES), ("R20", STATUSES))
    for n, way in enumerate(ways)
    for path in PATHS
    if ways is DELETES or path != "Patient/a"  # a Patient has no such status
]


@pytest.mark.parametrize(("way", "path"), WAYS)
async def test_what_is_withdrawn_is_gone_and_comes_back(
    hub: Hub, network: Network, way: Callable, path: str
):
    """410, out of the cells; the same answer twice; a good version restores all."""
    ehr = network.ehr()
    await ehr.send(make.batch(*map(make.put, someone().values())))
    count(hub)
    cells = cells_of(hub)

    statuses = [await way(ehr, path), await way(ehr, path)]
    gone = (await ehr.read(path)).status_code
    count(hub)
    without = cells_of(hub)
    restored = await ehr.put(someone()[path])
    count(hub)

    assert set(statuses) <= {200, 204}
    assert [gone, restored.status_code] == [410, 201]
    assert without != cells
    assert cells_of(hub) == cells
    type_ = TYPES[path.partition("/")[0]]
    assert acts_of(hub) == [
        ("alpha-ehr", "withdraw", type_, 1),
        ("alpha-ehr", "restore", type_, 1),
    ]


@pytest.mark.conforms("R20")
async def test_an_older_good_version_does_not_undo_a_withdrawal(network: Network):
    """Last month's file still has what was entered in error since."""
    ehr = network.ehr()
    good, wrong, better = (
        {"lastUpdated": f"2026-0{month}-01T00:00:00Z"} for month in (1, 2, 3)
    )
    await ehr.put(make.lab(7.1, id="o1", meta=good))
    await ehr.put(in_error(make.lab(7.1, id="o1", meta=wrong)))

    await ehr.put(make.lab(7.1, id="o1", meta=good))
    after_old = (await ehr.read("Observation/o1")).status_code
    await ehr.put(make.lab(7.2, id="o1", meta=better))

    assert after_old == 410
    assert (await ehr.read("Observation/o1")).status_code == 200


@pytest.mark.conforms("R16")
async def test_what_was_never_here_is_deleted_all_the_same(network: Network, hub: Hub):
    """The sender wants it gone, and it is; there is nothing to write down."""
    ehr = network.ehr()

    single = await ehr.delete("Observation/none")
    entry = await ehr.send(make.batch(make.delete("Condition/none")))

    assert (single.status_code, entry) == (204, ["204"])
    assert acts_of(hub) == []


@pytest.mark.conforms("R16", mutation="the record is of another source")
async def test_a_delete_that_is_refused_in_a_batch_spares_the_others(network: Network):
    """Another source's record, by its hub id: 403 for that entry alone."""
    ehr = network.ehr("alpha-ehr")
    lab = network.ehr("alpha-lab", source="lab", base_urls=("https://lab.example/r4",))
    own = (await ehr.post(make.lab(7.1))).json()["id"]
    delete = make.delete(f"Observation/{own}")

    statuses = await lab.send(make.batch(delete, make.post(make.lab(7.2))))

    assert statuses == ["403", "201"]
    assert (await ehr.read(f"Observation/{own}")).status_code == 200


async def test_a_withdrawn_patient_takes_nothing_along(network: Network, hub: Hub):
    """Its results stay and count where no age is asked; $purge takes them all."""
    ehr = network.ehr()
    await ehr.send(make.batch(*map(make.put, someone().values())))

    await ehr.delete("Patient/a")

    assert current_of(hub.engine) == {"Encounter": 1, "Observation": 1, "Condition": 1}
    assert (await ehr.read("Observation/r")).status_code == 200

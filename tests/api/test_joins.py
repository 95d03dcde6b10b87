"""Joins follow from what the current Patients say, and end with it."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.services.hub import Hub
from tests import make
from tests.api.test_counting import cells_of, count, diabetic, result, series
from tests.hubs import Caller, Network, people_of

pytestmark = pytest.mark.anyio

BORN = "1970-05-01"


def replacing(other: str, relation: str = "replaces") -> dict:
    link = {"other": make.reference(f"Patient/{other}"), "type": relation}
    return {"link": [link]}


def chart(own_id: str, **elements: Any) -> dict:
    """Return the Patient that `diabetic` sends, saying more."""
    return make.patient(id=own_id, birthDate=BORN, **elements)


def facts_of(hub: Hub) -> list[tuple]:
    """Return every fact and what is known of whom it is about."""
    with hub.engine.connect() as connection:
        return [
            tuple(row)
            for table in ("observation", "condition", "visit")
            for row in sorted(
                connection.execute(text(f"SELECT f.*, s.* {_OF.format(table)}")).all(),
                key=str,
            )
        ]


_OF = "FROM {} f JOIN subject s ON s.id = f.subject_id"


def acts_of(hub: Hub) -> list[tuple]:
    """Return the lines of the audit."""
    with hub.engine.connect() as connection:
        query = text("SELECT client_id, act, record_type, count FROM audit ORDER BY id")
        return [tuple(row) for row in connection.execute(query)]


Undo = Callable[[Caller], Awaitable[Any]]


async def unlinked(ehr: Caller) -> None:
    """The EHR unmerged the charts: the Patient comes again, without its link."""
    assert (await ehr.put(chart("b"))).status_code == 200


async def deleted(ehr: Caller) -> None:
    """The chart that said so was deleted."""
    assert (await ehr.delete("Patient/b")).status_code == 204


async def deleted_in_a_bundle(ehr: Caller) -> None:
    """The same, as an entry."""
    assert await ehr.send(make.transaction(make.delete("Patient/b"))) == ["204"]


@pytest.mark.parametrize("undo", [unlinked, deleted, deleted_in_a_bundle])
async def test_a_merge_that_is_undone_counts_apart_as_before(
    hub: Hub, network: Network, undo: Undo
):
    """Two charts, merged by mistake: one patient, then two, with the facts of each."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("a"), *diabetic("b")))
    await ehr.put(result("a", 7.0, day="2026-02-03", own_id="ra"))
    await ehr.put(result("b", 9.5, day="2026-02-03", own_id="rb"))
    count(hub)
    cells, facts = cells_of(hub), facts_of(hub)
    two = (await series(ehr, clinic="alpha"))["2026-02-01"]

    await ehr.put(chart("b", **replacing("a")))
    count(hub)
    one = (await series(ehr, clinic="alpha"))["2026-02-01"]
    await undo(ehr)
    count(hub)
    if undo is not unlinked:  # the withdrawn chart's birth date went with it
        await ehr.put(chart("b"))
        count(hub)

    assert (two["n"], two["d"], one["d"]) == (1, 2, 1)
    assert (cells_of(hub), facts_of(hub)) == (cells, facts)
    joins = [(c, act, n) for c, act, _, n in acts_of(hub) if act in {"join", "part"}]
    assert joins == [("alpha-ehr", "join", 1), ("alpha-ehr", "part", 1)]


async def test_a_record_number_that_is_taken_away_parts_what_it_joined(
    hub: Hub, network: Network
):
    """Filed under the wrong MRN: the Patient comes again without it."""
    ehr = network.ehr()
    by_mrn = {"subject": {"identifier": make.identifier("M1")}}
    await ehr.put(make.lab(7.1, id="o1", subject=make.reference("Patient/p1")))
    await ehr.put(make.lab(7.2, id="o2", **by_mrn))

    await ehr.put(make.patient(id="p1", identifier=[make.identifier("M1")]))
    joined = people_of(hub.engine)
    await ehr.put(make.patient(id="p1"))

    assert (joined, people_of(hub.engine)) == (1, 2)


async def test_what_came_by_a_record_number_goes_with_it(hub: Hub, network: Network):
    """Also where the Patient had it first: its results were never the id's."""
    ehr = network.ehr()
    mrn = make.identifier("M1")
    await ehr.put(make.patient(id="p1", identifier=[mrn], gender="female"))
    await ehr.put(make.lab(7.1, id="o1", subject=make.reference("Patient/p1")))
    await ehr.put(make.lab(7.2, id="o2", subject={"identifier": mrn}))
    before = people_of(hub.engine)

    await ehr.put(make.patient(id="p1", gender="female"))
    await ehr.put(make.patient(id="p2", identifier=[mrn], gender="male"))

    assert (before, people_of(hub.engine)) == (1, 2)
    subject = (await ehr.read("Observation/o2")).json()["subject"]["reference"]
    assert (await ehr.read(subject)).json()["gender"] == "male"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_chain_of_three_comes_apart_in_the_middle(
    hub: Hub, network: Network, order: tuple
):
    """p3 is p2, p2 is p1; without p2's word there are p1, and p2 with p3."""
    ehr = network.ehr()
    for name in ("p1", "p2", "p3"):
        about = make.reference(f"Patient/{name}")
        await ehr.put(make.lab(7.1, id=f"o-{name}", subject=about))
    charts = [chart("p1"), chart("p2", **replacing("p1"))]
    charts.append(chart("p3", **replacing("p2")))

    for index in order:
        await ehr.put(charts[index])
    whole = people_of(hub.engine)
    await ehr.put(chart("p2"))
    two = people_of(hub.engine)
    await ehr.delete("Patient/p3")

    assert [whole, two, people_of(hub.engine)] == [1, 2, 3]


async def test_two_words_for_one_join_outlive_either(hub: Hub, network: Network):
    """Both charts say it; that one no longer does changes nothing."""
    ehr = network.ehr()
    for name in ("a", "b"):
        about = make.reference(f"Patient/{name}")
        await ehr.put(make.lab(7.1, id=f"o-{name}", subject=about))
    await ehr.put(chart("a", **replacing("b", "replaced-by")))
    await ehr.put(chart("b", **replacing("a")))

    await ehr.delete("Patient/b")
    after_one = people_of(hub.engine)
    await ehr.delete("Patient/a")

    assert (after_one, people_of(hub.engine)) == (1, 2)


async def test_an_older_version_joins_nobody(hub: Hub, network: Network):
    """Last month's file still has the link that was taken back since."""
    ehr = network.ehr()
    for name in ("a", "b"):
        about = make.reference(f"Patient/{name}")
        await ehr.put(make.lab(7.1, id=f"o-{name}", subject=about))
    old, new = ({"lastUpdated": f"2026-0{m}-01T00:00:00Z"} for m in (1, 2))

    await ehr.put(chart("b", meta=new))
    await ehr.put(chart("b", meta=old, **replacing("a")))

    assert people_of(hub.engine) == 2


async def test_a_link_within_a_bundle_joins(hub: Hub, network: Network):
    """By fullUrl, to an entry further down; sent again it still does."""
    ehr = network.ehr()
    urns = [f"urn:uuid:6f2a4a34-1111-4222-8333-00000000000{n}" for n in (1, 2)]
    link = [{"other": make.reference(urns[1]), "type": "replaces"}]
    entries = [
        make.put(chart("a", link=link), fullUrl=urns[0]),
        make.put(chart("b"), fullUrl=urns[1]),
        *(make.put(make.lab(7, id=u[-1], subject=make.reference(u))) for u in urns),
    ]

    await ehr.send(make.transaction(*entries))
    first = people_of(hub.engine)
    await ehr.send(make.transaction(*entries))

    assert (first, people_of(hub.engine)) == (1, 1)


BY_ID = {"subject": make.reference("Patient/p1")}
BY_MRN = {"subject": {"identifier": make.identifier("M1")}}
JOINING = make.patient(id="p1", identifier=[make.identifier("M1")])


@pytest.mark.parametrize(
    "twins",
    [
        (make.lab(7.1, **BY_ID), make.lab(7.1, **BY_MRN)),
        (make.lab(7.1, id="o1", **BY_ID), make.lab(7.1, **BY_MRN)),
        (make.condition(**BY_ID), make.condition(**BY_MRN)),
    ],
    ids=["nameless", "with an id", "condition"],
)
async def test_a_result_sent_under_both_names_counts_once_when_they_join(
    hub: Hub, network: Network, twins: tuple[dict, dict]
):
    """By the interface engine with the MRN, by the export with the id; then parted."""
    ehr = network.ehr()

    def counted() -> int:
        return len(facts_of(hub))

    for twin in twins:
        await ehr.post(twin)
    apart = counted()
    await ehr.put(JOINING)
    joined = counted()
    again = [(await ehr.post(twin)).status_code for twin in twins]
    repeated = counted()
    await ehr.put(make.patient(id="p1"))

    assert (apart, joined, repeated, counted()) == (2, 1, 1, 2)
    assert again == [200, 200]


async def test_equal_results_of_different_ids_are_two_after_a_join(
    hub: Hub, network: Network
):
    """An id says what is what, whatever was joined."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1", **BY_ID))
    await ehr.put(make.lab(7.1, id="o2", **BY_MRN))

    await ehr.put(JOINING)

    assert len(facts_of(hub)) == 2


async def test_a_correction_corrects_the_twin_as_well(hub: Hub, network: Network):
    """What was once told to be the same is not counted by its old value."""
    ehr = network.ehr()
    await ehr.post(make.lab(7.1, **BY_MRN))
    await ehr.put(make.lab(7.1, id="o1", **BY_ID))
    await ehr.put(JOINING)

    await ehr.put(make.lab(7.4, id="o1", status="corrected", **BY_ID))

    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT value FROM observation")).all()
    assert [row.value for row in rows] == [7400]


async def test_a_join_by_whatever_came_first_leaves_the_same_description(
    network: Network, hub: Hub
):
    """Where two charts differ the newest is believed, whichever was here first."""
    ehr = network.ehr()
    charts = [
        make.patient(id=f"{n}", birthDate=f"19{n}0-05", meta=at, **link)
        for n, at, link in (
            (5, {"lastUpdated": "2026-01-01T00:00:00Z"}, {}),
            (6, {"lastUpdated": "2026-02-01T00:00:00Z"}, replacing("5")),
        )
    ]
    other = network.ehr("beta-ehr")

    for each in charts:
        await ehr.put(each)
    for each in reversed(charts):
        await other.put(each)

    with hub.engine.connect() as connection:
        query = "SELECT birth_month FROM subject WHERE joined_to IS NULL"
        months = [row.birth_month for row in connection.execute(text(query))]
    assert months == [1960 * 12 + 4] * 2

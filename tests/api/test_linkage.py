"""One patient at two clinics: what is stored of it, when it goes, and who sees it."""

import dataclasses
import itertools
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.services import exports, registry
from app.services.hub import Hub
from app.services.linkage import keep_to_policy
from app.store import linkage
from app.store.sessions import open_engine, write_session
from tests import make
from tests.deidentification import linking
from tests.hubs import Caller, Clock, Network, hub_on, rows_of
from tests.reference.namesakes import someone

pytestmark = pytest.mark.anyio

SCOPES = (*registry.CLINIC_SCOPES, "system/purge")
TABLES = ("linkage_token", "linkage_cluster")


@pytest.fixture
def is_allowed() -> bool:
    """The policy's switch; a test turns it off."""
    return True


@pytest.fixture
def hub(
    shared_parts: Hub,
    database_url: str,
    clock: Clock,
    *,
    is_allowed: bool,
) -> Iterator[Hub]:
    """A hub whose policy allows linkage."""
    engine = open_engine(database_url)
    opened = hub_on(shared_parts, engine, clock)
    yield linked(opened) if is_allowed else opened
    engine.dispose()


def linked(hub: Hub) -> Hub:
    return dataclasses.replace(hub, policy=linking(hub.policy))


@pytest.fixture
def alpha(network: Network) -> Caller:
    return network.ehr("alpha-ehr", scopes=SCOPES)


@pytest.fixture
def beta(network: Network) -> Caller:
    return network.ehr("beta-ehr", scopes=SCOPES)


def named(own_id: str, given: str, family: str, **elements) -> dict:
    return someone(given, family) | {"id": own_id} | elements


def stored(hub: Hub) -> dict[str, int]:
    """Return how many rows there are of linkage."""
    rows = rows_of(hub.engine)
    return {table: len(rows[table]) for table in TABLES}


Known = tuple[str, int, int | None]


def together(hub: Hub) -> set[frozenset[Known]]:
    """Return who is one person, each by clinic and by the months of birth and death."""
    query = text(
        "SELECT l.cluster_id, c.code, s.birth_month, s.death_month "
        "FROM linkage_cluster l JOIN subject s ON s.id = l.subject_id "
        "JOIN clinic c ON c.id = s.clinic_id"
    )
    found: dict[int, set[Known]] = {}
    with hub.engine.connect() as connection:
        for cluster, *known in connection.execute(query):
            found.setdefault(cluster, set()).add(tuple(known))
    return {frozenset(group) for group in found.values()}


def size_of_clusters(hub: Hub) -> list[int]:
    return sorted(map(len, together(hub)))


async def put(ehr: Caller, *resources: dict) -> None:
    if not resources:
        return
    for status in await ehr.send(make.batch(*map(make.put, resources))):
        assert status in {"200", "201"}


@pytest.mark.parametrize("is_allowed", [False])
async def test_without_the_policys_leave_nothing_is_stored(
    hub: Hub, alpha: Caller, beta: Caller
):
    """The switch is off by default: there is not one row."""
    for ehr in (alpha, beta):
        await put(ehr, named("p1", "Anna", "Kowalski"))

    assert stored(hub) == dict.fromkeys(TABLES, 0)


async def test_a_patient_of_two_clinics_is_one_person(
    hub: Hub, alpha: Caller, beta: Caller
):
    """By their names and birth date; the clinics' ids have no part in it."""
    await put(alpha, named("p1", "Anna", "Kowalski"), named("p2", "Eva", "Berg"))
    assert together(hub) == set()

    await put(beta, named("q7", "Anna", "Kovalski"))

    ((one, other),) = together(hub)
    assert {one[0], other[0]} == {"alpha", "beta"}


async def test_turning_the_switch_off_drops_all(hub: Hub, alpha: Caller, beta: Caller):
    """A hub that starts under a policy without it keeps no token."""
    for ehr in (alpha, beta):
        await put(ehr, named("p1", "Anna", "Kowalski"))
    keep_to_policy(hub)
    assert all(stored(hub).values())

    off = dataclasses.replace(hub, policy=linking(hub.policy, is_on=False))
    keep_to_policy(off)

    assert stored(hub) == dict.fromkeys(TABLES, 0)


async def test_who_was_sent_before_is_linked_when_sent_again(
    hub: Hub, alpha: Caller, beta: Caller
):
    """A repetition has nothing new, but it may be the first since it was allowed."""
    for ehr in (alpha, beta):
        await put(ehr, named("p1", "Anna", "Kowalski"))
    off = dataclasses.replace(hub, policy=linking(hub.policy, is_on=False))
    keep_to_policy(off)

    for ehr in (alpha, beta):
        await put(ehr, named("p1", "Anna", "Kowalski"))

    assert size_of_clusters(hub) == [2]


async def test_a_new_version_is_linked_by_what_it_says_now(
    hub: Hub, alpha: Caller, beta: Caller
):
    """A chart that was mixed up is put right: its tokens go, and the link with them."""
    await put(alpha, named("p1", "Anna", "Kowalski"))
    await put(beta, named("q1", "Anna", "Kowalski"))
    before = stored(hub)["linkage_token"]

    await put(beta, named("q1", "Julia", "Kowalski"))

    assert together(hub) == set()
    assert stored(hub)["linkage_token"] == before


async def test_an_older_version_changes_nothing(hub: Hub, alpha: Caller, beta: Caller):
    """What comes late says what was, not what is."""
    new, old = ({"lastUpdated": f"2024-05-0{day}T00:00:00Z"} for day in (2, 1))
    await put(alpha, named("p1", "Anna", "Kowalski", meta=new))
    await put(beta, named("q1", "Anna", "Kowalski"))

    await put(alpha, named("p1", "Julia", "Kowalski", meta=old))

    assert size_of_clusters(hub) == [2]


async def test_a_withdrawn_patient_is_linked_to_nobody(
    hub: Hub, alpha: Caller, beta: Caller
):
    """Until it is sent again."""
    for ehr in (alpha, beta):
        await put(ehr, named("p1", "Anna", "Kowalski"))
    both = stored(hub)["linkage_token"]

    await beta.delete("Patient/p1")
    assert stored(hub) == {"linkage_token": both // 2, "linkage_cluster": 0}

    await put(beta, named("p1", "Anna", "Kowalski"))
    assert size_of_clusters(hub) == [2]


async def test_a_purge_erases_tokens_and_cluster(hub: Hub, alpha: Caller, beta: Caller):
    """And the other clinic's patient is one of one clinic again."""
    for ehr in (alpha, beta):
        await put(ehr, named("p1", "Anna", "Kowalski"))
    both = stored(hub)["linkage_token"]

    answer = await beta.call("POST", "/Patient/p1/$purge")

    assert answer.status_code == 200
    assert stored(hub) == {"linkage_token": both // 2, "linkage_cluster": 0}


async def test_a_third_who_goes_lets_the_other_two_be_linked(
    hub: Hub, alpha: Caller, beta: Caller
):
    """Two namesakes at one clinic cut the chain; with one of them gone it holds."""
    await put(alpha, named("p1", "Anna", "Kowalski"), named("p2", "Anna", "Kowalski"))
    await put(beta, named("q1", "Anna", "Kowalski"))
    assert together(hub) == set()

    await alpha.delete("Patient/p2")

    assert size_of_clusters(hub) == [2]


async def test_charts_that_a_clinic_joins_are_one_and_have_the_tokens_of_both(
    hub: Hub, alpha: Caller, beta: Caller
):
    """Then it does not matter which of the two is the other clinic's."""
    await put(alpha, named("p1", "Anna", "Kowalski"), named("p2", "Anna", "Kowalski"))
    await put(beta, named("q1", "Anna", "Kowalski"))
    link = {"other": make.reference("Patient/p1"), "type": "replaces"}

    await put(alpha, named("p2", "Anna", "Kowalski", link=[link]))
    assert size_of_clusters(hub) == [2]

    await put(alpha, named("p2", "Anna", "Kowalski", active=True))
    assert together(hub) == set()


async def test_nobody_is_shown_a_token(
    hub: Hub,
    alpha: Caller,
    beta: Caller,
    caplog: pytest.LogCaptureFixture,
    tmp_path,
):
    """Not by a reply, a log or an export; `$de-identify` says that there are some."""
    caplog.set_level(logging.DEBUG)
    patient = named("p1", "Anna", "Kowalski")
    said = []
    for ehr in (alpha, beta):
        said += [await ehr.put(patient), await ehr.read("Patient/p1")]
    said.append(await alpha.call("POST", "/$de-identify", patient))
    if hub.engine.dialect.name == "sqlite":
        exports.export(hub, tmp_path / "out")

    rows = rows_of(hub.engine)
    tokens = {bytes(token) for *_, token in rows["linkage_token"]}
    clusters = {str(cluster).encode() for _, cluster in rows["linkage_cluster"]}
    logs = " ".join(str(vars(record)) for record in caplog.records)
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    seen = b" ".join(answer.content for answer in said) + logs.encode() + written
    assert len(clusters) == 1
    assert tokens
    for secret in {*tokens, *(token.hex().encode() for token in tokens), *clusters}:
        assert secret not in seen
    assert {"name": "linkage", "valueBoolean": True} in said[-1].json()["parameter"]
    assert b"owalski" not in json.dumps(rows, default=str).encode()


BORN = {"birthDate": "1990-02-03"}
SENT = [
    ("alpha", named("a1", "Anna", "Kowalski")),
    ("beta", named("b1", "Anna", "Kovalski")),
    ("alpha", named("a2", "Jayden", "Ott", **BORN)),
    ("beta", named("b2", "Jaden", "Ott", **BORN)),
    ("beta", named("b3", "Jayden", "Ott", deceasedDateTime="2020-01-02", **BORN)),
    ("alpha", named("a4", "Bob", "Adair", birthDate="1991-02-03")),
    ("alpha", named("a4", "Eve", "Adair", birthDate="1992-02-03")),
    ("beta", named("b4", "Eve", "Adair", birthDate="1992-02-03")),
    ("gamma", named("c4", "Bob", "Adair", birthDate="1991-02-03")),
    ("alpha", named("a5", "Sofia", "Garcia", birthDate="1993-03-04")),
    ("beta", named("b5", "Sofia", "Garcia-Ruiz", birthDate="1993-03-04")),
    ("gamma", named("c5", "Sofia", "Ruiz", birthDate="1993-03-04")),
    ("gamma", named("c6", "Sofia", "Ruiz", birthDate="1993-04-03")),
]
"""Each with the clinic; of one that stands twice the later is the newer version."""
EXPECTED = {
    frozenset({("alpha", 1987 * 12 + 3, None), ("beta", 1987 * 12 + 3, None)}),
    frozenset({("alpha", 1990 * 12 + 1, None), ("beta", 1990 * 12 + 1, 2020 * 12)}),
    frozenset({("alpha", 1992 * 12 + 1, None), ("beta", 1992 * 12 + 1, None)}),
    frozenset((clinic, 1993 * 12 + 2, None) for clinic in ("alpha", "beta", "gamma")),
}
"""Jaden is cut off by the stronger link of Jayden, c6 by that of c5."""
NUMBERS = itertools.count()


@given(order=st.permutations(range(len(SENT))), cuts=st.sets(st.integers(1, 12)))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_any_order_of_deliveries_gives_the_same_clusters(
    hub: Hub, network: Network, order: list[int], cuts: set[int]
):
    """Who came first, and in which Bundle, has no say."""
    run = next(NUMBERS)
    ehrs = {c: network.ehr(f"{c}-{run}", clinic=f"{c}{run}") for c in "abg"}
    with write_session(hub.engine) as session:
        linkage.forget_all(session)
    edges = [0, *sorted(cuts), len(order)]
    for start, end in itertools.pairwise(edges):
        for letter, ehr in ehrs.items():
            await put(
                ehr, *(at(i) for i in order[start:end] if SENT[i][0][0] == letter)
            )

    assert together(hub) == {
        frozenset((f"{clinic[0]}{run}", *born) for clinic, *born in group)
        for group in EXPECTED
    }


def at(index: int) -> dict:
    """Return what is sent, with its place in the sender's order."""
    order = {"meta": {"lastUpdated": f"2024-05-01T{index:02}:00:00Z"}}
    return SENT[index][1] | order

"""A key is rotated: what is stored is found, nothing doubles, and one day it may go."""

import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from app.deid.pseudonyms import KeyRing
from app.domain.errors import ConflictError
from app.services import concept_maps, keys
from app.services.authorization import Principals
from app.services.hub import Hub
from app.services.registry import MAIN_SOURCE
from app.services.sealing import seal, unseal
from app.settings import Settings
from app.store import clinics, jobs
from app.store.concepts import ConceptCache
from app.store.jobs import JobState
from app.store.sessions import read_session, write_session
from app.store.staging import next_staged, stage
from tests import make
from tests.api.test_summaries import count, kept, line_days, months, report
from tests.concept_maps import LAB, one_code
from tests.hubs import BASE_URL, Caller, Network, app_of, current_of

pytestmark = pytest.mark.anyio

OLD, NEW = b"\x5a" * 32, b"\xa5" * 32
MRN_1 = make.identifier("M1")
ABOUT = {"subject": make.reference("Patient/p1")}
LOCAL_CODE = {"code": make.concept(LAB, "GLYCO")}

EVERYTHING = [
    make.put(make.patient(id="p1", birthDate="1970-05-01", identifier=[MRN_1])),
    make.put(make.encounter(id="v1", period={"start": "2024-01-10"}, **ABOUT)),
    make.put(make.lab(7.1, id="o1", encounter=make.reference("Encounter/v1"), **ABOUT)),
    make.put(make.lab(7.2, id="o2", subject={"identifier": MRN_1})),
    make.put(make.lab(7.3, id="o3", **LOCAL_CODE, **ABOUT)),
    make.post(make.lab(7.4, **ABOUT)),  # known by its content alone
    make.post(make.lab(7.5, identifier=[make.identifier("A1")], **ABOUT)),
    make.put(make.condition(id="c1", onsetDateTime="2020-02", **ABOUT)),
    make.post(line_days(310)),
    make.post(report(2, 310)),
]
KEPT = {"Patient": 1, "Encounter": 1, "Observation": 6, "Condition": 1}
KEPT |= {"MeasureReport": 1}


def with_keys(hub: Hub, current: int, masters: dict[int, bytes]) -> Hub:
    """Return the hub as it starts with another key file."""
    ring = KeyRing(network=hub.keys.network, current=current, masters=masters)
    return dataclasses.replace(
        hub, keys=ring, concepts=ConceptCache(hub.engine), principals=Principals()
    )


@pytest.fixture
def rotated(hub: Hub) -> Hub:
    """The hub after `catchment key rotate`, started again."""
    assert hub.keys.masters == {1: OLD}
    keys.check_keys(hub)
    again = with_keys(hub, 2, {1: OLD, 2: NEW})
    keys.check_keys(again)
    return again


@pytest.fixture
async def later(ehr: Caller, rotated: Hub, settings: Settings) -> AsyncIterator[Caller]:
    """The same EHR, calling the hub that was started again."""
    transport = httpx.ASGITransport(app=app_of(rotated, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        yield dataclasses.replace(ehr, http=http, hub=rotated, token="", until=0)


def listed(hub: Hub) -> dict[str, tuple[str, str, str]]:
    """Return the state, names and records of each key version."""
    with read_session(hub.engine) as session:
        return {
            line.version: (line.state, line.names, line.records)
            for line in keys.lines(session, hub)
        }


def rows(hub: Hub, query: str) -> list[tuple]:
    with hub.engine.connect() as connection:
        return sorted(map(tuple, connection.execute(text(query))))


FACTS = (
    "SELECT day, value, encounter_id, record_id FROM observation",
    "SELECT record_id, onset_month FROM condition",
    "SELECT record_id, day FROM visit",
    "SELECT record_id, value FROM summary_fact",
)


async def test_after_a_full_re_send_nothing_doubled_and_the_old_key_may_go(
    hub: Hub, ehr: Caller, rotated: Hub, later: Caller
):
    """By id, identifier, content, local code and ward: each is the record it was."""
    statuses = await ehr.send(make.batch(*EVERYTHING))
    before = [rows(hub, query) for query in FACTS]

    again = await later.send(make.batch(*EVERYTHING))

    assert set(statuses) == {"201"}
    assert set(again) == {"200"}
    assert current_of(hub.engine) == KEPT
    assert [rows(hub, query) for query in FACTS] == before
    state, names, records = listed(rotated)["1"]
    assert (state, names, records) == ("active", "0", "0")
    assert keys.retire(rotated, 1, force=False) == 0
    third = await later.send(make.batch(*EVERYTHING))
    assert set(third) == {"200"}
    assert current_of(hub.engine) == KEPT
    keys.check_keys(with_keys(hub, 2, {2: NEW}))


async def test_what_a_re_keyed_hub_holds_is_what_a_new_one_with_that_key_would(
    hub: Hub, ehr: Caller, later: Caller
):
    """No digest of the old key is left in a content or in a fact."""
    await ehr.send(make.batch(*EVERYTHING))
    old = set(digests(hub))

    await later.send(make.batch(*EVERYTHING))

    assert len(old) == 2  # a local code and a ward
    assert old.isdisjoint(digests(hub))
    assert len(digests(hub)) == 2
    assert [version for (version,) in rows(hub, VERSIONS)] == [2]


VERSIONS = "SELECT DISTINCT key_version FROM record WHERE content IS NOT NULL"


def digests(hub: Hub) -> list[str]:
    """Return the keyed codes and wards in what measures see."""
    in_facts = (
        "SELECT c.code FROM observation o JOIN concept c ON c.id = o.concept_id "
        "WHERE c.system = 'urn:catchment:local' UNION "
        "SELECT ward FROM summary_fact WHERE ward <> ''"
    )
    contents = str(rows(hub, "SELECT content FROM record WHERE content IS NOT NULL"))
    found = [digest for (digest,) in rows(hub, in_facts)]
    assert all(digest in contents for digest in found)
    return found


async def test_a_report_of_after_the_rotation_covers_its_wards_numbers_of_before(
    hub: Hub, ehr: Caller, later: Caller
):
    """Under two names one ward would be two, and its line days be counted twice."""
    await ehr.post(line_days(310))

    await later.post(report(2, 310, subject=make.reference("Location/picu")))

    count(hub)
    assert (await months(later))["2024-06"][:2] == (2, 310)
    assert len(kept(hub)) == 3
    wards = rows(hub, "SELECT DISTINCT ward FROM summary_fact")
    contents = rows(hub, "SELECT content FROM record WHERE content IS NOT NULL")
    assert len(wards) == 1
    assert all(wards[0][0] in content for (content,) in contents)


async def test_a_reference_alone_finds_whom_the_old_key_named(
    hub: Hub, ehr: Caller, later: Caller
):
    """A new result of a known patient makes no second patient."""
    await ehr.send(make.batch(EVERYTHING[0]))

    await later.put(make.lab(6.6, id="new", **ABOUT))
    by_identifier = make.lab(6.7, id="newer", subject={"identifier": MRN_1})
    await later.put(by_identifier)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 2}
    assert len(rows(hub, "SELECT DISTINCT subject_id FROM observation")) == 1
    assert (await later.read("Patient/p1")).json()["birthDate"] == "1970-05"


async def test_a_map_of_before_the_rotation_translates_what_comes_after(
    hub: Hub, ehr: Caller, later: Caller
):
    """The clinic need not send its map again."""
    concept_maps.load(hub, one_code("GLYCO", "4548-4"), clinic="alpha", source="ehr")

    await later.put(make.lab(7.3, id="o3", **LOCAL_CODE, **ABOUT))

    query = "SELECT c.code FROM observation o JOIN concept c ON c.id = o.concept_id"
    assert rows(hub, query) == [("4548-4",)]
    assert ehr.clinic == "alpha"


async def test_who_was_erased_under_the_old_key_stays_out_under_the_new(
    hub: Hub, network: Network, rotated: Hub, settings: Settings
):
    """And each name that is met is blocked by the new key from then on."""
    scopes = ("system/Patient.cruds", "system/Observation.cruds", "system/purge")
    ehr = network.ehr(scopes=scopes)
    await ehr.put(make.patient(id="p1"))
    await ehr.call("POST", "/Patient/p1/$purge")
    versions = "SELECT key_version FROM block"
    before = rows(hub, versions)

    transport = httpx.ASGITransport(app=app_of(rotated, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        later = dataclasses.replace(ehr, http=http, hub=rotated, token="", until=0)
        answers = [await later.put(make.patient(id="p1")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert before == [(1,), (1,)]  # its id, and the hub's
    assert rows(hub, versions) == [(1,), (2,)]


async def test_a_key_by_which_something_is_known_does_not_go_unforced(
    hub: Hub, ehr: Caller, rotated: Hub, later: Caller
):
    """Forced, what only it names goes too, and comes once when it is sent again."""
    await ehr.send(make.batch(*EVERYTHING))
    await later.send(make.batch(*EVERYTHING[:3]))

    with pytest.raises(
        ConflictError, match="still 5 names, 7 records and 0"
    ) as refused:
        keys.retire(rotated, 1, force=False)
    dropped = keys.retire(rotated, 1, force=True)
    left = current_of(hub.engine)
    await later.send(make.batch(*EVERYTHING))

    assert "dropped and must be collected again" in str(refused.value)
    assert dropped == 7
    assert left == {"Patient": 1, "Encounter": 1, "Observation": 1}
    assert current_of(hub.engine) == KEPT
    with pytest.raises(ConflictError, match="rotate"):
        keys.retire(rotated, 2, force=True)


@pytest.mark.usefixtures("ehr")
async def test_what_is_sealed_outlives_the_key_that_it_was_sealed_under(
    hub: Hub, rotated: Hub
):
    """A collection goes on, and connections keep their keys, when a version goes."""
    with read_session(hub.engine) as session:
        source = clinics.required_source(session, clinic="alpha", name=MAIN_SOURCE)
    places = seal(hub.keys, b'["searches"]'), seal(hub.keys, b'["pages"]')
    with write_session(hub.engine) as session:
        job_id = jobs.add_job(
            session,
            kind="collect",
            source_id=source.source_id,
            clinic_id=source.clinic_id,
            client_id="operator",
            state=JobState.WAITING,
            request="{}",
            now=hub.clock(),
            sealed=places[0],
        )
        stage(session, job_id, part=0, number=1, payload=places[1])

    keys.retire(rotated, 1, force=True)

    only_new = with_keys(hub, 2, {2: NEW})
    with read_session(hub.engine) as session:
        job, waiting = jobs.find_job(session, job_id), next_staged(session, job_id)
    assert job is not None
    assert job.sealed is not None
    assert waiting is not None
    assert unseal(only_new.keys, job.sealed) == b'["searches"]'
    assert unseal(only_new.keys, waiting.payload) == b'["pages"]'

"""Bundles: a batch entry by entry, a transaction all or nothing; whole records."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from app.demo.folders import Dealt, folder_deliveries
from app.domain.records import RecordType
from app.services.hub import Hub
from tests import make
from tests.hubs import Network, count_of, current_of, rows_of

pytestmark = pytest.mark.anyio

HOSPITAL = "http://hospital.smarthealthit.org"
KEPT = {type_.fhir_name for type_ in RecordType}
P1 = "urn:uuid:00000000-0000-4000-8000-0000000000a1"
E1 = "urn:uuid:00000000-0000-4000-8000-0000000000b1"
CLAIM = {"resourceType": "Claim", "status": "nobody looks"}


@pytest.mark.conforms("R10")
async def test_a_batch_answers_each_entry_in_its_place(network: Network, hub: Hub):
    """One refusal leaves the others alone (R10)."""
    ehr = network.ehr()
    await ehr.put(make.lab(5.0, id="old"))
    entries = [
        make.put(make.lab(7.1, id="o1")),
        make.post(make.lab(7.2, status="corrected")),
        make.put(make.lab(7.3, id="o3", subject=make.reference("Device/d1"))),
        make.delete("Observation/old"),
        make.post(CLAIM),
        "no entry at all",
        make.put(make.lab(7.4, id="o1", note=[])),
        make.put(make.patient(id="p1")),
    ]

    response = await ehr.call("POST", "", make.batch(*entries))

    assert response.status_code == 200
    answer = response.json()
    assert answer["type"] == "batch-response"
    statuses = [entry["response"]["status"] for entry in answer["entry"]]
    assert statuses == ["201", "422", "422", "204", "200", "400", "400", "201"]
    first = answer["entry"][0]["response"]
    assert first["location"] == "Observation/o1/_history/1"
    assert first["etag"] == 'W/"1"'
    places = [
        entry["response"].get("outcome", {}).get("issue", [{}])[0].get("expression")
        for entry in answer["entry"]
    ]
    assert places[1] == ["Bundle.entry[1].resource.status"]
    assert places[2] == ["Bundle.entry[2].resource.subject"]
    assert places[5] == ["Bundle.entry[5]"]
    assert current_of(hub.engine) == {"Observation": 1, "Patient": 1}


@pytest.mark.conforms("R10", mutation="one entry is refused")
async def test_an_entry_that_is_refused_leaves_no_placeholder(
    network: Network, hub: Hub
):
    """Refused by what its encounter is, after its subject was read."""
    ehr = network.ehr()
    bad = make.lab(
        7.1,
        subject=make.reference("Patient/new"),
        encounter=make.reference("Encounter/hub-999"),
    )
    before = count_of(hub.engine)

    statuses = await ehr.send(make.batch(make.post(bad)))

    assert statuses == ["422"]
    assert count_of(hub.engine) == before


@pytest.mark.conforms("R11", mutation="one entry states another version")
async def test_one_bad_entry_stops_a_transaction(network: Network, hub: Hub):
    """All or nothing, a deletion included (R11)."""
    ehr = network.ehr()
    await ehr.put(make.lab(5.0, id="old"))
    before = rows_of(hub.engine)

    response = await ehr.call(
        "POST",
        "",
        make.transaction(
            make.delete("Observation/old"),
            make.put(make.patient(id="p9")),
            make.put(make.lab(7.1, id="o1")),
            make.put(make.lab(7.2, id="o2"), request={"ifMatch": 'W/"3"'}),
        ),
    )

    assert response.status_code == 412
    issue = response.json()["issue"][0]
    assert issue["expression"] == ["Bundle.entry[3].resource"]
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.conforms("R11")
async def test_entries_refer_to_each_other_by_full_url(
    network: Network, hub: Hub, *, backwards: bool
):
    """urn:uuid references are resolved in any order of entries (R11)."""
    ehr = network.ehr()
    entries = [
        make.post(make.patient(gender="female"), fullUrl=P1),
        make.post(make.encounter(subject=make.reference(P1)), fullUrl=E1),
        make.post(
            make.lab(7.1, subject=make.reference(P1), encounter=make.reference(E1))
        ),
        make.post(CLAIM | {"patient": make.reference(P1)}),
    ]
    ordered = entries[::-1] if backwards else entries

    response = await ehr.call("POST", "", make.transaction(*ordered))

    answers = [entry["response"] for entry in response.json()["entry"]]
    lab = answers[1 if backwards else 2]["location"].partition("/_history")[0]
    kept = (await ehr.read(lab)).json()
    assert (await ehr.read(kept["subject"]["reference"])).json()["gender"] == "female"
    assert (await ehr.read(kept["encounter"]["reference"])).status_code == 200
    assert current_of(hub.engine) == {"Patient": 1, "Encounter": 1, "Observation": 1}


async def test_other_types_are_acknowledged_and_discarded(network: Network, hub: Hub):
    """200, informational; not validated, whatever scopes and criteria say."""
    ehr = network.ehr()
    entries = [
        make.post(CLAIM, fullUrl="urn:uuid:x"),
        make.post(CLAIM, request={"ifNoneExist": "_id=5"}),
        make.put({"resourceType": "Practitioner", "id": "1"}),
        make.post(CLAIM, request={"method": "PUT", "url": "Claim?identifier=a|b"}),
        make.delete("Claim/1"),
    ]
    before = count_of(hub.engine)

    response = await ehr.call("POST", "", make.transaction(*entries))

    for entry in response.json()["entry"]:
        assert entry["response"]["status"] == "200"
        issue = entry["response"]["outcome"]["issue"][0]
        assert (issue["severity"], issue["code"]) == ("information", "not-supported")
    assert count_of(hub.engine) == before


async def test_a_bundle_without_entries_is_answered(network: Network):
    """FHIR has no empty arrays, so the answer has no entry either."""
    ehr = network.ehr()

    response = await ehr.call("POST", "", {"resourceType": "Bundle", "type": "batch"})

    assert response.json() == {"resourceType": "Bundle", "type": "batch-response"}


async def test_a_batch_may_hold_a_record_twice(network: Network, hub: Hub):
    """The second entry is the next version of the first."""
    ehr = network.ehr()

    statuses = await ehr.send(
        make.batch(
            make.put(make.lab(7.1, id="o1")),
            make.put(make.lab(7.2, id="o1")),
            make.put(make.lab(7.3, id="o1"), request={"ifNoneMatch": "*"}),
            make.post(make.lab(8.0)),
            make.post(make.lab(8.0)),
        )
    )

    assert statuses == ["201", "200", "412", "201", "200"]
    assert current_of(hub.engine) == {"Observation": 2}


@pytest.mark.conforms("R4")
@pytest.mark.conforms("R5")
async def test_conditional_entries(network: Network, hub: Hub):
    """Creates with ifNoneExist, and PUT with a criterion (R4, R5)."""
    ehr = network.ehr()
    condition = f"identifier={make.MRN}|A1"
    created = make.post(make.lab(7.1), request={"ifNoneExist": condition})
    updated = make.post(
        make.lab(7.2), request={"method": "PUT", "url": f"Observation?{condition}"}
    )

    first = await ehr.send(make.batch(created))
    second = await ehr.send(make.transaction(created))
    third = await ehr.send(make.transaction(updated))

    assert (first, second, third) == (["201"], ["200"], ["200"])
    assert current_of(hub.engine) == {"Observation": 1}


def raw_bundles(shared: Path) -> list[dict]:
    files = sorted((shared / "data/synthea_2019/bundles").glob("*.json.gz"))
    assert len(files) == 12
    return [json.loads(gzip.decompress(file.read_bytes())) for file in files]


def kept_resources(bundles: list[dict]) -> dict[tuple[str, str], dict]:
    """Return the resources that are kept, by type and id, each once."""
    return {
        (r["resourceType"], r["id"]): r
        for bundle in bundles
        for r in (entry["resource"] for entry in bundle["entry"])
        if r["resourceType"] in KEPT
    }


def first_codes(resources: list[dict], type_: str) -> Counter:
    return Counter(
        r["code"]["coding"][0]["code"] for r in resources if r["resourceType"] == type_
    )


def codes_kept(hub: Hub, type_: RecordType) -> Counter:
    query = text("SELECT content FROM record WHERE state = 1 AND type = :type")
    with hub.engine.connect() as connection:
        rows = connection.execute(query, {"type": int(type_)})
        return Counter(json.loads(row.content)["code"][0]["code"] for row in rows)


async def test_twelve_whole_records_are_stored_once_each(
    network: Network, hub: Hub, shared: Path
):
    """Real bundles, claims and all, as in the files; sent twice they are no news."""
    bundles = raw_bundles(shared)
    expected = kept_resources(bundles)
    ehr = network.ehr(identifier_systems=(HOSPITAL,))

    for bundle in bundles:
        statuses = await ehr.send(bundle)
        for entry, status in zip(bundle["entry"], statuses, strict=True):
            is_kept = entry["resource"]["resourceType"] in KEPT
            assert status == ("201" if is_kept else "200")

    assert current_of(hub.engine) == Counter(type_ for type_, _ in expected)
    for type_ in (RecordType.OBSERVATION, RecordType.CONDITION):
        raw = first_codes(list(expected.values()), type_.fhir_name)
        assert codes_kept(hub, type_) == raw
    assert count_of(hub.engine)["dirty"] == 12
    with hub.engine.begin() as connection:
        connection.execute(text("DELETE FROM dirty"))
    before = rows_of(hub.engine)
    for bundle in bundles:
        assert set(await ehr.send(bundle)) == {"200"}
    assert rows_of(hub.engine) == before


async def test_the_ndjson_of_the_same_patients_adds_only_what_is_new(
    network: Network, hub: Hub, shared: Path, tmp_path: Path
):
    """By Bundle or by NDJSON, a resource counts once; 123 patients come to all."""
    folder = tmp_path / "ndjson"
    folder.mkdir()
    whole = hub.engine.dialect.name == "sqlite"
    patients = kept_resources(raw_bundles(shared))
    subjects = {key[1] for key in patients if key[0] == "Patient"}
    lines: Counter = Counter()
    for file in (shared / "data/synthea_2019").glob("*.ndjson.gz"):
        chosen = [
            line
            for line in gzip.decompress(file.read_bytes()).splitlines()
            if whole or any(subject.encode() in line for subject in subjects)
        ]
        lines[file.name.partition(".")[0]] = len(chosen)
        (folder / file.name.removesuffix(".gz")).write_bytes(b"\n".join(chosen))
    ehr = network.ehr(identifier_systems=(HOSPITAL,))
    for bundle in raw_bundles(shared):
        await ehr.send(bundle)

    statuses: Counter = Counter()
    for dealt in folder_deliveries(folder, clinics=1):
        assert isinstance(dealt, Dealt)
        statuses.update(await ehr.send(dealt.delivery.body))

    assert statuses["200"] == len(patients)
    # One Observation's unit is not understood.
    refused = lines - Counter(current_of(hub.engine))
    assert refused == ({"Observation": 1} if whole else {})
    assert statuses["422"] == refused.total()
    if whole:
        assert lines == {
            "Patient": 123,
            "Encounter": 3837,
            "Observation": 19493,
            "Condition": 981,
        }

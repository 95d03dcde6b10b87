"""NDJSON that is pushed in bulk: what becomes of each line, told by one URL."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.hub import Hub
from app.services.registry import CLINIC_SCOPES
from tests import make
from tests.hubs import Caller, Clock, Network, current_of
from tests.importing import (
    Json,
    counts,
    issues_of,
    lines,
    lines_of,
    manifest_of,
    path_of,
    push,
    refused_lines,
    status_of,
    stored,
)

MEANT_FOR = make.reference("Patient/p1")
SQLITE = pytest.mark.parametrize("dialect", ["sqlite"])


async def test_who_waits_for_an_earlier_upload_is_told(ehr: Caller, hub: Hub):
    """Uploads of a source are stored one after the other, so that versions are."""
    first = await push(ehr, lines(make.patient(id="p1")))
    second = await push(ehr, lines(make.patient(id="p2")))

    said = [
        (await status_of(ehr, each)).headers["X-Progress"] for each in (first, second)
    ]

    assert said == [
        "storing: 0 of 1 lines stored or refused",
        "waiting for an earlier upload of this source: 0 of 1 lines stored or refused",
    ]
    stored(hub)
    assert (await status_of(ehr, second)).status_code == 200


async def test_lines_are_stored_as_single_resources_are(ehr: Caller, hub: Hub):
    """The same resource has the same fate by every door."""
    body = lines(
        make.patient(id="p1"),
        make.observation(id="o1", subject=MEANT_FOR),
        make.observation(id="o2", subject=MEANT_FOR, status="bogus"),
        {"resourceType": "Claim", "id": "c1"},
    )

    response = await push(ehr, body)
    before = await status_of(ehr, response)
    stored(hub)
    after = await status_of(ehr, response)

    assert before.status_code == 202
    assert before.headers["X-Progress"].startswith("storing")
    assert int(before.headers["Retry-After"]) > 0
    assert after.status_code == 200, after.text
    assert counts(after.json()) == {
        ("Patient", "created"): 1,
        ("Observation", "created"): 1,
        ("Observation", "refused"): 1,
        ("Claim", "discarded"): 1,
    }
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


Told = set[tuple[int, str, str, str | None]]


async def by_single_resources(ehr: Caller, resources: list[Json]) -> Any:
    """Return how many were taken, by type, and what is told of which line."""
    taken: Counter[str] = Counter()
    told: Told = set()
    for number, resource in enumerate(resources, 1):
        answer = await (ehr.put if "id" in resource else ehr.post)(resource)
        if answer.status_code < 400:
            taken[resource["resourceType"]] += 1
            continue
        for issue in answer.json()["issue"]:
            (at,) = issue.get("expression", [None])
            told.add((number, issue["code"], issue["diagnostics"], at))
    return dict(taken), told, await kept(ehr)


async def by_lines(ehr: Caller, resources: list[Json]) -> Any:
    """Return the same of lines of one body."""
    manifest = await manifest_of(ehr, lines(*resources))
    taken: Counter[str] = Counter()
    for (type_name, outcome), count in counts(manifest).items():
        if outcome != "refused":
            taken[str(type_name)] += count
    told: Told = set()
    for issue in await issues_of(ehr, manifest):
        (at,) = issue.get("expression", [None])
        for line in lines_of(issue):
            told.add((line, issue["code"], issue["diagnostics"], at))
    return dict(taken), told, await kept(ehr)


async def kept(ehr: Caller) -> list[tuple[int, str | None, object]]:
    """Return the status and version of each that may be there, and its value."""
    paths = [*(f"Observation/o{i}" for i in (1, 2, 3)), "Patient/p1", "Patient/p2"]
    answers = [await ehr.read(path) for path in paths]
    return [
        (
            answer.status_code,
            answer.headers.get("ETag"),
            answer.json().get("birthDate", answer.json().get("valueQuantity")),
        )
        for answer in answers
    ]


PEOPLE = st.sampled_from(["p1", "p2"])
OBSERVATIONS = st.builds(
    lambda own_id, subject, value, status, extra: {
        name: value
        for name, value in (
            make.lab(value, status=status, subject=make.reference(f"Patient/{subject}"))
            | extra
            | {"id": own_id}
        ).items()
        if value is not None
    },
    st.sampled_from(["o1", "o2", "o3", None]),
    PEOPLE,
    st.integers(5, 7),
    st.sampled_from(["final", "final", "amended", "entered-in-error", "bogus"]),
    st.sampled_from(
        [
            {},
            {},
            {"effectiveDateTime": "2024-02-30"},
            {"valueQuantity": {"value": 7, "unit": "M/uL", "code": "M/uL"}},
            {"meta": {"lastUpdated": "2024-03-02T00:00:00Z"}},
            {"meta": {"lastUpdated": "2024-03-01T00:00:00Z"}},
            {"subject": {"reference": "Patient/p1", "type": "Group"}},
            {"modifierExtension": [{"url": "x", "valueString": "y"}]},
        ]
    ),
)
PATIENTS = st.builds(
    lambda own_id, year: make.patient(id=own_id, birthDate=str(year)),
    PEOPLE,
    st.integers(1950, 1952),
)


@SQLITE
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.one_of(OBSERVATIONS, OBSERVATIONS, PATIENTS), min_size=1, max_size=8)
)
async def test_each_line_has_the_fate_of_a_single_resource(
    network: Network, resources: list[Json]
):
    """Whatever it is, and whatever came before it; refused in the same words."""
    number = next(NUMBERS)
    one, other = (network.ehr(f"{door}{number}-ehr") for door in ("single", "bulk"))
    # A phase of a batch comes after those that it refers to, so they are sent so.
    resources.sort(key=lambda resource: resource["resourceType"] != "Patient")

    single = await by_single_resources(one, resources)
    bulk = await by_lines(other, resources)

    assert bulk == single


NUMBERS = iter(range(1, 1_000_000))


async def test_the_hubs_own_ids_name_its_records(ehr: Caller):
    """As in the address of a PUT: what was created without an id can be replaced."""
    created = await ehr.post(make.lab(6))
    hub_id = created.headers["Location"].split("/")[-3]

    manifest = await manifest_of(
        ehr,
        lines(
            make.lab(7, id=hub_id),
            make.lab(8, id=f"{hub_id}999"),
        ),
    )

    assert counts(manifest)["Observation", "updated"] == 1
    assert counts(manifest)["Observation", "refused"] == 1
    assert (await ehr.read(f"Observation/{hub_id}")).headers["ETag"] == 'W/"2"'


async def test_references_may_come_before_what_they_name(ehr: Caller, hub: Hub):
    """Exports come as a file of each type, in no order."""
    first = await push(ehr, lines(make.lab(7, id="o1", subject=MEANT_FOR)))
    stored(hub)
    manifest = await manifest_of(ehr, lines(make.patient(id="p1")))

    assert first.status_code == 202
    assert counts(manifest) == {("Patient", "created"): 1}
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


async def test_of_two_versions_in_one_body_the_last_counts(ehr: Caller):
    """In the order of the lines, of which the sender is the master."""
    body = lines(make.lab(5, id="o1"), make.lab(6, id="o1"), make.lab(6, id="o1"))

    manifest = await manifest_of(ehr, body)
    kept = (await ehr.read("Observation/o1")).json()

    assert counts(manifest) == {
        ("Observation", "created"): 1,
        ("Observation", "updated"): 1,
        ("Observation", "unchanged"): 1,
    }
    assert kept["valueQuantity"]["value"] == 6


async def test_of_two_bodies_the_last_counts(ehr: Caller, hub: Hub):
    """Though both wait for the worker at once."""
    await push(ehr, lines(make.lab(5, id="o1")))
    await push(ehr, lines(make.lab(6, id="o1")))

    stored(hub)

    kept = (await ehr.read("Observation/o1")).json()
    assert kept["valueQuantity"]["value"] == 6


async def test_what_waited_does_not_replace_what_came_after_it(
    ehr: Caller, hub: Hub, clock: Clock
):
    """A correction by single PUT meets the worker still at the night's export."""
    await push(ehr, lines(make.lab(5, id="o1"), make.lab(5, id="o2", day="2024-03-02")))
    clock.pass_seconds(1)
    await ehr.put(make.lab(6, id="o1"))
    await ehr.put(make.lab(6, id="o2", day="2024-03-02"))
    await ehr.delete("Observation/o2")
    clock.pass_seconds(1)

    stored(hub)

    kept = (await ehr.read("Observation/o1")).json()
    assert kept["valueQuantity"]["value"] == 6
    assert (await ehr.read("Observation/o2")).status_code == 410


async def test_the_senders_own_order_goes_before_that(
    ehr: Caller, hub: Hub, clock: Clock
):
    """Where both say when they were changed it is no matter when they came."""

    def changed(value: float, hour: int) -> Json:
        meta = {"lastUpdated": f"2024-03-01T{hour:02}:00:00Z"}
        return make.lab(value, id="o1", meta=meta)

    await push(ehr, lines(changed(5, hour=9)))
    clock.pass_seconds(1)
    await ehr.put(changed(6, hour=8))

    stored(hub)

    kept = (await ehr.read("Observation/o1")).json()
    assert kept["valueQuantity"]["value"] == 5


async def test_a_line_that_was_entered_in_error_takes_a_record_back(ehr: Caller):
    """As a PUT of it does."""
    await ehr.put(make.lab(5, id="o1"))

    manifest = await manifest_of(
        ehr, lines(make.lab(5, id="o1", status="entered-in-error"))
    )

    assert counts(manifest) == {("Observation", "withdrawn"): 1}
    assert (await ehr.read("Observation/o1")).status_code == 410


async def test_an_erased_patient_stays_erased(network: Network, hub: Hub):
    """Whether it was erased before the lines came or while they waited."""
    ehr = network.ehr(scopes=(*CLINIC_SCOPES, "system/purge"))
    body = lines(
        make.patient(id="p1"),
        make.lab(5, id="o1", subject=MEANT_FOR),
    )
    response = await push(ehr, body)
    await ehr.call("POST", "/Patient/p1/$purge")

    stored(hub)

    manifest = (await status_of(ehr, response)).json()
    assert counts(manifest) == {
        ("Patient", "refused"): 1,
        ("Observation", "refused"): 1,
    }
    assert refused_lines(await issues_of(ehr, manifest)) == {1, 2}
    assert current_of(hub.engine) == {}


async def test_equal_errors_are_told_once(ehr: Caller):
    """With the first lines that have them; who sends 30 learns it from one issue."""
    wrong = [make.lab(5, id=f"o{i}", status="bogus") for i in range(30)]

    manifest = await manifest_of(ehr, lines(make.lab(5, id="fine"), *wrong))
    (issue,) = await issues_of(ehr, manifest)

    assert issue["expression"] == ["Observation.status"]
    assert lines_of(issue) == list(range(2, 22))
    assert {"url": "urn:catchment:count", "valueInteger": 30} in issue["extension"]
    assert issue["details"]["text"].startswith("30 lines: 2, 3,")
    assert issue["details"]["text"].endswith(", ...")
    assert manifest["extension"]["lines"] == 31


async def test_what_is_not_kept_is_told_by_its_own_lines(ehr: Caller):
    """A clinic sees that its claims came, and that nothing was kept of them."""
    claim = {"resourceType": "Claim", "id": "c1"}

    manifest = await manifest_of(ehr, lines(make.lab(5), claim, make.lab(6), claim))
    (issue,) = await issues_of(ehr, manifest)

    assert issue["severity"] == "information"
    assert lines_of(issue) == [2, 4]
    assert counts(manifest)["Claim", "discarded"] == 2


async def test_what_is_no_resource_has_no_type(ehr: Caller):
    """Nor is repeated what stands in place of one."""
    body = lines("[1]", "{}", '{"resourceType": "Zqxcan"}', '{"resourceType": 7}', "{")

    manifest = await manifest_of(ehr, body)
    issues = await issues_of(ehr, manifest)

    assert counts(manifest) == {(None, "refused"): 5}
    assert refused_lines(issues) == {1, 2, 3, 4, 5}
    assert "Zqxcan" not in json.dumps([manifest, issues])


async def test_refused_lines_can_be_traced(ehr: Caller):
    """Weeks later somebody asks why a result is not counted."""
    body = lines(
        make.lab(5, id="o1", status="bogus"),
        make.lab(5, id="o2", status="bogus"),
        make.lab(5, id="o2"),
    )
    await manifest_of(ehr, body)
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "reference", "valueString": f"Observation/{own_id}"}
            for own_id in ("o1", "o2")
        ],
    }

    answer = await ehr.call("POST", "/$trace", asked)

    first, second = answer.json()["parameter"]
    parts = {part["name"]: part for part in first["part"]}
    assert parts["fate"]["valueCode"] == "refused"
    assert "Observation.status" in json.dumps(first)
    parts = {part["name"]: part for part in second["part"]}
    assert parts["fate"]["valueCode"] == "stored"
    assert "Observation.status" not in json.dumps(second)


async def test_scopes_hold_line_by_line(network: Network, hub: Hub):
    """A client for results sends a whole export: the rest is refused, and told."""
    ehr = network.ehr(scopes=("system/Observation.cu",))
    body = lines(make.patient(id="p1"), make.lab(5, id="o1", subject=MEANT_FOR))

    manifest = await manifest_of(ehr, body)
    (issue,) = await issues_of(ehr, manifest)

    assert counts(manifest) == {
        ("Patient", "refused"): 1,
        ("Observation", "created"): 1,
    }
    assert (issue["code"], lines_of(issue)) == ("forbidden", [1])
    assert current_of(hub.engine) == {"Observation": 1}


async def test_a_line_without_an_id_is_a_create_and_one_with_an_id_an_update(
    network: Network,
):
    """SMART tells them apart, and so does the door."""
    creator = network.ehr("one-ehr", scopes=("system/Observation.c",))
    updater = network.ehr("two-ehr", scopes=("system/Observation.u",))
    body = lines(make.lab(5), make.lab(6, id="o1"))

    told = [await manifest_of(ehr, body) for ehr in (creator, updater)]
    refused = [
        refused_lines(await issues_of(e, m))
        for e, m in zip((creator, updater), told, strict=True)
    ]

    assert refused == [{2}, {1}]


LABS = "system/Observation.cu?category=laboratory"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


async def test_scopes_of_a_category_hold_for_what_would_be_replaced(network: Network):
    """Who may write results of the laboratory does not replace a vital sign by one."""
    everything = network.ehr("alpha-ehr")
    narrow = network.ehr("alpha-lab", clinic="alpha", scopes=(LABS,))

    def of(category: str, own_id: str, value: float) -> Json:
        coding = [{"system": CATEGORY, "code": category}]
        return make.lab(value, id=own_id, category=[{"coding": coding}])

    await everything.put(of("vital-signs", "o1", 5))
    body = lines(
        of("laboratory", "o1", 6), of("vital-signs", "o2", 6), of("laboratory", "o3", 6)
    )

    manifest = await manifest_of(narrow, body)

    assert refused_lines(await issues_of(narrow, manifest)) == {1, 2}
    assert counts(manifest)["Observation", "created"] == 1


@SQLITE
async def test_who_may_write_nothing_sends_nothing(network: Network, hub: Hub):
    """Told at once, not line by line; a partner has no lines to send at all."""
    reader = network.ehr(scopes=("system/Observation.rs",))
    partner = network.partner()

    answers = [await push(each, lines(make.lab(5))) for each in (reader, partner)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert current_of(hub.engine) == {}


@SQLITE
async def test_patients_who_look_alike_cost_no_more_than_others(ehr: Caller, hub: Hub):
    """Of many only a month and a sex is kept: each must not be held to each."""
    calls = []
    for name, month in (("alike", "1961-02"), ("other", None)):
        people = (
            {
                "resourceType": "Patient",
                "id": f"{name}-{n}",
                "birthDate": month or f"{1920 + n // 12 % 90}-{n % 12 + 1:02}",
            }
            for n in range(5000)
        )
        await push(ehr, lines(*people))
        calls.append(calls_of(lambda: stored(hub)))

    assert current_of(hub.engine) == {"Patient": 10_000}
    assert calls[0] < 2 * calls[1]


def calls_of(work: Callable[[], object]) -> int:
    """Return how many calls of functions some work takes, whatever else goes on."""
    count = 0

    def note(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", ["jobs", "submissions"])
async def test_a_number_that_no_job_has_is_not_found(ehr: Caller, kind: str):
    """However large: it is no failure of the hub's."""
    numbers = ["7", str(2**63), "9" * 25]

    answers = [await ehr.call("GET", f"/{kind}/{number}") for number in numbers]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


@SQLITE
async def test_a_job_is_its_clinics_own_affair(network: Network, hub: Hub):
    """Neither how far it is, nor what was wrong, nor that there is one."""
    ehr, other = network.ehr("alpha-ehr"), network.ehr("beta-ehr")
    path = path_of(await push(ehr, lines(make.lab(5, status="bogus"))))
    stored(hub)

    for method, at in (
        ("GET", path),
        ("DELETE", path),
        ("GET", f"{path}/outcome.ndjson"),
    ):
        answer = await other.call(method, at)
        assert answer.status_code == 404, (method, at)
    assert (await network.partner().call("GET", path)).status_code == 403
    assert (await ehr.call("GET", path)).status_code == 200


@SQLITE
async def test_what_the_status_is_asked_for_is_json(ehr: Caller, hub: Hub):
    """Or NDJSON of outcomes; in another form there is nothing."""
    path = path_of(await push(ehr, lines(make.lab(5, status="bogus"))))
    stored(hub)
    file = f"{path}/outcome.ndjson"

    taken = [
        await ehr.call("GET", path, Accept="application/json"),
        await ehr.call("GET", f"{path}?_format=json"),
        await ehr.call("GET", file, Accept="application/fhir+ndjson"),
        await ehr.call("GET", file, Accept="application/fhir+json"),
        await ehr.call("GET", file, Accept="*/*"),
    ]
    refused = [
        await ehr.call("GET", path, Accept="application/fhir+xml"),
        await ehr.call("GET", f"{path}?_format=xml"),
        await ehr.call("GET", file, Accept="text/csv"),
    ]

    assert [answer.status_code for answer in taken] == [200] * 5
    assert [answer.status_code for answer in refused] == [406] * 3


@SQLITE
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "application/ndjson"}, 202),
        ({"Content_Type": "application/x-ndjson; charset=utf-8"}, 202),
        ({"Content_Type": "application/fhir+ndjson; fhirVersion=4.0"}, 202),
        ({"Content_Type": "application/fhir+xml"}, 415),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/fhir+ndjson; charset=utf-16"}, 415),
        ({"Content_Type": "application/fhir+ndjson; fhirVersion=3.0"}, 415),
        ({"Content_Encoding": "br"}, 415),
        ({"If_None_Exist": "identifier=x|y"}, 400),
        ({"Upload_Offset": "-1"}, 422),
        ({"Upload_Offset": "x"}, 422),
        ({"Authorization": "Bearer none"}, 401),
    ],
)
async def test_the_door_says_what_it_takes(
    ehr: Caller, hub: Hub, headers: dict[str, str], status: int
):
    """Before it reads a line."""
    answer = await push(ehr, lines(make.lab(5)), **headers)

    assert answer.status_code == status, answer.text
    stored(hub)
    assert current_of(hub.engine) == ({"Observation": 1} if status == 202 else {})

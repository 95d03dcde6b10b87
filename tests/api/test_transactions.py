"""Transactions: in whatever order they are written, all of it or nothing."""

import itertools
import json
from typing import Any

import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import BASE_URL, Caller, Network, current_of, rows_of

pytestmark = pytest.mark.anyio

A = "urn:uuid:00000000-0000-4000-8000-0000000000a1"
B = "urn:uuid:00000000-0000-4000-8000-0000000000b1"
A1 = f"identifier={make.MRN}|A1"


def with_identifier(value: str, **elements: Any) -> dict:
    return make.lab(7.1, identifier=[make.identifier(value)], **elements)


def numberless(hub: Hub) -> dict[str, int]:
    """Return what does not depend on who came first: how much there is of what."""
    rows = rows_of(hub.engine)
    return {name: len(rows[name]) for name in ("record", "alias", "observation")}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
@pytest.mark.conforms("R11")
async def test_the_order_of_entries_does_not_matter(
    ehr: Caller, hub: Hub, order: tuple[int, ...]
):
    """DELETE before POST before PUT, and references wherever their targets stand."""
    await ehr.put(make.lab(5.0, id="old"))
    entries = [
        make.put(make.lab(8.0, id="o2", subject=make.reference(A))),
        make.post(make.lab(8.0, subject=make.reference(A))),
        make.post(make.patient(gender="female"), fullUrl=A),
        make.delete("Observation/old"),
    ]

    response = await ehr.call(
        "POST", "", make.transaction(*(entries[i] for i in order))
    )

    answers = response.json()["entry"]
    assert response.json()["type"] == "transaction-response"
    statuses = {i: answers[n]["response"]["status"] for n, i in enumerate(order)}
    assert statuses == {0: "200", 1: "201", 2: "201", 3: "204"}
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}
    assert numberless(hub) == {"record": 4, "alias": 3, "observation": 1}


@pytest.mark.conforms("R11")
async def test_references_may_go_round_in_a_circle(ehr: Caller, hub: Hub):
    """Each of two patients says that the other is the same person."""

    def linked(to: str, kind: str) -> dict:
        return make.patient(link=[{"type": kind, "other": make.reference(to)}])

    entries = [
        make.post(linked(B, "replaces"), fullUrl=A),
        make.post(linked(A, "replaced-by") | {"gender": "other"}, fullUrl=B),
        make.post(make.lab(7.1, subject=make.reference(A))),
        make.post(make.lab(8.2, subject=make.reference(B))),
    ]

    response = await ehr.call("POST", "", make.transaction(*entries))

    assert response.status_code == 200, response.text
    assert current_of(hub.engine) == {"Patient": 2, "Observation": 2}
    assert len({row[0] for row in rows_of(hub.engine)["observation"]}) == 1


@pytest.mark.conforms("R11")
async def test_an_absolute_full_url_is_what_references_mean(ehr: Caller):
    """As an EHR writes its own Bundles: by URL, and relative to its base."""
    base = "https://ehr.example/fhir"
    entries = [
        make.post(make.lab(7.1, id="o1", subject=make.reference(f"{base}/Patient/p1"))),
        make.post(make.lab(8.2, id="o2", subject=make.reference("Patient/p1"))),
        make.post(make.patient(gender="male"), fullUrl=f"{base}/Patient/p1"),
    ]

    response = await ehr.call("POST", "", make.transaction(*entries))

    assert response.status_code == 200
    patient = response.json()["entry"][2]["response"]["location"].split("/")[1]
    for own_id in ("o1", "o2"):
        about = (await ehr.read(f"Observation/{own_id}")).json()["subject"]
        assert about == {"reference": f"Patient/{patient}"}


HUB_ID = "the hub's id of o1"


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(entries, id=why, marks=pytest.mark.conforms("R11", mutation=why))
        for why, entries in (
            (
                "two updates of one id",
                [make.put(make.lab(1, id="n")), make.put(make.lab(2, id="n"))],
            ),
            (
                "an update and a deletion of one id",
                [make.put(make.lab(1, id="o1")), make.delete("Observation/o1")],
            ),
            (
                "an update and a deletion of what is not there yet",
                [make.delete("Observation/n"), make.put(make.lab(1, id="n"))],
            ),
            (
                "an update by id and one by condition",
                [
                    make.put(make.lab(1, id="o1")),
                    make.post(
                        make.lab(2),
                        request={"method": "PUT", "url": f"Observation?{A1}"},
                    ),
                ],
            ),
            (
                "two creates on one condition",
                [make.post(make.lab(v), request={"ifNoneExist": A1}) for v in (1, 2)],
            ),
            (
                "a create with the identifier of what is updated",
                [make.post(with_identifier("A1")), make.put(make.lab(2, id="o1"))],
            ),
            (
                "two names of one record, the hub's among them",
                [make.put(make.lab(1, id="o1")), make.put(make.lab(2, id=HUB_ID))],
            ),
            (
                "a deletion under another name",
                [make.delete(f"Observation/{HUB_ID}"), make.put(make.lab(2, id="o1"))],
            ),
        )
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
async def test_one_record_may_stand_in_one_entry_only(
    ehr: Caller, hub: Hub, entries: list[dict], *, backwards: bool
):
    """Which of the two should be the last word? Refused, and nothing is done."""
    created = await ehr.put(with_identifier("A1", id="o1"))
    assert created.status_code == 201
    told = (await ehr.post(with_identifier("A1"))).json()["id"]
    before = rows_of(hub.engine)
    bundle = make.transaction(*(entries[::-1] if backwards else entries))
    text = json.dumps(bundle).replace(HUB_ID, told)

    response = await ehr.call("POST", "", text.encode())

    assert response.status_code == 422, response.text
    issue = response.json()["issue"][0]
    assert issue["diagnostics"].startswith("Two entries")
    assert issue["expression"][0].startswith("Bundle.entry[")
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize("place", range(4))
@pytest.mark.conforms("R11", mutation="one entry is refused")
async def test_whichever_entry_is_refused_nothing_is_done(
    ehr: Caller, hub: Hub, place: int
):
    """One OperationOutcome, which names the entry."""
    await ehr.put(make.lab(5.0, id="old"))
    before = rows_of(hub.engine)
    entries = [
        make.delete("Observation/old"),
        make.post(make.patient(gender="female"), fullUrl=A),
        make.put(make.lab(7.1, id="o1", subject=make.reference(A))),
    ]
    entries.insert(place, make.post(make.lab(7.2, status="corrected")))

    response = await ehr.call("POST", "", make.transaction(*entries))

    assert response.status_code == 422
    (issue,) = response.json()["issue"]
    assert issue["expression"] == [f"Bundle.entry[{place}].resource.status"]
    assert rows_of(hub.engine) == before


@pytest.mark.conforms("R12")
async def test_a_conditional_reference_finds_its_patient(ehr: Caller):
    """Clinics do not know the hub's ids: they know record numbers."""
    patient = make.patient(id="p1", identifier=[make.identifier("M1")])
    await ehr.put(patient)
    about = make.reference(f"Patient?identifier={make.MRN}|M1")

    response = await ehr.call(
        "POST", "", make.transaction(make.put(make.lab(7.1, id="o1", subject=about)))
    )

    assert response.status_code == 200
    subject = (await ehr.read("Observation/o1")).json()["subject"]["reference"]
    own = (await ehr.post(patient)).json()["id"]
    assert subject == f"Patient/{own}"


@pytest.mark.conforms("R12")
async def test_a_conditional_reference_may_come_before_its_patient(
    ehr: Caller, hub: Hub
):
    """A departure: FHIR would fail here, and an EHR's deliveries come in any order."""
    about = make.reference(f"Patient?identifier={make.MRN}|M1")
    whole = make.transaction(make.put(make.lab(7.1, id="o1", subject=about)))
    patient = make.patient(gender="male", identifier=[make.identifier("M1")])

    assert (await ehr.call("POST", "", whole)).status_code == 200
    assert (await ehr.post(patient)).status_code == 201

    subject = (await ehr.read("Observation/o1")).json()["subject"]["reference"]
    assert (await ehr.read(subject)).json()["gender"] == "male"
    assert current_of(hub.engine) == {"Observation": 1, "Patient": 1}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param(text, status, marks=pytest.mark.conforms("R12", mutation=why))
        for text, status, why in (
            ("Patient?identifier=urn:other|M1", 422, "a system that is not unique"),
            ("Patient?name=Zq9canary7x", 422, "a criterion other than identifier"),
            ("Patient?identifier=Zq9canary7x", 422, "an identifier without a system"),
            (f"Device?identifier={make.MRN}|M1", 422, "a reference to another type"),
            (f"Patient?{A1},{make.MRN}|M2", 422, "one identifier or another"),
        )
    ],
)
async def test_a_conditional_reference_that_is_not_clear_fails_the_whole(
    ehr: Caller, hub: Hub, text: str, status: int
):
    """Nothing is guessed about whom a result is."""
    before = rows_of(hub.engine)
    lab = make.lab(7.1, id="o1", subject=make.reference(text))
    whole = make.transaction(make.put(make.lab(8.2, id="o2")), make.put(lab))

    response = await ehr.call("POST", "", whole)

    assert response.status_code == status, response.text
    (place,) = response.json()["issue"][0]["expression"]
    assert place.startswith("Bundle.entry[1].resource.subject")
    assert "Zq9canary7x" not in response.text
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize(
    "url",
    [
        "Observation/o1",
        "/Observation/o1",
        "Observation/o1/",
        f"{BASE_URL}/fhir/Observation/o1",
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.conforms("R10")
async def test_an_entrys_url_may_be_written_in_several_ways(
    ehr: Caller, hub: Hub, method: str, url: str
):
    """Relative, from the root, with a slash at the end, or on the hub's own base."""
    await ehr.put(make.lab(5.0, id="o1"))
    entry = {"request": {"method": method, "url": url}}
    resource = {"resource": make.lab(7.1, id="o1")} if method == "PUT" else {}

    statuses = await ehr.send(make.transaction(entry | resource))

    assert statuses == ["200" if method == "PUT" else "204"]
    assert current_of(hub.engine).get("Observation", 0) == (method == "PUT")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(url, marks=pytest.mark.conforms("R10", mutation=why))
        for url, why in (
            ("https://other.example/fhir/Observation/o1", "a url on another base"),
            ("Observation/o1/_history/1", "a url of a version"),
            ("Observation/o 1", "an id that is none"),
            ("Observation/o1?x=1", "a url with an id and a condition"),
            ("Observation", "a url without an id"),
        )
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_an_entrys_url_that_is_not_understood_is_refused(
    ehr: Caller, hub: Hub, url: str
):
    """Above all a DELETE: done to nothing, it would be answered as done."""
    await ehr.put(make.lab(5.0, id="o1"))
    before = rows_of(hub.engine)
    put = make.put(make.lab(7.1, id="o1"), request={"url": url})

    statuses = await ehr.send(make.batch(make.delete(url), put))

    assert statuses == ["400", "400"]
    assert rows_of(hub.engine) == before


@pytest.mark.conforms("R10", mutation="a deletion is refused")
async def test_a_deletion_that_is_refused_stops_no_batch(network: Network):
    """It is an entry like any other."""
    ehr = network.ehr()
    lab = network.ehr("alpha-lab", source="lab", base_urls=())
    told = (await ehr.post(make.lab(7.1, id="o1"))).json()["id"]

    statuses = await lab.send(
        make.batch(make.delete(f"Observation/{told}"), make.put(make.lab(8.2, id="o2")))
    )

    assert statuses == ["403", "201"]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("bundle", "status"),
    [
        (make.bundle("collection", make.post(make.lab(1))), 422),
        (make.bundle("document", make.post(make.lab(1))), 422),
        (make.bundle("message", make.post(make.lab(1))), 422),
        (make.bundle("history", make.post(make.lab(1))), 422),
        (make.lab(1), 400),
    ],
    ids=["collection", "document", "message", "history", "none"],
)
async def test_only_requests_are_taken_at_the_base(
    ehr: Caller, hub: Hub, bundle: dict, status: int
):
    """What asks for nothing must not be answered as if it were done."""
    response = await ehr.call("POST", "", bundle)

    assert response.status_code == status
    assert not current_of(hub.engine)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_bundle_may_be_empty(ehr: Caller, kind: str):
    """With an empty array too, which FHIR does not know but generators write."""
    answers = [
        await ehr.call("POST", "", bundle)
        for bundle in (make.bundle(kind), {"resourceType": "Bundle", "type": kind})
    ]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.json() == {"resourceType": "Bundle", "type": f"{kind}-response"}

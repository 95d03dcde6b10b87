"""
The same thing counts once, by whatever door and name; each told by an EHR.

The rules are those of docs/decisions/0003 and 0011; joins and their end have a file of
their own (test_joins.py), so have withdrawals and erasures.
"""

from typing import NamedTuple

import pytest
from sqlalchemy import text

from app.services import registry
from app.services.hub import Hub
from app.store.sessions import write_session
from tests import make
from tests.hubs import Network, count_of, current_of, people_of, rows_of

pytestmark = pytest.mark.anyio

MRN_1 = make.identifier("M1")
ORDER = make.identifier("ORDER-7", "http://clinic.example/orders")
ACCESSION = make.identifier("A1")
JANUARY, FEBRUARY = ({"lastUpdated": f"2026-0{n}-01T00:00:00Z"} for n in (1, 2))
OF_P1 = {"subject": make.reference("Patient/p1")}
OF_P2 = {"subject": make.reference("Patient/p2")}
BY_MRN = {"subject": {"identifier": MRN_1}}
TO_P1 = [{"other": make.reference("Patient/p1"), "type": "replaces"}]


def about(url: str) -> dict:
    return {"subject": make.reference(url)}


class Case(NamedTuple):
    """
    What an EHR did, and what comes of it.

    ``sent`` goes by PUT where it has an id, else by POST; ``answers`` are the statuses,
    ``results`` and ``people`` how many measures see.
    """

    told: str
    sent: list[dict]
    answers: list[int]
    results: int
    people: int


TABLE = [
    Case(
        "sent again, since no answer came",
        [make.lab(7.1), make.lab(7.1)],
        [201, 200],
        results=1,
        people=1,
    ),
    Case(
        "an order number that twenty results share",
        [make.lab(5 + n / 10, identifier=[ORDER]) for n in range(20)],
        [201] * 20,
        results=20,
        people=1,
    ),
    Case(
        "an accession number first, the id later, a correction by the id",
        [
            make.lab(7.1, identifier=[ACCESSION]),
            make.lab(7.1, id="o1", identifier=[ACCESSION]),
            make.lab(7.4, id="o1", status="corrected"),
        ],
        [201, 200, 200],
        results=1,
        people=1,
    ),
    Case(
        "a correction of nobody knows what",
        [make.lab(7.1), make.lab(7.4, status="corrected")],
        [201, 422],
        results=1,
        people=1,
    ),
    Case(
        "aliases of two records in one",
        [
            make.lab(7.1, id="o1"),
            make.lab(7.2, identifier=[ACCESSION]),
            make.lab(7.3, id="o1", identifier=[ACCESSION]),
        ],
        [201, 201, 412],
        results=2,
        people=1,
    ),
    Case(
        "the MRN first, the id later, the Patient last",
        [
            make.lab(7.1, id="o1", **BY_MRN),
            make.lab(7.2, id="o2", **OF_P1),
            make.patient(id="p1", identifier=[MRN_1]),
        ],
        [201, 201, 201],
        results=2,
        people=1,
    ),
    Case(
        "the same without the Patient: nobody has said so yet",
        [make.lab(7.1, id="o1", **BY_MRN), make.lab(7.2, id="o2", **OF_P1)],
        [201, 201],
        results=2,
        people=2,
    ),
    Case(
        "two charts merged",
        [
            make.lab(7.1, id="o1", **OF_P1),
            make.lab(7.2, id="o2", **OF_P2),
            make.patient(id="p2", link=TO_P1),
        ],
        [201, 201, 201],
        results=2,
        people=1,
    ),
    Case(
        "two charts merged by mistake, and unmerged",
        [
            make.lab(7.1, id="o1", **OF_P1),
            make.lab(7.2, id="o2", **OF_P2),
            make.patient(id="p2", link=TO_P1),
            make.patient(id="p2"),
        ],
        [201, 201, 201, 200],
        results=2,
        people=2,
    ),
    Case(
        "a Patient without an id, who gets one",
        [
            make.patient(identifier=[MRN_1]),
            make.patient(id="p1", identifier=[MRN_1]),
            make.lab(7.1, id="o1", **OF_P1),
            make.lab(7.2, id="o2", **BY_MRN),
        ],
        [201, 200, 201, 201],
        results=2,
        people=1,
    ),
    Case(
        "last month's file imported again",
        [
            make.lab(7.1, id="o1", meta=JANUARY),
            make.lab(7.4, id="o1", meta=FEBRUARY),
            make.lab(7.1, id="o1", meta=JANUARY),
        ],
        [201, 200, 200],
        results=1,
        people=1,
    ),
    Case(
        "a result filed with the wrong patient, and moved",
        [make.lab(7.1, id="o1", **OF_P1), make.lab(7.1, id="o1", **OF_P2)],
        [201, 200],
        results=1,
        people=1,
    ),
    Case(
        "one id for two types",
        [make.lab(7.1, id="7"), make.condition(id="7"), make.encounter(id="7")],
        [201, 201, 201],
        results=1,
        people=1,
    ),
    Case(
        "the same patient by every kind of URL that is the source's",
        [
            make.lab(1, id="o1", **OF_P1),
            make.lab(2, id="o2", **about("https://ehr.example/fhir/Patient/p1")),
            make.lab(
                3, id="o3", **about("https://ehr.example/fhir/Patient/p1/_history/2")
            ),
            make.lab(4, id="o4", **about("urn:uuid:p1")),
        ],
        [201] * 4,
        results=4,
        people=1,
    ),
    Case(
        "a patient of a server that nobody has named",
        [make.lab(1, id="o1", **about("https://other.example/fhir/Patient/p1"))],
        [422],
        results=0,
        people=0,
    ),
]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.told)
async def test_what_an_ehr_did_counts_as_it_should(
    network: Network, hub: Hub, case: Case
):
    """The table of cases; what needs more than a list of resources follows below."""
    ehr = network.ehr()

    answers = [await (ehr.put if "id" in r else ehr.post)(r) for r in case.sent]

    assert [answer.status_code for answer in answers] == case.answers
    rows = rows_of(hub.engine)["observation"]
    assert len(rows) == case.results
    assert len({row[0] for row in rows}) == case.people


DOORS = ["put", "post", "batch", "transaction"]


@pytest.mark.parametrize("first", DOORS)
@pytest.mark.parametrize("second", DOORS)
async def test_the_same_delivery_by_two_doors_counts_once(
    network: Network, hub: Hub, first: str, second: str
):
    """What the interface engine posts, the nightly Bundle has again."""
    ehr = network.ehr()
    sent = [make.patient(id="p1", identifier=[MRN_1]), make.lab(7.1, id="o1")]

    for door in (first, second):
        if door in {"put", "post"}:
            for resource in sent:
                await (ehr.put if door == "put" else ehr.post)(resource)
        else:
            await ehr.send(make.bundle(door, *map(make.put, sent)))

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}
    versions = {(await ehr.read(p)).headers["ETag"] for p in ("Patient/p1",)}
    assert versions == {'W/"1"'}


async def test_who_writes_back_what_they_read_is_refused(network: Network):
    """A read-modify-write client would store a coarsened birth date as news."""
    ehr = network.ehr()
    await ehr.put(make.patient(id="p1", birthDate="1970-05-17"))
    read = (await ehr.read("Patient/p1")).json()

    written = await ehr.put(read | {"gender": "female"}, "p1")

    assert written.status_code == 422
    assert written.json()["issue"][0]["expression"] == ["Patient.meta.tag"]


URN = "urn:uuid:6f2a4a34-1111-4222-8333-000000000001"


async def test_a_result_posted_twice_without_id_counts_once(network: Network, hub: Hub):
    """An interface engine that gets no answer sends again."""
    ehr = network.ehr()

    first = await ehr.post(make.lab(7.1))
    second = await ehr.post(make.lab(7.1))

    assert [first.status_code, second.status_code] == [201, 200]
    assert first.json() == second.json()
    assert current_of(hub.engine) == {"Observation": 1}


async def test_texts_do_not_make_a_result_another_one(network: Network, hub: Hub):
    """The digest leaves out text, display and issued; all else is content."""
    ehr = network.ehr()
    code = {
        "coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "a"}]
    }

    await ehr.post(make.lab(7.1, code=code, issued="2024-03-02T10:00:00Z"))
    await ehr.post(make.lab(7.1, text={"status": "empty", "div": "<div>x</div>"}))
    again = await ehr.post(make.lab(7.1, issued="2024-03-03T10:00:00Z"))
    other = await ehr.post(make.lab(7.10001))

    assert [again.status_code, other.status_code] == [200, 201]
    assert current_of(hub.engine) == {"Observation": 2}


async def test_two_measurements_in_one_day_are_two(network: Network, hub: Hub):
    """At full precision their times differ, though only the day is kept."""
    ehr = network.ehr()

    await ehr.post(make.lab(7.1, day="2024-03-01T08:00:00-05:00"))
    await ehr.post(make.lab(7.1, day="2024-03-01T09:00:00-05:00"))

    assert current_of(hub.engine) == {"Observation": 2}


async def test_a_result_without_id_gets_one_later(network: Network, hub: Hub):
    """First the interface engine's message, then the nightly export with the id."""
    ehr = network.ehr()

    first = await ehr.post(make.lab(7.1))
    second = await ehr.put(make.lab(7.1, id="o1"))
    third = await ehr.put(make.lab(7.4, id="o1"))

    assert [r.status_code for r in (first, second, third)] == [201, 200, 200]
    assert current_of(hub.engine) == {"Observation": 1}
    kept = (await ehr.read(f"Observation/{first.json()['id']}")).json()
    assert kept["valueQuantity"]["value"] == 7.4


async def test_equal_results_of_different_ids_are_two(network: Network, hub: Hub):
    """An id says what is what; equal content never overrules it."""
    ehr = network.ehr()

    await ehr.put(make.lab(7.1, id="o1"))
    await ehr.put(make.lab(7.1, id="o2"))
    await ehr.post(make.lab(7.1, id="o3"))

    assert current_of(hub.engine) == {"Observation": 3}


async def test_equal_results_of_different_accession_numbers_are_two(
    network: Network, hub: Hub
):
    """Two unique identifiers of one kind mean two results."""
    ehr = network.ehr()

    await ehr.post(make.lab(7.1, identifier=[make.identifier("A1")]))
    await ehr.post(make.lab(7.1, identifier=[make.identifier("A2")]))

    assert current_of(hub.engine) == {"Observation": 2}


async def test_put_then_post_with_the_id_in_the_body(network: Network, hub: Hub):
    """A body's id counts for every verb."""
    ehr = network.ehr()

    await ehr.put(make.lab(7.1, id="o1"))
    posted = await ehr.post(make.lab(7.2, id="o1"))

    assert posted.status_code == 200
    assert posted.headers["ETag"] == 'W/"2"'
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_bundle_then_put_by_id(network: Network, hub: Hub, kind: str):
    """A Bundle's fullUrl and body id are the id of a later PUT."""
    ehr = network.ehr()
    base = "https://ehr.example/fhir"
    by_body = make.post(make.lab(7.1, id="o1"), fullUrl=URN)
    by_url = make.post(make.lab(7.2), fullUrl=f"{base}/Observation/o2")

    first = await ehr.send(make.bundle(kind, by_body, by_url))
    second = await ehr.put(make.lab(7.1, id="o1"))
    third = await ehr.put(make.lab(7.3, id="o2"))

    assert first == ["201", "201"]
    assert [second.status_code, third.status_code] == [200, 200]
    assert current_of(hub.engine) == {"Observation": 2}


async def test_an_identifier_first_and_the_id_later(network: Network, hub: Hub):
    """The lab's accession number and the EHR's id become one record."""
    ehr = network.ehr()

    await ehr.post(make.lab(7.1, identifier=[make.identifier("A1")]))
    await ehr.put(make.lab(7.2, id="o1", identifier=[make.identifier("A1")]))
    last = await ehr.put(make.lab(7.3, id="o1"))

    assert last.headers["ETag"] == 'W/"3"'
    assert current_of(hub.engine) == {"Observation": 1}


async def test_an_id_and_an_identifier_of_two_records_are_refused(
    network: Network, hub: Hub
):
    """412: which of the two is meant can't be known."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))
    await ehr.post(make.lab(7.2, identifier=[make.identifier("A1")]))
    before = rows_of(hub.engine)

    both = await ehr.put(make.lab(7.3, id="o1", identifier=[make.identifier("A1")]))

    assert both.status_code == 412
    assert rows_of(hub.engine) == before


async def test_an_order_number_shared_by_twenty_results_joins_none(
    network: Network, hub: Hub
):
    """An identifier of a system that is not declared unique says nothing."""
    ehr = network.ehr()
    order = make.identifier("ORDER-7", "http://clinic.example/orders")

    for number in range(20):
        await ehr.post(make.lab(5 + number / 10, identifier=[order]))

    assert current_of(hub.engine) == {"Observation": 20}


async def test_patient_123_of_two_sources_of_a_clinic_are_two(network, hub: Hub):
    """Ids are scoped to the source: the lab's 123 is not the EHR's."""
    ehr = network.ehr("alpha-ehr")
    lab = network.ehr("alpha-lab", source="lab", base_urls=("https://lab.example/r4",))

    await ehr.put(make.patient(id="123", gender="female"))
    other = await lab.put(make.patient(id="123", gender="male"))

    assert other.status_code == 201
    assert (await ehr.read("Patient/123")).json()["gender"] == "female"
    assert (await lab.read("Patient/123")).json()["gender"] == "male"
    assert current_of(hub.engine) == {"Patient": 2}


async def test_a_record_number_joins_the_sources_of_a_clinic(network, hub: Hub):
    """Identifiers are scoped to the clinic: one MRN, one patient."""
    ehr = network.ehr("alpha-ehr")
    lab = network.ehr("alpha-lab", source="lab", base_urls=("https://lab.example/r4",))

    await ehr.put(make.patient(id="123", identifier=[make.identifier("M1")]))
    await lab.post(make.lab(7.1, subject={"identifier": make.identifier("M1")}))
    await lab.post(make.lab(7.2, subject=make.reference("Patient/9")))
    await lab.put(make.patient(id="9", identifier=[make.identifier("M1")]))

    assert people_of(hub.engine) == 1


async def test_two_systems_meet_by_what_both_declare_unique_and_no_sooner(
    network, hub: Hub, clock
):
    """The lab's Patient/123 is another person until its record number is declared."""
    ehr = network.ehr("alpha-ehr")
    lab = network.ehr(
        "alpha-lab", source="lab", base_urls=(), identifier_systems=("urn:lab",)
    )
    numbered = make.patient(id="123", identifier=[make.identifier("M1")])
    for system in (ehr, lab):
        await system.put(numbered)
        await system.post(make.lab(7.1, subject=make.reference("Patient/123")))

    def people() -> int:
        with hub.engine.connect() as connection:
            query = text("SELECT COUNT(DISTINCT subject_id) FROM observation")
            return int(connection.execute(query).scalar_one())

    apart = people()
    with write_session(hub.engine) as session:
        changes = registry.SourceChanges(identifier_systems=(make.MRN,))
        registry.change_source(session, "alpha", "lab", changes)
    clock.pass_seconds(5)
    await lab.put(numbered | {"gender": "male"})

    assert (apart, people()) == (2, 1)


async def test_the_same_record_number_at_two_clinics_is_two_patients(network, hub: Hub):
    """What is unique in a clinic is unique in no other."""
    alpha, beta = network.ehr("alpha-ehr"), network.ehr("beta-ehr")
    patient = make.patient(id="123", identifier=[make.identifier("M1")])

    answers = [await alpha.put(patient), await beta.put(patient)]

    assert [a.status_code for a in answers] == [201, 201]
    assert current_of(hub.engine) == {"Patient": 2}


async def test_a_subject_may_come_after_its_results(network: Network, hub: Hub):
    """A placeholder stands for it, is not readable, and becomes the record."""
    ehr = network.ehr()
    visit = make.reference("Encounter/e1")
    lab = await ehr.post(make.lab(7.1, encounter=visit))
    before = [await ehr.read("Patient/p1"), await ehr.read("Encounter/e1")]

    patient = await ehr.put(make.patient(id="p1", gender="female"))
    encounter = await ehr.put(
        make.encounter(id="e1", period={"start": "2024-03-01T10:00:00-05:00"})
    )

    assert [r.status_code for r in before] == [404, 404]
    assert [patient.status_code, encounter.status_code] == [201, 201]
    subject = lab.json()["subject"]["reference"]
    assert (await ehr.read(subject)).json()["gender"] == "female"
    met = lab.json()["encounter"]["reference"]
    assert (await ehr.read(met)).json()["period"] == {"start": "2024-03-01"}
    assert current_of(hub.engine) == {"Observation": 1, "Patient": 1, "Encounter": 1}


@pytest.mark.parametrize(
    "subject",
    [
        make.reference("Patient/p1"),
        make.reference("Patient/p1/_history/3"),
        make.reference("https://ehr.example/fhir/Patient/p1"),
        make.reference("urn:uuid:p1"),
        {"identifier": make.identifier("M1")},
        make.reference(f"Patient?identifier={make.MRN}|M1"),
    ],
    ids=["relative", "versioned", "absolute", "urn", "logical", "conditional"],
)
@pytest.mark.parametrize("first", ["patient", "result"])
async def test_every_form_of_reference_means_the_patient(
    network: Network, hub: Hub, subject: dict, first: str
):
    """Literal, logical or conditional, before or after the Patient."""
    ehr = network.ehr()
    patient = make.patient(id="p1", identifier=[make.identifier("M1")])
    results = [make.lab(7.1, subject=subject), make.lab(7.2)]
    ordered = [patient, *results] if first == "patient" else [*results, patient]

    for resource in ordered:
        assert (await ehr.post(resource)).status_code == 201

    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT DISTINCT subject_id FROM observation"))
        assert len(rows.all()) == 1


async def test_a_hub_id_is_taken_in_references(network: Network, hub: Hub):
    """What a reply calls the patient names the patient."""
    ehr = network.ehr()
    created = (await ehr.post(make.patient(identifier=[make.identifier("M1")]))).json()

    lab = await ehr.post(
        make.lab(7.1, subject=make.reference(f"Patient/{created['id']}"))
    )

    assert lab.status_code == 201
    assert lab.json()["subject"]["reference"] == f"Patient/{created['id']}"
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


async def test_an_error_is_withdrawn_by_its_status(network: Network, hub: Hub):
    """entered-in-error takes the record out of every count (R20)."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))
    assert count_of(hub.engine)["observation"] == 1

    wrong = await ehr.put(make.lab(7.1, id="o1", status="entered-in-error"))

    assert wrong.status_code == 200
    assert (await ehr.read("Observation/o1")).status_code == 410
    assert count_of(hub.engine)["observation"] == 0


async def test_only_what_is_final_is_counted(network: Network, hub: Hub):
    """A preliminary one waits, final and corrected count, cancelled never does."""
    ehr = network.ehr()
    counts = []
    for status in ("preliminary", "final", "corrected", "cancelled"):
        await ehr.put(make.lab(7.1, id="o1", status=status))
        counts.append(count_of(hub.engine)["observation"])

    assert counts == [0, 1, 1, 0]


async def test_older_never_overwrites_newer(network: Network):
    """meta.lastUpdated orders versions, however they arrive."""
    ehr = network.ehr()

    def version(hour: int, value: float) -> dict:
        return make.lab(
            value, id="o1", meta={"lastUpdated": f"2024-03-01T{hour:02}:00:00Z"}
        )

    await ehr.put(version(10, 7.1))
    late = await ehr.put(version(9, 6.9))
    await ehr.put(version(12, 7.1))  # the same content again, later
    overtaken = await ehr.put(version(11, 7.5))
    unordered = await ehr.put(make.lab(8.8, id="o1"))

    assert late.headers["ETag"] == 'W/"1"'
    assert overtaken.headers["ETag"] == 'W/"1"'
    assert unordered.headers["ETag"] == 'W/"2"'
    kept = (await ehr.read("Observation/o1")).json()
    assert kept["valueQuantity"]["value"] == 8.8


async def test_a_patient_of_two_names_joins_two_subjects(network: Network, hub: Hub):
    """By MRN from the lab, by id from the EHR; one Patient brings both."""
    ehr = network.ehr()
    await ehr.post(make.lab(7.1, subject={"identifier": make.identifier("M1")}))
    await ehr.post(make.lab(7.2, subject=make.reference("Patient/p1")))

    await ehr.put(
        make.patient(id="p1", gender="female", identifier=[make.identifier("M1")])
    )

    rows = rows_of(hub.engine)
    counted = {row[0] for row in rows["observation"]}
    assert len(counted) == 1
    described = [row for row in rows["subject"] if row[0] in counted]
    assert [row[3] for row in described] == [2]  # female
    assert {row[0] for row in rows["dirty"]} == {row[0] for row in rows["subject"]}


@pytest.mark.parametrize("relation", ["replaced-by", "replaces"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
async def test_a_link_joins_and_is_believed_in_any_order(
    network: Network, hub: Hub, relation: str, order: tuple
):
    """What only one of them knows is known of both; both are counted again."""
    ehr = network.ehr()
    link = [{"other": make.reference("Patient/p1"), "type": relation}]
    resources = [
        make.patient(id="p1", birthDate="2010-05-06"),
        make.patient(id="p2", gender="male", link=link),
        make.lab(7.1, id="o1", subject=make.reference("Patient/p1")),
        make.lab(7.2, id="o2", subject=make.reference("Patient/p2")),
    ]

    for index in order:
        assert (await ehr.put(resources[index])).status_code == 201

    rows = rows_of(hub.engine)
    (counted,) = {row[0] for row in rows["observation"]}
    subject = next(row for row in rows["subject"] if row[0] == counted)
    assert subject[2:] == (2010 * 12 + 4, 1, None, None)
    assert counted in {row[0] for row in rows["dirty"]}


async def test_what_a_joined_patient_knew_goes_with_it(network: Network, hub: Hub):
    """A withdrawn Patient says nothing any more, of nobody."""
    ehr = network.ehr()
    link = [{"other": make.reference("Patient/p1"), "type": "replaces"}]
    await ehr.put(make.patient(id="p1"))
    await ehr.put(make.patient(id="p2", gender="male", link=link))

    await ehr.delete("Patient/p2")

    sexes = {row[3] for row in rows_of(hub.engine)["subject"] if row[5] is None}
    assert sexes == {None}


async def test_joins_of_joins_count_as_one(network: Network, hub: Hub):
    """p3 is p2 and p2 is p1: three names, one subject."""
    ehr = network.ehr()

    def linked(own: str, other: str) -> dict:
        link = [{"other": make.reference(f"Patient/{other}"), "type": "replaces"}]
        return make.patient(id=own, link=link)

    for number, own in enumerate(("p4", "p3", "p2", "p1")):
        lab = make.lab(
            7 + number, id=f"o{own}", subject=make.reference(f"Patient/{own}")
        )
        await ehr.put(lab)
    await ehr.put(linked("p2", "p1"))
    await ehr.put(linked("p4", "p3"))
    await ehr.put(linked("p3", "p2"))
    await ehr.put(make.lab(9, id="o9", subject=make.reference("Patient/p2")))

    rows = rows_of(hub.engine)["observation"]
    assert len(rows) == 5
    assert len({row[0] for row in rows}) == 1


async def test_a_record_may_move_to_another_patient(network: Network, hub: Hub):
    """The EHR corrects whose result it was: both are counted again."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1", subject=make.reference("Patient/p1")))

    await ehr.put(make.lab(7.1, id="o1", subject=make.reference("Patient/p2")))

    rows = rows_of(hub.engine)
    assert len(rows["observation"]) == 1
    assert len(rows["dirty"]) == 2


async def test_another_sources_record_is_not_written_by_its_hub_id(network):
    """A client sees its clinic, and writes in its own source only."""
    ehr = network.ehr("alpha-ehr")
    lab = network.ehr("alpha-lab", source="lab", base_urls=("https://lab.example/r4",))
    own = (await ehr.post(make.lab(7.1))).json()["id"]

    seen = await lab.read(f"Observation/{own}")
    written = await lab.put(make.lab(9.9, id=own))
    deleted = await lab.delete(f"Observation/{own}")

    assert seen.status_code == 200
    assert [written.status_code, deleted.status_code] == [403, 403]
    assert (await ehr.read(f"Observation/{own}")).status_code == 200

"""Where a clinic's own patients stand in a measure, asked by the clinic alone."""

import dataclasses
import logging
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from app.measures.definitions import Age, Predicate, Sex
from app.services import registry
from app.services.hub import Hub
from app.settings import Settings
from tests import make
from tests.api.test_counting import count, diabetic, result, series
from tests.hubs import BASE_URL, Caller, Network, app_of, bearer, rows_of

pytestmark = pytest.mark.anyio

HBA1C = "hba1c-poor-control"
JIA = "jia-low-disease-activity"
SECRET = "Zq9secret7x"
LOINC = "http://loinc.org"
PARTS = {
    "physician-global": (LOINC, "75846-6", "{score}"),
    "patient-global": (LOINC, "75894-6", "{score}"),
    "active-joints": (
        "https://catchment.example/fhir/CodeSystem/network",
        "active-joint-count",
        "{count}",
    ),
}


def arthritic(name: str, *values: float, code: str = "M08.40") -> list[dict]:
    """
    Return entries about a child with arthritis, examined on 10 January 2026.

    *values* are what was found of PARTS, as far as they go.
    """
    about = {"subject": make.reference(f"Patient/{name}")}
    visit = make.encounter(id=f"{name}-v", period={"start": "2026-01-10"}, **about)
    diagnosis = make.concept("http://hl7.org/fhir/sid/icd-10-cm", code)
    return [
        make.put(make.patient(id=name, birthDate="2015-05-01")),
        make.put(make.condition(id=f"{name}-c", code=diagnosis, **about)),
        make.put(visit),
        *(make.put(_score(name, *each)) for each in zip(PARTS, values, strict=False)),
    ]


def _score(name: str, part: str, value: float) -> dict:
    system, code, unit = PARTS[part]
    return make.observation(
        id=f"{name}-{part}",
        code=make.concept(system, code),
        subject=make.reference(f"Patient/{name}"),
        effectiveDateTime="2026-01-10",
        valueQuantity={
            "value": value,
            "unit": unit,
            "system": make.UCUM,
            "code": unit,
        },
    )


def about(text: str) -> dict:
    return {"name": "patient", "valueString": text}


async def asked(ehr: Caller, *parameters: dict, measure: str = HBA1C) -> httpx.Response:
    body = {"resourceType": "Parameters", "parameter": list(parameters)}
    return await ehr.call("POST", f"/Measure/{measure}/$patient-status", body)


async def told(ehr: Caller, *parameters: dict, measure: str = HBA1C) -> list[dict]:
    """Return what is told of each patient: its status, strata and what is missing."""
    answer = await asked(ehr, *parameters, measure=measure)
    assert answer.status_code == 200, answer.text
    patients = [p for p in answer.json()["parameter"] if p["name"] == "patient"]
    found: list[dict] = []
    for index, patient in enumerate(patients):
        each: dict[str, Any] = {"stratum": [], "missing": []}
        for part in patient["part"]:
            value = next(value for name, value in part.items() if name != "name")
            if part["name"] in each:
                each[part["name"]].append(value)
            else:
                each[part["name"]] = value
        assert each.pop("index") == index
        found.append(each)
    return found


async def statuses(ehr: Caller, *texts: str, measure: str = HBA1C) -> list[str]:
    """Return the status of each patient, named by a text."""
    found = await told(ehr, *map(about, texts), measure=measure)
    return [each["status"] for each in found]


def standing(status: str, *strata: str, missing: tuple[str, ...] = ()) -> dict:
    return {"status": status, "stratum": list(strata), "missing": list(missing)}


async def test_every_status_is_told_in_the_order_asked(hub: Hub, network: Network):
    """In poor control: above 9 %, or never measured, which is a gap to close."""
    ehr = network.ehr()
    people = [entry for name in ("good", "poor", "gap") for entry in diabetic(name)]
    well = make.put(make.patient(id="well", birthDate="1970-05-01"))
    await ehr.send(make.batch(*people, well))
    await ehr.put(result("good", 7.0, day="2026-02-03", own_id="r1"))
    await ehr.put(result("poor", 9.5, day="2026-02-03", own_id="r2"))
    count(hub)

    found = await told(
        ehr,
        *map(about, ("poor", "nobody", "good", "gap", "well")),
        {"name": "asOf", "valueDate": "2026-02"},
    )

    assert found == [
        standing("met", "age:45-65"),
        standing("not-found"),
        standing("not-met", "age:45-65"),
        standing("met", "age:45-65", missing=("hba1c",)),
        standing("not-in-population"),
    ]


async def test_what_a_score_lacks_is_told_by_name(hub: Hub, network: Network):
    """A cJADAS10 needs three findings, and a cut-off the course of the disease."""
    ehr = network.ehr()
    await ehr.send(
        make.batch(
            *arthritic("whole", 1, 1, 1),
            *arthritic("two", 1, 1),
            *arthritic("none"),
            *arthritic("courseless", 1, 1, 1, code="M08.90"),
            *arthritic("ill", 1, 1, 8),
        )
    )
    count(hub)

    found = await told(
        ehr,
        *map(about, ("whole", "two", "none", "courseless", "ill")),
        {"name": "asOf", "valueDate": "2026-02"},
        measure=JIA,
    )

    strata = ("age:6-12", "course:oligo")
    assert found == [
        standing("met", *strata),
        standing("not-scored", *strata, missing=("active-joints",)),
        standing("not-scored", *strata, missing=tuple(PARTS)),
        standing("not-scored", "age:6-12", "course:other", missing=("other",)),
        standing("not-met", *strata),
    ]


async def test_who_is_taken_out_is_told_so(hub: Hub, settings: Settings):
    """Men are excluded; who is below 50 and not in poor control is excepted."""
    (usual,) = (measure for measure in hub.measures if measure.id == HBA1C)
    strict = msgspec.structs.replace(
        usual,
        denominator_exclusion=Predicate(sex=Sex.MALE),
        denominator_exception=Predicate(age=Age(below=50)),
    )
    hub = dataclasses.replace(hub, measures=(strict,))
    transport = httpx.ASGITransport(app=app_of(hub, settings))
    born = {"man": "1960", "young": "1990", "young-poor": "1990", "old": "1960"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        ehr = Network(hub, http).ehr()
        for name, year in born.items():
            await ehr.send(make.batch(*diabetic(name, born=f"{year}-05-01")))
            value = 9.5 if name == "young-poor" else 7.0
            await ehr.put(result(name, value, day="2026-02-03", own_id=name))
        man = make.patient(id="man", birthDate="1960-05-01", gender="male")
        await ehr.put(man)
        count(hub)

        as_of = {"name": "asOf", "valueDate": "2026-03"}
        found = await told(ehr, *map(about, born), as_of)
        (page,) = await contributions(ehr, month="2026-03")

    stand = [each["status"] for each in found]
    assert stand == ["excluded", "excepted", "met", "not-met"]
    assert sorted(each["status"] for each in page) == sorted(stand)


async def test_the_answer_says_of_what_and_as_of_when(hub: Hub, network: Network):
    """Measure with version, cut-off set, month, and up to when all is counted."""
    ehr = network.ehr()
    await ehr.put(make.patient(id="p"))
    count(hub)

    answer = await asked(ehr, about("p"), measure=JIA)

    head = {
        parameter["name"]: next(v for n, v in parameter.items() if n != "name")
        for parameter in answer.json()["parameter"]
    }
    (measure,) = (each for each in hub.measures if each.id == JIA)
    assert head["measure"] == f"{hub.fhir_base}/Measure/{JIA}|{measure.version}"
    assert head["cutOffSet"] == "trincianti-acr-2021"
    assert head["asOf"] == "2027-01"
    assert head["countedUpTo"] == "2027-01-15T08:00:00.000+00:00"
    assert head["policyDigest"] == hub.policy.digest


async def test_a_status_is_that_of_the_month_asked_about(hub: Hub, network: Network):
    """Born in May 1970, seen in January 2026 and forgotten twelve months later."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("p")))
    await ehr.put(result("p", 7.0, day="2026-02-20", own_id="r"))
    count(hub)

    found = {
        month: (await told(ehr, about("p"), {"name": "asOf", "valueDate": month}))[0]
        for month in ("2025-12", "2026-01", "2026-02-01", "2026", "2027-01")
    }

    assert {month: each["status"] for month, each in found.items()} == {
        "2025-12": "not-in-population",
        "2026-01": "met",
        "2026-02-01": "not-met",
        "2026": "not-met",
        "2027-01": "not-in-population",
    }


@pytest.mark.parametrize(
    "patient",
    [
        {"valueString": "p1"},
        {"valueId": "p1"},
        {"valueString": "Patient/p1"},
        {"valueString": f"{make.MRN}|M1"},
        {"valueString": f"Patient?identifier={make.MRN}|M1"},
        {"valueString": "https://ehr.example/fhir/Patient/p1"},
        {"valueReference": make.reference("Patient/p1")},
        {"valueReference": {"identifier": make.identifier("M1")}},
        {"valueIdentifier": make.identifier("M1")},
    ],
)
async def test_every_form_of_name_finds_the_patient(
    hub: Hub, network: Network, patient: dict
):
    """As in references, and as the clinic's own lists have them."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("p1")))
    mrn = [make.identifier("M1")]
    await ehr.put(make.patient(id="p1", birthDate="1970-05-01", identifier=mrn))
    count(hub)
    as_of = {"name": "asOf", "valueDate": "2026-02"}

    (found,) = await told(ehr, {"name": "patient", **patient}, as_of)
    hub_id = (await ehr.post(make.patient(identifier=mrn))).json()["id"]
    (same,) = await told(ehr, about(hub_id), as_of)

    assert found["status"] == same["status"] == "met"


async def test_a_joined_patient_stands_where_the_one_that_counts_does(
    hub: Hub, network: Network
):
    """Two charts of one person: asked by either, one answer; parted again, two."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("a"), *diabetic("b")))
    await ehr.put(result("b", 7.0, day="2026-12-03", own_id="r"))
    await ehr.put(
        make.encounter(
            id="v2",
            period={"start": "2026-12-03"},
            subject=make.reference("Patient/a"),
        )
    )
    count(hub)
    apart = await statuses(ehr, "a", "b")

    link = [{"other": make.reference("Patient/a"), "type": "replaces"}]
    await ehr.put(make.patient(id="b", birthDate="1970-05-01", link=link))
    count(hub)
    joined = await statuses(ehr, "a", "b")
    await ehr.put(make.patient(id="b", birthDate="1970-05-01"))
    count(hub)

    # Without the link, b was last seen in January 2026.
    assert apart == ["met", "not-in-population"]
    assert joined == ["not-met", "not-met"]
    assert await statuses(ehr, "a", "b") == apart


async def test_who_was_erased_or_withdrawn_is_no_longer_there(
    hub: Hub, network: Network
):
    """Erased: not found, at once. A Patient withdrawn has no age, so is not counted."""
    ehr = network.ehr(scopes=(*registry.CLINIC_SCOPES, "system/purge"))
    await ehr.send(make.batch(*diabetic("a"), *diabetic("b")))
    count(hub)
    as_of = {"name": "asOf", "valueDate": "2026-02"}
    (before,) = await told(ehr, about("a"), as_of)
    (by_hub_id,) = (await contributions(ehr, month="2026-02", limit="1"))[0]
    await ehr.call("POST", "/Patient/a/$purge")
    await ehr.delete("Patient/b")

    at_once = await told(ehr, about("a"), about(by_hub_id["patient"]), as_of)
    count(hub)
    later = await told(ehr, about("a"), about("b"), as_of)

    assert before["status"] == "met"
    assert [each["status"] for each in at_once] == ["not-found"] * 2
    assert [each["status"] for each in later] == ["not-found", "not-in-population"]


async def test_another_clinics_patients_are_not_found(hub: Hub, network: Network):
    """By an id that both use, by an identifier, and by the hub's own id."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    await ehr.send(make.batch(*diabetic("p")))
    created = await ehr.post(make.patient(identifier=[make.identifier("M1")]))
    count(hub)

    found = await statuses(other, "p", f"{make.MRN}|M1", created.json()["id"])

    assert found == ["not-found"] * 3


async def test_asking_leaves_nothing(
    hub: Hub, network: Network, caplog: pytest.LogCaptureFixture
):
    """The names are hashed in flight: in no row, in no log, not in the answer."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("p")))
    count(hub)
    await ehr.fresh_token()
    before = rows_of(hub.engine)
    caplog.set_level(logging.DEBUG)

    answer = await asked(
        ehr,
        about("p"),
        about(SECRET),
        {"name": "patient", "valueIdentifier": make.identifier(SECRET)},
    )
    refused = await asked(ehr, {"name": SECRET, "valueString": SECRET})

    logs = [vars(record) for record in caplog.records]
    assert (answer.status_code, refused.status_code) == (200, 422)
    assert SECRET not in f"{answer.text}{refused.text}{logs}"
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("parameters", "status", "at"),
    [
        (["p"], 400, "Parameters.parameter[0]"),
        ([{"name": "patient"}], 422, "Parameters.parameter[0]"),
        ([about("p"), {"name": "who", "valueString": "p"}], 422, "[1].name"),
        ([about("Observation/1")], 422, "Parameters.parameter[0]"),
        ([about("http://strange.example/Patient/1")], 422, "Parameters.parameter[0]"),
        ([about("http://strange.example|7")], 422, "Parameters.parameter[0]"),
        ([about("two words")], 422, "Parameters.parameter[0]"),
        ([{"name": "patient", "valueInteger": 7}], 400, "Parameters.parameter[0]"),
        ([{"name": "asOf", "valueDate": "2026-13"}], 422, "Parameters.parameter[0]"),
        ([{"name": "asOf", "valueDate": "2027-02"}], 422, "asOf"),
        ([{"name": "asOf", "valueDate": "2026"}] * 2, 422, "Parameters.parameter"),
        ([about("p")] * 501, 413, "Parameters.parameter"),
    ],
    ids=range(12),
)
async def test_a_question_that_can_not_be_read_is_refused(
    hub: Hub, network: Network, parameters: list, status: int, at: str
):
    """Its place is told; the others are not answered either."""
    ehr = network.ehr()
    count(hub)

    answer = await asked(ehr, *parameters)

    (issue,) = answer.json()["issue"]
    assert answer.status_code == status, answer.text
    assert at in issue["expression"][0]


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_five_hundred_may_be_asked_about(hub: Hub, network: Network):
    """A clinic's panel goes in a few calls."""
    ehr = network.ehr()
    count(hub)

    found = await statuses(ehr, *(f"p{n}" for n in range(500)))

    assert found == ["not-found"] * 500


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_only_a_clinic_that_may_see_patients_may_ask(hub: Hub, network: Network):
    """A partner may not, nor a client without either scope; 404 for no measure."""
    ehr, partner = network.ehr(), network.partner()
    blind = network.ehr("alpha-blind", scopes=("system/MeasureReport.rs",))
    sends = network.ehr("alpha-sends", scopes=("system/Patient.cruds",))
    count(hub)

    answers = [await asked(c, about("p")) for c in (ehr, partner, blind, sends)]
    pages = [await page_of(c) for c in (ehr, partner, blind, sends)]
    unknown = await asked(ehr, about("p"), measure="none")

    assert [answer.status_code for answer in answers] == [200, 403, 403, 403]
    assert [page.status_code for page in pages] == [200, 403, 403, 403]
    assert answers[1].json()["resourceType"] == "OperationOutcome"
    assert pages[1].headers["Content-Type"] == "application/problem+json"
    assert unknown.status_code == 404


async def page_of(
    caller: Caller, measure: str = HBA1C, **parameters: str
) -> httpx.Response:
    return await caller.http.get(
        f"/v1/measures/{measure}/contributions",
        params=parameters,
        headers=bearer(await caller.fresh_token()),
    )


async def contributions(ehr: Caller, **parameters: str) -> list[list[dict]]:
    """Return the pages of a clinic's own patients."""
    pages: list[list[dict]] = []
    after: int | None = 0
    while after is not None:
        answer = await page_of(ehr, **parameters, after=str(after))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["contributions"])
        after = answer.json()["next"]
        if "limit" in parameters and after is not None and parameters["limit"] == "1":
            break
    return pages


async def test_a_clinics_patients_are_listed_under_pseudonyms(
    hub: Hub, network: Network
):
    """By the hub's own id, under which the clinic may read the Patient."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    await ehr.send(make.batch(*diabetic("a"), *diabetic("b")))
    await ehr.put(make.patient(id="well"))
    await ehr.put(result("a", 7.0, day="2026-02-03", own_id="r"))
    count(hub)

    (page,) = await contributions(ehr, month="2026-02")
    (nobody,) = await contributions(other, month="2026-02")

    assert sorted((c["status"], c["missing"]) for c in page) == [
        ("met", ["hba1c"]),
        ("not-met", []),
    ]
    assert nobody == []
    for each in page:
        assert each["strata"] == ["age:45-65"]
        read = await ehr.read(each["patient"])
        assert read.json()["birthDate"] == "1970-05"
        (same,) = await told(
            ehr, about(each["patient"]), {"name": "asOf", "valueDate": "2026-02"}
        )
        assert same["status"] == each["status"]


async def test_pages_of_patients_hold_each_once(hub: Hub, network: Network):
    """Five patients by two: two, two and one."""
    ehr = network.ehr()
    await ehr.send(make.batch(*(e for n in range(5) for e in diabetic(f"p{n}"))))
    count(hub)

    pages = await contributions(ehr, month="2026-02", limit="2")

    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({each["patient"] for page in pages for each in page}) == 5


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"month": "2026-13"}, 400),
        ({"month": "2026"}, 400),
        ({"limit": "0"}, 400),
        ({"after": "-1"}, 400),
        ({"measure": "none"}, 404),
    ],
)
async def test_a_page_that_there_is_not_is_refused(
    hub: Hub, network: Network, query: dict[str, str], status: int
):
    """As a problem document, as all of /v1."""
    ehr = network.ehr()
    count(hub)

    answer = await page_of(ehr, **query)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_what_is_told_of_all_adds_up_to_the_clinics_number(
    hub: Hub, network: Network
):
    """Random results and merges: met is n, all are d, and the complete ones scored."""
    random = Random(11)
    ehr = network.ehr()
    names = [f"p{n}" for n in range(9)]
    await ehr.send(make.batch(*(e for name in names for e in diabetic(name))))
    for step in range(60):
        name = random.choice(names)
        value = random.choice([6.5, 9.0, 9.1, 11.0])
        day = f"2026-{random.randrange(1, 13):02d}-03"
        await ehr.put(result(name, value, day=day, own_id=f"{name}-{step % 3}"))
        if step % 20 == 7:
            other = make.reference(f"Patient/{random.choice(names)}")
            link = [{"other": other, "type": "replaces"}]
            await ehr.put(make.patient(id=name, birthDate="1960-01", link=link))
    count(hub)
    points = await series(ehr, clinic="alpha")
    seen = 0

    for month in ("2026-01", "2026-04", "2026-08", "2026-12", "2027-01"):
        (page,) = await contributions(ehr, month=month)
        point = points[f"{month}-01"]

        met = sum(each["status"] == "met" for each in page)
        scored = sum(not each["missing"] for each in page)
        assert (met, len(page)) == (point["n"] or 0, point["d"] or 0)
        assert scored == (point["scored"] or 0)
        seen += len(page)

    assert seen > 20

"""Measures and what may be seen of them, as FHIR has it."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.validation import validate
from app.services import releases
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.store.sessions import read_session, write_session
from tests import released_hub
from tests.api.test_counting import count, diabetic, result
from tests.hubs import Caller, Network, bearer
from tests.make import batch
from tests.reference.library import LIBRARY
from tests.reference.reports import deqm_faults, values
from tests.released_hub import HIDDEN_MEASURE, MEASURE

pytestmark = pytest.mark.anyio

HBA1C = "hba1c-poor-control"
OWN = "https://catchment.example/fhir/StructureDefinition"
OF_JANUARY = (
    f"Measure/{MEASURE}/$evaluate-measure?periodStart=2024-01&periodEnd=2024-01"
)
VERSION_OF = {measure.id: measure.version for measure in LIBRARY.values()}
CANONICAL = f"http://127.0.0.1:8000/fhir/Measure/{MEASURE}"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a release for each audience, its numbers written by hand."""
    hub = released_hub.small_hub(tmp_path_factory.mktemp("released"))
    released_hub.release(hub)
    yield hub
    hub.engine.dispose()


@pytest.fixture(scope="module")
def number(released: Hub) -> str:
    """The number of the measure that is published, as ids of reports have it."""
    with read_session(released.engine) as session:
        return f"m{measure_rows(session, released)[MEASURE].id}"


@pytest.fixture
async def http(released: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to it as a member's app, unless a request brings another token."""
    transport = httpx.ASGITransport(app=released_hub.app_of(released))
    async with httpx.AsyncClient(
        transport=transport,
        base_url=released.base_url,
        headers=released_hub.token(released, "app"),
    ) as client:
        yield client


async def read(http: httpx.AsyncClient, path: str, **parameters: Any) -> dict[str, Any]:
    """Return what is at *path*, which is valid by FHIR's models and our own schema."""
    response = await http.get(f"/fhir/{path}", params=parameters or None)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/fhir+json"
    resource: dict[str, Any] = response.json()
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert validate(resource) == ()
    return resource


async def report_of(
    http: httpx.AsyncClient, start: str, end: str, measure: str = MEASURE, **also: str
) -> dict[str, Any]:
    path = f"Measure/{measure}/$evaluate-measure"
    return await read(http, path, periodStart=start, periodEnd=end, **also)


async def everything(http: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Return the resources of all pages of a search."""
    found: list[dict[str, Any]] = []
    url: str | None = path
    while url is not None:
        bundle = await read(http, url)
        found += [entry["resource"] for entry in bundle.get("entry", ())]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        url = links["next"].partition("/fhir/")[2] if "next" in links else None
    return found


def counts(group: dict[str, Any]) -> dict[str, int | str]:
    """Return each population's count, or the reason why there is none."""
    return {
        population["code"]["coding"][0]["code"]: population["count"]
        if "count" in population
        else values(population["_count"], ABSENT)[0]
        for population in group["population"]
    }


def issue_of(response: httpx.Response) -> dict[str, Any]:
    (issue,) = response.json()["issue"]
    return dict(issue)


async def test_every_measure_is_served_as_one_of_fhirs(
    http: httpx.AsyncClient, released: Hub
):
    """All that the hub counts, each at its canonical URL, and none other."""
    found = await everything(http, "Measure")

    assert [each["id"] for each in found] == [m.id for m in released.measures]
    for measure in found:
        assert measure["url"] == f"{released.fhir_base}/Measure/{measure['id']}"
        assert await read(http, f"Measure/{measure['id']}") == measure
        assert re.fullmatch("[A-Z][A-Za-z0-9_]{0,254}", measure["name"])
        assert measure["status"] == "active"
        assert "date" not in measure  # nobody knows it


async def test_a_measure_says_what_it_counts_and_which_way_is_better(
    http: httpx.AsyncClient, released: Hub
):
    """CMS122's HbA1c above 9 %: a proportion of everybody, and less of it is better."""
    measure = await read(http, f"Measure/{HBA1C}")

    def code(element: str) -> str:
        (coding,) = measure[element]["coding"]
        return f"{coding['system'].rpartition('/')[2]}|{coding['code']}"

    (group,) = measure["group"]
    assert code("scoring") == "measure-scoring|proportion"
    assert code("improvementNotation") == "measure-improvement-notation|decrease"
    assert {
        each["code"]["coding"][0]["code"]: each["criteria"]["expression"]
        for each in group["population"]
    } == {
        "initial-population": "initial_population",
        "denominator": "initial_population",
        "numerator": "numerator",
    }
    assert {each["criteria"]["language"] for each in group["population"]} == {
        "text/x-catchment-measure+yaml"
    }
    assert [each["criteria"]["expression"] for each in group["stratifier"]] == [
        "stratifiers.age"
    ]
    definition, *citations = measure["relatedArtifact"]
    assert definition["url"] == f"{released.base_url}/v1/measures/{HBA1C}"
    assert ["CMS122" in each["citation"] for each in citations] == [True]
    basis = (
        "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-populationBasis"
    )
    assert values(measure, basis) == ["boolean"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"_id={HBA1C}", [HBA1C]),
        (f"_id={HBA1C},bp-control", ["bp-control", HBA1C]),
        ("url=http://127.0.0.1:8000/fhir/Measure/bp-control", ["bp-control"]),
        ("name=hba1c", [HBA1C]),
        (f"name=hba1c&status=active&version={VERSION_OF[HBA1C]}", [HBA1C]),
        ("name=control", []),
        ("name=hba1c&version=0.9.0", []),
        ("name=hba1c&status=draft", []),
        ("name=hba1c&_count=0", []),
    ],
)
async def test_measures_are_found_by_what_names_them(
    http: httpx.AsyncClient, query: str, found: list[str]
):
    """A name by how it begins, the others whole; a comma says or."""
    bundle = await read(http, f"Measure?{query}")

    assert [e["resource"]["id"] for e in bundle.get("entry", ())] == found
    assert bundle["type"] == "searchset"


@pytest.mark.parametrize(
    "path",
    [
        "Measure?code=x",
        "Measure?name:exact=x",
        "Measure?_count=many",
        "Measure?_count=1&_count=2",
        f"Measure/{HBA1C}?x=y",
        "MeasureReport?status=complete",
        "MeasureReport?period=2024-Q1",
        "MeasureReport?period=2024-02-30",
        "MeasureReport?reporter=Patient/1",
    ],
)
async def test_what_is_not_searched_by_is_refused(http: httpx.AsyncClient, path: str):
    """A parameter that was passed over would find too much."""
    response = await http.get(f"/fhir/{path}")

    assert response.status_code == 400
    assert issue_of(response)["code"] == "not-supported"


@pytest.mark.parametrize(
    "path",
    [
        "Measure/none",
        "Measure/none/$evaluate-measure?periodStart=2024-01&periodEnd=2024-01",
        f"{OF_JANUARY}&reporter=Organization/nobody",
        "MeasureReport/r1-{m}-network-2019-01",
        "MeasureReport/r9-{m}-network-2024-02",
        "MeasureReport/live-{m}-network-2024-02",
        "MeasureReport/r1-m99-network-2024-02",
        "MeasureReport/r1-{m}-c99-2024-02",
        "MeasureReport/none",
    ],
)
async def test_what_there_is_not_is_not_found(
    http: httpx.AsyncClient, number: str, path: str
):
    """In FHIR's format, as all else under /fhir."""
    response = await http.get(f"/fhir/{path.format(m=number)}")

    assert response.status_code == 404
    assert issue_of(response)["code"] == "not-found"


async def test_a_quarter_is_reported_with_its_strata(
    http: httpx.AsyncClient, released: Hub
):
    """190 of 300 in the last quarter of 2024; of three age groups one is hidden."""
    report = await report_of(http, "2024-10-01", "2024-12-31")

    (group,) = report["group"]
    url, version = f"{released.fhir_base}/Measure/{MEASURE}", VERSION_OF[MEASURE]
    assert report["measure"] == f"{url}|{version}"
    assert report["period"] == {"start": "2024-10-01", "end": "2024-12-31"}
    assert (report["status"], report["type"]) == ("complete", "summary")
    assert report["reporter"]["reference"] == "Organization/the.network"
    assert counts(group) == {
        "initial-population": "masked",
        "denominator": 300,
        "numerator": 190,
    }
    assert group["measureScore"]["value"] == pytest.approx(190 / 300)
    (stratifier,) = group["stratifier"]
    strata = {each["value"]["text"]: each for each in stratifier["stratum"]}
    assert counts(strata["age:0-6"]) == {
        "initial-population": 44,
        "denominator": 40,
        "numerator": 31,
    }
    assert values(strata["age:0-6"], f"{OWN}/completeness") == [40 / 44]
    assert set(counts(strata["age:6-12"]).values()) == {"masked"}
    assert "measureScore" not in strata["age:6-12"]
    assert counts(strata["age:12-18"])["numerator"] == 83


async def test_a_report_says_where_its_numbers_come_from(http: httpx.AsyncClient):
    """Measure, cut-offs, policy, release and audience travel with each of them."""
    report = await report_of(http, "2024-02", "2024-02")

    said = {
        name: values(report, f"{OWN}/{name}")
        for name in ("cut-off-set", "measure-basis", "release", "audience")
    }
    assert said == {
        "cut-off-set": ["trincianti-acr-2021"],
        "measure-basis": ["visits"],
        "release": [1],
        "audience": ["members"],
    }
    assert values(report, f"{OWN}/policy-digest") == ["p"]
    assert len(values(report, f"{OWN}/definition-digest")[0]) == 64
    assert values(report["group"][0], f"{OWN}/completeness") == [100 / 110]
    assert values(report["group"][0], f"{OWN}/scored") == [100]


async def test_a_count_that_is_suppressed_keeps_its_place(http: httpx.AsyncClient):
    """January 2024 is hidden: each count says so, and there is no score to undo it."""
    report = await report_of(http, "2024-01-01", "2024-01-31")

    (group,) = report["group"]
    assert counts(group) == dict.fromkeys(
        ("initial-population", "denominator", "numerator"), "masked"
    )
    assert "measureScore" not in group
    assert not values(group, f"{OWN}/completeness")


@pytest.mark.parametrize(
    ("start", "end", "identified"),
    [
        ("2024-02-01", "2024-02-29", "2024-02"),
        ("2024-02", "2024-02", "2024-02"),
        ("2024-01-01", "2024-03-31", "2024-Q1"),
        ("2024-04", "2024-06", "2024-Q2"),
    ],
)
async def test_a_period_is_whole_days_or_whole_months(
    http: httpx.AsyncClient, number: str, start: str, end: str, identified: str
):
    """As FHIR reads dates: a month starts on its first day and ends on its last."""
    report = await report_of(http, start, end)

    assert report["id"] == f"r1-{number}-network-{identified}"
    assert await read(http, f"MeasureReport/{report['id']}") == report


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("periodStart=2024-02&periodEnd=2024-03", "one calendar month, quarter or"),
        ("periodStart=2024-02&periodEnd=2024-04", "one calendar month, quarter or"),
        ("periodStart=2024-02-02&periodEnd=2024-03-01", "one calendar month, quar"),
        ("periodStart=2024-03&periodEnd=2024-02", "one calendar month, quarter or"),
        ("periodStart=2024-02-30&periodEnd=2024-03-01", "periodStart is needed"),
        ("periodStart=2024-02", "periodEnd is needed"),
        ("periodStart=2024&periodEnd=2024", "quarter 2024-Q1 to 2024-Q4"),
        ("periodStart=2023-12&periodEnd=2023-12", "month 2024-01 to 2025-02"),
        ("periodStart=2024-02&periodEnd=2024-02&reportType=subject", "summary"),
        ("periodStart=2024-02&periodEnd=2024-02&practitioner=x", "parameters are"),
        ("periodStart=2024-02&periodEnd=2024-02&subject=Patient/1", "Organization/"),
        (
            "periodStart=2024&periodEnd=2024&subject=Location/a&reporter=Location/b",
            "not the same",
        ),
        (
            "periodStart=2024-02&periodEnd=2024-02&reporter=Organization/birch-hill",
            "there are: quarter 2024-Q1 to 2024-Q4",
        ),
        (
            "periodStart=2024&periodEnd=2024&reporter=Organization/fern-dale",
            "there are: none",
        ),
    ],
)
async def test_what_no_report_is_made_of_is_refused(
    http: httpx.AsyncClient, query: str, said: str
):
    """400, and what would do instead."""
    response = await http.get(f"/fhir/Measure/{MEASURE}/$evaluate-measure?{query}")

    assert response.status_code == 400
    assert said in issue_of(response)["diagnostics"]


@pytest.mark.parametrize(
    "named",
    [
        {"reporter": "Organization/alder-creek"},
        {"reporter": "Location/alder-creek"},
        {"reporter": "http://127.0.0.1:8000/fhir/Organization/alder-creek"},
        {"subject": "Organization/alder-creek"},
        {"subject": "Location/alder-creek", "reporter": "Organization/alder-creek"},
    ],
)
async def test_a_clinic_is_named_as_the_reporter_or_the_subject(
    http: httpx.AsyncClient, named: dict[str, str]
):
    """40 of 77 at Alder Creek in January; members may know its name."""
    report = await report_of(http, "2024-01", "2024-01", **named)

    assert report["reporter"] == {
        "reference": "Organization/alder-creek",
        "display": "Alder Creek",
    }
    assert counts(report["group"][0])["numerator"] == 40


async def test_parameters_ask_as_a_url_does(http: httpx.AsyncClient):
    """POST with a Parameters resource, a Reference or its text as the reporter."""
    path = f"/fhir/Measure/{MEASURE}/$evaluate-measure"
    asked = await report_of(
        http, "2024-01", "2024-01", reporter="Organization/alder-creek"
    )
    for reporter in (
        {"valueString": "Organization/alder-creek"},
        {"valueReference": {"reference": "Organization/alder-creek"}},
    ):
        parameters = [
            {"name": "periodStart", "valueDate": "2024-01-01"},
            {"name": "periodEnd", "valueDate": "2024-01-31"},
            {"name": "reportType", "valueCode": "population"},
            {"name": "reporter", **reporter},
        ]

        answer = await http.post(
            path, json={"resourceType": "Parameters", "parameter": parameters}
        )

        assert answer.json() == asked


@pytest.mark.parametrize(
    ("parameters", "at"),
    [
        ({"resourceType": "Bundle"}, "resourceType"),
        ({"resourceType": "Parameters", "parameter": ["x"]}, "Parameters.parameter[0]"),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "periodStart"}]},
            "Parameters.parameter[0]",
        ),
    ],
)
async def test_parameters_that_can_not_be_read_are_refused(
    http: httpx.AsyncClient, parameters: dict, at: str
):
    """400, and where."""
    path = f"/fhir/Measure/{MEASURE}/$evaluate-measure"

    answer = await http.post(path, json=parameters)

    assert answer.status_code == 400
    assert issue_of(answer)["expression"] == [at]


async def test_every_report_keeps_the_rules_of_deqm(http: httpx.AsyncClient):
    """All that a member can find, the suppressed ones among them."""
    reports = await everything(http, "MeasureReport?_count=40")

    assert {fault for report in reports for fault in deqm_faults(report)} == set()
    assert len({report["id"] for report in reports}) == len(reports)
    # 14 months of two measures, 4 quarters; 14 months and 4 quarters of two clinics.
    assert len(reports) == 14 + 14 + 4 + 14 + 4


async def test_a_report_says_what_the_series_says(http: httpx.AsyncClient):
    """One interface never tells what another hides."""
    reports = await everything(http, "MeasureReport?_count=500")
    told = 0

    for measure in (MEASURE, HIDDEN_MEASURE):
        for clinic in (None, "alder-creek", "birch-hill"):
            for interval in ("month", "quarter"):
                query = {"interval": interval} | ({"clinic": clinic} if clinic else {})
                url = f"/v1/measures/{measure}/series"
                series = await http.get(url, params=query)
                for point in series.json()["points"]:
                    place = f"Organization/{clinic or 'the.network'}"
                    same = [
                        report["group"][0]
                        for report in reports
                        if report["period"]["start"] == point["interval_start"]
                        and report["reporter"]["reference"] == place
                        and f"/{measure}|" in report["measure"]
                        and ("-Q" in report["id"]) == (interval == "quarter")
                    ]
                    assert len(same) == (point["reason"] != "not-published")
                    for group in same:
                        told += 1
                        assert counts(group) == {
                            "initial-population": point["population"] or "masked",
                            "denominator": point["d"] or "masked",
                            "numerator": point["n"] or "masked",
                        }
    assert told == len(reports)


async def test_pages_hold_each_report_once(http: httpx.AsyncClient):
    """In an order that does not change, with links there and back."""
    whole = await everything(http, "MeasureReport?_count=500")

    pages = await everything(http, "MeasureReport?_count=7")
    first = await read(http, "MeasureReport", _count=7)
    second = await read(http, first["link"][1]["url"].partition("/fhir/")[2])

    assert pages == whole
    assert [link["relation"] for link in second["link"]] == ["self", "next", "previous"]
    assert first["total"] == len(whole)
    assert first["link"][0]["url"].endswith("MeasureReport?_count=7&_offset=0")
    last = await read(http, "MeasureReport", _count=27, _offset=27)  # 54 in all
    assert [link["relation"] for link in last["link"]] == ["self", "previous"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("measure=none", 0),
        (f"measure={MEASURE}", 36),
        (f"measure=Measure/{MEASURE}", 36),
        (f"measure={CANONICAL}", 36),
        (
            f"measure={CANONICAL}|{VERSION_OF[MEASURE]}",
            36,
        ),
        (f"measure={CANONICAL}|0.9.0", 0),
        (f"measure={MEASURE},{HIDDEN_MEASURE}", 50),
        ("reporter=Organization/alder-creek", 14),
        ("reporter=birch-hill", 4),
        ("reporter=alder-creek,Location/birch-hill", 18),
        (f"reporter=Organization/the.network&measure={MEASURE}", 18),
        (f"measure={MEASURE}&reporter=the.network&period=2024", 12 + 4),
        (f"measure={MEASURE}&reporter=the.network&period=2024-01", 1),
        (f"measure={MEASURE}&reporter=the.network&period=ge2025", 2),
        (f"measure={MEASURE}&reporter=the.network&period=gt2024-12-31", 2),
        (f"measure={MEASURE}&reporter=the.network&period=ge2024-12", 3),
        (f"measure={MEASURE}&reporter=the.network&period=lt2024-02", 2),
        (f"measure={MEASURE}&reporter=the.network&period=le2024-03", 4),
        (f"measure={MEASURE}&reporter=the.network&period=sa2024", 2),
        (f"measure={MEASURE}&reporter=the.network&period=eb2024-02", 1),
        (f"measure={MEASURE}&reporter=the.network&period=ne2024", 2),
        (f"measure={MEASURE}&reporter=the.network&period=ap2024-02", 2),
        (
            f"measure={MEASURE}&reporter=the.network&period=ge2024-04&period=lt2024-07",
            4,
        ),
        ("_id=r1-{m}-network-2024-02,r1-{m}-c1-2024-02", 2),
    ],
)
async def test_reports_are_found_by_measure_period_and_reporter(
    http: httpx.AsyncClient, number: str, query: str, found: int
):
    """
    14 months from January 2024 on and four quarters; two clinics of one of them each.

    By the prefixes of R4 search, 3.1.1.4.5: December's quarter is no ge2024-12, since
    it neither ends after it nor lies in it.
    """
    bundle = await read(http, f"MeasureReport?{query.format(m=number)}&_count=500")

    assert bundle["total"] == len(bundle.get("entry", ())) == found


async def test_the_public_sees_the_network_alone(
    http: httpx.AsyncClient, released: Hub, number: str
):
    """Single clinics are for members: by no parameter, id or search."""
    public = released_hub.token(released, "anyone")

    found = await http.get("/fhir/MeasureReport?_count=500", headers=public)
    asked = await http.get(
        f"/fhir/{OF_JANUARY}&reporter=Organization/alder-creek", headers=public
    )
    clinics_own = f"/fhir/MeasureReport/r1-{number}-c1-2024-02"
    of_members = await http.get(clinics_own, headers=public)

    reports = [entry["resource"] for entry in found.json()["entry"]]
    assert {r["reporter"]["reference"] for r in reports} == {"Organization/the.network"}
    shown = {r["id"]: counts(r["group"][0])["numerator"] for r in reports}
    assert shown[f"r2-{number}-network-2024-Q1"] == 301
    assert shown[f"r2-{number}-network-2024-02"] == "masked"
    assert asked.status_code == 403
    assert of_members.status_code in {403, 404}


async def test_who_has_a_report_already_is_not_sent_it_again(
    http: httpx.AsyncClient, number: str
):
    """A release is frozen, and so is the tag of each of its reports."""
    path = f"/fhir/MeasureReport/r1-{number}-network-2024-02"
    first = await http.get(path)

    again = await http.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304


async def test_each_scope_opens_its_own_door(network: Network):
    """Definitions by Measure, numbers by MeasureReport; 403 tells of the other."""
    ehr = network.ehr()
    paths = {
        "Measure": ["Measure", f"Measure/{HBA1C}"],
        "MeasureReport": [
            "MeasureReport",
            "MeasureReport/none",
            f"Measure/{HBA1C}/$evaluate-measure?periodStart=2026-01&periodEnd=2026-01",
        ],
    }

    for scope in paths:
        token = await ehr.fresh_token(f"system/{scope}.rs")
        for door, those in paths.items():
            for path in those:
                answer = await ehr.http.get(f"/fhir/{path}", headers=bearer(token))
                assert (answer.status_code == 403) == (door != scope), path
    assert (await ehr.http.get("/fhir/Measure")).status_code == 401


async def own_report(ehr: Caller, month: str, **also: str) -> dict[str, Any]:
    query = f"periodStart={month}&periodEnd={month}&reporter=Organization/{ehr.clinic}"
    answer = await ehr.read(f"Measure/{HBA1C}/$evaluate-measure?{query}", **also)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    get_fhir_model_class("MeasureReport").model_validate(report)
    assert list(deqm_faults(report)) == []
    return report


async def test_a_clinic_is_told_its_own_true_numbers_live(hub: Hub, network: Network):
    """One of two is above 9 %: 1 of 2, however few they are, before any release."""
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a"), *diabetic("b")))
    await ehr.put(result("a", 7.0, day="2026-02-03", own_id="ra"))
    await ehr.put(result("b", 9.5, day="2026-02-03", own_id="rb"))
    count(hub)

    report = await own_report(ehr, "2026-02")

    (group,) = report["group"]
    assert counts(group) == {"initial-population": 2, "denominator": 2, "numerator": 1}
    assert group["measureScore"]["value"] == 0.5
    assert report["date"] == "2027-01-15T08:00:00.000+00:00"
    assert values(report, f"{OWN}/release") == []
    assert values(report, f"{OWN}/provisional") == [False]
    read_again = await ehr.read(f"MeasureReport/{report['id']}")
    assert read_again.json() == report
    assert report["id"].startswith("live-")


async def test_a_release_does_not_take_the_place_of_live_numbers(
    hub: Hub, network: Network
):
    """Two patients are too few for any release; their own clinic sees them still."""
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a"), *diabetic("b")))
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    report = await own_report(ehr, "2026-02")
    found = await ehr.read(f"MeasureReport?measure={HBA1C}&reporter=alpha")

    assert counts(report["group"][0])["numerator"] == 2
    assert report["id"].startswith("live-")
    entries = found.json()["entry"]
    assert {e["resource"]["id"].partition("-")[0] for e in entries} == {"live"}


async def test_a_month_without_data_says_that_nobody_knows(hub: Hub, network: Network):
    """Seen in January 2026, so no more counted in January 2027: never 0 of 0."""
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a")))
    count(hub)

    report = await own_report(ehr, "2027-01")

    (group,) = report["group"]
    assert set(counts(group).values()) == {"unknown"}
    assert "measureScore" not in group
    assert values(report, f"{OWN}/provisional") == [True]


async def test_live_numbers_are_for_the_clinic_alone(hub: Hub, network: Network):
    """Others wait for a release; what is found is what one may see."""
    ehr, other, partner = network.ehr(), network.ehr("beta-ehr"), network.partner()
    await ehr.send(batch(*diabetic("a")))
    count(hub)
    report = await own_report(ehr, "2026-02")
    query = "periodStart=2026-02&periodEnd=2026-02&reporter=Organization/alpha"

    own = await ehr.read(f"MeasureReport?measure={HBA1C}&_count=500")
    answers = [
        await caller.read(path)
        for caller in (other, partner)
        for path in (
            f"MeasureReport/{report['id']}",
            f"Measure/{HBA1C}/$evaluate-measure?{query}",
        )
    ]
    found = await partner.read("MeasureReport")

    assert report in [entry["resource"] for entry in own.json()["entry"]]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert found.json()["total"] == 0

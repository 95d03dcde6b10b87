"""What the doors tell of means, exclusions, strata and other cut-off sets."""

import csv
import dataclasses
import io
from collections.abc import AsyncIterator
from math import sqrt
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text

from app.domain.clinics import Audience
from app.domain.errors import ReleaseRefusedError
from app.measures.libraries import parse_measures
from app.services import releases
from app.services.hub import Hub
from app.settings import Settings
from app.store.frozen_counts import frozen
from app.store.recounts import known_measures
from app.store.sessions import read_session, write_session
from tests.api.test_counting import DIABETES, count, result
from tests.api.test_visit_capture import declared
from tests.hubs import BASE_URL, Caller, Network, app_of, bearer
from tests.make import batch, condition, encounter, patient, put, reference
from tests.reference.library import READ

HEAD = """
version: 1.2.0
title: HbA1c
description: HbA1c of who came.
improvement_notation: decrease
observables: {hba1c: {codes: hba1c, unit: "%", tie: lowest}}
initial_population: {condition: diabetes}
sources: [made up]
examples: [{title: nobody, expect: {2024-01: none}}]
"""
MEAN = """
id: mean-hba1c
basis: visits
scoring: continuous-variable
measure_observation: {of: hba1c, from: 4, to: 16, step: 0.5}
stratifiers: {sex: {sex: "yes"}, age: {age_band: [50]}}
"""
NET = """
id: net
basis: visits
scoring: proportion
denominator_exclusion: {age: {from: 80}}
denominator_exception: {sex: male}
scorable: {measured: hba1c}
numerator: {value: {of: hba1c, below: 8}}
"""
AFTER = """
id: hba1c-after-a-visit
basis: index-events
scoring: proportion
index: {visit: "yes", first_in_months: 1}
window: {from_days: 0, to_days: 20}
scorable: {measured: hba1c}
numerator: {value: {of: hba1c, below: 8}}
"""
BOTH = """
id: both
basis: visits
scoring: proportion
scorable: {all: [{measured: hba1c}, {measured: weight}]}
numerator: {value: {of: hba1c, below: 8}}
"""
WEIGHT = "  weight: {codes: body-weight, unit: kg, tie: lowest}\ninitial_population"
SETS = """
id: controlled
basis: visits
scoring: proportion
cut_off_set: strict
cut_off_sets: {strict: {good: 7}, lenient: {good: 9}}
scorable: {measured: hba1c}
numerator: {value: {of: hba1c, below: good}}
"""
TWO = """
examples:
  - {title: nobody, expect: {2024-01: none}}
  - {title: nobody, cut_off_set: lenient, expect: {2024-01: none}}
"""
OF_TWO = HEAD.replace("initial_population", WEIGHT).replace(
    '{hba1c: {codes: hba1c, unit: "%", tie: lowest}}',
    '\n  hba1c: {codes: hba1c, unit: "%", tie: lowest}',
)
SEVERAL = SETS + HEAD.rpartition("examples")[0] + TWO
MEASURES = tuple(
    measure
    for text in (MEAN + HEAD, NET + HEAD, AFTER + HEAD, BOTH + OF_TWO, SEVERAL)
    for measure in parse_measures(text, origin="tried.yaml", shared=READ.value_sets)
)


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """A hub that counts the measures above and no other."""
    return dataclasses.replace(hub, measures=MEASURES)


@pytest.fixture
async def client(hub: Hub, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app_of(hub, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        yield http


def seen(
    name: str, value: float | None, *, sex: str = "female", born: str = "1970-05"
) -> list[dict]:
    """Return entries of someone with diabetes, seen on 10 January 2026."""
    about = {"subject": reference(f"Patient/{name}")}
    entries = [
        put(patient(id=name, birthDate=f"{born}-01", gender=sex)),
        put(condition(id=f"{name}-dm", code=DIABETES, onsetDateTime="2020", **about)),
        put(encounter(id=f"{name}-v", period={"start": "2026-01-10"}, **about)),
    ]
    if value is not None:
        own = f"{name}-r"
        entries.append(put(result(name, value, day="2026-01-10", own_id=own)))
    return entries


async def ask(caller: Caller, path: str, **parameters: str) -> httpx.Response:
    token = await caller.fresh_token("system/Measure.rs system/MeasureReport.rs")
    accept = {"Accept": parameters.pop("accept", "application/json")}
    return await caller.http.get(
        path, params=parameters, headers=bearer(token) | accept
    )


async def read(caller: Caller, path: str, **parameters: str) -> dict[str, Any]:
    response = await ask(caller, path, **parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def january(
    caller: Caller, measure: str, *, start: str = "2026-01-01", **parameters: str
) -> dict[str, Any]:
    path = f"/v1/measures/{measure}/series"
    points = (await read(caller, path, **parameters))["points"]
    found = {point["interval_start"]: point for point in points}
    return dict(found[start])


@pytest.fixture
async def five(hub: Hub, network: Network) -> Caller:
    """
    A clinic that saw five people: 6.2, 7.4 and 7.9 of women, 9.5 of a man, one of none.

    Four values: their sum is 31, that of their squares 245.86.
    """
    ehr = network.ehr()
    people = [
        *seen("a", 6.2, born="1990-05"),
        *seen("b", 7.4),
        *seen("c", 7.9),
        *seen("d", 9.5, sex="male"),
        *seen("e", None),
    ]
    await ehr.send(batch(*people))
    count(hub)
    return ehr


async def test_a_clinic_sees_the_mean_of_its_values_and_their_spread(five: Caller):
    """31 / 4; sqrt((245.86 - 31^2 / 4) / 3); each percentile begins a bin of 0.5."""
    point = await january(five, "mean-hba1c", clinic="alpha")

    assert (point["n"], point["d"]) == (None, 4)
    assert point["value"] == pytest.approx(7.75)
    assert point["sd"] == pytest.approx(sqrt(5.61 / 3))
    percentiles = [point[p] for p in ("p10", "p25", "median", "p75", "p90")]
    assert percentiles == [6.0, 6.0, 7.0, 7.5, 9.5]
    assert (point["population"], point["scored"]) == (5, 4)
    assert point["completeness"] == 0.8
    assert point["missing"] == [{"component": "hba1c", "people": 1}]
    assert (point["excluded"], point["excepted"]) == (0, 0)


async def test_a_mean_names_its_unit_and_all_that_it_was_counted_by(
    hub: Hub, five: Caller
):
    """Version, digest, value sets, policy, and up to when: enough to count it again."""
    answer = await read(five, "/v1/measures/mean-hba1c/series", clinic="alpha")
    chart = await read(five, "/v1/measures/mean-hba1c/chart", clinic="alpha")

    head = answer["measure"]
    (loaded,) = (m for m in MEASURES if m.id == "mean-hba1c")
    assert (head["unit"], head["scoring"]) == ("%", "continuous-variable")
    assert (head["version"], head["digest"]) == ("1.2.0", loaded.digest)
    assert head["value_sets"].keys() == {"diabetes", "hba1c", "qualifying-visit"}
    assert answer["policy"] == hub.policy.digest
    assert answer["counted_up_to"] is not None
    assert chart["measure"] == head
    assert chart["chart"] == "xbar"


async def test_csv_says_on_each_line_by_what_it_was_counted(five: Caller):
    """A file that is handed on has no head that could be lost."""
    response = await ask(
        five, "/v1/measures/mean-hba1c/series", clinic="alpha", accept="text/csv"
    )

    lines = list(csv.DictReader(io.StringIO(response.text)))
    (line,) = (row for row in lines if row["interval_start"] == "2026-01-01")
    assert (line["n"], line["d"], line["median"]) == ("", "4", "7.0")
    assert float(line["value"]) == pytest.approx(7.75)
    assert line["missing"] == "hba1c: 1"
    assert (line["measure"], line["version"], line["unit"]) == (
        "mean-hba1c",
        "1.2.0",
        "%",
    )
    assert "diabetes: " in line["value_sets"]
    assert all(row["digest"] and row["policy"] for row in lines)
    assert all(row["counted_up_to"] and not row["release"] for row in lines)


async def test_strata_of_each_stratifier_add_up_to_the_total(five: Caller):
    """Women 6.2, 7.4, 7.9 and a man 9.5; below 50 there is one, 6.2."""
    definition = await read(five, "/v1/measures/mean-hba1c")
    total = await january(five, "mean-hba1c", clinic="alpha", interval="quarter")
    women = await january(five, "mean-hba1c", clinic="alpha", stratum="sex:female")
    path = "/v1/measures/mean-hba1c/series"
    strata = {
        stratifier: [
            point
            for name in names
            for point in (await read(five, path, clinic="alpha", stratum=name))[
                "points"
            ]
            if point["interval_start"] == "2026-01-01"
        ]
        for stratifier, names in definition["stratifiers"].items()
    }

    assert definition["stratifiers"] == {
        "sex": ["sex:male", "sex:female", "sex:other", "sex:unknown"],
        "age": ["age:0-50", "age:50-", "age:unknown"],
    }
    assert women["value"] == pytest.approx(21.5 / 3)
    assert strata["age"][0]["value"] == pytest.approx(6.2)
    for points in strata.values():
        assert sum(point["d"] for point in points) == total["d"] == 4
        sums = [point["value"] * point["d"] for point in points]
        assert sum(sums) == pytest.approx(31)


async def test_an_exclusion_is_out_of_the_score(hub: Hub, network: Network):
    """Of two people one is excluded, the other meets it: 1 of 1, and not 0.5."""
    ehr = network.ehr()
    await ehr.send(batch(*seen("young", 6.5), *seen("old", 9.0, born="1940-05")))
    count(hub)

    point = await january(ehr, "net", clinic="alpha")

    assert (point["n"], point["d"], point["value"]) == (1, 1, 1.0)
    assert (point["population"], point["excluded"]) == (1, 1)


async def test_fhirs_denominator_is_counted_before_exclusions(
    hub: Hub, network: Network
):
    """2 in the denominator, 1 excluded, 1 met: every count is there, the score is 1."""
    ehr = network.ehr()
    await ehr.send(batch(*seen("young", 6.5), *seen("old", 9.0, born="1940-05")))
    count(hub)

    month = {"periodStart": "2026-01", "periodEnd": "2026-01"}
    asked = "/fhir/Measure/net/$evaluate-measure"
    report = await read(ehr, asked, **month, reporter="Organization/alpha")

    (group,) = report["group"]
    counts = {
        each["code"]["coding"][0]["code"]: each["count"] for each in group["population"]
    }
    assert counts == {
        "initial-population": 2,
        "denominator": 2,
        "denominator-exclusion": 1,
        "denominator-exception": 0,
        "numerator": 1,
    }
    assert group["measureScore"]["value"] == 1


async def test_an_exception_is_out_of_the_score_unless_it_is_met(
    hub: Hub, network: Network
):
    """Men are excused: he who meets it counts all the same, the other does not."""
    ehr = network.ehr()
    men = [*seen("good", 6.5, sex="male"), *seen("poor", 9.0, sex="male")]
    await ehr.send(batch(*men, *seen("woman", 9.0)))
    count(hub)

    point = await january(ehr, "net", clinic="alpha")

    assert (point["n"], point["d"], point["value"]) == (1, 2, 0.5)
    assert (point["population"], point["scored"], point["excepted"]) == (3, 3, 1)


async def test_who_lacks_two_components_counts_at_each(five: Caller):
    """Nobody was weighed; one of the five has no HbA1c either."""
    path = "/v1/measures/both/series"
    points = (await read(five, path, clinic="alpha"))["points"]
    (point,) = (p for p in points if p["interval_start"] == "2026-01-01")

    assert point["reason"] == "no-data"
    assert point["missing"] == [
        {"component": "hba1c", "people": 1},
        {"component": "weight", "people": 5},
    ]


async def test_index_events_have_intervals_and_charts_of_their_own(five: Caller):
    """Four of five have a value in 20 days, three of them below 8: told in February."""
    measure = "hba1c-after-a-visit"
    month = await january(five, measure, clinic="alpha", start="2026-02-01")
    year = await january(five, measure, clinic="alpha", interval="year")
    chart = await read(five, f"/v1/measures/{measure}/chart", clinic="alpha")

    assert (month["n"], month["d"], month["population"]) == (3, 4, 5)
    assert (year["n"], year["d"]) == (3, 4)
    assert "latest-status" not in {remark["code"] for remark in chart["remarks"]}


async def test_visit_capture_is_null_until_somebody_says_what_was_expected(
    five: Caller,
):
    """Five visits of ten in January, none of four in February; of any basis."""
    before = await january(five, "mean-hba1c", clinic="alpha")
    for month, number in {"2026-01": 10, "2026-02": 4}.items():
        sent = await five.post(declared(number, month))
        assert sent.status_code == 201, sent.text
    by_visits = await january(five, "mean-hba1c", clinic="alpha")
    measure = "hba1c-after-a-visit"
    by_events = await january(five, measure, clinic="alpha", start="2026-02-01")

    assert before["visit_capture"] is None
    assert before["visit_capture_reason"] == "no expected number declared"
    assert (by_visits["visit_capture"], by_visits["visit_capture_reason"]) == (
        0.5,
        None,
    )
    assert (by_events["visits_recorded"], by_events["visits_expected"]) == (0, 4)
    assert by_events["visit_capture"] == 0


async def test_another_cut_off_set_is_for_the_clinics_own_eyes(
    hub: Hub, network: Network, five: Caller
):
    """Of 6.2, 7.4, 7.9 and 9.5 one is below 7 and three below 9."""
    partner = network.partner()
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    strict = await january(five, "controlled", clinic="alpha")
    lenient = await january(five, "controlled-lenient", clinic="alpha")
    assert (strict["n"], lenient["n"]) == (1, 3)

    catalogue = (await read(partner, "/v1/measures"))["measures"]
    stated = {each["id"]: each for each in catalogue}
    assert stated["controlled"]["variant_of"] is None
    assert stated["controlled-lenient"]["variant_of"] == "controlled"
    assert stated["controlled-lenient"]["cut_off_set"] == "lenient"
    for path in ("series", "chart", "clinics", "clinics.svg", "chart.svg"):
        for caller in (partner, five):
            answer = await ask(caller, f"/v1/measures/controlled-lenient/{path}")
            assert answer.status_code == 404, path
            assert "another cut-off set of controlled" in answer.json()["detail"]
    assert (await ask(partner, "/v1/measures/controlled/series")).status_code == 200
    for release in (await read(partner, "/v1/releases"))["releases"]:
        assert "controlled" in release["summary"]
        assert "controlled-lenient" not in release["summary"]


@pytest.mark.usefixtures("five")
async def test_no_page_shows_another_cut_off_set(hub: Hub, client: httpx.AsyncClient):
    """Neither a link to it, nor its page, its picture or its file."""
    with write_session(hub.engine) as session:
        made = releases.publish(session, hub)

    overview = (await client.get("/")).text
    assert "/measures/controlled" in overview
    assert "controlled-lenient" not in overview
    release = next(reversed(made.values()))
    for path in ("", "/series.csv", f"/chart.svg?release={release}"):
        answer = await client.get(f"/measures/controlled-lenient{path}")
        assert answer.status_code == 404, path
        assert "another cut-off set of controlled" in answer.text


@pytest.fixture
async def three_counted(hub: Hub, network: Network) -> Caller:
    """
    A partner of a network in which three clinics saw 12 people each, and have values.

    Nothing is published yet.

    At each: two of 6, three of 7, four of 8 and three of 9: 92 in all, 8 * 92 / 96.
    """
    for name in ("alpha", "beta", "gamma"):
        values = [6.0] * 2 + [7.0] * 3 + [8.0] * 4 + [9.0] * 3
        people = [seen(f"p{i}", value) for i, value in enumerate(values)]
        unknown = [seen(f"u{i}", None) for i in range(6)]
        ehr = network.ehr(f"{name}-ehr")
        await ehr.send(batch(*(e for each in people + unknown for e in each)))
    count(hub)
    return network.partner()


@pytest.fixture
def three_clinics(hub: Hub, three_counted: Caller) -> Caller:
    """The same partner, and a release."""
    with write_session(hub.engine) as session:
        releases.publish(session, hub)
    return three_counted


async def test_a_release_says_that_it_is_rounded(hub: Hub, three_counted: Caller):
    """To 5: 36 people are 35, of the same mean; the chart has points and no limits."""
    rounding = {
        audience.value: msgspec.structs.replace(
            hub.audiences.rules(audience), round_to=5
        )
        for audience in Audience
    }
    audiences = msgspec.structs.replace(hub.audiences, **rounding)
    with write_session(hub.engine) as session:
        made = releases.publish(session, dataclasses.replace(hub, audiences=audiences))

    point = await january(three_counted, "mean-hba1c", interval="month")
    chart = await ask(three_counted, "/v1/measures/mean-hba1c/chart?interval=month")
    told = await read(three_counted, f"/v1/releases/{made[Audience.MEMBERS]}")

    assert told["rounded_to"] == 5
    assert (point["d"], point["population"], point["sd"]) == (35, 55, None)
    assert point["value"] == pytest.approx(276 / 36, abs=0.0001)
    assert chart.status_code == 200


@pytest.mark.usefixtures("three_counted")
async def test_members_are_not_rounded_for_beside_exact_public_numbers(hub: Hub):
    """They read the public's release too, which would undo it."""
    members = msgspec.structs.replace(hub.audiences.members, round_to=5)
    audiences = msgspec.structs.replace(hub.audiences, members=members)

    with (
        pytest.raises(ReleaseRefusedError, match="public beside members"),
        write_session(hub.engine) as session,
    ):
        releases.publish(session, dataclasses.replace(hub, audiences=audiences))


async def test_a_release_that_is_not_rounded_says_so(three_clinics: Caller):
    """Null, and no number that leaves one guessing."""
    (told,) = (await read(three_clinics, "/v1/releases"))["releases"]

    assert told["rounded_to"] is None


async def test_a_partner_reads_means_and_what_many_lie_beyond(three_clinics: Caller):
    """
    The mean of 36 people is 276 / 36.

    Of the 24 whom a clinic does not know six lie beyond a quartile, which is at least
    5, and two beyond a tenth, which is not.
    """
    point = await january(three_clinics, "mean-hba1c", interval="month")

    assert point["d"] == 36
    assert point["value"] == pytest.approx(276 / 36)
    squares = 3 * (2 * 36 + 3 * 49 + 4 * 64 + 3 * 81)
    assert point["sd"] == pytest.approx(sqrt((squares - 276**2 / 36) / 35))
    assert (point["p25"], point["median"], point["p75"]) == (7.0, 8.0, 8.0)
    assert point["p10"] is point["p90"] is None
    assert (point["population"], point["scored"]) == (54, 36)
    assert point["missing"] is point["excluded"] is point["excepted"] is None


@pytest.mark.usefixtures("three_clinics")
async def test_pages_show_means_in_their_unit(client: httpx.AsyncClient):
    """7.7 %, the unit of HbA1c, and not 766.7 %."""
    public = await client.get("/measures/mean-hba1c?interval=month")
    chart = await client.get("/")

    assert "7.7 %" in public.text
    assert "mean of 36 patients" in public.text
    assert "766" not in public.text + chart.text


async def test_a_release_says_what_its_audit_did(three_clinics: Caller):
    """Whoever reads it can tell that it was looked at as a whole."""
    for release in (await read(three_clinics, "/v1/releases"))["releases"]:
        audit = release["audit"]
        assert audit["blocks"] > 0
        assert audit["hidden"] == audit["by_witness"] + audit["by_solver"] > 0
        alone = await read(three_clinics, f"/v1/releases/{release['id']}")
        assert alone["audit"] == audit


@pytest.mark.usefixtures("three_clinics")
async def test_true_counts_are_frozen_with_what_is_published(hub: Hub):
    """Each of three clinics has 12 people with a value in January, and 6 without."""
    with read_session(hub.engine) as session:
        row = next(r for r in known_measures(session) if r.code == "mean-hba1c")
        kept = frozen(session, row.id, since=0)

    january = [line for (interval, _), line in kept.items() if interval == "month"]
    assert {1: (12, 6), 2: (12, 6), 3: (12, 6)} in [dict(line) for line in january]


@pytest.mark.usefixtures("three_clinics")
async def test_a_release_that_fails_its_audit_is_not_published(hub: Hub, caplog):
    """Here the public was told in March what members, it now seems, were not."""
    hide = text(
        "UPDATE released_cell SET denominator = NULL, value_sum = NULL "
        "WHERE clinic_id = 0 AND release_id IN "
        "(SELECT id FROM release WHERE audience = 'members')"
    )
    with write_session(hub.engine) as session:
        session.connection().execute(hide)

    with (
        pytest.raises(ReleaseRefusedError, match=r"public.*mean-hba1c.*public beside"),
        write_session(hub.engine) as session,
    ):
        releases.publish(session, hub)

    with read_session(hub.engine) as session:
        made = session.connection().execute(text("SELECT COUNT(*) FROM release"))
        assert made.scalar() == 2
    (refused,) = [r for r in caplog.records if r.message == "release refused"]
    assert vars(refused)["measure"] == "mean-hba1c"

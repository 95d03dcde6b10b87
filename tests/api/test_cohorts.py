"""Named sets of clinics: who names them, and what is told of them."""

import dataclasses
from typing import Any

import httpx
import pytest

from app.domain.counts import Interval
from app.services.hub import Hub
from app.services.invitations import members_link
from app.store import clinics
from app.store.sessions import read_session
from tests.api.voices import SIGNED, Voices, publish_to_members, voices_at, with_scope
from tests.hubs import Network
from tests.released_hub import FIRST, MEASURE, published, suppressed

pytestmark = pytest.mark.anyio
SERIES, CHART = f"measures/{MEASURE}/series", f"measures/{MEASURE}/chart"
ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])
STATUS = "jia-low-disease-activity"
PAIR: dict[str, Any] = {
    "code": "pair",
    "name": "Alder and Birch",
    "clinics": ["alder-creek", "birch-hill"],
    **SIGNED,
}
TRIO = PAIR | {"code": "trio", "clinics": [*PAIR["clinics"], "fern-dale"]}


@pytest.fixture
async def voices(hub: Hub, network: Network, client: httpx.AsyncClient) -> Voices:
    return await voices_at(hub, network, client)


def ids(hub: Hub) -> dict[str, int]:
    with read_session(hub.engine) as session:
        return {row.code: row.id or 0 for row in clinics.all_clinics(session)}


async def test_a_cohort_is_the_sum_of_what_its_clinics_publish(
    hub: Hub, voices: Voices
):
    """30 of 50 and 20 of 40 are 50 of 90; where one is suppressed, nothing is told."""
    alder, birch, fern = (ids(hub)[code] for code in TRIO["clinics"])
    cells = [
        *(published(60, 100, FIRST + i) for i in range(4)),
        *(published(30, 50, FIRST + i, 55, clinic=alder) for i in range(4)),
        *(published(20, 40, FIRST + i, 60, clinic=birch) for i in range(2)),
        suppressed(FIRST + 2, clinic=birch),
        published(20, 40, FIRST + 3, clinic=birch),
    ]
    publish_to_members(hub, MEASURE, cells)
    await voices.coordinator.say("cohorts", TRIO)

    answer = await voices.member.read(SERIES, cohort="trio")

    told = [
        (p["n"], p["d"], p["population"], p["reason"], p["clinics"])
        for p in answer["points"]
    ]
    assert fern not in {cell.clinic_id for cell in cells}, "nobody to count there"
    assert told == [
        (50, 90, 115, None, 2),
        (50, 90, 115, None, 2),
        (None, None, None, "suppressed", 0),
        (50, 90, None, None, 2),
    ]
    assert (answer["cohort"], answer["clinic"]) == ("trio", None)


@ONE_DATABASE
async def test_people_who_came_are_not_added_up_over_time(voices: Voices):
    """Months here, quarters there: who came in two months would count twice."""
    await voices.coordinator.say("cohorts", PAIR)

    answer = await voices.member.read(SERIES, cohort="pair", interval="quarter")
    chart = await voices.member.get(CHART, cohort="pair")

    assert {point["reason"] for point in answer["points"]} == {"not-published"}
    assert len(answer["points"]) == 4
    assert chart.status_code == 404


@ONE_DATABASE
async def test_a_latest_status_is_told_at_the_finest_common_width(
    hub: Hub, voices: Voices
):
    """March is the first quarter's last day: 33 + 50 of 77 + 90."""
    alder, birch = (ids(hub)[code] for code in PAIR["clinics"])
    quarter = Interval.QUARTER
    cells = [
        *(published(31 + i, 77, FIRST + i, clinic=alder) for i in range(6)),
        published(50, 90, FIRST, None, quarter, clinic=birch),
        published(60, 90, FIRST + 3, None, quarter, clinic=birch),
    ]
    publish_to_members(hub, STATUS, cells)
    await voices.coordinator.say("cohorts", PAIR)

    answer = await voices.member.read(f"measures/{STATUS}/series", cohort="pair")

    assert answer["interval"] == "quarter"
    told = [(p["interval_start"], p["n"], p["d"]) for p in answer["points"]]
    assert told == [("2024-01-01", 83, 167), ("2024-04-01", 96, 167)]


@ONE_DATABASE
async def test_a_cohort_with_a_clinic_that_publishes_nothing_is_not_told(
    voices: Voices,
):
    """Without Fern Dale it would be another cohort, under this one's name."""
    await voices.coordinator.say("cohorts", TRIO | {"clinics": TRIO["clinics"][::2]})

    answer = await voices.member.read(SERIES, cohort="trio", interval="month")

    assert {point["reason"] for point in answer["points"]} == {"not-published"}


@ONE_DATABASE
async def test_a_cohorts_chart_has_lines_and_decisions(hub: Hub, voices: Voices):
    """14 months of 40 to 53 and 30 of 77 and 60: 651 + 420 of 1078 + 840."""
    alder, birch = (ids(hub)[code] for code in PAIR["clinics"])
    cells = [
        cell
        for i in range(14)
        for cell in (
            published(40 + i, 77, FIRST + i, clinic=alder),
            published(30, 60, FIRST + i, clinic=birch),
        )
    ]
    publish_to_members(hub, MEASURE, cells)
    await voices.coordinator.say("cohorts", PAIR)
    shift = {"kind": "shift", "month": "2024-08", "measures": [MEASURE], **SIGNED}
    await voices.coordinator.say("annotations", shift | {"cohort": "pair"})

    chart = await voices.member.read(CHART, cohort="pair", view="original")
    accepted = await voices.member.read(CHART, cohort="pair")
    alone = await voices.member.read(CHART, clinic="alder-creek")
    picture = await voices.member.get(f"{CHART}.vl.json", cohort="pair")

    (line,) = {point["center_line"] for point in chart["points"]}
    assert line == pytest.approx((651 + 420) / (1078 + 840))
    assert len(accepted["phases"]) == 2
    assert len(alone["phases"]) == 1, "another subject"
    assert "Alder and Birch" in picture.text


@ONE_DATABASE
async def test_a_coordinator_names_a_cohort_and_nobody_else(hub: Hub, voices: Voices):
    """It is for the members to read, and for the public not even there."""
    refused = [
        (await getattr(voices, who).post("cohorts", PAIR)).status_code
        for who in ("alder", "member", "anyone")
    ]
    made = await voices.coordinator.say("cohorts", PAIR)

    listed = (await voices.alder.read("cohorts"))["cohorts"]
    public = [
        (await voices.anyone.get(path, cohort=code)).status_code
        for path in ("cohorts", SERIES, CHART)
        for code in ("pair", "none")
    ]
    unread = dataclasses.replace(
        voices.member, token=with_scope(hub, "app", "system/Measure.rs")
    )

    assert refused == [403, 403, 403]
    assert made["client"] == "coordinator"
    assert [(c["code"], c["clinics"]) for c in listed] == [("pair", PAIR["clinics"])]
    assert (listed[0]["author"], listed[0]["client"]) == (SIGNED["author"], None)
    assert public == [403] * 6
    assert (await unread.get("cohorts")).status_code == 403


UNFIT: list[tuple[dict[str, Any], int, str | None]] = [
    ({"clinics": ["alder-creek", "no-such-clinic"]}, 422, "clinics"),
    ({"clinics": ["alder-creek", "alder-creek"]}, 422, "clinics"),
    ({"clinics": ["alder-creek"]}, 422, "clinics"),
    ({"code": "Not A Code"}, 422, "code"),
    ({"code": "ada-born-2012-03-04"}, 422, "code"),
    ({"name": ""}, 422, "name"),
    ({"name": "Of ada@example.org"}, 422, "name"),
    ({"clinics": None}, 422, "clinics"),
    ({"members": []}, 400, None),
]


@ONE_DATABASE
async def test_a_cohort_that_is_none_is_refused(voices: Voices):
    """With the element at fault."""
    for changes, status, element in UNFIT:
        answer = await voices.coordinator.post("cohorts", PAIR | changes)

        told = answer.json()
        assert (answer.status_code, told.get("element")) == (status, element), changes


@ONE_DATABASE
async def test_a_cohort_never_changes(voices: Voices):
    """Nor is there another under its code: no series changes by a stroke of the pen."""
    await voices.coordinator.say("cohorts", PAIR)

    again = await voices.coordinator.post("cohorts", TRIO | {"code": "pair"})

    (kept,) = (await voices.member.read("cohorts"))["cohorts"]
    assert again.status_code == 409
    assert kept["clinics"] == PAIR["clinics"]


@ONE_DATABASE
async def test_what_is_not_told_of_a_cohort_is_refused(voices: Voices):
    """There are no filters to combine."""
    await voices.coordinator.say("cohorts", PAIR)

    statuses = [
        (await voices.member.get(SERIES, **asked)).status_code
        for asked in (
            {"cohort": "pair", "clinic": "alder-creek"},
            {"cohort": "pair", "stratum": "sex:female"},
            {"cohort": "none"},
        )
    ]

    assert statuses == [400, 400, 404]


@ONE_DATABASE
@pytest.mark.parametrize("beside", ["clinic=alder-creek", "stratum=course:oligo"])
async def test_a_page_shows_no_cohort_for_what_was_asked_beside_it(
    hub: Hub, voices: Voices, beside: str
):
    """Who asked for a clinic would take the cohort's chart for the clinic's."""
    await voices.coordinator.say("cohorts", PAIR)
    publish_to_members(hub, MEASURE, [published(60, 100, FIRST)])
    await voices.member.http.get(members_link(hub))

    page = await voices.member.http.get(f"/measures/{MEASURE}?cohort=pair&{beside}")

    assert page.status_code == 400
    assert "Alder and Birch" not in page.text

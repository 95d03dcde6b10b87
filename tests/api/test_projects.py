"""Projects: clinics that set out to improve something, and what came of it."""

from typing import Any

import httpx
import pytest

from app.domain.clinics import ClinicStatus
from app.domain.counts import Withheld
from app.services import registry
from app.services.hub import Hub
from app.store import clinics
from app.store.sessions import read_session, write_session
from tests.api.voices import SIGNED, Voices, publish_to_members, voices_at
from tests.hubs import Network
from tests.released_hub import (
    FIRST,
    HIDDEN_MEASURE,
    MEAN_MEASURE,
    MEASURE,
    published,
    suppressed,
)

pytestmark = pytest.mark.anyio
ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])
PILOT: dict[str, Any] = {
    "kind": "pilot",
    "name": "First three",
    "month": "2025-01",
    "clinics": ["alder-creek", "birch-hill", "fern-dale"],
}
PROJECT: dict[str, Any] = {
    "code": "joint-counts",
    "name": "Joint counts before the visit",
    "aim": "Ten points more children in low disease activity within a year",
    "measures": [MEASURE, MEAN_MEASURE],
    "phases": [PILOT],
    **SIGNED,
}
OTHERS = ("gull-point", "heron-lake", "iris-field")


@pytest.fixture
async def voices(hub: Hub, network: Network, client: httpx.AsyncClient) -> Voices:
    return await voices_at(hub, network, client)


def enrol_others(hub: Hub) -> dict[str, int]:
    """Enrol three more clinics; return all clinics' ids by their codes."""
    with write_session(hub.engine) as session:
        for code in OTHERS:
            new = registry.NewClinic(
                code=code, name=code, status=ClinicStatus.ACTIVE, time_zone="UTC"
            )
            registry.enrol_clinic(session, new)
    with read_session(hub.engine) as session:
        return {row.code: row.id or 0 for row in clinics.all_clinics(session)}


async def test_a_project_is_read_with_its_phases(voices: Voices):
    """Who joined when, with what aim, by whose word; and who joined after the pilot."""
    made = await voices.coordinator.say("projects", PROJECT)
    further = {"kind": "all", "name": "Everyone", "month": "2026-01", **SIGNED}
    refused = await voices.coordinator.post(
        "projects/joint-counts/phases", further | {"clinics": ["alder-creek"]}
    )
    early = await voices.coordinator.post(
        "projects/joint-counts/phases", further | {"month": "2024-01"}
    )

    (listed,) = (await voices.alder.read("projects"))["projects"]
    read = await voices.member.read("projects/joint-counts")

    assert listed == read
    assert made["client"] == "coordinator"
    assert (read["client"], read["phases"][0]["client"]) == (None, None)
    assert (read["author"], read["status"]) == (SIGNED["author"], "running")
    (phase,) = read["phases"]
    assert (phase["kind"], phase["month"]) == ("pilot", "2025-01-01")
    assert phase["clinics"] == PILOT["clinics"]
    assert "5 to 10" in read["remarks"][0]
    assert (refused.status_code, refused.json()["element"]) == (422, "clinics")
    assert early.status_code == 422


@ONE_DATABASE
async def test_the_last_phase_is_of_all_who_have_not_joined(hub: Hub, voices: Voices):
    """The framework ends with every clinic of the network, as it is then."""
    enrol_others(hub)
    await voices.coordinator.say("projects", PROJECT)
    further = {"kind": "all", "name": "Everyone", "month": "2026-01", **SIGNED}

    grown = await voices.coordinator.say("projects/joint-counts/phases", further)

    assert grown["phases"][1]["clinics"] == [*OTHERS]


@ONE_DATABASE
async def test_a_project_that_has_ended_stays_to_be_read(voices: Voices):
    """With who ended it and why; nobody joins it any more."""
    await voices.coordinator.say("projects", PROJECT)
    place = "projects/joint-counts"
    phase = {"kind": "all", "name": "Everyone", "month": "2026-01", **SIGNED}
    closing = {"author": "The coordinator", "reason": "The aim was reached"}

    ended = await voices.coordinator.say(f"{place}/end", closing)
    again = await voices.coordinator.post(f"{place}/end", closing)
    joined = await voices.coordinator.post(f"{place}/phases", phase)

    read = await voices.member.read(place)
    assert ended["status"] == read["status"] == "ended"
    assert read["ended"]["reason"] == closing["reason"]
    assert (again.status_code, joined.status_code) == (409, 409)


@ONE_DATABASE
async def test_a_coordinator_runs_projects_and_members_read_them(voices: Voices):
    """A project names clinics, so the public is not shown that there is one."""
    refused = [
        (await getattr(voices, who).post("projects", PROJECT)).status_code
        for who in ("alder", "member", "anyone")
    ]
    await voices.coordinator.say("projects", PROJECT)
    place = "projects/joint-counts"
    acts = [
        (await voices.alder.post(f"{place}/{act}", body)).status_code
        for act, body in (
            ("end", SIGNED),
            ("phases", PILOT | SIGNED | {"clinics": ["fern-dale"]}),
        )
    ]
    public = [
        (await voices.anyone.get(path)).status_code
        for path in ("projects", place, f"{place}/estimate", "projects/none")
    ]

    assert refused == [403, 403, 403]
    assert acts == [403, 403]
    assert public == [403] * 4
    assert (await voices.member.get("projects/none")).status_code == 404


@ONE_DATABASE
async def test_a_plan_has_not_begun(voices: Voices):
    """Its first month lies ahead."""
    ahead = PROJECT | {"phases": [PILOT | {"month": "2027-06"}]}

    made = await voices.coordinator.say("projects", ahead)

    assert made["status"] == "planned"


UNFIT: list[tuple[dict[str, Any], int, str | None]] = [
    ({"measures": []}, 422, "measures"),
    ({"measures": ["none"]}, 422, "measures"),
    ({"phases": []}, 422, "phases"),
    ({"phases": [PILOT, PILOT]}, 422, "clinics"),
    ({"phases": [PILOT | {"clinics": ["none"]}]}, 422, "clinics"),
    ({"phases": [PILOT | {"clinics": []}]}, 422, "clinics"),
    ({"phases": [PILOT | {"kind": "rumour"}]}, 422, "phases.0.kind"),
    ({"phases": [PILOT | {"month": "2025"}]}, 422, "phases.0.month"),
    ({"phases": [PILOT | {"rumour": 1}]}, 400, None),
    ({"aim": "Call 555-123-4567"}, 422, "aim"),
    ({"code": "No Code"}, 422, "code"),
    ({"code": "call-5551234567"}, 422, "code"),
    ({"author": ""}, 422, "author"),
]


@ONE_DATABASE
async def test_a_project_that_is_none_is_refused(voices: Voices):
    """With the element at fault, and nothing of what stood there."""
    for changes, status, element in UNFIT:
        answer = await voices.coordinator.post("projects", PROJECT | changes)

        told = answer.json()
        assert (answer.status_code, told.get("element")) == (status, element), changes
        assert "rumour" not in answer.text
    assert (await voices.member.read("projects"))["projects"] == []


@ONE_DATABASE
async def test_the_change_is_estimated_from_what_is_published(hub: Hub, voices: Voices):
    """
    All at 50 % for a year, then the project's clinics at 70 %: 20 points more.

    An interval that is withheld is in no sum, and said to be withheld.
    """
    ids = enrol_others(hub)
    project = set(PILOT["clinics"])
    cells = [
        published(70 if i >= 12 and code in project else 50, 100, FIRST + i, clinic=at)
        for code, at in ids.items()
        for i in range(20)
        if (code, i) != ("iris-field", 3)
    ]
    hidden = suppressed(FIRST + 3, clinic=ids["iris-field"])
    publish_to_members(hub, MEASURE, [*cells, hidden], months=20)
    await voices.coordinator.say("projects", PROJECT)

    found = await voices.member.read("projects/joint-counts/estimate", measure=MEASURE)

    assert found["change"] == pytest.approx(0.2)
    assert (found["observed"], found["expected"]) == pytest.approx((0.7, 0.5))
    assert found["lower"] <= found["change"] <= found["upper"]
    assert (found["clinics"], found["compared_with"]) == (3, 3)
    assert (found["withheld"], found["unpublished"]) == (1, 0)
    assert "20" in found["words"]
    assert PROJECT["name"] in found["words"]
    starts = [each["interval_start"] for each in found["intervals"]]
    assert starts[0] == "2025-01-01"
    assert len(starts) == 8


@ONE_DATABASE
async def test_where_there_is_too_little_no_change_is_told(voices: Voices):
    """The words say why; clinics that publish other widths are counted."""
    await voices.coordinator.say("projects", PROJECT)
    place = "projects/joint-counts/estimate"

    first = await voices.member.read(place)
    mean = await voices.member.read(place, measure=MEAN_MEASURE)
    other = await voices.member.get(place, measure=HIDDEN_MEASURE)

    assert first["measure"] == MEASURE
    assert first["change"] is None
    assert first["not_estimated"] == "too-few-clinics"
    assert first["unpublished"] == 2, "one publishes quarters, one nothing"
    assert first["words"].startswith("No estimate.")
    assert mean["not_estimated"] == "mean"
    assert (other.status_code, other.json()["element"]) == (400, "measure")


@ONE_DATABASE
async def test_a_withheld_clinic_says_nothing_of_itself_in_the_estimate(
    hub: Hub, voices: Voices
):
    """Where one publishes nothing, the answer is as if it did not exist."""
    ids = enrol_others(hub)
    cells = [
        published(50, 100, FIRST + i, clinic=at)
        for code, at in ids.items()
        for i in range(20)
        if code != "iris-field"
    ]
    marked = suppressed(FIRST, clinic=ids["iris-field"], why=Withheld.NOT_PUBLISHED)
    await voices.coordinator.say("projects", PROJECT)
    answers = []
    for each in (cells, [*cells, marked]):
        publish_to_members(hub, MEASURE, each, months=20)
        found = await voices.member.read("projects/joint-counts/estimate")
        answers.append((found["change"], found["lower"], found["upper"]))

    assert answers[0] == answers[1]

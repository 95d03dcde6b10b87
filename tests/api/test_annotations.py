"""What people say and decide about charts: who may, who sees it, what it changes."""

import dataclasses
import logging
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.domain.clinics import ClinicStatus
from app.services.hub import Hub
from app.settings import Settings
from app.store import clinics
from app.store.sessions import read_session, write_session
from tests.api.networks import MEASURE as COUNTED
from tests.api.networks import enrol as enrol_people
from tests.api.test_counting import count
from tests.api.voices import (
    SHIFT,
    SIGNED,
    TEST_OF_CHANGE,
    Voices,
    publish_to_members,
    voice_of,
    voices_at,
    with_scope,
)
from tests.hubs import BASE_URL, Network, app_of
from tests.released_hub import FIRST, MEASURE, published

pytestmark = pytest.mark.anyio
CHART = f"measures/{MEASURE}/chart"
ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
async def voices(hub: Hub, network: Network, client: httpx.AsyncClient) -> Voices:
    return await voices_at(hub, network, client)


async def test_a_clinic_tells_what_it_changed_and_others_read_it(voices: Voices):
    """Who did better than chance, and what they did: the network learns by both."""
    made = await voices.alder.say("annotations", TEST_OF_CHANGE)

    (read,) = (await voices.birch.read("annotations"))["annotations"]
    assert made["by_clinic"]
    assert read["what"] == TEST_OF_CHANGE["what"]
    assert read["author"] == SIGNED["author"]
    assert (read["clinic"], read["month"]) == ("alder-creek", "2024-05-01")
    assert (made["client"], read["client"]) == ("alder-ehr", None)


FOUND_BY: list[tuple[dict[str, str], int]] = [
    ({"clinic": "alder-creek"}, 1),
    ({"clinic": "birch-hill"}, 0),
    ({"measure": MEASURE}, 1),
    ({"measure": "uc-remission-visits"}, 0),
    ({"kind": "shift"}, 0),
    ({"kind": "test-of-change"}, 1),
    ({"cohort": "none"}, 0),
]


@ONE_DATABASE
async def test_annotations_are_found_by_what_they_are_about(voices: Voices):
    """A page shows those of one clinic and one measure."""
    await voices.alder.say("annotations", TEST_OF_CHANGE)

    found = [
        len((await voices.member.read("annotations", **asked))["annotations"])
        for asked, _ in FOUND_BY
    ]

    assert found == [expected for _, expected in FOUND_BY]


NOT_THEIRS: list[tuple[str, dict[str, Any]]] = [
    ("alder", {"clinic": "birch-hill"}),
    ("alder", {"clinic": "no-such-clinic"}),
    ("alder", {"clinic": None}),
    ("alder", {"clinic": None, "cohort": "pilot"}),
    ("alder", {**SHIFT, "what": None, "hypothesis": None}),
    ("alder", {"kind": "baseline"}),
    ("alder", {"kind": "exclusion"}),
    ("member", {}),
    ("anyone", {"clinic": None}),
]


@ONE_DATABASE
async def test_who_may_not_say_it_is_refused(voices: Voices):
    """A clinic speaks of itself, and decides about no chart; others say nothing."""
    for who, changes in NOT_THEIRS:
        body = TEST_OF_CHANGE | changes
        answer = await getattr(voices, who).post("annotations", body)

        assert answer.status_code == 403, (who, changes, answer.text)
    assert (await voices.coordinator.read("annotations"))["annotations"] == []


@ONE_DATABASE
async def test_the_scope_of_a_coordinator_is_no_clinics(hub: Hub, voices: Voices):
    """A clinic's client that came by such a token decides nothing all the same."""
    forged = dataclasses.replace(
        voices.alder,
        token=with_scope(
            hub, "alder-ehr", "system/coordination", "system/MeasureReport.cruds"
        ),
    )

    assert (await forged.post("annotations", SHIFT)).status_code == 403
    cohort = {"code": "x", "name": "X", "clinics": ["alder-creek"], **SIGNED}
    assert (await forged.post("cohorts", cohort)).status_code == 403


@ONE_DATABASE
async def test_a_client_that_only_reads_says_nothing(hub: Hub, voices: Voices):
    """A clinic may give its dashboard a token that cannot write."""
    reads = dataclasses.replace(
        voices.alder, token=with_scope(hub, "alder-ehr", "system/MeasureReport.rs")
    )
    writes = dataclasses.replace(
        voices.alder, token=with_scope(hub, "alder-ehr", "system/Observation.cud")
    )

    assert (await reads.post("annotations", TEST_OF_CHANGE)).status_code == 403
    assert (await writes.get("annotations")).status_code == 403
    assert (await reads.get("annotations")).status_code == 200


@ONE_DATABASE
async def test_the_public_sees_what_is_said_of_the_network_alone(voices: Voices):
    """It is shown no single clinic, nor what could name one."""
    await voices.alder.say("annotations", TEST_OF_CHANGE)
    cohort = {"code": "two", "name": "Two", "clinics": ["alder-creek", "birch-hill"]}
    await voices.coordinator.say("cohorts", cohort | SIGNED)
    of_cohort = TEST_OF_CHANGE | {"clinic": None, "cohort": "two"}
    await voices.coordinator.say("annotations", of_cohort)
    of_all = TEST_OF_CHANGE | {"clinic": None}
    await voices.coordinator.say("annotations", of_all)

    public = (await voices.anyone.read("annotations"))["annotations"]
    members = (await voices.member.read("annotations"))["annotations"]

    assert [(each["clinic"], each["cohort"]) for each in public] == [(None, None)]
    assert len(members) == 3


@ONE_DATABASE
async def test_a_clinic_that_is_onboarding_is_heard_by_itself(
    hub: Hub, voices: Voices, network: Network
):
    """Nobody else knows yet that it takes part."""
    newcomer = await voice_of(network.ehr("new-ehr", clinic="newcomer"))
    with write_session(hub.engine) as session:
        clinics.set_status(session, "newcomer", status=ClinicStatus.ONBOARDING)
    said = await newcomer.say("annotations", TEST_OF_CHANGE | {"clinic": "newcomer"})

    heard = {
        who: [each["id"] for each in (await voice.read("annotations"))["annotations"]]
        for who, voice in {
            "itself": newcomer,
            "member": voices.member,
            "coordinator": voices.coordinator,
        }.items()
    }

    assert heard == {"itself": [said["id"]], "member": [], "coordinator": [said["id"]]}
    other = await voices.birch.post(f"annotations/{said['id']}/withdraw", SIGNED)
    assert other.status_code == 404


@ONE_DATABASE
async def test_where_clinics_have_codes_their_people_have_no_names(
    hub: Hub, voices: Voices, settings: Settings
):
    """Who signed would say which clinic a code is."""
    await voices.alder.say("annotations", TEST_OF_CHANGE)
    coded = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.CODED)
    rules = msgspec.structs.replace(hub.audiences, members=coded)
    app = app_of(dataclasses.replace(hub, audiences=rules), settings)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        heard = {}
        for who in ("member", "alder"):
            voice = dataclasses.replace(getattr(voices, who), http=http)
            (heard[who],) = (await voice.read("annotations"))["annotations"]

    assert heard["member"]["author"] is None
    assert heard["alder"]["author"] == SIGNED["author"]


async def test_an_accepted_shift_divides_the_chart(voices: Voices):
    """
    7 months of 40 to 46 of 77, then 7 of 47 to 53: 301 / 539, and 350 / 539.

    The original chart is one click away: 651 of 1078.
    """
    await voices.coordinator.say("annotations", SHIFT)

    chart = await voices.member.read(CHART, clinic="alder-creek")
    original = await voices.member.read(CHART, clinic="alder-creek", view="original")

    lines = [point["center_line"] for point in chart["points"]]
    assert lines == pytest.approx([301 / 539] * 7 + [350 / 539] * 7)
    assert [point["phase"] for point in chart["points"]] == [1] * 7 + [2] * 7
    first, second = chart["phases"]
    assert (first["interval_start"], first["shift"]) == ("2024-01-01", None)
    assert second["interval_start"] == "2024-08-01"
    assert second["shift"]["author"] == SIGNED["author"]
    assert second["shift"]["reason"] == SIGNED["reason"]
    assert (chart["view"], original["view"]) == ("accepted", "original")
    assert {point["center_line"] for point in original["points"]} == {651 / 1078}
    assert len(original["phases"]) == 1


@ONE_DATABASE
async def test_a_decision_is_about_one_chart(voices: Voices):
    """Another clinic's, another measure's and the network's lines stay as they are."""
    before = await voices.member.read(CHART)
    await voices.coordinator.say("annotations", SHIFT)

    after = await voices.member.read(CHART)
    birch = await voices.member.read(CHART, clinic="birch-hill")

    assert after == before
    assert len(birch["phases"]) == 1


@ONE_DATABASE
async def test_a_withdrawn_decision_leaves_the_chart_and_stays_in_the_audit(
    voices: Voices,
):
    """Who accepted what, when and why, and who took it back."""
    made = await voices.coordinator.say("annotations", SHIFT)
    taken = {"author": "The coordinator", "reason": "A new scale, not a new level"}
    place = f"annotations/{made['id']}/withdraw"

    refused = await voices.alder.post(place, taken)
    await voices.coordinator.say(place, taken)
    again = await voices.coordinator.post(place, taken)

    chart = await voices.member.read(CHART, clinic="alder-creek")
    standing = await voices.member.read("annotations")
    (kept,) = (await voices.member.read("annotations", include_withdrawn=True))[
        "annotations"
    ]
    assert (refused.status_code, again.status_code) == (403, 409)
    assert len(chart["phases"]) == 1
    assert standing["annotations"] == []
    assert (kept["author"], kept["withdrawn"]["author"]) == (
        SIGNED["author"],
        "The coordinator",
    )
    assert kept["withdrawn"]["reason"] == taken["reason"]


@ONE_DATABASE
async def test_a_clinic_takes_back_its_own_words_only(voices: Voices):
    """Not those of a coordinator about it, nor another clinic's."""
    own = await voices.alder.say("annotations", TEST_OF_CHANGE)
    about = await voices.coordinator.say("annotations", TEST_OF_CHANGE)

    answers = [
        await voice.post(f"annotations/{each['id']}/withdraw", SIGNED)
        for voice, each in (
            (voices.birch, own),
            (voices.alder, about),
            (voices.member, own),
            (voices.alder, own),
        )
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 200]


@ONE_DATABASE
async def test_an_excluded_month_moves_no_line(voices: Voices):
    """Without 53 of 77 in the last month: 598 of 1001."""
    body = SHIFT | {"kind": "exclusion", "month": "2025-02"}
    await voices.coordinator.say("annotations", body)

    chart = await voices.member.read(CHART, clinic="alder-creek")

    assert {point["center_line"] for point in chart["points"]} == {598 / 1001}
    assert [point["known_cause"] for point in chart["points"]] == [False] * 13 + [True]
    (exclusion,) = chart["exclusions"]
    assert exclusion["reason"] == SIGNED["reason"]


@ONE_DATABASE
async def test_a_baseline_freezes_the_lines_up_to_its_month(hub: Hub, voices: Voices):
    """24 months of 50 % say what is usual; 12 of 70 % after them do not."""
    with read_session(hub.engine) as session:
        alder = clinics.required_clinic(session, "alder-creek").id
    cells = [
        published(50 if i < 24 else 70, 100, FIRST + i, clinic=alder) for i in range(36)
    ]
    publish_to_members(hub, MEASURE, cells, months=36)
    body = SHIFT | {"kind": "baseline", "month": "2025-12"}
    await voices.coordinator.say("annotations", body)

    chart = await voices.member.read(CHART, clinic="alder-creek")

    assert {point["center_line"] for point in chart["points"]} == {0.5}
    (baseline,) = chart["baselines"]
    assert (baseline["points"], baseline["frozen"]) == (24, True)
    assert chart["phases"][0]["baseline"]["author"] == SIGNED["author"]


@ONE_DATABASE
async def test_a_suggested_shift_is_accepted_with_its_evidence(
    hub: Hub, voices: Voices
):
    """
    18 months of 50 % and 18 of 70 %: the chart suggests July 2025, and nothing more.

    Accepted, it is kept with what it was suggested with; the public of a network's
    chart reads the decision, and not the numbers of the members' release.
    """
    cells = [published(50 if i < 18 else 70, 100, FIRST + i) for i in range(36)]
    publish_to_members(hub, MEASURE, cells, months=36)
    before = await voices.member.read(CHART)
    body = SHIFT | {"clinic": None, "month": "2025-07"}
    made = await voices.coordinator.say("annotations", body)

    after = await voices.member.read(CHART)
    (public,) = (await voices.anyone.read("annotations"))["annotations"]

    suggested = before["suggested_shift"]
    assert suggested["interval_start"] == "2025-07-01"
    assert len(before["phases"]) == 1, "applied by itself"
    names = ("first", "last", "before", "after", "evidence")
    assert made["evidence"] == {name: suggested[name] for name in names}
    assert (made["evidence"]["before"], made["evidence"]["after"]) == (0.5, 0.7)
    assert after["suggested_shift"] is None, "suggested again"
    assert (public["month"], public["evidence"]) == ("2025-07-01", None)


@ONE_DATABASE
async def test_another_month_than_the_suggested_one_has_no_evidence(
    hub: Hub, voices: Voices
):
    """Evidence is the hub's to tell, not the caller's."""
    cells = [published(50 if i < 18 else 70, 100, FIRST + i) for i in range(36)]
    publish_to_members(hub, MEASURE, cells, months=36)

    made = await voices.coordinator.say("annotations", SHIFT | {"clinic": None})

    assert made["evidence"] is None


@ONE_DATABASE
async def test_tests_of_change_stand_on_the_charts_that_they_concern(voices: Voices):
    """The clinic's own, of its measure, in the time of the chart; the network's."""
    own = await voices.alder.say("annotations", TEST_OF_CHANGE)
    early = TEST_OF_CHANGE | {"month": "2023-12"}
    other = TEST_OF_CHANGE | {"measures": ["uc-remission-visits"]}
    for each in (early, other):
        await voices.alder.say("annotations", each)
    of_all = TEST_OF_CHANGE | {"clinic": None, "measures": [], "month": "2024-06-15"}
    everywhere = await voices.coordinator.say("annotations", of_all)

    shown = {}
    for code in ("alder-creek", "birch-hill", None):
        asked = {} if code is None else {"clinic": code}
        chart = await voices.member.read(CHART, **asked)
        shown[code] = [each["id"] for each in chart["annotations"]]

    assert shown == {
        "alder-creek": [own["id"], everywhere["id"]],
        "birch-hill": [everywhere["id"]],
        None: [everywhere["id"]],
    }
    assert everywhere["day"] == "2024-06-15"


async def test_a_clinics_own_live_chart_has_what_was_decided(
    hub: Hub, network: Network
):
    """A clinic and its coordinator look at one chart."""
    ehr = await enrol_people(network, "alder")
    count(hub)
    alder = await voice_of(ehr)
    coordinator = await voice_of(network.coordinator())
    chart = f"measures/{COUNTED}/chart"
    said = await alder.say(
        "annotations",
        TEST_OF_CHANGE | {"clinic": "alder", "measures": [], "month": "2026-12"},
    )
    await coordinator.say(
        "annotations",
        SHIFT | {"clinic": "alder", "measures": [COUNTED], "month": "2026-04"},
    )

    live = await alder.read(chart, clinic="alder")
    original = await alder.read(chart, clinic="alder", view="original")

    starts = [phase["interval_start"] for phase in live["phases"]]
    assert live["release"] is None
    assert starts[1:] == ["2026-04-01"]
    assert [each["id"] for each in live["annotations"]] == [said["id"]]
    assert len(original["phases"]) == 1


UNFIT: list[tuple[dict[str, Any], int, str | None]] = [
    ({"measures": []}, 422, "measures"),
    ({"measures": [MEASURE, "uc-remission-visits"]}, 422, "measures"),
    ({"measures": ["no-such-measure"]}, 422, "measures"),
    ({"month": "2099-01"}, 422, "month"),
    ({"month": "2024-08-15"}, 422, "month"),
    ({"month": "2024-13"}, 422, "month"),
    ({"what": "A new form"}, 422, "what"),
    ({"cohort": "two"}, 422, "cohort"),
    ({"author": " "}, 422, "author"),
    ({"reason": ""}, 422, "reason"),
    ({"kind": "rumour"}, 422, "kind"),
    ({"author": None}, 422, "author"),
    ({"clinic": "no-such-clinic"}, 404, None),
    ({"evidence": {"before": 0.1}}, 400, None),
]


@ONE_DATABASE
async def test_a_decision_that_no_chart_could_show_is_refused(voices: Voices):
    """With the element at fault, and never with what stood in it."""
    for changes, status, element in UNFIT:
        answer = await voices.coordinator.post("annotations", SHIFT | changes)

        told = answer.json()
        assert (answer.status_code, told.get("element")) == (status, element), changes
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "rumour" not in answer.text
        assert "evidence" not in answer.text


@ONE_DATABASE
async def test_a_decision_stands_once(voices: Voices):
    """Two rows of one decision could be withdrawn by halves."""
    made = await voices.coordinator.say("annotations", SHIFT)

    again = await voices.coordinator.post("annotations", SHIFT)
    await voices.coordinator.say(f"annotations/{made['id']}/withdraw", SIGNED)
    anew = await voices.coordinator.post("annotations", SHIFT)

    assert (again.status_code, anew.status_code) == (409, 201)


@ONE_DATABASE
async def test_what_looks_like_a_patient_is_refused_and_kept_nowhere(
    hub: Hub, voices: Voices, caplog: pytest.LogCaptureFixture
):
    """Neither in the refusal, nor in a log, nor in a row."""
    caplog.set_level(logging.DEBUG, logger="app")
    secret = "83012947"

    answers = {
        element: await voices.alder.post(
            "annotations",
            TEST_OF_CHANGE | {element: f"Began with patient {secret}"},
        )
        for element in ("what", "hypothesis", "reason", "author")
    }

    with read_session(hub.engine) as session:
        rows = session.connection().execute(text("SELECT * FROM annotation")).all()
    logs = [vars(record) for record in caplog.records]
    for element, answer in answers.items():
        assert answer.status_code == 422
        assert answer.json()["element"] == element
        assert secret not in answer.text
    assert rows == []
    assert len(logs) >= len(answers)
    assert secret not in f"{logs}"


@ONE_DATABASE
async def test_what_is_said_goes_to_no_log(
    voices: Voices, caplog: pytest.LogCaptureFixture
):
    """A log is read by others than a chart is."""
    caplog.set_level(logging.DEBUG, logger="app")

    await voices.alder.say("annotations", TEST_OF_CHANGE)

    logs = f"{[vars(record) for record in caplog.records]}"
    assert TEST_OF_CHANGE["what"] not in logs
    assert SIGNED["author"] not in logs


@ONE_DATABASE
async def test_a_body_that_is_too_large_or_no_json_is_refused(voices: Voices):
    """Before it is read to its end."""
    large = await voices.alder.post("annotations", {"what": "x" * 70_000})
    form = await voices.alder.http.post(
        "/v1/annotations", data={"kind": "shift"}, headers=voices.alder.token
    )
    broken = await voices.alder.http.post(
        "/v1/annotations",
        content=b"{",
        headers=voices.alder.token | {"Content-Type": "application/json"},
    )

    statuses = [large.status_code, form.status_code, broken.status_code]
    assert statuses == [413, 415, 400]

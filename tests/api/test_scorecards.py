"""Every measure of one clinic in one call: who sees which numbers of it."""

import csv
import dataclasses
from io import StringIO
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from app.disclosure.audiences import ClinicsShown
from app.domain.clinics import Audience
from app.services.hub import Hub
from app.services.scorecards import find_scorecard
from app.services.series import Viewer
from app.store.sessions import read_session
from tests import released_hub
from tests.api.networks import MEASURE as COUNTED
from tests.api.networks import enrol as enrol_people
from tests.api.test_counting import count
from tests.api.voices import SHIFT, Voices, publish_to_members, voice_of, voices_at
from tests.hubs import Network
from tests.released_hub import FIRST, HIDDEN_MEASURE, MEASURE, published

pytestmark = pytest.mark.anyio
ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])
ALDER = "clinics/alder-creek/scorecard"


@pytest.fixture
async def voices(hub: Hub, network: Network, client: httpx.AsyncClient) -> Voices:
    return await voices_at(hub, network, client)


def line_of(card: dict[str, Any], measure_id: str) -> dict[str, Any]:
    (line,) = [each for each in card["measures"] if each["measure"]["id"] == measure_id]
    return line


async def test_members_read_a_clinic_beside_the_network(voices: Voices):
    """Month 14: 53 of 77 at Alder Creek, 73 of 100 in the network."""
    card = await voices.member.read(ALDER)

    line = line_of(card, MEASURE)
    assert (card["live"], card["counted_up_to"], card["audience"]) == (
        False,
        None,
        "members",
    )
    newest, network = line["newest"], line["network"]
    assert newest["interval_start"] == network["interval_start"] == "2025-02-01"
    assert (newest["n"], newest["d"]) == (53, 77)
    assert (network["n"], network["d"], network["same_interval"]) == (73, 100, True)
    assert line["measure"]["improvement_notation"] == "increase"
    assert [p["value"] for p in line["spark"]] == [(40 + i) / 77 for i in range(14)]
    assert (line["reason"], line["withheld"]) == (None, {})


@ONE_DATABASE
async def test_a_scorecard_says_what_the_search_for_signals_came_to(voices: Voices):
    """
    Alder Creek rises month by month, from 40 to 53 of 77.

    It crosses the centre line once, where chance would do it four times or more.
    """
    card = await voices.member.read(ALDER)

    line = line_of(card, MEASURE)
    assert line["verdict"] == "found"
    assert "unusually-few-crossings" in line["signals"]
    assert line_of(card, HIDDEN_MEASURE)["verdict"] == "not searched"


@ONE_DATABASE
async def test_an_accepted_shift_is_in_the_lines_that_signals_are_sought_by(
    voices: Voices,
):
    """The scorecard and the chart of a clinic never tell two stories."""
    await voices.coordinator.say("annotations", SHIFT)

    card = await voices.member.read(ALDER)
    chart = await voices.member.read(f"measures/{MEASURE}/chart", clinic="alder-creek")

    rules = list(dict.fromkeys(each["rule"] for each in chart["signals"]))
    assert len(chart["phases"]) == 2
    assert line_of(card, MEASURE)["signals"] == rules


@ONE_DATABASE
async def test_what_is_withheld_is_told_with_its_reason(voices: Voices):
    """Fern Dale publishes nothing: that is a reason, not a blank."""
    card = await voices.member.read("clinics/fern-dale/scorecard")

    line = line_of(card, MEASURE)
    assert line["newest"] is None
    assert line["reason"] == "not-published"
    assert {point["value"] for point in line["spark"]} == {None}
    assert sum(line["withheld"].values()) == len(line["spark"])


@ONE_DATABASE
async def test_every_released_measure_has_a_line(voices: Voices):
    """One call is the whole of it: a measure that says nothing is there, too."""
    card = await voices.member.read(ALDER)
    catalogue = await voices.member.read("measures")

    listed = {
        each["id"] for each in catalogue["measures"] if each["variant_of"] is None
    }
    shown = {each["measure"]["id"] for each in card["measures"]}
    assert shown <= listed
    assert all("between" in name or "-to-" in name for name in listed - shown)


async def test_the_public_sees_no_single_clinic(voices: Voices):
    """Its releases tell of none."""
    refused = await voices.anyone.get(ALDER)

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"


@ONE_DATABASE
async def test_a_clinic_that_is_not_there_is_not_found(voices: Voices):
    """A partner learns no more of a clinic that is unknown than of a typing error."""
    assert (await voices.member.get("clinics/nowhere/scorecard")).status_code == 404


@ONE_DATABASE
async def test_a_scorecard_is_for_who_may_read_numbers(client: httpx.AsyncClient):
    """As all other numbers are."""
    assert (await client.get(f"/v1/{ALDER}")).status_code == 401


async def test_a_clinic_reads_its_own_true_numbers_and_no_other_clinics(
    hub: Hub, network: Network
):
    """
    8 of 16 people were poorly controlled in February 2026.

    Nothing is released: the clinic sees them beside no network, and others nothing.
    """
    alpha = await voice_of(await enrol_people(network, "alpha"))
    beta = await voice_of(network.ehr("beta-ehr"))
    count(hub)

    own = await alpha.read("clinics/alpha/scorecard")
    others = await beta.get("clinics/alpha/scorecard")

    line = line_of(own, COUNTED)
    values = {p["interval_start"][:7]: p["value"] for p in line["spark"]}
    assert own["live"]
    assert own["counted_up_to"] is not None
    assert values["2026-02"] == 0.5
    assert line["network"] is None
    assert others.status_code == 404
    assert "values" not in others.text


async def test_another_members_clinic_reads_what_is_released(hub: Hub, voices: Voices):
    """
    Birch Hill looks at Alder Creek as every member does; at itself, live.

    Of itself there is nothing to see before the measures are counted.
    """
    seen = await voices.birch.read(ALDER)
    early = await voices.birch.read("clinics/birch-hill/scorecard")
    count(hub)
    own = await voices.birch.read("clinics/birch-hill/scorecard")

    assert line_of(seen, MEASURE)["newest"]["n"] == 53
    assert not seen["live"]
    assert early["live"]
    assert early["measures"] == []
    assert own["live"]
    assert line_of(own, MEASURE)["newest"] is None


@ONE_DATABASE
async def test_the_network_beside_live_numbers_is_as_it_was_released(
    hub: Hub, network: Network
):
    """The clinic's month is live; the network's newest published one says its month."""
    alpha = await voice_of(await enrol_people(network, "alpha"))
    count(hub)
    publish_to_members(hub, COUNTED, [published(400, 1000, FIRST)])

    line = line_of(await alpha.read("clinics/alpha/scorecard"), COUNTED)

    beside = line["network"]
    assert line["newest"]["interval_start"] > beside["interval_start"]
    assert (beside["n"], beside["d"], beside["same_interval"]) == (400, 1000, False)
    assert beside["interval_start"] == "2024-01-01"


@ONE_DATABASE
async def test_a_scorecard_can_be_had_as_csv(voices: Voices):
    """A line a measure, each of which can stand alone."""
    answer = await voices.member.http.get(
        f"/v1/{ALDER}", headers=voices.member.token | {"Accept": "text/csv"}
    )

    rows = {row["measure"]: row for row in csv.DictReader(StringIO(answer.text))}
    row = rows[MEASURE]
    assert answer.headers["content-type"].startswith("text/csv")
    assert (row["n"], row["d"], row["network_n"]) == ("53", "77", "73")
    assert row["verdict"] == "found"
    assert rows[HIDDEN_MEASURE]["n"] == ""
    assert rows[HIDDEN_MEASURE]["reason"] == "not-published"


@ONE_DATABASE
async def test_where_clinics_have_codes_for_names_so_has_a_scorecard(hub: Hub):
    """The agreement says what members call each other."""
    released_hub.enrol(hub)
    released_hub.release(hub)
    members = replace(hub.audiences.members, clinics=ClinicsShown.CODED)
    coded = dataclasses.replace(hub, audiences=replace(hub.audiences, members=members))
    viewer = Viewer(audience=Audience.MEMBERS)

    with read_session(hub.engine) as session:
        card = find_scorecard(session, coded, viewer, "alder-creek")

    assert card.name == "alder-creek"

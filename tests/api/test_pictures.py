"""Pictures over REST: of what, for whom, and kept until something changes."""

import re
from typing import Any

import httpx
import pytest

from app.services import pictures
from app.services.hub import Hub
from app.store import clinics
from app.store.sessions import write_session
from tests.api.test_counting import count
from tests.api.test_summaries import report, whole
from tests.api.voices import (
    SHIFT,
    TEST_OF_CHANGE,
    Voice,
    Voices,
    publish_to_members,
    voice_of,
    voices_at,
)
from tests.hubs import Network
from tests.released_hub import FIRST, MEAN_MEASURE, MEASURE, published, release_means

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("dialect", ["sqlite"]),
]
PAGE = f"measures/{MEASURE}"
CHART = f"{PAGE}/chart.svg"
RELEASED = ["chart.svg", "spark.svg", "clinics.svg", "multiples.svg"]


@pytest.fixture
async def voices(hub: Hub, network: Network, client: httpx.AsyncClient) -> Voices:
    return await voices_at(hub, network, client)


async def ask_again(voice: Voice, path: str, tag: str, **asked: Any) -> httpx.Response:
    headers = voice.token | {"If-None-Match": tag}
    return await voice.http.get(f"/v1/{path}", params=asked, headers=headers)


async def test_who_has_an_answer_is_told_so_and_nothing_is_drawn(
    voices: Voices, monkeypatch: pytest.MonkeyPatch
):
    """A release never changes: what was drawn of it is asked about, not for."""
    for path in (*RELEASED, "chart", "series", "clinics", "variation"):
        first = await voices.member.get(f"{PAGE}/{path}")
        with monkeypatch.context() as undrawn:
            undrawn.setattr(pictures, "_rendered", None)
            again = await ask_again(
                voices.member, f"{PAGE}/{path}", first.headers["ETag"]
            )

        assert first.status_code == 200, path
        assert not first.headers["ETag"].startswith("W/")
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert "Authorization" in first.headers["Vary"]
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_scorecard_of_a_release_is_kept_and_a_live_one_is_not(voices: Voices):
    """The same address: one is of a release, the other of the clinic's own eyes."""
    path = "clinics/alder-creek/scorecard"
    released, own = await voices.member.get(path), await voices.alder.get(path)

    assert "ETag" in released.headers
    assert "ETag" not in own.headers
    assert own.headers["Cache-Control"] == "private, no-store"
    again = await ask_again(voices.alder, path, released.headers["ETag"])
    assert again.status_code == 200


async def test_live_numbers_stay_in_no_cache(hub: Hub, network: Network):
    """What a clinic alone may see is left in no browser that others use."""
    voice = await reporter(hub, network)

    for path in ("chart", "chart.svg", "spark.svg", "series"):
        own = await voice.get(f"measures/clabsi-rate/{path}", clinic="alpha")
        assert own.status_code == 200
        assert own.headers["Cache-Control"] == "private, no-store", path
        assert "Authorization" in own.headers["Vary"]
        assert "ETag" not in own.headers


async def reporter(hub: Hub, network: Network) -> Voice:
    """Return a clinic that reported two infections in each month of a year."""
    ehr = network.ehr("alpha-ehr")
    for number in range(1, 13):
        await ehr.post(report(2, 1000, period=whole(2025, number)))
    count(hub)
    return await voice_of(ehr)


async def test_another_question_has_another_tag(voices: Voices):
    """A picture of the network is no answer about a clinic."""
    plain = await voices.member.get(CHART)

    for asked in ({"interval": "quarter"}, {"clinic": "alder-creek"}):
        other = await ask_again(voices.member, CHART, plain.headers["ETag"], **asked)
        assert other.status_code == 200
        assert other.headers["ETag"] != plain.headers["ETag"]


async def test_csv_and_json_have_different_tags(voices: Voices):
    """One address, two answers: a cache may not give one for the other."""
    path = f"{PAGE}/series"
    plain = await voices.member.get(path)
    headers = voices.member.token | {"Accept": "text/csv"}
    table = await voices.member.http.get(f"/v1/{path}", headers=headers)

    assert plain.headers["ETag"] != table.headers["ETag"]


async def test_whatever_changes_a_picture_changes_its_tag(hub: Hub, voices: Voices):
    """A decision moves the lines of a chart between releases: 304 would be a lie."""
    tags = [await tag_of(voices)]
    made = await voices.alder.say("annotations", TEST_OF_CHANGE)
    tags.append(await tag_of(voices))
    taken = {"author": "Ada", "reason": "A mistake"}
    await voices.alder.say(f"annotations/{made['id']}/withdraw", taken)
    tags.append(await tag_of(voices))
    await voices.coordinator.say("annotations", SHIFT)
    tags.append(await tag_of(voices))
    with write_session(hub.engine) as session:
        clinics.required_clinic(session, "alder-creek").name = "Alder Brook"
    tags.append(await tag_of(voices))
    publish_to_members(hub, MEASURE, [published(60, 100, FIRST)])
    tags.append(await tag_of(voices))

    assert len(set(tags)) == len(tags)


async def tag_of(voices: Voices) -> str:
    return str((await voices.member.get(f"{PAGE}/series")).headers["ETag"])


async def test_a_picture_is_drawn_once_for_all_who_may_see_it(
    voices: Voices, monkeypatch: pytest.MonkeyPatch
):
    """Twenty members open the same chart on the morning of a release."""
    first = await voices.member.get(CHART)
    monkeypatch.setattr(pictures, "_rendered", None)

    second = await voices.birch.get(CHART)

    assert second.content == first.content


async def test_audiences_share_no_picture(voices: Voices):
    """What members see is not the public's, whoever asked first."""
    members = await voices.member.get(CHART)
    public = await voices.anyone.get(CHART)

    assert public.headers["ETag"] != members.headers["ETag"]
    assert public.content != members.content


async def test_a_test_of_change_is_on_the_picture(voices: Voices):
    """Which month did it change, and what did they do."""
    await voices.alder.say("annotations", TEST_OF_CHANGE)
    await voices.coordinator.say("annotations", SHIFT)

    picture = (await voices.member.get(CHART, clinic="alder-creek")).text

    assert "May 2024: A nurse fills in the joint count" in picture
    assert "new level" in picture


async def test_a_clinics_rate_is_a_picture_too(hub: Hub, network: Network):
    """Two events in 1,000 line days each month, drawn per 1,000."""
    voice = await reporter(hub, network)

    picture = await voice.get("measures/clabsi-rate/chart.svg", clinic="alpha")

    assert picture.status_code == 200
    assert "per 1,000" in picture.text


async def test_small_charts_show_every_clinic_that_members_may_know(voices: Voices):
    """Fern Dale publishes nothing; its panel says so."""
    picture = await voices.member.get(f"{PAGE}/multiples.svg")

    for name in ("Alder Creek", "Birch &amp; &lt;b&gt;Hill", "Fern Dale"):
        assert name in picture.text
    assert "Fern Dale: not published" in picture.text


async def test_the_public_sees_no_small_charts_of_clinics(voices: Voices):
    """403, as of all that is of single clinics."""
    refused = await voices.anyone.get(f"{PAGE}/multiples.svg")

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"


async def test_where_no_clinic_publishes_there_is_a_picture_all_the_same(
    hub: Hub, voices: Voices
):
    """Of a size that is a number: a legend of no points has none."""
    publish_to_members(hub, MEASURE, [published(60, 100, FIRST)])

    drawn = await voices.member.get(f"{PAGE}/clinics.svg")
    printed = await voices.member.get(f"{PAGE}/clinics.png")

    width = re.search(r'^<svg[^>]* width="(\d+)"', drawn.text)
    assert width is not None
    assert int(width[1]) < 1000
    assert printed.status_code == 200
    assert printed.content.startswith(b"\x89PNG")


async def test_a_mean_is_compared_in_a_picture(hub: Hub, voices: Voices):
    """Without a funnel, on the scale of means."""
    release_means(hub)

    picture = await voices.member.get(f"measures/{MEAN_MEASURE}/clinics.svg")

    assert picture.status_code == 200
    assert "Mean" in picture.text


async def test_pictures_come_as_png_and_as_a_specification(voices: Voices):
    """For a slide, and for who draws with a library of their own."""
    png = await voices.member.get(f"{PAGE}/multiples.png")
    spec = await voices.member.get(f"{PAGE}/spark.vl.json")

    assert png.content.startswith(b"\x89PNG")
    assert "vega-lite" in spec.json()["$schema"]


async def test_a_picture_of_single_events_is_for_their_own_clinic(network: Network):
    """The days between infections give single patients away."""
    alpha, beta = network.ehr("alpha-ehr"), network.ehr("beta-ehr")
    path = "measures/clabsi-days-between/events.svg"
    one, other = await voice_of(alpha), await voice_of(beta)

    assert (await other.get(path, clinic="alpha")).status_code == 403
    empty = await one.get(path, clinic="alpha")
    assert empty.status_code == 404
    assert "two of them" in empty.json()["detail"]


async def test_a_picture_opened_alone_runs_nothing(voices: Voices):
    """Its own font is all that it may use."""
    picture = await voices.member.get(CHART)

    policy = picture.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "font-src data:" in policy

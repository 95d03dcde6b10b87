"""The chart that a caller asks for, and how one that does not fit is refused."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from app.services.hub import Hub
from tests import released_hub
from tests.released_hub import MEAN_MEASURE, MEASURE

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a release for members: 61 to 73 of 100 patients in 13 months."""
    hub = released_hub.small_hub(tmp_path_factory.mktemp("charts"))
    released_hub.release(hub)
    released_hub.release_means(hub)
    yield hub
    hub.engine.dispose()


@pytest.fixture
async def http(released: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to it as a member's app."""
    transport = httpx.ASGITransport(app=released_hub.app_of(released))
    async with httpx.AsyncClient(
        transport=transport,
        base_url=released.base_url,
        headers=released_hub.token(released, "app"),
    ) as client:
        yield client


async def ask(
    http: httpx.AsyncClient, measure: str = MEASURE, **parameters: Any
) -> httpx.Response:
    return await http.get(f"/v1/measures/{measure}/chart", params=parameters)


async def test_an_answer_names_all_that_its_limits_and_signals_came_from(
    http: httpx.AsyncClient,
):
    """Chart and reason, rule set and version, sigma method and version, baseline."""
    chart = (await ask(http, rules="provost-murray")).json()

    assert (chart["chart"], chart["rule_set"]) == ("p", "provost-murray")
    assert "is a proportion" in chart["reason"]
    assert chart["rule_set_version"] == chart["sigma_method_version"] == "1"
    assert chart["sigma_method"].startswith("binomial")
    assert "d is the same" in chart["explanation"]
    (baseline,) = chart["baselines"]
    assert (baseline["points"], baseline["first"], baseline["frozen"]) == (
        13,
        "2024-02-01",
        False,
    )


async def test_the_target_is_held_against_the_limits(http: httpx.AsyncClient):
    """67 % of 100 a month reach from 53 to 81 %, and the network aims at 80 %."""
    assurance = (await ask(http)).json()["assurance"]

    assert (assurance["value"], assurance["target"]) == ("hit-and-miss", 0.8)
    assert "80.0%" in assurance["text"]


@pytest.mark.parametrize("chart", ["run", "p", "p-prime", "xmr", "mr"])
async def test_a_caller_chooses_among_the_charts_of_a_proportion(
    http: httpx.AsyncClient, chart: str
):
    """And the reason says that it was the caller."""
    answer = (await ask(http, chart=chart)).json()

    assert answer["chart"] == chart
    assert "caller chose" in answer["reason"]
    assert answer["points"][5]["center_line"] is not None


async def test_values_are_those_that_the_chart_is_drawn_of(http: httpx.AsyncClient):
    """One patient more each month: every moving range is 1 in 100."""
    ranges = (await ask(http, chart="mr")).json()["points"]

    assert (ranges[0]["value"], ranges[0]["reason"]) == (None, "no-data")
    assert [p["value"] for p in ranges[1:]] == pytest.approx([0.01] * 12)
    assert ranges[1]["n"] == 62


@pytest.mark.parametrize(
    ("measure", "parameters", "element"),
    [
        (MEASURE, {"chart": "u"}, "chart"),
        (MEASURE, {"chart": "s"}, "chart"),
        (MEASURE, {"chart": "t"}, "chart"),
        (MEASURE, {"screened": "true"}, "screened"),
        (MEASURE, {"chart": "p", "screened": "true"}, "screened"),
        (MEAN_MEASURE, {"chart": "p"}, "chart"),
    ],
)
@pytest.mark.parametrize("picture", ["", ".svg"])
async def test_a_chart_that_does_not_fit_is_refused_by_the_parameters_name(
    http: httpx.AsyncClient, measure: str, parameters: dict, element: str, picture: str
):
    """As a problem document, for numbers and pictures alike."""
    path = f"/v1/measures/{measure}/chart{picture}"
    refused = await http.get(path, params=parameters)

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["element"] == element


@pytest.mark.parametrize("name", ["chart", "rules", "screened"])
async def test_what_is_no_chart_or_rule_set_at_all_is_refused_by_name(
    http: httpx.AsyncClient, name: str
):
    """In words and as the element, as all refusals are; its value is not repeated."""
    refused = await ask(http, **{name: "pie"})

    assert refused.status_code == 400
    assert refused.json()["element"] == name
    assert refused.json()["detail"] == f"Invalid or missing: {name}"


async def test_screened_ranges_are_named_in_the_method(http: httpx.AsyncClient):
    """The same data give two limits, so a limit must say which it is."""
    screened = (await ask(http, chart="xmr", screened="true")).json()
    plain = (await ask(http, chart="xmr")).json()

    assert "left out" in screened["sigma_method"]
    assert "left out" not in plain["sigma_method"]


async def test_means_have_a_chart_of_their_spread(http: httpx.AsyncClient):
    """Everybody's deviation is 2 in that release."""
    chart = (await ask(http, MEAN_MEASURE, chart="s")).json()

    assert chart["chart"] == "s"
    assert chart["points"][3]["center_line"] == pytest.approx(2, abs=0.01)

"""Clinics side by side over HTTP: benchmarks, means, and how much clinics differ."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from app.services.hub import Hub
from app.services.invitations import members_link
from tests.released_hub import (
    MEAN_MEASURE,
    MEASURE,
    app_of,
    release,
    release_means,
    small_hub,
    token,
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = small_hub(tmp_path_factory.mktemp("hub"))
    release(hub)
    release_means(hub)
    yield hub
    hub.engine.dispose()


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app_of(hub))
    async with httpx.AsyncClient(
        transport=transport, base_url=hub.base_url, headers=token(hub, "app")
    ) as client:
        yield client


async def answer(http: httpx.AsyncClient, path: str, measure: str = MEASURE) -> Any:
    found = await http.get(f"/v1/measures/{measure}/{path}")
    assert found.status_code == 200, found.text
    return found.json()


async def test_benchmarks_stand_together_and_the_target_has_its_citation(http):
    """The network's 73 of 100; the one clinic that publishes months has 53 of 77."""
    found = (await answer(http, "clinics"))["benchmarks"]

    assert found["network"] == 0.73
    assert found["median_clinic"] == found["best_tenth"] == 53 / 77
    assert found["target"]["proportion"] == 0.8
    assert "10.3389" in found["target"]["citation"]


@pytest.mark.parametrize(
    "path", ["clinics", "variation", "clinics.svg", "multiples.svg"]
)
@pytest.mark.parametrize("element", ["clinic", "cohort", "stratum"])
async def test_clinics_are_never_held_against_a_part_of_the_network(
    http, path: str, element: str
):
    """A stratum's total beside whole clinics would put all of them in a wrong place."""
    part = {"clinic": "alder-creek", "cohort": "pair", "stratum": "course:oligo"}
    asked = {element: part[element], "interval": "quarter"}

    refused = await http.get(f"/v1/measures/{MEASURE}/{path}", params=asked)

    assert refused.status_code == 400
    assert refused.json()["element"] == element


async def test_clinics_are_compared_by_means_without_a_funnel(http):
    """3.2 of 100 people with a deviation of 2; t with 99 degrees is 1.98422."""
    found = await answer(http, "clinics", MEAN_MEASURE)

    (alder,) = (each for each in found["clinics"] if each["value"] is not None)
    assert (alder["clinic"], alder["value"], alder["n"]) == ("alder-creek", 3.2, None)
    assert (alder["lower"], alder["upper"]) == pytest.approx(
        (3.2 - 0.396844, 3.2 + 0.396844), abs=1e-6
    )
    assert alder["limits"] is alder["zone"] is None
    assert found["interval_method"] == "student-t"
    assert found["target"] == pytest.approx(4.3)
    assert "means" in {remark["code"] for remark in found["remarks"]}


async def test_the_page_of_a_mean_has_no_picture_of_its_clinics(hub, http):
    """There is none to draw, so none is linked."""
    await http.get(members_link(hub))
    page = await http.get(f"/measures/{MEAN_MEASURE}")

    assert page.status_code == 200
    assert "Alder Creek" in page.text
    assert "clinics.svg" not in page.text


async def test_every_interval_has_its_variation_or_the_reason(http):
    """One clinic tells nothing of how clinics differ; the first month has no total."""
    found = await answer(http, "variation")

    codes = [[each["code"] for each in p["remarks"]] for p in found["points"]]
    assert found["interval"] == "month"
    assert len(codes) == 14
    assert codes[0] == ["too-few-clinics", "no-target"]
    assert codes[1:] == [["too-few-clinics"]] * 13
    assert {point["between"] for point in found["points"]} == {None}


@pytest.mark.parametrize("path", ["clinics", "variation"])
async def test_the_public_learns_nothing_of_single_clinics(hub, http, path):
    """Its release has none: no clinic is listed and no spread is told."""
    found = await http.get(
        f"/v1/measures/{MEASURE}/{path}",
        params={"interval": "quarter"},
        headers=token(hub, "anyone"),
    )

    assert found.status_code == 200
    told = found.json()
    assert told.get("clinics", []) == []
    assert {p["between"] for p in told.get("points", [])} <= {None}

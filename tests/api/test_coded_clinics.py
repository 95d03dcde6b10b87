"""Where an agreement gives clinics codes, no door that members have says a name."""

import dataclasses
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from msgspec.structs import replace

from app.disclosure.audiences import ClinicsShown
from app.services.hub import Hub
from app.services.invitations import members_link
from tests.released_hub import (
    MEAN_MEASURE,
    MEASURE,
    app_of,
    release,
    release_means,
    small_hub,
    speak,
    token,
)

pytestmark = pytest.mark.anyio
NAMES = re.compile("Alder.?Creek|Birch|Fern.?Dale")
"""As people write them: a code is written small, with a hyphen."""
ADDRESS = re.compile(r'(?:href|src)="(/[^"#]*)')
ANSWERS = (
    "/v1/clinics/alder-creek/scorecard",
    "/v1/annotations",
    "/v1/projects",
    "/v1/projects/treat-to-target",
    "/v1/releases",
    *(
        f"/v1/measures/{measure}/{answer}"
        for measure in (MEASURE, MEAN_MEASURE)
        for answer in (
            "series?clinic=alder-creek",
            "chart?clinic=alder-creek",
            "chart.vl.json?clinic=alder-creek",
            "spark.svg?clinic=alder-creek",
            "clinics",
            "clinics.vl.json",
            "multiples.vl.json",
            "variation",
        )
    ),
    (
        f"/fhir/Measure/{MEASURE}/$evaluate-measure"
        "?periodStart=2025-02-01&periodEnd=2025-02-28&reportType=summary"
    ),
    "/fhir/MeasureReport",
)


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A hub with a release, whose members know each other by code."""
    hub = small_hub(tmp_path_factory.mktemp("coded"))
    release(hub)
    release_means(hub)
    speak(hub)
    members = replace(hub.audiences.members, clinics=ClinicsShown.CODED)
    return dataclasses.replace(hub, audiences=replace(hub.audiences, members=members))


@pytest.fixture
async def http(coded: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app_of(coded))
    async with httpx.AsyncClient(
        transport=transport, base_url=coded.base_url, follow_redirects=True
    ) as opened:
        yield opened


async def test_no_answer_to_a_member_names_a_clinic(
    coded: Hub, http: httpx.AsyncClient
):
    """Neither numbers nor pictures, nor what FHIR calls who reports."""
    told = 0
    for question in ANSWERS:
        answer = await http.get(question, headers=token(coded, "app"))
        assert not NAMES.search(answer.text), question
        assert answer.status_code in {200, 404}, (question, answer.text)
        told += "alder-creek" in answer.text

    assert told > 10


async def test_no_page_of_a_member_names_a_clinic(coded: Hub, http: httpx.AsyncClient):
    """Whatever is reached from the first page: tables, files, pictures."""
    todo, seen = [members_link(coded).removeprefix(coded.base_url)], set[str]()
    while todo:
        address = todo.pop()
        seen.add(address)
        answer = await http.get(address)
        assert not NAMES.search(answer.text), address
        found = ADDRESS.findall(answer.text.replace("&amp;", "&"))
        todo += {*found} - seen - {*todo} - {each for each in found if "png" in each}

    assert "/clinics/alder-creek" in seen
    assert any("chart.svg?" in each and "alder-creek" in each for each in seen)

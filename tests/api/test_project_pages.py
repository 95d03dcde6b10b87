"""What people tried and decided, on pages: annotations, cohorts and projects."""

import csv
import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI

from app.domain.annotations import AnnotationKind, PhaseKind
from app.services import annotations, cohorts, projects
from app.services.annotations import NewAnnotation
from app.services.hub import Hub
from app.services.invitations import members_link
from app.services.parties import CONSOLE
from app.services.projects import NewPhase, NewProject
from app.store.sessions import write_session
from tests.api.test_projects import PROJECT, enrol_others
from tests.api.voices import publish_to_members
from tests.released_hub import (
    CLINICS,
    FIRST,
    MEASURE,
    SIGNED,
    TINY_CLINIC,
    app_of,
    published,
    small_hub,
    token,
)

pytestmark = pytest.mark.anyio

CODE, NAME = PROJECT["code"], PROJECT["name"]
JOINED = (*CLINICS, TINY_CLINIC[0])
PLACE = f"/projects/{CODE}"
PAGE = f"/measures/{MEASURE}"
WHAT = "Joints are counted before the <b>doctor</b> comes"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """
    A hub whose project is worth 20 points: three of six clinics at 70 % after a year.

    Alder Creek wrote down what it tried, in May 2024.
    """
    hub = small_hub(tmp_path_factory.mktemp("hub"))
    ids = enrol_others(hub)
    cells = [
        published(70 if i >= 12 and code in JOINED else 50, 100, FIRST + i, clinic=at)
        for code, at in ids.items()
        for i in range(20)
    ]
    cells += [published(300, 600, FIRST + i) for i in range(20)]
    publish_to_members(hub, MEASURE, cells, months=20)
    with write_session(hub.engine) as session:
        projects.add_project(session, hub, CONSOLE, project())
        annotations.annotate(session, hub, CONSOLE, attempt())
    yield hub
    hub.engine.dispose()


def project() -> NewProject:
    pilot = NewPhase(
        kind=PhaseKind.PILOT, name="First three", month=FIRST + 12, clinics=JOINED
    )
    return NewProject(
        code=CODE,
        name=NAME,
        aim=PROJECT["aim"],
        measures=(MEASURE,),
        phases=(pilot,),
        **SIGNED,
    )


def attempt() -> NewAnnotation:
    return NewAnnotation(
        kind=AnnotationKind.TEST_OF_CHANGE,
        month=FIRST + 4,
        clinic="alder-creek",
        measures=(MEASURE,),
        what=WHAT,
        **SIGNED,
    )


@pytest.fixture(scope="module")
def app(hub: Hub) -> FastAPI:
    """The application, made once."""
    return app_of(hub)


@pytest.fixture
async def member(hub: Hub, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that a members' link was opened in."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=hub.base_url) as client:
        await client.get(members_link(hub))
        yield client


async def test_a_project_says_what_came_of_it(hub, member):
    """20 points, in the words and the numbers of the interface."""
    page = (await member.get(PLACE)).text
    told = await member.get(f"/v1{PLACE}/estimate", headers=token(hub, "app"))

    assert "+20.0 points" in page
    assert told.json()["words"] in page
    assert "3 clinics of the project, compared with 3" in page
    assert "January 2025" in page
    assert "Alder Creek" in page


async def test_what_a_project_reached_can_be_taken_along(member):
    """Its points from the first month on, its picture, and who joined."""
    points = (await member.get(f"{PLACE}/{MEASURE}.csv")).text
    phases = (await member.get(f"{PLACE}/phases.csv")).text
    listed = (await member.get("/projects.csv")).text
    pictures = [
        await member.get(f"{PLACE}/{MEASURE}.{kind}") for kind in ("svg", "png")
    ]

    (first, *_), rows = (list(csv.DictReader(t.splitlines())) for t in (points, phases))
    assert float(first["observed"]) == pytest.approx(0.7)
    assert float(first["expected"]) == pytest.approx(0.5)
    assert [row["clinic"] for row in rows] == sorted(JOINED)
    assert CODE in listed
    assert [each.status_code for each in pictures] == [200, 200]
    assert pictures[0].text.startswith("<svg")


async def test_projects_are_listed_to_members_alone(hub, app, member):
    """They name clinics, so the public is not shown that there are any."""
    listed = (await member.get("/projects")).text
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=hub.base_url) as visitor:
        refused = [
            await visitor.get(path)
            for path in ("/projects", PLACE, "/projects/none", f"{PLACE}/phases.csv")
        ]

    assert f'href="{PLACE}"' in listed
    assert "running" in listed
    assert [answer.status_code for answer in refused] == [403] * 4
    assert (await member.get("/projects/none")).status_code == 404


async def test_what_was_tried_stands_beside_the_chart(member):
    """Of the clinic that tried it, as text and never as markup; of no other."""
    own = (await member.get(f"{PAGE}?clinic=alder-creek")).text
    other = (await member.get(f"{PAGE}?clinic=birch-hill")).text
    table = (await member.get(f"{PAGE}/annotations.csv?clinic=alder-creek")).text

    assert "before the &lt;b&gt;doctor" in own
    assert "May 2024" in own
    assert "doctor" not in other
    assert WHAT in table


async def test_a_decision_changes_the_picture_that_was_kept(hub, member):
    """A picture is remembered with its notes: a new level draws it anew."""
    address = f"{PAGE}?clinic=heron-lake"

    async def chart() -> tuple[str, str]:
        page = (await member.get(address)).text
        (source,) = re.findall(r'<img src="([^"]*/chart\.svg[^"]*)"', page)
        source = source.replace("&amp;", "&")
        return source, (await member.get(source)).text

    before, drawn = await chart()
    with write_session(hub.engine) as session:
        shift = NewAnnotation(
            kind=AnnotationKind.SHIFT,
            month=FIRST + 8,
            clinic="heron-lake",
            measures=(MEASURE,),
            **SIGNED,
        )
        annotations.annotate(session, hub, CONSOLE, shift)
    after, drawn_anew = await chart()

    assert before != after
    assert drawn != drawn_anew
    assert (await member.get(before)).text == drawn_anew


async def test_a_cohort_has_a_page_of_its_own(hub, member):
    """Its clinics' published numbers, added up: 50 and 50 of 100 each."""
    with write_session(hub.engine) as session:
        new = cohorts.NewCohort(
            code="lakes",
            name="By the lakes",
            clinics=("gull-point", "heron-lake", "iris-field"),
            **SIGNED,
        )
        cohorts.add_cohort(session, hub, CONSOLE, new)

    page = (await member.get(f"{PAGE}?cohort=lakes")).text
    chooser = (await member.get(PAGE)).text

    assert "By the lakes" in page
    assert "150 of 300" in page
    assert f'href="{PAGE}?cohort=lakes"' in chooser

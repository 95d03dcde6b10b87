"""The demonstration: what was planted in its network is found in the release."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from rich.console import Console
from sqlalchemy import text

from app.demo.network import demo_network
from app.demonstration import PARTNER, SEED, Place, demonstrate, synthetic_sources
from app.domain.clinics import Audience
from app.domain.counts import Interval
from app.main import create_app, hub_of
from app.services import releases
from app.services.cubes import first_cubes
from app.services.drafts import drafts
from app.services.release_previews import previewed
from app.services.series import Viewer, Wanted
from app.services.viewed_series import find_series
from app.smart.clients import client_assertion
from app.store import clinics
from app.store.releases import read_cells, read_intervals
from app.store.sessions import read_session

pytestmark = [pytest.mark.early, pytest.mark.thorough]

TODAY = date(2026, 6, 30)
NOW = int(datetime(2026, 6, 30, 12, tzinfo=UTC).timestamp() * 1000)
TRUTH = demo_network(seed=SEED, last_day=TODAY).truth
MEASURE = "/v1/measures/jia-low-disease-activity-visits"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What `catchment demo` leaves on an empty machine."""
    place = Place(folder=tmp_path_factory.mktemp("demo"))
    sources = synthetic_sources(TODAY)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CATCHMENT_PORT", "0")  # another process begins at the usual one
        demonstrate(
            place, sources, console=Console(quiet=True), stay=False, clock=lambda: NOW
        )
    return place


@pytest.fixture
async def partner(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """A partner app with a token, in front of the hub that the demonstration left."""
    app = create_app(place.settings(embedded_worker=False))
    transport = httpx.ASGITransport(app=app)
    base_url = app.state.hub.base_url
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as http:
        key = json.loads(place.key_file(PARTNER).read_text())
        endpoint = f"{base_url}/oauth/token"
        form = {
            "grant_type": "client_credentials",
            "scope": "system/Measure.rs system/MeasureReport.rs",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:"
            "jwt-bearer",
            "client_assertion": client_assertion(
                client_id=PARTNER,
                token_endpoint=endpoint,
                key=key,
                now=int(time.time()),
                jti=secrets.token_hex(8),
            ),
        }
        token = (await http.post(endpoint, data=form)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield http
    app.state.hub.engine.dispose()


async def chart_of(partner: httpx.AsyncClient, clinic: str) -> dict:
    response = await partner.get(f"{MEASURE}/chart", params={"clinic": clinic})
    assert response.status_code == 200, response.text
    chart: dict = response.json()
    return chart


async def test_the_month_of_the_improvement_is_found(partner: httpx.AsyncClient):
    """A QI lead asks which month the change began; the chart says it, and how far."""
    chart = await chart_of(partner, TRUTH.improving_clinic)

    shift = chart["suggested_shift"]
    assert shift["first"] <= TRUTH.changed_on.isoformat() <= shift["last"]
    assert shift["before"] == pytest.approx(TRUTH.proportion_before, abs=0.05)
    assert shift["after"] == pytest.approx(TRUTH.proportion_after, abs=0.05)
    assert chart["signals"]


async def test_no_other_clinic_is_said_to_have_changed(partner: httpx.AsyncClient):
    """A change that nobody made would send others looking for what is not there."""
    clinics = [source.code for source in synthetic_sources(TODAY)]

    changed = []
    for clinic in clinics:
        response = await partner.get(f"{MEASURE}/chart", params={"clinic": clinic})
        if response.status_code == 200 and response.json()["suggested_shift"]:
            changed.append(clinic)

    assert changed == [TRUTH.improving_clinic]


async def test_the_clinic_that_codes_badly_has_the_lowest_completeness(place: Place):
    """Completeness beside every outcome: what could not be scored is seen."""
    app = create_app(place.settings(embedded_worker=False))

    shares = completeness_by_clinic(app)

    worst = min(shares, key=lambda clinic: shares[clinic])
    assert worst == TRUTH.poorly_coding_clinic
    app.state.hub.engine.dispose()


def completeness_by_clinic(app) -> dict[str, float]:
    """Return scored / population of the last year with data, live, of JIA clinics."""
    shares = {}
    hub = app.state.hub
    with read_session(hub.engine) as session:
        for row in clinics.all_clinics(session):
            viewer = Viewer(audience=Audience.MEMBERS, clinic_id=row.id)
            wanted = Wanted(clinic=row.code, interval=Interval.YEAR)
            series = find_series(
                session, hub, viewer, "jia-low-disease-activity-visits", wanted
            )
            for cell in series.cells:
                if cell.population and cell.scored is not None:
                    shares[row.code] = cell.scored / cell.population
    return shares


async def test_a_clinic_that_sends_late_has_no_points_after_it_stopped(
    partner: httpx.AsyncClient,
):
    """What has not come is absent with a reason, not a zero."""
    chart = await chart_of(partner, TRUTH.late_clinic)

    late = [
        point
        for point in chart["points"]
        if point["interval_start"] > TRUTH.last_sent_day.isoformat()
    ]
    assert all(point["value"] is None and point["reason"] for point in late)


async def test_the_clinic_that_improved_says_what_it_changed(
    partner: httpx.AsyncClient,
):
    """Its words stand on its chart in the month of the truth, and on no other's."""
    charts = {
        code: (await partner.get(f"{MEASURE}/chart", params={"clinic": code})).json()
        for code in (TRUTH.improving_clinic, "harbor-point")
    }
    (project,) = (await partner.get("/v1/projects")).json()["projects"]
    estimate = await partner.get(f"/v1/projects/{project['code']}/estimate")

    (told,) = charts[TRUTH.improving_clinic]["annotations"]
    changed_on = TRUTH.changed_on.isoformat()
    assert (told["month"], told["by_clinic"]) == (changed_on, True)
    assert charts["harbor-point"]["annotations"] == []
    first, later = project["phases"]
    assert (first["month"], project["status"]) == (changed_on, "running")
    assert TRUTH.improving_clinic in first["clinics"]
    assert later["month"] > TODAY.isoformat()
    assert project["remarks"] == []
    assert estimate.json()["not_estimated"] is not None, "one clinic of three improved"


def test_members_see_most_of_what_clinics_publish(place: Place):
    """Of every clinic's own intervals, over all measures; 80 % are the aim."""
    hub = hub_of(place.settings())
    with read_session(hub.engine) as session:
        newest = releases.latest(session, Audience.MEMBERS)
        assert newest is not None
        told = []
        for measure_id, cells in read_cells(session, newest.id).items():
            widths = read_intervals(
                session, audience=Audience.MEMBERS, measure_id=measure_id
            )
            told += [
                cell.withheld
                for cell in cells
                if cell.clinic_id is not None and widths.get(cell.clinic_id)
            ]
    hub.engine.dispose()

    assert len(told) > 500
    assert told.count(None) >= 0.83 * len(told)


@pytest.mark.parametrize("months_ago", [1, 4, 7, 11])
def test_members_would_see_as_much_on_another_day(place: Place, months_ago: int):
    """Where the calendar cuts the demonstration's three years is no matter of luck."""
    hub = replace(hub_of(place.settings()), clock=lambda: NOW)
    with read_session(hub.engine) as session:
        locked = releases.closed_before(hub) - months_ago
        cubes = first_cubes(session, hub, before_month=locked)
        made = drafts(session, hub, cubes, past={}, closed_before=locked)
    hub.engine.dispose()

    members = made[Audience.MEMBERS]
    told = [
        cell.withheld
        for measure_id, cells in members.cells.items()
        for cell in cells
        if cell.clinic_id is not None
        and members.intervals[measure_id].get(cell.clinic_id)
    ]
    assert len(told) > 300
    assert told.count(None) >= 0.83 * len(told)


def test_a_preview_shows_less_by_stricter_rules(place: Place):
    """A network sees what k = 20 would cost its members before it asks for it."""
    before = rows_in(place)
    hub = replace(hub_of(place.settings()), clock=lambda: NOW)
    strict = msgspec.structs.replace(
        hub.audiences, members=msgspec.structs.replace(hub.audiences.members, k=20)
    )
    with read_session(hub.engine) as session:
        found = previewed(session, hub, {"own": hub.audiences, "strict": strict})
        newest = releases.latest(session, Audience.MEMBERS)
    hub.engine.dispose()

    shown = {
        rules: {name: each.people.shown for name, each in by_measure.items()}
        for rules, by_measure in found[Audience.MEMBERS].items()
    }
    assert newest is not None
    own = found[Audience.MEMBERS]["own"]
    assert own.keys() == newest.summary.keys()
    for name, each in own.items():  # the audit of what is published may hide more
        assert newest.summary[name]["people"]["shown"] <= each.people.shown
        assert newest.summary[name]["people"]["total"] == each.people.total
    assert shown["own"].keys() == shown["strict"].keys()
    assert sum(shown["strict"].values()) < 0.8 * sum(shown["own"].values())
    assert rows_in(place) == before


async def test_a_second_run_sends_nothing_and_changes_nothing(place: Place):
    """`make demo` twice is the same network, at once."""
    before = rows_in(place)

    demonstrate(
        place, synthetic_sources(TODAY), console=Console(quiet=True), stay=False
    )

    assert rows_in(place) == before


async def test_a_run_that_was_stopped_is_taken_up_again(place: Place):
    """All is sent once more, and what was there is found again."""
    before = rows_in(place)
    place.finished.unlink()

    demonstrate(
        place,
        synthetic_sources(TODAY),
        console=Console(quiet=True),
        stay=False,
        clock=lambda: NOW,
    )

    after = rows_in(place)
    assert after["released_cell"] == 2 * before["released_cell"]
    assert after | {"released_cell": 0} == before | {"released_cell": 0}


COUNTED = (
    *("record", "alias", "observation", "cell", "released_cell"),
    *("annotation", "project"),
)


def rows_in(place: Place) -> dict[str, int]:
    """Return how many rows of what was sent and published there are."""
    hub = hub_of(place.settings())
    with read_session(hub.engine) as session:
        counts = {
            name: session.connection().execute(text(f"SELECT COUNT(*) FROM {name}"))
            for name in COUNTED
        }
        found = {name: rows.scalar_one() for name, rows in counts.items()}
    hub.engine.dispose()
    return found


def test_the_whole_demonstration_is_within_its_size(place: Place):
    """At most 30,000 resources, so that it loads on a laptop while one watches."""
    assert json.loads(Path(place.finished).read_text())["resources"] <= 30_000

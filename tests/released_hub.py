"""A small hub with a release for each audience, every number of it written by hand."""

import json
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from sqlalchemy import text

from app.disclosure.audits import Audit
from app.disclosure.summaries import Share, Summary
from app.domain.annotations import AnnotationKind, PhaseKind
from app.domain.calendar import month_number
from app.domain.clinics import Audience, ClinicStatus
from app.domain.counts import Interval, ReleasedCell, Withheld
from app.main import create_app, hub_of
from app.services.annotations import NewAnnotation, annotate
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.parties import CONSOLE
from app.services.projects import NewPhase, NewProject, add_project
from app.services.recounts import register_measures
from app.services.registry import (
    PARTNER_SCOPES,
    NewClient,
    NewClinic,
    enrol_clinic,
    register_client,
)
from app.settings import Settings
from app.smart.clients import generate_key
from app.smart.tokens import issue_token
from app.store import clinics, tables
from app.store.migrations import migrate
from app.store.recounts import mark_counted
from app.store.releases import add_release, releases, save_cells
from app.store.sessions import ReadSession, WriteSession, write_session
from tests.hubs import bearer

MEASURE = "jia-low-disease-activity-visits"
HIDDEN_MEASURE = "uc-remission-visits"
MEAN_MEASURE = "jia-mean-pain"
FIRST = month_number(2024, 1)
MONTHS = 14
CLINICS = {"alder-creek": "Alder Creek", "birch-hill": "Birch & <b>Hill</b>"}
TINY_CLINIC = ("fern-dale", "Fern Dale")
LIVE = (4, 6)
"""A numerator and a denominator that only their own clinic may see."""
AUDIENCE_OF = {"app": Audience.MEMBERS, "anyone": Audience.PUBLIC}


def small_hub(folder: Path) -> Hub:
    """Return a hub on an empty database, its clinics enrolled and its clients known."""
    key = folder / "master.key"
    key.touch(mode=0o600)
    key.write_text("5a" * 32)
    hub = hub_of(
        Settings(
            database_url=f"sqlite:///{folder / 'hub.db'}",
            master_key_file=key,
            base_url="http://127.0.0.1:8000",
        )
    )
    migrate(hub.engine)
    enrol(hub)
    return hub


def enrol(hub: Hub) -> None:
    """Enrol the clinics and register a client of each audience."""
    register_measures(hub)
    with write_session(hub.engine) as session:
        for code, name in (*CLINICS.items(), TINY_CLINIC):
            enrol_clinic(
                session,
                NewClinic(
                    code=code,
                    name=name,
                    status=ClinicStatus.ACTIVE,
                    time_zone="America/New_York",
                ),
            )
        for client_id, audience in AUDIENCE_OF.items():
            _, public = generate_key()
            register_client(
                session,
                NewClient(
                    client_id=client_id,
                    name=client_id,
                    audience=audience,
                    scopes=PARTNER_SCOPES,
                    key_set=json.dumps(public),
                ),
                dev_mode=True,
            )


def app_of(hub: Hub) -> FastAPI:
    """Return the application of *hub*, without its worker."""
    return create_app(Settings(embedded_worker=False), hub=hub)


def token(hub: Hub, client_id: str) -> dict[str, str]:
    """Return the header of a client that may read all that its audience may."""
    issued = issue_token(
        client_id,
        PARTNER_SCOPES,
        key=hub.signing_key,
        issuer=hub.base_url,
        audience=hub.fhir_base,
        now=hub.clock() // 1000,
        jti="test",
    )
    return bearer(issued)


def release(hub: Hub) -> None:
    """
    Publish for both audiences.

    To members: the network's months from January 2024 on, the first one suppressed and
    60 + i of 100 patients in month i, 110 in the population; three age groups of a
    quarter; Alder Creek's months, Birch Hill's quarters, and nothing of Fern Dale. To
    the public: 301 of 501 in the network's first quarter, 302 of 501 in the second.
    Another measure is suppressed throughout.
    """
    with write_session(hub.engine) as session:
        _publish(session, hub, Audience.MEMBERS, _members_cells(session))
        _publish(session, hub, Audience.PUBLIC, _public_cells())


def release_means(hub: Hub) -> None:
    """
    Let members see mean pain too: the network's, Alder Creek's, and of two stratifiers.

    The network's is a tenth more each month, from 3.1 in February 2024 on.
    """
    with write_session(hub.engine) as session:
        (newest,) = releases(session, audience=Audience.MEMBERS, limit=1)
        mean_id = measure_rows(session, hub)[MEAN_MEASURE].id
        save_cells(session, newest.id, mean_id, _mean_cells(session))


PROJECT = "treat-to-target"
SIGNED: dict[str, Any] = {"author": "The coordinator", "reason": "Agreed by all"}


def speak(hub: Hub) -> None:
    """Write down a project of two clinics, and what one of them tried."""
    phase = NewPhase(
        kind=PhaseKind.PILOT, name="The first two", month=FIRST + 6, clinics=(*CLINICS,)
    )
    project = NewProject(
        code=PROJECT,
        name="Treat to target",
        aim="Four of five in low disease activity",
        measures=(MEASURE,),
        phases=(phase,),
        **SIGNED,
    )
    attempt = NewAnnotation(
        kind=AnnotationKind.TEST_OF_CHANGE,
        month=FIRST + 6,
        clinic="alder-creek",
        what="Joints are counted before the visit",
        hypothesis="Ten points more",
        **SIGNED,
    )
    with write_session(hub.engine) as session:
        add_project(session, hub, CONSOLE, project)
        annotate(session, hub, CONSOLE, attempt)


RECORD = {
    MEASURE: Summary(
        cells=Share(shown=36, total=40),
        clinics=Share(shown=2, total=3),
        people=Share(shown=3000, total=4000),
        small=1,
        complementary=2,
        not_published=1,
        without_population=20,
    ),
    HIDDEN_MEASURE: Summary(
        cells=Share(shown=0, total=MONTHS),
        clinics=Share(shown=0, total=0),
        people=Share(shown=0, total=1000),
        small=10,
        complementary=4,
        not_published=0,
        without_population=0,
    ),
}
AUDIT = Audit(blocks=9, hidden=1234, by_witness=1200, by_solver=34, remedied=5)


def keep_record(hub: Hub) -> None:
    """Let the members' release say what it shows, and how it was audited."""
    kept = {"summary": RECORD, "audit": AUDIT}
    told = {name: msgspec.json.encode(each).decode() for name, each in kept.items()}
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE release SET summary = :summary, audit = :audit"
                " WHERE audience = 'members'"
            ),
            told,
        )


def count_live(hub: Hub, clinic: str, counts: tuple[int, int]) -> None:
    """Let a clinic itself see a numerator and denominator in each of the months."""
    numerator, denominator = counts
    told = {"numerator": numerator, "denominator": denominator}
    told |= {"population": denominator, "scored": denominator}
    with write_session(hub.engine) as session:
        measure_id = measure_rows(session, hub)[MEASURE].id
        mark_counted(session, measure_id)
        place: dict[str, Any] = {
            "measure_id": measure_id,
            "clinic_id": clinics.required_clinic(session, clinic).id,
            "grain": 1,
            "stratum": 0,
            "bin": 0,
        }
        less = {name: -count for name, count in told.items()}
        session.add(tables.Cell(**place, month=FIRST, **told))
        session.add(tables.Cell(**place, month=FIRST + MONTHS, **less))


def _publish(
    session: WriteSession, hub: Hub, audience: Audience, cells: list[ReleasedCell]
) -> None:
    rows = measure_rows(session, hub)
    release_id = add_release(
        session,
        audience=audience,
        created_at=hub.clock(),
        closed_before=FIRST + MONTHS,
        rules_digest="r",
        policy_digest="p",
        summary={},
    )
    save_cells(session, release_id, rows[MEASURE].id, cells)
    hidden = [suppressed(FIRST + i) for i in range(MONTHS)]
    save_cells(session, release_id, rows[HIDDEN_MEASURE].id, hidden)


def _members_cells(session: ReadSession) -> list[ReleasedCell]:
    alder = clinics.required_clinic(session, "alder-creek").id
    birch = clinics.required_clinic(session, "birch-hill").id
    fern = clinics.required_clinic(session, "fern-dale").id
    quarter, year = Interval.QUARTER, Interval.YEAR
    return [
        suppressed(FIRST),
        *(published(60 + i, 100, FIRST + i, 110) for i in range(1, MONTHS)),
        *(published(190, 300, FIRST + 3 * i, None, quarter) for i in range(4)),
        published(31, 40, FIRST + 9, 44, quarter, stratum=1),
        suppressed(FIRST + 9, quarter, stratum=2),
        published(83, 97, FIRST + 9, None, quarter, stratum=3),
        *(published(40 + i, 77, FIRST + i, clinic=alder) for i in range(MONTHS)),
        *(
            published(50, 90 + i, FIRST + 3 * i, None, quarter, clinic=birch)
            for i in range(4)
        ),
        suppressed(FIRST, year, clinic=fern, why=Withheld.NOT_PUBLISHED),
    ]


def _public_cells() -> list[ReleasedCell]:
    return [
        *(suppressed(FIRST + i) for i in range(MONTHS)),
        published(301, 501, FIRST, None, Interval.QUARTER),
        published(302, 501, FIRST + 3, None, Interval.QUARTER),
    ]


def _mean_cells(session: ReadSession) -> list[ReleasedCell]:
    alder = clinics.required_clinic(session, "alder-creek").id
    fern = clinics.required_clinic(session, "fern-dale").id
    quarter = Interval.QUARTER
    return [
        suppressed(FIRST),
        *(mean(30 + i, FIRST + i) for i in range(1, MONTHS)),
        *(mean(35, FIRST + 3 * i, quarter) for i in range(4)),
        mean(21, FIRST + 9, quarter, stratum=1),
        suppressed(FIRST + 9, quarter, stratum=2),
        mean(39, FIRST + 9, quarter, stratum=3),
        mean(42, FIRST + 9, quarter, stratum=6),
        mean(33, FIRST + 9, quarter, stratum=7),
        *(mean(45 - i, FIRST + i, clinic=alder) for i in range(MONTHS)),
        suppressed(FIRST, Interval.YEAR, clinic=fern, why=Withheld.NOT_PUBLISHED),
    ]


def mean(
    tenths: int,
    start: int,
    interval: Interval = Interval.MONTH,
    *,
    clinic: int | None = None,
    stratum: int = 0,
) -> ReleasedCell:
    """Return 100 people's mean pain; a deviation of 2, no outer percentiles."""
    total = 100 * 100 * tenths
    return ReleasedCell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=120,
        scored=100,
        denominator=100,
        numerator=None,
        value_sum=total,
        value_squares=total * total // 100 + 99 * 2000 * 2000,
        quantiles=(None, 1500, 3000, 4500, None),
    )


def published(
    numerator: int,
    denominator: int,
    start: int,
    population: int | None = None,
    interval: Interval = Interval.MONTH,
    *,
    clinic: int | None = None,
    stratum: int = 0,
) -> ReleasedCell:
    return ReleasedCell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=population,
        scored=denominator if population else None,
        denominator=denominator,
        numerator=numerator,
    )


def suppressed(
    start: int,
    interval: Interval = Interval.MONTH,
    *,
    clinic: int | None = None,
    stratum: int = 0,
    why: Withheld = Withheld.SUPPRESSED,
) -> ReleasedCell:
    return ReleasedCell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=None,
        scored=None,
        denominator=None,
        numerator=None,
        withheld=why,
    )

"""A partner reads charts through the generated client, from a hub that is served."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.demo.deliveries import update
from app.demo.partner import ChartRefusedError, read_chart
from app.demo.sending import Credentials, Sender
from app.domain.clinics import Audience, ClinicStatus
from app.services import registry
from app.services.hub import Hub
from app.services.recounts import is_all_counted
from app.smart.clients import fetch_token, generate_key
from app.store.sessions import write_session
from tests.served import served

CLINIC = "alder-creek"
MEASURE = "hba1c-poor-control"
PRIVATE, PUBLIC = generate_key()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture(scope="module")
def base_url(hub: Hub) -> str:
    """A served hub that has counted one patient: HbA1c 9.5 % in February 2024."""
    clinic = registry.NewClinic(
        code=CLINIC,
        name="Alder Creek",
        status=ClinicStatus.ACTIVE,
        time_zone="America/New_York",
    )
    client = registry.NewClient(
        client_id="ehr",
        name="EHR",
        audience=Audience.MEMBERS,
        scopes=registry.CLINIC_SCOPES,
        clinic=CLINIC,
        key_set=json.dumps(PUBLIC),
    )
    with write_session(hub.engine) as session:
        registry.enrol_clinic(session, clinic)
        registry.register_client(session, client, dev_mode=True)
    send_patient(hub.base_url)
    while not is_all_counted(hub):
        time.sleep(0.05)
    return hub.base_url


SUBJECT = {"reference": "Patient/p1"}
PATIENT: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01"},
    {
        "resourceType": "Condition",
        "id": "c1",
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]
        },
        "subject": SUBJECT,
        "onsetDateTime": "2020-01-01",
    },
    {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
        },
        "subject": SUBJECT,
        "period": {"start": "2024-02-10", "end": "2024-02-10"},
    },
    {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": SUBJECT,
        "effectiveDateTime": "2024-02-10",
        "valueQuantity": {
            "value": 9.5,
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    },
]


def send_patient(base_url: str) -> None:
    credentials = Credentials(client_id="ehr", key=PRIVATE)
    with httpx.Client(trust_env=False) as http:
        sender = Sender(http, base_url=base_url, credentials=credentials)
        tally = sender.send_all(map(update, PATIENT), sent=lambda _: None)
    assert tally.statuses == {201: len(PATIENT)}


@pytest.fixture(scope="module")
def token(base_url: str) -> str:
    """A token that covers charts and nothing else."""
    with httpx.Client(trust_env=False) as http:
        granted, _ = fetch_token(
            http,
            token_endpoint=f"{base_url}/oauth/token",
            client_id="ehr",
            key=PRIVATE,
            scope="system/MeasureReport.rs",
            now=int(time.time()),
            jti=secrets.token_urlsafe(8),
        )
    return granted


def test_a_chart_is_read_in_one_typed_call(base_url: str, token: str):
    """One person, 9.5 % is above 9: n and d are 1 in the month of the visit."""
    chart = read_chart(base_url, token, MEASURE, clinic=CLINIC)

    points = {point.interval_start.isoformat(): point for point in chart.points}
    seen = points["2024-02-01"]
    assert (seen.n, seen.d, seen.value, seen.suppressed) == (1, 1, 1.0, False)
    assert chart.measure.id == MEASURE
    assert chart.clinic == CLINIC


def test_a_refusal_is_said_in_the_words_of_the_hub(base_url: str, token: str):
    """Before the first release partners are told so, not shown an empty chart."""
    with pytest.raises(ChartRefusedError, match="Nothing has been released yet"):
        read_chart(base_url, token, MEASURE)


def test_a_token_that_is_none_is_refused(base_url: str):
    """The client hands problems of every status on by one model."""
    with pytest.raises(ChartRefusedError, match="token"):
        read_chart(base_url, "none", MEASURE, clinic=CLINIC)

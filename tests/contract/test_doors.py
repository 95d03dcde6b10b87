"""Every way out: errors have a status, doors their format, commits come first."""

import logging

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.domain.errors import BusyError, IssueType, ServiceError
from app.fhir.outcomes import HTTP_STATUS
from app.routers import fhir
from app.services import intake, resources
from app.services.hub import Hub
from app.smart.errors import OAuthError
from tests import make
from tests.hubs import Network, bearer, count_of

pytestmark = pytest.mark.anyio

SECRET = "Zq9secret7x"


def kinds_of(error: type[ServiceError]) -> set[type[ServiceError]]:
    below = {kind for sub in error.__subclasses__() for kind in kinds_of(sub)}
    return {error} | below


def test_every_issue_type_has_a_status():
    """A new kind of error has to say what it is over HTTP."""
    assert set(HTTP_STATUS) == set(IssueType)


def test_every_error_says_what_it_is():
    """A docstring and an issue type of its own, or its base's on purpose."""
    for kind in kinds_of(ServiceError):
        assert kind.__doc__
        assert kind.issue_type in HTTP_STATUS
        assert issubclass(kind, OAuthError) or kind.__name__.endswith("Error")


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("path", "media_type", "member"),
    [
        (f"/fhir/{SECRET}", "application/fhir+json", "issue"),
        (f"/fhir/{SECRET}/x/y/z", "application/fhir+json", "issue"),
        ("/fhirx", "application/problem+json", "title"),
        (f"/v1/{SECRET}", "application/problem+json", "title"),
        (f"/{SECRET}", "application/problem+json", "title"),
        (f"/oauth/{SECRET}", "application/json", "error"),
    ],
)
async def test_an_unknown_path_is_answered_in_its_doors_format(
    client: httpx.AsyncClient, network: Network, path: str, media_type: str, member: str
):
    """404 as OperationOutcome, problem document or OAuth error; never echoed."""
    token = await network.ehr().fresh_token()

    answer = await client.get(path, headers=bearer(token))

    assert answer.status_code in {404, 400}
    assert answer.headers["Content-Type"] == media_type
    assert member in answer.json()
    assert SECRET not in answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_no_one_expected_says_nothing_of_itself(
    network: Network, monkeypatch, caplog: pytest.LogCaptureFixture
):
    """500, the type and place in the log, the message nowhere."""
    ehr = network.ehr()
    caplog.set_level(logging.DEBUG)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(resources, "submission_of", fail)
    answer = await ehr.post(make.lab(7.1))

    assert answer.status_code == 500
    assert answer.json()["issue"][0]["code"] == "exception"
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert vars(record)["error"] == "RuntimeError"
    assert "fhir.py" in vars(record)["place"]
    assert SECRET not in f"{answer.text} {[vars(r) for r in caplog.records]}"


async def test_a_commit_that_fails_is_never_told_as_stored(
    network: Network, hub: Hub, monkeypatch
):
    """503, not 201: the commit comes before the reply."""
    ehr = network.ehr()
    await ehr.fresh_token()
    await ehr.read("Patient/p1")
    before = count_of(hub.engine)

    def fail(_: object) -> None:
        statement = "COMMIT"
        raise OperationalError(statement, {}, Exception(SECRET))

    monkeypatch.setattr(Session, "commit", fail)
    single = await ehr.post(make.lab(7.1))
    bundle = await ehr.call("POST", "", make.transaction(make.post(make.lab(7.2))))
    monkeypatch.undo()

    assert [single.status_code, bundle.status_code] == [503, 503]
    assert SECRET not in single.text + bundle.text
    assert count_of(hub.engine) == before


async def test_a_refusal_rolls_back_what_was_written(
    network: Network, hub: Hub, monkeypatch
):
    """An error after the store was written leaves nothing of it."""
    ehr = network.ehr()
    before = count_of(hub.engine)

    def refuse(*_: object, **__: object) -> None:
        raise ServiceError(SECRET)

    monkeypatch.setattr(fhir, "_written", refuse)
    answer = await ehr.post(make.lab(7.1))

    assert answer.status_code == 500
    assert count_of(hub.engine) == before


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_store_that_is_busy_says_when_to_come_back(
    network: Network, monkeypatch
):
    """503 with Retry-After, for a resource and a Bundle alike."""
    ehr = network.ehr()

    def wait(*_: object, **__: object) -> None:
        msg = "Other deliveries are under way"
        raise BusyError(msg)

    monkeypatch.setattr(intake, "store", wait)
    answers = [
        await ehr.post(make.lab(7.1)),
        await ehr.call("POST", "", make.batch(make.post(make.lab(7.1)))),
    ]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["issue"][0]["code"] == "transient"


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_readiness_is_told_before_the_users_do(client, hub: Hub):
    """200 where all is well, 503 where the database has another schema."""
    well = await client.get("/health/ready")
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'old'")
    ill = await client.get("/health/ready")
    live = await client.get("/health/live")

    assert [well.status_code, ill.status_code, live.status_code] == [200, 503, 200]

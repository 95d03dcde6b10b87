"""Collecting from an EHR that exports nothing: patient by patient, page by page."""

from collections.abc import Iterator

import pytest

from app.services.hub import Hub
from app.smart.bulk_exports import Level
from tests import make
from tests.collecting import Collector, collecting_hub
from tests.conftest import DIALECTS
from tests.fake_ehr import FakeEhr, Reply, fhir, outcome, serving
from tests.hubs import Clock, current_of, rows_of


@pytest.fixture
def dialect() -> str:
    """SQLite, but where a test asks for both."""
    return "sqlite"


def lab(id_: str, patient: str, **elements: object) -> dict:
    subject = make.reference(f"Patient/{patient}")
    return make.lab(7.1, id=id_, subject=subject, **elements)


@pytest.fixture
def ehr(clock: Clock) -> Iterator[FakeEhr]:
    resources = [
        *(make.patient(id=id_) for id_ in ("p1", "p2", "p3")),
        *(
            lab(f"p1-{number}", "p1", day=f"2024-03-0{number + 1}")
            for number in range(5)
        ),
        lab("p2-0", "p2"),
        lab("p3-0", "p3"),
        make.condition(id="c1"),
    ]
    fake = FakeEhr(
        clock=clock,
        resources=resources,
        members=["p1", "p2"],
        exports_offered=frozenset(),
    )
    with serving(fake):
        yield fake


@pytest.fixture
def operator(hub: Hub, ehr: FakeEhr, clock: Clock) -> Iterator[Collector]:
    with collecting_hub(hub) as collecting:
        ehr.key_set = {"keys": [collecting.client_key.as_dict(private=False)]}
        collector = Collector(hub=collecting, ehr=ehr, clock=clock)
        collector.connect(
            level=Level.SEARCH, types=("Patient", "Observation", "Condition")
        )
        yield collector


OF_GROUP = {"Patient": 2, "Observation": 6, "Condition": 1}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_members_of_a_group_are_searched_for(
    operator: Collector, hub: Hub, ehr: FakeEhr
):
    """All their pages, and of nobody else; no id is left behind."""
    job = operator.collect()

    assert current_of(hub.engine) == OF_GROUP
    assert operator.counts(job.id)["Observation", "created"] == 6
    assert {seen.query["patient"][0] for seen in ehr.asked("GET", "/Observation")} == {
        "p1",
        "p2",
    }
    assert job.sealed is None
    assert rows_of(hub.engine)["staged"] == []


def test_without_a_group_the_ehrs_patients_are_searched_for(
    operator: Collector, hub: Hub, ehr: FakeEhr
):
    """Page by page, as many as there are."""
    operator.connect(level=Level.SEARCH, group_id="")

    operator.collect()

    assert current_of(hub.engine)["Patient"] == 3
    assert len(ehr.asked("GET", "/Patient$")) == 2


def test_ids_wait_sealed_for_their_turn(operator: Collector, hub: Hub, ehr: FakeEhr):
    """Who is yet to be searched for is in the database, where nobody can read it."""
    ehr.members = ["p1", "zqxcanary"]
    ehr.says("GET", "/Observation", Reply(status=503))
    job_id = operator.order()

    operator.work()

    assert operator.job(job_id).sealed is not None
    assert "zqxcanary" not in repr(rows_of(hub.engine))
    assert "p1-0" not in repr(rows_of(hub.engine))


def test_an_ehr_that_refuses_last_updated_is_asked_without_it(
    operator: Collector, hub: Hub, ehr: FakeEhr
):
    """Epic's searches do; then all comes again, and nothing doubles."""
    operator.collect()
    ehr.refuses_last_updated = True

    job = operator.collect()

    assert current_of(hub.engine) == OF_GROUP
    assert operator.counts(job.id)["Observation", "unchanged"] == 6
    assert [seen for seen in ehr.seen if "_lastUpdated" in seen.query]
    assert operator.progress(job.id).without_last_updated


def test_the_next_searches_are_of_what_changed(operator: Collector, ehr: FakeEhr):
    """Since the EHR's own time at the beginning of the last ones."""
    date = {"Date": "Fri, 15 Jan 2027 09:30:00 GMT"}
    group = {
        "resourceType": "Group",
        "member": [{"entity": {"reference": "Patient/p1"}}],
    }
    reply = fhir(group)
    reply.headers |= date
    ehr.says("GET", "/Group/", reply)
    operator.collect()
    ehr.resources = [
        ehr.resources[0],
        lab("late", "p1", meta={"lastUpdated": "2027-01-15T10:00:00Z"}),
        lab("early", "p1", meta={"lastUpdated": "2027-01-15T09:00:00Z"}),
    ]

    job = operator.collect()

    assert ehr.seen[-1].query["_lastUpdated"] == ["ge2027-01-15T09:30:00+00:00"]
    assert operator.counts(job.id)["Observation", "created"] == 1


@pytest.mark.conforms("P14", mutation="a search's next page is on another host")
def test_a_next_page_on_another_host_is_not_asked_for(
    operator: Collector, ehr: FakeEhr
):
    """It would be the first to see the token, and the patients' ids."""
    ehr.next_host = f"localhost:{ehr.port}"

    job = operator.rest(operator.order())

    assert job.state == "failed"
    assert job.failure is not None
    assert "not on the connection's list" in job.failure
    hosts = {seen.headers["host"] for seen in ehr.seen}
    assert hosts == {ehr.host}


def test_what_one_search_is_refused_leaves_the_others_alone(
    operator: Collector, hub: Hub, ehr: FakeEhr
):
    """A patient may be sealed off in the EHR; the rest of the group is not."""
    ehr.says("GET", "/Patient/p2$", fhir(outcome("forbidden"), status=403))

    job = operator.collect()

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 6, "Condition": 1}
    (issue,) = operator.issues(job.id)
    assert issue.diagnostics == "The server refused a search; the others went on (403)"


def test_an_ehr_that_lets_nothing_be_searched_fails_the_job(
    operator: Collector, ehr: FakeEhr
):
    """Else a missing scope would be told as a clinic without data."""
    ehr.says("GET", "/(Patient|Observation|Condition)", *[Reply(status=403)] * 20)

    job = operator.rest(operator.order())

    assert job.failure == "The server answers 403"


def test_filters_become_searches(operator: Collector, ehr: FakeEhr, hub: Hub):
    """US Core demands a category beside the patient; so do many EHRs."""
    operator.connect(
        level=Level.SEARCH,
        types=("Patient", "Observation"),
        type_filters=("Observation?category=laboratory", "Observation?category=survey"),
    )

    operator.collect()

    asked = [seen.query for seen in ehr.asked("GET", "/Observation")]
    assert {query["category"][0] for query in asked} == {"laboratory", "survey"}
    assert current_of(hub.engine) == {"Patient": 2, "Observation": 6}

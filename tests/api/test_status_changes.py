"""A status that changes reaches the numbers: R20, up to the pooled measure."""

import pytest

from app.domain.calendar import month_number
from app.domain.counts import Interval
from app.services.catalogue import find_measure
from app.services.counts import measure_rows, true_cells
from app.services.hub import Hub
from app.store.sessions import read_session
from tests import make
from tests.api.test_counting import count, diabetic, result, series
from tests.hubs import Caller, Network

pytestmark = pytest.mark.anyio

MONTH = "2026-02-01"


@pytest.fixture
async def ehr(network: Network) -> Caller:
    """An EHR with one diabetic, whose HbA1c is yet to come: poor control 1 of 1."""
    caller = network.ehr()
    await caller.send(make.batch(*diabetic("a")))
    return caller


async def poor_control(hub: Hub, ehr: Caller) -> tuple[int, int, float]:
    """Return n, d and completeness of the month after everything was counted."""
    count(hub)
    point = (await series(ehr, clinic="alpha"))[MONTH]
    return point["n"], point["d"], point["completeness"]


NO_VALUE = (1, 1, 0.0)
GOOD = (0, 1, 1.0)
POOR = (1, 1, 1.0)


def hba1c(value: float, status: str, **elements) -> dict:
    lab = result("a", value, day="2026-02-03", own_id="r")
    return lab | {"status": status} | elements


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(status, marks=pytest.mark.conforms("R20", mutation=status))
        for status in ("preliminary", "registered", "cancelled", "unknown")
    ],
)
async def test_a_result_that_does_not_stand_is_kept_and_not_counted(
    hub: Hub, ehr: Caller, status: str
):
    """Only final, amended and corrected results are anybody's result."""
    answer = await ehr.put(hba1c(7.0, status))

    assert answer.status_code == 201
    assert await poor_control(hub, ehr) == NO_VALUE


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
@pytest.mark.conforms("R20")
async def test_a_result_that_stands_counts(hub: Hub, ehr: Caller, status: str):
    """By an id, so that a correction says what it corrects."""
    await ehr.put(hba1c(7.0, status))

    assert await poor_control(hub, ehr) == GOOD


@pytest.mark.conforms("R20")
async def test_a_result_runs_through_its_life(hub: Hub, ehr: Caller):
    """Preliminary, final, corrected, entered in error, and sent once more."""
    seen = []
    for lab in (
        hba1c(7.0, "preliminary"),
        hba1c(7.0, "final"),
        hba1c(9.9, "corrected"),
        hba1c(9.9, "entered-in-error"),
        hba1c(7.0, "final"),
    ):
        answer = await ehr.put(lab)
        assert answer.status_code in {200, 201}
        seen.append(await poor_control(hub, ehr))

    assert seen == [NO_VALUE, GOOD, POOR, NO_VALUE, GOOD]


@pytest.mark.conforms("R20")
async def test_a_cancelled_result_no_longer_counts(hub: Hub, ehr: Caller):
    """It was final yesterday; by whatever door the news comes."""
    await ehr.put(hba1c(7.0, "final"))
    before = await poor_control(hub, ehr)

    statuses = await ehr.send(make.transaction(make.put(hba1c(7.0, "cancelled"))))

    assert statuses == ["200"]
    assert [before, await poor_control(hub, ehr)] == [GOOD, NO_VALUE]


@pytest.mark.conforms("R20")
async def test_an_error_found_in_a_condition_or_visit_reaches_the_denominator(
    hub: Hub, ehr: Caller
):
    """Who has no diabetes, or was not here, is not in the measure."""
    await ehr.put(hba1c(7.0, "final"))
    before = await poor_control(hub, ehr)
    visit = diabetic("a")[2]["resource"]

    await ehr.put(visit | {"status": "entered-in-error"})
    count(hub)
    gone = await series(ehr, clinic="alpha")
    await ehr.put(visit)
    after = await poor_control(hub, ehr)

    assert before == after == GOOD
    assert gone.get(MONTH, {"d": 0})["d"] in {0, None}


@pytest.mark.conforms("R20")
async def test_the_networks_number_follows_too(hub: Hub, network: Network, ehr: Caller):
    """Pooled over clinics: cells of each, summed."""
    other = network.ehr("beta-ehr")
    await other.send(make.batch(*diabetic("a"), make.put(hba1c(7.0, "final"))))
    await ehr.put(hba1c(7.0, "final"))
    count(hub)
    before = pooled(hub)

    await ehr.put(hba1c(7.0, "entered-in-error"))
    count(hub)

    assert (before, pooled(hub)) == ((0, 2), (1, 2))


def pooled(hub: Hub) -> tuple[int, int]:
    """Return n and d of poor control over both clinics in the month."""
    month = month_number(2026, 2)
    measure = find_measure(hub, "hba1c-poor-control")
    with read_session(hub.engine) as session:
        row = measure_rows(session, hub)[measure.id]
        cells = true_cells(
            session,
            measure,
            row,
            clinics={1, 2},
            before_month=month + 1,
            keeping=hub.policy.keeping,
        )
    in_month = [
        c for c in cells if c.interval is Interval.MONTH and c.interval_start == month
    ]
    assert len({cell.clinic_id for cell in in_month}) == 2
    return sum(c.numerator for c in in_month), sum(c.denominator for c in in_month)

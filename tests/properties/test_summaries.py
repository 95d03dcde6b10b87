"""Whatever clinics send of themselves, in whatever order: the rates are right."""

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.hub import Hub
from tests.api.test_summaries import count, months, report, ward, whole
from tests.hubs import Caller, Network
from tests.make import reference
from tests.reference.summaries import Sent, Withdrawn, of_years, rates

pytestmark = pytest.mark.anyio

NUMBERS = itertools.count()
IDS = ("a", "b", "c", "d", "e")
MONTHS = ((2024, 5), (2024, 6), (2025, 1))
WARDS = ("picu", "nicu")

halves = st.integers(0, 4000).map(lambda half: Decimal(half) / 2)
events = st.none() | st.integers(0, 30).map(Decimal)


@st.composite
def acts(draw: Any) -> Sent | Withdrawn:
    """A number or a report under one of a few ids, or a withdrawal of one."""
    what = draw(st.sampled_from(["events", "exposure", "both", "withdrawn"]))
    own_id = f"{draw(st.sampled_from(IDS))}-{'r' if what == 'both' else 'n'}"
    if what == "withdrawn":
        own_id = f"{own_id[0]}-{draw(st.sampled_from('rn'))}"
        return Withdrawn(own_id, "here")
    where = draw(st.sampled_from(WARDS))
    numbers = {
        "events": st.tuples(events),
        "exposure": st.tuples(halves),
        "both": st.tuples(*[st.integers(0, 90).map(Decimal)] * 2),
    }[what]
    is_whole = what == "both" and draw(st.booleans())
    return Sent(
        own_id=own_id,
        clinic="here",
        ward=None if is_whole else where,
        month=draw(st.sampled_from(MONTHS)),
        what=what,
        numbers=draw(numbers),
    )


def resource_of(act: Sent) -> dict:
    """Return what an EHR would send."""
    stated: dict[str, Any] = {"id": act.own_id}
    where = None if act.ward is None else reference(f"Location/{act.ward}")
    period = whole(*act.month)
    if act.what == "both":
        numerator, denominator = (int(number or 0) for number in act.numbers)
        return report(numerator, denominator, period=period, subject=where, **stated)
    stated |= {"effectivePeriod": period, "subject": where}
    (number,) = act.numbers
    if act.what == "events":
        said = {} if number is None else {"valueInteger": int(number)}
        return ward("clabsi", **stated, **said)
    return ward(valueQuantity={"value": float(number or 0), "unit": "d"}, **stated)


async def send(ehr: Caller, history: Sequence[Sent | Withdrawn]) -> None:
    """Let an EHR do all of that, one after the other."""
    for act in history:
        if isinstance(act, Withdrawn):
            kind = "MeasureReport" if act.own_id.endswith("r") else "Observation"
            answer = await ehr.delete(f"{kind}/{act.own_id}")
            assert answer.status_code == 204
        else:
            answer = await ehr.put(resource_of(act))
            assert answer.status_code in {200, 201, 412}, answer.text


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(acts(), max_size=14))
async def test_what_was_sent_last_is_what_counts(
    hub: Hub, network: Network, history: list[Sent | Withdrawn]
):
    """Corrections, withdrawals and reports beside numbers, as the reference has it."""
    ehr = network.ehr(f"c{next(NUMBERS)}-ehr")
    await send(ehr, history)
    count(hub)
    expected = rates(history, no_events_means_zero=True)

    by_month = await months(ehr)
    by_year = await months(ehr, interval="year")

    for (_, (year, month)), rate in expected.items():
        assert told(by_month[f"{year}-{month:02}"]) == without_exposure(rate)
    said = {month for month, found in by_month.items() if found[3] != "no-data"}
    assert said == {f"{year}-{month:02}" for _, (year, month) in expected}
    for (_, year), rate in of_years(expected).items():
        assert told(by_year[f"{year}-01"]) == without_exposure(rate)


def told(point: tuple) -> tuple[Decimal, Decimal] | str:
    """Return the two numbers of a point as they are written, or its reason."""
    n, d, _, reason = point
    return reason or (Decimal(str(n)), Decimal(str(d)))


def without_exposure(
    rate: tuple[Decimal, Decimal] | str,
) -> tuple[Decimal, Decimal] | str:
    """Return *rate*; of an exposure of 0 that it is none."""
    return "no-exposure" if not isinstance(rate, str) and not rate[1] else rate

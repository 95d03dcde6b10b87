"""Ad hoc counts: with noise, on a budget, and off unless the network allows them."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean, pstdev

import msgspec
import pytest

from app.disclosure.audiences import NoiseRules
from app.disclosure.noise import noisy
from app.domain.calendar import month_number
from app.domain.counts import Interval
from app.domain.errors import BusinessRuleError, NotSupportedError, ServiceError
from app.services.hub import Hub
from app.services.noisy_counts import ask, read_ledger
from app.store.noisy_counts import NoisyCount
from app.store.sessions import read_session
from tests.api.test_counting import diabetic, result
from tests.hubs import Network
from tests.make import batch
from tests.reference.library import LIBRARY

pytest.importorskip("opendp", reason="OpenDP is not here")

HBA1C = LIBRARY["hba1c-poor-control"]
FEBRUARY = month_number(2026, 2)


def allowed(hub: Hub, epsilon: float) -> Hub:
    """Return the hub of a network that allows so much."""
    rules = NoiseRules(budget_epsilon=epsilon)
    audiences = msgspec.structs.replace(hub.audiences, noise=rules, lock_days=0)
    return dataclasses.replace(hub, audiences=audiences)


@pytest.fixture
async def of_three(hub: Hub, network: Network) -> Hub:
    """Three diabetics in February; one is above 9, and one was not measured."""
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a"), *diabetic("b"), *diabetic("c")))
    await ehr.put(result("a", 9.5, day="2026-02-03", own_id="a-r"))
    await ehr.put(result("b", 7.0, day="2026-02-03", own_id="b-r"))
    return allowed(hub, 10_000)


def ask_february(hub: Hub, *, epsilon: float = 0.5, months: int = 0) -> NoisyCount:
    start = FEBRUARY + months
    return ask(hub, HBA1C, interval=Interval.MONTH, start=start, epsilon=epsilon)


def groups(count: NoisyCount) -> tuple[int, int, int]:
    return count.numerator, count.others, count.uncounted


async def test_the_noise_is_about_the_true_count(of_three: Hub):
    """At an epsilon of 1,000 the noise is nil: without a value is poor control."""
    assert groups(ask_february(of_three, epsilon=1000)) == (2, 1, 0)


def test_the_noise_has_the_stated_scale():
    """
    Discrete Laplace noise has the standard deviation that theory gives.

    It is sqrt(2 a) / (1 - a) with a = exp(-epsilon): 2.80 at 0.5.
    """
    drawn = [noisy([40], epsilon=0.5)[0] for _ in range(2000)]

    assert fmean(drawn) == pytest.approx(40, abs=0.5)
    assert pstdev(drawn) == pytest.approx(2.80, rel=0.2)


async def test_the_same_question_has_the_same_answer_and_costs_once(of_three: Hub):
    """Noise that could be drawn again would wear off."""
    first = ask_february(of_three)
    again = [ask_february(of_three, epsilon=0.1 * n) for n in range(1, 6)]

    assert {groups(each) for each in again} == {groups(first)}
    with read_session(of_three.engine) as session:
        assert read_ledger(session, of_three).spent == 500_000


async def test_what_is_spent_is_spent(of_three: Hub):
    """A budget bounds what all answers together tell of one patient."""
    hub = allowed(of_three, 1.0)
    ask_february(hub, epsilon=0.6)

    with pytest.raises(BusinessRuleError, match="budget"):
        ask_february(hub, epsilon=0.6, months=-1)
    ask_february(hub, epsilon=0.4, months=-1)
    with pytest.raises(BusinessRuleError, match="budget"):
        ask_february(hub, epsilon=0.001, months=-2)


async def test_two_at_once_do_not_spend_the_same(of_three: Hub):
    """Ten ask at once for a fifth each: five of them are answered."""
    hub = allowed(of_three, 1.0)

    def answered(months: int) -> bool:
        try:
            ask_february(hub, epsilon=0.2, months=-months)
        except BusinessRuleError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(answered, range(10))) == 5


@pytest.mark.parametrize("months", [12, 40])
async def test_an_open_interval_is_not_counted(of_three: Hub, months: int):
    """It would be asked about again as data come in."""
    with pytest.raises(BusinessRuleError, match="data lock"):
        ask_february(of_three, months=months)


async def test_they_are_off_unless_the_network_allows_them(hub: Hub):
    """Nobody finds out by accident that noise was on."""
    audiences = msgspec.structs.replace(hub.audiences, lock_days=0)

    with pytest.raises(NotSupportedError, match=r"\[noise\]"):
        ask_february(dataclasses.replace(hub, audiences=audiences))


@pytest.mark.parametrize("measure_id", ["jia-mean-cjadas10", "clabsi-rate"])
async def test_only_proportions_of_people_are_counted(of_three: Hub, measure_id: str):
    """A sum of values is changed by one patient by more than one."""
    with pytest.raises(ServiceError):
        ask(
            of_three,
            {m.id: m for m in of_three.measures}[measure_id],
            interval=Interval.MONTH,
            start=FEBRUARY,
            epsilon=0.1,
        )

"""A definition tried on what the hub has, before anybody counts by it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.domain.calendar import month_number
from app.domain.counts import Interval
from app.domain.errors import BusinessRuleError, NotFoundError
from app.measures.definitions import Measure
from app.measures.libraries import parse_measures
from app.services.hub import Hub
from app.services.previews import Sums, preview
from app.store.sessions import write_session
from tests.api.test_counting import count, diabetic, result
from tests.hubs import Network, rows_of
from tests.make import UCUM, batch, lab, patient, put, reference
from tests.reference.library import LIBRARY, READ

HBA1C = LIBRARY["hba1c-poor-control"]
WEIGHT = """
id: light
version: 1.0.0
title: Light
description: Below 70 kilograms.
basis: latest-status
look_back_months: 12
scoring: {scoring}
improvement_notation: increase
value_sets: {{weight: [loinc|29463-7]}}
observables: {{weight: {{codes: weight, unit: kg, tie: lowest}}}}
initial_population: {{not: {{sex: other}}}}
scorable: {{measured: weight}}
{result}
sources: [tried]
examples: [{{title: nobody, expect: {{2024-01: none}}}}]
"""
BELOW_70 = "numerator: {value: {of: weight, below: 70}}"
MEAN = "measure_observation: {of: weight, from: 0, to: 300, step: 10}"


def light(scoring: str = "proportion", result: str = BELOW_70) -> Measure:
    """Return a definition that no hub has loaded."""
    shown = WEIGHT.format(scoring=scoring, result=result)
    (measure,) = parse_measures(shown, origin="light.yaml", shared=READ.value_sets)
    return measure


def at(month: int) -> dict[str, int]:
    return {"interval_start": month_number(2026, month)}


@pytest.fixture
async def network_of_two(hub: Hub, network: Network) -> Hub:
    """Alpha: two diabetics, one with an HbA1c of 9.5 in February. Beta: one without."""
    alpha, beta = network.ehr(), network.ehr("beta-ehr")
    await alpha.send(batch(*diabetic("a"), *diabetic("b")))
    await alpha.put(result("a", 9.5, day="2026-02-03", own_id="r"))
    await beta.send(batch(*diabetic("c")))
    return hub


async def test_a_preview_shows_each_clinics_share_and_the_last_three_years(
    network_of_two: Hub,
):
    """Before anything was counted: who could be scored, month by month."""
    shown = preview(network_of_two, HBA1C, interval=Interval.MONTH)

    assert len(shown.series) == 36
    assert shown.series[0] == Sums(
        interval_start=month_number(2024, 1),
        population=0,
        scored=0,
        denominator=0,
        numerator=0,
        value=None,
    )
    assert shown.series[24] == Sums(
        **at(1), population=3, scored=0, denominator=3, numerator=3, value=1.0
    )
    assert shown.series[25] == Sums(
        **at(2), population=3, scored=1, denominator=3, numerator=3, value=1.0
    )
    assert {code: (s.scored, s.population) for code, s in shown.clinics.items()} == {
        "alpha": (1, 2),
        "beta": (0, 1),
    }
    assert [sums.completeness for sums in shown.clinics.values()] == [0.5, 0.0]


async def test_a_preview_may_be_of_one_clinic_and_by_quarter(network_of_two: Hub):
    """A clinic that asks about itself is not shown with the others."""
    shown = preview(network_of_two, HBA1C, interval=Interval.QUARTER, clinic="beta")

    assert len(shown.series) == 12
    assert shown.series[8] == Sums(
        **at(1), population=1, scored=0, denominator=1, numerator=1, value=1.0
    )
    assert list(shown.clinics) == ["beta"]
    with pytest.raises(NotFoundError):
        preview(network_of_two, HBA1C, interval=Interval.MONTH, clinic="gamma")


async def test_a_preview_leaves_nothing_behind(network_of_two: Hub):
    """No row is other than before, and counting goes on as ever."""
    hub = network_of_two
    before = rows_of(hub.engine)

    preview(hub, light(), interval=Interval.MONTH)
    shown = preview(hub, HBA1C, interval=Interval.MONTH)

    assert rows_of(hub.engine) == before
    count(hub)
    with hub.engine.connect() as connection:
        known = "SELECT COUNT(*) FROM cell"
        assert connection.execute(text(known)).scalar_one() > 0
    assert preview(hub, HBA1C, interval=Interval.MONTH) == shown


async def test_a_preview_waits_for_no_writer(network_of_two: Hub):
    """It runs while deliveries come in: on SQLite only one may write at a time."""
    with write_session(network_of_two.engine) as session, ThreadPoolExecutor() as pool:
        session.connection().execute(text("UPDATE clinic SET name = 'held'"))
        shown = pool.submit(
            preview, network_of_two, HBA1C, interval=Interval.MONTH
        ).result(timeout=20)

    assert len(shown.series) == 36


@pytest.mark.parametrize(
    ("measure", "value"),
    [(light(), 0.5), (light("continuous-variable", MEAN), 74.02)],
    ids=["share", "mean"],
)
async def test_a_preview_reads_values_in_the_units_of_its_own_definition(
    hub: Hub, network: Network, measure: Measure, value: float
):
    """
    No loaded measure asks for weights, so they lie as they were sent.

    150 pounds are 68.04 kg, which is below 70, and (68.04 + 80) / 2 is 74.02.
    """
    ehr = network.ehr()
    weights = {"a": (150, "[lb_av]"), "b": (80, "kg")}
    for name, (weight, unit) in weights.items():
        coded = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
        about = {"subject": reference(f"Patient/{name}"), "code": coded}
        quantity = {"value": weight, "unit": unit, "system": UCUM, "code": unit}
        about["valueQuantity"] = quantity
        sent = lab(weight, day="2026-12-01", id=f"w-{name}", **about)
        await ehr.send(batch(put(patient(id=name)), put(sent)))

    before = rows_of(hub.engine)

    shown = preview(hub, measure, interval=Interval.MONTH)

    assert shown.series[-1].value == pytest.approx(value, abs=0.005)
    assert shown.series[-1].denominator == 2
    assert rows_of(hub.engine) == before, "others read what was sent"


async def test_a_preview_names_the_codes_that_were_not_kept_by_name(hub: Hub):
    """A code that no loaded measure has is stored as a keyed hash: it finds nothing."""
    own = WEIGHT.replace("loinc|29463-7", "network|own-weight")
    text_ = own.format(scoring="proportion", result=BELOW_70)
    (measure,) = parse_measures(text_, origin="x.yaml", shared=READ.value_sets)

    assert preview(hub, measure, interval=Interval.MONTH).unread == ("own-weight",)


async def test_summaries_have_no_preview(hub: Hub):
    """Clinics send them as they are; there are no people to count."""
    rate = """
id: rate
version: 1.0.0
title: Rate
description: Rate
basis: summaries
scoring: ratio
improvement_notation: decrease
value_sets: {falls: [network|falls], days: [network|days]}
summary: {events: falls, exposure: days, per: 1000}
sources: [tried]
"""
    (measure,) = parse_measures(rate, origin="rate.yaml", shared={})

    with pytest.raises(BusinessRuleError):
        preview(hub, measure, interval=Interval.MONTH)

"""Definitions and cells of every kind as FHIR has them, without a hub."""

import itertools
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.measure import Measure as R4Measure
from fhir.resources.R4B.measurereport import MeasureReport as R4Report
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import month_number
from app.domain.counts import Interval, ReleasedCell, Withheld
from app.fhir.measure_reports import Report, render_report
from app.fhir.measures import DefinedMeasure, render_measure
from app.fhir.report_ids import ReportId, parse_report_id
from app.fhir.report_questions import Place
from app.measures.libraries import parse_measures
from app.services.measure_resources import defined
from tests.reference.reports import deqm_faults, values
from tests.spec.test_explanations import MEAN, STATUS, SUMMARY

BASE = "https://hub.example/fhir"
OUT = "denominator_exclusion: {age: {below: 2}}\ndenominator_exception: {sex: male}\n"
WITH_BOTH = STATUS.replace("sources:", f"{OUT}sources:")
WITHOUT_OLD = MEAN.replace("sources:", "denominator_exclusion: {sex: other}\nsources:")
PROPORTION = SUMMARY.replace("scoring: ratio", "scoring: proportion").replace(
    ", per: 1000", ""
)
CQFM = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition"


def read(text: str) -> DefinedMeasure:
    (measure,) = parse_measures(text, origin="tried", shared={})
    return defined(measure)


def rendered(text: str) -> dict[str, Any]:
    definition = f"{BASE}/v1/measures/tried"
    resource = render_measure(read(text), base_url=BASE, definition=definition)
    R4Measure.model_validate(resource)
    return resource


def populations(resource: dict[str, Any]) -> dict[str, str]:
    """Return the part of the definition that each population is."""
    return {
        each["code"]["coding"][0]["code"]: each["criteria"]["expression"]
        for each in resource["group"][0]["population"]
    }


@pytest.mark.parametrize(
    ("text", "scoring", "stated"),
    [
        (
            WITH_BOTH,
            "proportion",
            {
                "initial-population": "initial_population",
                "denominator": "scorable",
                "denominator-exclusion": "denominator_exclusion",
                "numerator": "numerator",
                "denominator-exception": "denominator_exception",
            },
        ),
        (
            WITHOUT_OLD,
            "continuous-variable",
            {
                "initial-population": "initial_population",
                "measure-population": "scorable",
                "measure-population-exclusion": "denominator_exclusion",
                "measure-observation": "measure_observation",
            },
        ),
        (
            SUMMARY,
            "ratio",
            {
                "initial-population": "summary.exposure",
                "denominator": "summary.exposure",
                "numerator": "summary.events",
            },
        ),
    ],
)
def test_a_scoring_has_the_populations_that_it_allows(
    text: str, scoring: str, stated: dict[str, str]
):
    """CQFM, table 3-1: a ratio has no exception, a mean no denominator."""
    resource = rendered(text)

    assert resource["scoring"]["coding"][0]["code"] == scoring
    assert populations(resource) == stated


def test_a_mean_says_of_what_it_is():
    """The observation names the population it is made in, and what is made of it."""
    *_, observation = rendered(MEAN)["group"][0]["population"]

    assert values(observation, f"{CQFM}/cqfm-criteriaReference") == [
        "measure-population"
    ]
    assert values(observation, f"{CQFM}/cqfm-aggregateMethod") == ["average"]


def test_what_clinics_count_themselves_is_about_no_patient():
    """Line days have no people: the measure is not one of patients."""
    resource = rendered(SUMMARY)

    assert resource["subjectCodeableConcept"]["coding"][0]["code"] == "Location"
    assert values(resource, f"{CQFM}/cqfm-populationBasis") == ["Observation"]


def test_a_target_travels_with_its_citation():
    """An aim that nobody published would be no aim."""
    aim = 'target: {proportion: 0.8, citation: "PR-COIN"}\nsources:'
    resource = rendered(STATUS.replace("sources:", aim))

    (target,) = (e for e in resource["extension"] if e["url"].endswith("-target"))
    assert target["extension"] == [
        {"url": "value", "valueDecimal": 0.8},
        {"url": "citation", "valueString": "PR-COIN"},
    ]


def test_value_sets_are_named_with_their_versions():
    """A code that was added makes other numbers: the version says which."""
    measure = msgspec.structs.replace(
        read(STATUS), value_set_versions={"colitis": "1.2.0"}
    )

    resource = render_measure(measure, base_url=BASE, definition="x")

    url = "https://catchment.example/fhir/StructureDefinition/value-set-version"
    assert values(resource, url) == ["colitis|1.2.0"]


counts = st.none() | st.integers(0, 10**6)
cells = st.builds(
    ReleasedCell,
    clinic_id=st.none() | st.integers(1, 9),
    interval=st.sampled_from(Interval),
    interval_start=st.integers(2000, 2099).map(lambda year: month_number(year, 1)),
    population=counts,
    scored=counts,
    denominator=counts,
    numerator=counts,
    withheld=st.none() | st.sampled_from(Withheld),
    provisional=st.booleans(),
)


def report(text: str, cell: ReleasedCell, **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "id": "r1-m1-network-2024",
        "measure": read(text),
        "place": Place("alder-creek"),
        "place_name": None,
        "cell": cell,
        "strata": {},
        "as_of": 1_800_000_000_000,
        "release_id": 1,
        "audience": "members",
        "policy_digest": "p",
    }
    return render_report(Report(**(usual | changes)), base_url=BASE)


@given(cell=cells, strata=st.lists(cells, max_size=3))
def test_any_cell_makes_a_report_that_is_valid(
    cell: ReleasedCell, strata: list[ReleasedCell]
):
    """Whatever is withheld, R4's model takes it, and no count is left out."""
    named = {f"age:{n}": each for n, each in enumerate(strata)}
    for text in (STATUS, MEAN, SUMMARY):
        told = report(text, cell, strata={"age": named} if named else {})

        R4Report.model_validate(told)
        for group in (told["group"][0], *told["group"][0].get("stratifier", ())):
            for part in (group, *group.get("stratum", ())):
                for population in part.get("population", ()):
                    assert ("count" in population) != ("_count" in population)


@given(cell=cells)
def test_a_count_that_is_withheld_has_no_score(cell: ReleasedCell):
    """From a score and one count the other would follow."""
    told = report(STATUS, cell)["group"][0]

    is_told = cell.numerator is not None and bool(cell.denominator)
    assert ("measureScore" in told) == is_told


def test_a_rate_is_per_thousand():
    """CLABSI: 3 infections in 1,500 line days are 2 per 1,000; no DEQM proportion."""
    cell = _cell(numerator=3, denominator=1500)

    assert report(SUMMARY, cell)["group"][0]["measureScore"] == {"value": 2.0}
    assert report(PROPORTION, cell)["group"][0]["measureScore"] == {"value": 0.002}


def test_a_mean_is_no_share_of_anybody():
    """Counts alone give no mean: without it there is no score."""
    (group,) = report(MEAN, _cell(numerator=0, denominator=40))["group"]

    assert "measureScore" not in group
    assert [each["count"] for each in group["population"]] == [50, 40, 40]


def test_the_rules_of_deqm_can_be_broken():
    """The checker of the reports sees a report without its version, or its links."""
    good = report(STATUS, _cell(numerator=3, denominator=40))
    bad = [
        good | {"measure": "https://hub.example/fhir/Measure/tried"},
        good | {"period": {"start": "2024-01", "end": "2024-12"}},
        good | {"extension": []},
        good | {"group": [{**good["group"][0], "extension": []}]},
        good | {"group": [{**good["group"][0], "measureScore": {"value": 62}}]},
    ]

    assert list(deqm_faults(good)) == []
    assert all(list(deqm_faults(each)) for each in bad)


def _cell(*, numerator: int, denominator: int) -> ReleasedCell:
    return ReleasedCell(
        clinic_id=None,
        interval=Interval.YEAR,
        interval_start=month_number(2024, 1),
        population=50,
        scored=40,
        denominator=denominator,
        numerator=numerator,
    )


def test_an_id_fits_and_says_what_it_is_of():
    """64 characters at most, whatever the codes; each id is of one report alone."""
    ids = [
        ReportId(
            release_id=release,
            measure_number=measure,
            clinic_id=clinic,
            interval=interval,
            interval_start=month_number(2024, month),
        )
        for release, measure, clinic, (interval, month) in itertools.product(
            (None, 1, 999_999_999),
            (1, 999_999_999),
            (None, 1, 999_999_999),
            (
                (Interval.MONTH, 1),
                (Interval.MONTH, 12),
                (Interval.QUARTER, 1),
                (Interval.QUARTER, 10),
                (Interval.YEAR, 1),
            ),
        )
    ]
    texts = [each.text for each in ids]

    assert max(map(len, texts)) <= 64
    assert len(set(texts)) == len(texts)
    assert [parse_report_id(text) for text in texts] == ids


@pytest.mark.parametrize(
    "text",
    ["", "r1", "r0-m1-network-2024", "r1-m1-network-2024-13", "r1-m1-c0-2024", "x-y"],
)
def test_another_id_is_none_of_ours(text: str):
    """Nor is one of a month or a release that can not be."""
    assert parse_report_id(text) is None

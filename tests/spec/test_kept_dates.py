"""Which day an event keeps: the local one, without its time."""

import json
from datetime import date
from typing import Any

import pytest

from app.domain.calendar import day_number, month_number
from app.domain.errors import InvalidElementError
from app.domain.records import PartialDate, Precision
from tests.deidentification import (
    built_in,
    condition,
    deidentified,
    encounter,
    observation,
    patient,
    source,
)


def day(year: int, month: int, of_month: int) -> PartialDate:
    return PartialDate(day_number(date(year, month, of_month)), Precision.DAY)


def effective(text: str, **changes) -> Any:
    resource = observation(effectiveDateTime=text)
    return deidentified(resource, by=source(**changes)).content.effective


@pytest.mark.parametrize(
    ("text", "zone", "kept"),
    [
        ("2024-01-01T02:00:00Z", "America/New_York", day(2023, 12, 31)),
        ("2024-01-01T02:00:00.000+00:00", "America/New_York", day(2023, 12, 31)),
        ("2024-01-01T02:00:00-00:00", "America/New_York", day(2023, 12, 31)),
        ("2024-07-01T03:59:59Z", "America/New_York", day(2024, 6, 30)),
        ("2024-07-01T04:00:00Z", "America/New_York", day(2024, 7, 1)),
        ("2023-12-31T18:30:00Z", "Asia/Kolkata", day(2024, 1, 1)),
    ],
)
def test_an_instant_in_utc_is_cut_in_the_zone_of_its_source(text, zone, kept):
    """New York is 5 hours behind UTC in winter, 4 in summer; Kolkata 5:30 ahead."""
    assert effective(text, time_zone=zone) == kept


@pytest.mark.parametrize(
    "text", ["2023-12-31T23:30:00-05:00", "2023-12-31T00:10:00.5+10:00"]
)
def test_an_instant_with_an_offset_keeps_its_written_day(text: str):
    """It was local when it was written, wherever the source says that it is."""
    assert effective(text) == day(2023, 12, 31)


def test_a_source_that_pads_dates_keeps_the_day_of_midnight_utc():
    """Only midnight is padding; another time in UTC is still an instant."""
    midnight, early = "2024-01-01T00:00:00.000Z", "2024-01-01T00:00:01Z"

    assert effective(midnight, padded_dates=True) == day(2024, 1, 1)
    assert effective(midnight) == day(2023, 12, 31)
    assert effective(early, padded_dates=True) == day(2023, 12, 31)


def test_a_date_stays_a_date_with_its_precision():
    """2024-02 is not the first of February, and no zone moves it."""
    assert effective("2024-02-29") == day(2024, 2, 29)
    first = day(2024, 2, 1).day
    assert effective("2024-02") == PartialDate(first, Precision.MONTH)
    first = day(2024, 1, 1).day
    assert effective("2024") == PartialDate(first, Precision.YEAR)


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2023-13-01",
        "2024-01-01T25:00:00Z",
        "2024-01-01T10:00:00",
        "2024-01-01 10:00:00Z",
        "2024-01-01T10:00:00+0500",
        "01/02/2024",
        "2024-1-1",
        "2024-01-01\n",
        "\u0662\u0660\u0662\u0664",
        "1899-12-31",
        "2101-01-01",
        "2110-05-05T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "1900-01-01T02:00:00Z",
    ],
)
def test_a_date_that_can_t_be_meant_refuses_the_resource(text: str):
    """Unparseable, without offset, or of a year in which no patient has events."""
    with pytest.raises(InvalidElementError) as refusal:
        effective(text)

    assert refusal.value.expression == "Observation.effective.ofType(dateTime)"
    assert text not in refusal.value.message


@pytest.mark.parametrize(
    ("element", "path"),
    [
        (
            {"effectivePeriod": {"start": "2024-03-01", "end": "2024-03-09"}},
            "effective.ofType(Period).start",
        ),
        ({"effectiveInstant": "2024-03-01T12:00:00Z"}, "effective.ofType(instant)"),
        (
            {"effectiveTiming": {"event": ["2024-03-01", "2024-03-02"]}},
            "effective.ofType(Timing).event[0]",
        ),
    ],
)
def test_an_observation_is_of_the_day_on_which_it_began(element: dict, path: str):
    """A period counts by its start, a timing by its first event."""
    record = deidentified(observation(**element))

    assert record.content.effective == day(2024, 3, 1)
    broken = json.loads(json.dumps(element).replace("2024", "1024"))
    with pytest.raises(InvalidElementError) as refusal:
        deidentified(observation(**broken))
    assert refusal.value.expression == f"Observation.{path}"


def test_a_condition_keeps_when_it_began_ended_and_was_recorded():
    """Ages, ranges and words are not dates; they are dropped and counted."""
    record = deidentified(
        condition(
            onsetPeriod={"start": "2020-05"},
            abatementDateTime="2023-01-01T02:00:00Z",
            recordedDate="2020-06-01",
        )
    )
    unknown = deidentified(condition(onsetAge={"value": 92}, abatementString="June"))

    assert record.content.onset == PartialDate(day(2020, 5, 1).day, Precision.MONTH)
    assert record.content.abatement == day(2022, 12, 31)
    assert record.content.recorded == day(2020, 6, 1)
    assert (unknown.content.onset, unknown.content.abatement) == (None, None)
    assert unknown.dropped == (
        "Condition.abatement.ofType(string)",
        "Condition.onset.ofType(Age)",
    )


def test_years_are_cut_as_other_tools_cut_them(shared):
    """But by a day that the policy names, not by the clock of the machine."""
    vectors = json.loads((shared / "golden/deid/vectors/vectors.json").read_text())
    cases = [c for c in vectors["date_partial_redact"] if c["expected"]]
    years = built_in("safe_harbor")

    assert len(cases) > 3
    for case in cases:
        resource = observation(effectiveDateTime=case["input"])
        kept = deidentified(resource, under=years).content.effective
        assert kept == PartialDate(day(int(case["expected"]), 1, 1).day, Precision.YEAR)


@pytest.mark.parametrize(
    ("born", "kept"),
    [
        ("1985-03-17", 1985),
        ("1985", 1985),
        ("1941-01-01", 1941),
        ("1940-12-31", 1940),
        ("1925-02-07", 1940),
        ("1900-01-01", 1940),
    ],
)
def test_of_the_oldest_no_year_of_birth_is_kept(born: str, kept: int):
    """Who is 90 on the last day of 2030, or was before, was born in 1940 at most."""
    content = deidentified(patient(birthDate=born), under=built_in("safe_harbor"))

    assert content.content.birth_month == month_number(kept, 1)
    assert content.content.years_only


def test_deaths_are_kept_as_years_where_years_are():
    """And a year alone is enough there."""
    years = built_in("safe_harbor")

    for died in ("2024-03-01T02:00:00Z", "2024-12", "2024"):
        content = deidentified(patient(deceasedDateTime=died), under=years).content
        assert content.death_month == month_number(2024, 1)


def test_an_encounter_keeps_its_first_day():
    """The end of a stay would tell its length; nothing counts it."""
    period = {"start": "2024-03-01T08:00:00-05:00", "end": "2024-03-09"}

    record = deidentified(encounter(period=period))

    assert record.content.start == day(2024, 3, 1)
    assert record.dropped == ("Encounter.period.end",)


def test_births_and_deaths_are_kept_as_months():
    """The day of birth is never stored; a year alone is no month."""
    record = deidentified(
        patient(birthDate="1985-03-17", deceasedDateTime="2024-03-01T02:00:00Z")
    )
    vague = deidentified(patient(birthDate="1985", deceasedDateTime="2024"))

    assert record.content.birth_month == month_number(1985, 3)
    assert record.content.death_month == month_number(2024, 2)
    assert record.content.deceased is True
    assert vague.content.birth_month is None
    assert vague.content.death_month is None
    assert vague.content.deceased is True
    assert deidentified(patient(deceasedBoolean=False)).content.deceased is False

"""Kept content to whole numbers; every number is worked by hand or cited."""

from datetime import date

import pytest
from msgspec.structs import replace as replaced

from app.domain.calendar import day_number, month_number
from app.domain.records import (
    Component,
    Condition,
    Encounter,
    Observation,
    PartialDate,
    Precision,
    Quantity,
    Value,
)
from app.domain.terminology import ACT_CODE, ICD_10_CM, LOINC, NETWORK, Coding
from app.measures.definitions import MeasureDefinitionError
from app.measures.facts import (
    ConditionFact,
    canonical_units,
    condition_facts,
    ends_before_it_begins,
    observation_facts,
    visit_facts,
)
from tests.reference.library import LIBRARY

UNITS = canonical_units(LIBRARY.values())
HBA1C = Coding(LOINC, "4548-4")
HBA1C_IFCC = Coding(LOINC, "59261-8")
SYSTOLIC, DIASTOLIC = Coding(LOINC, "8480-6"), Coding(LOINC, "8462-4")
PANEL = Coding(LOINC, "85354-9")
PUCAI = Coding(NETWORK, "pucai-total")
UNMEASURED = Coding(LOINC, "2160-0")
K51 = Coding(ICD_10_CM, "K51.90")


def on(text: str, precision: Precision = Precision.DAY) -> PartialDate:
    """Return a date to a precision."""
    return PartialDate(day_number(date.fromisoformat(text)), precision)


def observed(
    code: Coding, value: str, unit: str | None = None, comparator: str | None = None
) -> Observation:
    """Return a final Observation of 10 March 2024."""
    quantity = Quantity(value, unit, comparator)
    return Observation(
        status="final",
        code=(code,),
        effective=on("2024-03-10"),
        value=Value(quantity=quantity),
    )


def value_of(observation: Observation) -> int | None:
    """Return the value of the one fact that *observation* gives."""
    (fact,) = observation_facts(observation, UNITS)
    return fact.value


def test_a_fact_has_the_day_the_month_and_thousandths():
    """10 March 2024 is day 19792; March 2024 is month 12 * 2024 + 2."""
    (fact,) = observation_facts(observed(HBA1C, "7.25", "%"), UNITS)

    assert (fact.concept, fact.part) == (HBA1C, 0)
    assert (fact.day, fact.month) == (19792, 24290)
    assert (fact.value, fact.value_coding) == (7250, None)


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        # NGSP = 0.09148 * IFCC + 2.152, ngsp.org: 48 mmol/mol are 6.54304 %.
        (HBA1C_IFCC, "48", "mmol/mol", 6543),
        (HBA1C, "48", "mmol/mol", 6543),
        (HBA1C_IFCC, "75", "mmol/mol", 9013),
        (HBA1C, "0.065", "1", None),
        (HBA1C, "7", None, None),
        (HBA1C, "7", "mg/dL", None),
        # One kilopascal is 7.50062 mmHg.
        (SYSTOLIC, "16", "kPa", 120_010),
        (SYSTOLIC, "120", None, None),
        (SYSTOLIC, "120", "mm[Hg]", 120_000),
        (PUCAI, "5", None, 5000),
        (PUCAI, "5", "1", 5000),
        (PUCAI, "5", "{score}", 5000),
        (PUCAI, "5", "{points}", 5000),
        (PUCAI, "5", "%", None),
        (PUCAI, "5", "mg", None),
        (UNMEASURED, "0.8", "mg/dL", 800),
        (UNMEASURED, "0.8", None, 800),
    ],
)
def test_a_value_is_converted_or_is_no_value(code, value, unit, expected):
    """48 mmol/mol HbA1c are 6.5 %, not 4.8 %, and 5 % of a score is no score."""
    assert value_of(observed(code, value, unit)) == expected


@pytest.mark.parametrize(
    ("value", "comparator", "expected"),
    [
        ("14", ">", 14_001),
        ("14", ">=", 14_000),
        ("9", ">", 9001),
        ("4", "<", 3999),
        ("4", "<=", 4000),
        ("4", "ad", None),
    ],
)
def test_a_value_beyond_a_limit_stands_just_beyond_it(value, comparator, expected):
    """``> 9`` is above 9, and would not be if the sign were dropped."""
    assert value_of(observed(HBA1C, value, "%", comparator)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.0005", 0),
        ("0.0015", 2),
        ("-1.5", -1500),
        ("0E-400", 0),
        ("1E+400", None),
        ("1E-400", None),
        ("NaN", None),
    ],
)
def test_a_value_is_rounded_half_to_even_and_never_absurd(value, expected):
    """An exponent of 400 is no measurement, and must not fill the memory."""
    assert value_of(observed(PUCAI, value)) == expected


def test_components_give_facts_of_their_own():
    """A blood pressure is two numbers under one panel."""
    panel = Observation(
        status="amended",
        code=(PANEL,),
        effective=on("2024-03-10"),
        components=(
            Component(
                code=(SYSTOLIC,), value=Value(quantity=Quantity("139", "mm[Hg]"))
            ),
            Component(
                code=(DIASTOLIC,), value=Value(quantity=Quantity("89", "mm[Hg]"))
            ),
        ),
    )

    facts = observation_facts(panel, UNITS)

    assert [(fact.concept, fact.part, fact.value) for fact in facts] == [
        (PANEL, 0, None),
        (SYSTOLIC, 1, 139_000),
        (DIASTOLIC, 2, 89_000),
    ]


def test_each_coding_of_a_record_gives_a_fact():
    """Whichever code a measure names, it finds the value."""
    local = Coding(NETWORK, "hba1c")
    observation = Observation(
        status="corrected",
        code=(HBA1C, local, HBA1C),
        effective=on("2024-03-10"),
        value=Value(quantity=Quantity("7", "%")),
    )

    facts = observation_facts(observation, UNITS)

    assert [(fact.concept, fact.value) for fact in facts] == [
        (HBA1C, 7000),
        (local, 7000),
    ]


def test_of_several_codings_of_an_answer_the_networks_own_counts():
    """The network's codes are those that definitions name; order means nothing."""
    own, other = Coding(NETWORK, "pga-quiescent"), Coding(LOINC, "LA1-1")
    for codings in ((own, other), (other, own)):
        observation = Observation(
            status="final",
            code=(Coding(NETWORK, "ibd-pga"),),
            effective=on("2024-03-10"),
            value=Value(codings=codings),
        )

        (fact,) = observation_facts(observation, UNITS)

        assert (fact.value, fact.value_coding) == (None, own)


@pytest.mark.parametrize(
    ("status", "effective"),
    [
        ("preliminary", on("2024-03-10")),
        ("entered-in-error", on("2024-03-10")),
        ("final", on("2024-03-01", Precision.MONTH)),
        ("final", None),
    ],
)
def test_what_is_not_final_or_has_no_day_gives_no_fact(status, effective):
    """A day is what look-backs and visits are reckoned from."""
    observation = Observation(status=status, code=(HBA1C,), effective=effective)

    assert observation_facts(observation, UNITS) == ()


MARCH, JUNE = month_number(2024, 3), month_number(2024, 6)
JANUARY_2024, JANUARY_2025 = month_number(2024, 1), month_number(2025, 1)
MAY_2024 = month_number(2024, 5)
MAY = on("2024-05-01", Precision.MONTH)
YEAR_2024 = on("2024-01-01", Precision.YEAR)


@pytest.mark.parametrize(
    ("stated", "span"),
    [
        ({"onset": on("2024-03-31")}, (MARCH, None)),
        ({"onset": on("2024-03-01"), "abatement": on("2024-06-30")}, (MARCH, JUNE)),
        ({"onset": on("2024-01-01", Precision.YEAR)}, (month_number(2024, 1), None)),
        ({"recorded": on("2024-03-05")}, (MARCH, None)),
        ({"onset": on("2024-03-05"), "recorded": on("2024-06-05")}, (MARCH, None)),
        ({}, (0, None)),
        ({"abatement": on("2024-06-30")}, (0, JUNE)),
        ({"onset": on("2024-03-01"), "clinical_status": "remission"}, (MARCH, None)),
        (
            {
                "onset": on("2024-03-01"),
                "recorded": on("2024-06-01"),
                "clinical_status": "resolved",
            },
            (MARCH, JUNE),
        ),
        ({"onset": on("2024-03-01"), "clinical_status": "inactive"}, None),
        ({"recorded": on("2024-03-01"), "clinical_status": "resolved"}, None),
        ({"onset": on("2024-03-01"), "abatement": on("2024-03-30")}, None),
        ({"onset": MAY, "abatement": YEAR_2024}, (MAY_2024, JANUARY_2025)),
        ({"onset": YEAR_2024, "abatement": YEAR_2024}, (JANUARY_2024, JANUARY_2025)),
        ({"abatement": YEAR_2024}, (0, JANUARY_2025)),
        ({"onset": MAY, "abatement": MAY}, None),
        ({"onset": on("2025-01-01"), "abatement": YEAR_2024}, None),
        ({"verification_status": "refuted"}, None),
        ({"verification_status": "entered-in-error"}, None),
        ({"verification_status": "provisional"}, (0, None)),
    ],
)
def test_a_condition_is_active_from_its_onset_until_its_end(stated, span):
    """Half-open in months: what ended in June is not active at the end of June."""
    facts = condition_facts(Condition(code=(K51,), **stated))

    expected = () if span is None else (fact_of(*span),)
    assert facts == expected


def fact_of(onset_month: int, abatement_month: int | None) -> ConditionFact:
    """Return the fact of a span."""
    return ConditionFact(
        concept=K51, onset_month=onset_month, abatement_month=abatement_month
    )


AMBULATORY = Coding(ACT_CODE, "AMB")


@pytest.mark.parametrize(
    ("onset", "abatement", "reversed_"),
    [
        (on("2024-03-20"), on("2024-03-19"), True),
        (on("2024-03-20"), on("2024-03-20"), False),
        (on("2024-03-20"), on("2024-03-01", Precision.MONTH), False),
        (on("2024-03-20"), on("2024-02-01", Precision.MONTH), True),
        (on("2024-03-20"), on("2024-01-01", Precision.YEAR), False),
        (on("2024-01-01", Precision.YEAR), on("2023-12-31"), True),
        (on("2024-01-01", Precision.YEAR), on("2024-01-01"), False),
        (None, on("2024-03-20"), False),
        (on("2024-03-20"), None, False),
    ],
)
def test_a_condition_is_reversed_only_where_its_dates_leave_no_doubt(
    onset, abatement, reversed_
):
    """A date to its month or year is the whole of it."""
    condition = Condition(code=(K51,), onset=onset, abatement=abatement)

    assert ends_before_it_begins(condition) is reversed_
    assert not (reversed_ and condition_facts(condition))


@pytest.mark.parametrize("status", ["arrived", "in-progress", "finished", "unknown"])
def test_a_visit_that_took_place_is_a_fact(status):
    """The class tells later whether it qualifies."""
    visit = Encounter(status=status, class_=AMBULATORY, start=on("2024-03-10"))

    (fact,) = visit_facts(visit)

    assert (fact.class_coding, fact.day, fact.month) == (AMBULATORY, 19792, MARCH)


@pytest.mark.parametrize(
    "visit",
    [
        Encounter(status="planned", class_=AMBULATORY, start=on("2024-03-10")),
        Encounter(status="cancelled", class_=AMBULATORY, start=on("2024-03-10")),
        Encounter(status="entered-in-error", class_=AMBULATORY, start=on("2024-03-10")),
        Encounter(status="finished", start=on("2024-03-10")),
        Encounter(status="finished", class_=AMBULATORY),
        Encounter(
            status="finished",
            class_=AMBULATORY,
            start=on("2024-03-01", Precision.MONTH),
        ),
    ],
)
def test_what_was_no_visit_or_has_no_day_gives_no_fact(visit):
    """A planned visit is not yet one."""
    assert visit_facts(visit) == ()


def test_two_definitions_cannot_want_one_code_in_two_units():
    """The number is stored once."""
    measure = LIBRARY["hba1c-poor-control"]
    observable = measure.observables["hba1c"]
    other = replaced(
        measure, observables={"hba1c": replaced(observable, unit="mmol/mol")}
    )

    with pytest.raises(MeasureDefinitionError, match="another unit"):
        canonical_units([measure, other])

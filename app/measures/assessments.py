"""SQL of values: one row for each day on which an observable or composite has one."""

from app.measures.definitions import (
    Component,
    Growth,
    Observable,
    Predicate,
    Sex,
    Tie,
    coding_of,
    thousandths,
)
from app.measures.growth import cut_offs
from app.measures.plans import (
    IN_QUESTION,
    SEX_NUMBERS,
    Plan,
    is_since_birth,
    listed,
    since_birth,
)
from app.measures.value_sets import expanded

_OPERATORS = {
    "below": "<",
    "at_most": "<=",
    "exactly": "=",
    "at_least": ">=",
    "above": ">",
}


_STAMP = 10**10
_HALF = _STAMP // 2
"""A day and a value in one whole number: the latest value is in the highest."""
LONG_AGO = 1_000_000
"""Days added to a day number, so that no day is negative."""


def assessed(plan: Plan, name: str) -> str:
    """
    Return the CTE ``assessed_n`` of an assessment: subject_id, day, month, found.

    ``found`` has bit 0 set, and a bit for each question that the day's values answer
    with yes. There is a ``value``, and one ``observed``, where something asks for it.
    """
    parts = plan.parts(name)
    observables = [plan.measure.observables[part] for part in parts]
    values = [f"{_reduced(plan, o)} AS part_{n}" for n, o in enumerate(observables, 1)]
    if observables[0].tie is Tie.MEAN:
        values.append("COUNT(value) AS weight")
    bits = [
        f"CASE WHEN {_answered(plan, question)} THEN {2**n} ELSE 0 END"
        for n, question in enumerate(plan.questions[name], 1)
        if question.change is None
    ]
    complete = " AND ".join(f"part_{n} IS NOT NULL" for n in range(1, 1 + len(parts)))
    days = f"""(
    SELECT subject_id, day, month,
      {", ".join(values)}
    FROM (
      {_readings(plan, name, observables)}
    ) r
    GROUP BY subject_id, day, month
  ) d"""
    composite = plan.measure.composites.get(name)
    if composite is not None and composite.within_days is not None:
        days = _carried(days, len(parts), composite.within_days)
    return f"""assessed_{plan.assessments[name]} AS (  -- {name}
  SELECT subject_id, day, month,
    {" + ".join(["1", *bits])} AS found{_numbers(plan, name)}
  FROM {days}{_charts(plan, name)}
  WHERE {complete}
)"""


def latest_answers(plan: Plan, observable: Observable, number: int) -> str:
    """Return the CTE ``answers_n``: on each day the rank of the answer, from 1."""
    return f"""answers_{number} AS (
  SELECT subject_id, day, month, 1 + {_reduced(plan, observable)} AS found
  FROM (
    SELECT o.subject_id, o.concept_id, {_value(plan, observable)} AS value,
      o.day, o.month
    FROM observation o {since_birth("o")}
    WHERE o.subject_id {IN_QUESTION} AND o.concept_id IN {plan.codes(observable.codes)}
  ) r
  WHERE value IS NOT NULL
  GROUP BY subject_id, day, month
)"""


def _numbers(plan: Plan, name: str) -> str:
    """Return the columns of an assessment's numbers, where something needs them."""
    columns = ""
    if any(question.change is not None for question in plan.questions[name]):
        columns += f", {_number(plan.parts(name), '')} AS value"
    stated = plan.measure.measure_observation
    if stated is not None and name == plan.observed:
        _, _, part = stated.of.partition(".")
        columns += f", {_number(plan.parts(name), part)} AS observed"
    return columns


def _carried(days: str, parts: int, within: int) -> str:
    """Return *days* with each part as it was last found *within* so many days."""
    columns = ",\n      ".join(
        f"MAX(CASE WHEN part_{n} > -{_HALF} AND part_{n} < {_HALF} THEN"
        f" (day + {LONG_AGO}) * {_STAMP} + part_{n} + {_HALF} END) OVER (PARTITION BY"
        f" subject_id ORDER BY day RANGE BETWEEN {within} PRECEDING AND CURRENT ROW)"
        f" % {_STAMP} - {_HALF} AS part_{n}"
        for n in range(1, 1 + parts)
    )
    return f"""(
    SELECT subject_id, day, month,
      {columns}
    FROM {days}
  ) d"""


def growth_tables(plan: Plan) -> list[str]:
    """Return the CTEs ``growth_k_n``: the least value for a z-score, by sex and age."""
    return [
        f"growth_{plan.assessments[name]}_{number} (sex, age, least) AS"
        f" (VALUES {_least_values(question.growth)})"
        for name, questions in plan.questions.items()
        for number, question in enumerate(questions, 1)
        if question.growth is not None
    ]


def _least_values(growth: Growth) -> str:
    """Return the rows of a growth chart's cut-offs."""
    _, z = growth.cut_off
    return ", ".join(
        f"({SEX_NUMBERS[Sex(sex)]}, {age}, {least})"
        for (sex, age), least in sorted(cut_offs(growth.table, z).items())
    )


def _charts(plan: Plan, name: str) -> str:
    """Return the joins with the growth charts that an assessment is compared with."""
    asked = [
        number
        for number, question in enumerate(plan.questions[name], 1)
        if question.growth is not None
    ]
    if not asked:
        return ""
    return "\n  JOIN subject p ON p.id = d.subject_id" + "".join(
        f"\n  LEFT JOIN growth_{plan.assessments[name]}_{n} g_{n}"
        f" ON g_{n}.sex = p.sex AND g_{n}.age = month - birth_month"
        for n in asked
    )


def _grown(plan: Plan, question: Predicate) -> str:
    """Return the SQL condition that a value reaches its growth chart's z-score."""
    assert question.growth is not None
    name = question.growth.of
    word, _ = question.growth.cut_off
    operator = ">=" if word == "at_least_z" else "<"
    number = 1 + plan.questions[name].index(question)
    value = _number(plan.parts(name), "")
    return f"{value} {operator} g_{number}.least"


def _readings(plan: Plan, name: str, observables: list[Observable]) -> str:
    """Return the select of an assessment's facts, each on the day it counts for."""
    codes = plan.measure.value_sets
    ids = expanded({c for o in observables for c in codes[o.codes]}, plan.concepts)
    facts = f"o.subject_id {IN_QUESTION} AND o.concept_id IN {listed(ids)}"
    value = f"{_value(plan, observables[0])} AS value"
    columns = f"SELECT o.subject_id, o.concept_id, {value}"
    if observables[0].tie is Tie.MEAN:
        # One record under two codes of the value set is one value of the mean.
        columns = f"SELECT DISTINCT o.subject_id, o.record_id, o.part, {value}"
    if not plan.of_visits and name in plan.measure.observables:
        return f"""{columns}, o.day, o.month
      FROM observation o {since_birth("o")}
      WHERE {facts}"""
    linked = " AND (o.encounter_id = 0 OR v.day IS NOT NULL)" if plan.of_visits else ""
    return f"""{columns},
        COALESCE(v.day, o.day) AS day, COALESCE(v.month, o.month) AS month
      FROM observation o {since_birth("o")}
      LEFT JOIN visit v ON v.record_id = o.encounter_id
        AND v.subject_id = o.subject_id AND v.class_concept_id IN {plan.visit_classes}
        AND {is_since_birth("v")}
      WHERE {facts}{linked}"""


def _value(plan: Plan, observable: Observable) -> str:
    """Return a fact's number: thousandths, or the rank of its answer."""
    if not observable.answers:
        return "o.value"
    ranks = [
        f"WHEN {plan.concepts[coding_of(answer)]} THEN {rank}"
        for rank, answer in enumerate(observable.answers)
        if coding_of(answer) in plan.concepts
    ]
    return f"CASE o.value_concept_id {' '.join(ranks) or 'WHEN -1 THEN 0'} END"


def _reduced(plan: Plan, observable: Observable) -> str:
    """Return the one value of a day; of a mean its sum, and the weight apart."""
    if observable.tie is Tie.MEAN:
        return "SUM(value)"
    function = "MIN" if observable.tie is Tie.LOWEST else "MAX"
    codes = plan.codes(observable.codes)
    return f"{function}(CASE WHEN concept_id IN {codes} THEN value END)"


def _answered(plan: Plan, question: Predicate) -> str:
    """Return the SQL condition that a day's values answer *question* with yes."""
    if question.answer is not None:
        answers = plan.measure.observables[question.answer.of].answers
        ranks = sorted(answers.index(code) for code in question.answer.among)
        return f"part_1 IN {listed(ranks)}"
    if question.growth is not None:
        return _grown(plan, question)
    assert question.value is not None
    name, _, part = question.value.of.partition(".")
    word, cut_off = question.value.cut_off
    bound = str(thousandths(cut_off))
    observable = plan.measure.observables.get(name)
    if observable is not None and observable.tie is Tie.MEAN:
        bound += " * weight"
    return f"{_number(plan.parts(name), part)} {_OPERATORS[word]} {bound}"


def _number(parts: dict[str, Component], part: str) -> str:
    """Return one part, or the sum of all parts, each capped."""
    columns = {name: f"part_{n}" for n, name in enumerate(parts, 1)}
    if part:
        return columns[part]
    return " + ".join(_capped(columns[one], parts[one].cap) for one in parts)


def _capped(column: str, cap: float | None) -> str:
    """Return *column*, or *cap* where it is more."""
    if cap is None:
        return column
    most = thousandths(cap)
    return f"CASE WHEN {column} > {most} THEN {most} ELSE {column} END"

"""SQL of values: one row for each day on which an observable or composite has one."""

from app.measures.definitions import (
    Component,
    Observable,
    Predicate,
    Tie,
    coding_of,
    thousandths,
)
from app.measures.plans import IN_SCOPE, Plan, expanded, listed

_OPERATORS = {
    "below": "<",
    "at_most": "<=",
    "exactly": "=",
    "at_least": ">=",
    "above": ">",
}


def assessed(plan: Plan, name: str) -> str:
    """
    Return the CTE ``assessed_n`` of an assessment: subject_id, day, month, found.

    ``found`` has bit 0 set, and a bit for each question that the day's values answer
    with yes.
    """
    parts = plan.parts(name)
    observables = [plan.measure.observables[part] for part in parts]
    values = [f"{_reduced(plan, o)} AS part_{n}" for n, o in enumerate(observables, 1)]
    if observables[0].tie is Tie.MEAN:
        values.append("COUNT(value) AS weight")
    bits = [
        f"CASE WHEN {_answered(plan, question)} THEN {2**n} ELSE 0 END"
        for n, question in enumerate(plan.questions[name], 1)
    ]
    complete = " AND ".join(f"part_{n} IS NOT NULL" for n in range(1, 1 + len(parts)))
    return f"""assessed_{plan.assessments[name]} AS (  -- {name}
  SELECT subject_id, day, month,
    {" + ".join(["1", *bits])} AS found
  FROM (
    SELECT subject_id, day, month,
      {", ".join(values)}
    FROM (
      {_readings(plan, name, observables)}
    ) r
    GROUP BY subject_id, day, month
  ) d
  WHERE {complete}
)"""


def _readings(plan: Plan, name: str, observables: list[Observable]) -> str:
    """Return the select of an assessment's facts, each on the day it counts for."""
    codes = plan.measure.value_sets
    ids = expanded({c for o in observables for c in codes[o.codes]}, plan.concepts)
    facts = f"o.subject_id {IN_SCOPE} AND o.concept_id IN {listed(ids)}"
    value = f"{_value(plan, observables[0])} AS value"
    columns = f"SELECT o.subject_id, o.concept_id, {value}"
    if observables[0].tie is Tie.MEAN:
        # One record under two codes of the value set is one value of the mean.
        columns = f"SELECT DISTINCT o.subject_id, o.record_id, o.part, {value}"
    if not plan.of_visits and name in plan.measure.observables:
        return f"""{columns}, o.day, o.month
      FROM observation o
      WHERE {facts}"""
    linked = " AND (o.encounter_id = 0 OR v.day IS NOT NULL)" if plan.of_visits else ""
    return f"""{columns},
        COALESCE(v.day, o.day) AS day, COALESCE(v.month, o.month) AS month
      FROM observation o
      LEFT JOIN visit v ON v.record_id = o.encounter_id
        AND v.subject_id = o.subject_id AND v.class_concept_id IN {plan.visit_classes}
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

"""SQL of months: in which each leaf begins and ceases to hold."""

from collections.abc import Iterable, Mapping

from app.domain.calendar import FOREVER, MONTHS_A_YEAR
from app.measures.definitions import Sex
from app.measures.plans import IN_SCOPE, Plan

SEX_NUMBERS = {Sex.MALE: 1, Sex.FEMALE: 2, Sex.OTHER: 3}
SIGNS = "(SELECT 1 AS sign UNION ALL SELECT -1) g"
"""Read once with a sign: a union of a table with itself costs a fifth more."""
_OF_SUBJECT = f"FROM subject WHERE id {IN_SCOPE}"
_OF_BORN = f"{_OF_SUBJECT} AND birth_month IS NOT NULL"


def summed_columns(plan: Plan) -> list[str]:
    """Return the columns of marks: adding them up by month tells what holds."""
    band = [] if plan.measure.stratifier is None else ["band"]
    leaves = [f"leaf_{number}" for number in plan.spans.values()]
    return ["alive", *band, *leaves, *([] if plan.of_visits else found_columns(plan))]


def found_columns(plan: Plan) -> list[str]:
    """Return the columns of what was found in each assessment."""
    return [f"found_{number}" for number in plan.assessments.values()]


def mark_tables(plan: Plan) -> list[str]:
    """
    Return the CTEs up to ``mark``: subject_id, month, and the change of each column.

    Spans are half-open: +1 in the first month, -1 in the month after.
    """
    spans = "\n  UNION ALL\n".join(_spans(plan))
    signed = ", ".join(f"{c} * g.sign AS {c}" for c in summed_columns(plan))
    changes = [
        _changes(plan, f"visit_{number}", f"leaf_{number}", leaf.seen_within_months)
        for leaf, number in plan.spans.items()
        if leaf.seen_within_months is not None
    ]
    window = plan.measure.look_back_months
    if window is not None:
        changes += [
            _changes(plan, f"assessed_{number}", f"found_{number}", window)
            for number in plan.assessments.values()
        ]
    marks = "\n  UNION ALL\n".join(
        [
            f"""  SELECT subject_id,
    CASE WHEN g.sign > 0 THEN first_month ELSE after_month END AS month, {signed}
  FROM span CROSS JOIN {SIGNS}
  WHERE first_month < after_month AND (g.sign > 0 OR after_month < {FOREVER})""",
            *changes,
        ]
    )
    return [*_visits(plan), f"span AS (\n{spans}\n)", f"mark AS (\n{marks}\n)"]


def _spans(plan: Plan) -> Iterable[str]:
    """Yield the selects of the spans that do not end for another to begin."""
    yield _lives(plan)
    if plan.measure.stratifier is not None:
        yield _birthdays(plan, plan.measure.stratifier.age_band)
    for leaf, number in plan.spans.items():
        column = {f"leaf_{number}": "1"}
        if leaf.condition is not None:
            ends = f"COALESCE(abatement_month, {FOREVER})"
            source = f"FROM condition WHERE subject_id {IN_SCOPE} AND concept_id IN "
            source += plan.codes(leaf.condition)
            yield _span(plan, "subject_id", "onset_month", ends, column, source)
        if leaf.age is not None:
            first, ends = _birthday(leaf.age.from_), _birthday(leaf.age.below)
            yield _span(plan, "id", first, ends, column, _OF_BORN)


def _lives(plan: Plan) -> str:
    """Return the span in which a person is there; what never changes rides along."""
    columns = {"alive": "1"}
    if plan.measure.stratifier is not None:
        unknown = len(plan.measure.stratifier.age_band) + 2
        columns["band"] = f"CASE WHEN birth_month IS NULL THEN {unknown} ELSE 1 END"
    for leaf, number in plan.spans.items():
        if leaf.sex is not None:
            is_so = f"CASE WHEN sex = {SEX_NUMBERS[leaf.sex]} THEN 1 ELSE 0 END"
            columns[f"leaf_{number}"] = is_so
    first, after = "COALESCE(birth_month, 0)", f"COALESCE(death_month, {FOREVER})"
    return _span(plan, "id", first, after, columns, _OF_SUBJECT)


def _birthdays(plan: Plan, bounds: tuple[int, ...]) -> str:
    """Return spans that begin where a person enters the next band, and never end."""
    ages = " UNION ALL ".join(f"SELECT {MONTHS_A_YEAR * age} AS age" for age in bounds)
    source = _OF_BORN.replace("WHERE", f"CROSS JOIN ({ages}) b WHERE")
    return _span(plan, "id", "birth_month + b.age", str(FOREVER), {"band": "1"}, source)


def _birthday(years: int | None) -> str:
    """Return the month in which a person turns *years*; None is never."""
    if years is None:
        return str(FOREVER)
    return f"birth_month + {MONTHS_A_YEAR * years}"


def _span(
    plan: Plan,
    subject: str,
    first: str,
    after: str,
    columns: Mapping[str, str],
    source: str,
) -> str:
    """Return one select of spans: its own columns, and 0 for all others."""
    return f"""  SELECT {subject} AS subject_id,
    {first} AS first_month, {after} AS after_month, {_filled(plan, columns)}
  {source}"""


def _filled(plan: Plan, columns: Mapping[str, str]) -> str:
    """Return all columns of marks, those that are not given as 0."""
    return ", ".join(f"{columns.get(c, '0')} AS {c}" for c in summed_columns(plan))


def _visits(plan: Plan) -> Iterable[str]:
    """Yield a CTE of the qualifying visits for each leaf that asks who was seen."""
    for leaf, number in plan.spans.items():
        if leaf.seen_within_months is not None:
            yield f"""visit_{number} AS (
  SELECT subject_id, day, month, 1 AS found
  FROM visit
  WHERE subject_id {IN_SCOPE} AND class_concept_id IN {plan.visit_classes}
)"""


def _changes(plan: Plan, table: str, column: str, months: int) -> str:
    """
    Return the marks of what is in force from its month for some *months*.

    What was found last replaces what was found before. So a row marks the difference,
    if there is any, and its own end only if nothing follows in time: a state that goes
    on leaves two marks, however often it is found.
    """
    order = "OVER (PARTITION BY subject_id ORDER BY day)"
    step = "CASE WHEN g.sign > 0 THEN step ELSE -found END"
    return f"""  SELECT subject_id,
    CASE WHEN g.sign > 0 THEN month ELSE month + {months} END AS month,
    {_filled(plan, {column: step})}
  FROM (
    SELECT subject_id, month, found,
      found - CASE WHEN LAG(month, 1, 0) {order} + {months} < month THEN 0
        ELSE LAG(found, 1, 0) {order} END AS step,
      LEAD(month, 1, {FOREVER}) {order} AS next_month
    FROM {table}
  ) c CROSS JOIN {SIGNS}
  WHERE (g.sign > 0 AND step <> 0)
    OR (g.sign < 0 AND month + {months} < next_month)"""

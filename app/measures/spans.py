"""SQL of months: in which each leaf begins and ceases to hold."""

from collections.abc import Iterable, Mapping

from app.domain.calendar import FOREVER, MONTHS_A_YEAR
from app.measures.assessments import latest_answers
from app.measures.checks import assessment_of
from app.measures.definitions import Sustained
from app.measures.plans import BY_DAY, IN_QUESTION, SEX_NUMBERS, Plan, since_birth

SIGNS = "(SELECT 1 AS sign UNION ALL SELECT -1) g"
"""Read once with a sign: a union of a table with itself costs a fifth more."""
_OF_SUBJECT = f"FROM subject WHERE id {IN_QUESTION}"
_OF_BORN = f"{_OF_SUBJECT} AND birth_month IS NOT NULL"


def summed_columns(plan: Plan) -> list[str]:
    """Return the columns of marks: adding them up by month tells what holds."""
    leaves = [f"leaf_{number}" for number in plan.spans.values()]
    carried = [*plan.found, *plan.values] if plan.of_status else []
    return ["alive", *plan.strata.values(), *leaves, *carried]


def mark_tables(plan: Plan) -> list[str]:
    """
    Return the CTEs up to ``mark``: subject_id, month, and the change of each column.

    Spans are half-open: +1 in the first month, -1 in the month after.
    """
    spans = "\n  UNION ALL\n".join(_spans(plan))
    signed = ", ".join(f"{c} * g.sign AS {c}" for c in summed_columns(plan))
    marks = "\n  UNION ALL\n".join(
        [
            f"""  SELECT subject_id,
    CASE WHEN g.sign > 0 THEN first_month ELSE after_month END AS month, {signed}
  FROM span CROSS JOIN {SIGNS}
  WHERE first_month < after_month AND (g.sign > 0 OR after_month < {FOREVER})""",
            *_all_changes(plan),
        ]
    )
    return [*_sources(plan), f"span AS (\n{spans}\n)", f"mark AS (\n{marks}\n)"]


def _spans(plan: Plan) -> Iterable[str]:
    """Yield the selects of the spans that do not end for another to begin."""
    yield _lives(plan)
    for name, column in plan.strata.items():
        bounds = plan.measure.stratifiers[name].age_band
        if bounds is not None:
            yield _birthdays(plan, column, bounds)
    for leaf, number in plan.spans.items():
        column_of_leaf = {f"leaf_{number}": "1"}
        if leaf.condition is not None:
            ends = f"COALESCE(abatement_month, {FOREVER})"
            source = f"FROM condition WHERE subject_id {IN_QUESTION} AND concept_id IN "
            source += plan.codes(leaf.condition)
            yield _span(plan, "subject_id", "onset_month", ends, column_of_leaf, source)
        if leaf.age is not None:
            first, ends = _birthday(leaf.age.from_), _birthday(leaf.age.below)
            yield _span(plan, "id", first, ends, column_of_leaf, _OF_BORN)


def _lives(plan: Plan) -> str:
    """Return the span in which a person is there; what never changes rides along."""
    columns = {"alive": "1"}
    for name, column in plan.strata.items():
        stratifier = plan.measure.stratifiers[name]
        if stratifier.age_band is not None:
            unknown = len(stratifier.age_band) + 1
            columns[column] = f"CASE WHEN birth_month IS NULL THEN {unknown} ELSE 0 END"
        if stratifier.sex is not None:
            columns[column] = f"COALESCE(sex, {len(SEX_NUMBERS) + 1}) - 1"
    for leaf, number in plan.spans.items():
        if leaf.sex is not None:
            is_so = f"CASE WHEN sex = {SEX_NUMBERS[leaf.sex]} THEN 1 ELSE 0 END"
            columns[f"leaf_{number}"] = is_so
    first, after = "COALESCE(birth_month, 0)", f"COALESCE(death_month, {FOREVER})"
    return _span(plan, "id", first, after, columns, _OF_SUBJECT)


def _birthdays(plan: Plan, column: str, bounds: tuple[int, ...]) -> str:
    """Return spans that begin where a person enters the next band, and never end."""
    ages = " UNION ALL ".join(f"SELECT {MONTHS_A_YEAR * age} AS age" for age in bounds)
    source = _OF_BORN.replace("WHERE", f"CROSS JOIN ({ages}) b WHERE")
    return _span(plan, "id", "birth_month + b.age", str(FOREVER), {column: "1"}, source)


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


def _sources(plan: Plan) -> Iterable[str]:
    """Yield the CTEs of what is in force for some months from its day."""
    for leaf, number in plan.spans.items():
        if leaf.seen_within_months is not None:
            yield f"""visit_{number} AS (
  SELECT subject_id, day, month, 1 AS found
  FROM visit v {since_birth("v")}
  WHERE subject_id {IN_QUESTION} AND class_concept_id IN {plan.visit_classes}
)"""
        if leaf.sustained is not None:
            yield from _sustained(plan, leaf.sustained, number)
    for number, stratifier in enumerate(plan.measure.stratifiers.values(), 1):
        if stratifier.answer is not None:
            observable = plan.measure.observables[stratifier.answer]
            yield latest_answers(plan, observable, number)


def _sustained(plan: Plan, sustained: Sustained, number: int) -> Iterable[str]:
    """
    Yield the CTEs up to ``sustained_n``: whether each assessment completes the months.

    An assessment goes on with the chain of the one before if both pass and the gap is
    allowed; any other begins a chain of its own.
    """
    name = assessment_of(sustained.status)
    assert name is not None
    passing = plan.answered(name, sustained.status, column="found")
    yield f"""passing_{number} AS (
  SELECT subject_id, day, month, CASE WHEN {passing} THEN 1 ELSE 0 END AS passing
  FROM assessed_{plan.assessments[name]}
)"""
    yield f"""chain_{number} AS (
  SELECT subject_id, day, month, passing, SUM(begins) {BY_DAY} AS chain
  FROM (
    SELECT subject_id, day, month, passing,
      CASE WHEN passing = 1 AND LAG(passing, 1, 0) {BY_DAY} = 1
        AND month - LAG(month, 1, 0) {BY_DAY} <= {sustained.gap_months}
        THEN 0 ELSE 1 END AS begins
    FROM passing_{number}
  ) b
)"""
    yield f"""sustained_{number} AS (
  SELECT subject_id, day, month,
    CASE WHEN passing = 1 AND month >= {sustained.for_months}
      + MIN(month) OVER (PARTITION BY subject_id, chain) THEN 1 ELSE 0 END AS found
  FROM chain_{number}
)"""


def _all_changes(plan: Plan) -> Iterable[str]:
    """Yield the marks of everything that is in force until the next of its kind."""
    for leaf, number in plan.spans.items():
        column = {f"leaf_{number}": "found"}
        if leaf.seen_within_months is not None:
            yield _changes(plan, f"visit_{number}", column, leaf.seen_within_months)
        if leaf.sustained is not None:
            months = leaf.sustained.gap_months
            yield _changes(plan, f"sustained_{number}", column, months)
    for number, (name, stratifier) in enumerate(plan.measure.stratifiers.items(), 1):
        if stratifier.answer is not None:
            column = {plan.strata[name]: "found"}
            yield _changes(plan, f"answers_{number}", column, FOREVER)
    window = plan.measure.look_back_months
    if window is None:
        return
    for name in plan.asked:
        number = plan.assessments[name]
        columns = {f"found_{number}": "found"}
        if name == plan.observed:
            columns["observed"] = "observed"
        yield _changes(plan, f"assessed_{number}", columns, window)


def _changes(plan: Plan, table: str, columns: Mapping[str, str], months: int) -> str:
    """
    Return the marks of what is in force from its month for some *months*.

    What was found last replaces what was found before. So a row marks the differences,
    if there are any, and its own end only if nothing follows in time: a state that goes
    on leaves two marks, however often it is found. *columns* are those of *table* by
    those of marks.
    """
    steps = ",\n      ".join(
        f"{found} - CASE WHEN LAG(month, 1, 0) {BY_DAY} + {months} < month THEN 0"
        f" ELSE LAG({found}, 1, 0) {BY_DAY} END AS step_{found}"
        for found in columns.values()
    )
    marked = {
        column: f"CASE WHEN g.sign > 0 THEN step_{found} ELSE -{found} END"
        for column, found in columns.items()
    }
    changed = " OR ".join(f"step_{found} <> 0" for found in columns.values())
    return f"""  SELECT subject_id,
    CASE WHEN g.sign > 0 THEN month ELSE month + {months} END AS month,
    {_filled(plan, marked)}
  FROM (
    SELECT subject_id, month, {", ".join(columns.values())},
      {steps},
      LEAD(month, 1, {FOREVER}) {BY_DAY} AS next_month
    FROM {table}
  ) c CROSS JOIN {SIGNS}
  WHERE (g.sign > 0 AND ({changed}))
    OR (g.sign < 0 AND month + {months} < next_month)"""

"""
A definition -> one SQL text that counts it by difference events.

The text runs unchanged on SQLite, PostgreSQL and DuckDB. It has no parameter, no
division, no date function and no cast of a boolean. It reads the subjects in ``scope``
and returns what each adds to the cells::

    subject_id, grain, stratum, month, population, scored, denominator, numerator

A count in a month is the running sum of its column up to that month, within one grain
and stratum. Rows that add nothing are left out. Stratum is 0 without a stratifier,
else the position of the age band from 1, an unknown age coming last; the total is the
sum over strata.

What it counts, exactly. Months and days are whole numbers; spans are half-open.

*Who is there.* From the birth month (if known) until the death month, which does not
count any more. Facts dated before birth are not looked for: nobody is counted then.

*Condition*: active in [onset month, abatement month). *Age*: ``from`` a and ``below`` b
hold in [birth month + 12 a, birth month + 12 b), which is exact on a month's last day;
never with an unknown birth month. *Seen within W months*: [month, month + W) of each
qualifying visit, that is, one whose class is among the definition's.

*Values.* A fact without a usable value is no fact. Those of one day are reduced to one
by the observable's tie rule, which knows no order. The components of a composite
belong to one day: that of the qualifying visit each names, else its own. A composite
exists on the days that have them all; a component is capped in the sum only.

*Latest status*, grain 1: month m counts a person if the predicates hold on its last
day. A value is in force from its day until the next one of the same kind, and in
[its month, its month + look-back) at most. A quarter or a year is its last month.

*Visits*, grains 1, 3 and 12 months: the qualifying visits of one day are one. A value
was found there if it names one of them as its encounter, or names no encounter and has
their day; values of other encounters never count. Conditions and age are those of the
visit's month. An interval counts a person once: in the population with any visit there
that is, scored and in the denominator likewise, and in the numerator if the last visit
in the denominator is; under the age band of the last visit in the population. The
events are +1 at the interval's first month and -1 at the next interval's.
"""

from collections.abc import Mapping

from app.domain.calendar import FOREVER
from app.domain.terminology import Coding
from app.measures.assessments import assessed
from app.measures.definitions import Measure
from app.measures.plans import IN_SCOPE, Plan, planned
from app.measures.spans import SIGNS, found_columns, mark_tables, summed_columns

_COUNTS = ("population", "scored", "denominator", "numerator")
_BY_MONTH = "OVER (PARTITION BY subject_id ORDER BY month)"
"""The default frame is RANGE: rows of one month share their sums. Never ROWS here."""


def compile_measure(measure: Measure, concepts: Mapping[Coding, int]) -> str:
    """
    Return the SQL that counts *measure*, for the concepts known at the moment.

    Args:
        measure: A checked definition.
        concepts: Every coding the database knows, with its id.
    """
    plan = planned(measure, concepts)
    tables = [assessed(plan, name) for name in plan.assessments]
    tables += mark_tables(plan)
    tables += _visit_members(plan) if plan.of_visits else _status_members(plan)
    return "WITH\n" + ",\n".join(tables) + "\n" + _events()


def _status_members(plan: Plan) -> list[str]:
    """Return the CTEs up to ``member`` for latest status: who is in when."""
    return [
        f"""state AS (
  SELECT subject_id, month, LEAD(month, 1, {FOREVER}) {_BY_MONTH} AS next_month,
    {_sums(plan)}
  FROM mark
)""",
        f"""member AS (
  SELECT subject_id, 1 AS grain, {_stratum(plan)} AS stratum, month, next_month,
    {_counts(plan)}
  FROM state
  WHERE month < next_month AND {_in_population(plan)}
)""",
    ]


def _visit_members(plan: Plan) -> list[str]:
    """Return the CTEs up to ``member`` for visits: who is in which interval."""
    found = found_columns(plan)
    return [
        f"""occasion AS (
  SELECT o.subject_id, o.month{_each(", COALESCE(a_{0}.found, 0) AS {0}", found)}, o.day
  FROM visit o{_assessments_of_day(plan)}
  WHERE o.subject_id {IN_SCOPE} AND o.class_concept_id IN {plan.visit_classes}
)""",
        # Marks have no day; the day of a visit may be any number.
        f"""state AS (
  SELECT subject_id, month, visits, day{_each(", {}", found)},
    {_sums(plan)}
  FROM (
    SELECT subject_id, month, 0 AS visits, 0 AS day{_each(", 0 AS {}", found)},
      {", ".join(summed_columns(plan))}
    FROM mark
    UNION ALL
    SELECT subject_id, month, 1, day{_each(", {}", found)},
      {", ".join("0" for _ in summed_columns(plan))}
    FROM occasion
  ) m
)""",
        f"""unit AS (
  SELECT subject_id, month, day, {_stratum(plan)} AS stratum,
    {_counts(plan)}
  FROM state
  WHERE visits = 1 AND {_in_population(plan)}
)""",
        # A person's band only rises, so the highest is that of the last visit. The
        # last visit in the denominator meets the numerator if no later one does not.
        """member AS (
  SELECT subject_id, g.grain, MAX(stratum) AS stratum,
    month - month % g.grain AS month, month - month % g.grain + g.grain AS next_month,
    1 AS population, MAX(scored) AS scored, MAX(denominator) AS denominator,
    CASE WHEN MAX(CASE WHEN numerator = 1 THEN day END)
      = MAX(CASE WHEN denominator = 1 THEN day END) THEN 1 ELSE 0 END AS numerator
  FROM unit
  CROSS JOIN (SELECT 1 AS grain UNION ALL SELECT 3 UNION ALL SELECT 12) g
  GROUP BY subject_id, g.grain, month - month % g.grain
)""",
    ]


def _assessments_of_day(plan: Plan) -> str:
    """Return the joins of a day's visits with what was found there."""
    return "".join(
        f"\n  LEFT JOIN assessed_{n} a_found_{n}"
        f" ON a_found_{n}.subject_id = o.subject_id AND a_found_{n}.day = o.day"
        for n in plan.assessments.values()
    )


def _each(template: str, columns: list[str]) -> str:
    """Return *template* filled with each of *columns*."""
    return "".join(template.format(column) for column in columns)


def _sums(plan: Plan) -> str:
    """Return what holds after each mark: the running sums of all changes."""
    return ", ".join(f"SUM({c}) {_BY_MONTH} AS {c}" for c in summed_columns(plan))


def _stratum(plan: Plan) -> str:
    """Return the expression of the stratum."""
    return "0" if plan.measure.stratifier is None else "band"


def _in_population(plan: Plan) -> str:
    """Return the condition of being counted at all."""
    counted = f"alive > 0 AND {plan.condition(plan.measure.initial_population)}"
    if plan.measure.denominator_exclusion is None:
        return counted
    return f"{counted} AND NOT {plan.condition(plan.measure.denominator_exclusion)}"


def _counts(plan: Plan) -> str:
    """Return the four counts, 0 or 1 each, of someone in the population."""
    scored = plan.condition(plan.measure.scorable)
    numerator = plan.condition(plan.measure.numerator)
    denominator = "1"
    if plan.measure.denominator == "scorable":
        denominator = f"CASE WHEN {scored} THEN 1 ELSE 0 END"
        numerator = f"{scored} AND {numerator}"
    return f"""1 AS population,
    CASE WHEN {scored} THEN 1 ELSE 0 END AS scored,
    {denominator} AS denominator,
    CASE WHEN {numerator} THEN 1 ELSE 0 END AS numerator"""


def _events() -> str:
    """Return the final select: each member's ends as events, summed and cast."""
    sums = ",\n  ".join(f"CAST(SUM({count}) AS BIGINT) AS {count}" for count in _COUNTS)
    signed = ", ".join(f"{count} * g.sign AS {count}" for count in _COUNTS)
    some = " OR ".join(f"SUM({count}) <> 0" for count in _COUNTS)
    return f"""SELECT subject_id, grain, CAST(stratum AS INTEGER) AS stratum, month,
  {sums}
FROM (
  SELECT subject_id, m.grain, stratum,
    CASE WHEN g.sign > 0 THEN month ELSE next_month END AS month, {signed}
  FROM member m CROSS JOIN {SIGNS}
) event
WHERE month < {FOREVER}
GROUP BY subject_id, grain, stratum, month
HAVING {some}
"""

"""SQL of index events, and of what was found in the window of each."""

from functools import cache

from app.domain.calendar import first_day, month_number
from app.measures.checks import assessment_of
from app.measures.definitions import Measure, Predicate, Window, thousandths
from app.measures.plans import BY_DAY, IN_QUESTION, Plan, since_birth

_DAYS_A_MONTH = 31
"""Makes a day of a month that an onset is known to: only their order matters."""
_FEWEST_LEAP_DAYS = range(month_number(2092, 1), month_number(2104, 1))
"""Months around a year 2100 without a leap day: nowhere are some in a row shorter."""
_TIMES = 1000


def months_to_report(measure: Measure) -> int:
    """
    Return how many months after its own an index event counts; 0 for other bases.

    It is the month in which the window is over for certain, whatever the calendar:
    from the last day of any month, no other number so small reaches so far.
    """
    window = measure.window
    if window is None:
        return 0
    if not window.in_days:
        return max(window.to_months or 0, 0)
    days = window.to_days or 0
    months = 0
    while _fewest_days(months) < days:
        months += 1
    return months


@cache
def _fewest_days(months: int) -> int:
    """Return the days of the shortest *months* in a row."""
    return min(
        (first_day(start + months) - first_day(start)).days
        for start in _FEWEST_LEAP_DAYS
    )


def index_tables(plan: Plan) -> list[str]:
    """Return the CTEs up to ``occasion``: each event, with what its window holds."""
    report = months_to_report(plan.measure)
    columns, joins = plan.found_of("window", occasion="e", day="index_day")
    return [
        _events(plan),
        *(_in_window(plan, name) for name in plan.asked),
        f"""occasion AS (
  SELECT e.subject_id, e.month, e.day{columns}
  FROM index_event e JOIN subject p ON p.id = e.subject_id{joins}
  WHERE p.death_month IS NULL OR p.death_month > e.month + {report}
)""",
    ]


def _events(plan: Plan) -> str:
    """Return the CTE ``index_event``: subject_id, day, month, and its value."""
    index = plan.measure.index
    assert index is not None
    months = index.first_in_months
    none_before = f"LAG(month) {BY_DAY} IS NULL"
    if months is not None:
        none_before = f"LAG(month, 1, -{months}) {BY_DAY} + {months} <= month"
    return f"""index_event AS (
  SELECT subject_id, day, month, baseline
  FROM (
    SELECT subject_id, day, month, baseline,
      CASE WHEN {none_before} THEN 1 ELSE 0 END AS is_first
    FROM ({_candidates(plan)}) c
  ) f
  WHERE is_first = 1
)"""


def _candidates(plan: Plan) -> str:
    """Return the select of all days that are what the index says, once each."""
    index = plan.measure.index
    assert index is not None
    if index.visit is not None:
        return f"""
      SELECT DISTINCT subject_id, day, month, 0 AS baseline
      FROM visit v {since_birth("v")}
      WHERE subject_id {IN_QUESTION} AND class_concept_id IN {plan.visit_classes}
    """
    if index.condition is not None:
        return f"""
      SELECT DISTINCT subject_id, onset_month * {_DAYS_A_MONTH} AS day,
        onset_month AS month, 0 AS baseline
      FROM condition
      WHERE subject_id {IN_QUESTION} AND onset_month > 0
        AND concept_id IN {plan.codes(index.condition)}
    """
    status = index.status
    assert status is not None
    name = assessment_of(status)
    assert name is not None
    baseline = "value" if _changes(plan, name) else "0"
    return f"""
      SELECT subject_id, day, month, {baseline} AS baseline
      FROM assessed_{plan.assessments[name]}
      WHERE {plan.answered(name, status, column="found")}
    """


def _in_window(plan: Plan, name: str) -> str:
    """Return the CTE ``window_n``: what was last found in each event's window."""
    number = plan.assessments[name]
    bits = "".join(
        f" + CASE WHEN {_changed(change)} THEN {bit} ELSE 0 END"
        for bit, change in _changes(plan, name)
    )
    observed = ", observed" if name == plan.observed else ""
    return f"""window_{number} AS (
  SELECT subject_id, index_day, found{observed}
  FROM (
    SELECT e.subject_id, e.day AS index_day, a.found{bits} AS found{observed},
      LEAD(a.day) OVER (PARTITION BY e.subject_id, e.day ORDER BY a.day) AS later
    FROM index_event e JOIN assessed_{number} a ON a.subject_id = e.subject_id
      AND {_within(plan.measure.window)}
  ) w
  WHERE later IS NULL
)"""


def _within(window: Window | None) -> str:
    """Return the condition that an assessment is in an event's window."""
    assert window is not None
    unit = "day" if window.in_days else "month"
    first = window.from_days if window.in_days else window.from_months
    last = window.to_days if window.in_days else window.to_months
    return f"a.{unit} >= e.{unit} + ({first}) AND a.{unit} <= e.{unit} + ({last})"


def _changes(plan: Plan, name: str) -> list[tuple[int, Predicate]]:
    """Return the questions about a change since the event, each with its bit."""
    return [
        (2**number, question)
        for number, question in enumerate(plan.questions[name], 1)
        if question.change is not None
    ]


def _changed(question: Predicate) -> str:
    """Return the SQL condition that a value has changed so since the baseline."""
    assert question.change is not None
    word, cut_off = question.change.cut_off
    number = thousandths(cut_off)
    if word == "at_most_times":
        return f"a.value * {_TIMES} <= e.baseline * {number}"
    operator = {"below": "<", "at_most": "<=", "at_least": ">=", "above": ">"}[word]
    return f"a.value - e.baseline {operator} {number}"

"""
A definition -> one SQL text that counts it by difference events.

The text runs unchanged on SQLite, PostgreSQL, DuckDB and Spark. It has no parameter, no
division, no date function and no cast of a boolean. It reads the subjects in ``scope``
and returns what each adds to the cells::

    subject_id, grain, stratum, bin, month, population, excluded, excepted, scored,
    denominator, numerator, value_sum, value_squares

A count in a month is the running sum of its column up to that month, within one grain,
stratum and bin. Rows that add nothing are left out. Stratum is the number of a
combination of strata (``app.measures.strata``); the total is the sum over all of them.
Bin is what else is known of a value: from 0 the thousandths by which its bin of the
histogram begins above the grid's first; below 0 what someone in the population lacks to
be scored. Of the components, bit i of -bin says that the ith, from 0, was not found;
the bit after the last that all were, but not together, or that another thing lacks.

What it counts, exactly. Months and days are whole numbers; spans are half-open.

*Who is there.* From the birth month (if known) until the death month, which does not
count any more. Values and visits dated before the birth month are no facts.

*Condition*: active in [onset month, abatement month). *Age*: ``from`` a and ``below`` b
hold in [birth month + 12 a, birth month + 12 b), which is exact on a month's last day;
never with an unknown birth month. *Seen within W months*: [month, month + W) of each
qualifying visit, that is, one whose class is among the definition's.

*Values.* A fact without a usable value is no fact. Those of one day are reduced to one
by the observable's tie rule, which knows no order. The components of a composite
belong to one day: that of the qualifying visit each names, else its own. A composite
exists on the days that have them all; a component is capped in the sum only. With
``within_days`` d it exists on each day that has any of them, if the others were found
in the d days before; each counts with its latest value.

*Sustained* for N months with gaps of G: an assessment passes if the status holds. Each
passing one goes on with the chain of the one before, if that passed too and their
months differ by G or less. The status is sustained from an assessment on whose month
is N or more after that of the first in its chain, until the next that does not pass,
and for G months at most after the last. *Growth*: a value against the one that has the
z-score at its sex and completed months of age, compared in thousandths.

*Who counts as what.* The population is the initial population without the exclusions,
who are counted apart. Those of it whom ``scorable`` holds for are scored. Those who are
to be in the denominator (the scored, or all) are in the numerator if they meet it, and
else taken out as exceptions if they are. So the denominator is without exclusions and
exceptions, which FHIR's is with. A value of a continuous variable beyond its grid
counts as the grid's end.

*Latest status*, grain 1: month m counts a person if the predicates hold on its last
day. A value is in force from its day until the next one of the same kind, and in
[its month, its month + look-back) at most. A quarter or a year is its last month.

*Visits*, grains 1, 3 and 12 months: the qualifying visits of one day are one. A value
was found there if it names one of them as its encounter, or names no encounter and has
their day; values of other encounters never count. Conditions and age are those of the
visit's month. An interval counts a person once: in the population with any visit there
that is, scored likewise, and as what the last visit is that is to be in the
denominator; under the stratum of the last visit in the population. The events are +1 at
the interval's first month and -1 at the next interval's.

*Index events* are counted like visits. An event is a day (of a condition, a month) that
is what ``index`` says, and that has none before it, or none in ``first_in_months``. Its
values are the last in its window. It counts in the month in which the window is over at
the latest, if the person is alive then; conditions and age are those of the event's
month.
"""

from collections.abc import Iterable, Mapping, Sequence

from app.domain.calendar import FOREVER
from app.domain.counts import COUNTS
from app.domain.terminology import Coding
from app.measures.assessments import LONG_AGO, assessed, growth_tables
from app.measures.definitions import Measure, thousandths
from app.measures.indexes import index_tables, months_to_report
from app.measures.plans import IN_QUESTION, Plan, candidates, planned
from app.measures.spans import SIGNS, mark_tables, summed_columns
from app.measures.strata import strata_of

_BY_MONTH = "OVER (PARTITION BY subject_id ORDER BY month)"
"""The default frame is RANGE: rows of one month share their sums. Never ROWS here."""
_OUTCOMES = 4
_MOST_STRATA = 100_000
_MOST_OBSERVED = 10_000_000
"""More than any outcome, stratum or value above its grid's first; see `_of_last`."""


def compile_measure(measure: Measure, concepts: Mapping[Coding, int]) -> str:
    """
    Return the SQL that counts *measure*, for the concepts known at the moment.

    Args:
        measure: A checked definition that counts people.
        concepts: Every coding the database knows, with its id.
    """
    plan = planned(measure, concepts)
    tables = [candidates(plan), *growth_tables(plan)]
    tables += [assessed(plan, name) for name in plan.assessments]
    tables += mark_tables(plan)
    tables += _status_members(plan) if plan.of_status else _occasion_members(plan)
    return "WITH\n" + ",\n".join(tables) + "\n" + _events(plan)


def _status_members(plan: Plan) -> list[str]:
    """Return the CTEs up to ``member`` for latest status: who is in when."""
    parts = [f"CASE WHEN {has} THEN 1 ELSE 0 END AS {part}" for part, has in _has(plan)]
    return [
        f"""state AS (
  SELECT subject_id, month, LEAD(month, 1, {FOREVER}) {_BY_MONTH} AS next_month,
    {_sums(plan)}
  FROM mark
)""",
        f"""judged AS (
  SELECT subject_id, 1 AS grain, month, next_month,
    {", ".join([*_judgement(plan), *parts])}
  FROM state
  WHERE month < next_month AND {_is_counted(plan)}
)""",
        f"""placed AS (
  SELECT subject_id, grain, month, next_month, stratum, 1 - excluded AS population,
    excluded, {_outcome(plan)}{_each(", {}", [*plan.values, *_parts(plan)])}
  FROM judged
)""",
        _members(plan),
    ]


def _occasion_members(plan: Plan) -> list[str]:
    """Return the CTEs up to ``member`` for visits and index events: by interval."""
    found = [*plan.found, *plan.values]
    sources = [_visits(plan)] if plan.of_visits else index_tables(plan)
    report = months_to_report(plan.measure)
    parts = [
        f"MAX(CASE WHEN excluded = 0 AND {has} THEN 1 ELSE 0 END) AS {part}"
        for part, has in _has(plan)
    ]
    last = [
        f"{_of_last(column, most, where)} AS {column}"
        for column, most, where in (
            ("outcome", _OUTCOMES, "outcome > 0"),
            *((value, _MOST_OBSERVED, "outcome > 0") for value in plan.values),
        )
    ]
    return [
        *sources,
        # Marks have no day; the day of an occasion may be any number.
        f"""state AS (
  SELECT subject_id, month, occasions, day{_each(", {}", found)},
    {_sums(plan)}
  FROM (
    SELECT subject_id, month, 0 AS occasions, 0 AS day{_each(", 0 AS {}", found)},
      {", ".join(summed_columns(plan))}
    FROM mark
    UNION ALL
    SELECT subject_id, month, 1, day{_each(", {}", found)},
      {", ".join("0" for _ in summed_columns(plan))}
    FROM occasion
  ) m
)""",
        f"""judged AS (
  SELECT subject_id, month + {report} AS month, day,
    {", ".join([*_judgement(plan), *plan.found])}
  FROM state
  WHERE occasions = 1 AND {_is_counted(plan)}
)""",
        f"""unit AS (
  SELECT subject_id, month, day, stratum, excluded,
    {_outcome(plan)}{_each(", {}", found)}
  FROM judged
)""",
        f"""placed AS (
  SELECT subject_id, g.grain,
    month - month % g.grain AS month, month - month % g.grain + g.grain AS next_month,
    CASE WHEN MIN(excluded) = 0 THEN {_of_last("stratum", _MOST_STRATA, "excluded = 0")}
      ELSE {_of_last("stratum", _MOST_STRATA, "excluded = 1")} END AS stratum,
    1 - MIN(excluded) AS population, MIN(excluded) AS excluded,
    MAX(scored) AS scored, {", ".join([*last, *parts])}
  FROM unit
  CROSS JOIN (SELECT 1 AS grain UNION ALL SELECT 3 UNION ALL SELECT 12) g
  GROUP BY subject_id, g.grain, month - month % g.grain
)""",
        _members(plan),
    ]


def _visits(plan: Plan) -> str:
    """Return the CTE ``occasion``: the qualifying visits, with what was found there."""
    columns, joins = plan.found_of("assessed", occasion="o", day="day")
    return f"""occasion AS (
  SELECT o.subject_id, o.month, o.day{columns}
  FROM visit o{joins}
  WHERE o.subject_id {IN_QUESTION} AND o.class_concept_id IN {plan.visit_classes}
)"""


def _members(plan: Plan) -> str:
    """Return the CTE ``member``: each span of months in which someone counts alike."""
    columns = {
        "population": "population",
        "excluded": "excluded",
        "excepted": "CASE WHEN outcome = 2 THEN 1 ELSE 0 END",
        "scored": "scored",
        "denominator": "CASE WHEN outcome IN (1, 3) THEN 1 ELSE 0 END",
        "numerator": "CASE WHEN outcome = 3 THEN 1 ELSE 0 END",
        "value_sum": f"scored * {_observed(plan)}",
        "value_squares": f"scored * {_observed(plan)} * {_observed(plan)}",
    }
    counts = ",\n    ".join(f"{columns[name]} AS {name}" for name in _live(plan))
    return f"""member AS (
  SELECT subject_id, grain, stratum, {_bin(plan)} AS bin, month, next_month,
    {counts}
  FROM placed
)"""


def _judgement(plan: Plan) -> list[str]:
    """Return the columns of what someone counted is, 0 or 1 each, and their stratum."""
    return [
        f"{_stratum(plan)} AS stratum",
        f"{plan.flag('denominator_exclusion')} AS excluded",
        f"{plan.flag('scorable')} AS scorable",
        f"{plan.flag('numerator')} AS met",
        f"{plan.flag('denominator_exception')} AS excused",
        *(f"{_above_first(plan)} AS {value}" for value in plan.values),
    ]


def _is_counted(plan: Plan) -> str:
    """Return the condition of being in the initial population."""
    return f"alive > 0 AND {plan.holds('initial_population')}"


def _outcome(plan: Plan) -> str:
    """
    Return the columns ``scored`` and ``outcome`` of someone who was judged.

    Outcome: 0 is not in the denominator, 1 in it alone, 2 an exception, 3 in the
    numerator. The denominator is open to the scored, or to everybody.
    """
    open_to = "scorable" if plan.measure.denominator == "scorable" else "1"
    return f"""(1 - excluded) * scorable AS scored,
    (1 - excluded) * {open_to}
      * CASE WHEN met = 1 THEN 3 WHEN excused = 1 THEN 2 ELSE 1 END AS outcome"""


def _has(plan: Plan) -> list[tuple[str, str]]:
    """Return for each component its column, and the condition that it was found."""
    return [
        (f"has_{n}", f"found_{plan.assessments[name]} > 0")
        for n, name in enumerate(plan.components)
    ]


def _parts(plan: Plan) -> list[str]:
    """Return the columns that say which components were found."""
    return [part for part, _ in _has(plan)]


def _bin(plan: Plan) -> str:
    """Return the bin of a value, or below 0 what is missing to have one."""
    bits = [f"{2**n} * (1 - {part})" for n, part in enumerate(_parts(plan))]
    missing = " + ".join(bits) or "0"
    other = 2 ** len(bits)
    binned = "0"
    stated = plan.measure.measure_observation
    if stated is not None:
        binned = f"observed - observed % {thousandths(stated.step)}"
    return f"""CASE WHEN population = 0 THEN 0 WHEN scored = 1 THEN {binned}
    WHEN {missing} = 0 THEN -{other} ELSE -({missing}) END"""


def _above_first(plan: Plan) -> str:
    """Return how far the observed value is above its grid's first, within the grid."""
    stated = plan.measure.measure_observation
    assert stated is not None
    first, last = thousandths(stated.from_), thousandths(stated.to)
    return (
        f"CASE WHEN observed < {first} THEN 0"
        f" WHEN observed > {last} THEN {last - first} ELSE observed - ({first}) END"
    )


def _observed(plan: Plan) -> str:
    """Return the observed value, within the grid."""
    stated = plan.measure.measure_observation
    return "0" if stated is None else f"(observed + ({thousandths(stated.from_)}))"


def _of_last(column: str, most: int, where: str) -> str:
    """
    Return the aggregate of *column* on the last day *where* so; 0 without any.

    The day and the column make one whole number, whose highest is that of the last
    day. The column is from 0 to below *most*.
    """
    stamped = f"(day + {LONG_AGO}) * CAST({most} AS BIGINT) + {column}"
    return f"COALESCE(MAX(CASE WHEN {where} THEN {stamped} END) % {most}, 0)"


def _stratum(plan: Plan) -> str:
    """Return the expression of the number of a combination of strata."""
    digits, weight = [], 1
    for name, names in strata_of(plan.measure).items():
        digits.append(f"{weight} * {_digit(plan, name, len(names) - 1)}")
        weight *= len(names)
    return " + ".join(digits) or "0"


def _digit(plan: Plan, name: str, last: int) -> str:
    """Return the expression of a position among one stratifier's strata, from 0."""
    stratifier = plan.measure.stratifiers[name]
    if stratifier.condition is not None:
        cases = [
            f"WHEN {plan.condition(leaf)} THEN {position}"
            for position, leaf in enumerate(plan.conditions_of(stratifier))
        ]
        return f"CASE {' '.join(cases)} ELSE {last} END"
    column = plan.strata[name]
    if stratifier.answer is not None:
        return f"CASE WHEN {column} = 0 THEN {last} ELSE {column} - 1 END"
    return column


def _each(template: str, columns: Iterable[str]) -> str:
    """Return *template* filled with each of *columns*."""
    return "".join(template.format(column) for column in columns)


def _sums(plan: Plan) -> str:
    """Return what holds after each mark: the running sums of all changes."""
    return ", ".join(f"SUM({c}) {_BY_MONTH} AS {c}" for c in summed_columns(plan))


def _live(plan: Plan) -> Sequence[str]:
    """Return the counts that can be other than 0."""
    measure = plan.measure
    dead = {
        "excluded": measure.denominator_exclusion is None,
        "excepted": measure.denominator_exception is None,
        "numerator": measure.numerator is None,
        "value_sum": measure.measure_observation is None,
        "value_squares": measure.measure_observation is None,
    }
    return [name for name in COUNTS if not dead.get(name)]


def _events(plan: Plan) -> str:
    """Return the final select: each member's ends as events, summed and cast."""
    live = _live(plan)
    sums = ",\n  ".join(
        f"CAST({f'SUM({count})' if count in live else '0'} AS BIGINT) AS {count}"
        for count in COUNTS
    )
    signed = ", ".join(f"{count} * g.sign AS {count}" for count in live)
    some = " OR ".join(f"SUM({count}) <> 0" for count in live)
    return f"""SELECT subject_id, grain, CAST(stratum AS INTEGER) AS stratum,
  CAST(bin AS INTEGER) AS bin, month,
  {sums}
FROM (
  SELECT subject_id, m.grain, stratum, bin,
    CASE WHEN g.sign > 0 THEN month ELSE next_month END AS month, {signed}
  FROM member m CROSS JOIN {SIGNS}
) event
WHERE month < {FOREVER}
GROUP BY subject_id, grain, stratum, bin, month
HAVING {some}
"""

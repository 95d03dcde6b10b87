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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.calendar import FOREVER, MONTHS_A_YEAR
from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.checks import assessment_of, leaves
from app.measures.definitions import (
    Component,
    Measure,
    Observable,
    Predicate,
    Sex,
    Tie,
    coding_of,
    thousandths,
)

SEX_NUMBERS = {Sex.MALE: 1, Sex.FEMALE: 2, Sex.OTHER: 3}
_OPERATORS = {
    "below": "<",
    "at_most": "<=",
    "exactly": "=",
    "at_least": ">=",
    "above": ">",
}
_IN_SCOPE = "subject_id IN (SELECT subject_id FROM scope)"
"""IN, not JOIN: joined to a temporary table, SQLite reads all of the other one."""
_SIGNS = "(SELECT 1 AS sign UNION ALL SELECT -1) g"
_BY_MONTH = "OVER (PARTITION BY subject_id ORDER BY month)"
"""The default frame is RANGE: rows of one month share their sums. Never ROWS here."""
_FLAGS = ("population", "scored", "denominator", "numerator")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """
    A measure on its way to SQL.

    ``columns`` names the column that tells whether a leaf holds; ``assessments``
    numbers the observables and composites that leaves ask about.
    """

    measure: Measure
    concepts: Mapping[Coding, int]
    columns: dict[Predicate, str]
    assessments: dict[str, int]

    @property
    def of_visits(self) -> bool:
        """Return whether one unit is a visit."""
        return self.measure.basis is Basis.VISITS

    def codes(self, value_set: str) -> str:
        """Return the concept ids of a value set as an SQL list."""
        return _listed(_expanded(self.measure.value_sets[value_set], self.concepts))

    def leaves_of(self, assessment: str | None) -> dict[Predicate, str]:
        """Return the leaves that ask about *assessment*; None: about none."""
        return {
            leaf: column
            for leaf, column in self.columns.items()
            if assessment_of(leaf) == assessment
        }


def compile_measure(measure: Measure, concepts: Mapping[Coding, int]) -> str:
    """
    Return the SQL that counts *measure*, for the concepts known at the moment.

    Args:
        measure: A checked definition.
        concepts: Every coding the database knows, with its id.
    """
    plan = _planned(measure, concepts)
    tables = [_taken(plan, name) for name in plan.assessments]
    tables += _visit_tables(plan) if plan.of_visits else _status_tables(plan)
    return "WITH\n" + ",\n".join(tables) + "\n" + _total(plan)


def _planned(measure: Measure, concepts: Mapping[Coding, int]) -> _Plan:
    """Number the leaves and assessments of *measure*."""
    found = [leaf for stated in measure.predicates for leaf in leaves(stated)]
    asked = [name for name in map(assessment_of, found) if name is not None]
    return _Plan(
        measure=measure,
        concepts=concepts,
        columns={leaf: f"leaf_{n}" for n, leaf in enumerate(dict.fromkeys(found), 1)},
        assessments={name: n for n, name in enumerate(dict.fromkeys(asked), 1)},
    )


def _expanded(codes: Iterable[str], concepts: Mapping[Coding, int]) -> list[int]:
    """Return the ids of the known concepts that *codes* name; ``*`` is a prefix."""
    ids: set[int] = set()
    for code in codes:
        wanted = coding_of(code.removesuffix("*"))
        if code.endswith("*"):
            ids |= {
                number
                for known, number in concepts.items()
                if known.system == wanted.system and known.code.startswith(wanted.code)
            }
        elif wanted in concepts:
            ids.add(concepts[wanted])
    return sorted(ids)


def _listed(numbers: Iterable[int]) -> str:
    """Return an SQL list; SQL has no empty one, and no id is negative."""
    return "(" + (", ".join(map(str, numbers)) or "-1") + ")"


# Values: one row for each day on which an assessment is complete.


def _taken(plan: _Plan, name: str) -> str:
    """Return the CTE of an assessment's days: a reduced value for each part."""
    number = plan.assessments[name]
    parts = _parts(plan.measure, name)
    observables = [plan.measure.observables[part] for part in parts]
    values = [_reduced(plan, observable) for observable in observables]
    columns = [f"{value} AS part_{number}_{n}" for n, value in enumerate(values, 1)]
    if observables[0].tie is Tie.MEAN:
        columns.append(f"COUNT(value) AS weight_{number}")
    complete = " AND ".join(f"{value} IS NOT NULL" for value in values)
    return f"""taken_{number} AS (  -- {name}
  SELECT subject_id, day, month, {", ".join(columns)}
  FROM ({_readings(plan, name, observables)}) r
  GROUP BY subject_id, day, month
  HAVING {complete}
)"""


def _parts(measure: Measure, name: str) -> dict[str, Component]:
    """Return the observables of an assessment; a single one is its own only part."""
    if name in measure.composites:
        return measure.composites[name].components
    return {name: Component()}


def _readings(plan: _Plan, name: str, observables: list[Observable]) -> str:
    """Return the facts of an assessment, each on the day it counts for."""
    codes = plan.measure.value_sets
    ids = _expanded({c for o in observables for c in codes[o.codes]}, plan.concepts)
    facts = f"o.{_IN_SCOPE} AND o.concept_id IN {_listed(ids)}"
    # One record under two codes of a value set is one value of the mean.
    once = "DISTINCT o.record_id, o.part, " if observables[0].tie is Tie.MEAN else ""
    concept = "" if once else "o.concept_id, "
    value = f"{concept}{_value(plan, observables[0])} AS value"
    if not plan.of_visits and name in plan.measure.observables:
        return f"""
    SELECT {once}o.subject_id, o.day, o.month, {value}
    FROM observation o
    WHERE {facts}
  """
    linked = " AND (o.encounter_id = 0 OR v.day IS NOT NULL)" if plan.of_visits else ""
    return f"""
    SELECT {once}o.subject_id, COALESCE(v.day, o.day) AS day,
      COALESCE(v.month, o.month) AS month, {value}
    FROM observation o
    LEFT JOIN visit v ON v.subject_id = o.subject_id AND v.record_id = o.encounter_id
      AND v.class_concept_id IN {plan.codes(plan.measure.visit_classes)}
    WHERE {facts}{linked}
  """


def _value(plan: _Plan, observable: Observable) -> str:
    """Return a fact's number: thousandths, or the rank of its answer."""
    if not observable.answers:
        return "o.value"
    ranks = [
        f"WHEN {plan.concepts[coding_of(answer)]} THEN {rank}"
        for rank, answer in enumerate(observable.answers)
        if coding_of(answer) in plan.concepts
    ]
    return f"CASE o.value_concept_id {' '.join(ranks) or 'WHEN -1 THEN 0'} END"


def _reduced(plan: _Plan, observable: Observable) -> str:
    """Return the one value of a day; of a mean its sum, and the weight apart."""
    if observable.tie is Tie.MEAN:
        return "SUM(value)"
    function = "MIN" if observable.tie is Tie.LOWEST else "MAX"
    codes = plan.codes(observable.codes)
    return f"{function}(CASE WHEN concept_id IN {codes} THEN value END)"


def _held(plan: _Plan, leaf: Predicate) -> str:
    """Return 1 where a leaf holds for a row of its assessment, else 0."""
    number = plan.assessments[assessment_of(leaf) or ""]
    if leaf.value is not None:
        word, cut_off = leaf.value.cut_off
        bound = f"{thousandths(cut_off)}"
        name, _, part = leaf.value.of.partition(".")
        if name in plan.measure.observables:
            mean = plan.measure.observables[name].tie is Tie.MEAN
            bound += f" * weight_{number}" if mean else ""
        test = f"{_number(plan, name, part)} {_OPERATORS[word]} {bound}"
    elif leaf.answer is not None:
        answers = plan.measure.observables[leaf.answer.of].answers
        ranks = _listed(sorted(answers.index(one) for one in leaf.answer.among))
        test = f"part_{number}_1 IN {ranks}"
    else:
        test = f"part_{number}_1 IS NOT NULL"
    return f"CASE WHEN {test} THEN 1 ELSE 0 END"


def _number(plan: _Plan, name: str, part: str) -> str:
    """Return a component of an assessment, or the capped sum of them all."""
    number = plan.assessments[name]
    parts = _parts(plan.measure, name)
    columns = {one: f"part_{number}_{n}" for n, one in enumerate(parts, 1)}
    if part:
        return columns[part]
    return " + ".join(_capped(columns[one], parts[one].cap) for one in parts)


def _capped(column: str, cap: float | None) -> str:
    """Return *column*, or *cap* where it is more."""
    if cap is None:
        return column
    most = thousandths(cap)
    return f"CASE WHEN {column} > {most} THEN {most} ELSE {column} END"


# Spans: when each leaf holds, in months.


def _spans(plan: _Plan) -> list[str]:
    """Return the selects of all spans that lie in months by nature."""
    held = plan.leaves_of(None)
    spans = [_lives(plan, held)]
    if plan.measure.stratifier is not None:
        spans.append(_birthdays(plan, plan.measure.stratifier.age_band))
    for leaf, column in held.items():
        if leaf.sex is None:
            first, after, source = _span(plan, leaf)
            spans.append(_select(plan, first, after, {column: "1"}, source))
    return spans


def _lives(plan: _Plan, held: Mapping[Predicate, str]) -> str:
    """Return the span in which a person is there; what never changes rides along."""
    columns = {"alive": "1"}
    if plan.measure.stratifier is not None:
        unknown = len(plan.measure.stratifier.age_band) + 2
        columns["band"] = f"CASE WHEN birth_month IS NULL THEN {unknown} ELSE 1 END"
    for leaf, column in held.items():
        if leaf.sex is not None:
            number = SEX_NUMBERS[leaf.sex]
            columns[column] = f"CASE WHEN sex = {number} THEN 1 ELSE 0 END"
    first, after = "COALESCE(birth_month, 0)", f"COALESCE(death_month, {FOREVER})"
    return _select(plan, first, after, columns, f"FROM subject WHERE id {_SCOPED}")


_SCOPED = _IN_SCOPE.removeprefix("subject_id ")


def _span(plan: _Plan, leaf: Predicate) -> tuple[str, str, str]:
    """Return the first month, the month after, and the source of a leaf's spans."""
    if leaf.condition is not None:
        source = f"FROM condition WHERE {_IN_SCOPE} AND concept_id IN "
        ends = f"COALESCE(abatement_month, {FOREVER})"
        return "onset_month", ends, source + plan.codes(leaf.condition)
    if leaf.age is not None:
        source = f"FROM subject WHERE id {_SCOPED} AND birth_month IS NOT NULL"
        first, after = _years(leaf.age.from_), _years(leaf.age.below)
        return first, after, source
    source = f"FROM visit WHERE {_IN_SCOPE} AND class_concept_id IN "
    source += plan.codes(plan.measure.visit_classes)
    return "month", f"month + {leaf.seen_within_months}", source


def _years(years: int | None) -> str:
    """Return the month in which a person turns *years*; None is never."""
    if years is None:
        return str(FOREVER)
    return f"birth_month + {MONTHS_A_YEAR * years}"


def _birthdays(plan: _Plan, bounds: tuple[int, ...]) -> str:
    """Return spans that begin where a person enters the next age band, and never end."""
    years = " UNION ALL ".join(f"SELECT {MONTHS_A_YEAR * age} AS age" for age in bounds)
    source = f"FROM subject CROSS JOIN ({years}) b WHERE id {_SCOPED}"
    source += " AND birth_month IS NOT NULL"
    return _select(plan, "birth_month + b.age", str(FOREVER), {"band": "1"}, source)


def _assessed(plan: _Plan, name: str) -> str:
    """Return the spans in which an assessment's values are in force."""
    number, window = plan.assessments[name], plan.measure.look_back_months
    columns = {c: _held(plan, leaf) for leaf, c in plan.leaves_of(name).items()}
    after = (
        f"CASE WHEN next_month < month + {window} "
        f"THEN next_month ELSE month + {window} END"
    )
    source = f"""FROM (
    SELECT t.*, LEAD(month, 1, {FOREVER})
      OVER (PARTITION BY subject_id ORDER BY day) AS next_month
    FROM taken_{number} t
  ) t"""
    return _select(plan, "month", after, columns, source)


def _summed(plan: _Plan) -> list[str]:
    """Return the columns of spans, which the sweep adds up."""
    band = [] if plan.measure.stratifier is None else ["band"]
    held = plan.leaves_of(None) if plan.of_visits else plan.columns
    return ["alive", *band, *held.values()]


def _select(
    plan: _Plan, first: str, after: str, columns: Mapping[str, str], source: str
) -> str:
    """Return one select of spans: its own columns, and 0 for all others."""
    subject = "id" if source.startswith("FROM subject") else "subject_id"
    values = [f"{columns.get(c, '0')} AS {c}" for c in _summed(plan)]
    return (
        f"  SELECT {subject} AS subject_id, {first} AS first_month,"
        f" {after} AS after_month,\n    {', '.join(values)}\n  {source}"
    )


# The sweep.


def _marked(plan: _Plan, spans: list[str], *, further: str = "") -> list[str]:
    """Return the CTEs of spans and of their ends: +1 where one begins, -1 after it."""
    signed = ", ".join(f"{c} * g.sign AS {c}" for c in _summed(plan))
    union = "\n  UNION ALL\n".join(spans)
    # Read once with a sign: a union of the spans with themselves costs a fifth more.
    return [
        f"span AS (\n{union}\n)",
        f"""mark AS (
  SELECT subject_id,
    CASE WHEN g.sign > 0 THEN first_month ELSE after_month END AS month,
    {signed}{further}
  FROM span CROSS JOIN {_SIGNS}
  WHERE first_month < after_month AND (g.sign > 0 OR after_month < {FOREVER})
)""",
    ]


def _status_tables(plan: _Plan) -> list[str]:
    """Return the CTEs of latest status, up to each person's events."""
    spans = _spans(plan) + [_assessed(plan, name) for name in plan.assessments]
    sums = ", ".join(f"SUM({c}) {_BY_MONTH} AS {c}" for c in _summed(plan))
    return [
        *_marked(plan, spans),
        f"""state AS (
  SELECT subject_id, month, LEAD(month, 1, {FOREVER}) {_BY_MONTH} AS next_month,
    {sums}
  FROM mark
)""",
        f"""member AS (
  SELECT subject_id, 1 AS grain, {_stratum(plan)} AS stratum, month, next_month,
    {_flags(plan)}
  FROM state
  WHERE month < next_month AND {_in_population(plan)}
)""",
    ]


def _visit_tables(plan: _Plan) -> list[str]:
    """Return the CTEs of visits, up to each person's events."""
    found = {
        column: _held(plan, leaf)
        for leaf, column in plan.columns.items()
        if assessment_of(leaf) is not None
    }
    at_visit = "".join(f", 0 AS {column}" for column in found)
    at_visit_sums = "".join(f", {column}" for column in found)
    tests = "".join(f", {test} AS {column}" for column, test in found.items())
    joins = "".join(
        f"\n  LEFT JOIN taken_{n} t{n} ON t{n}.subject_id = d.subject_id"
        f" AND t{n}.day = d.day"
        for n in plan.assessments.values()
    )
    zeros = ", ".join(f"0 AS {c}" for c in _summed(plan))
    sums = ", ".join(f"SUM({c}) {_BY_MONTH} AS {c}" for c in _summed(plan))
    classes = plan.codes(plan.measure.visit_classes)
    return [
        *_marked(plan, _spans(plan), further=f", 0 AS visits, 0 AS day{at_visit}"),
        f"""occasion AS (
  SELECT d.subject_id, d.month, {zeros}, 1 AS visits, d.day{tests}
  FROM (
    SELECT DISTINCT subject_id, day, month FROM visit
    WHERE {_IN_SCOPE} AND class_concept_id IN {classes}
  ) d{joins}
)""",
        f"""state AS (
  SELECT subject_id, month, visits, day, {sums}{at_visit_sums}
  FROM (SELECT * FROM mark UNION ALL SELECT * FROM occasion) m
)""",
        f"""unit AS (
  SELECT subject_id, month, day, {_stratum(plan)} AS stratum,
    {_flags(plan)}
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


def _stratum(plan: _Plan) -> str:
    """Return the expression of the stratum."""
    return "0" if plan.measure.stratifier is None else "band"


def _in_population(plan: _Plan) -> str:
    """Return the condition of being counted at all."""
    measure = plan.measure
    counted = f"alive > 0 AND {_holds(plan, measure.initial_population)}"
    if measure.denominator_exclusion is None:
        return counted
    return f"{counted} AND NOT {_holds(plan, measure.denominator_exclusion)}"


def _flags(plan: _Plan) -> str:
    """Return the four counts of someone in the population, 0 or 1 each."""
    measure = plan.measure
    scored = _holds(plan, measure.scorable)
    within = scored if measure.denominator == "scorable" else ""
    numerator = " AND ".join(filter(None, (within, _holds(plan, measure.numerator))))
    return ",\n    ".join(
        [
            "1 AS population",
            f"CASE WHEN {scored} THEN 1 ELSE 0 END AS scored",
            f"CASE WHEN {within} THEN 1 ELSE 0 END AS denominator"
            if within
            else "1 AS denominator",
            f"CASE WHEN {numerator} THEN 1 ELSE 0 END AS numerator",
        ]
    )


def _holds(plan: _Plan, predicate: Predicate) -> str:
    """Return *predicate* as an SQL condition over the leaves' columns."""
    if predicate.not_ is not None:
        return f"NOT {_holds(plan, predicate.not_)}"
    if not predicate.parts:
        return f"({plan.columns[predicate]} > 0)"
    word = " AND " if predicate.all is not None else " OR "
    return "(" + word.join(_holds(plan, part) for part in predicate.parts) + ")"


def _total(plan: _Plan) -> str:
    """Return the final select: each member's ends as events, summed and cast."""
    sums = ",\n  ".join(f"CAST(SUM({f}) AS BIGINT) AS {f}" for f in _FLAGS)
    signed = ", ".join(f"{flag} * g.sign AS {flag}" for flag in _FLAGS)
    some = " OR ".join(f"SUM({flag}) <> 0" for flag in _FLAGS)
    return f"""SELECT subject_id, grain, CAST(stratum AS INTEGER) AS stratum, month,
  {sums}
FROM (
  SELECT subject_id, m.grain, stratum,
    CASE WHEN g.sign > 0 THEN month ELSE next_month END AS month,
    {signed}
  FROM member m CROSS JOIN {_SIGNS}
) event
WHERE month < {FOREVER}
GROUP BY subject_id, grain, stratum, month
HAVING {some}
"""

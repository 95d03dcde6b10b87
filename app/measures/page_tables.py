"""The tables of a measure's page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.measures.cut_off_sets import limits
from app.measures.definitions import (
    Example,
    Growth,
    Measure,
    Membership,
    Readings,
)
from app.measures.growth import TABLES, cut_offs
from app.measures.strata import strata_of
from app.measures.value_sets import WITHOUT

Meanings = Mapping[str, str]
"""What a code or a family of codes is, by ``system|code`` or ``system|prefix*``."""

_SYSTEMS = {
    "loinc": "LOINC",
    "snomed-ct": "SNOMED CT",
    "icd-10-cm": "ICD-10-CM",
    "icd-10": "ICD-10",
    "icd-9-cm": "ICD-9-CM",
    "act-code": "HL7 v3 ActCode",
    "network": "the network's own",
}
_COUNTS_AS = {
    Membership.NONE: "is not counted",
    Membership.EXCLUDED: "is excluded",
    Membership.EXCEPTED: "is excused, and taken out",
    Membership.UNSCORED_EXCEPTED: "is excused, and taken out; has no value",
    Membership.POPULATION: "is in the population, and cannot be scored",
    Membership.DENOMINATOR: "counts, and does not meet the measure",
    Membership.NUMERATOR: "counts, and meets the measure",
    Membership.UNSCORED_DENOMINATOR: "counts without a value, and does not meet it",
    Membership.UNSCORED_NUMERATOR: "counts without a value, and meets it",
}
_SETS = (
    "Each set makes a measure of its own; all but the default are for a clinic's own"
    " eyes."
)
_MONTHS_A_YEAR = 12
_THOUSANDTHS = 1000


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table; nothing without a row."""
    body = [_row(row) for row in rows]
    return [_row(heading), _row(["---"] * len(heading)), *body] if body else []


def cut_off_table(variants: Sequence[Measure]) -> list[str]:
    """Return the numbers of every cut-off set, the default's first."""
    sets = variants[0].cut_off_sets
    if not sets:
        return []
    keys = list(dict.fromkeys(key for numbers in sets.values() for key in numbers))
    rows = [
        (
            f"{each.cut_off_set}" + (" (default)" if each is variants[0] else ""),
            f"`{each.id}`",
            *(f"{sets[f'{each.cut_off_set}'][key]:g}" for key in keys),
        )
        for each in variants
    ]
    return [_SETS, "", *table(("set", "measure", *keys), rows)]


def growth_tables(measure: Measure) -> list[str]:
    """Return for each chart what the measurement at its z-score is, by age."""
    charts = dict.fromkeys(
        limit
        for predicate in measure.predicates.values()
        for limit in limits(predicate)
        if isinstance(limit, Growth)
    )
    return [line for chart in charts for line in _growth_table(chart)]


def code_tables(measure: Measure, meanings: Meanings) -> list[str]:
    """Return the codes of every value set and answer, each with what it is."""
    rules_of = {
        f"**{name}**, version {measure.value_set_versions[name]}": rules
        for name, rules in sorted(measure.value_sets.items())
    }
    rules_of |= {
        f"**{name}**, answers from the lowest to the highest": each.answers
        for name, each in measure.observables.items()
        if each.answers
    }
    lines: list[str] = []
    for title, rules in rules_of.items():
        rows = [_code(rule, meanings) for rule in rules]
        lines += ["", title, "", *table(("system", "code", "what it is"), rows)]
    return lines[1:]


def strata_table(measure: Measure) -> list[str]:
    """Return the strata of each stratifier, which add up to the total."""
    rows = [(name, ", ".join(names)) for name, names in strata_of(measure).items()]
    return table(("told apart by", "strata"), rows)


def example_tables(example: Example, measure: Measure) -> list[str]:
    """Return what was found in an example, and what its patient counts as."""
    found = [
        *((f"{day}", "visit", readings) for day, readings in example.visits.items()),
        *((f"{day}", "no visit", readings) for day, readings in example.values.items()),
    ]
    days = [
        (day, where, _readings(readings, measure)) for day, where, readings in found
    ]
    expected = [
        (interval, _counts_as(wanted)) for interval, wanted in example.expect.items()
    ]
    return [
        *table(("day", "where", "found"), sorted(days)),
        "",
        *table(("interval", "the patient"), expected),
    ]


def _row(cells: Sequence[str]) -> str:
    """Return one row."""
    return f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |"


def _growth_table(chart: Growth) -> Iterator[str]:
    """Yield the table of one chart: by months for infants, by years from then on."""
    word, z = chart.cut_off
    limit = "at least" if word == "at_least_z" else "below"
    least = cut_offs(chart.table, z)
    ages = sorted({age for _, age in least})
    years = ages[-1] > 2 * _MONTHS_A_YEAR
    shown = [age for age in ages if not years or age % _MONTHS_A_YEAR == 0]
    rows = [
        (
            f"{age // _MONTHS_A_YEAR} years" if years else f"{age} months",
            *(f"{least[sex, age] / _THOUSANDTHS:.3f}" for sex in ("female", "male")),
        )
        for age in shown
    ]
    unit = TABLES[chart.table]
    yield (
        f"A z-score of {limit} {z:g} by `{chart.table}` is {limit} so many {unit}."
        " Every completed month of age has its own number"
        + ("; these are those of birthdays." if years else ".")
    )
    yield ""
    yield from table(("age", "girls", "boys"), rows)


def _code(rule: str, meanings: Meanings) -> tuple[str, str, str]:
    """Return a code's system, the code, and what it is."""
    named = rule.removeprefix(WITHOUT)
    system, _, code = named.partition("|")
    if code.endswith("*"):
        code = f"{code[:-1]} and all that begins so"
    but = "" if named == rule else "but not "
    return _SYSTEMS[system], f"{but}{code}", meanings.get(named, "")


def _readings(readings: Readings, measure: Measure) -> str:
    """Return what was found on one day."""
    said = []
    for name, reading in readings.items():
        several = reading if isinstance(reading, tuple) else (reading,)
        values = " and ".join(
            one.partition("|")[2] if isinstance(one, str) else f"{one:g}"
            for one in several
        )
        unit = measure.observables[name].unit or ""
        shown = "" if unit.startswith("{") else f" {unit}"
        said.append(f"{name} {values}{shown}".rstrip())
    return ", ".join(said) or "nothing"


def _counts_as(wanted: Membership | float) -> str:
    """Return what a patient counts as, or with which value."""
    if isinstance(wanted, Membership):
        return _COUNTS_AS[wanted]
    return f"counts with {wanted:g}"

"""
The chapters of ``docs/specification``: Markdown for people to read, and tests to run.

A chapter is made of rules, one for each ``##``. A rule has a definition (YAML, put upon
the preamble in ``README.md``), a table of facts whose first heading is ``who``, and
tables of what they count as, whose first heading is ``in``. What a rule does not say is
that of the rule before it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from app.domain.calendar import day_number, month_number, month_of_day
from app.domain.terminology import Coding
from app.measures.definitions import Measure, Sex, coding_of
from app.measures.documents import Document
from app.measures.libraries import parse_measures, read_value_set
from app.measures.value_sets import ValueSet
from tests.reference.counting import Condition, Observation, Subject, Visit, World

FOLDER = Path(__file__).parents[2] / "docs" / "specification"
PREAMBLE = "README.md"
ADDED_TO = ("value_sets", "observables", "composites")
"""The fields of the preamble that a rule adds to; it replaces any other."""
STAY = "act-code|IMP"
UNKNOWN_ENCOUNTER = 999_999
Table = list[dict[str, str]]


@dataclass(frozen=True)
class Rule:
    """One rule of a chapter: what is defined, what happened, and what it counts as."""

    title: str
    definition: str = ""
    value_sets: tuple[str, ...] = ()
    facts: tuple[dict[str, str], ...] = ()
    tables: tuple[Table, ...] = ()


def chapters() -> dict[str, list[Rule]]:
    """Return the rules of each chapter, by the name of its file."""
    return {
        path.name: list(_rules(path.read_text("utf-8")))
        for path in sorted(FOLDER.glob("*.md"))
        if path.name != PREAMBLE
    }


def _rules(text: str) -> Iterator[Rule]:
    """Yield a chapter's rules, each filled up by the one before."""
    before = Rule(title="")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        tables = [
            _table(block) for block in re.findall(r"(?:^\|.*\n)+", part, re.MULTILINE)
        ]
        facts = [row for table in tables if "who" in table[0] for row in table]
        definitions = _blocks(part, "yaml")
        before = Rule(
            title=part.partition("\n")[0],
            definition=definitions[0] if definitions else before.definition,
            value_sets=tuple(_blocks(part, "json")) or before.value_sets,
            facts=tuple(facts) or before.facts,
            tables=tuple(table for table in tables if "in" in table[0]),
        )
        yield before


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _table(block: str) -> Table:
    """Return the rows of a Markdown table by its headings."""
    lines = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in block.splitlines()
    ]
    heading, _, *rows = lines
    return [dict(zip(heading, row, strict=True)) for row in rows]


def measures_of(rule: Rule) -> dict[str, Measure]:
    """Return the measures that a rule defines by cut-off set; the default's is ""."""
    (preamble,) = _blocks((FOLDER / PREAMBLE).read_text("utf-8"), "yaml")
    whole = _data(preamble)
    for field, value in _data(rule.definition).items():
        whole[field] = whole[field] | value if field in ADDED_TO else value
    sets = whole.get("cut_off_sets", {})
    # A definition has worked examples of its own; here the tables are these.
    whole["examples"] = [
        {"title": "See the tables", "expect": {"2024": "none"}}
        | ({"cut_off_set": name} if name else {})
        for name in sets or [""]
    ]
    text = yaml.safe_dump(whole, sort_keys=False)
    found = parse_measures(text, origin=rule.title, shared=_shared(rule))
    return {"": found[0]} | {str(each.cut_off_set): each for each in found}


def _shared(rule: Rule) -> dict[str, ValueSet]:
    shared = {}
    for text in rule.value_sets:
        name = _data(text)["id"]
        value_set, faults = read_value_set(Document(text, origin=f"{name}.json"))
        assert value_set is not None, faults
        shared[name] = value_set
    return shared


def _data(text: str) -> dict[str, Any]:
    document = Document(text, origin="specification")
    assert not document.faults, document.faults
    return dict(document.data)


def people(rule: Rule) -> list[str]:
    """Return who a rule's facts are about; a subject's id is the place here, from 1."""
    return list(dict.fromkeys(fact["who"] for fact in rule.facts))


def world_of(rule: Rule, measure: Measure, *, backwards: bool = False) -> World:
    """Return a rule's facts as rows, at will as if the last had come first."""
    names = people(rule)
    rows = _Rows(measure, rule.facts)
    facts = list(enumerate(rule.facts, 1))
    subjects = {name: Subject(id=n) for n, name in enumerate(names, 1)}
    for record, fact in reversed(facts) if backwards else facts:
        number = len(facts) - record + 1 if backwards else record
        subjects[fact["who"]] = rows.add(subjects[fact["who"]], number, fact)
    return World(
        subjects=tuple(subjects.values()),
        observations=tuple(rows.observations),
        conditions=tuple(rows.conditions),
        visits=tuple(rows.visits),
        concepts=rows.concepts,
    )


class _Rows:
    """Facts on their way to rows."""

    def __init__(self, measure: Measure, facts: Sequence[Mapping[str, str]]) -> None:
        self.measure = measure
        self.concepts: dict[Coding, int] = {}
        self.observations: list[Observation] = []
        self.conditions: list[Condition] = []
        self.visits: list[Visit] = []
        self._encounters: dict[tuple[str, str], int] = {}
        self._facts = facts

    def add(self, subject: Subject, record: int, fact: Mapping[str, str]) -> Subject:
        """Add one fact; return the subject as it is known by then."""
        what, when, found = (fact.get(k, "") for k in ("what", "when", "found"))
        if what == "born":
            return subject._replace(birth_month=_month(when))
        if what == "died":
            return subject._replace(death_month=_month(when))
        if what == "sex":
            return subject._replace(sex=1 + list(Sex).index(Sex(found)))
        if what == "condition":
            first, last = _dated(when, "from"), _dated(when, "until")
            code = self._concept(found.replace(" ", "|"))
            self.conditions.append(
                Condition(subject.id, code, record, first or 0, last)
            )
        elif what in {"visit", "stay"}:
            classes = self.measure.value_sets[self.measure.visit_classes]
            code = self._concept(classes[0] if what == "visit" else STAY)
            day = _day(when)
            encounter = self._encounter(fact["who"], f"{what} {when}")
            self.visits.append(
                Visit(subject.id, day, encounter, month_of_day(day), code)
            )
        else:
            self._add_reading(subject, record, fact)
        return subject

    def _add_reading(
        self, subject: Subject, record: int, fact: Mapping[str, str]
    ) -> None:
        """Add a value, an answer, or one that says nothing."""
        observable = self.measure.observables[fact["what"]]
        code = self._concept(self.measure.value_sets[observable.codes][0])
        day, found = _day(fact["when"]), fact["found"]
        answers = {answer.partition("|")[2]: answer for answer in observable.answers}
        answer = self._concept(answers[found]) if found in answers else None
        value = None if answer or not found else int(1000 * Fraction(found))
        encounter = self._encounter(fact["who"], fact.get("at", ""))
        when = (day, record, 0, month_of_day(day))
        self.observations.append(
            Observation(subject.id, code, *when, value, answer, encounter)
        )

    def _encounter(self, who: str, at: str) -> int:
        """Return the id of an encounter that is told as ``visit 2024-01-10``."""
        if not at:
            return 0
        if not any(
            f["who"] == who and f"{f['what']} {f['when']}" == at for f in self._facts
        ):
            assert at == "elsewhere", at
            return UNKNOWN_ENCOUNTER
        return self._encounters.setdefault((who, at), 1 + len(self._encounters))

    def _concept(self, code: str) -> int:
        return self.concepts.setdefault(coding_of(code), 1 + len(self.concepts))


def _day(text: str) -> int:
    return day_number(date.fromisoformat(text))


def _month(text: str) -> int:
    year, month = map(int, text.split("-"))
    return month_number(year, month)


def _dated(text: str, word: str) -> int | None:
    """Return the month after *word* in ``from 2020-01 until 2023-05``."""
    found = re.search(rf"{word} (\d{{4}}-\d\d)", text)
    return _month(found[1]) if found else None

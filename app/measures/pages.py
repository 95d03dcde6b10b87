"""Definitions -> the pages on which a clinician can check them, in Markdown."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.counts import Basis
from app.measures.definitions import Example, ImprovementNotation, Measure, Target
from app.measures.explanations import explain
from app.measures.page_tables import (
    Meanings,
    code_tables,
    cut_off_table,
    example_tables,
    growth_tables,
    strata_table,
    table,
)

INDEX = "README.md"
_MADE = (
    "This page is made from the definition: change that, and run `make measure-pages`."
)
_EACH = (
    "A page for each, made from its definition by `make measure-pages`. None is a"
    " certified measure: each says what of an original it leaves out. The language they"
    " are written in: [measures](../measures.md)."
)

_UNITS = {
    Basis.VISITS: "a person who came to a visit in the interval, once",
    Basis.LATEST_STATUS: "a person, as of the interval's last day",
    Basis.INDEX_EVENTS: "an index event, with what followed it",
    Basis.SUMMARIES: "what a clinic counted itself",
}
_BETTER = {
    ImprovementNotation.INCREASE: "more is better",
    ImprovementNotation.DECREASE: "less is better",
}
_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")


def parse_meanings(text: str) -> dict[str, str]:
    """Return what each code is from CSV with the columns ``code`` and ``meaning``."""
    return {row["code"]: row["meaning"] for row in csv.DictReader(text.splitlines())}


def pages(measures: Iterable[Measure], meanings: Meanings) -> dict[str, str]:
    """
    Return the page of each definition by file name, and an index of them.

    Args:
        measures: A library, in which cut-off sets are measures of their own.
        meanings: What each code is, in our own words.
    """
    definitions: dict[str, list[Measure]] = {}
    for measure in measures:
        definitions.setdefault(measure.variant_of or measure.id, []).append(measure)
    found = {f"{name}.md": page(each, meanings) for name, each in definitions.items()}
    return {**found, INDEX: index([each[0] for each in definitions.values()])}


def page(variants: Sequence[Measure], meanings: Meanings) -> str:
    """Return the page of a definition, which may make several *variants*."""
    measure = variants[0]
    sections = {
        "What it counts": _counted(measure),
        "Cut-offs": [*cut_off_table(variants), *growth_tables(measure)],
        "Codes": code_tables(measure, meanings),
        "Strata": strata_table(measure),
        "Worked examples": _examples(variants),
        "Sources": [f"- {_linked(source)}" for source in measure.sources],
    }
    lines = [
        f"# {measure.title}",
        "",
        f"`{measure.id}`, version {measure.version}. {_MADE}",
        "",
        measure.description,
    ]
    for heading, body in sections.items():
        if body:
            lines += ["", f"## {heading}", "", *body]
    return "\n".join(lines) + "\n"


def index(measures: Iterable[Measure]) -> str:
    """Return the list of all pages."""
    rows = [
        (
            f"[{measure.title}]({measure.id}.md)",
            measure.basis.value,
            measure.scoring.value,
            _BETTER[measure.improvement_notation],
            ", ".join(measure.cut_off_sets),
        )
        for measure in sorted(measures, key=lambda each: each.id)
    ]
    return "\n".join(
        [
            "# The library of measures",
            "",
            _EACH,
            "",
            *table(("measure", "basis", "scoring", "better", "cut-off sets"), rows),
            "",
        ]
    )


def _counted(measure: Measure) -> list[str]:
    """Return what is counted, sentence by sentence, and what else is said of it."""
    facts = {
        "one unit is": _UNITS[measure.basis],
        "target": _target(measure.target) if measure.target else "",
        "look-back": _months(measure.look_back_months),
        "part of": ", ".join(f"[{o}]({o}.md)" for o in measure.subset_of),
        "sum of": ", ".join(f"[{o}]({o}.md)" for o in measure.sum_of),
    }
    sentences = [f"- {sentence}" for sentence in _SENTENCE.split(explain(measure))]
    rows = [(name, fact) for name, fact in facts.items() if fact]
    return [*sentences, "", *table(("", ""), rows)]


def _examples(variants: Sequence[Measure]) -> list[str]:
    """Return the worked examples, those of other cut-off sets after the default's."""
    return [line for each in variants for line in _examples_of(each)][1:]


def _examples_of(measure: Measure) -> Iterator[str]:
    """Yield one variant's examples, each with its heading."""
    for example in measure.examples:
        yield from ("", f"### {example.title}", "", _person(example, measure), "")
        yield from example_tables(example, measure)


def _person(example: Example, measure: Measure) -> str:
    """Return who the patient of an example is, and by which cut-offs."""
    conditions = [
        " ".join(
            [
                each.code.replace("|", " "),
                *([f"from {each.from_}"] if each.from_ else []),
                *([f"until {each.until}"] if each.until else []),
            ]
        )
        for each in example.conditions
    ]
    said: Mapping[str, str | None] = {
        "born": example.born,
        "sex": example.sex,
        "died": example.died,
        "conditions": ", ".join(conditions),
        "cut-off set": measure.cut_off_set if measure.cut_off_sets else None,
    }
    return "; ".join(f"{name} {what}" for name, what in said.items() if what) or "-"


def _target(target: Target) -> str:
    """Return an aim and who published it."""
    if target.proportion is not None:
        return f"{100 * target.proportion:g} % ({_linked(target.citation)})"
    return f"{target.value:g} ({_linked(target.citation)})"


def _months(number: int | None) -> str:
    """Return a number of calendar months; nothing for None."""
    return "" if number is None else f"{number} calendar months"


def _linked(text: str) -> str:
    """Return *text* with its DOIs as links."""
    return re.sub(r"doi[: ](10\.[^\s,;]+)", r"[doi:\1](https://doi.org/\1)", text)

"""The pages of the library: what a clinician reads is what is counted."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from app.main import meanings_text
from app.measures.pages import INDEX, page, pages, parse_meanings
from app.services.authoring import pages_of
from tests.reference.library import LIBRARY, READ

FOLDER = Path(__file__).parents[2] / "docs" / "measures"
PAGES = pages_of(READ, meanings=meanings_text())
MEANINGS = parse_meanings(meanings_text())
RULE = "icd-10-cm|M08.4*"


def definition(measure_id: str) -> str:
    """Return the page of a definition, with all its cut-off sets."""
    return PAGES[f"{measure_id}.md"]


def row(text: str, first: str) -> list[str]:
    """Return the cells of the row of a page that begins with *first*."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_what_its_definition_makes(name):
    """Run `make measure-pages` after a change of the library."""
    assert (FOLDER / name).read_text("utf-8") == PAGES[name]


def test_there_is_a_page_for_every_definition_and_no_other():
    """A measure that is gone must not be read about as if it counted."""
    files = {path.name for path in FOLDER.glob("*.md")}
    definitions = {f"{m.variant_of or m.id}.md" for m in READ.measures}

    assert files == {*definitions, INDEX}
    assert set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", PAGES[INDEX])) == definitions


def test_every_code_is_said_in_our_own_words():
    """A number alone cannot be checked: add it to the library's meanings.csv."""
    codes = {
        rule.removeprefix("not ")
        for measure in READ.measures
        for rules in (
            *measure.value_sets.values(),
            *(each.answers for each in measure.observables.values()),
        )
        for rule in rules
    }

    assert codes - set(MEANINGS) == set()


def test_a_page_has_the_cut_offs_of_every_set():
    """The same child changes class between them, so all stand side by side."""
    text = definition("jia-low-disease-activity")

    assert row(text, "consolaro")[-2:] == ["1.5", "2.5"]
    assert row(text, "backstrom-2019")[-2:] == ["3.8", "5"]
    assert row(text, r"trincianti-acr-2021 (default)")[-2:] == ["4", "5"]


def test_a_page_has_the_examples_of_every_set():
    """Those of the other sets stand after those of the default."""
    text = definition("jia-inactive-disease")
    first = text.index("### Exactly 1.1 is inactive in oligoarthritis, 1.2 is not")
    second = text.index("### By Consolaro: at most 1, whatever the course; 1.1")

    assert first < second
    assert "cut-off set consolaro" in text[second:]


def test_a_page_says_a_z_score_in_the_unit_of_the_chart():
    """
    For a boy of 4 years it is M * (1 - L * S) ** (1 / L).

    Source: L, M and S of the CDC's bmiagerev table at 48.5 months.
    """
    by_hand = 15.62817269 * (1 + 1.714869347 * 0.071889214) ** (1 / -1.714869347)

    found = row(definition("ibd-nutrition-satisfactory"), "4 years")

    assert float(found[2]) == pytest.approx(by_hand, abs=0.001)


def test_a_page_has_codes_with_their_system_and_meaning():
    """A family of codes is said to be one."""
    text = definition("jia-low-disease-activity-visits")

    assert f"| ICD-10-CM | M08.4 and all that begins so | {MEANINGS[RULE]} |" in text
    assert "| LOINC | 75894-6 |" in text


def test_a_page_has_the_codes_of_answers_in_their_order():
    """Which of two answers of one day is the higher one decides who meets a measure."""
    text = definition("ibd-remission-pga")
    answers = text[text.index("**pga**, answers") :]
    order = [
        answers.index(f"| pga-{word} |") for word in ("quiescent", "mild", "severe")
    ]

    assert order == sorted(order)


def test_a_page_tells_an_example_as_a_patient():
    """Who it is, what was found where, and what follows."""
    text = definition("jia-uveitis-screening")
    (example,) = re.findall(r"### An examination counts.*?(?=\n###)", text, re.DOTALL)

    assert "conditions icd-10-cm M08.40" in example
    assert "| 2023-03-31 | no visit | eye-examination no-uveitis |" in example
    assert "| 2024-02 | counts, and meets the measure |" in example
    assert "| 2024-03 | counts without a value, and does not meet it |" in example


def test_a_page_gives_an_observed_value_as_a_number():
    """A mean has no numerator that one could be in."""
    assert row(definition("jia-mean-pain"), "2024-Q1") == ["2024-Q1", "counts with 1"]


def test_a_page_links_what_it_cites():
    """A reader must get to the source with one step."""
    measure = LIBRARY["uc-remission"]
    cited = msgspec.structs.replace(
        measure, sources=("A paper, doi:10.1/a-b(1), p. 2",)
    )

    text = page([cited], MEANINGS)

    assert "- A paper, [doi:10.1/a-b(1)](https://doi.org/10.1/a-b(1)), p. 2" in text


@pytest.mark.parametrize("measure", READ.measures, ids=[m.id for m in READ.measures])
def test_a_variant_says_that_it_is_one(measure):
    """No measure here is certified: what it leaves out stands in its description."""
    varies = any("ariant of CMS" in source for source in measure.sources)

    assert not varies or re.search(
        r"[Vv]ariant of|departures from", measure.description
    )


def test_only_words_change_when_meanings_do():
    """The codes stand in the definition; a meaning explains and decides nothing."""
    silent: Mapping[str, str] = pages(READ.measures, {})

    assert silent.keys() == PAGES.keys()
    assert MEANINGS[RULE] not in silent["jia-low-disease-activity.md"]
    assert "M08.4 and all that begins so" in silent["jia-low-disease-activity.md"]

"""A definition in words: nothing that it says is left out of them."""

import msgspec
import pytest

from app.measures import definitions
from app.measures.definitions import Limit, Measure, Word
from app.measures.explanations import explain
from app.measures.libraries import parse_measures
from tests.reference.library import LIBRARY

STATUS = """
id: tried
version: 1.0.0
title: Tried
description: Tried
basis: latest-status
look_back_months: 12
scoring: proportion
improvement_notation: increase
value_sets:
  qualifying-visit: [act-code|AMB]
  seen: [act-code|VR]
  colitis: [icd-10-cm|K51*]
  crohn: [icd-10-cm|K50*]
  pucai-total: [network|pucai-total]
  heights: [loinc|8302-2]
  grades: [network|grade]
observables:
  pucai: {codes: pucai-total, unit: "{score}", tie: highest}
  height: {codes: heights, unit: cm, tie: lowest}
  pga: {codes: grades, answers: [network|mild, network|severe], tie: lowest}
composites:
  sum: {components: {pucai: {}, height: {}}}
initial_population: {condition: colitis}
scorable: {measured: pucai}
numerator: {value: {of: pucai, below: 10}}
sources: [tried]
examples: [{title: nobody, expect: {2024-01: none}}]
"""
VISITS = STATUS.replace("latest-status\nlook_back_months: 12", "visits")
EVENTS = STATUS.replace(
    "latest-status\nlook_back_months: 12",
    "index-events\nindex: {condition: colitis}\n"
    "window: {from_months: 10, to_months: 14}",
).replace("numerator: {value: {of: pucai, below: 10}}", "numerator: {measured: pucai}")
SCORED = EVENTS.replace("{condition: colitis}\nwin", "{measured: pucai}\nwin")
MEAN = STATUS.replace("scoring: proportion", "scoring: continuous-variable").replace(
    "numerator: {value: {of: pucai, below: 10}}",
    "measure_observation: {of: pucai, from: 0, to: 85, step: 5}",
)
SUMMARY = """
id: tried
version: 1.0.0
title: Tried
description: Tried
basis: summaries
scoring: ratio
improvement_notation: decrease
value_sets:
  infections: [network|infections]
  falls: [network|falls]
  line-days: [network|line-days]
  bed-days: [network|bed-days]
summary: {events: infections, exposure: line-days, per: 1000}
sources: [tried]
"""
BELOW, LIMIT = "value: {of: pucai, below: 10}", "value: {of: pucai, %s: 7}"
CHANGE = "change: {of: pucai, %s: 0.5}"
GROWTH = "growth: {of: height, table: cdc-height, %s: -1}"
HELD = "sustained: {value: {of: pucai, below: 10}, for_months: 6, gap_months: 7}"
DAYS = "{from_days: 1, to_days: 9}"
MONTHS = "{from_months: 10, to_months: 14}"
INDEX = "index: {condition: colitis}"
EVENT_COUNTS = "events: infections, exposure: line-days, per: 1000"
SCORE = '  pucai: {codes: pucai-total, unit: "{score}", tie: highest}'
INCHES = "unit: cm, conversions: [{unit: '[in_i]', factor: 2.5, source: x}], "

# Of each field of each word: a definition, what is written instead of what, and the
# phrase that there is only then.
PHRASES = {
    "Age.from": (STATUS, "condition: colitis", "age: {from: 6}", "aged 6 or older"),
    "Age.below": (STATUS, "condition: colitis", "age: {below: 9}", "and below 9"),
    "Comparison.of": (STATUS, "of: pucai, b", "of: height, b", "height below 10"),
    "Comparison.below": (STATUS, BELOW, LIMIT % "below", "pucai below 7"),
    "Comparison.at_most": (STATUS, BELOW, LIMIT % "at_most", "pucai at most 7"),
    "Comparison.exactly": (STATUS, BELOW, LIMIT % "exactly", "pucai exactly 7"),
    "Comparison.at_least": (STATUS, BELOW, LIMIT % "at_least", "pucai at least 7"),
    "Comparison.above": (STATUS, BELOW, LIMIT % "above", "pucai above 7"),
    "Finding.of": (STATUS, BELOW, "answer: {of: pga, in: [network|mild]}", "pga mild"),
    "Finding.in": (
        *(STATUS, BELOW, "answer: {of: pga, in: [network|mild, network|severe]}"),
        "pga mild or severe",
    ),
    "Sustained.value": (STATUS, BELOW, HELD, "pucai below 10 at every assessment"),
    "Sustained.answer": (
        *(STATUS, BELOW),
        HELD.replace(BELOW, "answer: {of: pga, in: [network|mild]}"),
        "pga mild at every assessment",
    ),
    "Sustained.for_months": (STATUS, BELOW, HELD, "for at least 6 months"),
    "Sustained.gap_months": (STATUS, BELOW, HELD, "none more than 7 months after"),
    "Change.of": (
        SCORED,
        "{measured: pucai}\nsou",
        f"{{{CHANGE % 'below'}}}\nsou",
        "pucai less its baseline",
    ),
    **{
        f"Change.{word}": (
            *(SCORED, "{measured: pucai}\nsou", f"{{{CHANGE % word}}}\nsou"),
            f"pucai less its baseline {word.replace('_', ' ')} 0.5",
        )
        for word in ("below", "at_most", "at_least", "above")
    },
    "Change.at_most_times": (
        *(SCORED, "{measured: pucai}\nsou", f"{{{CHANGE % 'at_most_times'}}}\nsou"),
        "pucai at most 0.5 times its baseline",
    ),
    "Growth.of": (STATUS, BELOW, GROWTH % "below_z", "height with a z-score"),
    "Growth.table": (STATUS, BELOW, GROWTH % "below_z", "by cdc-height"),
    "Growth.at_least_z": (STATUS, BELOW, GROWTH % "at_least_z", "z-score at least -1"),
    "Growth.below_z": (STATUS, BELOW, GROWTH % "below_z", "z-score below -1"),
    "Predicate.all": (
        *(STATUS, "{condition: colitis}", "{all: [{condition: colitis}, {sex: male}]}"),
        "colitis and male",
    ),
    "Predicate.any": (
        *(STATUS, "{condition: colitis}", "{any: [{condition: colitis}, {sex: male}]}"),
        "colitis or male",
    ),
    "Predicate.not": (STATUS, "{condition: colitis}", "{not: {sex: male}}", "not male"),
    "Predicate.condition": (STATUS, "condition: colitis", "condition: crohn", "crohn"),
    "Predicate.age": (STATUS, "condition: colitis", "age: {from: 6}", "aged 6"),
    "Predicate.sex": (STATUS, "condition: colitis", "sex: female", "female"),
    "Predicate.seen_within_months": (
        *(STATUS, "condition: colitis", "seen_within_months: 5"),
        "seen within 5 months",
    ),
    "Predicate.measured": (STATUS, "measured: pucai", "measured: pga", "pga measured"),
    "Predicate.value": (STATUS, "measured: pucai", BELOW, "those with pucai below 10"),
    "Predicate.answer": (
        *(STATUS, BELOW, "answer: {of: pga, in: [network|severe]}"),
        "pga severe",
    ),
    "Predicate.sustained": (STATUS, BELOW, HELD, "at every assessment"),
    "Predicate.change": (
        SCORED,
        "{measured: pucai}\nsou",
        f"{{{CHANGE % 'above'}}}\nsou",
        "its baseline",
    ),
    "Predicate.growth": (STATUS, BELOW, GROWTH % "below_z", "z-score"),
    "UnitConversion.unit": (
        *(
            STATUS,
            "unit: cm, ",
            INCHES,
        ),
        "from [in_i]",
    ),
    "UnitConversion.factor": (
        *(
            STATUS,
            "unit: cm, ",
            INCHES,
        ),
        "* 2.5",
    ),
    "UnitConversion.offset": (
        *(
            STATUS,
            "unit: cm, ",
            INCHES.replace("source: x", "offset: 3, source: x"),
        ),
        "+ 3",
    ),
    "UnitConversion.source": (
        *(
            STATUS,
            "unit: cm, ",
            INCHES.replace("source: x", "source: a table"),
        ),
        "(a table)",
    ),
    "Observable.codes": (
        STATUS,
        "codes: pucai-total",
        "codes: heights",
        "Pucai is read from heights",
    ),
    "Observable.unit": (STATUS, "unit: cm", "unit: m", "in m;"),
    "Observable.answers": (
        STATUS,
        "network|severe]",
        "network|dire]",
        "one of mild or dire",
    ),
    "Observable.tie": (
        STATUS,
        SCORE,
        SCORE.replace("highest", "lowest"),
        "of several on one day the lowest one counts. Height",
    ),
    "Observable.conversions": (
        *(
            STATUS,
            "unit: cm, ",
            INCHES,
        ),
        "from [in_i]",
    ),
    "Component.cap": (STATUS, "height: {}", "height: {cap: 9}", "height (at most 9)"),
    "Composite.components": (
        STATUS,
        "{pucai: {}, height: {}}",
        "{height: {}, pucai: {}}",
        "the sum of height and pucai",
    ),
    "Composite.within_days": (
        *(
            STATUS,
            "{components: {pucai: {}, height: {}}}",
            "{components: {pucai: {}, height: {}}, within_days: 30}",
        ),
        "each the latest of the last 30 days",
    ),
    "Stratifier.age_band": (
        STATUS,
        "sources",
        "stratifiers: {age: {age_band: [6, 12]}}\nsources",
        "age (years, parted at 6 and 12)",
    ),
    "Stratifier.sex": (
        STATUS,
        "sources",
        "stratifiers: {who: {sex: yes}}\nsources",
        "who (sex)",
    ),
    "Stratifier.condition": (
        STATUS,
        "sources",
        "stratifiers: {kind: {condition: {a: crohn, b: colitis}}}\nsources",
        "kind (crohn or colitis)",
    ),
    "Stratifier.answer": (
        STATUS,
        "sources",
        "stratifiers: {grade: {answer: pga}}\nsources",
        "grade (the latest pga)",
    ),
    "Index.condition": (
        EVENTS,
        INDEX,
        "index: {condition: crohn}",
        "first onset of crohn",
    ),
    "Index.visit": (EVENTS, INDEX, "index: {visit: yes}", "first qualifying visit"),
    "Index.measured": (
        EVENTS,
        INDEX,
        "index: {measured: height}",
        "first day with height measured",
    ),
    "Index.value": (
        EVENTS,
        INDEX,
        "index: {value: {of: pucai, above: 9}}",
        "first day with pucai above 9",
    ),
    "Index.answer": (
        EVENTS,
        INDEX,
        "index: {answer: {of: pga, in: [network|mild]}}",
        "first day with pga mild",
    ),
    "Index.first_in_months": (
        EVENTS,
        INDEX,
        "index: {condition: colitis, first_in_months: 6}",
        "onset of colitis that is the first in 6 months",
    ),
    "Window.from_days": (SCORED, MONTHS, DAYS, "1 to 9 days after it"),
    "Window.to_days": (SCORED, MONTHS, DAYS, "to 9 days"),
    "Window.from_months": (
        EVENTS,
        "from_months: 10",
        "from_months: 1",
        "1 to 14 calendar months",
    ),
    "Window.to_months": (
        EVENTS,
        "to_months: 14",
        "to_months: 15",
        "10 to 15 calendar months",
    ),
    "MeasureObservation.of": (MEAN, "of: pucai,", "of: height,", "Observed: height"),
    "MeasureObservation.from": (MEAN, "from: 0", "from: 5", "from 5 to 85"),
    "MeasureObservation.to": (MEAN, "to: 85", "to: 90", "to 90 in"),
    "MeasureObservation.step": (MEAN, "step: 5", "step: 17", "in steps of 17"),
    "Summary.events": (SUMMARY, "events: infections", "events: falls", "Rate: falls"),
    "Summary.exposure": (
        SUMMARY,
        "exposure: line-days",
        "exposure: bed-days",
        "of bed days",
    ),
    "Summary.unit": (
        SUMMARY,
        "per: 1000",
        "per: 1000, unit: wk",
        "Line days are counted in wk",
    ),
    "Summary.per": (SUMMARY, "per: 1000", "per: 100", "every 100 of"),
    "Summary.between": (
        SUMMARY,
        EVENT_COUNTS,
        "events: infections, between: days",
        "the days between one of infections and the next",
    ),
    "Summary.no_events_means_zero": (
        SUMMARY,
        "per: 1000",
        "per: 1000, no_events_means_zero: true",
        "sends no number of infections had none",
    ),
    "Measure.basis": (
        VISITS,
        "basis: visits",
        "basis: latest-status\nlook_back_months: 1",
        "values of the last 1 month.",
    ),
    "Measure.look_back_months": (
        STATUS,
        "months: 12",
        "months: 6",
        "the last 6 months",
    ),
    "Measure.scoring": (STATUS, STATUS, MEAN, "Observed: pucai"),
    "Measure.improvement_notation": (
        STATUS,
        ": increase",
        ": decrease",
        "Less is better",
    ),
    "Measure.cut_off_set": (
        STATUS,
        "sources",
        "cut_off_set: abc-2021\nsources",
        "abc-2021",
    ),
    "Measure.visit_classes": (
        VISITS,
        "basis",
        "visit_classes: seen\nbasis",
        "visit (seen)",
    ),
    "Measure.observables": (
        STATUS,
        SCORE,
        f"{SCORE}\n{SCORE.replace('pucai:', 'other:')}",
        "Other is read from pucai total",
    ),
    "Measure.composites": (STATUS, "  sum:", "  total:", "Total is the sum of"),
    "Measure.index": (
        EVENTS,
        INDEX,
        "index: {visit: yes}",
        "Each first qualifying visit",
    ),
    "Measure.window": (SCORED, MONTHS, DAYS, "values 1 to 9 days after it"),
    "Measure.initial_population": (
        STATUS,
        "condition: colitis",
        "sex: male",
        "Population: male",
    ),
    "Measure.denominator_exclusion": (
        STATUS,
        "sources",
        "denominator_exclusion: {condition: crohn}\nsources",
        "without crohn",
    ),
    "Measure.scorable": (
        STATUS,
        "measured: pucai",
        "measured: pga",
        "those with pga measured",
    ),
    "Measure.denominator": (
        STATUS,
        "sources",
        "denominator: population\nsources",
        "all of them, whether or not pucai measured",
    ),
    "Measure.denominator_exception": (
        STATUS,
        "sources",
        "denominator_exception: {condition: crohn}\nsources",
        "is excused by crohn",
    ),
    "Measure.numerator": (STATUS, BELOW, "measured: pga", "Numerator: pga measured"),
    "Measure.measure_observation": (
        MEAN,
        "of: pucai,",
        "of: height,",
        "Observed: height",
    ),
    "Measure.summary": (
        SUMMARY,
        "per: 1000",
        "per: 10",
        "Rate: infections for every 10 of line days",
    ),
    "Measure.stratifiers": (
        STATUS,
        "sources",
        "stratifiers: {who: {sex: yes}}\nsources",
        "Told apart by who",
    ),
}
TOLD_ELSEWHERE = {
    f"Measure.{name}"
    for name in (
        *("id", "version", "title", "description", "tags", "target", "sources"),
        *("subset_of", "sum_of", "examples", "variant_of"),
        *("value_sets", "value_set_versions", "cut_off_sets"),
    )
}
"""What a page or a command says of a measure beside the sentences."""
EXAMPLES = {"Example", "ExampleCondition", "Target"}
"""Words that say nothing about who is counted."""


def fields() -> set[str]:
    """Return every field of every word of the language."""
    words = [
        word
        for word in vars(definitions).values()
        if isinstance(word, type) and issubclass(word, Word)
    ]
    return {
        f"{word.__name__}.{field.encode_name}"
        for word in words
        if word not in (Word, Limit) and word.__name__ not in EXAMPLES
        for field in msgspec.structs.fields(word)
    }


def test_there_is_a_phrase_for_every_word():
    """A new word of the language that nobody could read of would be a secret."""
    assert fields() == {*PHRASES, *TOLD_ELSEWHERE}


@pytest.mark.parametrize("field", PHRASES)
def test_what_a_definition_says_is_among_its_words(field):
    """The words come from what is counted, so they can't leave anything out."""
    text, stated, instead, phrase = PHRASES[field]
    assert stated in text

    before, after = explained(text), explained(text.replace(stated, instead, 1))

    assert phrase in after
    assert phrase not in before


def test_a_definition_explains_itself():
    """A clinician reads sentences, not YAML."""
    assert explain(LIBRARY["hba1c-poor-control"]) == (
        "Each person counts at the end of the interval, by values of the last 12"
        " months. Population: diabetes and aged 18 or older and below 76 and seen"
        " within 12 months. Denominator: all of them, whether or not hba1c measured."
        " Numerator: not hba1c measured or hba1c above 9. Hba1c is read from hba1c in"
        " %; from mmol/mol * 0.09148 + 2.152 (NGSP master equation, ngsp.org/ifcc.asp);"
        " of several on one day the lowest one counts. Told apart by age (years, parted"
        " at 45 and 65). Less is better."
    )


def explained(text: str) -> str:
    """Return what a definition means, of several cut-off sets the default."""
    measure: Measure = parse_measures(text, origin="tried.yaml", shared={})[0]
    return explain(measure)

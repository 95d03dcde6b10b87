"""
Measure definitions: the words of a small closed language.

The types are the one source of the language: ``measure.schema.json`` is made from
them, and a text is checked by being turned into them. What no type can say (that a
name is known, that ages ascend) stands in ``app.measures.checks``.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, field

from app.domain.counts import Basis
from app.domain.errors import IssueType, ServiceError
from app.domain.terminology import (
    ACT_CODE,
    ICD_9_CM,
    ICD_10,
    ICD_10_CM,
    LOINC,
    NETWORK,
    SNOMED_CT,
    Coding,
)

SYSTEMS = {
    "loinc": LOINC,
    "snomed-ct": SNOMED_CT,
    "icd-10-cm": ICD_10_CM,
    "icd-10": ICD_10,
    "icd-9-cm": ICD_9_CM,
    "act-code": ACT_CODE,
    "network": NETWORK,
}
"""The terminologies a definition may name, by the short names it uses."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
Yes = Literal["yes"]
"""Says that a word is meant, where there is nothing else to say of it."""
CutOff = float | Name
"""A number, or the name that each of the cut-off sets has a number for."""
Reference = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)?$", max_length=129)
]
_CODE = rf"^({'|'.join(SYSTEMS)})\|[A-Za-z0-9.-]+"
Code = Annotated[str, Meta(pattern=_CODE + r"\*?$")]
PlainCode = Annotated[str, Meta(pattern=_CODE + "$")]
Version = Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
Month = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
IntervalName = Annotated[str, Meta(pattern=r"^\d{4}(-(0[1-9]|1[0-2]|Q[1-4]))?$")]
Text = Annotated[str, Meta(min_length=1)]
MOST_YEARS = 130
Years = Annotated[int, Meta(ge=0, le=MOST_YEARS)]
Months = Annotated[int, Meta(ge=1, le=120)]


class MeasureDefinitionError(ServiceError):
    """A definition says something that the language does not know."""

    issue_type = IssueType.VALUE


class Word(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the language's words: closed, so that a typing error is an error."""


class Sex(StrEnum):
    """Administrative gender, as far as it is kept."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


class Tie(StrEnum):
    """Which of several values of one day counts, whatever order they came in."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    MEAN = "mean"


class ImprovementNotation(StrEnum):
    """Which way is better."""

    INCREASE = "increase"
    DECREASE = "decrease"


class Age(Word, frozen=True, kw_only=True):
    """Completed years: ``from`` or older, and not yet ``below``."""

    from_: Years = field(default=0, name="from")
    below: Years | None = None


class Limit(Word, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the words that compare with one cut-off."""

    beside: ClassVar[tuple[str, ...]] = ("of",)
    """The fields that are no comparison."""

    @property
    def stated(self) -> tuple[str, CutOff]:
        """Return the word and the cut-off of the one comparison that is made."""
        ((word, cut_off),) = _stated(self, leaving_out=self.beside)
        return word, cut_off

    @property
    def cut_off(self) -> tuple[str, float]:
        """Return the same, where the cut-off is a number by now."""
        word, cut_off = self.stated
        assert not isinstance(cut_off, str)
        return word, cut_off

    def __post_init__(self) -> None:
        """Refuse none, or several, comparisons."""
        _one_of(self, leaving_out=self.beside)


class Comparison(Limit, frozen=True, kw_only=True, omit_defaults=True):
    """A value, in its canonical unit, against one cut-off."""

    of: Reference
    below: CutOff | None = None
    at_most: CutOff | None = None
    exactly: CutOff | None = None
    at_least: CutOff | None = None
    above: CutOff | None = None


class Finding(Word, frozen=True, kw_only=True):
    """A coded answer among some of its observable's answers."""

    of: Name
    among: Annotated[tuple[PlainCode, ...], Meta(min_length=1)] = field(name="in")


class Sustained(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    A status held at every assessment for some months, and still in force.

    At least two assessments span ``for_months``, none is more than ``gap_months`` after
    the one before, and the last is in force for as long.
    """

    value: Comparison | None = None
    answer: Finding | None = None
    for_months: Months
    gap_months: Months

    def __post_init__(self) -> None:
        """Refuse none, or several, statements."""
        _one_of(self, leaving_out=("for_months", "gap_months"))

    @property
    def status(self) -> "Predicate":
        """Return what must hold at each assessment."""
        return Predicate(value=self.value, answer=self.answer)


class Change(Limit, frozen=True, kw_only=True, omit_defaults=True):
    """
    The value in the window less the baseline at the index event, against a cut-off.

    ``at_most_times`` compares with a multiple of the baseline: at most half of it is
    ``0.5``.
    """

    of: Name
    below: CutOff | None = None
    at_most: CutOff | None = None
    at_least: CutOff | None = None
    above: CutOff | None = None
    at_most_times: CutOff | None = None


class Growth(Limit, frozen=True, kw_only=True, omit_defaults=True):
    """A value against a z-score of its sex and age; never without either of them."""

    beside: ClassVar[tuple[str, ...]] = ("of", "table")
    of: Name
    table: Name
    at_least_z: CutOff | None = None
    below_z: CutOff | None = None


class Predicate(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    What may hold of a person at a month's end, or of a visit; exactly one field.

    ``condition`` names a value set; ``measured`` an observable or composite. Of an
    index event, values are the last ones in its window.
    """

    all: Annotated[tuple["Predicate", ...], Meta(min_length=1)] | None = None
    any: Annotated[tuple["Predicate", ...], Meta(min_length=1)] | None = None
    not_: "Predicate | None" = field(default=None, name="not")
    condition: Name | None = None
    age: Age | None = None
    sex: Sex | None = None
    seen_within_months: Months | None = None
    measured: Name | None = None
    value: Comparison | None = None
    answer: Finding | None = None
    sustained: Sustained | None = None
    change: Change | None = None
    growth: Growth | None = None

    def __post_init__(self) -> None:
        """Refuse none, or several, statements."""
        _one_of(self)

    @property
    def parts(self) -> tuple["Predicate", ...]:
        """Return the predicates that this one combines; none for a leaf."""
        if self.not_ is not None:
            return (self.not_,)
        return self.all or self.any or ()


class UnitConversion(Word, frozen=True, kw_only=True):
    """A unit of this one observable: ``value * factor + offset`` is canonical."""

    unit: Text
    factor: float
    offset: float = 0.0
    source: Text


class Observable(Word, frozen=True, kw_only=True):
    """
    What Observations of some codes find: a number, or one of ordered answers.

    ``codes`` names a value set. ``unit`` is the canonical UCUM code; ``answers`` stand
    from the lowest to the highest.
    """

    codes: Name
    unit: Text | None = None
    answers: tuple[PlainCode, ...] = ()
    tie: Tie
    conversions: tuple[UnitConversion, ...] = ()


class Component(Word, frozen=True, kw_only=True):
    """An observable's part in a composite; more than ``cap`` counts as ``cap``."""

    cap: float | None = None


class Composite(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    Observables taken together, each of them needed; its value is their sum.

    Together is at one visit, else on one day; or ``within_days`` of the last of them,
    each with its latest value.
    """

    components: Annotated[dict[Name, Component], Meta(min_length=2)]
    within_days: Annotated[int, Meta(ge=1, le=366)] | None = None


class Stratifier(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    What people are told apart by; exactly one field. Its strata add up to the total.

    ``age_band``: n bounds make n + 1 bands. ``sex``. ``condition``: value sets by the
    name of their stratum, the first that is active counts. ``answer``: the latest one
    ever to an observable. One more stratum is for who is in none of them.
    """

    age_band: Annotated[tuple[Years, ...], Meta(min_length=1, max_length=8)] | None = (
        None
    )
    sex: Yes | None = None
    condition: Annotated[dict[Name, Name], Meta(min_length=1, max_length=8)] | None = (
        None
    )
    answer: Name | None = None

    def __post_init__(self) -> None:
        """Refuse none, or several, kinds."""
        _one_of(self)


class Index(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    The event that a window is counted from; exactly one kind.

    ``condition``: its onset, to the month. ``visit``: a qualifying visit. Or a day on
    which something was measured, had a value or an answer. The first ever; or each that
    follows ``first_in_months`` without one.
    """

    condition: Name | None = None
    visit: Yes | None = None
    measured: Name | None = None
    value: Comparison | None = None
    answer: Finding | None = None
    first_in_months: Months | None = None

    def __post_init__(self) -> None:
        """Refuse none, or several, kinds of event."""
        _one_of(self, leaving_out=("first_in_months",))

    @property
    def status(self) -> Predicate | None:
        """Return what an assessment must be to be the event, or None."""
        if self.condition is not None or self.visit is not None:
            return None
        return Predicate(measured=self.measured, value=self.value, answer=self.answer)


class Window(Word, frozen=True, kw_only=True, omit_defaults=True):
    """When after an index event, in days or in calendar months, both ends included."""

    from_days: Annotated[int, Meta(ge=-3660, le=3660)] | None = None
    to_days: Annotated[int, Meta(ge=-3660, le=3660)] | None = None
    from_months: Annotated[int, Meta(ge=-120, le=120)] | None = None
    to_months: Annotated[int, Meta(ge=-120, le=120)] | None = None

    @property
    def in_days(self) -> bool:
        """Return whether it is in days."""
        return self.from_days is not None

    def __post_init__(self) -> None:
        """Refuse anything but two days, or two months."""
        given = [name for name, _ in _stated(self)]
        if given not in (["from_days", "to_days"], ["from_months", "to_months"]):
            msg = "Say from_days and to_days, or from_months and to_months"
            raise ValueError(msg)


class MeasureObservation(Word, frozen=True, kw_only=True):
    """
    The number of a continuous variable, and the grid of its histogram.

    Values beyond ``from`` and ``to`` count as these; a bin is ``step`` wide.
    """

    of: Reference
    from_: float = field(name="from")
    to: float
    step: float


class Between(StrEnum):
    """What is counted between one event and the next."""

    DAYS = "days"
    OPPORTUNITIES = "opportunities"


class Summary(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    Counts that a clinic sends ready made: events, per exposure or between each other.

    Both name value sets; the rate is ``per`` * events / exposure. ``unit`` is the
    canonical UCUM code of the exposure: ``d`` for line days.
    """

    events: Name
    exposure: Name | None = None
    unit: Text = "1"
    per: Annotated[int, Meta(ge=1)] = 1
    between: Between | None = None
    no_events_means_zero: bool = False


class Target(Word, frozen=True, kw_only=True, omit_defaults=True):
    """A published aim and who published it: a proportion, 0-1, or another value."""

    proportion: Annotated[float, Meta(ge=0, le=1)] | None = None
    value: float | None = None
    citation: Text

    def __post_init__(self) -> None:
        """Refuse none, or both."""
        _one_of(self, leaving_out=("citation",))

    @property
    def aim(self) -> float:
        """Return the number to reach, whichever kind it is."""
        aim = self.value if self.proportion is None else self.proportion
        assert aim is not None
        return aim


class Membership(StrEnum):
    """The innermost population a person is in; where need be, that no value was."""

    NONE = "none"
    EXCLUDED = "excluded"
    EXCEPTED = "excepted"
    UNSCORED_EXCEPTED = "unscored-excepted"
    POPULATION = "population"
    DENOMINATOR = "denominator"
    NUMERATOR = "numerator"
    UNSCORED_DENOMINATOR = "unscored-denominator"
    UNSCORED_NUMERATOR = "unscored-numerator"


class ExampleCondition(Word, frozen=True, kw_only=True):
    """A condition; no ``from`` means since ever."""

    code: PlainCode
    from_: Month | None = field(default=None, name="from")
    until: Month | None = None


Reading = float | str | tuple[float | str, ...]
Readings = dict[Name, Reading]


class Example(Word, frozen=True, kw_only=True):
    """
    A patient with facts, and where the measure must put them.

    ``visits`` are qualifying visits with what was found there; ``values`` were found
    outside any visit. ``expect`` names months, quarters (2024-Q1) and years: the
    population, or the value of a continuous variable. ``cut_off_set`` is the one that
    it is an example of, if not the default.
    """

    title: Text
    born: Month | None = None
    died: Month | None = None
    sex: Sex | None = None
    conditions: tuple[ExampleCondition, ...] = ()
    visits: dict[date, Readings] = {}
    values: dict[date, Readings] = {}
    expect: Annotated[dict[IntervalName, Membership | float], Meta(min_length=1)]
    cut_off_set: Name | None = None


class Scoring(StrEnum):
    """What is made of the counts, in FHIR's words."""

    PROPORTION = "proportion"
    CONTINUOUS_VARIABLE = "continuous-variable"
    RATIO = "ratio"


class Measure(Word, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """
    One measure.

    The population is the initial population without exclusions; those of it for whom
    ``scorable`` holds are scored. The denominator is the scored part, or everybody in
    the population, without the exceptions: who does not meet the numerator and has an
    excuse. The numerator is the part of the denominator that meets ``numerator``.
    Completeness is scored / population.

    A continuous variable has no numerator, and summaries have no people at all.
    ``variant_of`` and ``value_set_versions`` are for the loader to say.
    """

    id: Name
    version: Version
    title: Text
    description: Text
    tags: tuple[Name, ...] = ()
    basis: Basis
    look_back_months: Months | None = None
    scoring: Scoring
    improvement_notation: ImprovementNotation
    target: Target | None = None
    cut_off_set: Name | None = None
    cut_off_sets: dict[Name, dict[Name, float]] = {}
    visit_classes: Name = "qualifying-visit"
    value_sets: dict[Name, Annotated[tuple[Code, ...], Meta(min_length=1)]] = {}
    observables: dict[Name, Observable] = {}
    composites: dict[Name, Composite] = {}
    index: Index | None = None
    window: Window | None = None
    initial_population: Predicate | None = None
    denominator_exclusion: Predicate | None = None
    scorable: Predicate | None = None
    denominator: Literal["scorable", "population"] = "scorable"
    denominator_exception: Predicate | None = None
    numerator: Predicate | None = None
    measure_observation: MeasureObservation | None = None
    summary: Summary | None = None
    stratifiers: Annotated[dict[Name, Stratifier], Meta(max_length=4)] = {}
    subset_of: tuple[Name, ...] = ()
    sum_of: tuple[Name, ...] = ()
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    examples: tuple[Example, ...] = ()
    variant_of: Name | None = None
    value_set_versions: dict[Name, str] = {}

    @property
    def predicates(self) -> dict[str, Predicate]:
        """
        Return the definition's predicates by field.

        Who can be scored in a continuous variable is, unless it says otherwise, for
        whom it was measured.
        """
        stated = {name: getattr(self, name) for name in PREDICATES}
        if self.measure_observation is not None and self.scorable is None:
            observed, _, _ = self.measure_observation.of.partition(".")
            stated["scorable"] = Predicate(measured=observed)
        return {name: found for name, found in stated.items() if found is not None}

    @cached_property
    def digest(self) -> str:
        """
        Return the SHA-256 of all that its counts depend on, in canonical form.

        Wording, sources and examples are left out: a better title is not a new series.
        """
        content = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in _WORDING
        }
        # The order of strata is part of what they mean, and JSON objects have none.
        content["stratifiers"] = [
            (name, msgspec.to_builtins(each), list(each.condition or ()))
            for name, each in self.stratifiers.items()
        ]
        return sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


PREDICATES = (
    "initial_population",
    "denominator_exclusion",
    "scorable",
    "denominator_exception",
    "numerator",
)
"""The fields that hold a predicate, in the order in which they are applied."""

LOADED = ("variant_of", "value_set_versions")
"""The fields that no text may set."""

_WORDING = {
    "title",
    "description",
    "tags",
    "improvement_notation",
    "target",
    "cut_off_sets",
    "subset_of",
    "sum_of",
    "sources",
    "examples",
    *LOADED,
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a definition, for editors and other programs."""
    schema = msgspec.json.schema(Measure)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    words = schema["$defs"]
    for name, fields in (
        ("Predicate", 1),
        ("Stratifier", 1),
        ("Comparison", 2),
        ("Change", 2),
        ("Target", 2),
        ("Growth", 3),
        ("Sustained", 3),
    ):
        words[name] |= {"minProperties": fields, "maxProperties": fields}
    for name in LOADED:
        del words["Measure"]["properties"][name]
    return schema


def coding_of(code: str) -> Coding:
    """Return the coding that a definition writes as ``system|code``."""
    system, _, rest = code.partition("|")
    return Coding(SYSTEMS[system], rest)


def thousandths(number: float) -> int:
    """Return *number* in thousandths, or refuse one that is finer."""
    scaled = Decimal(str(number)) * 1000
    if not scaled.is_finite() or scaled != int(scaled):
        msg = f"{number} is finer than thousandths: round it to three decimals"
        raise MeasureDefinitionError(msg)
    return int(scaled)


def _stated(
    word: msgspec.Struct, *, leaving_out: tuple[str, ...] = ()
) -> list[tuple[str, Any]]:
    """Return the fields that are set, with their values."""
    fields = ((name, getattr(word, name)) for name in word.__struct_fields__)
    return [
        (name, value)
        for name, value in fields
        if name not in leaving_out and value is not None
    ]


def _one_of(word: msgspec.Struct, *, leaving_out: tuple[str, ...] = ()) -> None:
    """Refuse a word in which not exactly one of several fields is set."""
    if len(_stated(word, leaving_out=leaving_out)) == 1:
        return
    choices = [n for n in word.__struct_encode_fields__ if n not in leaving_out]
    msg = f"Say exactly one of: {', '.join(choices)}"
    raise ValueError(msg)

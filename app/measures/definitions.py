"""
Measure definitions: the words of a small closed language.

The types are the one source of the language: ``measure.schema.json`` is made from
them, and a text is checked by being turned into them. What no type can say (that a
name is known, that ages ascend) stands in ``app.measures.checks``.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Literal

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


class Comparison(Word, frozen=True, kw_only=True, omit_defaults=True):
    """A value, in its canonical unit, against one cut-off."""

    of: Reference
    below: float | None = None
    at_most: float | None = None
    exactly: float | None = None
    at_least: float | None = None
    above: float | None = None

    @property
    def cut_off(self) -> tuple[str, float]:
        """Return the word and the number of the one comparison that is made."""
        ((word, number),) = _stated(self, leaving_out=("of",))
        return word, number

    def __post_init__(self) -> None:
        """Refuse none, or several, comparisons."""
        _one_of(self, leaving_out=("of",))


class Finding(Word, frozen=True, kw_only=True):
    """A coded answer among some of its observable's answers."""

    of: Name
    among: Annotated[tuple[PlainCode, ...], Meta(min_length=1)] = field(name="in")


class Predicate(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    What may hold of a person at a month's end, or of a visit; exactly one field.

    ``condition`` names a value set; ``measured`` an observable or composite.
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


class Composite(Word, frozen=True, kw_only=True):
    """Observables taken at one visit, each of them needed; its value is their sum."""

    components: Annotated[dict[Name, Component], Meta(min_length=2)]


class Stratifier(Word, frozen=True, kw_only=True):
    """Age bands; n bounds make n + 1 bands, and one more for an unknown age."""

    age_band: Annotated[tuple[Years, ...], Meta(min_length=1, max_length=8)]


class Target(Word, frozen=True, kw_only=True):
    """A published aim, 0-1, and who published it."""

    proportion: Annotated[float, Meta(ge=0, le=1)]
    citation: Text


class Membership(StrEnum):
    """The innermost population a person is in; where need be, that no value was."""

    NONE = "none"
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
    outside any visit. ``expect`` names months, quarters (2024-Q1) and years.
    """

    title: Text
    born: Month | None = None
    died: Month | None = None
    sex: Sex | None = None
    conditions: tuple[ExampleCondition, ...] = ()
    visits: dict[date, Readings] = {}
    values: dict[date, Readings] = {}
    expect: Annotated[dict[IntervalName, Membership], Meta(min_length=1)]


class Measure(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    One measure.

    The population is the initial population without exclusions; those of it for whom
    ``scorable`` holds are scored. The denominator is the scored part, or everybody in
    the population; the numerator the part of the denominator that meets ``numerator``.
    Completeness is scored / population.
    """

    id: Name
    version: Version
    title: Text
    description: Text
    tags: tuple[Name, ...] = ()
    basis: Basis
    look_back_months: Months | None = None
    scoring: Literal["proportion"]
    improvement_notation: ImprovementNotation
    target: Target | None = None
    cut_off_set: Name | None = None
    visit_classes: Name = "qualifying-visit"
    value_sets: dict[Name, Annotated[tuple[Code, ...], Meta(min_length=1)]] = {}
    observables: dict[Name, Observable] = {}
    composites: dict[Name, Composite] = {}
    initial_population: Predicate
    denominator_exclusion: Predicate | None = None
    scorable: Predicate
    denominator: Literal["scorable", "population"] = "scorable"
    numerator: Predicate
    stratifier: Stratifier | None = None
    subset_of: tuple[Name, ...] = ()
    sum_of: tuple[Name, ...] = ()
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    examples: Annotated[tuple[Example, ...], Meta(min_length=1)]

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """Return the definition's own predicates, without their parts."""
        stated = (self.initial_population, self.scorable, self.numerator)
        exclusion = self.denominator_exclusion
        return stated if exclusion is None else (*stated, exclusion)

    @property
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
        return sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


_WORDING = {
    "title",
    "description",
    "tags",
    "improvement_notation",
    "target",
    "subset_of",
    "sum_of",
    "sources",
    "examples",
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a definition, for editors and other programs."""
    schema = msgspec.json.schema(Measure)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$defs"]["Predicate"] |= {"minProperties": 1, "maxProperties": 1}
    schema["$defs"]["Comparison"] |= {"minProperties": 2, "maxProperties": 2}
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

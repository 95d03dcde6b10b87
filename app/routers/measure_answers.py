"""Measures and their definitions, as answers."""

from typing import Any, Literal

from pydantic import Field

from app.domain.counts import Basis
from app.routers.answers import Answer
from app.services.catalogue import MeasurePage


class MeasureSummary(Answer):
    """One line of the catalogue."""

    id: str
    version: str
    title: str
    basis: Basis
    scoring: Literal["proportion", "continuous-variable", "ratio"]
    unit: str | None = Field(
        default=None, description="UCUM, of a continuous variable; 1 if it has none."
    )
    improvement_notation: Literal["increase", "decrease"]
    per: int | None = Field(
        default=None, description="Of a rate: values are events per so much exposure."
    )
    cut_off_set: str | None = None
    variant_of: str | None = Field(
        default=None,
        description="The measure of which this is another cut-off set: a clinic sees "
        "its own live numbers of it, and nobody anything of others.",
    )
    digest: str = Field(description="SHA-256 of all that its counts depend on.")
    value_sets: dict[str, str] = Field(
        description="The version of each value set that it uses."
    )
    tags: list[str] = Field(default=[])
    not_answered: list[str] = Field(
        default=[],
        description="Why the policy keeps too little for it: it has no numbers here.",
    )


class Target(Answer):
    """A published aim and who published it; no ``proportion`` if values are means."""

    proportion: float | None
    value: float
    citation: str


class MeasureDefinition(MeasureSummary):
    """A definition, in words and as the data it is."""

    description: str
    explanation: str = Field(description="What it counts, in plain sentences.")
    target: Target | None = None
    strata: list[str] = Field(description="Values of the parameter stratum.")
    stratifiers: dict[str, list[str]] = Field(
        description="The strata of each stratifier, which add up to the total."
    )
    lacking: list[str] = Field(description="What people may lack to be scored.")
    subset_of: list[str] = Field(default=[])
    sum_of: list[str] = Field(default=[])
    sources: list[str] = Field(default=[])
    definition: dict[str, Any] = Field(description="The definition itself.")


class Catalogue(Answer):
    """Every measure that is served."""

    measures: list[MeasureSummary]


def summary(page: MeasurePage) -> MeasureSummary:
    """Return a measure as one line of the catalogue."""
    names = MeasureSummary.model_fields.keys() - {"unit", "per"}
    return MeasureSummary(
        **{name: getattr(page, name) for name in names},
        unit=page.scale.unit,
        per=page.scale.per,
    )


def definition(page: MeasurePage) -> MeasureDefinition:
    """Return a measure in words and as data."""
    line = summary(page)
    names = MeasureDefinition.model_fields.keys() - line.model_fields_set
    fields = {name: getattr(page, name) for name in names - {"target"}}
    return MeasureDefinition(**dict(line), **fields, target=target(page))


def target(page: MeasurePage) -> Target | None:
    """Return the published aim of a measure, if there is one."""
    if page.target is None:
        return None
    value, citation = page.target
    return Target(
        proportion=value if page.scale.is_proportion else None,
        value=value,
        citation=citation,
    )

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.basis import Basis, check_basis
from ..models.measure_definition_improvement_notation import (
    MeasureDefinitionImprovementNotation,
    check_measure_definition_improvement_notation,
)
from ..models.measure_definition_scoring import (
    MeasureDefinitionScoring,
    check_measure_definition_scoring,
)
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.measure_definition_definition import MeasureDefinitionDefinition
    from ..models.measure_definition_stratifiers import MeasureDefinitionStratifiers
    from ..models.measure_definition_value_sets import MeasureDefinitionValueSets
    from ..models.target import Target


T = TypeVar("T", bound="MeasureDefinition")


@_attrs_define
class MeasureDefinition:
    """A definition, in words and as the data it is."""

    basis: Basis
    """ What one unit of a measure is. """
    definition: MeasureDefinitionDefinition
    """ The definition itself. """
    description: str
    digest: str
    """ SHA-256 of all that its counts depend on. """
    explanation: str
    """ What it counts, in plain sentences. """
    id: str
    improvement_notation: MeasureDefinitionImprovementNotation
    lacking: list[str]
    """ What people may lack to be scored. """
    scoring: MeasureDefinitionScoring
    strata: list[str]
    """ Values of the parameter stratum. """
    stratifiers: MeasureDefinitionStratifiers
    """ The strata of each stratifier, which add up to the total. """
    title: str
    value_sets: MeasureDefinitionValueSets
    """ The version of each value set that it uses. """
    version: str
    cut_off_set: None | str | Unset = UNSET
    not_answered: list[str] | Unset = UNSET
    """ Why the policy keeps too little for it: it has no numbers here. """
    per: int | None | Unset = UNSET
    """ Of a rate: values are events per so much exposure. """
    sources: list[str] | Unset = UNSET
    subset_of: list[str] | Unset = UNSET
    sum_of: list[str] | Unset = UNSET
    tags: list[str] | Unset = UNSET
    target: None | Target | Unset = UNSET
    unit: None | str | Unset = UNSET
    """ UCUM, of a continuous variable; 1 if it has none. """
    variant_of: None | str | Unset = UNSET
    """ The measure of which this is another cut-off set: a clinic sees its own live numbers of it, and nobody
    anything of others. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.target import Target  # noqa: PLC0415

        basis: str = self.basis

        definition = self.definition.to_dict()

        description = self.description

        digest = self.digest

        explanation = self.explanation

        id = self.id

        improvement_notation: str = self.improvement_notation

        lacking = self.lacking

        scoring: str = self.scoring

        strata = self.strata

        stratifiers = self.stratifiers.to_dict()

        title = self.title

        value_sets = self.value_sets.to_dict()

        version = self.version

        cut_off_set: None | str | Unset
        if isinstance(self.cut_off_set, Unset):
            cut_off_set = UNSET
        else:
            cut_off_set = self.cut_off_set

        not_answered: list[str] | Unset = UNSET
        if not isinstance(self.not_answered, Unset):
            not_answered = self.not_answered

        per: int | None | Unset
        if isinstance(self.per, Unset):
            per = UNSET
        else:
            per = self.per

        sources: list[str] | Unset = UNSET
        if not isinstance(self.sources, Unset):
            sources = self.sources

        subset_of: list[str] | Unset = UNSET
        if not isinstance(self.subset_of, Unset):
            subset_of = self.subset_of

        sum_of: list[str] | Unset = UNSET
        if not isinstance(self.sum_of, Unset):
            sum_of = self.sum_of

        tags: list[str] | Unset = UNSET
        if not isinstance(self.tags, Unset):
            tags = self.tags

        target: dict[str, Any] | None | Unset
        if isinstance(self.target, Unset):
            target = UNSET
        elif isinstance(self.target, Target):
            target = self.target.to_dict()
        else:
            target = self.target

        unit: None | str | Unset
        if isinstance(self.unit, Unset):
            unit = UNSET
        else:
            unit = self.unit

        variant_of: None | str | Unset
        if isinstance(self.variant_of, Unset):
            variant_of = UNSET
        else:
            variant_of = self.variant_of

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "basis": basis,
                "definition": definition,
                "description": description,
                "digest": digest,
                "explanation": explanation,
                "id": id,
                "improvement_notation": improvement_notation,
                "lacking": lacking,
                "scoring": scoring,
                "strata": strata,
                "stratifiers": stratifiers,
                "title": title,
                "value_sets": value_sets,
                "version": version,
            }
        )
        if cut_off_set is not UNSET:
            field_dict["cut_off_set"] = cut_off_set
        if not_answered is not UNSET:
            field_dict["not_answered"] = not_answered
        if per is not UNSET:
            field_dict["per"] = per
        if sources is not UNSET:
            field_dict["sources"] = sources
        if subset_of is not UNSET:
            field_dict["subset_of"] = subset_of
        if sum_of is not UNSET:
            field_dict["sum_of"] = sum_of
        if tags is not UNSET:
            field_dict["tags"] = tags
        if target is not UNSET:
            field_dict["target"] = target
        if unit is not UNSET:
            field_dict["unit"] = unit
        if variant_of is not UNSET:
            field_dict["variant_of"] = variant_of

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.measure_definition_definition import MeasureDefinitionDefinition  # noqa: PLC0415
        from ..models.measure_definition_stratifiers import MeasureDefinitionStratifiers  # noqa: PLC0415
        from ..models.measure_definition_value_sets import MeasureDefinitionValueSets  # noqa: PLC0415
        from ..models.target import Target  # noqa: PLC0415

        rest = dict(src_dict)
        basis = check_basis(rest.pop("basis"))

        definition = MeasureDefinitionDefinition.from_dict(rest.pop("definition"))

        description = rest.pop("description")

        digest = rest.pop("digest")

        explanation = rest.pop("explanation")

        id = rest.pop("id")

        improvement_notation = check_measure_definition_improvement_notation(
            rest.pop("improvement_notation")
        )

        lacking = cast(list[str], rest.pop("lacking"))

        scoring = check_measure_definition_scoring(rest.pop("scoring"))

        strata = cast(list[str], rest.pop("strata"))

        stratifiers = MeasureDefinitionStratifiers.from_dict(rest.pop("stratifiers"))

        title = rest.pop("title")

        value_sets = MeasureDefinitionValueSets.from_dict(rest.pop("value_sets"))

        version = rest.pop("version")

        def _parse_cut_off_set(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cut_off_set = _parse_cut_off_set(rest.pop("cut_off_set", UNSET))

        not_answered = cast(list[str], rest.pop("not_answered", UNSET))

        def _parse_per(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        per = _parse_per(rest.pop("per", UNSET))

        sources = cast(list[str], rest.pop("sources", UNSET))

        subset_of = cast(list[str], rest.pop("subset_of", UNSET))

        sum_of = cast(list[str], rest.pop("sum_of", UNSET))

        tags = cast(list[str], rest.pop("tags", UNSET))

        def _parse_target(data: object) -> None | Target | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                target_type_0 = Target.from_dict(data)

                return target_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Target | Unset, data)

        target = _parse_target(rest.pop("target", UNSET))

        def _parse_unit(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        unit = _parse_unit(rest.pop("unit", UNSET))

        def _parse_variant_of(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        variant_of = _parse_variant_of(rest.pop("variant_of", UNSET))

        measure_definition = cls(
            basis=basis,
            definition=definition,
            description=description,
            digest=digest,
            explanation=explanation,
            id=id,
            improvement_notation=improvement_notation,
            lacking=lacking,
            scoring=scoring,
            strata=strata,
            stratifiers=stratifiers,
            title=title,
            value_sets=value_sets,
            version=version,
            cut_off_set=cut_off_set,
            not_answered=not_answered,
            per=per,
            sources=sources,
            subset_of=subset_of,
            sum_of=sum_of,
            tags=tags,
            target=target,
            unit=unit,
            variant_of=variant_of,
        )

        measure_definition.additional_properties = rest
        return measure_definition

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties

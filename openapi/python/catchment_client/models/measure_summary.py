from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.basis import Basis, check_basis
from ..models.measure_summary_improvement_notation import (
    MeasureSummaryImprovementNotation,
    check_measure_summary_improvement_notation,
)
from ..models.measure_summary_scoring import (
    MeasureSummaryScoring,
    check_measure_summary_scoring,
)
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.measure_summary_value_sets import MeasureSummaryValueSets


T = TypeVar("T", bound="MeasureSummary")


@_attrs_define
class MeasureSummary:
    """One line of the catalogue."""

    basis: Basis
    """ What one unit of a measure is. """
    digest: str
    """ SHA-256 of all that its counts depend on. """
    id: str
    improvement_notation: MeasureSummaryImprovementNotation
    scoring: MeasureSummaryScoring
    title: str
    value_sets: MeasureSummaryValueSets
    """ The version of each value set that it uses. """
    version: str
    cut_off_set: None | str | Unset = UNSET
    not_answered: list[str] | Unset = UNSET
    """ Why the policy keeps too little for it: it has no numbers here. """
    per: int | None | Unset = UNSET
    """ Of a rate: values are events per so much exposure. """
    tags: list[str] | Unset = UNSET
    unit: None | str | Unset = UNSET
    """ UCUM, of a continuous variable; 1 if it has none. """
    variant_of: None | str | Unset = UNSET
    """ The measure of which this is another cut-off set: a clinic sees its own live numbers of it, and nobody
    anything of others. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        basis: str = self.basis

        digest = self.digest

        id = self.id

        improvement_notation: str = self.improvement_notation

        scoring: str = self.scoring

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

        tags: list[str] | Unset = UNSET
        if not isinstance(self.tags, Unset):
            tags = self.tags

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
                "digest": digest,
                "id": id,
                "improvement_notation": improvement_notation,
                "scoring": scoring,
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
        if tags is not UNSET:
            field_dict["tags"] = tags
        if unit is not UNSET:
            field_dict["unit"] = unit
        if variant_of is not UNSET:
            field_dict["variant_of"] = variant_of

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.measure_summary_value_sets import MeasureSummaryValueSets  # noqa: PLC0415

        rest = dict(src_dict)
        basis = check_basis(rest.pop("basis"))

        digest = rest.pop("digest")

        id = rest.pop("id")

        improvement_notation = check_measure_summary_improvement_notation(
            rest.pop("improvement_notation")
        )

        scoring = check_measure_summary_scoring(rest.pop("scoring"))

        title = rest.pop("title")

        value_sets = MeasureSummaryValueSets.from_dict(rest.pop("value_sets"))

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

        tags = cast(list[str], rest.pop("tags", UNSET))

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

        measure_summary = cls(
            basis=basis,
            digest=digest,
            id=id,
            improvement_notation=improvement_notation,
            scoring=scoring,
            title=title,
            value_sets=value_sets,
            version=version,
            cut_off_set=cut_off_set,
            not_answered=not_answered,
            per=per,
            tags=tags,
            unit=unit,
            variant_of=variant_of,
        )

        measure_summary.additional_properties = rest
        return measure_summary

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

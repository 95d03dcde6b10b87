from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.basis import Basis, check_basis
from ..models.measure_summary_improvement_notation import (
    MeasureSummaryImprovementNotation,
    check_measure_summary_improvement_notation,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="MeasureSummary")


@_attrs_define
class MeasureSummary:
    """One line of the catalogue."""

    basis: Basis
    """ What one unit of a measure is. """
    id: str
    improvement_notation: MeasureSummaryImprovementNotation
    title: str
    version: str
    cut_off_set: None | str | Unset = UNSET
    per: int | None | Unset = UNSET
    """ Of a rate: values are events per so much exposure. """
    tags: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        basis: str = self.basis

        id = self.id

        improvement_notation: str = self.improvement_notation

        title = self.title

        version = self.version

        cut_off_set: None | str | Unset
        if isinstance(self.cut_off_set, Unset):
            cut_off_set = UNSET
        else:
            cut_off_set = self.cut_off_set

        per: int | None | Unset
        if isinstance(self.per, Unset):
            per = UNSET
        else:
            per = self.per

        tags: list[str] | Unset = UNSET
        if not isinstance(self.tags, Unset):
            tags = self.tags

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "basis": basis,
                "id": id,
                "improvement_notation": improvement_notation,
                "title": title,
                "version": version,
            }
        )
        if cut_off_set is not UNSET:
            field_dict["cut_off_set"] = cut_off_set
        if per is not UNSET:
            field_dict["per"] = per
        if tags is not UNSET:
            field_dict["tags"] = tags

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        basis = check_basis(rest.pop("basis"))

        id = rest.pop("id")

        improvement_notation = check_measure_summary_improvement_notation(
            rest.pop("improvement_notation")
        )

        title = rest.pop("title")

        version = rest.pop("version")

        def _parse_cut_off_set(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cut_off_set = _parse_cut_off_set(rest.pop("cut_off_set", UNSET))

        def _parse_per(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        per = _parse_per(rest.pop("per", UNSET))

        tags = cast(list[str], rest.pop("tags", UNSET))

        measure_summary = cls(
            basis=basis,
            id=id,
            improvement_notation=improvement_notation,
            title=title,
            version=version,
            cut_off_set=cut_off_set,
            per=per,
            tags=tags,
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

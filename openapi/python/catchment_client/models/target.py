from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Target")


@_attrs_define
class Target:
    """A published aim and who published it; no ``proportion`` if values are means."""

    citation: str
    proportion: float | None
    value: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        citation = self.citation

        proportion: float | None
        proportion = self.proportion

        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "citation": citation,
                "proportion": proportion,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        citation = rest.pop("citation")

        def _parse_proportion(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        proportion = _parse_proportion(rest.pop("proportion"))

        value = rest.pop("value")

        target = cls(
            citation=citation,
            proportion=proportion,
            value=value,
        )

        target.additional_properties = rest
        return target

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

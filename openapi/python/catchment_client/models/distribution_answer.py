from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="DistributionAnswer")


@_attrs_define
class DistributionAnswer:
    """How the clinics' shares are spread, 0-1 to the whole per cent; none is named."""

    clinics: int
    lower_quartile: float
    median: float
    upper_quartile: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        clinics = self.clinics

        lower_quartile = self.lower_quartile

        median = self.median

        upper_quartile = self.upper_quartile

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "clinics": clinics,
                "lower_quartile": lower_quartile,
                "median": median,
                "upper_quartile": upper_quartile,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        clinics = rest.pop("clinics")

        lower_quartile = rest.pop("lower_quartile")

        median = rest.pop("median")

        upper_quartile = rest.pop("upper_quartile")

        distribution_answer = cls(
            clinics=clinics,
            lower_quartile=lower_quartile,
            median=median,
            upper_quartile=upper_quartile,
        )

        distribution_answer.additional_properties = rest
        return distribution_answer

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

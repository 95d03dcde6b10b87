from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="FunnelLimitsAnswer")


@_attrs_define
class FunnelLimitsAnswer:
    """Limits at one denominator."""

    denominator: float
    lower_95: float
    lower_998: float
    upper_95: float
    upper_998: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        denominator = self.denominator

        lower_95 = self.lower_95

        lower_998 = self.lower_998

        upper_95 = self.upper_95

        upper_998 = self.upper_998

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "denominator": denominator,
                "lower_95": lower_95,
                "lower_998": lower_998,
                "upper_95": upper_95,
                "upper_998": upper_998,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        denominator = rest.pop("denominator")

        lower_95 = rest.pop("lower_95")

        lower_998 = rest.pop("lower_998")

        upper_95 = rest.pop("upper_95")

        upper_998 = rest.pop("upper_998")

        funnel_limits_answer = cls(
            denominator=denominator,
            lower_95=lower_95,
            lower_998=lower_998,
            upper_95=upper_95,
            upper_998=upper_998,
        )

        funnel_limits_answer.additional_properties = rest
        return funnel_limits_answer

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

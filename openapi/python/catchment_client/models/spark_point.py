from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.withheld import Withheld, check_withheld

T = TypeVar("T", bound="SparkPoint")


@_attrs_define
class SparkPoint:
    """One value of a spark line; null where ``reason`` says why."""

    interval_start: datetime.date
    provisional: bool
    reason: None | Withheld
    value: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        interval_start = self.interval_start.isoformat()

        provisional = self.provisional

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        value: float | None
        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "interval_start": interval_start,
                "provisional": provisional,
                "reason": reason,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        provisional = rest.pop("provisional")

        def _parse_reason(data: object) -> None | Withheld:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_withheld(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Withheld, data)

        reason = _parse_reason(rest.pop("reason"))

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(rest.pop("value"))

        spark_point = cls(
            interval_start=interval_start,
            provisional=provisional,
            reason=reason,
            value=value,
        )

        spark_point.additional_properties = rest
        return spark_point

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

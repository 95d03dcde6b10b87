from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ExpectedAnswer")


@_attrs_define
class ExpectedAnswer:
    """The project's clinics in one interval after they began."""

    expected: float
    interval_start: datetime.date
    observed: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        expected = self.expected

        interval_start = self.interval_start.isoformat()

        observed = self.observed

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "expected": expected,
                "interval_start": interval_start,
                "observed": observed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        expected = rest.pop("expected")

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        observed = rest.pop("observed")

        expected_answer = cls(
            expected=expected,
            interval_start=interval_start,
            observed=observed,
        )

        expected_answer.additional_properties = rest
        return expected_answer

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

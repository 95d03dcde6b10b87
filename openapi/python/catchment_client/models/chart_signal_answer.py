from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ChartSignalAnswer")


@_attrs_define
class ChartSignalAnswer:
    """One finding of a rule, and the intervals that make it."""

    intervals: list[datetime.date]
    phase: int
    rule: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        intervals = []
        for intervals_item_data in self.intervals:
            intervals_item = intervals_item_data.isoformat()
            intervals.append(intervals_item)

        phase = self.phase

        rule = self.rule

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "intervals": intervals,
                "phase": phase,
                "rule": rule,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        intervals = []
        _intervals = rest.pop("intervals")
        for intervals_item_data in _intervals:
            intervals_item = datetime.date.fromisoformat(intervals_item_data)

            intervals.append(intervals_item)

        phase = rest.pop("phase")

        rule = rest.pop("rule")

        chart_signal_answer = cls(
            intervals=intervals,
            phase=phase,
            rule=rule,
        )

        chart_signal_answer.additional_properties = rest
        return chart_signal_answer

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

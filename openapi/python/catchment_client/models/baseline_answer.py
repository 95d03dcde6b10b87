from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="BaselineAnswer")


@_attrs_define
class BaselineAnswer:
    """The points that the lines of a phase come from."""

    first: datetime.date
    frozen: bool
    last: datetime.date
    phase: int
    points: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        first = self.first.isoformat()

        frozen = self.frozen

        last = self.last.isoformat()

        phase = self.phase

        points = self.points

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "first": first,
                "frozen": frozen,
                "last": last,
                "phase": phase,
                "points": points,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        first = datetime.date.fromisoformat(rest.pop("first"))

        frozen = rest.pop("frozen")

        last = datetime.date.fromisoformat(rest.pop("last"))

        phase = rest.pop("phase")

        points = rest.pop("points")

        baseline_answer = cls(
            first=first,
            frozen=frozen,
            last=last,
            phase=phase,
            points=points,
        )

        baseline_answer.additional_properties = rest
        return baseline_answer

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

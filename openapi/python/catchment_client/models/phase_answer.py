from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PhaseAnswer")


@_attrs_define
class PhaseAnswer:
    """A stretch with lines of its own; a frozen baseline ends before its end."""

    baseline_end: datetime.date | None
    phase: int
    start: datetime.date
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        baseline_end: None | str
        if isinstance(self.baseline_end, datetime.date):
            baseline_end = self.baseline_end.isoformat()
        else:
            baseline_end = self.baseline_end

        phase = self.phase

        start = self.start.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "baseline_end": baseline_end,
                "phase": phase,
                "start": start,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_baseline_end(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                baseline_end_type_0 = datetime.date.fromisoformat(data)

                return baseline_end_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        baseline_end = _parse_baseline_end(rest.pop("baseline_end"))

        phase = rest.pop("phase")

        start = datetime.date.fromisoformat(rest.pop("start"))

        phase_answer = cls(
            baseline_end=baseline_end,
            phase=phase,
            start=start,
        )

        phase_answer.additional_properties = rest
        return phase_answer

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

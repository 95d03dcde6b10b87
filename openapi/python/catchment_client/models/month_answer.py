from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.no_data import NoData, check_no_data

T = TypeVar("T", bound="MonthAnswer")


@_attrs_define
class MonthAnswer:
    """One month; null with a reason where nothing came of it."""

    interval_start: datetime.date
    observations: int | None
    reason: NoData | None
    unmapped: int | None
    visits: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        interval_start = self.interval_start.isoformat()

        observations: int | None
        observations = self.observations

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        unmapped: int | None
        unmapped = self.unmapped

        visits: int | None
        visits = self.visits

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "interval_start": interval_start,
                "observations": observations,
                "reason": reason,
                "unmapped": unmapped,
                "visits": visits,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        def _parse_observations(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        observations = _parse_observations(rest.pop("observations"))

        def _parse_reason(data: object) -> NoData | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_no_data(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NoData | None, data)

        reason = _parse_reason(rest.pop("reason"))

        def _parse_unmapped(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        unmapped = _parse_unmapped(rest.pop("unmapped"))

        def _parse_visits(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        visits = _parse_visits(rest.pop("visits"))

        month_answer = cls(
            interval_start=interval_start,
            observations=observations,
            reason=reason,
            unmapped=unmapped,
            visits=visits,
        )

        month_answer.additional_properties = rest
        return month_answer

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

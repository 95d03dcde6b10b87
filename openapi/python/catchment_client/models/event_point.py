from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.event_point_reason_type_0 import (
    EventPointReasonType0,
    check_event_point_reason_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="EventPoint")


@_attrs_define
class EventPoint:
    """An event, and what lay between the one before and it, with its lines.

    ``value`` is 0 between two events of one day, and null where ``reason`` says why.

    """

    center_line: float | None
    day: datetime.date
    lower_2_sigma: float | None
    lower_limit: float | None
    reason: EventPointReasonType0 | None
    signals: list[str]
    since: datetime.date
    """ The day of the event before. """
    upper_2_sigma: float | None
    upper_limit: float | None
    value: int | None
    """ Days, or opportunities, between the two. """
    phase: int | Unset = 1
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        center_line: float | None
        center_line = self.center_line

        day = self.day.isoformat()

        lower_2_sigma: float | None
        lower_2_sigma = self.lower_2_sigma

        lower_limit: float | None
        lower_limit = self.lower_limit

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        signals = self.signals

        since = self.since.isoformat()

        upper_2_sigma: float | None
        upper_2_sigma = self.upper_2_sigma

        upper_limit: float | None
        upper_limit = self.upper_limit

        value: int | None
        value = self.value

        phase = self.phase

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "center_line": center_line,
                "day": day,
                "lower_2_sigma": lower_2_sigma,
                "lower_limit": lower_limit,
                "reason": reason,
                "signals": signals,
                "since": since,
                "upper_2_sigma": upper_2_sigma,
                "upper_limit": upper_limit,
                "value": value,
            }
        )
        if phase is not UNSET:
            field_dict["phase"] = phase

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_center_line(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        center_line = _parse_center_line(rest.pop("center_line"))

        day = datetime.date.fromisoformat(rest.pop("day"))

        def _parse_lower_2_sigma(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower_2_sigma = _parse_lower_2_sigma(rest.pop("lower_2_sigma"))

        def _parse_lower_limit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower_limit = _parse_lower_limit(rest.pop("lower_limit"))

        def _parse_reason(data: object) -> EventPointReasonType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_event_point_reason_type_0(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EventPointReasonType0 | None, data)

        reason = _parse_reason(rest.pop("reason"))

        signals = cast(list[str], rest.pop("signals"))

        since = datetime.date.fromisoformat(rest.pop("since"))

        def _parse_upper_2_sigma(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper_2_sigma = _parse_upper_2_sigma(rest.pop("upper_2_sigma"))

        def _parse_upper_limit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper_limit = _parse_upper_limit(rest.pop("upper_limit"))

        def _parse_value(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        value = _parse_value(rest.pop("value"))

        phase = rest.pop("phase", UNSET)

        event_point = cls(
            center_line=center_line,
            day=day,
            lower_2_sigma=lower_2_sigma,
            lower_limit=lower_limit,
            reason=reason,
            signals=signals,
            since=since,
            upper_2_sigma=upper_2_sigma,
            upper_limit=upper_limit,
            value=value,
            phase=phase,
        )

        event_point.additional_properties = rest
        return event_point

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

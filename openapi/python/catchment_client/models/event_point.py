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

T = TypeVar("T", bound="EventPoint")


@_attrs_define
class EventPoint:
    """An event, and what lay between the one before and it.

    ``value`` is 0 between two events of one day, and null where ``reason`` says why.

    """

    day: datetime.date
    reason: EventPointReasonType0 | None
    since: datetime.date
    """ The day of the event before. """
    value: int | None
    """ Days, or opportunities, between the two. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        day = self.day.isoformat()

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        since = self.since.isoformat()

        value: int | None
        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "day": day,
                "reason": reason,
                "since": since,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        day = datetime.date.fromisoformat(rest.pop("day"))

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

        since = datetime.date.fromisoformat(rest.pop("since"))

        def _parse_value(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        value = _parse_value(rest.pop("value"))

        event_point = cls(
            day=day,
            reason=reason,
            since=since,
            value=value,
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

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="NetworkAnswer")


@_attrs_define
class NetworkAnswer:
    """The network's published value beside a clinic's."""

    d: float | int | None
    interval_end: datetime.date
    """ The first day after the interval. """
    interval_start: datetime.date
    n: float | int | None
    same_interval: bool
    """ False: of the clinic's interval none is published; this is the newest of that width. """
    value: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        d: float | int | None
        d = self.d

        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        n: float | int | None
        n = self.n

        same_interval = self.same_interval

        value: float | None
        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "d": d,
                "interval_end": interval_end,
                "interval_start": interval_start,
                "n": n,
                "same_interval": same_interval,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_d(data: object) -> float | int | None:
            if data is None:
                return data
            return cast(float | int | None, data)

        d = _parse_d(rest.pop("d"))

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        def _parse_n(data: object) -> float | int | None:
            if data is None:
                return data
            return cast(float | int | None, data)

        n = _parse_n(rest.pop("n"))

        same_interval = rest.pop("same_interval")

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(rest.pop("value"))

        network_answer = cls(
            d=d,
            interval_end=interval_end,
            interval_start=interval_start,
            n=n,
            same_interval=same_interval,
            value=value,
        )

        network_answer.additional_properties = rest
        return network_answer

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

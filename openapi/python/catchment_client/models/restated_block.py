from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RestatedBlock")


@_attrs_define
class RestatedBlock:
    """A span of a measure all of whose published numbers were made anew."""

    interval_end: datetime.date
    """ The first day after it. """
    interval_start: datetime.date
    measure: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        measure = self.measure

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "interval_end": interval_end,
                "interval_start": interval_start,
                "measure": measure,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        measure = rest.pop("measure")

        restated_block = cls(
            interval_end=interval_end,
            interval_start=interval_start,
            measure=measure,
        )

        restated_block.additional_properties = rest
        return restated_block

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

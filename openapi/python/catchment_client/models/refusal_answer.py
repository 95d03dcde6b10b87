from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RefusalAnswer")


@_attrs_define
class RefusalAnswer:
    """What was refused in the last 30 days, for what and at which element."""

    count: int
    element: None | str
    issue_type: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        count = self.count

        element: None | str
        element = self.element

        issue_type = self.issue_type

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "count": count,
                "element": element,
                "issue_type": issue_type,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        count = rest.pop("count")

        def _parse_element(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        element = _parse_element(rest.pop("element"))

        issue_type = rest.pop("issue_type")

        refusal_answer = cls(
            count=count,
            element=element,
            issue_type=issue_type,
        )

        refusal_answer.additional_properties = rest
        return refusal_answer

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

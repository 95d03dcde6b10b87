from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.assurance_answer_value_type_0 import (
    AssuranceAnswerValueType0,
    check_assurance_answer_value_type_0,
)

T = TypeVar("T", bound="AssuranceAnswer")


@_attrs_define
class AssuranceAnswer:
    """Whether a process that stays as it is meets the target; null: see the text."""

    target: float | None
    text: str
    value: AssuranceAnswerValueType0 | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        target: float | None
        target = self.target

        text = self.text

        value: None | str
        if isinstance(self.value, str):
            value = self.value
        else:
            value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "target": target,
                "text": text,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_target(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        target = _parse_target(rest.pop("target"))

        text = rest.pop("text")

        def _parse_value(data: object) -> AssuranceAnswerValueType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                value_type_0 = check_assurance_answer_value_type_0(data)

                return value_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AssuranceAnswerValueType0 | None, data)

        value = _parse_value(rest.pop("value"))

        assurance_answer = cls(
            target=target,
            text=text,
            value=value,
        )

        assurance_answer.additional_properties = rest
        return assurance_answer

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

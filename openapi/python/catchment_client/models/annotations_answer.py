from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.annotation_answer import AnnotationAnswer


T = TypeVar("T", bound="AnnotationsAnswer")


@_attrs_define
class AnnotationsAnswer:
    """Annotations in the order they were written."""

    annotations: list[AnnotationAnswer]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        annotations = []
        for annotations_item_data in self.annotations:
            annotations_item = annotations_item_data.to_dict()
            annotations.append(annotations_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "annotations": annotations,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.annotation_answer import AnnotationAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        annotations = []
        _annotations = rest.pop("annotations")
        for annotations_item_data in _annotations:
            annotations_item = AnnotationAnswer.from_dict(annotations_item_data)

            annotations.append(annotations_item)

        annotations_answer = cls(
            annotations=annotations,
        )

        annotations_answer.additional_properties = rest
        return annotations_answer

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.measure_summary import MeasureSummary
    from ..models.point import Point


T = TypeVar("T", bound="EarlierVersionAnswer")


@_attrs_define
class EarlierVersionAnswer:
    """What was published of a measure by a definition of before."""

    measure: MeasureSummary
    """ One line of the catalogue. """
    points: list[Point]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        measure = self.measure.to_dict()

        points = []
        for points_item_data in self.points:
            points_item = points_item_data.to_dict()
            points.append(points_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "measure": measure,
                "points": points,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415
        from ..models.point import Point  # noqa: PLC0415

        rest = dict(src_dict)
        measure = MeasureSummary.from_dict(rest.pop("measure"))

        points = []
        _points = rest.pop("points")
        for points_item_data in _points:
            points_item = Point.from_dict(points_item_data)

            points.append(points_item)

        earlier_version_answer = cls(
            measure=measure,
            points=points,
        )

        earlier_version_answer.additional_properties = rest
        return earlier_version_answer

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

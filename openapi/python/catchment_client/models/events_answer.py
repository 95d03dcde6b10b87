from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.events_answer_between import (
    EventsAnswerBetween,
    check_events_answer_between,
)

if TYPE_CHECKING:
    from ..models.event_point import EventPoint
    from ..models.measure_summary import MeasureSummary


T = TypeVar("T", bound="EventsAnswer")


@_attrs_define
class EventsAnswer:
    """A clinic's own events, for its own eyes."""

    between: EventsAnswerBetween
    clinic: str
    counted_up_to: datetime.datetime
    measure: MeasureSummary
    """ One line of the catalogue. """
    points: list[EventPoint]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        between: str = self.between

        clinic = self.clinic

        counted_up_to = self.counted_up_to.isoformat()

        measure = self.measure.to_dict()

        points = []
        for points_item_data in self.points:
            points_item = points_item_data.to_dict()
            points.append(points_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "between": between,
                "clinic": clinic,
                "counted_up_to": counted_up_to,
                "measure": measure,
                "points": points,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.event_point import EventPoint  # noqa: PLC0415
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415

        rest = dict(src_dict)
        between = check_events_answer_between(rest.pop("between"))

        clinic = rest.pop("clinic")

        counted_up_to = datetime.datetime.fromisoformat(rest.pop("counted_up_to"))

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        points = []
        _points = rest.pop("points")
        for points_item_data in _points:
            points_item = EventPoint.from_dict(points_item_data)

            points.append(points_item)

        events_answer = cls(
            between=between,
            clinic=clinic,
            counted_up_to=counted_up_to,
            measure=measure,
            points=points,
        )

        events_answer.additional_properties = rest
        return events_answer

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

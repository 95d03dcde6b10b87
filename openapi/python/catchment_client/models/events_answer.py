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
    from ..models.event_signal_answer import EventSignalAnswer
    from ..models.measure_summary import MeasureSummary
    from ..models.remark_answer import RemarkAnswer


T = TypeVar("T", bound="EventsAnswer")


@_attrs_define
class EventsAnswer:
    """A clinic's own events, for its own eyes, as a t or g chart.

    Between two events longer is better: a point above its upper limit is good news.

    """

    between: EventsAnswerBetween
    chart: str
    clinic: str
    counted_up_to: datetime.datetime
    explanation: str
    """ Why the limits are where they are. """
    measure: MeasureSummary
    """ One line of the catalogue. """
    points: list[EventPoint]
    reason: str
    """ Why it is that chart. """
    remarks: list[RemarkAnswer]
    rule_set: str
    rule_set_version: str
    sigma_method: str
    sigma_method_version: str
    signals: list[EventSignalAnswer]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        between: str = self.between

        chart = self.chart

        clinic = self.clinic

        counted_up_to = self.counted_up_to.isoformat()

        explanation = self.explanation

        measure = self.measure.to_dict()

        points = []
        for points_item_data in self.points:
            points_item = points_item_data.to_dict()
            points.append(points_item)

        reason = self.reason

        remarks = []
        for remarks_item_data in self.remarks:
            remarks_item = remarks_item_data.to_dict()
            remarks.append(remarks_item)

        rule_set = self.rule_set

        rule_set_version = self.rule_set_version

        sigma_method = self.sigma_method

        sigma_method_version = self.sigma_method_version

        signals = []
        for signals_item_data in self.signals:
            signals_item = signals_item_data.to_dict()
            signals.append(signals_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "between": between,
                "chart": chart,
                "clinic": clinic,
                "counted_up_to": counted_up_to,
                "explanation": explanation,
                "measure": measure,
                "points": points,
                "reason": reason,
                "remarks": remarks,
                "rule_set": rule_set,
                "rule_set_version": rule_set_version,
                "sigma_method": sigma_method,
                "sigma_method_version": sigma_method_version,
                "signals": signals,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.event_point import EventPoint  # noqa: PLC0415
        from ..models.event_signal_answer import EventSignalAnswer  # noqa: PLC0415
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415
        from ..models.remark_answer import RemarkAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        between = check_events_answer_between(rest.pop("between"))

        chart = rest.pop("chart")

        clinic = rest.pop("clinic")

        counted_up_to = datetime.datetime.fromisoformat(rest.pop("counted_up_to"))

        explanation = rest.pop("explanation")

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        points = []
        _points = rest.pop("points")
        for points_item_data in _points:
            points_item = EventPoint.from_dict(points_item_data)

            points.append(points_item)

        reason = rest.pop("reason")

        remarks = []
        _remarks = rest.pop("remarks")
        for remarks_item_data in _remarks:
            remarks_item = RemarkAnswer.from_dict(remarks_item_data)

            remarks.append(remarks_item)

        rule_set = rest.pop("rule_set")

        rule_set_version = rest.pop("rule_set_version")

        sigma_method = rest.pop("sigma_method")

        sigma_method_version = rest.pop("sigma_method_version")

        signals = []
        _signals = rest.pop("signals")
        for signals_item_data in _signals:
            signals_item = EventSignalAnswer.from_dict(signals_item_data)

            signals.append(signals_item)

        events_answer = cls(
            between=between,
            chart=chart,
            clinic=clinic,
            counted_up_to=counted_up_to,
            explanation=explanation,
            measure=measure,
            points=points,
            reason=reason,
            remarks=remarks,
            rule_set=rule_set,
            rule_set_version=rule_set_version,
            sigma_method=sigma_method,
            sigma_method_version=sigma_method_version,
            signals=signals,
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

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audience import Audience, check_audience
from ..models.chart_view import ChartView, check_chart_view
from ..models.interval import Interval, check_interval
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.annotation_answer import AnnotationAnswer
    from ..models.assurance_answer import AssuranceAnswer
    from ..models.baseline_answer import BaselineAnswer
    from ..models.chart_point_answer import ChartPointAnswer
    from ..models.chart_signal_answer import ChartSignalAnswer
    from ..models.measure_summary import MeasureSummary
    from ..models.phase_answer import PhaseAnswer
    from ..models.remark_answer import RemarkAnswer
    from ..models.shift_answer import ShiftAnswer


T = TypeVar("T", bound="ChartAnswer")


@_attrs_define
class ChartAnswer:
    """A control chart as numbers, with all that it was made by."""

    annotations: list[AnnotationAnswer]
    """ Tests of change in the time of the chart. """
    assurance: AssuranceAnswer
    """ Whether a process that stays as it is meets the target; null: see the text. """
    audience: Audience | None
    """ Null for a clinic's own live numbers. """
    baselines: list[BaselineAnswer]
    chart: str
    clinic: None | str
    """ Null for the network as a whole, or a cohort. """
    counted_up_to: datetime.datetime | None
    """ Live numbers hold all that came before. """
    exclusions: list[AnnotationAnswer]
    """ Decisions by which points are in no line and no run. """
    explanation: str
    """ Why the limits vary, or do not. """
    interval: Interval
    """ How long one point of a series is. """
    measure: MeasureSummary
    """ One line of the catalogue. """
    phases: list[PhaseAnswer]
    points: list[ChartPointAnswer]
    policy: str
    """ SHA-256 of the de-identification policy. """
    reason: str
    """ Why it is that chart. """
    release: int | None
    remarks: list[RemarkAnswer]
    rule_set: str
    rule_set_version: str
    """ Another version may find other signals in the same points. """
    sigma_method: str
    sigma_method_version: str
    sigma_z: float | None
    signals: list[ChartSignalAnswer]
    stratum: None | str
    suggested_shift: None | ShiftAnswer
    view: ChartView
    """ The chart as it was first drawn, or with what a coordinator decided about it. """
    cohort: None | str | Unset = UNSET
    """ A named set of clinics. """
    pooling: str | Unset = (
        "The network's value is that of all its patients or exposure together (sum of n / sum of d, or sum of values / d), not the mean of its clinics'."
    )
    """ How clinics are pooled. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.shift_answer import ShiftAnswer  # noqa: PLC0415

        annotations = []
        for annotations_item_data in self.annotations:
            annotations_item = annotations_item_data.to_dict()
            annotations.append(annotations_item)

        assurance = self.assurance.to_dict()

        audience: None | str
        if isinstance(self.audience, str):
            audience = self.audience
        else:
            audience = self.audience

        baselines = []
        for baselines_item_data in self.baselines:
            baselines_item = baselines_item_data.to_dict()
            baselines.append(baselines_item)

        chart = self.chart

        clinic: None | str
        clinic = self.clinic

        counted_up_to: None | str
        if isinstance(self.counted_up_to, datetime.datetime):
            counted_up_to = self.counted_up_to.isoformat()
        else:
            counted_up_to = self.counted_up_to

        exclusions = []
        for exclusions_item_data in self.exclusions:
            exclusions_item = exclusions_item_data.to_dict()
            exclusions.append(exclusions_item)

        explanation = self.explanation

        interval: str = self.interval

        measure = self.measure.to_dict()

        phases = []
        for phases_item_data in self.phases:
            phases_item = phases_item_data.to_dict()
            phases.append(phases_item)

        points = []
        for points_item_data in self.points:
            points_item = points_item_data.to_dict()
            points.append(points_item)

        policy = self.policy

        reason = self.reason

        release: int | None
        release = self.release

        remarks = []
        for remarks_item_data in self.remarks:
            remarks_item = remarks_item_data.to_dict()
            remarks.append(remarks_item)

        rule_set = self.rule_set

        rule_set_version = self.rule_set_version

        sigma_method = self.sigma_method

        sigma_method_version = self.sigma_method_version

        sigma_z: float | None
        sigma_z = self.sigma_z

        signals = []
        for signals_item_data in self.signals:
            signals_item = signals_item_data.to_dict()
            signals.append(signals_item)

        stratum: None | str
        stratum = self.stratum

        suggested_shift: dict[str, Any] | None
        if isinstance(self.suggested_shift, ShiftAnswer):
            suggested_shift = self.suggested_shift.to_dict()
        else:
            suggested_shift = self.suggested_shift

        view: str = self.view

        cohort: None | str | Unset
        if isinstance(self.cohort, Unset):
            cohort = UNSET
        else:
            cohort = self.cohort

        pooling = self.pooling

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "annotations": annotations,
                "assurance": assurance,
                "audience": audience,
                "baselines": baselines,
                "chart": chart,
                "clinic": clinic,
                "counted_up_to": counted_up_to,
                "exclusions": exclusions,
                "explanation": explanation,
                "interval": interval,
                "measure": measure,
                "phases": phases,
                "points": points,
                "policy": policy,
                "reason": reason,
                "release": release,
                "remarks": remarks,
                "rule_set": rule_set,
                "rule_set_version": rule_set_version,
                "sigma_method": sigma_method,
                "sigma_method_version": sigma_method_version,
                "sigma_z": sigma_z,
                "signals": signals,
                "stratum": stratum,
                "suggested_shift": suggested_shift,
                "view": view,
            }
        )
        if cohort is not UNSET:
            field_dict["cohort"] = cohort
        if pooling is not UNSET:
            field_dict["pooling"] = pooling

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.annotation_answer import AnnotationAnswer  # noqa: PLC0415
        from ..models.assurance_answer import AssuranceAnswer  # noqa: PLC0415
        from ..models.baseline_answer import BaselineAnswer  # noqa: PLC0415
        from ..models.chart_point_answer import ChartPointAnswer  # noqa: PLC0415
        from ..models.chart_signal_answer import ChartSignalAnswer  # noqa: PLC0415
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415
        from ..models.phase_answer import PhaseAnswer  # noqa: PLC0415
        from ..models.remark_answer import RemarkAnswer  # noqa: PLC0415
        from ..models.shift_answer import ShiftAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        annotations = []
        _annotations = rest.pop("annotations")
        for annotations_item_data in _annotations:
            annotations_item = AnnotationAnswer.from_dict(annotations_item_data)

            annotations.append(annotations_item)

        assurance = AssuranceAnswer.from_dict(rest.pop("assurance"))

        def _parse_audience(data: object) -> Audience | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                audience_type_0 = check_audience(data)

                return audience_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Audience | None, data)

        audience = _parse_audience(rest.pop("audience"))

        baselines = []
        _baselines = rest.pop("baselines")
        for baselines_item_data in _baselines:
            baselines_item = BaselineAnswer.from_dict(baselines_item_data)

            baselines.append(baselines_item)

        chart = rest.pop("chart")

        def _parse_clinic(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clinic = _parse_clinic(rest.pop("clinic"))

        def _parse_counted_up_to(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                counted_up_to_type_0 = datetime.datetime.fromisoformat(data)

                return counted_up_to_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        counted_up_to = _parse_counted_up_to(rest.pop("counted_up_to"))

        exclusions = []
        _exclusions = rest.pop("exclusions")
        for exclusions_item_data in _exclusions:
            exclusions_item = AnnotationAnswer.from_dict(exclusions_item_data)

            exclusions.append(exclusions_item)

        explanation = rest.pop("explanation")

        interval = check_interval(rest.pop("interval"))

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        phases = []
        _phases = rest.pop("phases")
        for phases_item_data in _phases:
            phases_item = PhaseAnswer.from_dict(phases_item_data)

            phases.append(phases_item)

        points = []
        _points = rest.pop("points")
        for points_item_data in _points:
            points_item = ChartPointAnswer.from_dict(points_item_data)

            points.append(points_item)

        policy = rest.pop("policy")

        reason = rest.pop("reason")

        def _parse_release(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        release = _parse_release(rest.pop("release"))

        remarks = []
        _remarks = rest.pop("remarks")
        for remarks_item_data in _remarks:
            remarks_item = RemarkAnswer.from_dict(remarks_item_data)

            remarks.append(remarks_item)

        rule_set = rest.pop("rule_set")

        rule_set_version = rest.pop("rule_set_version")

        sigma_method = rest.pop("sigma_method")

        sigma_method_version = rest.pop("sigma_method_version")

        def _parse_sigma_z(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        sigma_z = _parse_sigma_z(rest.pop("sigma_z"))

        signals = []
        _signals = rest.pop("signals")
        for signals_item_data in _signals:
            signals_item = ChartSignalAnswer.from_dict(signals_item_data)

            signals.append(signals_item)

        def _parse_stratum(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        stratum = _parse_stratum(rest.pop("stratum"))

        def _parse_suggested_shift(data: object) -> None | ShiftAnswer:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                suggested_shift_type_0 = ShiftAnswer.from_dict(data)

                return suggested_shift_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ShiftAnswer, data)

        suggested_shift = _parse_suggested_shift(rest.pop("suggested_shift"))

        view = check_chart_view(rest.pop("view"))

        def _parse_cohort(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cohort = _parse_cohort(rest.pop("cohort", UNSET))

        pooling = rest.pop("pooling", UNSET)

        chart_answer = cls(
            annotations=annotations,
            assurance=assurance,
            audience=audience,
            baselines=baselines,
            chart=chart,
            clinic=clinic,
            counted_up_to=counted_up_to,
            exclusions=exclusions,
            explanation=explanation,
            interval=interval,
            measure=measure,
            phases=phases,
            points=points,
            policy=policy,
            reason=reason,
            release=release,
            remarks=remarks,
            rule_set=rule_set,
            rule_set_version=rule_set_version,
            sigma_method=sigma_method,
            sigma_method_version=sigma_method_version,
            sigma_z=sigma_z,
            signals=signals,
            stratum=stratum,
            suggested_shift=suggested_shift,
            view=view,
            cohort=cohort,
            pooling=pooling,
        )

        chart_answer.additional_properties = rest
        return chart_answer

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

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.annotation_answer import AnnotationAnswer


T = TypeVar("T", bound="PhaseAnswer")


@_attrs_define
class PhaseAnswer:
    """A phase of a chart, and by whose decisions it is what it is.

    A frozen baseline ends before ``baseline_end``.

    """

    baseline: AnnotationAnswer | None
    """ By which its lines are frozen. """
    baseline_end: datetime.date | None
    interval_start: datetime.date
    phase: int
    shift: AnnotationAnswer | None
    """ Null of the first phase. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.annotation_answer import AnnotationAnswer  # noqa: PLC0415

        baseline: dict[str, Any] | None
        if isinstance(self.baseline, AnnotationAnswer):
            baseline = self.baseline.to_dict()
        else:
            baseline = self.baseline

        baseline_end: None | str
        if isinstance(self.baseline_end, datetime.date):
            baseline_end = self.baseline_end.isoformat()
        else:
            baseline_end = self.baseline_end

        interval_start = self.interval_start.isoformat()

        phase = self.phase

        shift: dict[str, Any] | None
        if isinstance(self.shift, AnnotationAnswer):
            shift = self.shift.to_dict()
        else:
            shift = self.shift

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "baseline": baseline,
                "baseline_end": baseline_end,
                "interval_start": interval_start,
                "phase": phase,
                "shift": shift,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.annotation_answer import AnnotationAnswer  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_baseline(data: object) -> AnnotationAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                baseline_type_0 = AnnotationAnswer.from_dict(data)

                return baseline_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AnnotationAnswer | None, data)

        baseline = _parse_baseline(rest.pop("baseline"))

        def _parse_baseline_end(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                baseline_end_type_0 = datetime.date.fromisoformat(data)

                return baseline_end_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        baseline_end = _parse_baseline_end(rest.pop("baseline_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        phase = rest.pop("phase")

        def _parse_shift(data: object) -> AnnotationAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                shift_type_0 = AnnotationAnswer.from_dict(data)

                return shift_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AnnotationAnswer | None, data)

        shift = _parse_shift(rest.pop("shift"))

        phase_answer = cls(
            baseline=baseline,
            baseline_end=baseline_end,
            interval_start=interval_start,
            phase=phase,
            shift=shift,
        )

        phase_answer.additional_properties = rest
        return phase_answer

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

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.finding_answer import FindingAnswer
    from ..models.month_answer import MonthAnswer
    from ..models.source_answer import SourceAnswer
    from ..models.visit_capture_answer import VisitCaptureAnswer


T = TypeVar("T", bound="QualityAnswer")


@_attrs_define
class QualityAnswer:
    """What is wrong with what a clinic sent, for that clinic alone."""

    as_of: datetime.datetime
    clinic: str
    findings: list[FindingAnswer]
    interval_end: datetime.date
    """ The first day after the interval. """
    interval_start: datetime.date
    months: list[MonthAnswer]
    observations: int
    policy: str
    """ SHA-256 of the de-identification policy. """
    sources: list[SourceAnswer]
    visit_capture: VisitCaptureAnswer
    """ Qualifying visits that were recorded, and those with a value a measure asks for.

    A visit is one person on one day. ``captured`` is recorded / expected, and may
    exceed 1; ``reason`` says why there is none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        as_of = self.as_of.isoformat()

        clinic = self.clinic

        findings = []
        for findings_item_data in self.findings:
            findings_item = findings_item_data.to_dict()
            findings.append(findings_item)

        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        months = []
        for months_item_data in self.months:
            months_item = months_item_data.to_dict()
            months.append(months_item)

        observations = self.observations

        policy = self.policy

        sources = []
        for sources_item_data in self.sources:
            sources_item = sources_item_data.to_dict()
            sources.append(sources_item)

        visit_capture = self.visit_capture.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "as_of": as_of,
                "clinic": clinic,
                "findings": findings,
                "interval_end": interval_end,
                "interval_start": interval_start,
                "months": months,
                "observations": observations,
                "policy": policy,
                "sources": sources,
                "visit_capture": visit_capture,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.finding_answer import FindingAnswer  # noqa: PLC0415
        from ..models.month_answer import MonthAnswer  # noqa: PLC0415
        from ..models.source_answer import SourceAnswer  # noqa: PLC0415
        from ..models.visit_capture_answer import VisitCaptureAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        as_of = datetime.datetime.fromisoformat(rest.pop("as_of"))

        clinic = rest.pop("clinic")

        findings = []
        _findings = rest.pop("findings")
        for findings_item_data in _findings:
            findings_item = FindingAnswer.from_dict(findings_item_data)

            findings.append(findings_item)

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        months = []
        _months = rest.pop("months")
        for months_item_data in _months:
            months_item = MonthAnswer.from_dict(months_item_data)

            months.append(months_item)

        observations = rest.pop("observations")

        policy = rest.pop("policy")

        sources = []
        _sources = rest.pop("sources")
        for sources_item_data in _sources:
            sources_item = SourceAnswer.from_dict(sources_item_data)

            sources.append(sources_item)

        visit_capture = VisitCaptureAnswer.from_dict(rest.pop("visit_capture"))

        quality_answer = cls(
            as_of=as_of,
            clinic=clinic,
            findings=findings,
            interval_end=interval_end,
            interval_start=interval_start,
            months=months,
            observations=observations,
            policy=policy,
            sources=sources,
            visit_capture=visit_capture,
        )

        quality_answer.additional_properties = rest
        return quality_answer

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

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.code_answer import CodeAnswer
    from ..models.delay_answer import DelayAnswer
    from ..models.finding_answer import FindingAnswer
    from ..models.month_answer import MonthAnswer
    from ..models.refusal_answer import RefusalAnswer
    from ..models.untranslated_answer import UntranslatedAnswer


T = TypeVar("T", bound="SourceAnswer")


@_attrs_define
class SourceAnswer:
    """What one source of the clinic sent."""

    codes: list[CodeAnswer]
    delay: DelayAnswer | None
    findings: list[FindingAnswer]
    last_received_at: datetime.datetime | None
    months: list[MonthAnswer]
    observations: int
    refusals: list[RefusalAnswer]
    source: str
    untranslated: list[UntranslatedAnswer]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.delay_answer import DelayAnswer  # noqa: PLC0415

        codes = []
        for codes_item_data in self.codes:
            codes_item = codes_item_data.to_dict()
            codes.append(codes_item)

        delay: dict[str, Any] | None
        if isinstance(self.delay, DelayAnswer):
            delay = self.delay.to_dict()
        else:
            delay = self.delay

        findings = []
        for findings_item_data in self.findings:
            findings_item = findings_item_data.to_dict()
            findings.append(findings_item)

        last_received_at: None | str
        if isinstance(self.last_received_at, datetime.datetime):
            last_received_at = self.last_received_at.isoformat()
        else:
            last_received_at = self.last_received_at

        months = []
        for months_item_data in self.months:
            months_item = months_item_data.to_dict()
            months.append(months_item)

        observations = self.observations

        refusals = []
        for refusals_item_data in self.refusals:
            refusals_item = refusals_item_data.to_dict()
            refusals.append(refusals_item)

        source = self.source

        untranslated = []
        for untranslated_item_data in self.untranslated:
            untranslated_item = untranslated_item_data.to_dict()
            untranslated.append(untranslated_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "codes": codes,
                "delay": delay,
                "findings": findings,
                "last_received_at": last_received_at,
                "months": months,
                "observations": observations,
                "refusals": refusals,
                "source": source,
                "untranslated": untranslated,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.code_answer import CodeAnswer  # noqa: PLC0415
        from ..models.delay_answer import DelayAnswer  # noqa: PLC0415
        from ..models.finding_answer import FindingAnswer  # noqa: PLC0415
        from ..models.month_answer import MonthAnswer  # noqa: PLC0415
        from ..models.refusal_answer import RefusalAnswer  # noqa: PLC0415
        from ..models.untranslated_answer import UntranslatedAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        codes = []
        _codes = rest.pop("codes")
        for codes_item_data in _codes:
            codes_item = CodeAnswer.from_dict(codes_item_data)

            codes.append(codes_item)

        def _parse_delay(data: object) -> DelayAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                delay_type_0 = DelayAnswer.from_dict(data)

                return delay_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DelayAnswer | None, data)

        delay = _parse_delay(rest.pop("delay"))

        findings = []
        _findings = rest.pop("findings")
        for findings_item_data in _findings:
            findings_item = FindingAnswer.from_dict(findings_item_data)

            findings.append(findings_item)

        def _parse_last_received_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_received_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_received_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_received_at = _parse_last_received_at(rest.pop("last_received_at"))

        months = []
        _months = rest.pop("months")
        for months_item_data in _months:
            months_item = MonthAnswer.from_dict(months_item_data)

            months.append(months_item)

        observations = rest.pop("observations")

        refusals = []
        _refusals = rest.pop("refusals")
        for refusals_item_data in _refusals:
            refusals_item = RefusalAnswer.from_dict(refusals_item_data)

            refusals.append(refusals_item)

        source = rest.pop("source")

        untranslated = []
        _untranslated = rest.pop("untranslated")
        for untranslated_item_data in _untranslated:
            untranslated_item = UntranslatedAnswer.from_dict(untranslated_item_data)

            untranslated.append(untranslated_item)

        source_answer = cls(
            codes=codes,
            delay=delay,
            findings=findings,
            last_received_at=last_received_at,
            months=months,
            observations=observations,
            refusals=refusals,
            source=source,
            untranslated=untranslated,
        )

        source_answer.additional_properties = rest
        return source_answer

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.code_use import CodeUse, check_code_use

if TYPE_CHECKING:
    from ..models.delay_answer import DelayAnswer
    from ..models.finding_answer import FindingAnswer
    from ..models.unit_answer import UnitAnswer


T = TypeVar("T", bound="CodeAnswer")


@_attrs_define
class CodeAnswer:
    """One code that a source sends; a local code is shown as its keyed digest."""

    code: str
    delay: DelayAnswer | None
    findings: list[FindingAnswer]
    label: None | str
    observations: int
    system: str
    units: list[UnitAnswer]
    use: CodeUse
    """ What the hub makes of a code: a local one is kept as a keyed digest alone. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.delay_answer import DelayAnswer  # noqa: PLC0415

        code = self.code

        delay: dict[str, Any] | None
        if isinstance(self.delay, DelayAnswer):
            delay = self.delay.to_dict()
        else:
            delay = self.delay

        findings = []
        for findings_item_data in self.findings:
            findings_item = findings_item_data.to_dict()
            findings.append(findings_item)

        label: None | str
        label = self.label

        observations = self.observations

        system = self.system

        units = []
        for units_item_data in self.units:
            units_item = units_item_data.to_dict()
            units.append(units_item)

        use: str = self.use

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "delay": delay,
                "findings": findings,
                "label": label,
                "observations": observations,
                "system": system,
                "units": units,
                "use": use,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.delay_answer import DelayAnswer  # noqa: PLC0415
        from ..models.finding_answer import FindingAnswer  # noqa: PLC0415
        from ..models.unit_answer import UnitAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        code = rest.pop("code")

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

        def _parse_label(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        label = _parse_label(rest.pop("label"))

        observations = rest.pop("observations")

        system = rest.pop("system")

        units = []
        _units = rest.pop("units")
        for units_item_data in _units:
            units_item = UnitAnswer.from_dict(units_item_data)

            units.append(units_item)

        use = check_code_use(rest.pop("use"))

        code_answer = cls(
            code=code,
            delay=delay,
            findings=findings,
            label=label,
            observations=observations,
            system=system,
            units=units,
            use=use,
        )

        code_answer.additional_properties = rest
        return code_answer

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.target import Target


T = TypeVar("T", bound="BenchmarksAnswer")


@_attrs_define
class BenchmarksAnswer:
    """What a clinic may measure itself by; null: withheld, or there is none."""

    best_tenth: float | None
    """ Of the best clinics that together have a tenth of all d (Kiefe). """
    median_clinic: float | None
    network: float | None
    """ The pooled value. """
    target: None | Target
    """ The published aim. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.target import Target  # noqa: PLC0415

        best_tenth: float | None
        best_tenth = self.best_tenth

        median_clinic: float | None
        median_clinic = self.median_clinic

        network: float | None
        network = self.network

        target: dict[str, Any] | None
        if isinstance(self.target, Target):
            target = self.target.to_dict()
        else:
            target = self.target

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "best_tenth": best_tenth,
                "median_clinic": median_clinic,
                "network": network,
                "target": target,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.target import Target  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_best_tenth(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        best_tenth = _parse_best_tenth(rest.pop("best_tenth"))

        def _parse_median_clinic(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        median_clinic = _parse_median_clinic(rest.pop("median_clinic"))

        def _parse_network(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        network = _parse_network(rest.pop("network"))

        def _parse_target(data: object) -> None | Target:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                target_type_0 = Target.from_dict(data)

                return target_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Target, data)

        target = _parse_target(rest.pop("target"))

        benchmarks_answer = cls(
            best_tenth=best_tenth,
            median_clinic=median_clinic,
            network=network,
            target=target,
        )

        benchmarks_answer.additional_properties = rest
        return benchmarks_answer

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

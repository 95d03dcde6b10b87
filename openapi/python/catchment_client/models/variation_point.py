from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.remark_answer import RemarkAnswer


T = TypeVar("T", bound="VariationPoint")


@_attrs_define
class VariationPoint:
    """How much clinics differ in one interval.

    ``between`` is the standard deviation between clinics beyond chance, on the scale of
    the values, with its 95 % interval; null where the remarks say why.

    """

    between: float | None
    clinics: int
    """ How many have a value. """
    interval_end: datetime.date
    """ The first day after the interval. """
    interval_start: datetime.date
    lower: float | None
    network: float | None
    phi: float | None
    remarks: list[RemarkAnswer]
    tau2: float | None
    upper: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        between: float | None
        between = self.between

        clinics = self.clinics

        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        lower: float | None
        lower = self.lower

        network: float | None
        network = self.network

        phi: float | None
        phi = self.phi

        remarks = []
        for remarks_item_data in self.remarks:
            remarks_item = remarks_item_data.to_dict()
            remarks.append(remarks_item)

        tau2: float | None
        tau2 = self.tau2

        upper: float | None
        upper = self.upper

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "between": between,
                "clinics": clinics,
                "interval_end": interval_end,
                "interval_start": interval_start,
                "lower": lower,
                "network": network,
                "phi": phi,
                "remarks": remarks,
                "tau2": tau2,
                "upper": upper,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.remark_answer import RemarkAnswer  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_between(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        between = _parse_between(rest.pop("between"))

        clinics = rest.pop("clinics")

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        def _parse_lower(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower = _parse_lower(rest.pop("lower"))

        def _parse_network(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        network = _parse_network(rest.pop("network"))

        def _parse_phi(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        phi = _parse_phi(rest.pop("phi"))

        remarks = []
        _remarks = rest.pop("remarks")
        for remarks_item_data in _remarks:
            remarks_item = RemarkAnswer.from_dict(remarks_item_data)

            remarks.append(remarks_item)

        def _parse_tau2(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        tau2 = _parse_tau2(rest.pop("tau2"))

        def _parse_upper(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper = _parse_upper(rest.pop("upper"))

        variation_point = cls(
            between=between,
            clinics=clinics,
            interval_end=interval_end,
            interval_start=interval_start,
            lower=lower,
            network=network,
            phi=phi,
            remarks=remarks,
            tau2=tau2,
            upper=upper,
        )

        variation_point.additional_properties = rest
        return variation_point

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.withheld import Withheld, check_withheld

if TYPE_CHECKING:
    from ..models.funnel_limits_answer import FunnelLimitsAnswer


T = TypeVar("T", bound="ClinicAnswer")


@_attrs_define
class ClinicAnswer:
    """One clinic on one measure; ``lower`` and ``upper`` are its 95 % interval.

    Its true rank is one of ``rank_first`` to ``rank_last``: that holds of all clinics
    at once, with 95 %.

    """

    clinic: str
    d: int | None
    limits: FunnelLimitsAnswer | None
    lower: float | None
    n: int | None
    name: str
    rank: int | None
    rank_first: int | None
    rank_last: int | None
    reason: None | Withheld
    suppressed: bool
    upper: float | None
    value: float | None
    zone: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.funnel_limits_answer import FunnelLimitsAnswer  # noqa: PLC0415

        clinic = self.clinic

        d: int | None
        d = self.d

        limits: dict[str, Any] | None
        if isinstance(self.limits, FunnelLimitsAnswer):
            limits = self.limits.to_dict()
        else:
            limits = self.limits

        lower: float | None
        lower = self.lower

        n: int | None
        n = self.n

        name = self.name

        rank: int | None
        rank = self.rank

        rank_first: int | None
        rank_first = self.rank_first

        rank_last: int | None
        rank_last = self.rank_last

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        suppressed = self.suppressed

        upper: float | None
        upper = self.upper

        value: float | None
        value = self.value

        zone: None | str
        zone = self.zone

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "clinic": clinic,
                "d": d,
                "limits": limits,
                "lower": lower,
                "n": n,
                "name": name,
                "rank": rank,
                "rank_first": rank_first,
                "rank_last": rank_last,
                "reason": reason,
                "suppressed": suppressed,
                "upper": upper,
                "value": value,
                "zone": zone,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.funnel_limits_answer import FunnelLimitsAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        clinic = rest.pop("clinic")

        def _parse_d(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        d = _parse_d(rest.pop("d"))

        def _parse_limits(data: object) -> FunnelLimitsAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                limits_type_0 = FunnelLimitsAnswer.from_dict(data)

                return limits_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(FunnelLimitsAnswer | None, data)

        limits = _parse_limits(rest.pop("limits"))

        def _parse_lower(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower = _parse_lower(rest.pop("lower"))

        def _parse_n(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        n = _parse_n(rest.pop("n"))

        name = rest.pop("name")

        def _parse_rank(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        rank = _parse_rank(rest.pop("rank"))

        def _parse_rank_first(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        rank_first = _parse_rank_first(rest.pop("rank_first"))

        def _parse_rank_last(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        rank_last = _parse_rank_last(rest.pop("rank_last"))

        def _parse_reason(data: object) -> None | Withheld:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_withheld(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Withheld, data)

        reason = _parse_reason(rest.pop("reason"))

        suppressed = rest.pop("suppressed")

        def _parse_upper(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper = _parse_upper(rest.pop("upper"))

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(rest.pop("value"))

        def _parse_zone(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        zone = _parse_zone(rest.pop("zone"))

        clinic_answer = cls(
            clinic=clinic,
            d=d,
            limits=limits,
            lower=lower,
            n=n,
            name=name,
            rank=rank,
            rank_first=rank_first,
            rank_last=rank_last,
            reason=reason,
            suppressed=suppressed,
            upper=upper,
            value=value,
            zone=zone,
        )

        clinic_answer.additional_properties = rest
        return clinic_answer

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

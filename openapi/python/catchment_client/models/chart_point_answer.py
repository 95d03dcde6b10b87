from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.withheld import Withheld, check_withheld

T = TypeVar("T", bound="ChartPointAnswer")


@_attrs_define
class ChartPointAnswer:
    """A point on a control chart, with its lines."""

    center_line: float | None
    completeness: float | None
    d: int | None
    interval_end: datetime.date
    """ The first day after the interval. """
    interval_start: datetime.date
    lower_2_sigma: float | None
    lower_limit: float | None
    n: int | None
    phase: int
    population: int | None
    provisional: bool
    reason: None | Withheld
    scored: int | None
    signals: list[str]
    suppressed: bool
    upper_2_sigma: float | None
    upper_limit: float | None
    value: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        center_line: float | None
        center_line = self.center_line

        completeness: float | None
        completeness = self.completeness

        d: int | None
        d = self.d

        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        lower_2_sigma: float | None
        lower_2_sigma = self.lower_2_sigma

        lower_limit: float | None
        lower_limit = self.lower_limit

        n: int | None
        n = self.n

        phase = self.phase

        population: int | None
        population = self.population

        provisional = self.provisional

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        scored: int | None
        scored = self.scored

        signals = self.signals

        suppressed = self.suppressed

        upper_2_sigma: float | None
        upper_2_sigma = self.upper_2_sigma

        upper_limit: float | None
        upper_limit = self.upper_limit

        value: float | None
        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "center_line": center_line,
                "completeness": completeness,
                "d": d,
                "interval_end": interval_end,
                "interval_start": interval_start,
                "lower_2_sigma": lower_2_sigma,
                "lower_limit": lower_limit,
                "n": n,
                "phase": phase,
                "population": population,
                "provisional": provisional,
                "reason": reason,
                "scored": scored,
                "signals": signals,
                "suppressed": suppressed,
                "upper_2_sigma": upper_2_sigma,
                "upper_limit": upper_limit,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_center_line(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        center_line = _parse_center_line(rest.pop("center_line"))

        def _parse_completeness(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        completeness = _parse_completeness(rest.pop("completeness"))

        def _parse_d(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        d = _parse_d(rest.pop("d"))

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        def _parse_lower_2_sigma(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower_2_sigma = _parse_lower_2_sigma(rest.pop("lower_2_sigma"))

        def _parse_lower_limit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower_limit = _parse_lower_limit(rest.pop("lower_limit"))

        def _parse_n(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        n = _parse_n(rest.pop("n"))

        phase = rest.pop("phase")

        def _parse_population(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        population = _parse_population(rest.pop("population"))

        provisional = rest.pop("provisional")

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

        def _parse_scored(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        scored = _parse_scored(rest.pop("scored"))

        signals = cast(list[str], rest.pop("signals"))

        suppressed = rest.pop("suppressed")

        def _parse_upper_2_sigma(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper_2_sigma = _parse_upper_2_sigma(rest.pop("upper_2_sigma"))

        def _parse_upper_limit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper_limit = _parse_upper_limit(rest.pop("upper_limit"))

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(rest.pop("value"))

        chart_point_answer = cls(
            center_line=center_line,
            completeness=completeness,
            d=d,
            interval_end=interval_end,
            interval_start=interval_start,
            lower_2_sigma=lower_2_sigma,
            lower_limit=lower_limit,
            n=n,
            phase=phase,
            population=population,
            provisional=provisional,
            reason=reason,
            scored=scored,
            signals=signals,
            suppressed=suppressed,
            upper_2_sigma=upper_2_sigma,
            upper_limit=upper_limit,
            value=value,
        )

        chart_point_answer.additional_properties = rest
        return chart_point_answer

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
